"""Every metric against real Keras: state, results, weights, configurations, the stateless form."""

from __future__ import annotations

import inspect
import warnings

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

import hornbill.metrics as ours
from hornbill.engine.masking import set_mask

theirs = keras.metrics
rng = np.random.default_rng(11)


def positive(*shape):
    return rng.random(shape).astype("float32") * 0.9 + 0.05


def real(*shape):
    return rng.normal(size=shape).astype("float32")


def simplex(*shape):
    x = positive(*shape)
    return x / x.sum(-1, keepdims=True)


def one_hot(*shape):
    return np.eye(shape[-1], dtype="float32")[rng.integers(0, shape[-1], shape[:-1])]


def bits(*shape):
    return rng.integers(0, 2, shape).astype("float32")


def labels(classes, *shape):
    return rng.integers(0, classes, shape)


def batches(y_true, y_pred, *weights):
    """Two batches without weights, one for each kind of weights."""
    rounds = [(y_true(), y_pred()), (y_true(), y_pred())]
    return rounds + [(y_true(), y_pred(), weight) for weight in weights]


W = positive(6)
S = (6, 4)
# class, arguments, batches
CASES = [
    ("Mean", {}, [([1, 3, 5, 7],), ([1, 3, 5, 7], [1, 1, 0, 0]), (real(2, 3), real(2)), (real(2, 3), real(2, 3)), (2.0,)]),
    ("Sum", {}, [([1, 3, 5, 7],), ([1, 3, 5, 7], [1, 1, 0, 0]), (real(2, 3), real(2)), (real(2, 3), 3.0)]),
    ("MeanSquaredError", {}, batches(lambda: real(*S), lambda: real(*S), W, positive(6, 1))),
    ("MeanSquaredError", {}, batches(lambda: real(2, 3, 4), lambda: real(2, 3, 4), positive(2, 3))),
    ("RootMeanSquaredError", {}, batches(lambda: real(*S), lambda: real(*S), W)),
    ("RootMeanSquaredError", {}, batches(lambda: real(6), lambda: real(6, 1), W)),
    ("MeanAbsoluteError", {}, batches(lambda: real(*S), lambda: real(*S), W)),
    ("MeanAbsolutePercentageError", {}, batches(lambda: positive(*S), lambda: real(*S), W)),
    ("MeanSquaredLogarithmicError", {}, batches(lambda: positive(*S), lambda: positive(*S), W)),
    ("LogCoshError", {}, batches(lambda: real(*S), lambda: real(*S), W)),
    ("CosineSimilarity", {}, batches(lambda: real(*S), lambda: real(*S), W)),
    ("CosineSimilarity", {"axis": 1}, batches(lambda: real(2, 3, 4), lambda: real(2, 3, 4))),
    ("PearsonCorrelation", {}, batches(lambda: real(*S), lambda: real(*S), W)),
    ("PearsonCorrelation", {"axis": (1, 2)}, batches(lambda: real(2, 3, 4), lambda: real(2, 3, 4))),
    ("ConcordanceCorrelation", {}, batches(lambda: real(*S), lambda: real(*S), W)),
    ("R2Score", {}, batches(lambda: real(*S), lambda: real(*S), W)),
    ("R2Score", {"class_aggregation": None, "num_regressors": 2}, batches(lambda: real(*S), lambda: real(*S), positive(6, 1))),
    ("R2Score", {"class_aggregation": "variance_weighted_average"}, batches(lambda: real(*S), lambda: real(*S))),
    ("Hinge", {}, batches(lambda: bits(*S), lambda: real(*S), W)),
    ("SquaredHinge", {}, batches(lambda: bits(*S), lambda: real(*S), W)),
    ("CategoricalHinge", {}, batches(lambda: one_hot(*S), lambda: real(*S), W)),
    ("KLDivergence", {}, batches(lambda: simplex(*S), lambda: simplex(*S), W)),
    ("Poisson", {}, batches(lambda: positive(*S), lambda: positive(*S), W)),
    ("BinaryCrossentropy", {}, batches(lambda: bits(*S), lambda: positive(*S), W)),
    ("BinaryCrossentropy", {"from_logits": True, "label_smoothing": 0.1}, batches(lambda: bits(*S), lambda: real(*S))),
    ("CategoricalCrossentropy", {"label_smoothing": 0.2}, batches(lambda: one_hot(*S), lambda: simplex(*S), W)),
    ("CategoricalCrossentropy", {"from_logits": True, "axis": 1}, batches(lambda: one_hot(2, 3, 4), lambda: real(2, 3, 4))),
    ("SparseCategoricalCrossentropy", {}, batches(lambda: labels(4, 6), lambda: simplex(*S), W)),
    ("SparseCategoricalCrossentropy", {"from_logits": True, "ignore_class": 0}, batches(lambda: labels(4, 6), lambda: real(*S), W)),
    ("Accuracy", {}, batches(lambda: labels(3, 6), lambda: labels(3, 6, 1), W)),
    ("BinaryAccuracy", {}, batches(lambda: bits(6), lambda: positive(6, 1), W)),
    ("BinaryAccuracy", {"threshold": 0.3}, batches(lambda: bits(*S), lambda: positive(*S), W)),
    ("CategoricalAccuracy", {}, batches(lambda: one_hot(*S), lambda: simplex(*S), W)),
    ("SparseCategoricalAccuracy", {}, batches(lambda: labels(4, 6, 1), lambda: simplex(*S), W)),
    ("SparseCategoricalAccuracy", {}, batches(lambda: labels(4, 2, 3), lambda: simplex(2, 3, 4), positive(2, 3))),
    ("TopKCategoricalAccuracy", {"k": 2}, batches(lambda: one_hot(*S), lambda: simplex(*S), W)),
    ("SparseTopKCategoricalAccuracy", {"k": 2}, batches(lambda: labels(4, 6), lambda: simplex(*S), W)),
    ("SparseTopKCategoricalAccuracy", {"k": 2, "from_sorted_ids": True}, batches(lambda: labels(4, 6), lambda: np.argsort(real(*S)))),
    ("TruePositives", {}, batches(lambda: bits(*S), lambda: positive(*S), W)),
    ("TrueNegatives", {"thresholds": [0.2, 0.7]}, batches(lambda: bits(6), lambda: positive(6, 1), W)),
    ("FalsePositives", {"thresholds": [0.0, 0.5, 1.0]}, batches(lambda: bits(*S), lambda: positive(*S), positive(*S))),
    ("FalseNegatives", {"thresholds": 0.4}, batches(lambda: bits(*S), lambda: positive(*S), W)),
    ("Precision", {}, batches(lambda: bits(*S), lambda: positive(*S), W)),
    ("Precision", {"thresholds": [0.3, 0.6], "class_id": 2}, batches(lambda: bits(*S), lambda: positive(*S), W)),
    ("Precision", {"top_k": 2}, batches(lambda: bits(*S), lambda: positive(*S), W)),
    ("Recall", {"thresholds": [0.1, 0.5, 0.6, 0.9]}, batches(lambda: bits(*S), lambda: positive(*S), W)),
    ("Recall", {"top_k": 2, "class_id": 1}, batches(lambda: bits(*S), lambda: positive(*S), W)),
    ("Recall", {"top_k": 1, "thresholds": 0.5}, batches(lambda: bits(*S), lambda: positive(*S))),
    ("SensitivityAtSpecificity", {"specificity": 0.5}, batches(lambda: bits(9), lambda: positive(9), positive(9))),
    ("SpecificityAtSensitivity", {"sensitivity": 0.6, "num_thresholds": 20}, batches(lambda: bits(9), lambda: positive(9))),
    ("PrecisionAtRecall", {"recall": 0.6, "num_thresholds": 1}, batches(lambda: bits(9), lambda: positive(9))),
    ("PrecisionAtRecall", {"recall": 0.6}, batches(lambda: bits(9), lambda: positive(9), positive(9))),
    ("RecallAtPrecision", {"precision": 0.6, "class_id": 1}, batches(lambda: bits(*S), lambda: positive(*S))),
    ("AUC", {}, batches(lambda: bits(9), lambda: positive(9), positive(9))),
    ("AUC", {"num_thresholds": 5}, [([0, 1, 1, 0], [-0.2, 1.3, 0.0, 1.0])]),
    ("AUC", {"curve": "PR"}, batches(lambda: bits(9), lambda: positive(9), positive(9))),
    ("AUC", {"curve": "PRGAIN", "num_thresholds": 30}, batches(lambda: bits(9), lambda: positive(9))),
    ("AUC", {"curve": "PR", "summation_method": "minoring"}, batches(lambda: bits(9), lambda: positive(9))),
    ("AUC", {"summation_method": "majoring", "thresholds": [0.3, 0.8, 0.4]}, batches(lambda: bits(9), lambda: positive(9))),
    ("AUC", {"thresholds": [0.05 + 0.08 * i for i in range(11)]}, batches(lambda: bits(9), lambda: positive(9))),
    ("AUC", {"from_logits": True}, batches(lambda: bits(9), lambda: real(9))),
    ("AUC", {"multi_label": True}, batches(lambda: bits(*S), lambda: positive(*S), W)),
    ("AUC", {"multi_label": True, "num_labels": 4, "label_weights": [1.0, 2.0, 0.5, 0.0], "curve": "PR"}, batches(lambda: bits(*S), lambda: positive(*S))),
    ("AUC", {"label_weights": [1.0, 2.0, 0.5, 0.0]}, batches(lambda: bits(*S), lambda: positive(*S), W)),
    ("FBetaScore", {"beta": 2.0, "threshold": 0.5}, batches(lambda: bits(*S), lambda: positive(*S), W)),
    ("FBetaScore", {"average": "weighted", "beta": 0.5}, batches(lambda: one_hot(*S), lambda: simplex(*S), W)),
    ("F1Score", {"average": "macro"}, batches(lambda: one_hot(*S), lambda: simplex(*S))),
    ("F1Score", {"average": "micro", "threshold": 0.4}, batches(lambda: bits(*S), lambda: positive(*S), W)),
    ("IoU", {"num_classes": 3, "target_class_ids": [0, 2]}, batches(lambda: labels(3, 2, 5), lambda: labels(3, 2, 5), labels(3, 2, 5))),
    ("IoU", {"num_classes": 3, "target_class_ids": [1], "sparse_y_pred": False, "dtype": "float32"}, batches(lambda: labels(3, 2, 5), lambda: real(2, 5, 3), positive(2, 5))),
    ("BinaryIoU", {"threshold": 0.4}, batches(lambda: labels(2, 6), lambda: positive(6))),
    ("BinaryIoU", {"target_class_ids": [0], "dtype": "float32"}, batches(lambda: bits(6, 1), lambda: positive(6, 1), positive(6))),
    ("MeanIoU", {"num_classes": 3}, batches(lambda: labels(3, 9), lambda: labels(3, 9))),
    ("MeanIoU", {"num_classes": 3, "ignore_class": 2}, batches(lambda: labels(3, 9), lambda: labels(3, 9))),
    ("MeanIoU", {"num_classes": 3, "ignore_class": -1}, [(np.array([0, -1, 2, 1]), np.array([0, 1, 2, 2]))]),
    ("OneHotIoU", {"num_classes": 4, "target_class_ids": [0, 3]}, batches(lambda: one_hot(*S), lambda: simplex(*S))),
    ("OneHotMeanIoU", {"num_classes": 4, "dtype": "float32"}, batches(lambda: one_hot(*S), lambda: simplex(*S), W)),
    ("OneHotMeanIoU", {"num_classes": 4, "sparse_y_pred": True}, batches(lambda: one_hot(*S), lambda: labels(4, 6))),
]  # fmt: skip
IDS = [f"{name}-{i}" for i, (name, *_) in enumerate(CASES)]


