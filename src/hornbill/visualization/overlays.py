"""`draw_bounding_boxes` and `draw_segmentation_masks`: pictures of data with their labels drawn in, as arrays.

Drawn with Pillow; OpenCV is not needed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from hornbill.engine.errors import ArgumentError, ArgumentTypeError, ShapeError
from hornbill.engine.settings import standardize_data_format
from hornbill.explain.typeface import UNITS, lost_signs, runs, warn_of
from hornbill.utils.bounding_boxes import convert_format

__all__ = ["draw_bounding_boxes", "draw_segmentation_masks"]

_TEXT = 11.0  # pixels of text at font_scale 1


def draw_bounding_boxes(
    images: Any,
    bounding_boxes: Any,
    bounding_box_format: str,
    class_mapping: Mapping[int, str] | None = None,
    color: Sequence[int] = (128, 128, 128),
    line_thickness: int = 2,
    text_thickness: int = 1,
    font_scale: float = 1.0,
    data_format: str | None = None,
) -> np.ndarray:
    """Draws boxes, and the names of what is in them, into images.

    Args:
        images: Images of one or three channels, from 0 to 255.
        bounding_boxes: Dictionary with "boxes", `(batch, boxes, 4)`, "labels", `(batch, boxes)`, and perhaps
            "confidences", `(batch, boxes)`. Boxes with a negative label are left out.
        bounding_box_format: Format of the boxes; see `keras.utils.bounding_boxes.convert_format`.
        class_mapping: Names by label; boxes without a name get no text.
        color: Red, green and blue of lines and texts, from 0 to 255.
        line_thickness: Thickness of the lines in pixels.
        text_thickness: Thickness of the letters' strokes; 1 is plain.
        font_scale: Size of the text; 1 is 11 pixels.
        data_format: Where the images have their channels; the default of `keras.config` if None.

    Returns:
        The images with boxes, as `uint8`, in the shape of `images`.

    Raises:
        ShapeError: If images or boxes have another shape.
        ArgumentTypeError: If `bounding_boxes` is no dictionary.
        ArgumentError: If it lacks "boxes" or "labels", or an argument is none of those it can be.
    """
    owner = "draw_bounding_boxes"
    pictures, axis = _pictures(owner, images, data_format)
    colour, width = _colour(owner, color), _thickness(owner, "line_thickness", line_thickness)
    strength = _thickness(owner, "text_thickness", text_thickness)
    if not font_scale > 0:
        raise ArgumentError(f"{owner}: font_scale is above 0.", got=f"font_scale={font_scale!r}.")
    boxes, labels, confidences = _boxes(owner, bounding_boxes, pictures, bounding_box_format)
    names = {int(label): str(name) for label, name in (class_mapping or {}).items()}
    warn_of("".join(lost_signs(name) for name in names.values()))
    result = []
    for i, picture in enumerate(pictures):
        image = Image.fromarray(picture)
        draw = ImageDraw.Draw(image)
        for j, (x1, y1, x2, y2) in enumerate(boxes[i]):
            label = int(labels[i, j])
            if label < 0 or not np.isfinite(boxes[i, j]).all() or x2 < x1 or y2 < y1:
                continue
            corners = [round(float(v)) for v in (x1, y1, x2, y2)]
            draw.rectangle(corners, outline=colour, width=width)
            if label in names:
                text = names[label] if confidences is None else f"{names[label]}: {confidences[i, j]:.2f}"
                _write(draw, text, corners[0], corners[1], colour, _TEXT * font_scale, strength)
        result.append(np.asarray(image))
    return _restored(np.stack(result), axis, np.shape(images))


def draw_segmentation_masks(
    images: Any,
    segmentation_masks: Any,
    num_classes: int | None = None,
    color_mapping: Mapping[int, Sequence[int]] | None = None,
    alpha: float = 0.8,
    blend: bool = True,
    ignore_index: int = -1,
    data_format: str | None = None,
) -> np.ndarray:
    """Draws masks of classes over images, each class in its colour.

    Class 0, the background, is black unless `ignore_index=0`. Negative classes and those above `num_classes` are not
    drawn. (Keras leaves out the class `num_classes` too, although it documents it as the last.)

    Args:
        images: Images of one or three channels, from 0 to 255.
        segmentation_masks: Whole numbers, `(batch, height, width)` or `(batch, height, width, 1)`.
        num_classes: The largest class; that of the masks if None.
        color_mapping: Red, green and blue by class, from 0 to 255; a fixed list of colours if None.
        alpha: How much of the colour is seen, from 0 to 1.
        blend: Whether the image shines through; colours replace it if not.
        ignore_index: The class that is not drawn.
        data_format: Where the images have their channels; the default of `keras.config` if None.

    Returns:
        The images with masks, as `uint8`, in the shape of `images`.

    Raises:
        ShapeError: If images or masks have another shape.
        ArgumentTypeError: If the masks hold no whole numbers.
        ArgumentError: If a class has no colour, or `alpha` is not from 0 to 1.
    """
    owner = "draw_segmentation_masks"
    pictures, axis = _pictures(owner, images, data_format)
    masks = np.asarray(segmentation_masks)
    if masks.dtype.kind not in "iu":
        raise ArgumentTypeError(
            f"{owner}: masks hold whole numbers, the classes.",
            got=f"dtype {masks.dtype}.",
            fixes="masks.astype('int32')",
        )
    if masks.ndim == 4 and axis == 1 and masks.shape[1] == 1:
        masks = masks[:, 0]
    elif masks.ndim == 4 and masks.shape[-1] == 1:
        masks = masks[..., 0]
    if masks.shape != pictures.shape[:3]:
        raise ShapeError(
            f"{owner}: masks have a class for each place of the images, {pictures.shape[:3]}.",
            got=f"shape {masks.shape}.",
        )
    if not 0 <= alpha <= 1:
        raise ArgumentError(f"{owner}: alpha is from 0 to 1.", got=f"alpha={alpha!r}.")
    largest = int(masks.max(initial=0)) if num_classes is None else int(num_classes)
    drawn = (masks >= 0) & (masks <= largest) & (masks != ignore_index)
    colours = _colours(owner, color_mapping, np.unique(masks[drawn]), largest)
    painted = colours[np.where(drawn, masks, 0)]
    if blend:
        painted = (alpha * painted + (1 - alpha) * pictures.astype("float64")).astype("uint8")
    result = np.where(drawn[..., None], painted, pictures).astype("uint8")
    return _restored(result, axis, np.shape(images))


# ---- images


def _pictures(owner: str, images: Any, data_format: str | None) -> tuple[np.ndarray, int]:
    """Returns the images as `uint8` with three channels last, and the axis where the channels were."""
    axis = 1 if standardize_data_format(data_format) == "channels_first" else -1
    array = np.asarray(images)
    if array.ndim != 4 or array.shape[axis] not in (1, 3):
        raise ShapeError(
            f"{owner} wants a batch of images of one or three channels, "
            f"{'(batch, channels, height, width)' if axis == 1 else '(batch, height, width, channels)'}.",
            got=f"shape {array.shape}.",
            fixes=("images[None]",)
            if array.ndim == 3
            else ("data_format='channels_first'",)
            if axis == -1
            else (),
        )
    array = np.moveaxis(array, axis, -1)
    array = np.clip(array, 0, 255).astype("uint8")
    return (np.repeat(array, 3, -1) if array.shape[-1] == 1 else array), axis


def _restored(pictures: np.ndarray, axis: int, shape: tuple[int, ...]) -> np.ndarray:
    """Returns pictures in the shape of the images; colours on grey images stay colours."""
    result = np.moveaxis(pictures, -1, 1) if axis == 1 else pictures
    if shape[axis] == 1:
        grey = np.rint(pictures @ np.array([0.299, 0.587, 0.114])).astype("uint8")[..., None]
        result = np.moveaxis(grey, -1, 1) if axis == 1 else grey
    return np.ascontiguousarray(result)


def _colour(owner: str, colour: Any) -> tuple[int, int, int]:
    values = np.asarray(colour)
    if values.shape != (3,) or values.dtype.kind not in "iuf" or (values < 0).any() or (values > 255).any():
        raise ArgumentError(
            f"{owner}: a colour is red, green and blue from 0 to 255.",
            got=f"{colour!r}.",
            fixes="(255, 0, 0)",
        )
    red, green, blue = (int(v) for v in values)
    return red, green, blue


def _thickness(owner: str, name: str, value: Any) -> int:
    if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or value < 1:
        raise ArgumentError(
            f"{owner}: {name} is a whole number of pixels, at least 1.", got=f"{name}={value!r}."
        )
    return int(value)


def _boxes(
    owner: str, given: Any, pictures: np.ndarray, kind: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    if not isinstance(given, Mapping):
        raise ArgumentTypeError(
            f"{owner}: bounding_boxes is a dictionary with 'boxes' and 'labels'.",
            got=f"{type(given).__name__}.",
        )
    if "boxes" not in given or "labels" not in given:
        raise ArgumentError(
            f"{owner}: bounding_boxes is a dictionary with 'boxes' and 'labels'.",
            got=f"{', '.join(map(repr, given))}.",
        )
    boxes, labels = np.asarray(given["boxes"], dtype="float32"), np.asarray(given["labels"])
    count, height, width = pictures.shape[:3]
    if boxes.ndim != 3 or boxes.shape[0] != count or boxes.shape[-1] != 4 or labels.shape != boxes.shape[:2]:
        raise ShapeError(
            f"{owner}: {count} images need boxes (batch {count}, boxes, 4) and labels (batch {count}, boxes).",
            got=f"boxes {boxes.shape} and labels {labels.shape}.",
        )
    confidences = given.get("confidences")
    if confidences is not None and np.shape(confidences) != labels.shape:
        raise ShapeError(
            f"{owner}: confidences have the shape of labels, {labels.shape}.", got=f"{np.shape(confidences)}."
        )
    converted = convert_format(boxes, kind, "xyxy", height=height, width=width)
    return np.asarray(converted), labels, None if confidences is None else np.asarray(confidences)


def _write(
    draw: ImageDraw.ImageDraw, text: str, left: float, top: float, colour: Any, size: float, strength: int
) -> None:
    """Writes a text above a box, or inside it where there is no room above."""
    y = top - 0.35 * size if top > 1.3 * size else top + 1.1 * size
    x = left + 2.0
    for face, piece in runs(text):
        font = face.at(size)
        for sign in piece:
            for i in range(strength):
                draw.text((x + 0.4 * i, y), sign, fill=colour, font=font, anchor="ls")
            x += face.advance(sign) * size / UNITS


def _colours(owner: str, mapping: Any, used: np.ndarray, largest: int) -> np.ndarray:
    """Returns the colours of classes 0 to `largest`, `(classes, 3)`."""
    numbers = np.arange(largest + 1)
    if mapping is None:  # Keras' colours: black, then steps of 1, 127 and 31 round a circle of 255
        return np.stack([numbers * step % 255 for step in (1, 127, 31)], -1).astype("float64")
    colours = np.zeros((largest + 1, 3))
    known = {int(label): _colour(owner, colour) for label, colour in mapping.items()}
    lacking = [int(label) for label in used if int(label) not in known and label != 0]
    if lacking:
        raise ArgumentError(
            f"{owner}: color_mapping has no colour for {', '.join(f'class {label}' for label in lacking)}.",
            got=f"colours for {', '.join(map(str, known)) or 'none'}.",
            fixes=f"color_mapping={{..., {lacking[0]}: (255, 0, 0)}}",
        )
    for label, colour in known.items():
        if 0 <= label <= largest:
            colours[label] = colour
    return colours
