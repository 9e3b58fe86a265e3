"""Grad-CAM against its formula, worked out with plain arrays and `jax.grad` on small networks."""

from __future__ import annotations

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import hornbill as keras
from hornbill import layers, ops
from hornbill.engine.errors import ArgumentError, ArgumentTypeError, HornbillError, NotBuiltError, ShapeError
from hornbill.visualization import feature_maps, grad_cam, plot_grad_cam

RNG = np.random.default_rng(0)


def pooled(activation="softmax", classes=3, data_format="channels_last", separate=None):
    shape = (7, 6, 2) if data_format == "channels_last" else (2, 7, 6)
    inputs = keras.Input(shape)
    x = layers.Conv2D(4, 3, activation="relu", name="first", data_format=data_format)(inputs)
    x = layers.Conv2D(5, 2, activation="tanh", name="second", data_format=data_format)(x)
    x = layers.GlobalAveragePooling2D(data_format=data_format)(x)
    x = layers.Dense(classes, activation=activation, name="scores")(x)
    return keras.Model(inputs, separate(x) if separate else x, name="net")


def by_formula(model, x, classes):
    """Scores are linear in the means of the last maps: ds/dA is the Dense weight over the number of places."""
    maps = feature_maps(model, x, "second")
    weights = np.asarray(model.get_layer("scores").kernel)[:, classes].T / (maps.shape[1] * maps.shape[2])
    return np.maximum(0, np.einsum("nhwk,nk->nhw", maps, weights))


