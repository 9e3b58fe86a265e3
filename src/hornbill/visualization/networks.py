"""What the pictures need of a network: its graph, a layer by name, a checked input, and a run with a layer's output."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np

from hornbill.engine.axes import axis_names, describe_shape
from hornbill.engine.errors import (
    ArgumentError,
    ArgumentTypeError,
    NotBuiltError,
    ShapeError,
    did_you_mean,
)
from hornbill.engine.graph import Node, Program
from hornbill.engine.layer import Layer
from hornbill.engine.settings import image_data_format
from hornbill.engine.symbolic import leaves_of
from hornbill.visualization.figures import shortened

__all__ = ["Graph", "channels_axis", "checked_input", "find_layer", "graph_of", "spatial_layers"]


@dataclass(slots=True)
class Graph:
    """A model as a graph.

    Attributes:
        model: The model as it was given.
        inputs: Its input KerasTensors.
        outputs: Its output KerasTensors.
        program: The calls between them.
    """

    model: Any
    inputs: list[Any]
    outputs: list[Any]
    program: Program

    def nodes(self) -> list[Node]:
        """Returns all calls, those inside inner models too, in the order in which they run."""
        return [inner for node in self.program.nodes for inner in (node, *_inner_nodes(node))]


def _inner_nodes(node: Node) -> list[Node]:
    graph = _graph_or_none(node.operation)
    return [] if graph is None else graph.nodes()


def _graph_or_none(model: Any) -> Graph | None:
    if not isinstance(model, Layer):
        return None
    graph = model._inner_graph()
    if graph is None:
        return None
    return Graph(graph, graph._program.inputs, graph._program.outputs, graph._program)


def graph_of(owner: str, model: Any) -> Graph:
    """Returns the graph of a Functional or Sequential model.

    Args:
        owner: The function that needs it.
        model: The model.

    Raises:
        ArgumentTypeError: If it is no model.
        NotBuiltError: If it does not know its shapes yet.
        ArgumentError: If it has a `call` of its own, so that there is no graph.
    """
    if not isinstance(model, Layer):
        raise ArgumentTypeError(f"{owner} wants a model.", got=f"{type(model).__name__}.")
    graph = _graph_or_none(model)
    if graph is not None:
        return Graph(model, graph.inputs, graph.outputs, graph.program)
    if type(model).__name__ == "Sequential":
        raise NotBuiltError(
            f"{owner}: model {model.name!r} does not know its shapes yet.",
            fixes=("Start it with Input((28, 28, 1))", "call it on data: model(x)"),
        )
    raise ArgumentError(
        f"{owner} wants a Functional or Sequential model, whose layers' outputs it can reach.",
        got=f"{model.name!r}, a {type(model).__name__} with a call of its own.",
        fixes="inputs = Input(shape); Model(inputs, model.call(inputs))",
    )


def find_layer(owner: str, graph: Graph, layer: Any) -> Node:
    """Returns the first call of a layer, given as itself, by name, or by number.

    Args:
        owner: The function that asks.
        graph: The graph, inner models included.
        layer: The layer.

    Raises:
        ArgumentError: If the model has no such layer.
    """
    nodes = graph.nodes()
    if isinstance(layer, (int, np.integer)) and not isinstance(layer, bool):
        layers = graph.model.layers
        if not -len(layers) <= layer < len(layers):
            raise ArgumentError(
                f"{owner}: model {graph.model.name!r} has {len(layers)} layers; a number is a place in model.layers.",
                got=f"layer={layer}.",
            )
        layer = layers[int(layer)]
    for node in nodes:
        if node.operation is layer or node.operation.name == layer:
            return node
    names = [node.operation.name for node in nodes]
    said = layer if isinstance(layer, str) else getattr(layer, "name", layer)
    raise ArgumentError(
        f"{owner}: model {graph.model.name!r} has no layer {said!r}.{did_you_mean(said, names)}",
        got=f"layers {shortened(list(dict.fromkeys(names)))}.",
    )


def spatial_layers(graph: Graph) -> list[Node]:
    """Returns the calls with maps as output, `(batch, ..., channels)` with one to three axes between."""
    return [
        node
        for node in graph.nodes()
        if not node.is_input
        and len(node.outputs) == 1
        and 3 <= len(node.outputs[0].shape) <= 5
        and _graph_or_none(node.operation) is None
    ]


def channels_axis(graph: Graph, node: Node | None = None, data_format: str | None = None) -> int:
    """Returns the axis of the channels, 1 or -1: as asked, as the layer says, as the nearest layer before it says."""
    if data_format is not None:
        return 1 if data_format == "channels_first" else -1
    nodes = graph.nodes()
    if node is None:
        said = [getattr(other.operation, "data_format", None) for other in nodes]
        said = [word for word in said if word is not None]
    else:
        before = nodes[: nodes.index(node) + 1]
        said = [getattr(other.operation, "data_format", None) for other in reversed(before)]
        said = [word for word in said if word is not None]
    word = said[0] if said else image_data_format()
    return 1 if word == "channels_first" else -1


def checked_input(owner: str, graph: Graph, x: Any) -> Any:
    """Returns the data as arrays in the model's input structure, with a batch axis.

    One sample without its batch axis is taken for a batch of one.

    Args:
        owner: The function that was called.
        graph: The model's graph.
        x: An array, or a list or dict of them for several inputs.

    Raises:
        ShapeError: If a shape is not that of the model's input.
        ArgumentTypeError: If it is not made of numbers.
    """
    if len(graph.inputs) > 1:
        return x
    tensor, given = graph.inputs[0], leaves_of(x)
    value = (
        given[0]
        if isinstance(x, (dict, list, tuple)) and len(given) == 1 and hasattr(given[0], "shape")
        else x
    )
    array = np.asarray(value)
    if array.dtype == object or array.dtype.kind not in "biuf":
        raise ArgumentTypeError(
            f"{owner} wants an array of numbers.", got=f"dtype {array.dtype}, from {type(x).__name__}."
        )
    wanted, given_shape = tensor.shape, array.shape
    if array.ndim == len(wanted) - 1:
        array = array[None]
    fits = array.ndim == len(wanted) and all(
        w is None or w == s for w, s in zip(wanted, array.shape, strict=True)
    )
    if not fits:
        first = channels_axis(graph) == 1
        names = axis_names(len(wanted), "channels_first" if first else "channels_last")
        raise ShapeError(
            f"{owner}: model {graph.model.name!r} takes {describe_shape(wanted, names)}.",
            got=f"shape {given_shape}.",
            fixes=_fixes(given_shape, wanted, first),
        )
    if not array.shape[0]:
        raise ShapeError(f"{owner} wants at least one sample.", got=f"shape {array.shape}.")
    return array


def _fixes(shape: tuple[int, ...], wanted: Any, first: bool) -> tuple[str, ...]:
    fixes = []
    if len(shape) == len(wanted) - 1 and wanted[-1] == 1:
        fixes.append("x[..., None]")
    if len(shape) == len(wanted) - 2 and wanted[-1] == 1:
        fixes.append("x[None, ..., None]")
    if len(shape) == len(wanted) == 4 and not first and shape[1] == wanted[-1]:
        fixes.append("np.moveaxis(x, 1, -1)  # channels first to last")
    if len(shape) == len(wanted) == 4 and first and shape[-1] == wanted[1]:
        fixes.append("np.moveaxis(x, -1, 1)  # channels last to first")
    return tuple(fixes)


def run_graph(
    graph: Graph, values: list[Any], call: Callable[[Node, tuple[Any, ...], dict[str, Any]], Any]
) -> list[Any]:
    """Runs a graph with `call` for every layer, those inside inner models too.

    Args:
        graph: The graph.
        values: One array per input.
        call: `(node, args, kwargs) -> result`.
    """

    def inner(node: Node, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        below = _graph_or_none(node.operation)
        if below is None:
            return call(node, args, kwargs)
        results = run_graph(below, [v for v in leaves_of(args) if v is not None], call)
        return results[0] if len(results) == 1 else results

    return graph.program.run(values, inner)


def flat_input(graph: Graph, x: Any) -> list[Any]:
    """Returns the data as one array per input, in order and in the inputs' dtypes."""
    values = (
        [x[name] for name in (t._keras_history[0].name for t in graph.inputs)]
        if isinstance(x, dict)
        else leaves_of(x)
    )
    if len(values) != len(graph.inputs):
        raise ArgumentError(
            f"Model {graph.model.name!r} has {len(graph.inputs)} inputs.", got=f"{len(values)} arrays."
        )
    return [jnp.asarray(value, tensor.dtype) for value, tensor in zip(values, graph.inputs, strict=True)]
