"""Preprocessing of numbers and images against Keras: the same draws from the same seed, shapes, configuration."""

from __future__ import annotations

import keras
import numpy as np
import pytest

import hornbill
from hornbill.engine.errors import ArgumentError, ShapeError
from hornbill.layers import preprocessing as own
from tests.layers import twins

IMAGES = np.random.default_rng(0).random((2, 6, 8, 3)).astype("float32") * 255
IMAGE_LAYERS = [
    ("Rescaling", {"scale": 2.0, "offset": 1.0}),
    ("Resizing", {"height": 4, "width": 4}),
    ("Resizing", {"height": 4, "width": 4, "crop_to_aspect_ratio": True}),
    ("Resizing", {"height": 4, "width": 4, "pad_to_aspect_ratio": True, "fill_value": 7.0}),
    ("Resizing", {"height": 4, "width": 5, "interpolation": "nearest"}),
    ("CenterCrop", {"height": 4, "width": 5}),
    ("CenterCrop", {"height": 7, "width": 5}),
    ("RandomFlip", {"seed": 1}),
    ("RandomFlip", {"mode": "horizontal", "seed": 2}),
    ("RandomRotation", {"factor": 0.1, "seed": 1}),
    ("RandomRotation", {"factor": (0.0, 0.2), "fill_mode": "constant", "fill_value": 3.0, "seed": 1}),
    ("RandomZoom", {"height_factor": 0.3, "seed": 1}),
    ("RandomZoom", {"height_factor": 0.3, "width_factor": (-0.2, 0.3), "seed": 1}),
    ("RandomTranslation", {"height_factor": 0.2, "width_factor": 0.3, "seed": 1}),
    ("RandomCrop", {"height": 4, "width": 5, "seed": 1}),
    ("RandomContrast", {"factor": 0.3, "seed": 1}),
    ("RandomBrightness", {"factor": 0.2, "seed": 1}),
]


def _both(name, arguments):
    return getattr(own, name)(**arguments), getattr(keras.layers, name)(**arguments)


@pytest.mark.long
@pytest.mark.parametrize(("name", "arguments"), IMAGE_LAYERS)
def test_image_layers_agree(name, arguments):
    mine, theirs = _both(name, arguments)
    for _ in range(2):
        np.testing.assert_allclose(mine(IMAGES), theirs(IMAGES), rtol=1e-4, atol=1e-3)
    config = mine.get_config()
    assert list(config) == list(theirs.get_config())
    assert twins.plain(config) == twins.plain(theirs.get_config())
    assert twins.plain(type(mine).from_config(config).get_config()) == twins.plain(config)
    shape = (None, 6, 8, 3)
    assert mine(hornbill.KerasTensor(shape)).shape == theirs(keras.KerasTensor(shape)).shape


def test_dicts_and_single_images():
    layer = own.RandomFlip("horizontal", seed=1)
    masks = np.arange(2 * 6 * 8).reshape(2, 6, 8, 1).astype("float32")
    pictures = np.repeat(masks, 3, axis=-1)
    result = layer({"images": pictures, "labels": np.array([0, 1]), "segmentation_masks": masks})
    np.testing.assert_allclose(result["images"][..., :1], result["segmentation_masks"])
    assert own.Resizing(3, 3)(IMAGES[0]).shape == (3, 3, 3)
    with pytest.raises(ArgumentError, match="bounding boxes"):
        layer({"images": pictures, "bounding_boxes": {}})


@pytest.mark.parametrize("axis", [None, -1, 1, (1, 2)])
def test_normalization_agrees(axis):
    data = np.random.default_rng(0).random((5, 2, 3)).astype("float32")
    mine, theirs = _both("Normalization", {"axis": axis})
    mine.adapt(data)
    theirs.adapt(data)
    np.testing.assert_allclose(mine(data), theirs(data), rtol=1e-4, atol=1e-5)
    assert [(v.shape, v.dtype) for v in mine.variables] == [
        (tuple(v.shape), v.dtype) for v in theirs.variables
    ]
    batches = own.Normalization(axis=axis)
    batches.adapt(iter([data[:2], data[2:]]))
    np.testing.assert_allclose(batches.mean, mine.mean, rtol=1e-5)
    np.testing.assert_allclose(batches.variance, mine.variance, rtol=1e-5)


def test_normalization_with_given_statistics():
    arguments = {"mean": [1.0, 2.0], "variance": [4.0, 9.0], "invert": True}
    mine, theirs = _both("Normalization", arguments)
    np.testing.assert_allclose(mine(np.ones((1, 2))), theirs(np.ones((1, 2))))
    assert twins.plain(mine.get_config()) == twins.plain(theirs.get_config())


@pytest.mark.parametrize("mode", ["int", "one_hot", "multi_hot", "count"])
def test_discretization_agrees(mode):
    mine, theirs = _both("Discretization", {"bin_boundaries": [0.0, 1.0, 2.0], "output_mode": mode})
    values = np.array([[-1.0, 0.0, 0.5, 1.0, 3.0]])
    np.testing.assert_array_equal(mine(values), theirs(values))
    assert twins.plain(mine.get_config()) == twins.plain(theirs.get_config())


def test_discretization_finds_bins():
    layer = own.Discretization(num_bins=4)
    layer.adapt(np.arange(100.0))
    assert np.bincount(np.asarray(layer(np.arange(100.0)))).tolist() == [25, 25, 25, 25]


@pytest.mark.parametrize("mode", ["multi_hot", "one_hot", "count"])
def test_category_encoding_agrees(mode):
    mine, theirs = _both("CategoryEncoding", {"num_tokens": 4, "output_mode": mode})
    for values in (np.array([0, 1, 3]), np.array([[0, 1], [3, 3]]), np.array([[0], [3]])):
        np.testing.assert_array_equal(mine(values), theirs(values))
    for shape in ((None,), (None, 3), (None, 1), (None, None)):
        assert (
            mine(hornbill.KerasTensor(shape, "int32")).shape
            == theirs(keras.KerasTensor(shape, "int32")).shape
        )
    assert twins.plain(mine.get_config()) == twins.plain(theirs.get_config())


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda: own.CategoryEncoding(), ArgumentError, "number of categories"),
        (lambda: own.CategoryEncoding(3)(np.array([5])), ArgumentError, "num_tokens=6"),
        (lambda: own.RandomFlip("sideways"), ArgumentError, "mode"),
        (lambda: own.Resizing(3, 3)(np.ones((3, 3))), ShapeError, "height, width"),
        (lambda: own.RandomRotation("far"), ArgumentError, "factor"),
        (lambda: own.Normalization(mean=1.0), ArgumentError, "together"),
        (lambda: own.Normalization()(hornbill.KerasTensor((None, None))), ShapeError, "not known"),
        (lambda: own.Discretization(), ArgumentError, "bin_boundaries"),
    ],
)
def test_errors(make, error, text):
    with pytest.raises(error, match=text):
        make()
