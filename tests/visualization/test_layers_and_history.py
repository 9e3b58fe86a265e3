"""Kernels, feature maps and training curves: what the panels hold is what the layers and the history hold."""

from __future__ import annotations

import builtins
import re
import sys

import numpy as np
import pytest

import hornbill as keras
from hornbill import layers, visualization
from hornbill.engine.errors import (
    ArgumentError,
    ArgumentTypeError,
    DataError,
    HornbillError,
    NotBuiltError,
    ShapeError,
)
from hornbill.visualization import feature_maps, plot_feature_maps, plot_history, plot_kernels
from hornbill.visualization.figures import as_picture

RNG = np.random.default_rng(2)


def tiles(figure):
    """Returns what each panel shows, scales left out."""
    return [
        np.asarray(p.images[0].get_array()) for p in figure.axes if p.images and p.get_label() != "<colorbar>"
    ]


def built(layer, *shape):
    layer.build((None, *shape))
    return layer


# ---- kernels


def test_kernels_of_one_channel_stand_in_a_block():
    layer = built(layers.Conv2D(6, (3, 2)), 8, 8, 1)
    kernel, found = np.asarray(layer.kernel), tiles(plot_kernels(layer))
    assert len(found) == 6
    for i, tile in enumerate(found):
        np.testing.assert_array_equal(tile, kernel[:, :, 0, i])


def test_kernels_of_several_channels_stand_in_a_table_with_filters_down():
    layer = built(layers.Conv2D(10, 3, name="conv"), 8, 8, 3)
    figure = plot_kernels(layer)
    kernel, found = np.asarray(layer.kernel), tiles(figure)
    assert len(found) == 8 * 3
    np.testing.assert_array_equal(found[3 * 4 + 2], kernel[:, :, 2, 4])
    assert figure.get_suptitle() == "conv: 10 kernels of 3 x 3 x 3 input channels (first 8 filters shown)"
    one = tiles(plot_kernels(layer, channel=1))
    np.testing.assert_array_equal(one[9], kernel[:, :, 1, 9])


def test_zero_is_the_middle_of_the_scale():
    panel = plot_kernels(built(layers.Conv2D(2, 3), 8, 8, 1)).axes[0]
    low, high = panel.images[0].get_clim()
    assert low == -high


def test_other_windows_find_their_axes():
    depthwise = built(layers.DepthwiseConv2D(3, depth_multiplier=2), 8, 8, 3)
    found = tiles(plot_kernels(depthwise))
    np.testing.assert_array_equal(found[1], np.asarray(depthwise.kernel)[:, :, 0, 1])
    np.testing.assert_array_equal(found[4], np.asarray(depthwise.kernel)[:, :, 2, 0])
    transposed = built(layers.Conv2DTranspose(4, 2), 8, 8, 3)
    found = tiles(plot_kernels(transposed))  # its kernel is (height, width, filters, input channels)
    np.testing.assert_array_equal(found[3 * 2 + 1], np.asarray(transposed.kernel)[:, :, 2, 1])
    series = built(layers.Conv1D(4, 5), 20, 3)
    found = tiles(plot_kernels(series))
    np.testing.assert_array_equal(found[2], np.asarray(series.kernel)[:, :, 2].T)
    solid = built(layers.Conv3D(2, (2, 3, 3)), 4, 4, 4, 1)
    tile = tiles(plot_kernels(solid))[1]
    assert tile.shape == (2 * 3 + 1, 3)
    np.testing.assert_array_equal(np.ma.getdata(tile)[4:], np.asarray(solid.kernel)[1, :, :, 0, 1])
    separable = built(layers.SeparableConv2D(4, 3), 8, 8, 2)
    np.testing.assert_array_equal(
        tiles(plot_kernels(separable))[1], np.asarray(separable.depthwise_kernel)[:, :, 1, 0]
    )


def test_a_dense_kernel_is_one_picture():
    layer = built(layers.Dense(3), 5)
    figure = plot_kernels(layer)
    np.testing.assert_array_equal(tiles(figure)[0], np.asarray(layer.kernel))
    assert figure.axes[0].get_ylabel() == "input features"
    np.testing.assert_array_equal(tiles(plot_kernels(layer, weight="bias"))[0], [np.asarray(layer.bias)])


