"""Models: `Model`, `Sequential`, `Functional` and what copies and loads them."""

from typing import Any

from hornbill.engine.lazy import lazy_module
from hornbill.models.clone import *
from hornbill.models.functional import *
from hornbill.models.model import *
from hornbill.models.sequential import *

_files = lazy_module("hornbill.saving")


def __getattr__(name: str) -> Any:
    if name in ("load_model", "save_model"):
        return getattr(_files, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
