"""Cases of the losses: classes, and the functions behind them."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.cases import Case
from tests.cases.calls import ROOM, array_of, call_case

POSITIVE = (array_of(4, 3, low=0.1), array_of(4, 3, low=0.1))
REAL = (array_of(4, 3), array_of(4, 3))
SIMPLEX = tuple(x / x.sum(-1, keepdims=True) for x in POSITIVE)
BITS = (ROOM.integers(0, 2, (4, 3)).astype("float32"), array_of(4, 3, low=0.1) * 0.9)
ONE_HOT = (np.eye(3, dtype="float32")[[0, 2, 1, 1]], SIMPLEX[1])
LABELS = (np.array([0, 2, 1, 1], "int32"), SIMPLEX[1])
TEXTS = (np.array([[1, 2, 1], [2, 2, 0]], "int32"), array_of(2, 6, 4))
UNIT = (LABELS[0], REAL[1] / np.linalg.norm(REAL[1], axis=-1, keepdims=True))

# class, function, data
KINDS: list[tuple[str, str, tuple[np.ndarray, np.ndarray]]] = [
    ("MeanSquaredError", "mean_squared_error", REAL),
    ("MeanAbsoluteError", "mean_absolute_error", REAL),
    ("MeanAbsolutePercentageError", "mean_absolute_percentage_error", POSITIVE),
    ("MeanSquaredLogarithmicError", "mean_squared_logarithmic_error", POSITIVE),
    ("Huber", "huber", REAL),
    ("LogCosh", "log_cosh", REAL),
    ("CosineSimilarity", "cosine_similarity", REAL),
    ("Poisson", "poisson", POSITIVE),
    ("KLDivergence", "kl_divergence", SIMPLEX),
    ("Hinge", "hinge", BITS),
    ("SquaredHinge", "squared_hinge", BITS),
    ("CategoricalHinge", "categorical_hinge", ONE_HOT),
    ("BinaryCrossentropy", "binary_crossentropy", BITS),
    ("BinaryFocalCrossentropy", "binary_focal_crossentropy", BITS),
    ("CategoricalCrossentropy", "categorical_crossentropy", ONE_HOT),
    ("CategoricalFocalCrossentropy", "categorical_focal_crossentropy", ONE_HOT),
    ("CategoricalGeneralizedCrossEntropy", "categorical_generalized_cross_entropy", LABELS),
    ("SparseCategoricalCrossentropy", "sparse_categorical_crossentropy", LABELS),
    ("Dice", "dice", BITS),
    ("Tversky", "tversky", BITS),
    ("CTC", "ctc", TEXTS),
    ("Circle", "circle", UNIT),
]


def _of_class(name: str, data: tuple[np.ndarray, ...], **arguments: Any) -> Case:
    label = ",".join(f"{key}={value}" for key, value in arguments.items())
    return Case(
        f"losses.{name}",
        lambda keras: getattr(keras.losses, name)(**arguments),
        lambda rng: data,
        arguments,
        label=label,
    )


def _keywords(function: str) -> dict[str, Any]:
    needed = {"categorical_generalized_cross_entropy": {"q": 0.5}}
    return needed.get(function, {})


def _written() -> Case:
    def make(keras: Any) -> Any:
        class Written(keras.losses.Loss):
            def call(self, y_true: Any, y_pred: Any) -> Any:
                return (y_true - y_pred) ** 4

        return Written(reduction="sum", name="written")

    return Case("losses.Loss", make, lambda rng: REAL)


CASES = [
    *(_of_class(name, data) for name, _, data in KINDS),
    *(call_case(f"losses.{function}", data, _keywords(function)) for _, function, data in KINDS),
    _of_class("BinaryCrossentropy", REAL, from_logits=True, label_smoothing=0.1),
    _of_class("MeanSquaredError", REAL, reduction=None),
    _written(),
    call_case("losses.get", ("mse",)),
    call_case("losses.serialize", ("mse",)),
    call_case("losses.deserialize", ("mse",)),
]