def test_the_first_layer_with_a_kernel_is_chosen_inside_inner_models_too():
    inner = keras.Sequential([keras.Input((8, 8, 1)), layers.Conv2D(2, 3, name="inside")])
    model = keras.Sequential(
        [keras.Input((8, 8, 1)), layers.Rescaling(2.0), inner, layers.Conv2D(3, 3, name="behind")]
    )
    assert plot_kernels(model).get_suptitle().startswith("inside")
    assert plot_kernels(model, "behind").get_suptitle().startswith("behind")
    assert plot_kernels(model, -1).get_suptitle().startswith("behind")


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (lambda: plot_kernels(3), ArgumentTypeError, "wants a layer or a model"),
        (lambda: plot_kernels(layers.Conv2D(2, 3)), NotBuiltError, "has no weights yet"),
        (lambda: plot_kernels(built(layers.Flatten(), 3, 2)), ArgumentError, "has no kernel"),
        (
            lambda: plot_kernels(built(layers.Dense(2), 3), weight="gamma"),
            ArgumentError,
            "has no weight 'gamma'",
        ),
        (
            lambda: plot_kernels(built(layers.Conv2D(2, 3), 8, 8, 3), channel=3),
            ArgumentError,
            "3 input channels, numbered from 0",
        ),
        (
            lambda: plot_kernels(built(layers.Conv2D(2, 3), 8, 8, 3), max_kernels=0),
            ArgumentError,
            "at least 1",
        ),
    ],
)
def test_what_has_no_kernels_is_told(call, kind, words):
    with pytest.raises(kind, match=re.escape(words)):
        call()


# ---- feature maps


def network(data_format="channels_last"):
    shape = (8, 7, 2) if data_format == "channels_last" else (2, 8, 7)
    return keras.Sequential(
        [
            keras.Input(shape), layers.Conv2D(3, 3, activation="relu", data_format=data_format, name="conv"),
            layers.Activation("tanh", name="squash"), layers.Flatten(name="flat"), layers.Dense(4, name="scores"),
        ],
        name="net",
    )  # fmt: skip


def test_feature_maps_are_what_the_layer_gives_out():
    model, x = network(), RNG.normal(size=(2, 8, 7, 2)).astype("float32")
    conv = np.asarray(model.get_layer("conv")(x))
    np.testing.assert_allclose(feature_maps(model, x), conv, rtol=1e-6)
    np.testing.assert_allclose(feature_maps(model, x, "squash"), np.tanh(conv), rtol=1e-5)
    np.testing.assert_allclose(feature_maps(model, x, "scores"), model(x), rtol=1e-5)
    np.testing.assert_allclose(feature_maps(model, x[1], 0), conv[1:], rtol=1e-5)


def test_each_panel_is_a_map():
    model, x = network(), RNG.normal(size=(2, 8, 7, 2)).astype("float32")
    maps, found = feature_maps(model, x), tiles(plot_feature_maps(model, x, sample=1))
    assert len(found) == 1 + 3  # the input first
    for i in range(3):
        np.testing.assert_allclose(found[1 + i], maps[1, :, :, i], rtol=1e-6)
    assert len(tiles(plot_feature_maps(model, x, max_maps=2, show_input=False))) == 2


