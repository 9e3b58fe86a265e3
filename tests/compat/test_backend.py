"""Keras 2's backend: numbers against `keras.ops` or NumPy, on arrays, under jit and on KerasTensors."""

from __future__ import annotations

import jax
import keras
import numpy as np
import pytest
from keras._tf_keras.keras import backend as keras_backend

import hornbill
from hornbill import backend as K
from hornbill.compat.backend import TABLE
from tests.numerics import assert_close

R = np.random.default_rng(0)
A = R.normal(size=(2, 3, 4)).astype("float32")
B = R.normal(size=(2, 4, 5)).astype("float32")
IMAGES = R.normal(size=(2, 6, 5, 3)).astype("float32")
KERNEL = R.normal(size=(3, 3, 3, 4)).astype("float32")
PROBABILITIES = np.array(keras.ops.softmax(R.normal(size=(2, 3)).astype("float32")))
ONE_HOT = np.eye(3, dtype="float32")[[2, 0]]


@pytest.fixture(autouse=True)
def _quiet():
    import warnings

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="keras.backend")
        yield


def relu_reference(x, alpha, maximum, threshold):
    y = np.where(x >= threshold, x, alpha * (x - threshold))
    return np.minimum(y, maximum)


def batch_norm_reference(x):
    return (x - 0.5) / np.sqrt(2.0 + 1e-3) * 3.0 + 1.0


