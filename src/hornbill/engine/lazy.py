"""Names of modules: those loaded when first used, so that importing stays quick, and those that do not exist."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterable
from typing import Any

from hornbill.engine.errors import MissingNameError, did_you_mean

__all__ = ["lazy_module", "missing_name", "star_names"]

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


def star_names(module: str, later: Iterable[str]) -> list[str]:
    """Returns what `from module import *` takes: its public names, and those that are loaded later."""
    return sorted({name for name in vars(sys.modules[module]) if not name.startswith("_")} | set(later))


class _LazyModule:
    """Stands for a module and imports it at the first look at one of its names."""

    def __init__(self, name: str) -> None:
        self.__dict__["_name"] = name

    def __getattr__(self, name: str) -> Any:
        value = getattr(importlib.import_module(self._name), name)
        if not (name.startswith("__") and name.endswith("__")):
            self.__dict__[name] = value
        return value

    def __repr__(self) -> str:
        return f"<lazy module {self._name!r}>"


def lazy_module(name: str) -> Any:
    """Returns a stand-in for the module of a full name; its code runs when one of its names is first used."""
    return _LazyModule(name)