def test_it_is_the_formula_where_the_gradient_is_known():
    model, x = pooled(), RNG.normal(size=(4, 7, 6, 2)).astype("float32")
    classes = np.array([2, 0, 1, 1])
    found = grad_cam(model, x, classes)
    assert found.shape == (4, 4, 3)
    assert (found > 0).any()
    np.testing.assert_allclose(found, by_formula(model, x, classes), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(
    ("activation", "separate"),
    [
        ("sigmoid", None), ("linear", None), ("linear", layers.Softmax()), ("linear", layers.Activation("softmax")),
        ("linear", ops.softmax), ("linear", ops.sigmoid),
    ],
)  # fmt: skip
def test_scores_are_taken_before_they_are_squashed(activation, separate):
    model, x = pooled(activation, separate=separate), RNG.normal(size=(2, 7, 6, 2)).astype("float32")
    np.testing.assert_allclose(grad_cam(model, x, 1), by_formula(model, x, [1, 1]), rtol=1e-5, atol=1e-7)
    assert model.get_layer("scores").activation.__name__ == activation  # as before


def test_without_a_class_the_largest_score_counts():
    model, x = pooled(), RNG.normal(size=(5, 7, 6, 2)).astype("float32")
    np.testing.assert_array_equal(grad_cam(model, x), grad_cam(model, x, np.asarray(model(x)).argmax(-1)))


def test_an_earlier_layer_takes_the_gradient_through_those_behind():
    model, x = pooled(), RNG.normal(size=(2, 7, 6, 2)).astype("float32")
    first, second, dense = (model.get_layer(name) for name in ("first", "second", "scores"))
    maps = first(x)

    def score(a):
        behind = jax.lax.conv_general_dilated(
            a, jnp.asarray(second.kernel), (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC")
        )
        means = jnp.tanh(behind + jnp.asarray(second.bias)).mean((1, 2))
        return (means @ jnp.asarray(dense.kernel) + jnp.asarray(dense.bias))[:, 2].sum()

    weights = jax.grad(score)(jnp.asarray(maps)).mean((1, 2))
    wanted = np.maximum(0, np.einsum("nhwk,nk->nhw", maps, weights))
    np.testing.assert_allclose(grad_cam(model, x, 2, layer="first"), wanted, rtol=1e-4, atol=1e-7)
    np.testing.assert_array_equal(grad_cam(model, x, 2, layer=first), grad_cam(model, x, 2, layer=1))


def test_all_ways_from_the_layer_to_the_score_count():
    inputs = keras.Input((6, 6, 1))
    a = layers.Conv2D(3, 3, name="target")(inputs)
    x = layers.Concatenate()(
        [layers.GlobalAveragePooling2D()(a), layers.GlobalAveragePooling2D()(layers.Multiply()([a, a]))]
    )
    model = keras.Model(inputs, layers.Dense(2, name="scores")(x))
    data = RNG.normal(size=(2, 6, 6, 1)).astype("float32")
    maps, kernel = feature_maps(model, data, "target"), np.asarray(model.get_layer("scores").kernel)[:, 0]
    slopes = (kernel[:3] + 2 * maps * kernel[3:]) / 16  # of mean(A) and of mean(A * A)
    wanted = np.maximum(0, (slopes.mean((1, 2), keepdims=True) * maps).sum(-1))
    np.testing.assert_allclose(grad_cam(model, data, 0, layer="target"), wanted, rtol=1e-4, atol=1e-7)


def test_channels_first_gives_the_map_of_channels_last():
    last, first = pooled(), pooled(data_format="channels_first")
    first.set_weights(last.get_weights())
    x = RNG.normal(size=(2, 7, 6, 2)).astype("float32")
    np.testing.assert_allclose(
        grad_cam(first, np.moveaxis(x, -1, 1), 0), grad_cam(last, x, 0), rtol=1e-4, atol=1e-7
    )
    assert grad_cam(first, np.moveaxis(x, -1, 1), 0, data_format="channels_last").shape == (
        2,
        5,
        4,
    )  # told otherwise


def test_layers_and_scores_inside_inner_models_are_reached():
    body = keras.Sequential(
        [
            keras.Input((7, 6, 2)),
            layers.Conv2D(4, 3, activation="relu"),
            layers.Conv2D(5, 2, activation="tanh", name="second"),
        ]
    )
    head = keras.Sequential(
        [layers.GlobalAveragePooling2D(), layers.Dense(3, activation="softmax", name="scores")]
    )
    whole = keras.Sequential([keras.Input((7, 6, 2)), body, head])
    flat = pooled()
    whole.set_weights(flat.get_weights())
    x = RNG.normal(size=(2, 7, 6, 2)).astype("float32")
    np.testing.assert_allclose(grad_cam(whole, x, 1), grad_cam(flat, x, 1), rtol=1e-5, atol=1e-7)


def test_batch_statistics_and_dropout_stay_as_in_use():
    inputs = keras.Input((5, 5, 1))
    x = layers.BatchNormalization()(layers.Conv2D(2, 3, name="second")(inputs))
    x = layers.Dropout(0.9)(layers.GlobalAveragePooling2D()(x))
    model = keras.Model(inputs, layers.Dense(2, name="scores")(x))
    before, x = model.get_weights(), RNG.normal(size=(2, 5, 5, 1)).astype("float32")
    once = grad_cam(model, x, 0, layer="second")
    np.testing.assert_array_equal(once, grad_cam(model, x, 0, layer="second"))
    np.testing.assert_allclose(
        once, by_formula(model, x, [0, 0]) / np.sqrt(1.001), rtol=1e-4
    )  # variance 1, epsilon 0.001
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_series_and_segmentation_have_maps_too():
    inputs = keras.Input((9, 2))
    model = keras.Model(inputs, layers.Dense(2)(layers.GlobalMaxPooling1D()(layers.Conv1D(3, 4)(inputs))))
    assert grad_cam(model, RNG.normal(size=(2, 9, 2)), 1).shape == (2, 6)
    inputs = keras.Input((6, 6, 1))
    middle = layers.Conv2D(3, 3, padding="same", name="middle")(inputs)
    model = keras.Model(inputs, layers.Conv2D(2, 1, activation="softmax", name="scores")(middle))
    x = RNG.normal(size=(1, 6, 6, 1)).astype("float32")
    kernel = np.asarray(model.get_layer("scores").kernel)[
        0, 0, :, 1
    ]  # each place's score is linear in its own maps
    wanted = np.maximum(0, feature_maps(model, x, "middle") @ kernel)
    np.testing.assert_allclose(grad_cam(model, x, 1, layer="middle"), wanted, rtol=1e-5, atol=1e-7)


def test_the_last_layer_with_maps_is_chosen_poolings_aside():
    inputs = keras.Input((8, 8, 1))
    x = layers.Conv2D(2, 3, name="conv")(inputs)
    x = layers.Activation("relu", name="chosen")(x)
    x = layers.Flatten()(layers.MaxPooling2D()(x))
    model = keras.Model(inputs, layers.Dense(2)(x))
    x = RNG.normal(size=(1, 8, 8, 1)).astype("float32")
    np.testing.assert_array_equal(grad_cam(model, x, 0), grad_cam(model, x, 0, layer="chosen"))


def test_the_figure_shows_image_and_map():
    model, x = pooled(), RNG.uniform(size=(3, 7, 6, 2)).astype("float32")
    figure = plot_grad_cam(model, x, [0, 1, 2], class_names=["a", "b", "c"], max_samples=2)
    panels = [panel for panel in figure.axes if panel.images]
    assert [panel.get_title()[:2] for panel in panels[::3][:2]] == ["a:", "b:"]
    np.testing.assert_array_equal(panels[1].images[0].get_array(), grad_cam(model, x, [0, 1, 2])[0])
    assert "a heuristic" in figure.get_suptitle()
    figure.savefig("/dev/null", format="png")


def test_a_map_of_zeros_says_so():
    model = pooled()
    model.get_layer("second").set_weights([np.zeros((2, 2, 4, 5)), np.zeros(5)])
    figure = plot_grad_cam(model, RNG.uniform(size=(7, 6, 2)), 0)
    assert "map: 0 everywhere" in [panel.get_title() for panel in figure.axes]


@pytest.mark.parametrize(
    ("arguments", "kind", "words"),
    [
        ({"layer": "secnd"}, ArgumentError, "Did you mean 'second'?"),
        ({"layer": "scores"}, ArgumentError, "wants a layer with maps"),
        ({"layer": 9}, ArgumentError, "has 5 layers"),
        ({"class_index": 3}, ArgumentError, "the model gives 3 scores, numbered from 0"),
        ({"class_index": -1}, ArgumentError, "numbered from 0"),
        ({"class_index": 0.5}, ArgumentError, "class_index is a whole number"),
        ({"class_index": [0, 1]}, ArgumentError, "one for each of the 1 samples"),
        ({"x": np.zeros((1, 2, 7, 6))}, ShapeError, "np.moveaxis(x, 1, -1)"),
        ({"x": np.zeros((7, 6))}, ShapeError, "takes (batch None, height 7, width 6, channels 2)"),
        ({"x": np.zeros((0, 7, 6, 2))}, ShapeError, "at least one sample"),
        ({"x": [["a"]]}, ArgumentTypeError, "wants an array of numbers"),
        ({"model": 3}, ArgumentTypeError, "wants a model"),
        ({"model": keras.Sequential([layers.Dense(2)])}, NotBuiltError, "does not know its shapes yet"),
    ],
)
def test_what_does_not_fit_is_told(arguments, kind, words):
    model = pooled()
    wanted = {"model": model, "x": np.zeros((1, 7, 6, 2)), **arguments}
    with pytest.raises(HornbillError, match=re.escape(words)) as caught:
        grad_cam(**wanted)
    assert isinstance(caught.value, kind)


def test_models_without_a_graph_or_without_maps_are_told():
    class Own(keras.Model):
        def call(self, x):
            return x

    with pytest.raises(ArgumentError, match="Functional or Sequential"):
        grad_cam(Own(), np.zeros((1, 2)))
    dense = keras.Sequential([keras.Input((4,)), layers.Dense(2)])
    with pytest.raises(ArgumentError, match="gives out maps"):
        grad_cam(dense, np.zeros((1, 4)))
