"""The four cases that define the system, with every number exact: shapes, counts, totals, and what the layers compute.

A: dense layers on images. B: how convolutions work. C: counting a U-Net. D: which axis is which.
"""

from __future__ import annotations

import io
import warnings

import numpy as np
import pytest

import hornbill as keras
from hornbill import layers
from hornbill.models import Model, Sequential
from tests.numerics import assert_close

ROOM = np.random.default_rng(3)


def counts(model):
    return [layer.count_params() for layer in model.layers]


def shapes(model):
    return [layer.output.shape for layer in model.layers]


def old(fn):
    """Calls a function in an old spelling, which may warn."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return fn()


# ---- A: dense layers on images


def detector(last):
    inputs = keras.Input(shape=(5, 5, 1))
    x = inputs
    for _ in range(2):
        x = layers.Conv2D(5, (3, 3), activation="relu", padding="same")(x)
        x = layers.MaxPooling2D((2, 2), strides=1, padding="same")(x)
    return Model(inputs, last(x))


def test_a_the_spatial_size_stays_5_by_5():
    model = detector(layers.Dense(1, activation="sigmoid"))
    assert shapes(model) == [(None, 5, 5, 1), *[(None, 5, 5, 5)] * 4, (None, 5, 5, 1)]
    assert counts(model) == [0, 9 * 5 + 5, 0, 9 * 5 * 5 + 5, 0, 6]
    assert model.output_shape == (None, 5, 5, 1)


def test_a_dense_works_on_the_last_axis():
    dense = layers.Dense(5)
    assert dense(keras.Input((5, 5, 5))).shape == (None, 5, 5, 5)
    assert [w.shape for w in dense.weights] == [(5, 5), (5,)]


def test_a_dense_and_a_1_by_1_convolution_are_one_function():
    dense, conv = layers.Dense(1, activation="sigmoid"), layers.Conv2D(1, (1, 1), activation="sigmoid")
    assert dense(keras.Input((5, 5, 5))).shape == conv(keras.Input((5, 5, 5))).shape == (None, 5, 5, 1)
    assert dense.count_params() == conv.count_params() == 6
    kernel, bias = dense.get_weights()
    assert kernel.size == 5
    assert bias.size == 1
    conv.set_weights([kernel.reshape(1, 1, 5, 1), bias])
    x = ROOM.normal(size=(4, 5, 5, 5)).astype("float32")
    assert_close(dense(x), conv(x), relative=1e-6)


@pytest.mark.long
def test_a_fit_evaluate_predict_and_compare(capsys):
    x = ROOM.integers(0, 2, size=(100, 5, 5, 1))
    y = x & np.roll(x, 1, axis=2)
    model = detector(layers.Dense(1, activation="sigmoid"))
    model.compile(optimizer="rmsprop", loss="binary_crossentropy", metrics=["accuracy"])
    history = model.fit(x, y, batch_size=4, epochs=20, verbose=1)
    assert sorted(history.history) == ["accuracy", "loss"]
    assert len(history.history["loss"]) == 20
    assert history.history["loss"][-1] < history.history["loss"][0]
    score, acc = model.evaluate(x, y, verbose=0)
    assert 0 < score < 0.6
    assert 0.6 < acc <= 1
    prediction = model.predict(x[:1], verbose=0)
    assert prediction.shape == (1, 5, 5, 1)
    entropy = -np.where(y == 1, np.log(p := model.predict(x, verbose=0)), np.log(1 - p)).mean()
    assert score == pytest.approx(entropy, rel=1e-5)
    same = y[0] == np.round(prediction)
    assert same.shape == (1, 5, 5, 1)
    assert same.dtype == bool
    assert acc == pytest.approx(np.mean(y == np.round(p)), abs=1e-6)
    assert "Epoch 20/20" in capsys.readouterr().out


# ---- B: how convolutions work


def brute_force(x, kernel, stride, dilation, left):
    """Returns what a 1D convolution gives, computed place by place from a series padded on the left and right."""
    steps = len(x)
    reach = dilation * (len(kernel) - 1) + 1
    places = range(-left[0], steps + left[1] - reach + 1, stride)
    at = lambda i: x[i] if 0 <= i < steps else np.zeros(x.shape[1], x.dtype)  # noqa: E731
    return np.array([sum(at(p + dilation * k) @ kernel[k] for k in range(len(kernel))) for p in places])


@pytest.mark.parametrize(
    ("padding", "stride", "dilation", "length"),
    [
        ("valid", 1, 1, 8),
        ("valid", 2, 1, 4),
        ("valid", 1, 2, 6),
        ("same", 1, 1, 10),
        ("same", 2, 1, 5),
        ("causal", 1, 1, 10),
        ("causal", 1, 3, 10),
    ],
)
def test_b_output_sizes_and_cells(padding, stride, dilation, length):
    layer = layers.Conv1D(4, 3, strides=stride, padding=padding, dilation_rate=dilation)
    x = ROOM.normal(size=(1, 10, 2)).astype("float32")
    assert layer(keras.Input((10, 2))).shape == (None, length, 4)
    reach = 2 * dilation
    missing = max((length - 1) * stride + reach + 1 - 10, 0)
    pads = {"valid": (0, 0), "same": (missing // 2, missing - missing // 2), "causal": (reach, 0)}[padding]
    wanted = brute_force(x[0], np.asarray(layer.kernel), stride, dilation, pads)
    np.testing.assert_allclose(layer(x)[0], wanted, rtol=1e-5, atol=1e-6)


def test_b_causal_sees_nothing_later():
    layer = layers.Conv1D(3, 4, padding="causal")
    x = ROOM.normal(size=(1, 9, 2)).astype("float32")
    changed = x.copy()
    changed[:, 5:] += 10
    np.testing.assert_array_equal(np.asarray(layer(x))[:, :5], np.asarray(layer(changed))[:, :5])
    assert not np.allclose(layer(x)[:, 5:], layer(changed)[:, 5:])


def test_b_padding_gives_border_cells_more_weight():
    visits = {}
    for padding in ("valid", "same"):
        layer = layers.Conv2D(1, 3, padding=padding, kernel_initializer="ones", use_bias=False)
        layer.build((None, 5, 5, 1))
        size = 5 if padding == "same" else 3
        transposed = layers.Conv2DTranspose(1, 3, padding=padding, kernel_initializer="ones", use_bias=False)
        visits[padding] = np.asarray(transposed(np.ones((1, size, size, 1), "float32")))[0, :, :, 0]
    assert visits["valid"].shape == visits["same"].shape == (5, 5)
    assert visits["valid"][0, 0] == 1
    assert visits["valid"][2, 2] == 9
    assert visits["same"][0, 0] == 4
    assert visits["same"][2, 2] == 9


@pytest.mark.parametrize(("rank", "name"), [(1, "Conv1D"), (2, "Conv2D"), (3, "Conv3D")])
def test_b_the_kernel_slides_over_n_axes_and_spans_the_channels(rank, name):
    layer = getattr(layers, name)(7, 3)
    assert layer(keras.Input((6,) * rank + (2,))).shape == (None, *(4,) * rank, 7)
    assert layer.kernel.shape == (3,) * rank + (2, 7)
    with pytest.raises(ValueError, match="channels"):
        getattr(layers, name)(7, 3)(keras.Input((6,) * rank))


# ---- C: counting the parameters of a U-Net


def block(x, filters, rate):
    x = layers.Conv2D(filters, (3, 3), activation="relu", padding="same")(x)
    x = layers.Dropout(rate)(x)
    return layers.Conv2D(filters, (3, 3), activation="relu", padding="same")(x)


@pytest.fixture(scope="module")
def unet():
    keras.backend.set_image_data_format("channels_last")
    inputs = layers.Input((96, 96, 1))
    down, x = [], inputs
    for filters, rate in ((32, 0.2), (64, 0.2), (128, 0.3), (256, 0.3), (512, 0.3)):
        down.append(block(x, filters, rate))
        x = layers.MaxPooling2D(pool_size=(2, 2))(down[-1])
    x = down.pop()  # the last pooling layer is not used
    for filters in (256, 128, 64, 32):
        x = layers.Conv2DTranspose(filters, (2, 2), strides=(2, 2), padding="same")(x)
        x = layers.concatenate([x, down.pop()], axis=3)
        x = block(x, filters, 0.3)
    return Model(inputs=[inputs], outputs=[layers.Conv2D(1, (1, 1), activation="sigmoid")(x)])


def test_c_the_first_layers(unet):
    assert counts(unet)[:7] == [0, 320, 0, 9_248, 0, 18_496, 0]
    assert shapes(unet)[3:6] == [(None, 96, 96, 32), (None, 48, 48, 32), (None, 48, 48, 64)]


def test_c_every_convolution_has_n_m_l_plus_1_times_k(unet):
    for layer in unet.layers:
        if isinstance(layer, (layers.Conv2D, layers.Conv2DTranspose)):
            n, m = layer.kernel_size
            assert layer.count_params() == (n * m * layer.input.shape[-1] + 1) * layer.filters
        else:
            assert layer.count_params() == 0


def test_c_the_total(unet):
    assert unet.count_params() == 7_759_521
    assert sum(w.size for w in unet.trainable_weights) == 7_759_521
    assert unet.non_trainable_weights == []
    assert unet.output_shape == (None, 96, 96, 1)
    assert sum(isinstance(layer, layers.MaxPooling2D) for layer in unet.layers) == 4
    sizes = [shape[1] for shape in shapes(unet)]
    assert list(dict.fromkeys(sizes)) == [96, 48, 24, 12, 6]
    assert sizes[-1] == 96


def test_c_the_summary_says_so(unet):
    lines: list[str] = []
    unet.summary(print_fn=lambda line, *_: lines.append(str(line)))
    text = "\n".join(lines)
    for number in ("320", "9,248", "18,496", "Total params: 7,759,521", "Trainable params: 7,759,521"):
        assert number in text
    assert "Non-trainable params: 0" in text


def test_c_sizes_after_a_convolution():
    image = keras.Input((50, 50, 1))
    assert layers.Conv2D(1, 3)(image).shape == (None, 48, 48, 1)
    assert layers.Conv2D(1, 3)(layers.ZeroPadding2D(1)(image)).shape == (None, 50, 50, 1)
    assert layers.Conv2D(1, 3, strides=2)(image).shape == (None, 24, 24, 1)
    assert layers.Dense(7)(keras.Input((4,))).shape == (None, 7)


@pytest.mark.long
def test_c_dice_loss_written_with_the_old_backend_and_trained():
    K = keras.backend

    def dice(y_true, y_pred):
        true, predicted = K.flatten(y_true), K.flatten(y_pred)
        overlap = K.sum(true * predicted)
        return (2.0 * overlap + 1.0) / (K.sum(true) + K.sum(predicted) + 1.0)

    def dice_loss(y_true, y_pred):
        return -dice(y_true, y_pred)

    inputs = layers.Input((16, 16, 1))
    first = block(inputs, 4, 0.2)
    x = block(layers.MaxPooling2D((2, 2))(first), 8, 0.2)
    x = layers.Conv2DTranspose(4, (2, 2), strides=(2, 2), padding="same")(x)
    x = layers.concatenate([x, first], axis=3)
    model = Model(inputs, layers.Conv2D(1, (1, 1), activation="sigmoid")(x))
    optimizer = old(lambda: keras.optimizers.Adam(lr=0.00001))
    assert float(optimizer.learning_rate) == pytest.approx(1e-5)
    model.compile(optimizer=optimizer, loss=dice_loss, metrics=[dice])
    x = ROOM.normal(size=(4, 16, 16, 1)).astype("float32")
    y = (x > 0).astype("float32")
    history = old(lambda: model.fit(x, y, batch_size=4, epochs=1, verbose=0).history)
    assert history["loss"][0] == pytest.approx(-history["dice"][0], rel=1e-5)
    predicted = model.predict(x, verbose=0)
    wanted = (2 * np.sum(y * predicted) + 1) / (np.sum(y) + np.sum(predicted) + 1)
    loss, score = model.evaluate(x, y, batch_size=4, verbose=0)
    assert score == pytest.approx(wanted, rel=1e-5)
    assert loss == pytest.approx(-wanted, rel=1e-5)


# ---- D: which axis is which


def images(shape):
    model = Sequential()
    model.add(layers.Conv2D(12, 3, activation="relu", padding="same", input_shape=shape))
    model.add(layers.Conv2D(10, 3, activation="relu", padding="same"))
    model.add(layers.Dense(6, activation="softmax"))
    return model


def test_d_images_15_by_15_of_20_channels():
    model = old(lambda: images((15, 15, 20)))
    assert shapes(model) == [(None, 15, 15, 12), (None, 15, 15, 10), (None, 15, 15, 6)]
    assert counts(model) == [2_172, 1_090, 66]
    assert model.count_params() == 3_328


def test_d_series_of_1287_steps():
    model = Sequential()
    old(lambda: model.add(layers.Conv1D(64, 3, activation="relu", padding="same", input_shape=(1287, 69))))
    model.add(layers.Conv1D(32, 3, activation="relu", padding="same"))
    model.add(layers.Dense(8, activation="softmax"))
    assert shapes(model) == [(None, 1287, 64), (None, 1287, 32), (None, 1287, 8)]
    assert counts(model) == [13_312, 6_176, 264]
    assert model.count_params() == 19_752


def test_d_the_last_axis_is_the_channels():
    model = old(lambda: images((20, 15, 15)))
    assert shapes(model) == [(None, 20, 15, 12), (None, 20, 15, 10), (None, 20, 15, 6)]
    assert counts(model) == [1_632, 1_090, 66]
    assert model.count_params() == 2_788
    text = io.StringIO()
    model.summary(print_fn=lambda line, *_: text.write(f"{line}\n"))
    assert "2,788" in text.getvalue()


@pytest.mark.long
def test_d_trains_with_mse_and_the_old_learning_rate():
    model = old(lambda: images((15, 15, 20)))
    old(lambda: model.compile(loss="mse", optimizer=keras.optimizers.Adam(lr=0.001)))
    x = ROOM.normal(size=(4, 15, 15, 20)).astype("float32")
    y = ROOM.random(size=(4, 15, 15, 6)).astype("float32")
    first, last = (model.fit(x, y, epochs=n, verbose=0).history["loss"][-1] for n in (1, 4))
    assert last < first
    np.testing.assert_allclose(model.predict(x, verbose=0).sum(-1), 1, rtol=1e-5)
