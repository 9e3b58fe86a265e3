"""Helpers around models: data sets from folders and arrays, files, images, progress, registration."""

from typing import Any

from hornbill.engine.lazy import lazy_module
from hornbill.utils import bounding_boxes, legacy
from hornbill.utils.array_tools import *
from hornbill.utils.configuration import *
from hornbill.utils.datasets_from_directory import *
from hornbill.utils.engine_names import *
from hornbill.utils.files import *
from hornbill.utils.images import *
from hornbill.utils.progbar import *
from hornbill.utils.pydataset import *
from hornbill.utils.splitting import *
from hornbill.utils.timeseries import *

_explanations = lazy_module("hornbill.explain")


def __getattr__(name: str) -> Any:
    if name in ("model_to_dot", "plot_model"):
        return getattr(_explanations, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
