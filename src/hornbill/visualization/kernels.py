"""`plot_kernels`: the weights of a layer as pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hornbill.engine.errors import ArgumentError, ArgumentTypeError, NotBuiltError
from hornbill.engine.layer import Layer
from hornbill.engine.variable import Variable
from hornbill.visualization.figures import columns_for, grid, need_matplotlib, shortened, write_title
from hornbill.visualization.networks import find_layer, graph_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["plot_kernels"]

_ROWS, _COLUMNS = 8, 8  # of filters by input channels


def plot_kernels(
    model_or_layer: Any,
    layer: Any = None,
    channel: int | None = None,
    weight: str | None = None,
    max_kernels: int = 64,
) -> Figure:
    """Draws the kernels of a layer: white is 0, red positive, blue negative, with one scale for all.

    The kernels of a layer with one input channel stand in a block, one picture for each filter. Those of a layer with
    more stand in a table: a row for each filter, a column for each input channel. A kernel over one axis is one picture
    for each filter, input channels down; over three axes, slices along the first, one below the other. The kernel of a
    Dense layer is one picture.

    Args:
        model_or_layer: A built layer, or a Functional or Sequential model.
        layer: Of a model: the layer, its name or number; the first that has a kernel if None.
        channel: The one input channel to show, so that filters stand in a block.
        weight: Name of the weight; the kernel if None.
        max_kernels: At most so many filters are shown; the title says how many there are.

    Returns:
        A matplotlib figure: `figure.savefig("kernels.png")`.

    Raises:
        ArgumentError: If the layer has no kernel, or no such weight or channel.
        NotBuiltError: If the layer has no weights yet.

    Example:
        >>> import hornbill
        >>> layer = hornbill.layers.Conv2D(4, 3)
        >>> layer.build((None, 8, 8, 1))
        >>> len(plot_kernels(layer).axes)  # four kernels and the scale
        5
    """
    need_matplotlib("plot_kernels")
    found = _layer(model_or_layer, layer)
    variable = _weight(found, weight)
    values = np.asarray(variable, dtype="float32")
    axes = variable.axes or tuple(f"axis {i}" for i in range(values.ndim))
    if max_kernels < 1:
        raise ArgumentError("plot_kernels: max_kernels is at least 1.", got=f"max_kernels={max_kernels}.")
    window = sum(axis.startswith("kernel ") for axis in axes)
    if values.ndim < 2 or not window:
        return _one_picture(found, variable, values, axes)
    inputs = next((i for i, axis in enumerate(axes) if "channels" in axis), values.ndim - 2)
    filters = next(i for i in range(window, values.ndim) if i != inputs)
    kernels = np.moveaxis(values, (filters, inputs), (0, 1))  # (filters, input channels, *kernel)
    if axes[filters] == "depth multiplier":
        kernels = np.moveaxis(kernels, 0, 1).reshape(-1, 1, *kernels.shape[2:])  # each its own kernel
    words = f"{found.name}: {len(kernels)} kernels of {' x '.join(map(str, kernels.shape[2:]))}"
    if window == 1 and kernels.shape[1] > 1 and channel is None:
        return _table(kernels[:, None], f"{words} x {kernels.shape[1]} input channels (down)", max_kernels)
    if channel is not None:
        if not 0 <= channel < kernels.shape[1]:
            raise ArgumentError(
                f"plot_kernels: {found.name!r} has {kernels.shape[1]} input channels, numbered from 0.",
                got=f"channel={channel}.",
            )
        kernels, words = kernels[:, channel : channel + 1], f"{words}, input channel {channel}"
    return _table(kernels, words, max_kernels)


def _layer(target: Any, layer: Any) -> Layer:
    if not isinstance(target, Layer):
        raise ArgumentTypeError("plot_kernels wants a layer or a model.", got=f"{type(target).__name__}.")
    if not hasattr(target, "get_layer"):
        return target
    graph = graph_of("plot_kernels", target)
    if layer is not None:
        return find_layer("plot_kernels", graph, layer).operation  # type: ignore[return-value]
    for node in graph.nodes():
        layer = node.operation
        if (
            isinstance(layer, Layer)
            and not hasattr(layer, "get_layer")
            and any(map(_is_kernel, layer.weights))
        ):
            return layer
    raise ArgumentError(f"plot_kernels: no layer of model {target.name!r} has a kernel.")


def _is_kernel(variable: Variable) -> bool:
    return "kernel" in variable.name and len(variable.shape) > 1


def _weight(layer: Layer, name: str | None) -> Variable:
    if not layer.built:
        raise NotBuiltError(
            f"Layer {layer.name!r} has no weights yet.", fixes="layer.build(input_shape), or call it once."
        )
    weights = layer.weights
    for variable in weights:
        if _is_kernel(variable) if name is None else name in (variable.name, variable.path):
            return variable
    said = "no kernel" if name is None else f"no weight {name!r}"
    names = shortened([v.name for v in weights]) if weights else "no weights"
    raise ArgumentError(
        f"plot_kernels: layer {layer.name!r} ({type(layer).__name__}) has {said}.",
        got=f"{names}.",
        fixes=() if not weights else f"plot_kernels(layer, weight={weights[0].name!r})",
    )


def _one_picture(layer: Layer, variable: Variable, values: np.ndarray, axes: tuple[str, ...]) -> Figure:
    """Draws a weight without a window: its last axis across, all others down."""
    flat = np.atleast_2d(values) if values.ndim < 2 else values.reshape(-1, values.shape[-1])
    figure, (panel,) = grid(
        "plot_kernels", 1, size=4.2, height=min(8.0, max(1.4, 4.2 * len(flat) / flat.shape[1]))
    )
    shown = panel.imshow(flat, **_colours(flat), aspect="auto", interpolation="nearest")
    panel.set_xticks([0, flat.shape[1] - 1] if flat.shape[1] > 1 else [0])
    panel.set_yticks([0, len(flat) - 1] if len(flat) > 1 else [0])
    panel.set_xlabel(axes[-1])
    panel.set_ylabel(" x ".join(axes[:-1]))
    write_title(figure, f"{layer.name}: {variable.name}, {' x '.join(map(str, values.shape))}", fontsize=11)
    figure.colorbar(shown, ax=panel, shrink=0.8)
    return figure


def _table(kernels: np.ndarray, words: str, most: int) -> Figure:
    """Draws kernels, `(filters, input channels, *kernel)`, in a block, or in a table if there are several channels."""
    count, channels = kernels.shape[:2]
    if channels == 1:
        shown = kernels[:most]
        columns = columns_for(len(shown), _COLUMNS)
        labels = None
    else:
        shown = kernels[: min(most, _ROWS), :_COLUMNS]
        columns = shown.shape[1]
        labels = shown.shape[:2]
        words += f" x {channels} input channels"
        shown = shown.reshape(-1, 1, *shown.shape[2:])
    parts = []
    if labels and labels[1] < channels:
        parts.append(f"first {labels[1]} channels")
    rows = labels[0] if labels else len(shown)
    if rows < count:
        parts.append(f"first {rows} filters")
    if parts:
        words += f" ({', '.join(parts)} shown)"
    tiles = [_flat(kernel[0]) for kernel in shown]
    height, width = tiles[0].shape
    size = 0.85
    figure, panels = grid(
        "plot_kernels", len(tiles), columns, size, size * min(4.0, max(0.5, height / width))
    )
    colours = _colours(kernels)
    for i, (panel, tile) in enumerate(zip(panels, tiles, strict=True)):
        image = panel.imshow(tile, **colours, interpolation="nearest")
        if labels:
            if i < columns:
                write_title(panel, f"in {i}", fontsize=8)
            if i % columns == 0:
                panel.set_ylabel(f"filter {i // columns}", fontsize=8)
        else:
            write_title(panel, f"{i}", fontsize=8, pad=2)
    write_title(figure, words, fontsize=10)
    figure.colorbar(image, ax=panels, shrink=0.8, aspect=30)
    return figure


def _flat(kernel: np.ndarray) -> np.ndarray:
    """Returns a kernel as a picture: one row if it has one axis, slices below each other if it has three."""
    if kernel.ndim == 1:
        return kernel[None]
    if kernel.ndim == 2:
        return kernel
    gap = np.full((1, kernel.shape[2]), np.nan)
    rows = [part for piece in kernel for part in (piece, gap)][:-1]
    return np.concatenate(rows)


def _colours(values: np.ndarray) -> dict[str, Any]:
    top = float(np.abs(values[np.isfinite(values)]).max(initial=0.0)) or 1.0
    return {"cmap": "RdBu_r", "vmin": -top, "vmax": top}
