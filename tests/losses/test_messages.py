"""What a user reads when targets do not fit predictions, and when a name is misspelt."""

from __future__ import annotations

import numpy as np
import pytest

import hornbill.losses as losses
import hornbill.metrics as metrics
from hornbill.engine.errors import ArgumentError, ShapeError
from hornbill.losses.checks import check_target_shapes

SPARSE = "sparse_categorical_crossentropy"
# loss, shape of targets, shape of predictions, what the message must hold
WRONG = [
    (SPARSE, (None, 10), (None, 10), ["one-hot", "CategoricalCrossentropy", "argmax"]),
    (SPARSE, (32, 7), (32, 10), ["7 values"]),
    (SPARSE, (32,), (16, 10), ["Axis 0 (batch)", "32", "16"]),
    (SPARSE, (None,), (None, 8, 8, 10), ["GlobalAveragePooling2D"]),
    (SPARSE, (None, 64, 64), (None, 60, 60, 3), ["Axis 1 (height)", "64", "60", "padding='same'"]),
    ("categorical_crossentropy", (None,), (None, 10), ["integer labels", SPARSE, "to_categorical(y, 10)"]),
    ("CategoricalCrossentropy", (None, 1), (None, 10), ["integer labels", SPARSE]),
    ("categorical_crossentropy", (None, 9), (None, 10), ["9 classes", "10", "9 units"]),
    ("mse", (None,), (None, 10), ["1 unit instead of 10"]),
    ("mse", (32, 5), (32, 4), ["Axis 1 (features)", "5", "4"]),
    ("binary_crossentropy", (None, 1), (None, 10), ["Axis 1 (features)"]),
    ("BinaryCrossentropy", (None, 128, 128, 1), (None, 124, 124, 1), ["Axis 1 (height)", "128", "124"]),
    ("dice", (None, 4, 4, 1), (None, 4, 5, 1), ["Axis 2 (width)"]),
    ("hinge", (None,), (None, 3), ["one by one"]),
]
RIGHT = [
    (SPARSE, (None,), (None, 10)),
    (SPARSE, (None, 1), (None, 10)),
    (SPARSE, (None, 8, 8), (None, None, None, 3)),
    ("categorical_crossentropy", (None, 10), (None, 10)),
    ("mse", (None,), (None, 1)),
    ("mse", (None, 1), (None,)),
    ("mse", (None, 1), (None, 3)),
    ("bce", (None, 1), (None, 1)),
    ("my_own_loss", (None, 3, 4), (None, 10)),
    ("ctc", (None, 7), (None, 20, 10)),
]


@pytest.mark.parametrize(("loss", "y_true", "y_pred", "words"), WRONG)
def test_wrong_shapes(loss, y_true, y_pred, words):
    with pytest.raises(ShapeError) as error:
        check_target_shapes(loss, y_true, y_pred)
    text = str(error.value)
    assert str(y_true) in text
    assert str(y_pred) in text
    for word in words:
        assert word in text
    assert error.value.fixes


@pytest.mark.parametrize(("loss", "y_true", "y_pred"), RIGHT)
def test_right_shapes(loss, y_true, y_pred):
    check_target_shapes(loss, y_true, y_pred)


@pytest.mark.parametrize(
    ("y_true", "arguments", "word"),
    [
        ([0, 1, 3], {}, "4 units"),
        ([1, 2, 3], {}, "y - 1"),
        ([0, -1, 2], {}, "ignore_class=-1"),
        ([0, 255, 2], {"ignore_class": 7}, "ignore_class=255"),
    ],
)
def test_labels_outside(y_true, arguments, word):
    with pytest.raises(ArgumentError, match=r"0 \.\.\. 2") as error:
        losses.SparseCategoricalCrossentropy(**arguments)(np.array(y_true), np.full((3, 3), 1 / 3))
    assert word in str(error.value)


def test_names():
    with pytest.raises(ValueError, match="'mean_squared_error'"):
        losses.get("mean_squard_error")
    with pytest.raises(ValueError, match="'sparse_categorical_accuracy'"):
        metrics.get("sparse_categorial_accuracy")
    with pytest.raises(ValueError, match="sum_over_batch_size"):
        losses.MeanSquaredError(reduction="sum_over_batchsize")
    with pytest.raises(ValueError, match=r"3"):
        losses.get(3)


def test_weights_that_do_not_fit():
    with pytest.raises(ShapeError, match=r"sample_weight\[:, None\]"):
        losses.MeanSquaredError()(np.zeros((2, 3, 5)), np.zeros((2, 3, 5)), np.ones(2))
    with pytest.raises(ShapeError, match=r"\(4,\)"):
        losses.MeanSquaredError()(np.zeros((4, 3)), np.zeros((4, 3)), np.ones((4, 3)))


def test_one_hot_for_a_sparse_metric():
    with pytest.raises(ShapeError, match="Metric 'sparse_categorical_accuracy'"):
        metrics.SparseCategoricalAccuracy()(np.eye(3), np.eye(3))


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda: metrics.Precision(thresholds=[0.5, 2]), "from 0 to 1"),
        (lambda: metrics.AUC(num_thresholds=1), "num_thresholds"),
        (lambda: metrics.AUC(curve="ROCK"), "'ROC'"),
        (lambda: metrics.AUC(num_labels=2), "multi_label"),
        (lambda: metrics.IoU(2, [3]), "target_class_ids"),
        (lambda: metrics.FBetaScore(average="mikro"), "'micro'"),
        (lambda: metrics.FBetaScore(beta=-1.0), "beta"),
        (lambda: metrics.FBetaScore(threshold=1.5), "threshold"),
        (lambda: metrics.PrecisionAtRecall(1.5), "recall"),
        (lambda: metrics.R2Score(num_regressors=-1), "num_regressors"),
        (lambda: metrics.F1Score()([0, 1], [0.0, 1.0]), "classes"),
        (lambda: metrics.MeanIoU(2)([0, 1], [0, 1], [0.5, 0.5]), "dtype='float32'"),
        (lambda: losses.CategoricalGeneralizedCrossEntropy(q=1.5), "between 0 and 1"),
        (lambda: losses.MeanSquaredError()({"a": np.ones(2)}, {"a": np.ones(2)}), "one tensor"),
        (lambda: losses.categorical_crossentropy(np.eye(2), np.eye(2), axis=[1]), "axis"),
    ],
)
def test_arguments(make, word):
    with pytest.raises((ValueError, TypeError)) as error:
        make()
    assert word in str(error.value)


def test_unwritten_methods():
    with pytest.raises(RuntimeError, match="call"):
        losses.Loss()(np.ones(2), np.ones(2))
    with pytest.raises(RuntimeError, match="update_state"):
        metrics.Metric()(1)
