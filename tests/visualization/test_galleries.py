"""Keras' own namespace: masks against real Keras, boxes and galleries against what they must show."""

from __future__ import annotations

import re

import keras as real
import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.patches import Patch
from PIL import Image

from hornbill.engine.errors import HornbillError
from hornbill.visualization import (
    draw_bounding_boxes,
    draw_segmentation_masks,
    plot_bounding_box_gallery,
    plot_image_gallery,
    plot_segmentation_mask_gallery,
)

RNG = np.random.default_rng(3)
IMAGES = RNG.integers(0, 256, (2, 12, 16, 3)).astype("uint8")
MASKS = RNG.integers(-1, 4, (2, 12, 16, 1))


def shown(figure):
    return [np.asarray(panel.images[0].get_array()) for panel in figure.axes if panel.images]


# ---- masks


@pytest.mark.parametrize(
    "arguments",
    [
        {}, {"alpha": 0.5}, {"alpha": 0.0}, {"alpha": 1.0}, {"ignore_index": 0}, {"ignore_index": 2},
        {"color_mapping": {0: (9, 9, 9), 1: (255, 0, 0), 2: (0, 255, 0), 3: (0, 0, 255)}},
    ],
)  # fmt: skip
def test_masks_are_drawn_as_real_keras_draws_them(arguments):
    # Keras leaves out the class num_classes itself, so it is told one more
    theirs = real.visualization.draw_segmentation_masks(IMAGES, MASKS, num_classes=4, **arguments)
    ours = draw_segmentation_masks(IMAGES, MASKS, num_classes=3, **arguments)
    assert ours.dtype == np.uint8
    np.testing.assert_allclose(
        ours.astype(int), np.asarray(theirs).astype(int), atol=1
    )  # Keras rounds in float32


def test_without_blending_the_colour_stands_alone():
    ours = draw_segmentation_masks(
        IMAGES, MASKS, color_mapping={c: (c, 2 * c, 3 * c) for c in range(4)}, blend=False
    )
    for c in range(4):
        assert (ours[MASKS[..., 0] == c] == (c, 2 * c, 3 * c)).all()
    np.testing.assert_array_equal(ours[MASKS[..., 0] == -1], IMAGES[MASKS[..., 0] == -1])


def test_the_largest_class_is_drawn_and_those_above_num_classes_are_not():
    ours = draw_segmentation_masks(IMAGES, MASKS, alpha=1.0)
    assert (ours[MASKS[..., 0] == 3] == (3, 381 % 255, 93)).all()
    fewer = draw_segmentation_masks(IMAGES, MASKS, num_classes=2, alpha=1.0)
    np.testing.assert_array_equal(fewer[MASKS[..., 0] == 3], IMAGES[MASKS[..., 0] == 3])


def test_masks_with_and_without_a_last_axis_and_channels_first():
    wanted = draw_segmentation_masks(IMAGES, MASKS)
    np.testing.assert_array_equal(draw_segmentation_masks(IMAGES, MASKS[..., 0]), wanted)
    first = np.moveaxis(IMAGES, -1, 1)
    for masks in (MASKS, MASKS[..., 0], np.moveaxis(MASKS, -1, 1)):
        found = draw_segmentation_masks(first, masks, data_format="channels_first")
        np.testing.assert_array_equal(np.moveaxis(found, 1, -1), wanted)
    assert draw_segmentation_masks(IMAGES[..., :1], MASKS).shape == (2, 12, 16, 1)


# ---- boxes


def test_a_box_is_a_frame_of_its_colour_and_thickness():
    black = np.zeros((1, 20, 30, 3), "uint8")
    boxes = {"boxes": np.array([[[4, 3, 20, 15]]], "float32"), "labels": np.array([[1]])}
    found = draw_bounding_boxes(black, boxes, "xyxy", color=(10, 200, 30), line_thickness=2)
    wanted = np.zeros_like(black)
    wanted[0, 3:16, 4:21] = (10, 200, 30)
    wanted[0, 5:14, 6:19] = 0
    np.testing.assert_array_equal(found, wanted)
    assert (black == 0).all()  # the images given stay as they are


