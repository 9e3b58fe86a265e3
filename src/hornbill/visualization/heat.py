"""What Grad-CAM and occlusion maps share: images to show, and figures of image, map and both."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from hornbill.engine.errors import ArgumentError
from hornbill.visualization.figures import as_picture, grid, write_title
from hornbill.visualization.networks import Graph, channels_axis

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["image_of", "label_of", "overlay"]


def image_of(owner: str, graph: Graph, x: Any, data_format: str | None) -> np.ndarray:
    """Returns the input as images, channels last.

    Args:
        owner: The function that draws.
        graph: The model's graph.
        x: The checked input.
        data_format: As the user gave it.

    Raises:
        ArgumentError: If the model takes something else than one image.
    """
    if len(graph.inputs) != 1 or np.ndim(x) != 4:
        raise ArgumentError(
            f"{owner} draws models that take one image, (batch, height, width, channels).",
            got=", ".join(str(t.shape) for t in graph.inputs) + ".",
            fixes=f"use {owner.removeprefix('plot_')}, which returns an array" if "cam" in owner else (),
        )
    images = np.asarray(x)
    return np.moveaxis(images, 1, -1) if channels_axis(graph, None, data_format) == 1 else images


def label_of(output: np.ndarray, class_index: int, names: Sequence[str] | None) -> str:
    """Returns what a row says of its class: name and the model's output for it."""
    name = names[class_index] if names is not None and class_index < len(names) else f"class {class_index}"
    return f"{name}: {output[class_index]:.3g}" if output.ndim == 1 else str(name)


def overlay(
    owner: str, images: np.ndarray, maps: np.ndarray, words: Sequence[str], title: str, signed: bool
) -> Figure:
    """Draws a row for each image: the image, its map with a scale, the map over the image.

    Args:
        owner: The function that draws.
        images: Images, channels last.
        maps: Maps of any size, `(batch, height, width)`.
        words: What stands above each image.
        title: The title.
        signed: Whether maps have a sign: then red is positive and blue negative.
    """
    figure, panels = grid(owner, 3 * len(images), 3, 2.1, 2.1 * images.shape[1] / images.shape[2] + 0.3)
    height, width = images.shape[1:3]
    extent = (-0.5, width - 0.5, height - 0.5, -0.5)
    for i, (image, heat, word) in enumerate(zip(images, maps, words, strict=True)):
        top = float(np.abs(heat).max()) or 1.0
        colours = (
            {"cmap": "RdBu_r", "vmin": -top, "vmax": top}
            if signed
            else {"cmap": "inferno", "vmin": 0.0, "vmax": top}
        )
        first, second, third = panels[3 * i : 3 * i + 3]
        picture = as_picture(image)
        first.imshow(picture, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        shown = second.imshow(heat, **colours, extent=extent, interpolation="nearest")
        third.imshow(picture if picture.ndim == 2 else picture[..., :3].mean(-1), cmap="gray", vmin=0, vmax=1)
        third.imshow(heat, **colours, extent=extent, interpolation="nearest", alpha=0.8 * np.abs(heat) / top)
        for panel in (second, third):
            panel.set_xlim(extent[:2])
            panel.set_ylim(extent[2:])
        write_title(first, word, fontsize=9)
        write_title(second, "map" if np.any(heat) else "map: 0 everywhere", fontsize=9)
        write_title(third, "map over image", fontsize=9)
        figure.colorbar(shown, ax=second, shrink=0.8)
    write_title(figure, title, fontsize=10)
    return figure