OPS = keras.ops
CHANNELS = np.ones(4, "float32")
ROWS = {
    "abs": ((A,), OPS.abs(A)),
    "all": ((A > 0, 1), (A > 0).all(1)),
    "any": ((A > 0, 1), (A > 0).any(1)),
    "arange": ((1, 7, 2), np.arange(1, 7, 2)),
    "argmax": ((A,), A.argmax(-1)),
    "argmin": ((A,), A.argmin(-1)),
    "batch_dot": ((A, B), A @ B),
    "batch_flatten": ((A,), A.reshape(2, 12)),
    "batch_normalization": (
        (A, 0.5 * CHANNELS, 2 * CHANNELS, CHANNELS, 3 * CHANNELS), batch_norm_reference(A),
    ),
    "bias_add": ((A, np.arange(4.0)), A + np.arange(4)),
    "binary_crossentropy": ((ONE_HOT, PROBABILITIES), OPS.binary_crossentropy(ONE_HOT, PROBABILITIES)),
    "categorical_crossentropy": ((ONE_HOT, PROBABILITIES), OPS.categorical_crossentropy(ONE_HOT,
    PROBABILITIES)),
    "cast": ((A, "int32"), A.astype("int32")),
    "cast_to_floatx": ((np.array([1, 2]),), np.array([1.0, 2.0])),
    "clip": ((A, -0.5, 0.5), A.clip(-0.5, 0.5)),
    "concatenate": (([A, A],), np.concatenate([A, A], -1)),
    "constant": ((2.0, "float32", (2, 2)), np.full((2, 2), 2.0)),
    "conv2d": ((IMAGES, KERNEL), OPS.conv(IMAGES, KERNEL)),
    "count_params": ((A,), 24),
    "cumprod": ((A,), A.cumprod(0)),
    "cumsum": ((A,), A.cumsum(0)),
    "depthwise_conv2d": ((IMAGES, KERNEL), OPS.depthwise_conv(IMAGES, KERNEL)),
    "dot": ((A, B[0]), A @ B[0]),
    "elu": ((A, 0.5), OPS.elu(A, 0.5)),
    "equal": ((A, A), np.ones(A.shape, bool)),
    "exp": ((A,), np.exp(A)),
    "expand_dims": ((A,), A[..., None]),
    "flatten": ((A,), A.ravel()),
    "foldl": ((lambda a, b: a - b, A), A[0] - A[1]),
    "foldr": ((lambda a, b: a - b, A), A[1] - A[0]),
    "gather": ((A[0], [2, 0]), A[0][[2, 0]]),
    "greater": ((A, 0.1), A > 0.1),
    "hard_sigmoid": ((A * 3,), np.clip(0.6 * A + 0.5, 0, 1)),
    "in_test_phase": ((1.0, 2.0), 1.0),
    "in_top_k": ((PROBABILITIES, np.array([2, 0]), 1), OPS.in_top_k(np.array([2, 0]), PROBABILITIES, 1)),
    "in_train_phase": ((1.0, 2.0), 2.0),
    "l2_normalize": ((A, -1), A / np.linalg.norm(A, axis=-1, keepdims=True)),
    "log": ((np.abs(A),), np.log(np.abs(A))),
    "logsumexp": ((A, 1), OPS.logsumexp(A, 1)),
    "map_fn": ((lambda row: row * 2, A), A * 2),
    "max": ((A, 1), A.max(1)),
    "maximum": ((A, 0.2), np.maximum(A, 0.2)),
    "mean": ((A > 0, 1), (A > 0).mean(1)),
    "moments": ((A, [0, 1]), (A.mean((0, 1)), A.var((0, 1)))),
    "one_hot": (([1, 0], 3), np.eye(3)[[1, 0]]),
    "permute_dimensions": ((A, (0, 2, 1)), A.transpose(0, 2, 1)),
    "pool2d": ((IMAGES, (2, 2), (2, 2), "same", None, "avg"), OPS.average_pool(IMAGES, 2, 2, "same")),
    "pow": ((A, 2), A**2),
    "prod": ((A, 0), A.prod(0)),
    "relu": ((A, 0.1, 0.8, 0.2), relu_reference(A, 0.1, 0.8, 0.2)),
    "repeat": ((A[0], 3), np.repeat(A[0][:, None], 3, 1)),
    "repeat_elements": ((A, 2, 1), A.repeat(2, 1)),
    "reshape": ((A, (6, 4)), A.reshape(6, 4)),
    "resize_images": ((IMAGES, 2, 3, "channels_last"), IMAGES.repeat(2, 1).repeat(3, 2)),
    "resize_volumes": ((IMAGES[..., None], 2, 1, 2, "channels_last"), IMAGES[..., None].repeat(2,
    1).repeat(2, 3)),
    "reverse": ((A, 1), A[:, ::-1]),
    "round": ((A,), A.round()),
    "separable_conv2d": (
        (IMAGES, KERNEL[..., :1], KERNEL[:1, :1]),
        OPS.separable_conv(IMAGES, KERNEL[..., :1], KERNEL[:1, :1]),
    ),
    "sigmoid": ((A,), OPS.sigmoid(A)),
    "softmax": ((A,), OPS.softmax(A)),
    "sparse_categorical_crossentropy": (
        (np.array([2, 0]), PROBABILITIES), OPS.sparse_categorical_crossentropy(np.array([2, 0]),
        PROBABILITIES),
    ),
    "spatial_2d_padding": ((IMAGES, ((1, 2), (3, 4))), np.pad(IMAGES, ((0, 0), (1, 2), (3, 4), (0, 0)))),
    "sqrt": ((A,), np.sqrt(A.clip(0))),
    "square": ((A,), A**2),
    "squeeze": ((A[:, :1], 1), A[:, 0]),
    "stack": (([A, A], 1), np.stack([A, A], 1)),
    "std": ((A, 1), A.std(1)),
    "sum": ((A, 1, True), A.sum(1, keepdims=True)),
    "switch": ((A[..., 0] > 0, A, -A), np.where((A[..., 0] > 0)[..., None], A, -A)),
    "tanh": ((A,), np.tanh(A)),
    "temporal_padding": ((A, (1, 2)), np.pad(A, ((0, 0), (1, 2), (0, 0)))),
    "tile": ((A, 2), np.tile(A, (2, 2, 2))),
    "transpose": ((A,), A.T),
    "var": ((A, 1), A.var(1)),
    "zeros_like": ((A,), np.zeros_like(A)),
}  # fmt: skip


@pytest.mark.parametrize("name", ROWS)
def test_numbers(name):
    arguments, expected = ROWS[name]
    result = getattr(K, name)(*arguments)
    jax.tree.map(lambda r, e: np.testing.assert_allclose(r, e, rtol=2e-5, atol=2e-6), result, expected)


