"""Models: `Model`, `Sequential`, `Functional` and what copies and loads them."""

from typing import Any

from hornbill.engine.lazy import lazy_module
from hornbill.engine.lazy import star_names as _star_names
from hornbill.models.clone import *
from hornbill.models.functional import *
from hornbill.models.model import *
from hornbill.models.sequential import *

_files = lazy_module("hornbill.saving")


_LATER = ("load_model", "save_model")


def __getattr__(name: str) -> Any:
    if name == "__all__":  # only `from hornbill.models import *` asks
        return _star_names(__name__, _LATER)
    if name in _LATER:
        return getattr(_files, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
