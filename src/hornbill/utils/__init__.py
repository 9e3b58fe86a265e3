"""Helpers around models: data sets from folders and arrays, files, images, progress, registration."""

from typing import Any

from hornbill.engine.lazy import lazy_module
from hornbill.engine.lazy import star_names as _star_names
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


_LATER = ("model_to_dot", "plot_model")


def __getattr__(name: str) -> Any:
    if name == "__all__":  # only `from hornbill.utils import *` asks
        return _star_names(__name__, _LATER)
    if name in _LATER:
        return getattr(_explanations, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