def test_channels_first_is_found_behind_layers_that_do_not_say_it():
    last, first = network(), network("channels_first")
    first.get_layer("conv").set_weights(last.get_layer("conv").get_weights())
    x = RNG.normal(size=(1, 8, 7, 2)).astype("float32")
    for name in ("conv", "squash"):
        theirs, ours = (
            tiles(plot_feature_maps(m, d, name)) for m, d in ((last, x), (first, np.moveaxis(x, -1, 1)))
        )
        for a, b in zip(theirs, ours, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_series_volumes_and_features_have_their_own_figures():
    model = keras.Sequential([keras.Input((9, 2)), layers.Conv1D(4, 3)])
    x = RNG.normal(size=(9, 2))
    np.testing.assert_allclose(tiles(plot_feature_maps(model, x))[0], feature_maps(model, x)[0].T, rtol=1e-6)
    model = keras.Sequential([keras.Input((5, 6, 7, 1)), layers.Conv3D(2, 1)])
    x = RNG.normal(size=(5, 6, 7, 1))
    figure = plot_feature_maps(model, x)
    np.testing.assert_allclose(tiles(figure)[1], feature_maps(model, x)[0, 2, :, :, 1], rtol=1e-6)
    assert figure.get_suptitle().endswith("slice 2")
    bars = plot_feature_maps(network(), np.zeros((8, 7, 2)), "scores").axes[0].patches
    np.testing.assert_allclose([bar.get_height() for bar in bars], np.zeros(4))


def test_shared_layers_and_inputs_of_inner_models():
    inner = keras.Sequential([keras.Input((4,), name="door"), layers.Dense(3, name="inside")], name="inner")
    a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
    model = keras.Model([a, b], layers.Add()([inner(a), inner(b)]))
    x = [RNG.normal(size=(2, 4)).astype("float32") for _ in range(2)]
    np.testing.assert_allclose(feature_maps(model, x, "inside"), inner(x[0]), rtol=1e-6)
    np.testing.assert_allclose(feature_maps(model, {"a": x[0], "b": x[1]}, "b"), x[1])
    with pytest.raises(ArgumentError, match="gives out what it is given"):
        feature_maps(model, x, "door")
    with pytest.raises(ArgumentError, match="has 2 inputs"):
        feature_maps(model, x[0], "inside")


def test_wrong_inputs_of_feature_maps_are_told():
    model = network()
    with pytest.raises(ShapeError, match=r"takes \(batch None, height 8, width 7, channels 2\)"):
        feature_maps(model, np.zeros((1, 8, 7, 3)))
    with pytest.raises(ArgumentError, match="the batch has 1 samples"):
        plot_feature_maps(model, np.zeros((8, 7, 2)), sample=1)
    grey = keras.Sequential([keras.Input((8, 8, 1)), layers.Conv2D(1, 3)])
    with pytest.raises(ShapeError, match=re.escape("x[..., None]")):
        feature_maps(grey, np.zeros((5, 8, 8)))


def test_chinese_names_are_in_the_title():
    model = keras.Sequential([keras.Input((8, 8, 1)), layers.Conv2D(1, 3, name="conv")])
    figure = plot_feature_maps(model, np.zeros((8, 8, 1)))
    figure.savefig("/dev/null", format="png")  # a sign without a font would warn
    assert "conv (Conv2D)" in figure.get_suptitle()


# ---- history


def test_each_line_is_a_list_of_the_history():
    history = {
        "accuracy": [0.2, 0.5, 0.9], "loss": [3.0, 2.0, 1.0], "val_accuracy": [0.3, 0.7, 0.6], "val_loss": [3.5, 1.5, 2.5],
        "learning_rate": [0.1, 0.1, 0.01],
    }  # fmt: skip
    figure = plot_history(history)
    assert [panel.get_title() for panel in figure.axes] == ["loss", "accuracy", "learning_rate"]
    for panel, best in zip(figure.axes[:2], (1, 1), strict=True):
        name = panel.get_title()
        training, validation, ring = panel.lines
        np.testing.assert_array_equal(training.get_xdata(), [1, 2, 3])
        np.testing.assert_array_equal(training.get_ydata(), history[name])
        np.testing.assert_array_equal(validation.get_ydata(), history[f"val_{name}"])
        assert training.get_linestyle() != validation.get_linestyle()  # told apart without colour
        assert ring.get_xdata()[0] == best + 1
    assert [panel.get_title() for panel in plot_history(history, metrics="accuracy").axes] == ["accuracy"]
    assert plot_history(history, log=True).axes[0].get_yscale() == "log"
    figure.savefig("/dev/null", format="png")


def test_what_fit_returns_is_taken():
    model = keras.Sequential([keras.Input((3,)), layers.Dense(1)])
    model.compile("sgd", "mse", metrics=["mae"])
    history = model.fit(
        np.zeros((4, 3)), np.zeros((4, 1)), epochs=4, initial_epoch=2, verbose=0, validation_split=0.5
    )
    figure = plot_history(history)
    assert [panel.get_title() for panel in figure.axes] == ["loss", "mae"]
    np.testing.assert_array_equal(figure.axes[0].lines[0].get_xdata(), [3, 4])


def test_a_rarer_validation_ends_where_the_training_ends():
    lines = plot_history({"loss": [4.0, 3.0, 2.0, 1.0], "val_loss": [3.0, 1.0]}).axes[0].lines
    np.testing.assert_array_equal(lines[1].get_xdata(), [2, 4])


@pytest.mark.parametrize(
    ("history", "metrics", "kind", "words"),
    [
        ([1, 2], None, ArgumentTypeError, "wants what fit returned"),
        ({}, None, DataError, "the history is empty"),
        ({"loss": []}, None, DataError, "no epoch"),
        ({"loss": ["a"]}, None, DataError, "holds something that is no number"),
        ({"loss": [1.0], "accuracy": [1.0]}, ["acuracy"], ArgumentError, "Did you mean 'accuracy'?"),
    ],
)
def test_what_is_no_history_is_told(history, metrics, kind, words):
    with pytest.raises(kind, match=re.escape(words)):
        plot_history(history, metrics)


# ---- figures


def test_a_figure_is_shown_once_by_notebooks_and_is_not_pyplots():
    assert plot_history({"loss": [1.0]})._repr_png_().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("image", "wanted"),
    [
        (np.array([[0, 255]], "uint8"), [[0, 1]]),
        (np.array([[0.0, 0.5]]), [[0, 0.5]]),
        (np.array([[0.0, 51.0]]), [[0, 0.2]]),
        (np.array([[-1.0, 3.0]]), [[0, 1]]),
        (np.array([[7.5, 7.5]]), [[0, 0]]),
        (np.array([[[0.0, 1.0]]]), [[0.5]]),
    ],
)
def test_arrays_become_pictures(image, wanted):
    np.testing.assert_allclose(as_picture(image), wanted)


def test_without_matplotlib_the_extra_is_named(monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    real = builtins.__import__

    def lacking(name, *arguments, **named):
        if name.partition(".")[0] == "matplotlib":
            raise ImportError(name)
        return real(name, *arguments, **named)

    monkeypatch.setattr(builtins, "__import__", lacking)
    with pytest.raises(HornbillError, match=re.escape("pip install 'hornbill[plot]'")) as caught:
        plot_history({"loss": [1.0]})
    assert isinstance(caught.value, ImportError)
    model = network()
    assert visualization.feature_maps(model, np.zeros((8, 7, 2))).shape == (1, 6, 5, 3)  # arrays need none
