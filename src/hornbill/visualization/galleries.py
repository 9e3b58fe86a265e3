"""Keras' galleries of images, with labels, boxes or masks."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from hornbill.engine.errors import ArgumentError, ShapeError
from hornbill.engine.settings import standardize_data_format
from hornbill.visualization.figures import need_matplotlib, new_figure, write_title
from hornbill.visualization.overlays import draw_bounding_boxes, draw_segmentation_masks

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["plot_bounding_box_gallery", "plot_image_gallery", "plot_segmentation_mask_gallery"]


def plot_image_gallery(
    images: Any,
    y_true: Any = None,
    y_pred: Any = None,
    label_map: Mapping[int, str] | None = None,
    rows: int | None = None,
    cols: int | None = None,
    value_range: Sequence[float] = (0, 255),
    scale: float = 2,
    path: Any = None,
    show: bool | None = None,
    transparent: bool = True,
    dpi: float = 60,
    legend_handles: Sequence[Any] | None = None,
    data_format: str | None = None,
) -> Figure | None:
    """Shows images side by side, with their labels.

    Args:
        images: Images of one, three or four channels.
        y_true: The true class of each image.
        y_pred: The predicted class of each image.
        label_map: Names by class; needed with `y_true` and `y_pred`.
        rows: Images below each other; as many as needed if None.
        cols: Images side by side; as many as needed if None.
        value_range: The least and the largest value of the images.
        scale: Width and height of an image in inches.
        path: File to write instead of showing the figure.
        show: Whether the figure is shown; True if None and there is no `path`.
        transparent: Whether the file has no background.
        dpi: Dots per inch of the file.
        legend_handles: matplotlib's handles for a legend.
        data_format: Where the images have their channels; the default of `keras.config` if None.

    Returns:
        With `show=False` the matplotlib figure (Keras returns None, and leaves the figure with pyplot); else None.

    Raises:
        ShapeError: If the images are no batch of images, or a label is not given for each.
        ArgumentError: If labels lack a `label_map`, or both `path` and `show` are set.
        MissingPackageError: If matplotlib is not installed.
    """
    owner = "plot_image_gallery"
    need_matplotlib(owner)
    if path is not None and show:
        raise ArgumentError(
            f"{owner} writes a file or shows the figure: path or show=True, not both.", got=f"path={path!r}."
        )
    pictures = _scaled(owner, images, value_range, data_format)
    if (y_true is not None or y_pred is not None) and label_map is None:
        raise ArgumentError(
            f"{owner}: y_true and y_pred need label_map, the names by class.", fixes="label_map={0: 'cat'}"
        )
    titles = _titles(owner, len(pictures), y_true, y_pred, label_map)
    rows, cols = _grid(owner, len(pictures), rows, cols)
    figure = new_figure(owner, scale * cols, scale * rows)
    panels = figure.subplots(rows, cols, squeeze=False).ravel()
    for panel in panels:
        panel.set_axis_off()
    for panel, picture, title in zip(panels, pictures, titles, strict=False):
        panel.imshow(picture[..., 0] if picture.shape[-1] == 1 else picture, cmap="gray", vmin=0, vmax=1)
        if title:
            write_title(panel, title, fontsize=8)
    if legend_handles is not None:
        figure.legend(handles=list(legend_handles), loc="outside lower center", ncols=2)
    if path is not None:
        figure.savefig(path, transparent=transparent, dpi=dpi)
        return None
    if show is None or show:
        figure.show()
        return None
    return figure


def plot_bounding_box_gallery(
    images: Any,
    bounding_box_format: str,
    y_true: Any = None,
    y_pred: Any = None,
    value_range: Sequence[float] = (0, 255),
    true_color: Sequence[int] = (0, 188, 212),
    pred_color: Sequence[int] = (255, 235, 59),
    line_thickness: int = 2,
    font_scale: float = 1.0,
    text_thickness: int | None = None,
    class_mapping: Mapping[int, str] | None = None,
    ground_truth_mapping: Mapping[int, str] | None = None,
    prediction_mapping: Mapping[int, str] | None = None,
    legend: bool = False,
    legend_handles: Sequence[Any] | None = None,
    rows: int | None = None,
    cols: int | None = None,
    data_format: str | None = None,
    **kwargs: Any,
) -> Figure | None:
    """Shows images with their true and predicted boxes.

    Args:
        images: Images of one or three channels.
        bounding_box_format: Format of the boxes; see `keras.utils.bounding_boxes.convert_format`.
        y_true: The true boxes, as `draw_bounding_boxes` takes them.
        y_pred: The predicted boxes.
        value_range: The least and the largest value of the images.
        true_color: Colour of the true boxes.
        pred_color: Colour of the predicted boxes.
        line_thickness: Thickness of the lines in pixels.
        font_scale: Size of the text.
        text_thickness: Thickness of the letters; `line_thickness` if None.
        class_mapping: Names by label.
        ground_truth_mapping: Names by label of the true boxes, if they are others.
        prediction_mapping: Names by label of the predicted boxes, if they are others.
        legend: Whether a legend says which colour is which.
        legend_handles: matplotlib's handles for a legend of your own.
        rows: Images below each other.
        cols: Images side by side.
        data_format: Where the images have their channels; the default of `keras.config` if None.
        **kwargs: Arguments of `plot_image_gallery`.

    Returns:
        What `plot_image_gallery` returns.

    Raises:
        ArgumentError: If both `legend` and `legend_handles` are given.
    """
    owner = "plot_bounding_box_gallery"
    need_matplotlib(owner)
    if legend and legend_handles:
        raise ArgumentError(f"{owner} takes legend=True or legend_handles, not both.")
    pictures = np.rint(_scaled(owner, images, value_range, data_format) * 255).astype("uint8")
    pictures = np.repeat(pictures, 3, -1) if pictures.shape[-1] == 1 else pictures
    handles = []
    for given, colour, names, word in (
        (y_true, true_color, ground_truth_mapping, "true"), (y_pred, pred_color, prediction_mapping, "predicted")
    ):  # fmt: skip
        if given is None:
            continue
        pictures = draw_bounding_boxes(
            pictures, given, bounding_box_format, names or class_mapping, colour, line_thickness,
            text_thickness or line_thickness, font_scale, "channels_last",
        )  # fmt: skip
        handles.append((colour, word))
    if legend:
        from matplotlib.patches import Patch  # noqa: PLC0415  optional package

        legend_handles = [Patch(color=tuple(c / 255 for c in colour), label=word) for colour, word in handles]
    return plot_image_gallery(
        pictures, rows=rows, cols=cols, legend_handles=legend_handles, data_format="channels_last", **kwargs
    )


def plot_segmentation_mask_gallery(
    images: Any,
    num_classes: int,
    value_range: Sequence[float] = (0, 255),
    y_true: Any = None,
    y_pred: Any = None,
    color_mapping: Mapping[int, Sequence[int]] | None = None,
    blend: bool = True,
    alpha: float = 0.8,
    ignore_index: int = -1,
    data_format: str | None = None,
    **kwargs: Any,
) -> Figure | None:
    """Shows each image beside itself with its true and its predicted mask.

    Args:
        images: Images of one or three channels.
        num_classes: The largest class.
        value_range: The least and the largest value of the images.
        y_true: The true masks, as `draw_segmentation_masks` takes them.
        y_pred: The predicted masks.
        color_mapping: Colours by class.
        blend: Whether the image shines through.
        alpha: How much of the colour is seen.
        ignore_index: The class that is not drawn.
        data_format: Where the images have their channels; the default of `keras.config` if None.
        **kwargs: Arguments of `plot_image_gallery`.

    Returns:
        What `plot_image_gallery` returns.
    """
    owner = "plot_segmentation_mask_gallery"
    need_matplotlib(owner)
    first = standardize_data_format(data_format) == "channels_first"
    plain = np.rint(_scaled(owner, images, value_range, data_format) * 255).astype("uint8")
    plain = np.repeat(plain, 3, -1) if plain.shape[-1] == 1 else plain
    columns = [plain]
    for masks in (y_true, y_pred):
        if masks is None:
            continue
        array = np.asarray(masks)
        array = array[:, 0] if first and array.ndim == 4 and array.shape[1] == 1 else array
        columns.append(
            draw_segmentation_masks(
                plain, array, num_classes, color_mapping, alpha, blend, ignore_index, "channels_last"
            )
        )
    together = np.stack(columns, 1).reshape(-1, *plain.shape[1:])
    kwargs = {"rows": len(plain), "cols": len(columns), **kwargs}
    return plot_image_gallery(together, data_format="channels_last", **kwargs)


def _scaled(owner: str, images: Any, value_range: Sequence[float], data_format: str | None) -> np.ndarray:
    """Returns images as numbers from 0 to 1, channels last."""
    axis = 1 if standardize_data_format(data_format) == "channels_first" else -1
    array = np.asarray(images)
    if array.ndim != 4 or array.shape[axis] not in (1, 3, 4) or not len(array):
        raise ShapeError(
            f"{owner} wants a batch of images, "
            f"{'(batch, channels, height, width)' if axis == 1 else '(batch, height, width, channels)'}.",
            got=f"shape {array.shape}.",
            fixes=("images[None]",) if array.ndim == 3 else (),
        )
    low, high = (float(v) for v in value_range)
    if not high > low:
        raise ArgumentError(
            f"{owner}: value_range is the least and the largest value.", got=f"value_range={value_range!r}."
        )
    return np.clip((np.moveaxis(array, axis, -1).astype("float64") - low) / (high - low), 0, 1)


def _titles(owner: str, count: int, y_true: Any, y_pred: Any, names: Any) -> list[str]:
    """Returns the title of each image; two words if both labels are given."""
    parts: list[list[str]] = [[] for _ in range(count)]
    for word, labels in (("Label", y_true), ("Pred", y_pred)):
        if labels is None:
            continue
        flat = np.asarray(labels).ravel()
        if len(flat) != count:
            raise ShapeError(
                f"{owner} wants one label for each of {count} images.", got=f"shape {np.shape(labels)}."
            )
        for part, label in zip(parts, flat.tolist(), strict=True):
            if label not in names:
                raise ArgumentError(
                    f"{owner}: label_map has no name for the class {label}.", got=f"{dict(names)}."
                )
            part.append(f"{word}: {names[label]}")
    return ["  ".join(part) for part in parts]


def _grid(owner: str, count: int, rows: int | None, cols: int | None) -> tuple[int, int]:
    for name, value in (("rows", rows), ("cols", cols)):
        if value is not None and (not isinstance(value, (int, np.integer)) or value < 1):
            raise ArgumentError(f"{owner}: {name} is a whole number, at least 1.", got=f"{name}={value!r}.")
    if rows is None and cols is None:
        rows = math.ceil(math.sqrt(count))
    if rows is None:
        return -(-count // cols), cols  # type: ignore[operator]
    return rows, cols if cols is not None else -(-count // rows)