def test_has_every_name_of_keras_2_with_its_arguments():
    names = {n for n in dir(keras_backend) if not n.startswith("_") and callable(getattr(keras_backend, n))}
    assert names <= set(dir(K))
    assert {n for n in dir(keras.backend) if not n.startswith("_")} - set(dir(K)) == set()


def test_warns_once_and_says_what_to_write():
    with pytest.warns(UserWarning, match=r"keras.backend.sum is an old spelling; write keras.ops.sum"):
        K.sum(A)
    K.sum(A)


def test_unknown_name():
    with pytest.raises(AttributeError, match="Did you mean 'permute_dimensions'"):
        K.permute_dimension  # noqa: B018


@pytest.mark.parametrize("axes", [(2, 1), (1, 2), 2, [1, 1]])
def test_batch_dot_axes(axes):
    first, second = (axes, axes) if isinstance(axes, int) else axes
    x, y = R.normal(size=(2, 3, 3)), R.normal(size=(2, 3, 3))
    expected = np.stack([np.tensordot(a, b, (first - 1, second - 1)) for a, b in zip(x, y, strict=True)])
    assert_close(K.batch_dot(x, y, axes), expected)
    vector = np.ones((2, 3))
    assert K.batch_dot(vector, vector, 1).shape == (2, 1)


@pytest.mark.parametrize("padding", ["same", "valid"])
def test_conv2d_transpose_is_the_gradient_of_conv2d(padding):
    def forward(x):
        return K.conv2d(x, KERNEL, (2, 2), padding)

    out = np.asarray(forward(IMAGES))
    expected = jax.vjp(forward, IMAGES)[1](out)[0]
    result = K.conv2d_transpose(out, KERNEL, IMAGES.shape, (2, 2), padding)
    np.testing.assert_allclose(result, expected, rtol=1e-4, atol=1e-4)


def test_local_convolutions_with_one_kernel_everywhere_are_convolutions():
    kernel = np.broadcast_to(KERNEL.reshape(1, 27, 4), (12, 27, 4))
    np.testing.assert_allclose(
        K.local_conv2d(IMAGES, kernel, (3, 3), (1, 1), (4, 3)), K.conv2d(IMAGES, KERNEL), rtol=1e-4, atol=1e-5
    )
    flat = np.broadcast_to(KERNEL[0].reshape(1, 9, 4), (3, 9, 4))
    np.testing.assert_allclose(
        K.local_conv1d(IMAGES[:, 0], flat, (3,), (1,)),
        K.conv1d(IMAGES[:, 0], KERNEL[0]),
        rtol=1e-4,
        atol=1e-5,
    )


def test_ctc():
    y_pred = np.array(keras.ops.softmax(R.normal(size=(2, 5, 4)).astype("float32")))
    labels, lengths = np.array([[1, 2], [0, 1]]), np.array([[2], [2]])
    loss = K.ctc_batch_cost(labels, y_pred, np.array([[5], [5]]), lengths)
    logits = np.log(y_pred + 1e-7)
    expected = keras.ops.ctc_loss(labels, logits, lengths[:, 0], np.array([5, 5]), mask_index=3)
    np.testing.assert_allclose(loss[:, 0], expected, rtol=1e-4)
    decoded, _ = K.ctc_decode(y_pred, np.array([5, 5]))
    assert decoded[0].shape[0] == 2


def test_rnn():
    x, mask = A, np.array([[True, False, True], [True, True, False]])
    last, outputs, states = K.rnn(
        lambda x, s: (s[0] + x, [s[0] + x]), x, [np.zeros((2, 4), "float32")], mask=mask
    )
    steps = x * mask[..., None]
    np.testing.assert_allclose(outputs, np.cumsum(steps, 1), rtol=1e-5)
    np.testing.assert_allclose(last, steps.sum(1), rtol=1e-5)
    np.testing.assert_allclose(states[0], steps.sum(1), rtol=1e-5)


