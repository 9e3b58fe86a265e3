"""Masks, seeds, low-rank adaptation, old spellings and names: what a table of cases does not show."""

from __future__ import annotations

import inspect

import keras
import numpy as np
import pytest

import hornbill
from hornbill import layers
from hornbill.engine.masking import get_mask
from tests.numerics import assert_close

STEPS = np.array([[1, 2, 0], [3, 0, 0]])


def _public_layers():
    import hornbill.layers as namespace

    mine = {}
    for name in namespace.__dict__:
        found = getattr(namespace, name)
        if isinstance(found, type) and issubclass(found, layers.Layer) and hasattr(keras.layers, name):
            mine[name] = found
    return mine


FAMILY = (
    "Conv", "Depthwise", "Separable", "Pool", "UpSampling", "Padding", "Cropping", "Dense", "Embedding",
    "ReLU", "Dropout", "Normalization", "Flatten", "Reshape", "Permute", "RepeatVector", "Softmax",
    "Masking", "Lambda",
)  # fmt: skip


@pytest.mark.parametrize("name", sorted(n for n in _public_layers() if any(part in n for part in FAMILY)))
def test_signature_is_keras(name):
    def describe(cls):
        parameters = list(inspect.signature(cls.__init__).parameters.values())[1:]
        return [(p.name, p.kind, None if p.default is p.empty else p.default) for p in parameters]

    assert describe(getattr(layers, name)) == describe(getattr(keras.layers, name))


@pytest.mark.parametrize(
    ("alias", "name"),
    [("MaxPool2D", "MaxPooling2D"), ("GlobalAvgPool1D", "GlobalAveragePooling1D"), ("Convolution2D",
    "Conv2D"),
     ("Convolution3DTranspose", "Conv3DTranspose"), ("SeparableConvolution1D", "SeparableConv1D")],
)  # fmt: skip
def test_alias(alias, name):
    assert getattr(layers, alias) is getattr(layers, name)


def test_embedding_mask_reaches_the_mean():
    embedding, mean = layers.Embedding(4, 2, mask_zero=True), layers.GlobalAveragePooling1D()
    vectors = embedding(STEPS)
    np.testing.assert_array_equal(get_mask(vectors), STEPS != 0)
    pooled = mean(vectors)
    assert get_mask(pooled) is None
    np.testing.assert_allclose(pooled[1], np.asarray(vectors)[1, 0], rtol=1e-6)


@pytest.mark.parametrize("dtype", ["int32", "float32"])
def test_embedding_masks_numbers_that_come_as_floats(dtype):
    """As in a Sequential model or behind Input((5,)), whose data is float32 unless another dtype is given."""
    x = np.array([[1, 2, 3, 0, 0], [4, 5, 0, 0, 0], [1, 1, 1, 1, 1]], dtype)
    outputs, weights = [], None
    for library in (keras, hornbill):
        layer = library.layers
        inputs = library.Input((5,))
        vectors = layer.Embedding(20, 5, mask_zero=True)(inputs)
        model = library.Model(
            inputs, layer.LSTM(3)(layer.Bidirectional(layer.LSTM(4, return_sequences=True))(vectors))
        )
        weights = weights or [w * 5 for w in model.get_weights()]
        model.set_weights(weights)
        outputs.append(model.predict(x, verbose=0))
    np.testing.assert_allclose(outputs[1], outputs[0], rtol=1e-4, atol=1e-6)


def test_masking_layer_and_graph():
    x = hornbill.Input((3, 2))
    masked = layers.Masking()(x)
    assert get_mask(masked).shape == (None, 3)
    assert get_mask(layers.Dense(2)(masked)).shape == (None, 3)
    assert get_mask(layers.Flatten()(masked)) is None


def test_merged_masks_are_keras():
    masks = [np.array([[1, 1, 0]], bool), np.array([[1, 0, 0]], bool)]
    inputs = [np.ones((1, 3, 2), "float32")] * 2
    for name in ("Add", "Multiply", "Concatenate"):
        for given in (masks, [masks[0], None], [None, None]):
            wanted = getattr(keras.layers, name)().compute_mask(inputs, given)
            found = getattr(layers, name)().compute_mask(inputs, given)
            assert (found is None) == (wanted is None)
            if wanted is not None:
                np.testing.assert_array_equal(found, wanted)
    along = layers.Concatenate(axis=1).compute_mask(inputs, masks)
    np.testing.assert_array_equal(along, keras.layers.Concatenate(axis=1).compute_mask(inputs, masks))


def test_only_layers_that_draw_own_a_seed():
    assert layers.Dropout(0.0).variables == []
    assert [v.path for v in layers.Dropout(0.5).variables] == ["seed_generator/seed_generator_state"]
    assert layers.GaussianNoise(0.0).seed_generator is None


def test_embedding_takes_weights_and_the_old_input_length():
    table = np.arange(12.0).reshape(3, 4)
    layer = layers.Embedding(3, 4, weights=[table], input_length=5)
    np.testing.assert_array_equal(layer(np.array([[2]]))[0, 0], table[2])
    assert "weights" not in layer.get_config()
    assert layer._given_batch_shape == (None, 5)


