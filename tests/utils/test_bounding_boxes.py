"""Bounding boxes against Keras."""

from __future__ import annotations

import jax
import keras
import numpy as np
import pytest

from hornbill.utils import bounding_boxes

theirs = keras.utils.bounding_boxes
BOXES = np.array([[10.0, 20, 50, 60], [70, 80, 100, 120], [-5, -7, 30, 200]], "float32")
OTHERS = np.array([[15.0, 25, 55, 66], [60, 70, 90, 110], [60, 60, 95, 115]], "float32")
FORMATS = [
    "xyxy",
    "yxyx",
    "xywh",
    "center_xywh",
    "center_yxhw",
    "rel_xyxy",
    "rel_yxyx",
    "rel_xywh",
    "rel_center_xywh",
]


def close(ours, expected, atol=1e-4):
    np.testing.assert_allclose(np.asarray(ours), np.asarray(expected), rtol=1e-5, atol=atol)


@pytest.mark.parametrize("kind", FORMATS)
def test_convert_format(kind):
    there = bounding_boxes.convert_format(BOXES, "xyxy", kind, 200, 300)
    close(there, theirs.convert_format(BOXES, "xyxy", kind, 200, 300))
    close(bounding_boxes.convert_format(there, kind.upper(), "xyxy", 200, 300), BOXES)
    both = bounding_boxes.convert_format({"boxes": BOXES, "labels": [1, 2, 3]}, "xyxy", kind, 200, 300)
    close(both["boxes"], there)
    sizes = np.array([100.0, 200.0])
    batched = bounding_boxes.convert_format(np.stack([BOXES, BOXES]), "xyxy", kind, sizes, sizes)
    close(batched[1], bounding_boxes.convert_format(BOXES, "xyxy", kind, 200, 200))


def test_wrong_formats():
    for call in (
        lambda: bounding_boxes.convert_format(BOXES, "xyxy", "xyhw"),
        lambda: bounding_boxes.convert_format(BOXES, "xyxy", "rel_xyxy"),
        lambda: bounding_boxes.convert_format(np.ones((2, 5)), "xyxy", "xywh"),
        lambda: bounding_boxes.crop(BOXES, 1, 1, 2, 2, "rel_xyxy"),
        lambda: bounding_boxes.compute_iou(BOXES[0], OTHERS, "xyxy"),
        lambda: bounding_boxes.compute_iou(BOXES, OTHERS, "rel_xyxy"),
        lambda: bounding_boxes.encode_box_to_deltas(BOXES, OTHERS, "xyxy", "xyxy", "xyxy"),
        lambda: bounding_boxes.encode_box_to_deltas(BOXES, OTHERS, "xyxy", "xyxy", variance=[1.0]),
        lambda: bounding_boxes.clip_to_image_size(BOXES, 1, 1),
    ):
        with pytest.raises(ValueError):
            call()


@pytest.mark.parametrize("kind", ["xyxy", "xywh", "yxyx"])
def test_overlaps(kind):
    for first, second in (
        (BOXES, OTHERS),
        (np.stack([BOXES, BOXES]), OTHERS),
        (BOXES, np.stack([OTHERS, OTHERS])),
    ):
        close(bounding_boxes.compute_iou(first, second, kind), theirs.compute_iou(first, second, kind), 1e-5)
    close(bounding_boxes.compute_ciou(BOXES, OTHERS, kind), theirs.compute_ciou(BOXES, OTHERS, kind), 1e-5)


def test_masking_and_relative_overlaps():
    missing = np.array([[-1.0, -1, -1, -1], [0, 0, 2, 2]], "float32")
    ours = bounding_boxes.compute_iou(BOXES, missing, "xyxy", use_masking=True, mask_val=-7)
    close(ours, theirs.compute_iou(BOXES, missing, "xyxy", use_masking=True, mask_val=-7), 1e-5)
    relative = bounding_boxes.compute_iou(BOXES / 200, OTHERS / 200, "rel_xyxy", image_shape=(200, 200, 3))
    close(relative, bounding_boxes.compute_iou(BOXES, OTHERS, "xyxy"), 1e-5)