def test_variables():
    v = K.variable([1.0, 2.0])
    K.update_add(v, [1.0, 1.0])
    K.update_sub(v, 0.5)
    np.testing.assert_allclose(K.get_value(v), [1.5, 2.5])
    K.moving_average_update(v, [0.0, 0.0], 0.5)
    np.testing.assert_allclose(K.eval(v), [0.75, 1.25])
    K.batch_set_value([(v, [3.0, 4.0])])
    assert K.batch_get_value([v])[0].tolist() == [3.0, 4.0]
    assert isinstance(K.zeros((2,)), hornbill.Variable)
    with pytest.raises(ValueError, match=r"K\.update changes a Variable"):
        K.update(np.zeros(2), 1.0)


def test_draws():
    assert K.random_normal((3, 2)).shape == (3, 2)
    assert set(np.unique(K.random_bernoulli((50,), 0.5, seed=1))) == {0.0, 1.0}
    assert K.random_uniform((3,), 0, 9, dtype="int32").dtype == "int32"
    assert K.random_uniform_variable((2, 3), 0.0, 1.0).shape == (2, 3)


def test_under_jit():
    def loss(y_true, y_pred):
        smooth = K.sum(K.flatten(y_true) * K.flatten(y_pred)) + K.epsilon()
        return 1.0 - smooth / (K.sum(y_true) + K.sum(y_pred) + K.zeros(()))

    y = np.abs(A)
    np.testing.assert_allclose(jax.jit(loss)(y, y), loss(y, y), rtol=1e-5)


def test_on_keras_tensors_and_function():
    inputs = hornbill.Input((3,))
    hidden = hornbill.layers.Dense(4, activation="relu", name="hidden")(inputs)
    outputs = K.sum(K.square(K.batch_flatten(hidden)), axis=1)
    model = hornbill.Model(inputs, outputs)
    x = A[0, :, :3]
    kernel, bias = model.get_layer("hidden").get_weights()
    expected = np.maximum(x @ kernel + bias, 0)
    assert_close(K.function([model.input], [hidden])([x])[0], expected)
    assert_close(K.function(model.input, outputs)(x), (expected**2).sum(1))
    assert K.int_shape(hidden) == (None, 4)


def test_function_with_the_learning_phase():
    model = hornbill.Sequential([hornbill.Input((50,)), hornbill.layers.Dropout(0.5)])
    run = K.function([model.input, K.learning_phase()], [model.output])
    x = np.ones((1, 50), "float32")
    assert run([x, 0])[0].min() == 1.0
    assert run([x, 1])[0].min() == 0.0
    with K.learning_phase_scope(1):
        assert K.learning_phase() == 1
    assert K.learning_phase() == 0


def test_gradients_of_a_graph():
    inputs = hornbill.Input((3,))
    hidden = hornbill.layers.Dense(4, activation="tanh")(inputs)
    outputs = hornbill.layers.Dense(2)(hidden)
    model = hornbill.Model(inputs, outputs)
    loss = K.mean(outputs[:, 0])
    by_hidden, by_inputs = K.gradients(loss, [hidden, model.input])
    by_kernel = K.gradients(loss, model.layers[-1].kernel)[0]
    scaled = by_inputs / (K.sqrt(K.mean(K.square(by_inputs))) + 1e-5)
    x = A[0, :, :3]
    results = K.function([model.input], [by_hidden, by_inputs, by_kernel, scaled])([x])
    kernel = model.layers[-1].get_weights()[0]
    np.testing.assert_allclose(results[0], np.tile(kernel[:, 0] / 3, (3, 1)), rtol=1e-5)
    np.testing.assert_allclose(results[1], jax.grad(lambda x: model(x)[:, 0].mean())(x), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(results[2][:, 1], 0.0)
    np.testing.assert_allclose(np.sqrt(np.mean(results[3] ** 2)), 1.0, rtol=1e-3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (K.get_session, "there are no sessions"),
        (lambda: K.gradients(A, A), "K.gradients differentiates a tensor of a graph"),
        (lambda: K.function([A], [A]), "made of KerasTensors"),
        (lambda: K.get_value(K.placeholder((None, 2))), "has no value"),
        (K.placeholder, "wants a shape"),
        (lambda: K.repeat(A, 2), r"wants \(samples, features\)"),
    ],
)
def test_messages(call, message):
    with pytest.raises(Exception, match=message):
        call()


def test_every_row_says_what_to_write():
    assert all(row.now and callable(row.function) for row in TABLE.values())