@pytest.mark.parametrize("kind", ["xyxy", "yxyx", "xywh", "center_xywh", "rel_xyxy", "rel_xywh"])
def test_boxes_of_every_format_are_the_same(kind):
    box = np.array([4.0, 2.0, 12.0, 10.0])
    x1, y1, x2, y2 = box
    given = {
        "xyxy": box, "yxyx": [y1, x1, y2, x2], "xywh": [x1, y1, x2 - x1, y2 - y1],
        "center_xywh": [(x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1], "rel_xyxy": box / [16, 12, 16, 12],
        "rel_xywh": np.array([x1, y1, x2 - x1, y2 - y1]) / [16, 12, 16, 12],
    }[kind]  # fmt: skip
    boxes = {"boxes": np.broadcast_to(given, (2, 1, 4)), "labels": np.zeros((2, 1))}
    plain = {"boxes": np.broadcast_to(box, (2, 1, 4)), "labels": np.zeros((2, 1))}
    np.testing.assert_array_equal(
        draw_bounding_boxes(IMAGES, boxes, kind), draw_bounding_boxes(IMAGES, plain, "xyxy")
    )


def test_padded_boxes_are_left_out_and_names_are_written():
    boxes = np.array([[[2, 20, 30, 36], [0, 0, 9, 9]]], "float32")
    image = np.zeros((1, 40, 60, 3), "uint8")
    labels = np.array([[1, -1]])
    bare = draw_bounding_boxes(image, {"boxes": boxes, "labels": labels}, "xyxy")
    assert not bare[0, :18].any()
    named = draw_bounding_boxes(image, {"boxes": boxes, "labels": labels}, "xyxy", {1: "cat"})
    assert named[0, 8:19, 2:30].any()  # above the box
    sure = draw_bounding_boxes(
        image, {"boxes": boxes, "labels": labels, "confidences": np.array([[0.5, 0.0]])}, "xyxy", {1: "cat"}
    )
    assert np.nonzero(sure[0, :19].any((0, 2)))[0].max() > np.nonzero(named[0, :19].any((0, 2)))[0].max()
    larger = draw_bounding_boxes(
        image, {"boxes": boxes, "labels": labels}, "xyxy", {1: "cat"}, font_scale=1.3
    )
    assert (larger[0, :19] > 0).sum() > (named[0, :19] > 0).sum()


def test_boxes_of_channels_first_and_of_grey_images():
    boxes = {"boxes": np.array([[[4, 2, 12, 10]]] * 2, "float32"), "labels": np.zeros((2, 1))}
    wanted = draw_bounding_boxes(IMAGES, boxes, "xyxy")
    found = draw_bounding_boxes(np.moveaxis(IMAGES, -1, 1), boxes, "xyxy", data_format="channels_first")
    np.testing.assert_array_equal(np.moveaxis(found, 1, -1), wanted)
    assert draw_bounding_boxes(IMAGES[..., :1], boxes, "xyxy").shape == (2, 12, 16, 1)


# ---- galleries


def test_a_gallery_shows_each_image_with_its_labels():
    names = {0: "cat", 1: "dog"}
    figure = plot_image_gallery(IMAGES, y_true=[0, 1], y_pred=[1, 1], label_map=names, show=False, scale=3)
    np.testing.assert_allclose(shown(figure), IMAGES / 255)
    assert [panel.get_title() for panel in figure.axes] == ["Label: cat  Pred: dog", "Label: dog  Pred: dog"]
    assert tuple(figure.get_size_inches()) == (3, 6)  # two below each other, as Keras sets two


@pytest.mark.parametrize(
    ("count", "rows", "cols"), [(6, None, None), (7, None, 3), (7, 2, None), (5, 1, 2), (1, None, None)]
)
def test_the_grid_is_keras(count, rows, cols):
    images = np.zeros((count, 4, 4, 3))
    figure = plot_image_gallery(images, rows=rows, cols=cols, show=False)
    ours = tuple(figure.get_size_inches() / 2), len(shown(figure))
    if (
        (rows or 1) * (cols or 1) != 3 and (count, cols) != (7, 3) and (count, rows) != (7, 2)
    ):  # Keras fails on gaps
        real.visualization.plot_image_gallery(images, rows=rows, cols=cols, show=False)
        theirs = plt.gcf()
        assert ours == (tuple(theirs.get_size_inches() / 2), len(shown(theirs)))
        plt.close("all")
    else:
        assert ours[1] == count


def test_values_are_scaled_from_their_range_and_grey_stays_grey():
    figure = plot_image_gallery(np.full((1, 2, 2, 1), 0.25), value_range=(-1, 1), show=False)
    np.testing.assert_allclose(shown(figure)[0], 0.625)
    figure = plot_image_gallery(np.moveaxis(IMAGES, -1, 1), data_format="channels_first", show=False)
    np.testing.assert_allclose(shown(figure), IMAGES / 255)


def test_a_gallery_is_written_and_not_shown(tmp_path):
    assert plot_image_gallery(IMAGES, path=tmp_path / "g.png", dpi=50) is None
    with Image.open(tmp_path / "g.png") as image:
        assert image.size == (2 * 50, 4 * 50)
        assert image.mode == "RGBA"


def test_a_gallery_is_shown_unless_told_otherwise(monkeypatch):
    seen = []
    monkeypatch.setattr(plt, "show", lambda: seen.append(len(plt.get_fignums())))
    assert plot_image_gallery(IMAGES) is None
    assert seen == [1]
    plt.close("all")


def test_boxes_of_both_kinds_with_a_legend():
    boxes = {"boxes": np.array([[[4, 2, 12, 10]]] * 2, "float32"), "labels": np.zeros((2, 1))}
    figure = plot_bounding_box_gallery(
        np.zeros_like(IMAGES),
        "xyxy",
        y_true=boxes,
        y_pred={**boxes, "boxes": boxes["boxes"] - 2},
        legend=True,
        show=False,
    )
    pixels = {tuple(p) for p in np.rint(shown(figure)[0].reshape(-1, 3) * 255).astype(int)}
    assert pixels == {(0, 0, 0), (0, 188, 212), (255, 235, 59)}
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["true", "predicted"]
    own = plot_bounding_box_gallery(IMAGES, "xyxy", legend_handles=[Patch(label="mine")], show=False)
    assert [text.get_text() for text in own.legends[0].get_texts()] == ["mine"]


def test_masks_stand_beside_their_image():
    figure = plot_segmentation_mask_gallery(IMAGES, 3, y_true=MASKS, y_pred=MASKS[..., 0], show=False)
    wanted = draw_segmentation_masks(IMAGES, MASKS, 3)
    for i, tile in enumerate(shown(figure)):
        np.testing.assert_allclose(tile * 255, (IMAGES if i % 3 == 0 else wanted)[i // 3], atol=1e-9)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: draw_segmentation_masks(IMAGES[0], MASKS), "images[None]"),
        (lambda: draw_segmentation_masks(IMAGES, MASKS.astype("float32")), "masks hold whole numbers"),
        (lambda: draw_segmentation_masks(IMAGES, MASKS[:, :3]), "a class for each place of the images, (2, 12, 16)"),
        (lambda: draw_segmentation_masks(IMAGES, MASKS, alpha=2), "alpha is from 0 to 1"),
        (lambda: draw_segmentation_masks(IMAGES, MASKS, color_mapping={1: (1, 1, 1)}), "no colour for class 2, class 3"),
        (lambda: draw_bounding_boxes(IMAGES, [1], "xyxy"), "a dictionary with 'boxes' and 'labels'"),
        (lambda: draw_bounding_boxes(IMAGES, {"boxes": 1}, "xyxy"), "a dictionary with 'boxes' and 'labels'"),
        (lambda: draw_bounding_boxes(IMAGES, {"boxes": np.zeros((1, 4)), "labels": 1}, "xyxy"), "need boxes (batch 2, boxes, 4)"),
        (lambda: draw_bounding_boxes(IMAGES, {"boxes": np.zeros((2, 1, 4)), "labels": np.zeros((2, 1))}, "xyxz"), "xyxy"),
        (lambda: draw_bounding_boxes(IMAGES, {"boxes": np.zeros((2, 1, 4)), "labels": np.zeros((2, 1))}, "xyxy", color="red"), "a colour is red, green and blue"),
        (lambda: plot_image_gallery(IMAGES[0]), "wants a batch of images"),
        (lambda: plot_image_gallery(IMAGES, y_true=[0, 1]), "need label_map"),
        (lambda: plot_image_gallery(IMAGES, y_true=[0, 5], label_map={0: "a"}), "no name for the class 5"),
        (lambda: plot_image_gallery(IMAGES, y_true=[0], label_map={0: "a"}), "one label for each of 2 images"),
        (lambda: plot_image_gallery(IMAGES, path="a.png", show=True), "path or show=True, not both"),
        (lambda: plot_image_gallery(IMAGES, rows=0), "rows is a whole number"),
        (lambda: plot_image_gallery(IMAGES, value_range=(1, 1)), "the least and the largest value"),
        (lambda: plot_bounding_box_gallery(IMAGES, "xyxy", legend=True, legend_handles=[1]), "not both"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_told(call, words):
    with pytest.raises(HornbillError, match=re.escape(words)):
        call()
