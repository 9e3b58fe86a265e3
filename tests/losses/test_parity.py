"""Every loss against real Keras: values, weights, masks, gradients, configurations."""

from __future__ import annotations

import inspect
import warnings

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

import hornbill.losses as ours
from hornbill.engine.masking import set_mask

theirs = keras.losses
rng = np.random.default_rng(7)


def positive(*shape):
    return rng.random(shape).astype("float32") + 0.05


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


def unit(*shape):
    x = real(*shape)
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


S = (4, 3)
BIG = np.array([[30.0, -30.0, 0.0, 2.0]], "float32")
# name of the class, arguments, y_true, y_pred
CASES = [
    ("MeanSquaredError", {}, real(*S), real(*S)),
    ("MeanSquaredError", {}, real(4), real(4, 1)),
    ("MeanSquaredError", {}, real(4, 1), real(4)),
    ("MeanSquaredError", {}, real(4, 1), real(4, 3)),
    ("MeanSquaredError", {}, real(4, 3, 1), real(4, 3)),
    ("MeanSquaredError", {}, real(2, 3, 4), real(2, 3, 4)),
    ("MeanAbsoluteError", {}, real(*S), real(*S)),
    ("MeanAbsolutePercentageError", {}, real(*S), real(*S)),
    ("MeanAbsolutePercentageError", {}, np.array([[0.0, -2.0, 1e-9]]), real(1, 3)),
    ("MeanSquaredLogarithmicError", {}, positive(*S), positive(*S)),
    ("MeanSquaredLogarithmicError", {}, real(*S), real(*S)),
    ("Huber", {}, real(*S) * 2, real(*S)),
    ("Huber", {"delta": 0.3}, real(*S), real(*S)),
    ("LogCosh", {}, real(*S) * 9, real(*S)),
    ("CosineSimilarity", {}, real(*S), real(*S)),
    ("CosineSimilarity", {"axis": 1}, real(2, 3, 4), real(2, 3, 4)),
    ("Poisson", {}, positive(*S), positive(*S)),
    ("KLDivergence", {}, simplex(*S), simplex(*S)),
    ("KLDivergence", {}, np.array([[0.0, 1.0, 2.0]]), np.array([[0.0, 0.5, 3.0]])),
    ("Hinge", {}, bits(*S), real(*S)),
    ("Hinge", {}, bits(*S) * 2 - 1, real(*S)),
    ("Hinge", {}, np.array([[-1.0, 0.0, 1.0]]), real(1, 3)),
    ("SquaredHinge", {}, bits(*S), real(*S)),
    ("CategoricalHinge", {}, one_hot(*S), real(*S)),
    ("BinaryCrossentropy", {}, bits(*S), simplex(*S)),
    ("BinaryCrossentropy", {}, np.array([[0.0, 1.0, 1.0, 0.0]]), np.array([[1.0, 0.0, 1.0, 0.0]])),
    ("BinaryCrossentropy", {"from_logits": True, "label_smoothing": 0.2}, bits(*S), real(*S)),
    ("BinaryCrossentropy", {"from_logits": True}, np.array([[0.0, 1.0, 1.0, 0.0]]), BIG),
    ("BinaryCrossentropy", {"axis": 1}, bits(2, 3, 4), simplex(2, 3, 4)),
    ("BinaryFocalCrossentropy", {}, bits(*S), simplex(*S)),
    ("BinaryFocalCrossentropy", {"from_logits": True, "gamma": 3.0}, bits(*S), real(*S)),
    (
        "BinaryFocalCrossentropy",
        {"apply_class_balancing": True, "alpha": 0.3, "label_smoothing": 0.1},
        bits(*S),
        simplex(*S),
    ),
    ("CategoricalCrossentropy", {}, one_hot(*S), simplex(*S)),
    ("CategoricalCrossentropy", {}, one_hot(*S), positive(*S)),
    ("CategoricalCrossentropy", {"from_logits": True, "label_smoothing": 0.1}, one_hot(*S), real(*S)),
    ("CategoricalCrossentropy", {"axis": 1, "label_smoothing": 0.1}, simplex(2, 3, 4), positive(2, 3, 4)),
    ("CategoricalFocalCrossentropy", {}, one_hot(*S), simplex(*S)),
    ("CategoricalFocalCrossentropy", {"alpha": [0.1, 0.2, 0.7], "gamma": 1.5}, one_hot(*S), positive(*S)),
    ("CategoricalFocalCrossentropy", {"from_logits": True, "label_smoothing": 0.1}, one_hot(*S), real(*S)),
    ("SparseCategoricalCrossentropy", {}, labels(3, 4), simplex(*S)),
    ("SparseCategoricalCrossentropy", {}, labels(3, 4, 1), simplex(*S)),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, labels(3, 2, 5), real(2, 5, 3)),
    ("SparseCategoricalCrossentropy", {"ignore_class": -1}, np.array([0, -1, 2, 1]), simplex(*S)),
    (
        "SparseCategoricalCrossentropy",
        {"ignore_class": 2, "from_logits": True},
        labels(3, 2, 5),
        real(2, 5, 3),
    ),
    ("SparseCategoricalCrossentropy", {"ignore_class": 255}, np.array([[0], [255]]), simplex(2, 3)),
    ("CategoricalGeneralizedCrossEntropy", {}, labels(3, 4), simplex(*S)),
    ("CategoricalGeneralizedCrossEntropy", {"q": 0.2}, labels(3, 2, 5), simplex(2, 5, 3)),
    ("Dice", {}, bits(2, 4, 4, 1), simplex(2, 4, 4, 1)),
    ("Dice", {"axis": (1, 2, 3)}, bits(2, 4, 4, 1), positive(2, 4, 4, 1)),
    ("Tversky", {"alpha": 0.3, "beta": 0.8, "axis": (1, 2)}, bits(2, 4, 4, 1), positive(2, 4, 4, 1)),
    ("Tversky", {}, bits(*S), positive(*S)),
    ("Circle", {"gamma": 2.0}, np.array([0, 0, 1, 1, 2]), unit(5, 4)),
    ("Circle", {"gamma": 80.0, "margin": 0.2}, np.array([0, 0, 1, 1]), unit(4, 4)),
    ("Circle", {"gamma": 3.0, "remove_diagonal": False}, np.array([0, 0, 1, 2]), unit(4, 4)),
    ("CTC", {}, np.array([[1, 2, 0], [3, 3, 1]]), real(2, 6, 5)),
]
IDS = [f"{name}-{i}" for i, (name, *_) in enumerate(CASES)]


