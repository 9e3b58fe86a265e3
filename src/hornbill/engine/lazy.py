"""Names of modules: those loaded when first used, so that importing stays quick, and those that do not exist."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

from hornbill.engine.errors import MissingNameError, did_you_mean

__all__ = ["lazy_module", "missing_name"]

# What other libraries call our layers.
_ELSEWHERE = {
    "Linear": "Dense", "Conv2d": "Conv2D", "Conv1d": "Conv1D", "Conv3d": "Conv3D", "BatchNorm2d": "BatchNormalization",
    "BatchNorm": "BatchNormalization", "MaxPool2d": "MaxPooling2D", "AvgPool2d": "AveragePooling2D",
    "ConvTranspose2d": "Conv2DTranspose", "LayerNorm": "LayerNormalization", "Upsample": "UpSampling2D",
    "CrossEntropyLoss": "SparseCategoricalCrossentropy", "MSELoss": "MeanSquaredError",
}  # fmt: skip


def missing_name(module: str) -> Callable[[str], Any]:
    """Returns a module's `__getattr__`, which says what the name looked for is called here."""

    def look(name: str) -> Any:
        known = [word for word in vars(sys.modules[module]) if not word.startswith("_")]
        hint = ""
        if not name.startswith("__"):
            meant = _ELSEWHERE.get(name)
            hint = f" Did you mean {meant!r}?" if meant in known else did_you_mean(name, known)
        raise MissingNameError(f"{module} has no {name!r}.{hint}")

    return look


def lazy_module(name: str) -> ModuleType:
    """Returns a module by its full name; its code runs at the first access to one of its attributes."""
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.find_spec(name)
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)
    loader = importlib.util.LazyLoader(spec.loader)
    spec.loader = loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    loader.exec_module(module)
    return module