def close(a, b, tolerance=3e-5):
    np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=tolerance, atol=tolerance)


def both(cls, arguments):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return getattr(ours, cls)(**arguments), getattr(theirs, cls)(**arguments)


@pytest.mark.parametrize(("name", "arguments", "rounds"), CASES, ids=IDS)
def test_results_and_state(name, arguments, rounds):
    mine, real_one = both(name, arguments)
    for batch in rounds:
        mine.update_state(*batch)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            real_one.update_state(*(np.asarray(part) for part in batch))
        result, expected = mine.result(), real_one.result()
        assert np.shape(result) == np.shape(expected)
        assert result.dtype == expected.dtype
        close(result, expected)
    assert [v.name for v in mine.variables] == [v.name for v in real_one.variables]
    for variable, other in zip(mine.variables, real_one.variables, strict=True):
        assert (variable.shape, variable.dtype) == (tuple(other.shape), other.dtype)
        close(variable.value, other.value, 1e-4)
    mine.reset_state()
    assert not any(np.any(v.numpy()) for v in mine.variables)


@pytest.mark.parametrize(("name", "arguments", "rounds"), CASES[::3], ids=IDS[::3])
def test_stateless_under_jit(name, arguments, rounds):
    mine, _ = both(name, arguments)
    mine.update_state(*rounds[0])  # some make their variables here
    expected = mine.result()
    start = mine.stateless_reset_state()
    before = [v.numpy() for v in mine.variables]

    @jax.jit
    def step(state, *batch):
        state = mine.stateless_update_state(state, *batch)
        return state, mine.stateless_result(state)

    _, result = step(start, *(jnp.asarray(part) for part in rounds[0]))
    assert isinstance(result, jax.Array)
    close(result, expected)
    for variable, old in zip(mine.variables, before, strict=True):
        np.testing.assert_array_equal(variable.numpy(), old)


