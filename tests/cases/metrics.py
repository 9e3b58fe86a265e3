"""Cases of the metrics: classes, and the functions behind those that are means of a function."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.cases import Case
from tests.cases.calls import array_of, call_case
from tests.cases.losses import BITS, LABELS, ONE_HOT, POSITIVE, REAL, SIMPLEX

CLASSES = (np.array([0, 2, 1, 1], "int32"), np.array([0, 1, 1, 2], "int32"))
FLAT = (np.array([0, 1, 1, 0, 1], "float32"), np.array([0.2, 0.7, 0.4, 0.6, 0.9], "float32"))
VALUES = (array_of(4),)

# class, arguments, data
CLASSES_OF_METRICS: list[tuple[str, dict[str, Any], tuple[np.ndarray, ...]]] = [
    ("Mean", {}, VALUES),
    ("Sum", {}, VALUES),
    ("Accuracy", {}, CLASSES),
    ("BinaryAccuracy", {"threshold": 0.4}, BITS),
    ("CategoricalAccuracy", {}, ONE_HOT),
    ("SparseCategoricalAccuracy", {}, LABELS),
    ("TopKCategoricalAccuracy", {"k": 2}, ONE_HOT),
    ("SparseTopKCategoricalAccuracy", {"k": 2}, LABELS),
    ("MeanSquaredError", {}, REAL),
    ("RootMeanSquaredError", {}, REAL),
    ("MeanAbsoluteError", {}, REAL),
    ("MeanAbsolutePercentageError", {}, POSITIVE),
    ("MeanSquaredLogarithmicError", {}, POSITIVE),
    ("LogCoshError", {}, REAL),
    ("CosineSimilarity", {}, REAL),
    ("PearsonCorrelation", {}, REAL),
    ("ConcordanceCorrelation", {}, REAL),
    ("R2Score", {}, REAL),
    ("Hinge", {}, BITS),
    ("SquaredHinge", {}, BITS),
    ("CategoricalHinge", {}, ONE_HOT),
    ("KLDivergence", {}, SIMPLEX),
    ("Poisson", {}, POSITIVE),
    ("BinaryCrossentropy", {}, BITS),
    ("CategoricalCrossentropy", {}, ONE_HOT),
    ("SparseCategoricalCrossentropy", {}, LABELS),
    ("AUC", {"num_thresholds": 20}, FLAT),
    ("AUC", {"curve": "PR", "num_thresholds": 20}, FLAT),
    ("Precision", {}, FLAT),
    ("Recall", {"thresholds": [0.3, 0.5]}, FLAT),
    ("TruePositives", {}, FLAT),
    ("TrueNegatives", {}, FLAT),
    ("FalsePositives", {}, FLAT),
    ("FalseNegatives", {}, FLAT),
    ("PrecisionAtRecall", {"recall": 0.5}, FLAT),
    ("RecallAtPrecision", {"precision": 0.5}, FLAT),
    ("SensitivityAtSpecificity", {"specificity": 0.5}, FLAT),
    ("SpecificityAtSensitivity", {"sensitivity": 0.5}, FLAT),
    ("F1Score", {"threshold": 0.5}, BITS),
    ("FBetaScore", {"beta": 2.0, "threshold": 0.5}, BITS),
    ("IoU", {"num_classes": 3, "target_class_ids": [0, 2]}, CLASSES),
    ("MeanIoU", {"num_classes": 3}, CLASSES),
    ("BinaryIoU", {}, FLAT),
    ("OneHotIoU", {"num_classes": 3, "target_class_ids": [1]}, ONE_HOT),
    ("OneHotMeanIoU", {"num_classes": 3}, ONE_HOT),
]
FUNCTIONS = {
    "binary_accuracy": BITS,
    "categorical_accuracy": ONE_HOT,
    "sparse_categorical_accuracy": LABELS,
    "top_k_categorical_accuracy": ONE_HOT,
    "sparse_top_k_categorical_accuracy": LABELS,
    "pearson_correlation": REAL,
    "concordance_correlation": REAL,
}


def _of_class(name: str, arguments: dict[str, Any], data: tuple[np.ndarray, ...]) -> Case:
    label = ",".join(f"{key}={value}" for key, value in arguments.items()).replace(" ", "")
    return Case(
        f"metrics.{name}",
        lambda keras: getattr(keras.metrics, name)(**arguments),
        lambda rng: data,
        arguments,
        label=label,
    )


def _of_function(keras: Any) -> Any:
    return keras.metrics.MeanMetricWrapper(lambda y_true, y_pred: (y_true - y_pred) ** 2, name="square")


def _written(keras: Any) -> Any:
    class Written(keras.metrics.Metric):
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.total = self.add_weight(shape=(), initializer="zeros", name="total")

        def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
            self.total.assign_add(keras.ops.sum(keras.ops.abs(y_true - y_pred)))

        def result(self) -> Any:
            return self.total.value

    return Written(name="written")


CASES = [
    *(_of_class(*row) for row in CLASSES_OF_METRICS),
    Case("metrics.MeanMetricWrapper", _of_function, lambda rng: REAL),
    Case("metrics.Metric", _written, lambda rng: REAL),
    *(call_case(f"metrics.{name}", data) for name, data in FUNCTIONS.items()),
    call_case("metrics.get", ("mse",)),
    call_case("metrics.serialize", ("mse",)),
    call_case("metrics.deserialize", ("mse",)),
]
