"""Occlusion maps of models whose answer is known: covering a patch of a linear model takes away its summands."""

from __future__ import annotations

import re

import numpy as np
import pytest

import hornbill as keras
from hornbill import layers
from hornbill.engine.errors import HornbillError
from hornbill.visualization import occlusion_map, plot_occlusion

RNG = np.random.default_rng(1)


def linear(shape=(6, 5, 2), classes=3, **arguments):
    model = keras.Sequential(
        [keras.Input(shape), layers.Flatten(**arguments), layers.Dense(classes, use_bias=False)]
    )
    return model, np.asarray(model.layers[-1].kernel).reshape(*shape, classes)


def by_hand(share, patch, stride):
    """The mean over all patches on a place of the summands under the patch. `share` is `(height, width)`."""
    falls, seen = np.zeros(share.shape), np.zeros(share.shape)
    h, w = share.shape
    for top in sorted({*range(0, h - patch[0] + 1, stride[0]), h - patch[0]}):
        for left in sorted({*range(0, w - patch[1] + 1, stride[1]), w - patch[1]}):
            part = np.s_[top : top + patch[0], left : left + patch[1]]
            falls[part] += share[part].sum()
            seen[part] += 1
    return falls / np.maximum(seen, 1)


@pytest.mark.parametrize(("patch", "stride"), [(1, 1), (2, 1), ((3, 2), (2, 2)), (2, 2), ((6, 5), 1), (1, 4)])
def test_the_fall_is_what_the_patch_held(patch, stride):
    model, weights = linear()
    x = RNG.normal(size=(2, 6, 5, 2)).astype("float32")
    found = occlusion_map(model, x, [1, 2], patch, stride, value=0.0, batch_size=7)
    both = [(p, p) if isinstance(p, int) else p for p in (patch, stride)]
    for i, label in enumerate((1, 2)):
        wanted = by_hand((x[i] * weights[..., label]).sum(-1), *both)
        np.testing.assert_allclose(found[i], wanted, rtol=1e-4, atol=1e-5)


def test_mean_covers_with_the_mean_of_each_channel():
    model, weights = linear()
    x = RNG.normal(size=(1, 6, 5, 2)).astype("float32")
    share = ((x[0] - x[0].mean((0, 1))) * weights[..., 0]).sum(-1)
    np.testing.assert_allclose(
        occlusion_map(model, x, 0, 2, 1)[0], by_hand(share, (2, 2), (1, 1)), rtol=1e-4, atol=1e-5
    )


def test_without_a_class_the_largest_output_counts():
    model, _ = linear()
    x = RNG.normal(size=(3, 6, 5, 2)).astype("float32")
    largest = np.asarray(model(x)).argmax(-1)
    np.testing.assert_array_equal(occlusion_map(model, x), occlusion_map(model, x, largest))


def test_channels_first_and_series():
    inputs = keras.Input((2, 6, 5))
    x = layers.Conv2D(1, 1, data_format="channels_first", use_bias=False)(inputs)
    model = keras.Model(
        inputs, layers.Flatten()(layers.GlobalAveragePooling2D(data_format="channels_first")(x))
    )
    data = RNG.normal(size=(1, 2, 6, 5)).astype("float32")
    weights = np.asarray(model.layers[1].kernel)[0, 0, :, 0] / 30
    share = np.einsum("chw,c->hw", data[0], weights)
    np.testing.assert_allclose(
        occlusion_map(model, data, 0, 2, 1, 0)[0], by_hand(share, (2, 2), (1, 1)), rtol=1e-4, atol=1e-6
    )
    model, weights = linear((8, 2))
    data = RNG.normal(size=(8, 2)).astype("float32")
    found = occlusion_map(model, data, 0, 1, 1, 0)
    np.testing.assert_allclose(found[0], (data * weights[..., 0]).sum(-1), rtol=1e-4, atol=1e-5)


def test_the_figure_is_the_map():
    model, _ = linear((6, 5, 1))
    x = RNG.uniform(size=(2, 6, 5, 1)).astype("float32")
    figure = plot_occlusion(model, x, 1, patch=2, stride=1)
    panels = [panel for panel in figure.axes if panel.images]
    np.testing.assert_array_equal(panels[1].images[0].get_array(), occlusion_map(model, x, 1, 2, 1)[0])
    assert "patch of 2 x 2 (a heuristic)" in figure.get_suptitle()
    figure.savefig("/dev/null", format="png")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"patch": 7}, "patch is a whole number from 1 to the size of the input"),
        ({"patch": 0}, "patch is a whole number"),
        ({"patch": (2, 2, 2)}, "one for each spatial axis"),
        ({"stride": 1.5}, "stride is a whole number"),
        ({"value": "median"}, "value is a number or 'mean'"),
        ({"class_index": 3}, "the model gives 3 scores"),
        ({"batch_size": 0}, "batch_size is at least 1"),
        ({"x": np.zeros((1, 5, 6, 2))}, "takes (batch None, height 6, width 5, channels 2)"),
    ],
)
def test_what_does_not_fit_is_told(arguments, words):
    model, _ = linear()
    with pytest.raises(HornbillError, match=re.escape(words)):
        occlusion_map(**{"model": model, "x": np.zeros((1, 6, 5, 2)), **arguments})
