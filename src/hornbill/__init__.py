"""Hornbill: Keras, written from scratch on JAX. `import hornbill as keras` works.

Submodules have Keras' names and are loaded when they are first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from hornbill import _cache
from hornbill.dtype_policies import DTypePolicy
from hornbill.engine import serialization
from hornbill.engine.errors import MissingNameError, did_you_mean
from hornbill.engine.graph import Operation
from hornbill.engine.input_spec import InputSpec
from hornbill.engine.layer import Layer
from hornbill.engine.naming import name_scope
from hornbill.engine.scopes import Function, StatelessScope, SymbolicScope
from hornbill.engine.symbolic import KerasTensor
from hornbill.engine.variable import Variable, functional_call
from hornbill.initializers import Initializer
from hornbill.layers.input import Input
from hornbill.models import Model, Sequential
from hornbill.regularizers import Regularizer
from hornbill.version import __version__, version

if TYPE_CHECKING:
    from hornbill import (
        activations,
        callbacks,
        config,
        constraints,
        datasets,
        dtype_policies,
        initializers,
        layers,
        losses,
        metrics,
        mixed_precision,
        models,
        ops,
        optimizers,
        random,
        regularizers,
        saving,
        tree,
        utils,
        visualization,
    )  # fmt: skip
    from hornbill.losses import Loss
    from hornbill.metrics import Metric
    from hornbill.optimizers import Optimizer

FloatDTypePolicy = DTypePolicy

_SUBMODULES = (
    "activations", "backend", "callbacks", "compat", "config", "constraints", "datasets", "dtype_policies", "explain",
    "export", "initializers", "layers", "losses", "metrics", "mixed_precision", "models", "ops", "optimizers",
    "preprocessing", "random", "regularizers", "saving", "testing", "transforms", "tree", "utils", "visualization",
)  # fmt: skip
_NOT_YET = ("applications", "distillation", "distribution", "quantizers", "wrappers")
_ELSEWHERE = {
    "Loss": "losses", "Metric": "metrics", "Optimizer": "optimizers", "RematScope": "transforms.remat",
    "device": "utils.devices", "remat": "transforms.remat",
}  # fmt: skip

__all__ = [
    "DTypePolicy", "FloatDTypePolicy", "Function", "Initializer", "Input", "InputSpec", "KerasTensor", "Layer", "Loss",
    "Metric", "Model", "Operation", "Optimizer", "Regularizer", "Sequential", "StatelessScope", "SymbolicScope",
    "Variable", "__version__", "functional_call", "name_scope", "version",
]  # fmt: skip

_cache.enable()
serialization.late_modules += (
    "hornbill.losses", "hornbill.metrics", "hornbill.optimizers", "hornbill.layers.jax_layer",
    "hornbill.layers.preprocessing",
)  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in _ELSEWHERE:
        return getattr(importlib.import_module(f"hornbill.{_ELSEWHERE[name]}"), name)
    if name in _SUBMODULES:
        return importlib.import_module(f"hornbill.{name}")
    if name in _NOT_YET:
        raise MissingNameError(f"keras.{name} is not in Hornbill {__version__} yet.")
    raise MissingNameError(
        f"hornbill has no {name!r}.{did_you_mean(name, [*__all__, *_SUBMODULES, *_ELSEWHERE])}"
    )


def __dir__() -> list[str]:
    return sorted([*__all__, *_SUBMODULES, *_ELSEWHERE])
