"""Occlusion maps: how much a class' score falls when a part of the image is covered. A heuristic.

M. D. Zeiler, R. Fergus, "Visualizing and Understanding Convolutional Networks", ECCV 2014, section 4.2.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from hornbill.engine.errors import ArgumentError
from hornbill.visualization.figures import need_matplotlib
from hornbill.visualization.grad_cam import _classes
from hornbill.visualization.heat import image_of, label_of, overlay
from hornbill.visualization.networks import channels_axis, checked_input, graph_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["occlusion_map", "plot_occlusion"]


def occlusion_map(
    model: Any,
    x: Any,
    class_index: Any = None,
    patch: int | Sequence[int] | None = None,
    stride: int | Sequence[int] | None = None,
    value: float | str = "mean",
    batch_size: int = 64,
    data_format: str | None = None,
) -> np.ndarray:
    """Returns how much the model's output for a class falls when a patch covers each place of the input.

    The patch stands at every `stride`-th place and once at each far edge. A place's number is the mean fall over all
    patches that cover it; it is negative where covering raises the output.

    This is a heuristic: it depends on the patch's size and value, and a covered image is unlike those that the network
    was trained on.

    Args:
        model: A model that takes one image or series.
        x: Its input; one sample may lack the batch axis.
        class_index: Number of the output, or one for each sample; the largest output if None.
        patch: Size of the patch along each spatial axis; an eighth of the input if None.
        stride: How far the patch moves; half its size if None.
        value: What the patch holds: a number, or "mean", each sample's mean of each channel.
        batch_size: How many covered inputs are given to the model at once.
        data_format: "channels_first" or "channels_last"; that of the model's first layer if None.

    Returns:
        One number per place of the input.

    Shapes:
        The result is `(batch, *spatial)`.

    Raises:
        ArgumentError: If the class, the patch or the stride does not fit.
        ShapeError: If the input is not that of the model.
    """
    graph = graph_of("occlusion_map", model)
    data = np.asarray(checked_input("occlusion_map", graph, x))
    if len(graph.inputs) != 1 or data.ndim < 3:
        raise ArgumentError(
            "occlusion_map wants a model that takes one image or series.", got=f"shape {data.shape}."
        )
    axis = channels_axis(graph, None, data_format)
    spatial = data.shape[2:] if axis == 1 else data.shape[1:-1]
    sizes = _sizes("patch", patch, spatial, [max(1, size // 8) for size in spatial])
    strides = _sizes("stride", stride, spatial, [max(1, size // 2) for size in sizes])
    if batch_size < 1:
        raise ArgumentError("occlusion_map: batch_size is at least 1.", got=f"batch_size={batch_size}.")
    corners = list(
        itertools.product(*(_starts(n, p, s) for n, p, s in zip(spatial, sizes, strides, strict=True)))
    )
    whole = _scores(model, data, batch_size)
    classes = _classes("occlusion_map", whole, class_index)
    result = np.zeros((len(data), *spatial))
    for i, sample in enumerate(data):
        fill = _fill(sample, axis, value)
        falls, seen = np.zeros(spatial), np.zeros(spatial)
        for start in range(0, len(corners), batch_size):
            some = corners[start : start + batch_size]
            covered = np.stack([_covered(sample, _place(corner, sizes), axis, fill) for corner in some])
            outputs = _scores(model, covered, batch_size)
            for corner, output in zip(some, outputs, strict=True):
                place = _place(corner, sizes)
                falls[place] += float(whole[i, classes[i]]) - float(output[classes[i]])
                seen[place] += 1
        result[i] = falls / np.maximum(seen, 1)
    return result


def plot_occlusion(
    model: Any,
    x: Any,
    class_index: Any = None,
    patch: int | Sequence[int] | None = None,
    stride: int | Sequence[int] | None = None,
    value: float | str = "mean",
    class_names: Sequence[str] | None = None,
    max_samples: int = 4,
    batch_size: int = 64,
    data_format: str | None = None,
) -> Figure:
    """Draws images beside their occlusion maps: red where covering lowers the output. A heuristic; see `occlusion_map`.

    Args:
        model: A model that takes one image.
        x: Images; one may lack the batch axis.
        class_index: Number of the output, or one for each sample; the largest output if None.
        patch: Size of the patch; see `occlusion_map`.
        stride: How far the patch moves.
        value: What the patch holds.
        class_names: Names of the classes.
        max_samples: At most so many samples are shown.
        batch_size: How many covered images are given to the model at once.
        data_format: "channels_first" or "channels_last"; that of the model's first layer if None.

    Returns:
        A matplotlib figure.
    """
    need_matplotlib("plot_occlusion")
    graph = graph_of("plot_occlusion", model)
    data = np.asarray(checked_input("plot_occlusion", graph, x))[:max_samples]
    images = image_of("plot_occlusion", graph, data, data_format)
    chosen = class_index if np.ndim(class_index) == 0 else np.asarray(class_index)[:max_samples]
    maps = occlusion_map(model, data, chosen, patch, stride, value, batch_size, data_format)
    outputs = _scores(model, data, batch_size)
    classes = _classes("plot_occlusion", outputs, chosen)
    words = [label_of(out, int(c), class_names) for out, c in zip(outputs, classes, strict=True)]
    sizes = _sizes("patch", patch, images.shape[1:3], [max(1, size // 8) for size in images.shape[1:3]])
    title = f"How far the output falls under a patch of {' x '.join(map(str, sizes))} (a heuristic)"
    return overlay("plot_occlusion", images, maps, words, title, signed=True)


def _sizes(name: str, given: Any, spatial: Sequence[int], usual: Sequence[int]) -> list[int]:
    if given is None:
        return list(usual)
    sizes = [given] * len(spatial) if np.ndim(given) == 0 else list(given)
    whole = all(isinstance(size, (int, np.integer)) and not isinstance(size, bool) for size in sizes)
    if (
        len(sizes) != len(spatial)
        or not whole
        or any(not 1 <= s <= n for s, n in zip(sizes, spatial, strict=False))
    ):
        raise ArgumentError(
            f"occlusion_map: {name} is a whole number from 1 to the size of the input, or one for each spatial axis.",
            got=f"{name}={given!r}, for an input of {' x '.join(map(str, spatial))}.",
            fixes=f"{name}={usual[0]}",
        )
    return [int(size) for size in sizes]


def _starts(size: int, patch: int, stride: int) -> list[int]:
    starts = list(range(0, size - patch + 1, stride))
    return starts if starts[-1] == size - patch else [*starts, size - patch]


def _place(corner: tuple[int, ...], sizes: Sequence[int]) -> tuple[slice, ...]:
    return tuple(slice(start, start + size) for start, size in zip(corner, sizes, strict=True))


def _fill(sample: np.ndarray, axis: int, value: float | str) -> Any:
    if value == "mean":
        channels = 0 if axis == 1 else sample.ndim - 1
        return sample.mean(tuple(i for i in range(sample.ndim) if i != channels), keepdims=True)
    if isinstance(value, str):
        raise ArgumentError(
            "occlusion_map: value is a number or 'mean'.", got=f"value={value!r}.", fixes="value='mean'"
        )
    return value


def _covered(sample: np.ndarray, place: tuple[slice, ...], axis: int, fill: Any) -> np.ndarray:
    covered = np.array(sample, dtype="float32" if sample.dtype.kind != "f" else sample.dtype)
    covered[(slice(None), *place) if axis == 1 else (*place, slice(None))] = fill
    return covered


def _scores(model: Any, data: np.ndarray, batch_size: int) -> np.ndarray:
    """Returns the model's output as `(batch, classes)`; scores of all places are added."""
    output = np.asarray(model.predict(data, batch_size=batch_size, verbose=0))
    return output.reshape(len(output), -1, output.shape[-1]).sum(1)