def close(a, b, tolerance=2e-5):
    np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=tolerance, atol=tolerance)


def both(cls, arguments, **more):
    return getattr(ours, cls)(**arguments, **more), getattr(theirs, cls)(**arguments, **more)


@pytest.mark.parametrize(("name", "arguments", "y_true", "y_pred"), CASES, ids=IDS)
def test_values(name, arguments, y_true, y_pred):
    mine, real_one = both(name, arguments, reduction="none")
    result = mine(y_true, y_pred)
    expected = real_one(y_true, y_pred)
    assert result.shape == expected.shape
    assert result.dtype == expected.dtype
    close(result, expected)


@pytest.mark.parametrize(("name", "arguments", "y_true", "y_pred"), CASES, ids=IDS)
def test_mean_and_gradient(name, arguments, y_true, y_pred):
    mine, real_one = both(name, arguments)
    y_pred = jnp.asarray(y_pred, "float32")
    # by the chain rule from Keras' own values: one compiled program each
    value, gradient = jax.value_and_grad(lambda p: mine(jnp.asarray(y_true), p))(y_pred)
    expected, expected_gradient = jax.value_and_grad(lambda p: real_one(jnp.asarray(y_true), p))(y_pred)
    close(value, expected)
    if np.isfinite(np.asarray(expected_gradient)).all():
        close(gradient, expected_gradient)
    assert np.isfinite(np.asarray(gradient)).all()


@pytest.mark.parametrize(
    "reduction", ["sum", "sum_over_batch_size", "mean", "mean_with_sample_weight", "none", None]
)
@pytest.mark.parametrize("weights", [None, 2.0, positive(4), positive(4, 1), np.zeros(4)], ids=str)
def test_reductions(reduction, weights):
    y_true, y_pred = real(4, 3), real(4, 3)
    mine, real_one = both("MeanSquaredError", {}, reduction=reduction)
    close(mine(y_true, y_pred, weights), real_one(y_true, y_pred, weights))


@pytest.mark.parametrize(
    "reduction", ["sum", "sum_over_batch_size", "mean", "mean_with_sample_weight", "none"]
)
@pytest.mark.parametrize(
    "weights", [None, positive(2, 3), positive(2, 1), 3.0], ids=["none", "full", "column", "one"]
)
def test_masks(reduction, weights):
    y_true, values = real(2, 3, 5), real(2, 3, 5)
    mask = np.array([[1, 1, 0], [1, 0, 0]], bool)
    mine, real_one = both("MeanAbsoluteError", {}, reduction=reduction)
    our_pred, their_pred = jnp.asarray(values), jnp.asarray(values + 0)
    set_mask(our_pred, jnp.asarray(mask))
    their_pred._keras_mask = jnp.asarray(mask)
    close(mine(y_true, our_pred, weights), real_one(y_true, their_pred, weights))


def test_mask_meets_ignored_class():
    y_true = np.array([[0, 1, -1], [2, -1, -1]])
    values = simplex(2, 3, 4)
    mask = np.array([[1, 1, 1], [0, 1, 1]], bool)
    our_pred, their_pred = jnp.asarray(values), jnp.asarray(values + 0)
    set_mask(our_pred, jnp.asarray(mask))
    their_pred._keras_mask = jnp.asarray(mask)
    mine, real_one = both("SparseCategoricalCrossentropy", {"ignore_class": -1})
    close(mine(y_true, our_pred), real_one(y_true, their_pred))


def test_auto_is_the_mean():
    assert ours.MeanSquaredError(reduction="auto").reduction == "sum_over_batch_size"


def classes():
    return [name for name, obj in vars(theirs).items() if inspect.isclass(obj)]


