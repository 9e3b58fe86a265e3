"""Grad-CAM: which places of a layer's maps speak for a class, by the gradient of the class' score. A heuristic.

R. R. Selvaraju, M. Cogswell, A. Das, R. Vedantam, D. Parikh, D. Batra, "Grad-CAM: Visual Explanations from Deep
Networks via Gradient-based Localization", ICCV 2017. Its limits: J. Adebayo et al., "Sanity Checks for Saliency Maps",
NeurIPS 2018.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

from hornbill.activations import get as get_activation
from hornbill.engine.errors import ArgumentError
from hornbill.engine.graph import Node, OpOperation
from hornbill.engine.layer import Layer
from hornbill.engine.variable import functional_call
from hornbill.visualization.figures import need_matplotlib
from hornbill.visualization.heat import image_of, label_of, overlay
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

__all__ = ["grad_cam", "plot_grad_cam"]

_SQUASHING = ("softmax", "sigmoid", "log_softmax")
_SMALLER = ("Pool", "Dropout", "Padding", "Cropping", "Reshape", "Permute", "Flatten", "Rescaling", "Noise")


def grad_cam(
    model: Any, x: Any, class_index: Any = None, layer: Any = None, data_format: str | None = None
) -> np.ndarray:
    """Returns a heat map of which places of a layer's output raise the score of a class.

    With `A` the layer's maps and `s` the score of the class before softmax or sigmoid:

        weight[k] = mean over all places of ds / dA[place, k]
        map[place] = max(0, sum over k of weight[k] * A[place, k])

    This is a heuristic: a place that it marks need not be what the network relies on, and it was made for networks that
    average their last maps; behind a Flatten it is often 0 everywhere. Compare it with `occlusion_map`, which tries.

    Args:
        model: A Functional or Sequential model, layers of inner models included.
        x: Its input; one sample may lack the batch axis.
        class_index: Number of the class, or one for each sample; the class with the largest score if None. Of a model
            with several scores for each place, as in segmentation, the scores of all places are added.
        layer: The layer, its name or number; the last with maps, poolings aside, if None.
        data_format: "channels_first" or "channels_last"; that of the layer, or of the nearest before it, if None.

    Returns:
        Heat maps of the layer's own size, at least 0 and not scaled.

    Shapes:
        The result is `(batch, *spatial)`.

    Raises:
        ArgumentError: If there is no such layer or class, or the layer has no maps.
        ShapeError: If the input is not that of the model.
    """
    graph = graph_of("grad_cam", model)
    node = _target("grad_cam", graph, layer)
    inputs = flat_input(graph, checked_input("grad_cam", graph, x))
    return np.asarray(_maps(graph, node, inputs, class_index, channels_axis(graph, node, data_format)))


def plot_grad_cam(
    model: Any,
    x: Any,
    class_index: Any = None,
    layer: Any = None,
    class_names: Sequence[str] | None = None,
    max_samples: int = 4,
    data_format: str | None = None,
) -> Figure:
    """Draws images beside their Grad-CAM, by itself and over the image. A heuristic; see `grad_cam`.

    Args:
        model: A Functional or Sequential model that takes one image.
        x: Images; one may lack the batch axis.
        class_index: Number of the class, or one for each sample; the class with the largest score if None.
        layer: The layer; see `grad_cam`.
        class_names: Names of the classes.
        max_samples: At most so many samples are shown.
        data_format: "channels_first" or "channels_last"; that of the layer, or of the nearest before it, if None.

    Returns:
        A matplotlib figure.
    """
    need_matplotlib("plot_grad_cam")
    graph = graph_of("plot_grad_cam", model)
    data = checked_input("plot_grad_cam", graph, x)
    images = image_of("plot_grad_cam", graph, data, data_format)[:max_samples]
    node = _target("plot_grad_cam", graph, layer)
    inputs = [value[:max_samples] for value in flat_input(graph, data)]
    chosen = class_index if np.ndim(class_index) == 0 else np.asarray(class_index)[:max_samples]
    maps = np.asarray(_maps(graph, node, inputs, chosen, channels_axis(graph, node, data_format)))
    outputs = np.asarray(model(inputs[0]))
    classes = _classes("plot_grad_cam", jnp.asarray(outputs), chosen)
    words = [label_of(out, int(c), class_names) for out, c in zip(outputs, classes, strict=True)]
    title = f"Grad-CAM at {node.operation.name}, {' x '.join(map(str, maps.shape[1:]))} (a heuristic)"
    return overlay("plot_grad_cam", images, maps, words, title, signed=False)


def _target(owner: str, graph: Graph, layer: Any) -> Node:
    if layer is None:
        spatial = [n for n in spatial_layers(graph) if len(n.outputs[0].shape) == len(graph.inputs[0].shape)]
        spatial = spatial or spatial_layers(graph)
        outputs = {id(t) for t in graph.outputs}
        chosen = [
            n for n in spatial
            if not any(word in type(n.operation).__name__ for word in _SMALLER) and id(n.outputs[0]) not in outputs
        ]  # fmt: skip
        if not chosen:
            raise ArgumentError(
                f"{owner}: no layer of model {graph.model.name!r} gives out maps, (batch, ..., channels).",
                fixes="Grad-CAM is for networks with convolutions.",
            )
        return chosen[-1]
    node = find_layer(owner, graph, layer)
    if node not in spatial_layers(graph):
        shapes = ", ".join(str(t.shape) for t in node.outputs)
        raise ArgumentError(
            f"{owner} wants a layer with maps, (batch, ..., channels).",
            got=f"{node.operation.name!r}: {shapes}.",
        )
    return node


def _maps(graph: Graph, node: Node, inputs: list[Any], class_index: Any, channels: int) -> Any:
    variables = graph.model.weights
    steps = _without_squashing(graph)

    def scores(values: list[Any], data: list[Any], shift: Any) -> tuple[Any, Any]:
        kept: list[Any] = []

        def call(other: Node, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            run = steps.get(id(other), other.operation)
            result = run(*args, **kwargs)
            if other is node and not kept:
                kept.append(result)
                result = result + shift
            return result

        output = functional_call(variables, values, lambda: run_graph(graph, data, call)[0])[0]
        return output, kept[0]

    current = [variable.value for variable in variables]
    output, maps = jax.eval_shape(scores, current, inputs, jnp.zeros(()))
    classes = _classes("grad_cam", output, class_index)

    @jax.jit
    def gradient(values: list[Any], data: list[Any], shift: Any) -> tuple[Any, Any]:
        def score(shift: Any) -> tuple[Any, Any]:
            result, kept = scores(values, data, shift)
            total = result.reshape(result.shape[0], -1, result.shape[-1]).sum(1)  # (batch, classes)
            chosen = jnp.argmax(total, -1) if classes is None else classes
            return jnp.take_along_axis(total, jnp.asarray(chosen)[:, None], 1).sum(), kept

        return jax.grad(score, has_aux=True)(shift)

    slopes, kept = gradient(current, inputs, jnp.zeros(maps.shape, maps.dtype))
    slopes, kept = (jnp.moveaxis(a, channels, -1).astype("float32") for a in (slopes, kept))
    weights = slopes.mean(tuple(range(1, slopes.ndim - 1)), keepdims=True)
    return jax.nn.relu((weights * kept).sum(-1))


def _classes(owner: str, output: Any, class_index: Any) -> Any:
    """Returns the class of each sample as an array; None, for a shape only, leaves it to the scores."""
    count, samples = output.shape[-1], output.shape[0]
    if class_index is None:
        if isinstance(output, jax.ShapeDtypeStruct):
            return None
        return np.asarray(output).reshape(samples, -1, count).sum(1).argmax(-1)
    classes = np.asarray(class_index)
    if classes.dtype.kind not in "iu" or classes.ndim > 1 or (classes.ndim == 1 and len(classes) != samples):
        raise ArgumentError(
            f"{owner}: class_index is a whole number, or one for each of the {samples} samples.",
            got=f"{class_index!r}.",
        )
    if (classes < 0).any() or (classes >= count).any():
        raise ArgumentError(
            f"{owner}: the model gives {count} scores, numbered from 0.", got=f"class_index={class_index!r}."
        )
    return np.broadcast_to(classes, (samples,))


def _without_squashing(graph: Graph) -> dict[int, Any]:
    """Returns, by the number of the node that gives the scores, what to run in its place to leave out the softmax."""
    node = _last(graph)
    operation = node.operation
    if isinstance(operation, OpOperation):
        return {id(node): _first_argument} if operation.fn.__name__ in _SQUASHING else {}
    if type(operation).__name__ == "Softmax":
        return {id(node): _first_argument}
    activation = getattr(operation, "activation", None)
    if getattr(activation, "__name__", "") not in _SQUASHING or not isinstance(operation, Layer):
        return {}
    if type(operation).__name__ == "Activation":
        return {id(node): _first_argument}

    def run(*args: Any, **kwargs: Any) -> Any:
        linear = get_activation("linear")
        operation.__dict__["activation"] = linear
        try:
            return operation(*args, **kwargs)
        finally:
            operation.__dict__["activation"] = activation

    return {id(node): run}


def _first_argument(x: Any, *_: Any, **__: Any) -> Any:
    return x


def _last(graph: Graph) -> Node:
    """Returns the call that gives the first output, inside inner models if it stands there."""
    tensor = graph.outputs[0]
    nodes = [node for node in graph.nodes() if any(t is tensor for t in node.outputs)]
    from_inner = nodes[-1]
    inner = [n for n in graph.program.nodes if n is from_inner]
    while inner and hasattr(inner[0].operation, "get_layer"):
        below = graph_of("grad_cam", inner[0].operation)
        tensor = below.outputs[0]
        from_inner = next(n for n in reversed(below.nodes()) if any(t is tensor for t in n.outputs))
        inner = [n for n in below.program.nodes if n is from_inner]
    return from_inner
