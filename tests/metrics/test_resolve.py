"""Which metric "accuracy" and its kin mean."""

from __future__ import annotations

import pytest

from hornbill import losses
from hornbill.metrics.resolve import is_shape_dependent, resolve_accuracy

CASES = [
    ((None,), (None, 1), "Binary"),
    ((None, 1), (None, 1), "Binary"),
    ((None, 5, 5, 1), (None, 5, 5, 1), "Binary"),
    ((None, 5), (None, 5, 1), "Binary"),
    ((None, 3), (None, 3), "Categorical"),
    ((None, 5, 3), (None, 5, 3), "Categorical"),
    ((None,), (None, 3), "SparseCategorical"),
    ((None, 1), (None, 3), "SparseCategorical"),
    ((None, 5), (None, 5, 3), "SparseCategorical"),
    ((None, 5, 1), (None, 5, 3), "SparseCategorical"),
]


@pytest.mark.parametrize("name", ["accuracy", "acc", "Accuracy"])
@pytest.mark.parametrize(("y_true", "y_pred", "kind"), CASES)
def test_accuracy(name, y_true, y_pred, kind):
    metric = resolve_accuracy(name, y_true, y_pred, "mse")
    assert type(metric).__name__ == kind + "Accuracy"
    assert metric.name == name


@pytest.mark.parametrize(("y_true", "y_pred", "kind"), CASES)
def test_crossentropy(y_true, y_pred, kind):
    metric = resolve_accuracy("ce", y_true, y_pred)
    assert type(metric).__name__ == kind + "Crossentropy"


def test_crossentropy_follows_the_loss():
    metric = resolve_accuracy(
        "crossentropy", (None, 3), (None, 3), losses.BinaryCrossentropy(from_logits=True)
    )
    assert type(metric).__name__ == "BinaryCrossentropy"
    assert metric.from_logits


def test_names():
    assert is_shape_dependent("acc")
    assert not is_shape_dependent("mse")