@pytest.mark.parametrize("name", classes())
def test_default_config(name):
    keras.backend.clear_session(free_memory=False)
    mine, real_one = getattr(ours, name)(), getattr(theirs, name)()
    expected = real_one.get_config()
    if name != "Loss":
        assert list(mine.get_config().items()) == list(expected.items())
        assert ours.serialize(mine) == theirs.serialize(real_one)
    again = ours.deserialize(ours.serialize(mine)) if name != "Loss" else mine
    assert type(again) is type(mine)
    assert again.get_config() == mine.get_config()


@pytest.mark.parametrize(("name", "arguments", "y_true", "y_pred"), CASES, ids=IDS)
def test_config_round_trip(name, arguments, y_true, y_pred):
    mine, real_one = both(name, arguments, name="own", reduction="sum")
    config = mine.get_config()
    expected = real_one.get_config()
    assert {key: config[key] for key in expected} == expected
    assert set(config) - set(expected) <= {"delta", "axis"}  # what Keras forgets
    assert type(mine).from_config(config).get_config() == config
    assert type(real_one).from_config(config).get_config() == expected


NAMES = [
    "mse", "MSE", "mae", "MAE", "mape", "MAPE", "msle", "MSLE", "bce", "BCE", "kld", "KLD", "log_cosh", "Huber",
    "huber", "cosine_similarity", "binary_crossentropy", "BinaryCrossentropy", "hinge", "ctc", "CTC", "dice", "Dice",
    "Tversky", "circle", "tversky", "mean_squared_error", "SparseCategoricalCrossentropy", "poisson",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_get(name):
    mine, real_one = ours.get(name), theirs.get(name)
    if inspect.isfunction(real_one):
        assert mine.__name__ == real_one.__name__
        assert ours.serialize(mine) == theirs.serialize(real_one)
        assert ours.deserialize(ours.serialize(mine)) is mine
    else:
        assert type(mine).__name__ == type(real_one).__name__


@pytest.mark.parametrize("old", ["logcosh", "huber_loss", "kullback_leibler_divergence", "cosine_proximity"])
def test_get_old_spellings(old):
    assert callable(ours.get(old))


def test_get_other_things():
    assert ours.get(None) is None
    assert isinstance(ours.get(ours.Huber), ours.Huber)
    assert ours.get({"class_name": "Huber", "config": {"delta": 2.0}}).get_config()["delta"] == 2.0

    def own(y_true, y_pred):
        return y_true - y_pred

    assert ours.get(own) is own


FUNCTION_CASES = [
    ("mean_squared_error", [[[1, 2]], [[2, 4]]], {}),
    ("binary_crossentropy", [bits(2, 3), simplex(2, 3)], {"label_smoothing": 0.1}),
    ("categorical_crossentropy", [one_hot(2, 3), real(2, 3)], {"from_logits": True}),
    ("sparse_categorical_crossentropy", [np.array([0, 1]), simplex(2, 3)], {}),
    ("hinge", [bits(2, 3), real(2, 3)], {}),
    ("dice", [bits(2, 3), real(2, 3)], {"axis": 1}),
    ("circle", [np.array([0, 0, 1]), unit(3, 4), np.array([1, 0]), unit(2, 4)], {"remove_diagonal": False}),
    ("cosine_similarity", [[[1e-9, 1e-9], [0, 0], [1e-4, 0]], [[1.0, 1], [1, 1], [1, 0]]], {}),
]


@pytest.mark.parametrize(
    ("name", "inputs", "arguments"), FUNCTION_CASES, ids=[case[0] for case in FUNCTION_CASES]
)
def test_functions(name, inputs, arguments):
    close(getattr(ours, name)(*inputs, **arguments), getattr(theirs, name)(*inputs, **arguments))


def test_half_precision_and_dtype():
    y_true, y_pred = real(4, 3), real(4, 3)
    for dtype in ("float16", "bfloat16"):
        mine, real_one = both("MeanSquaredError", {}, dtype=dtype)
        result = mine(y_true, y_pred)
        assert str(result.dtype) == dtype == mine.dtype
        close(result.astype("float32"), real_one(y_true, y_pred).astype("float32"), 1e-2)


def test_own_loss_sees_structures():
    class Pair(ours.Loss):
        def call(self, y_true, y_pred):
            assert y_true["x"].dtype == "float32"
            return (y_true["x"] - y_pred["x"]) ** 2

    loss = Pair()
    close(loss({"x": np.array([1, 2])}, {"x": np.array([1.0, 4.0])}), 2.0)
    assert loss.get_config() == {"name": "pair", "reduction": "sum_over_batch_size"}


def test_single_class_warns():
    with pytest.warns(SyntaxWarning, match="binary_crossentropy"):
        ours.categorical_crossentropy(np.ones((2, 1)), np.ones((2, 1)))


def test_lists_of_outputs():
    y_true, y_pred = [real(4, 3), real(4, 3)], [real(4, 3), real(4, 3)]
    mine, real_one = both("MeanSquaredError", {})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        close(mine(y_true, y_pred), real_one(y_true, y_pred))