def test_large_numbers_are_not_rounded_in_an_embedding_of_16_bits():
    layer = layers.Embedding(600, 2, dtype="mixed_bfloat16")
    ids = np.array([[513.0, 514.0]], "float32")
    rows = np.asarray(layer(ids).astype("float32"))[0]
    np.testing.assert_allclose(rows, layer.get_weights()[0][[513, 514]], atol=1e-3)


def test_frozen_batch_normalization_uses_its_averages():
    layer = layers.BatchNormalization()
    x = np.random.default_rng(0).normal(3, 2, size=(8, 4)).astype("float32")
    layer(x, training=True)
    moved = layer.get_weights()
    layer.trainable = False
    frozen = layer(x, training=True)
    np.testing.assert_array_equal(layer.get_weights()[2], moved[2])
    np.testing.assert_allclose(frozen, layer(x, training=False))


def test_batch_normalization_from_a_keras_2_file():
    config = {"axis": [3], "momentum": 0.9}
    assert layers.BatchNormalization.from_config(config).axis == 3


@pytest.mark.parametrize(
    ("make", "x"),
    [
        (lambda keras, **k: keras.layers.Dense(4, **k), np.ones((2, 3), "float32")),
        (lambda keras, **k: keras.layers.Embedding(5, 4, **k), np.array([[1, 2]])),
        (
            lambda keras, **k: keras.layers.EinsumDense("abc,cde->abde", (None, 4, 6), **k),
            np.ones((2, 3, 5), "float32"),
        ),
    ],
    ids=("Dense", "Embedding", "EinsumDense"),
)
def test_low_rank_adaptation_is_keras(make, x):
    mine, theirs = make(hornbill, lora_rank=2), make(keras, lora_rank=2)
    mine(x)
    theirs(x)
    by_name = {w.path.rpartition("/")[2]: w for w in mine.weights}
    for weight in theirs.weights:
        own = by_name.pop(weight.path.rpartition("/")[2])
        assert own.trainable == weight.trainable
        assert own.shape == tuple(weight.shape)
        value = np.asarray(weight.value) + 0.1
        own.assign(value)
        weight.assign(value)
    assert not by_name
    assert_close(mine(x), theirs(x))
    assert list(mine.get_config()) == list(theirs.get_config())
    store = {}
    mine.save_own_variables(store)
    plain = make(hornbill)
    plain(x)
    plain.load_own_variables(store)
    assert_close(plain(x), mine(x))


def test_enable_lora_changes_nothing_at_first():
    layer = layers.Dense(4)
    x = np.ones((2, 3), "float32")
    before = np.asarray(layer(x))
    layer.enable_lora(2)
    np.testing.assert_allclose(layer(x), before)
    assert [v.path for v in layer.trainable_variables] == [
        "dense/bias", "dense/lora_kernel_a", "dense/lora_kernel_b"
    ]  # fmt: skip


def test_lambda_passes_mask_and_training_and_uses_output_shape_where_tracing_fails():
    def function(x, factor, training=None):
        return x * factor if training else x

    layer = layers.Lambda(function, arguments={"factor": 2.0})
    assert layer(np.ones(3), training=True).tolist() == [2.0, 2.0, 2.0]
    host = layers.Lambda(lambda x: np.asarray(x).sum(axis=1, keepdims=True), output_shape=(1,))
    assert host(hornbill.Input((4,))).shape == (None, 1)


def test_activity_regularization_adds_to_the_losses():
    mine, theirs = layers.ActivityRegularization(0.1, 0.2), keras.layers.ActivityRegularization(0.1, 0.2)
    x = np.array([[1.0, -2.0], [3.0, 0.5]], "float32")
    mine(x)
    theirs(x)
    np.testing.assert_allclose(float(mine.losses[0]), float(theirs.losses[0]), rtol=1e-6)


def test_channels_first_setting_is_followed():
    hornbill.config.set_image_data_format("channels_first")
    try:
        layer = layers.Conv2D(2, 3)
        assert layer(np.zeros((1, 3, 8, 8), "float32")).shape == (1, 2, 6, 6)
        assert layer.get_config()["data_format"] == "channels_first"
    finally:
        hornbill.config.set_image_data_format("channels_last")


@pytest.mark.parametrize(
    ("sizes", "target"),
    [
        ((None, 4), (4, 9)),
        ((None, 4), (6, -1)),
        ((None, 4), (-1, 13)),
        ((None, None, 3), (7, 7, 3)),
        ((None,), (5,)),
    ],
)
def test_reshape_of_unknown_sizes_is_keras(sizes, target):
    shapes = [library.layers.Reshape(target)(library.Input(sizes)).shape for library in (hornbill, keras)]
    assert shapes[0] == tuple(shapes[1])
    if -1 not in target:
        by_op = [
            library.ops.reshape(library.Input(sizes), (-1, *target)).shape for library in (hornbill, keras)
        ]
        assert by_op[0] == tuple(by_op[1])


def test_masks_are_read_where_keras_keeps_them():
    masks = []
    for library in (hornbill, keras):
        embedding = library.layers.Embedding(5, 2, mask_zero=True)
        masks.append(np.asarray(embedding(np.array([[1, 2, 0], [3, 0, 0]]))._keras_mask))
    np.testing.assert_array_equal(*masks)
    assert layers.Masking()(hornbill.Input((3, 2)))._keras_mask.shape == (None, 3)