def test_clip_crop_pad():
    data = {"boxes": BOXES, "labels": np.arange(3)}
    for size in ((100, 120), (10, 20)):
        ours = bounding_boxes.clip_to_image_size(data, *size)
        expected = theirs.clip_to_image_size(data, *size)
        close(ours["boxes"], expected["boxes"])
        assert ours["labels"].tolist() == np.asarray(expected["labels"]).tolist()
    relative = {"boxes": BOXES / 100, "labels": np.arange(3)}
    ours = bounding_boxes.clip_to_image_size(relative, bounding_box_format="rel_xyxy")
    close(ours["boxes"], theirs.clip_to_image_size(relative, bounding_box_format="rel_xyxy")["boxes"])
    close(bounding_boxes.crop(BOXES, 10, 20, 40, 30), theirs.crop(BOXES, 10, 20, 40, 30))
    close(bounding_boxes.pad(BOXES, 5, 7), theirs.pad(BOXES, 5, 7))


@pytest.mark.parametrize("encoding", ["center_yxhw", "center_xywh"])
@pytest.mark.parametrize("variance", [None, [0.1, 0.1, 0.2, 0.2]])
def test_deltas(encoding, variance):
    anchors = np.array([[10.0, 10, 30, 40], [60, 60, 95, 115], [5, 6, 20, 30]], "float32")
    for boxes in (OTHERS, np.stack([OTHERS, OTHERS + 1])):
        ours = bounding_boxes.encode_box_to_deltas(anchors, boxes, "xyxy", "xyxy", encoding, variance)
        close(ours, theirs.encode_box_to_deltas(anchors, boxes, "xyxy", "xyxy", encoding, variance))
        back = bounding_boxes.decode_deltas_to_boxes(anchors, ours, "xyxy", "xyxy", encoding, variance)
        close(back, boxes)
    levels = bounding_boxes.decode_deltas_to_boxes(
        {"a": anchors}, {"a": ours}, "xyxy", "rel_xyxy", encoding, variance, (200, 300, 3)
    )
    close(levels["a"], theirs.convert_format(boxes, "xyxy", "rel_xyxy", 200, 300))


AFFINE = [
    (30.0, 0.1, 0.2, 1.5, 10.0, 5.0),
    (90.0, 0.0, 0.0, 1.0, 0.0, 0.0),
    (0.0, 0.1, 0.2, 1.0, 0.0, 0.0),
    (0.0, 0.0, 0.0, 2.0, 0.0, 0.0),
    (0.0, 0.0, 0.0, 1.0, 10.0, 0.0),
    (0.0, 0.0, 0.0, 1.0, 0.0, 10.0),
    (0.0, 0.0, 0.0, 1.0, 10.0, 20.0),
    (30.0, 0.0, 0.0, 1.0, 10.0, 0.0),
    (30.0, 0.0, 0.0, 1.0, 0.0, 10.0),
    (30.0, 0.1, 0.2, 0.5, 0.0, 0.0),
]


@pytest.mark.parametrize("numbers", AFFINE, ids=str)
def test_affine_transform(numbers):
    arrays = [np.array([number], "float32") for number in numbers]
    expected = theirs.affine_transform(BOXES[None], *arrays, 200, 300)
    close(bounding_boxes.affine_transform(BOXES[None], *arrays, 200, 300), expected, 2e-3)
    close(bounding_boxes.affine_transform(BOXES, *numbers, 200, 300), expected[0], 2e-3)
    center = {"center_x": np.array([0.25], "float32"), "center_y": np.array([0.75], "float32")}
    expected = theirs.affine_transform(BOXES[None], *arrays, 200, 300, **center)
    close(bounding_boxes.affine_transform(BOXES[None], *arrays, 200, 300, **center), expected, 2e-3)


def test_under_jit():
    compiled = jax.jit(lambda boxes: bounding_boxes.compute_iou(boxes, OTHERS, "xyxy"))
    close(compiled(BOXES), bounding_boxes.compute_iou(BOXES, OTHERS, "xyxy"))
