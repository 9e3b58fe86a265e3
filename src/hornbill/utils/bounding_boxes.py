"""Boxes around things in pictures: formats, overlap, clipping, cropping, anchors and affine maps.

Boxes are arrays whose last axis holds four numbers; a format says which. Formats: "xyxy" (left, top, right,
bottom), "yxyx", "xywh" (left, top, width, height), "center_xywh", "center_yxhw", and "rel_" versions of all
but the last, in which coordinates are shares of the picture's width and height. All functions work under
`jax.jit`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax.numpy as jnp

from hornbill.engine.errors import ArgumentError, ShapeError, one_of
from hornbill.engine.op import Tensor, convert_to_tensor

__all__ = [
    "affine_transform",
    "clip_to_image_size",
    "compute_ciou",
    "compute_iou",
    "convert_format",
    "crop",
    "decode_deltas_to_boxes",
    "encode_box_to_deltas",
    "pad",
]

_EPSILON = 1e-7
_Four = tuple[Any, Any, Any, Any]


def _center(x1: Any, y1: Any, x2: Any, y2: Any) -> _Four:
    return (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1


def _from_center(x: Any, y: Any, w: Any, h: Any) -> _Four:
    return x - w / 2, y - h / 2, x + w / 2, y + h / 2


def _yx_from_center(x1: Any, y1: Any, x2: Any, y2: Any) -> _Four:
    x, y, w, h = _center(x1, y1, x2, y2)
    return y, x, h, w


# Format -> functions from and to left, top, right, bottom.
_FORMATS: dict[str, tuple[Callable[..., _Four], Callable[..., _Four]]] = {
    "xyxy": (lambda x1, y1, x2, y2: (x1, y1, x2, y2), lambda x1, y1, x2, y2: (x1, y1, x2, y2)),
    "yxyx": (lambda y1, x1, y2, x2: (x1, y1, x2, y2), lambda x1, y1, x2, y2: (y1, x1, y2, x2)),
    "xywh": (lambda x, y, w, h: (x, y, x + w, y + h), lambda x1, y1, x2, y2: (x1, y1, x2 - x1, y2 - y1)),
    "center_xywh": (_from_center, _center),
    "center_yxhw": (lambda y, x, h, w: _from_center(x, y, w, h), _yx_from_center),
}
_ALL_FORMATS = (*_FORMATS, "rel_xyxy", "rel_yxyx", "rel_xywh", "rel_center_xywh")


def convert_format(
    boxes: Tensor | Mapping[str, Tensor],
    source: str,
    target: str,
    height: Any = None,
    width: Any = None,
    dtype: Any = "float32",
) -> Any:
    """Writes boxes in another format.

    Args:
        boxes: Boxes, or a dictionary with them under "boxes".
        source: Format they are in, in upper or lower case.
        target: Format wanted.
        height: Height of the picture, for relative formats: a number, or one per batch item.
        width: Width of the picture.
        dtype: Dtype to compute in; None keeps that of the boxes.

    Returns:
        The boxes in the new format, in a dictionary like the given one if it was one.

    Raises:
        ArgumentError: If a format is unknown, or a picture's size is needed and missing.
        ShapeError: If the last axis does not hold four numbers.

    Example:
        >>> convert_format(jnp.array([[10.0, 20.0, 30.0, 50.0]]), "xyxy", "xywh").tolist()
        [[10.0, 20.0, 20.0, 30.0]]
    """
    source, target = _format("source", source), _format("target", target)
    if isinstance(boxes, Mapping):
        return {**boxes, "boxes": convert_format(boxes["boxes"], source, target, height, width, dtype)}
    array = convert_to_tensor(boxes, dtype)
    if array.shape[-1:] != (4,):
        raise ShapeError("Boxes hold four numbers along their last axis.", got=f"shape {array.shape}.")
    if source == target:
        return array
    source_relative, target_relative = source.startswith("rel_"), target.startswith("rel_")
    parts = _parts(array, source)
    if source_relative != target_relative:
        if height is None or width is None:
            raise ArgumentError(
                "convert_format: height and width are needed to go between relative and absolute formats.",
                got=f"source={source!r}, target={target!r}, height={height!r}, width={width!r}.",
            )
        scale_x, scale_y = _per_item(width, array), _per_item(height, array)
        if target_relative:
            parts = (parts[0] / scale_x, parts[1] / scale_y, parts[2] / scale_x, parts[3] / scale_y)
        else:
            parts = (parts[0] * scale_x, parts[1] * scale_y, parts[2] * scale_x, parts[3] * scale_y)
    return _joined(parts, target)


def clip_to_image_size(
    bounding_boxes: Mapping[str, Tensor],
    height: Any = None,
    width: Any = None,
    bounding_box_format: str = "xyxy",
) -> dict[str, Any]:
    """Cuts boxes off at the border of the picture; labels of boxes with nothing left become -1.

    Args:
        bounding_boxes: Dictionary with "boxes" and "labels".
        height: Height of the picture; not needed for relative formats.
        width: Width of the picture.
        bounding_box_format: Format of the boxes.

    Returns:
        A dictionary like the given one.

    Raises:
        ArgumentError: If the size is needed and missing, or there are no boxes and labels.
    """
    kind = _format("bounding_box_format", bounding_box_format)
    if not isinstance(bounding_boxes, Mapping) or not {"boxes", "labels"} <= set(bounding_boxes):
        raise ArgumentError(
            "clip_to_image_size: bounding_boxes is a dictionary with 'boxes' and 'labels'.",
            got=f"{type(bounding_boxes).__name__}.",
        )
    if kind.startswith("rel_"):
        height = width = 1
    elif height is None or width is None:
        raise ArgumentError(f"clip_to_image_size: height and width are needed for the format {kind!r}.")
    array = convert_to_tensor(bounding_boxes["boxes"])
    x1, y1, x2, y2 = _parts(array, kind)
    limit_x, limit_y = _per_item(width, array), _per_item(height, array)
    x1, x2 = (jnp.clip(value, 0, limit_x).astype(array.dtype) for value in (x1, x2))
    y1, y2 = (jnp.clip(value, 0, limit_y).astype(array.dtype) for value in (y1, y2))
    empty = ((x2 - x1) * (y2 - y1) <= 0)[..., 0]
    labels = convert_to_tensor(bounding_boxes["labels"])
    return {
        **bounding_boxes,
        "boxes": _joined((x1, y1, x2, y2), kind),
        "labels": jnp.where(empty, jnp.asarray(-1, labels.dtype), labels),
    }


def compute_iou(
    boxes1: Tensor,
    boxes2: Tensor,
    bounding_box_format: str,
    use_masking: bool = False,
    mask_val: float = -1,
    image_shape: Sequence[int] | None = None,
) -> Any:
    """Returns the overlap of each box with each other one: intersection over union.

    Args:
        boxes1: Boxes, `(boxes, 4)` or `(batch, boxes, 4)`.
        boxes2: Boxes, `(boxes, 4)` or `(batch, boxes, 4)`.
        bounding_box_format: Format of both.
        use_masking: Whether boxes whose four numbers are all negative count as missing.
        mask_val: What the overlap with a missing box is.
        image_shape: (height, width, channels) of the picture, for relative formats.

    Returns:
        The overlaps, `(boxes1, boxes2)` or `(batch, boxes1, boxes2)`.

    Raises:
        ShapeError: If boxes have another number of axes.

    Example:
        >>> compute_iou(jnp.array([[0.0, 0.0, 2.0, 2.0]]), jnp.array([[0.0, 0.0, 2.0, 1.0]]), "xyxy").tolist()
        [[0.5]]
    """
    first, second = convert_to_tensor(boxes1), convert_to_tensor(boxes2)
    for name, array in (("boxes1", first), ("boxes2", second)):
        if array.ndim not in (2, 3):
            raise ShapeError(
                f"compute_iou: {name} has the axes (boxes, 4) or (batch, boxes, 4).",
                got=f"shape {array.shape}.",
            )
    first = _absolute(first, bounding_box_format, image_shape)[..., :, None, :]
    second = _absolute(second, bounding_box_format, image_shape)[..., None, :, :]
    result = _overlap(first, second)[0]
    if use_masking:
        missing = jnp.all(first < 0, axis=-1) | jnp.all(second < 0, axis=-1)
        result = jnp.where(missing, mask_val, result)
    return result


def compute_ciou(
    boxes1: Tensor, boxes2: Tensor, bounding_box_format: str, image_shape: Sequence[int] | None = None
) -> Any:
    """Returns the complete overlap of pairs of boxes: less for distant centers and different shapes.

    Z. Zheng and others, Enhancing geometric factors in model learning and inference for object detection,
    2020.

    Args:
        boxes1: Boxes, `(..., 4)`.
        boxes2: Boxes, `(..., 4)`.
        bounding_box_format: Format of both.
        image_shape: (height, width, channels) of the picture, for relative formats.

    Returns:
        One number per pair, `(...)`.
    """
    first = _absolute(convert_to_tensor(boxes1), bounding_box_format, image_shape)
    second = _absolute(convert_to_tensor(boxes2), bounding_box_format, image_shape)
    iou, _ = _overlap(first, second)
    low, high = jnp.minimum(first[..., :2], second[..., :2]), jnp.maximum(first[..., 2:], second[..., 2:])
    diagonal = jnp.sum(jnp.square(high - low), axis=-1)
    centers = [(boxes[..., :2] + boxes[..., 2:]) / 2 for boxes in (first, second)]
    distance = jnp.sum(jnp.square(centers[0] - centers[1]), axis=-1)
    sides = [boxes[..., 2:] - boxes[..., :2] for boxes in (first, second)]
    angles = [jnp.arctan(side[..., 0] / (side[..., 1] + _EPSILON)) for side in sides]
    shape = 4 / math.pi**2 * jnp.square(angles[1] - angles[0])
    weight = shape / (shape - iou + 1 + _EPSILON)
    return iou - distance / (diagonal + _EPSILON) - shape * weight


def crop(
    boxes: Tensor, top: Any, left: Any, height: Any, width: Any, bounding_box_format: str = "xyxy"
) -> Any:
    """Returns boxes as they lie in a part cut out of the picture, cut off at its border.

    Args:
        boxes: Boxes, `(..., 4)`.
        top: First row of the part.
        left: First column of the part.
        height: Its height.
        width: Its width.
        bounding_box_format: Format of the boxes, not a relative one.
    """
    array, kind = _moved(boxes, bounding_box_format, "crop")
    x1, y1, x2, y2 = _parts(array, kind)
    x1, x2 = (jnp.clip(value - left, 0, width).astype(array.dtype) for value in (x1, x2))
    y1, y2 = (jnp.clip(value - top, 0, height).astype(array.dtype) for value in (y1, y2))
    return _joined((x1, y1, x2, y2), kind)


def pad(
    boxes: Tensor,
    top: Any,
    left: Any,
    height: Any = None,
    width: Any = None,
    bounding_box_format: str = "xyxy",
) -> Any:
    """Returns boxes as they lie in the picture after rows and columns were added before it.

    Args:
        boxes: Boxes, `(..., 4)`.
        top: Rows added above.
        left: Columns added on the left.
        height: Kept for Keras' sake; absolute boxes do not depend on it.
        width: Kept for Keras' sake.
        bounding_box_format: Format of the boxes, not a relative one.
    """
    del height, width
    array, kind = _moved(boxes, bounding_box_format, "pad")
    x1, y1, x2, y2 = _parts(array, kind)
    return _joined((x1 + left, y1 + top, x2 + left, y2 + top), kind)


def encode_box_to_deltas(
    anchors: Tensor,
    boxes: Tensor,
    anchor_format: str,
    box_format: str,
    encoding_format: str = "center_yxhw",
    variance: Sequence[float] | None = None,
    image_shape: Sequence[int] | None = None,
) -> Any:
    """Returns boxes as shifts and log sizes relative to anchors, which a detector learns.

    Args:
        anchors: Anchors, `(anchors, 4)`.
        boxes: Boxes, `(anchors, 4)` or `(batch, anchors, 4)`.
        anchor_format: Format of the anchors.
        box_format: Format of the boxes.
        encoding_format: "center_yxhw" or "center_xywh".
        variance: Four numbers that the deltas are divided by.
        image_shape: (height, width, channels) of the picture, for relative formats.

    Returns:
        The deltas, in the shape of the boxes.
    """
    kind, factors = _encoding(encoding_format, variance)
    size = _size_of(image_shape)
    anchor = convert_format(anchors, anchor_format, kind, *size)
    box = convert_format(boxes, box_format, kind, *size)
    anchor_size = jnp.maximum(anchor[..., 2:], _EPSILON)
    box_size = jnp.maximum(box[..., 2:], _EPSILON)
    shift = (box[..., :2] - anchor[..., :2]) / anchor_size
    return jnp.concatenate([shift, jnp.log(box_size / anchor_size)], axis=-1) / factors


def decode_deltas_to_boxes(
    anchors: Tensor | Mapping[Any, Tensor],
    boxes_delta: Tensor | Mapping[Any, Tensor],
    anchor_format: str,
    box_format: str,
    encoded_format: str = "center_yxhw",
    variance: Sequence[float] | None = None,
    image_shape: Sequence[int] | None = None,
) -> Any:
    """Returns the boxes that deltas relative to anchors mean; the inverse of `encode_box_to_deltas`.

    Args:
        anchors: Anchors, `(anchors, 4)`, or a dictionary of them by level.
        boxes_delta: Deltas, `(anchors, 4)` or `(batch, anchors, 4)`, or a dictionary of them by level.
        anchor_format: Format of the anchors.
        box_format: Format wanted.
        encoded_format: "center_yxhw" or "center_xywh".
        variance: Four numbers that the deltas are multiplied by.
        image_shape: (height, width, channels) of the picture, for relative formats.

    Returns:
        The boxes, in a dictionary by level if the deltas were.
    """
    kind, factors = _encoding(encoded_format, variance)
    if isinstance(anchors, Mapping) or isinstance(boxes_delta, Mapping):
        if not (isinstance(anchors, Mapping) and isinstance(boxes_delta, Mapping)) or set(anchors) != set(
            boxes_delta
        ):
            raise ArgumentError("decode_deltas_to_boxes: anchors and deltas must have the same levels.")
        return {
            level: decode_deltas_to_boxes(
                anchors[level], delta, anchor_format, box_format, encoded_format, variance, image_shape
            )
            for level, delta in boxes_delta.items()
        }
    size = _size_of(image_shape)
    anchor = convert_format(anchors, anchor_format, kind, *size)
    delta = convert_to_tensor(boxes_delta, "float32") * factors
    centers = delta[..., :2] * anchor[..., 2:] + anchor[..., :2]
    sizes = jnp.exp(delta[..., 2:]) * anchor[..., 2:]
    return convert_format(jnp.concatenate([centers, sizes], axis=-1), kind, box_format, *size)


def affine_transform(
    boxes: Tensor,
    angle: Any,
    translate_x: Any,
    translate_y: Any,
    scale: Any,
    shear_x: Any,
    shear_y: Any,
    height: Any,
    width: Any,
    center_x: Any = None,
    center_y: Any = None,
    bounding_box_format: str = "xyxy",
) -> Any:
    """Returns the boxes around boxes that were turned, moved, scaled and sheared with the picture.

    Each argument after `boxes` is a number, or one per batch item.

    Args:
        boxes: Boxes, `(boxes, 4)` or `(batch, boxes, 4)`.
        angle: Degrees to turn by, counter-clockwise.
        translate_x: Shift to the right, as a share of the width.
        translate_y: Shift down, as a share of the height.
        scale: Factor on the size.
        shear_x: Degrees of shear along x.
        shear_y: Degrees of shear along y.
        height: Height of the picture.
        width: Width of the picture.
        center_x: Point that stays where it is, as a share of the width; the middle if None.
        center_y: The same as a share of the height.
        bounding_box_format: Format of the boxes, not a relative one.
    """
    array, kind = _moved(boxes, bounding_box_format, "affine_transform")
    x1, y1, x2, y2 = _parts(array.astype("float32"), kind)
    numbers = (angle, translate_x, translate_y, scale, shear_x, shear_y)
    turn, move_x, move_y, zoom, slant_x, slant_y = (_per_item(value, array) for value in numbers)
    turn, slant_x, slant_y = (jnp.deg2rad(value) for value in (turn, slant_x, slant_y))
    span_x, span_y = _per_item(width, array) - 1, _per_item(height, array) - 1
    middle_x = span_x * (0.5 if center_x is None else _per_item(center_x, array))
    middle_y = span_y * (0.5 if center_y is None else _per_item(center_y, array))
    dx = jnp.concatenate([x1, x2, x1, x2], axis=-1) - middle_x + move_x * span_x  # (..., corners)
    dy = jnp.concatenate([y1, y1, y2, y2], axis=-1) - middle_y + move_y * span_y
    # Keras' order: the shear along y is added to the turn, then the one along x
    cos, sin, along_x, along_y = jnp.cos(turn), jnp.sin(turn), jnp.tan(slant_x), jnp.tan(slant_y)
    y_from_x, y_from_y = along_y * cos - sin, along_y * sin + cos
    x_from_x, x_from_y = cos - along_x * y_from_x, sin + along_x * y_from_y
    new_x = zoom * (x_from_x * dx + x_from_y * dy) + middle_x
    new_y = zoom * (y_from_x * dx + y_from_y * dy) + middle_y
    parts = (jnp.min(new_x, -1), jnp.min(new_y, -1), jnp.max(new_x, -1), jnp.max(new_y, -1))
    return _joined(tuple(part[..., None] for part in parts), kind)  # type: ignore[arg-type]


def _format(name: str, value: str) -> str:
    return one_of("bounding_boxes", name, str(value).lower(), _ALL_FORMATS)


def _parts(array: Any, kind: str) -> _Four:
    four = tuple(array[..., i : i + 1] for i in range(4))
    return _FORMATS[kind.removeprefix("rel_")][0](*four)


def _joined(parts: _Four, kind: str) -> Any:
    return jnp.concatenate(_FORMATS[kind.removeprefix("rel_")][1](*parts), axis=-1)


def _per_item(value: Any, boxes: Any) -> Any:
    """Returns a number as it is, and one number per batch item so that it broadcasts over boxes."""
    if isinstance(value, (int, float)):
        return value
    array = convert_to_tensor(value)
    if not array.ndim or array.size == 1:
        return array.reshape(())
    return array.reshape(-1, *(1,) * (boxes.ndim - 1))


def _moved(boxes: Tensor, bounding_box_format: str, owner: str) -> tuple[Any, str]:
    kind = _format("bounding_box_format", bounding_box_format)
    if kind.startswith("rel_"):
        raise ArgumentError(
            f"{owner}: boxes must be in an absolute format.",
            got=f"bounding_box_format={kind!r}.",
            fixes="convert_format(boxes, source, 'xyxy', height, width)",
        )
    return convert_to_tensor(boxes), kind


def _size_of(image_shape: Sequence[int] | None) -> tuple[Any, Any]:
    return (None, None) if image_shape is None else (image_shape[0], image_shape[1])


def _absolute(boxes: Any, bounding_box_format: str, image_shape: Sequence[int] | None) -> Any:
    kind = _format("bounding_box_format", bounding_box_format)
    if kind.startswith("rel_") and image_shape is None:
        raise ArgumentError(f"image_shape, (height, width, channels), is needed for the format {kind!r}.")
    return convert_format(boxes, kind, "xyxy", *_size_of(image_shape))


def _overlap(first: Any, second: Any) -> tuple[Any, Any]:
    """Returns intersection over union, and the union, of boxes in "xyxy" that broadcast."""
    low, high = jnp.maximum(first[..., :2], second[..., :2]), jnp.minimum(first[..., 2:], second[..., 2:])
    shared = jnp.prod(jnp.maximum(high - low, 0), axis=-1)
    areas = [jnp.prod(boxes[..., 2:] - boxes[..., :2], axis=-1) for boxes in (first, second)]
    union = areas[0] + areas[1] - shared
    return shared / (union + _EPSILON), union


def _encoding(kind: str, variance: Sequence[float] | None) -> tuple[str, Any]:
    kind = one_of("bounding_boxes", "encoding format", str(kind).lower(), ("center_yxhw", "center_xywh"))
    if variance is None:
        return kind, 1.0
    if len(variance) != 4:
        raise ArgumentError("variance holds four numbers.", got=f"{list(variance)}.")
    return kind, jnp.asarray(variance, "float32")