@pytest.mark.parametrize(("name", "arguments", "rounds"), CASES, ids=IDS)
def test_config(name, arguments, rounds):
    mine, real_one = both(name, {**arguments, "name": "own"})
    config, expected = mine.get_config(), real_one.get_config()
    if config.get("label_weights") is not None:
        expected["label_weights"] = np.asarray(expected["label_weights"]).tolist()
    assert set(config) - set(expected) <= {"axis"}  # what Keras forgets
    assert [(k, v) for k, v in config.items() if k in expected] == list(expected.items())
    assert type(mine).from_config(config).get_config() == config
    real_one.from_config(config)


def required(cls):
    values = {"num_classes": 3, "target_class_ids": [0], "recall": 0.5, "precision": 0.5, "specificity": 0.5,
              "sensitivity": 0.5, "fn": ours.mean_squared_error}  # fmt: skip
    names = inspect.signature(cls).parameters.values()
    return {p.name: values[p.name] for p in names if p.default is p.empty and p.name in values}


@pytest.mark.parametrize("name", [n for n, o in vars(theirs).items() if inspect.isclass(o) and n != "Metric"])
def test_default_config_serialised(name):
    keras.backend.clear_session(free_memory=False)
    from hornbill.engine.naming import reset_names

    reset_names()
    cls = getattr(ours, name)
    mine = cls(**required(cls))
    given = required(cls)
    if "fn" in given:
        given["fn"] = theirs.mean_squared_error
    real_one = getattr(theirs, name)(**given)
    assert mine.name == real_one.name
    assert ours.serialize(mine) == theirs.serialize(real_one)
    again = ours.deserialize(ours.serialize(mine))
    assert type(again) is cls
    assert again.get_config() == mine.get_config()
    assert [v.path for v in mine.variables] == [v.path for v in real_one.variables]


