"""Image ops against real Keras; where Keras' own result is wrong, against NumPy."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from hornbill.engine.errors import ArgumentError, ShapeError
from hornbill.engine.symbolic import KerasTensor
from hornbill.ops import image

ROOM = np.random.default_rng(2)


def floats(*shape):
    return ROOM.random(shape, dtype=np.float32)


ONE, MANY, FIRST = floats(5, 7, 3), floats(2, 5, 7, 3), floats(2, 3, 5, 7)
BYTES = (floats(5, 7, 3) * 255).astype("uint8")
TURN = np.array([[1.0, 0.3, 0.5, 0.1, 1, 0.2, 0, 0], [0.8, 0.1, -1, 0.2, 1.1, 0.3, 0, 0]], "float32")
START = np.array([[0, 0], [0, 3], [3, 0], [3, 3]], "float32")
END = np.array([[0, 1], [1, 3], [3, 0], [2, 3.5]], "float32")
PLACES = np.array([[-2.3, -0.4, 0.6, 3.4, 5.2, 9.7]])
FACTORS = (np.array([0.7, 0.8], "float32"), np.array([0.1, 0.2], "float32"))
CF = {"data_format": "channels_first"}
VALUES = [
    *[("resize", (data, (3, 9), method), {}) for method in image._INTERPOLATIONS for data in (ONE, BYTES)],
    ("resize", (MANY, (3, 4)), {"antialias": True}),
    ("resize", (FIRST, (3, 4)), CF),
    *[("resize", (MANY, size), {"crop_to_aspect_ratio": True}) for size in ((2, 2), (4, 9), (3, 5))],
    *[
        ("resize", (MANY, size), {"pad_to_aspect_ratio": True, "fill_value": 0.5})
        for size in ((2, 2), (4, 9), (3, 5), (2, 5))
    ],
    *[
        ("affine_transform", (MANY, TURN), {"fill_mode": mode, "fill_value": 0.2})
        for mode in ("constant", "nearest", "wrap", "reflect")
    ],
    ("affine_transform", (BYTES, TURN[0], "nearest"), {}),
    ("affine_transform", (FIRST, TURN), CF),
    ("perspective_transform", (ONE, START, END), {}),
    ("perspective_transform", (MANY, np.stack([START] * 2), np.stack([END, END + 0.3])), {"fill_value": 0.4}),
    *[
        ("map_coordinates", (floats(4), PLACES, order, mode), {"fill_value": -1})
        for order in (0, 1)
        for mode in ("constant", "nearest", "wrap", "mirror", "reflect")
    ],
    ("pad_images", (MANY, 1, 2), {"target_height": 8, "target_width": 10}),
    ("crop_images", (MANY, 1), {"bottom_cropping": 1, "right_cropping": 2, "target_width": 3}),
    ("rgb_to_grayscale", (MANY,), {}),
    ("rgb_to_grayscale", (BYTES,), {}),
    ("rgb_to_grayscale", (FIRST,), CF),
    ("rgb_to_hsv", (MANY,), {}),
    ("rgb_to_hsv", (FIRST,), CF),
    ("hsv_to_rgb", (MANY * 2,), {}),
    ("gaussian_blur", (FIRST,), CF),
    ("sobel_edges", (MANY,), {}),
    ("sobel_edges", (FIRST,), CF),
    ("ssim", (floats(2, 12, 13, 3), floats(2, 12, 13, 3)), {}),
    (
        "ssim",
        (ONE, ONE[::-1]),
        {"filter_size": 5, "filter_sigma": 0.7, "k1": 0.02, "k2": 0.05, "max_val": 2.0},
    ),
    ("scale_and_translate", (ONE[..., 0], (3, 3), *FACTORS, (0, 1), "linear"), {}),
    ("scale_and_translate", (ONE[..., 0], (3, 3), *FACTORS, (0, 1), "lanczos3"), {"antialias": False}),
    ("extract_patches", (MANY, 2), {}),
    ("extract_patches", (MANY, (3, 2)), {"strides": (2, 1), "padding": "same"}),
    ("extract_patches", (MANY, 2), {"strides": 1, "dilation_rate": 2}),
    ("extract_patches", (FIRST, 2), CF),
    ("extract_patches", (floats(2, 3, 4, 4, 2), (2, 2, 2)), {}),
    ("extract_patches_3d", (floats(3, 4, 4, 2), 2), {}),
    ("extract_patches_3d", (floats(1, 2, 3, 4, 4), 2, 1), CF),
]


@pytest.mark.parametrize(("name", "arguments", "keywords"), VALUES)
def test_values(name, arguments, keywords):
    ours, theirs = (getattr(module, name)(*arguments, **keywords) for module in (image, keras.ops.image))
    assert (ours.shape, ours.dtype) == (theirs.shape, theirs.dtype)
    np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=2e-5)


def test_blur_with_an_oblong_filter():
    # Real Keras leaves out one direction here, so that images darken.
    data = floats(1, 6, 7, 2)
    down = np.exp(-0.5 * (np.arange(3) - 1.0) ** 2)
    right = np.exp(-0.5 * ((np.arange(5) - 2.0) / 2) ** 2)
    weights = np.outer(down / down.sum(), right / right.sum())
    padded = np.pad(data, ((0, 0), (1, 1), (2, 2), (0, 0)))
    expected = sum(weights[i, j] * padded[:, i : i + 6, j : j + 7] for i in range(3) for j in range(5))
    np.testing.assert_allclose(image.gaussian_blur(data, (3, 5), (1.0, 2.0)), expected, rtol=1e-4, atol=1e-6)


def test_elastic_transform():
    np.testing.assert_array_equal(image.elastic_transform(ONE, alpha=0.0), ONE)
    once, again, other = (image.elastic_transform(BYTES, 4.0, 1.0, seed=seed) for seed in (1, 1, 2))
    assert once.dtype == "uint8"
    assert np.array_equal(once, again)
    assert not np.array_equal(once, other)
    ramp = np.tile(np.arange(60, dtype="float32")[:, None, None], (1, 60, 1))
    moved = np.asarray(
        image.elastic_transform(ramp, alpha=1.0, sigma=2.0, fill_mode="nearest", seed=3) - ramp
    )
    assert 0.2 < moved[10:-10].std() < 0.36


def test_whole_numbers_blur_to_whole_numbers():
    assert image.gaussian_blur(np.full((4, 4, 1), 100, "uint8"))[1, 1, 0] == 100
    assert image.sobel_edges(BYTES[None]).dtype == "float32"


def test_unknown_sizes():
    x = KerasTensor((None, None, 20, 3))
    assert image.resize(KerasTensor((None, None, None, 3)), (2, 2)).shape == (None, 2, 2, 3)
    assert image.extract_patches(x, 5).shape == (None, None, 4, 75)
    assert image.pad_images(x, 1, 1, 1, 1).shape == (None, None, 22, 3)
    assert image.affine_transform(x, KerasTensor((None, 8))).shape == (None, None, 20, 3)
    assert image.sobel_edges(x).shape == (None, None, 20, 3, 2)
    assert image.ssim(*[KerasTensor((None, 20, 20, 3))] * 2).shape == (None,)


ERRORS = [
    (lambda: image.resize(ONE, (2, 2), "bilinaer"), ArgumentError, "Did you mean 'bilinear'"),
    (lambda: image.resize(ONE[0], (2, 2)), ShapeError, "(height, width, channels)"),
    (
        lambda: image.resize(ONE, (2, 2), crop_to_aspect_ratio=True, pad_to_aspect_ratio=True),
        ArgumentError,
        "both",
    ),
    (lambda: image.pad_images(ONE, 1, 1), ArgumentError, "exactly two of top_padding"),
    (lambda: image.crop_images(ONE, 4, 0, 4, 0), ArgumentError, "size 5 becomes -3"),
    (lambda: image.rgb_to_hsv(BYTES), ArgumentError, "floats from 0 to 1"),
    (lambda: image.rgb_to_grayscale(ONE[..., :2]), ShapeError, "2 channels"),
    (lambda: image.extract_patches(ONE, 6), ShapeError, "patch spans 6 cells along height"),
    (lambda: image.map_coordinates(ONE, PLACES, 1), ShapeError, "one row of coordinates"),
    (lambda: image.map_coordinates(floats(4), PLACES, 2), ArgumentError, "order"),
    (lambda: image.ssim(ONE, MANY), ShapeError, "one shape"),
    (lambda: image.affine_transform(ONE, TURN[0][:6]), ShapeError, "8 numbers"),
    (lambda: image.perspective_transform(ONE, START[:3], END), ShapeError, "four points"),
]


@pytest.mark.parametrize(("call", "error", "words"), ERRORS)
def test_errors(call, error, words):
    with pytest.raises(error) as caught:
        call()
    assert words in str(caught.value)
