"""The table of mistakes: each is a small function that does what people do wrong, named as its golden file.

A function may return what it would like checked after the error (see `unchanged`); most return nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import hornbill as keras

__all__ = ["MISTAKES", "classifier", "digits", "mistake", "regressor"]

MISTAKES: dict[str, Callable[..., Any]] = {}


def mistake(function: Callable[..., Any]) -> Callable[..., Any]:
    """Enters a function into the table."""
    if function.__name__ in MISTAKES:
        raise ValueError(f"{function.__name__} stands in the table twice")
    MISTAKES[function.__name__] = function
    return function


def classifier(
    classes: int = 3, loss: Any = "sparse_categorical_crossentropy", **compile_arguments: Any
) -> Any:
    """Returns a compiled classifier of 4 features."""
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(classes, activation="softmax")])
    model.compile(optimizer="sgd", loss=loss, **compile_arguments)
    return model


def regressor(units: int = 1, **compile_arguments: Any) -> Any:
    """Returns a compiled linear model of 4 features."""
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(units)])
    model.compile(**{"optimizer": "sgd", "loss": "mse", **compile_arguments})
    return model


def digits(rows: int = 8) -> tuple[np.ndarray, np.ndarray]:
    """Returns small grey pictures without a channels axis, and labels 0 to 9."""
    return np.zeros((rows, 28, 28), "float32"), np.arange(rows) % 10
