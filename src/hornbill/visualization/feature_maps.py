"""`feature_maps` and `plot_feature_maps`: what a layer gives out for an input."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hornbill.engine.errors import ArgumentError
from hornbill.visualization.figures import as_picture, columns_for, grid, need_matplotlib, write_title
from hornbill.visualization.networks import (
    Graph,
    channels_axis,
    checked_input,
    find_layer,
    flat_input,
    graph_of,
    run_graph,
    spatial_layers,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from hornbill.engine.graph import Node

__all__ = ["feature_maps", "plot_feature_maps"]


def feature_maps(model: Any, x: Any, layer: Any = None) -> np.ndarray:
    """Returns what a layer gives out for an input, layers of inner models included.

    Args:
        model: A Functional or Sequential model.
        x: Its input; one sample may lack the batch axis.
        layer: The layer, its name or number; the first convolution if None. Of a layer that is called several times,
            the first call counts.

    Returns:
        The layer's output, batch first.

    Raises:
        ArgumentError: If there is no such layer, or it has several outputs.
        ShapeError: If the input is not that of the model.

    Example:
        >>> import hornbill
        >>> model = hornbill.Sequential([hornbill.Input((8, 8, 1)), hornbill.layers.Conv2D(4, 3)])
        >>> feature_maps(model, np.zeros((2, 8, 8, 1))).shape
        (2, 6, 6, 4)
    """
    graph = graph_of("feature_maps", model)
    node = _node("feature_maps", graph, layer)
    return _output(graph, node, checked_input("feature_maps", graph, x))


def plot_feature_maps(
    model: Any,
    x: Any,
    layer: Any = None,
    sample: int = 0,
    max_maps: int = 64,
    data_format: str | None = None,
    show_input: bool = True,
) -> Figure:
    """Draws what a layer gives out for one sample: a picture for each channel, all with one scale.

    Of `(steps, channels)` one picture is drawn, channels down; of `(depth, height, width, channels)` the middle
    slices; of `(features,)` bars.

    Args:
        model: A Functional or Sequential model.
        x: Its input; one sample may lack the batch axis.
        layer: The layer, its name or number; the first convolution if None.
        sample: Which sample of the batch.
        max_maps: At most so many maps are shown; the title says how many there are.
        data_format: "channels_first" or "channels_last"; that of the layer, or of the nearest before it, if None.
        show_input: Whether the input is shown first, if it is an image.

    Returns:
        A matplotlib figure.

    Raises:
        ArgumentError: If there is no such layer or sample.
        ShapeError: If the input is not that of the model.
    """
    need_matplotlib("plot_feature_maps")
    graph = graph_of("plot_feature_maps", model)
    node = _node("plot_feature_maps", graph, layer)
    data = checked_input("plot_feature_maps", graph, x)
    output = _output(graph, node, data)
    if not -len(output) <= sample < len(output):
        raise ArgumentError(
            f"plot_feature_maps: the batch has {len(output)} samples.", got=f"sample={sample}."
        )
    if max_maps < 1:
        raise ArgumentError("plot_feature_maps: max_maps is at least 1.", got=f"max_maps={max_maps}.")
    values = np.asarray(output[sample], dtype="float64")
    name = f"{node.operation.name} ({type(node.operation).__name__})"
    if values.ndim < 2 or values.ndim > 4:
        return _bars(values.ravel(), f"{name}: {values.size} features")
    if channels_axis(graph, node, data_format) == 1:
        values = np.moveaxis(values, 0, -1)  # (*spatial, channels)
    if values.ndim == 2:
        return _steps(values, f"{name}: {values.shape[1]} channels of {values.shape[0]} steps")
    words = f"{name}: {values.shape[-1]} maps of {' x '.join(map(str, values.shape[:-1]))}"
    if values.ndim == 4:
        middle = values.shape[0] // 2
        values, words = values[middle], f"{words}, slice {middle}"
    image = None
    if show_input and len(graph.inputs) == 1 and np.ndim(data) == 4:
        image = np.asarray(data)[sample]
        image = np.moveaxis(image, 0, -1) if channels_axis(graph, None, data_format) == 1 else image
    return _maps(values, words, image, max_maps)


def _node(owner: str, graph: Graph, layer: Any) -> Node:
    if layer is not None:
        node = find_layer(owner, graph, layer)
    else:
        spatial = spatial_layers(graph)
        node = next((n for n in spatial if "Conv" in type(n.operation).__name__), None) or next(
            iter(spatial), None
        )
        if node is None:
            raise ArgumentError(
                f"{owner}: no layer of model {graph.model.name!r} gives out maps.", fixes="layer='...'"
            )
    if len(node.outputs) != 1:
        raise ArgumentError(
            f"{owner} wants a layer with one output.",
            got=f"{node.operation.name!r}, with {len(node.outputs)}.",
        )
    return node


def _output(graph: Graph, node: Node, x: Any) -> np.ndarray:
    """Runs the model and keeps what one call gave."""
    kept: list[Any] = []

    def call(other: Node, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        result = other.operation(*args, **kwargs)
        if other is node and not kept:
            kept.append(result)
        return result

    if node.is_input:
        places = {id(t): i for i, t in enumerate(graph.inputs)}
        if id(node.outputs[0]) in places:
            return np.asarray(flat_input(graph, x)[places[id(node.outputs[0])]])
    run_graph(graph, flat_input(graph, x), call)
    if not kept:
        raise ArgumentError(
            f"{node.operation.name!r} is the input of an inner model: it gives out what it is given.",
            fixes="name the layer before the inner model",
        )
    return np.asarray(kept[0])


def _maps(values: np.ndarray, words: str, image: np.ndarray | None, most: int) -> Figure:
    count = min(most, values.shape[-1])
    if count < values.shape[-1]:
        words += f" (first {count} shown)"
    extra = image is not None
    columns = columns_for(count + extra)
    ratio = values.shape[0] / values.shape[1]
    figure, panels = grid(
        "plot_feature_maps", count + extra, columns, 1.1, 1.1 * min(3.0, max(0.4, ratio)) + 0.18
    )
    low, high = float(values.min()), float(values.max())
    for i, panel in enumerate(panels[extra:]):
        shown = panel.imshow(values[..., i], cmap="viridis", vmin=low, vmax=high, interpolation="nearest")
        write_title(panel, f"{i}", fontsize=8, pad=2)
    if extra:
        panels[0].imshow(as_picture(image), cmap="gray", vmin=0, vmax=1, interpolation="nearest")  # type: ignore[arg-type]
        write_title(panels[0], "input", fontsize=8, pad=2)
    write_title(figure, words, fontsize=10)
    figure.colorbar(shown, ax=panels, shrink=0.8, aspect=30)
    return figure


def _steps(values: np.ndarray, words: str) -> Figure:
    figure, (panel,) = grid("plot_feature_maps", 1, size=6.0, height=3.2)
    shown = panel.imshow(values.T, cmap="viridis", aspect="auto", interpolation="nearest")
    panel.set_xticks([0, values.shape[0] - 1])
    panel.set_yticks([0, values.shape[1] - 1])
    panel.set_xlabel("steps")
    panel.set_ylabel("channels")
    write_title(figure, words, fontsize=10)
    figure.colorbar(shown, ax=panel)
    return figure


def _bars(values: np.ndarray, words: str) -> Figure:
    figure, (panel,) = grid("plot_feature_maps", 1, size=6.0, height=2.6)
    panel.bar(np.arange(len(values)), values, width=0.9 if len(values) < 200 else 1.0, color="#2b6cb0")
    panel.axhline(0, color="#5a6270", linewidth=0.8)
    panel.set_xticks(np.unique(np.linspace(0, len(values) - 1, min(len(values), 11)).round().astype(int)))
    panel.yaxis.set_major_locator(_ticks())
    panel.set_xlabel("features")
    write_title(figure, words, fontsize=10)
    return figure


def _ticks() -> Any:
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415  optional package

    return MaxNLocator(5)