NAMES = [
    "mse", "MSE", "mae", "MAE", "mape", "msle", "MSLE", "bce", "BCE", "cosine_similarity", "accuracy",
    "binary_crossentropy", "BinaryCrossentropy", "hinge", "mean", "auc", "AUC", "Precision", "precision", "recall",
    "top_k_categorical_accuracy", "sparse_top_k_categorical_accuracy", "F1Score", "f1_score", "r2_score", "R2Score",
    "concordance_correlation", "pearson_correlation", "binary_accuracy", "categorical_accuracy", "sum", "Sum",
    "sparse_categorical_accuracy", "root_mean_squared_error", "log_cosh_error", "LogCoshError", "mean_absolute_error",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_get(name):
    assert type(ours.get(name)).__name__ == type(theirs.get(name)).__name__
    assert isinstance(ours.get(name), ours.Metric)


def test_get_more():
    assert isinstance(ours.get("acc"), ours.Accuracy)
    assert ours.get(None) is None
    data = ours.serialize(ours.binary_accuracy)
    assert data == theirs.serialize(theirs.binary_accuracy)
    assert ours.deserialize(data) is ours.binary_accuracy


@pytest.mark.parametrize("weights", [None, np.array([[0.5], [2.0]])], ids=["none", "column"])
def test_masks(weights):
    y_true, values = real(2, 3, 1), real(2, 3, 1)
    mask = np.array([[1, 1, 0], [1, 0, 0]], bool)
    our_pred, their_pred = jnp.asarray(values), jnp.asarray(values + 0)
    set_mask(our_pred, jnp.asarray(mask))
    their_pred._keras_mask = jnp.asarray(mask)
    mine, real_one = both("MeanSquaredError", {})
    mine.update_state(y_true, our_pred, weights)
    real_one.update_state(y_true, their_pred, weights)
    close([v.value for v in mine.variables], [v.value for v in real_one.variables])


def test_own_metric_the_keras_way():
    class Outer(ours.Metric):
        def __init__(self, name="outer", **kwargs):
            super().__init__(name=name, **kwargs)
            self.total = self.add_weight(name="total", initializer="zeros")
            self.inner = ours.Mean(name="inner")

        def update_state(self, y_true, y_pred, sample_weight=None):
            self.total.assign_add(jnp.sum(y_true))
            self.inner.update_state(y_pred)

        def result(self):
            return {"total": self.total, "mean": self.inner.result()}

    metric = Outer()
    assert [v.path for v in metric.variables] == ["outer/total", "inner/total", "inner/count"]
    state = jax.jit(metric.stateless_update_state)(
        [v.value for v in metric.variables], jnp.ones(3), jnp.ones(3) * 2
    )
    assert len(state) == 3
    result = metric.stateless_result(state)
    assert (float(result["total"]), float(result["mean"])) == (3.0, 2.0)
    assert float(metric.total.value) == 0.0
    assert metric.get_config() == {"name": "outer", "dtype": "float32"}


def test_empty_results():
    for metric in (
        ours.Mean(),
        ours.AUC(),
        ours.AUC(multi_label=True),
        ours.F1Score(),
        ours.R2Score(),
        ours.MeanIoU(2),
    ):
        assert float(metric.result()) == 0.0


FUNCTION_CASES = [
    ("binary_accuracy", [[[0, 1], [1, 0]], [[0.5, 0.6], [0.4, 0.51]]], {}),
    ("categorical_accuracy", [np.eye(3)[None], np.eye(3)[None]], {}),
    ("sparse_categorical_accuracy", [np.array([[[0], [1], [2]]]), np.eye(3)[None]], {}),
    (
        "top_k_categorical_accuracy",
        [np.eye(3), np.array([[0.1, 0.2, 0.3], [0.3, 0.3, 0.3], [0.1, 0.3, 0.2]])],
        {"k": 1},
    ),
    ("sparse_top_k_categorical_accuracy", [np.array([[0], [1], [2]]), np.eye(3)], {"k": 1}),
    ("sparse_top_k_categorical_accuracy", [np.array([0, 1, 2]), np.eye(3)], {"k": 5}),
    ("pearson_correlation", [real(3, 4), real(3, 4)], {}),
    ("concordance_correlation", [real(3, 4), real(3, 4)], {}),
    ("huber", [real(3, 4), real(3, 4)], {"delta": 0.5}),
]


@pytest.mark.parametrize(("name", "inputs", "arguments"), FUNCTION_CASES)
def test_functions(name, inputs, arguments):
    inputs = [np.asarray(x) for x in inputs]
    result, expected = getattr(ours, name)(*inputs, **arguments), getattr(theirs, name)(*inputs, **arguments)
    assert result.shape == expected.shape
    close(result, expected)
