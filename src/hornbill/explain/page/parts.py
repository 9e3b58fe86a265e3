"""A piece of a layer that is too big for a page: some output cells, the inputs they read and their weights."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbill.explain.page.packing import Packer
from hornbill.explain.rows import Row

__all__ = ["part_of"]

_CELLS, _CHANNELS = 6, 8  # of the piece: along each side, and how many filters
_LARGEST = 150_000  # numbers of a piece's inputs and weights together


def part_of(
    layer: dict[str, Any], row: Row, captured: list[np.ndarray | None], packer: Packer, room: int
) -> dict[str, Any] | None:
    """Packs a piece of a layer; None if even that is too big, or the page would not know what it reads.

    Args:
        layer: The layer's part of the document.
        row: Its row.
        captured: The outputs of all rows.
        packer: Takes the arrays.
        room: How many numbers may be packed.
    """
    output = captured[row_index := layer["index"]]
    inputs = [captured[p] for p in layer["parents"]]
    if output is None or not inputs or any(a is None for a in inputs) or row_index in layer["parents"]:
        return None
    window = layer["window"]
    axis = 0 if window and window["channels_first"] else output.ndim - 2  # of channels, batch axis left out
    low, high = _middle(output[0], axis)
    channels = _strongest(output[0], axis)
    boxes = [_reads(layer, low, high, array[0], output[0], axis) for array in inputs if array is not None]
    if any(box is None for box in boxes):
        return None
    pieces = [
        (array[0][tuple(slice(a, b) for a, b in box)], [a for a, _ in box])
        for array, box in zip(inputs, boxes, strict=True) if array is not None and box is not None
    ]  # fmt: skip
    weights = _weights(layer, row, channels)
    if sum(piece.size for piece, _ in pieces) + sum(array.size for array, _ in weights.values()) > min(
        _LARGEST, room
    ):
        return None
    cut = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    return {
        "output": packer.floats(
            np.take(output[0], channels, axis=axis)[(*cut[:axis], slice(None), *cut[axis + 1 :])]
        ),
        "origin": low,
        "channels": channels,
        "inputs": [{"array": packer.floats(piece), "origin": origin} for piece, origin in pieces],
        "weights": {
            name: {"array": packer.floats(array), "channels": which}
            for name, (array, which) in weights.items()
        },
    }


def _middle(output: np.ndarray, axis: int) -> tuple[list[int], list[int]]:
    """Returns the first and the last-plus-one index of a box in the middle, all channels included."""
    low, high = [], []
    for i, size in enumerate(output.shape):
        start = 0 if i == axis else max((size - _CELLS) // 2, 0)
        low.append(start)
        high.append(size if i == axis else min(start + _CELLS, size))
    return low, high


def _strongest(output: np.ndarray, axis: int) -> list[int]:
    """Returns the channels with the largest outputs on average."""
    mean = np.abs(output).mean(axis=tuple(i for i in range(output.ndim) if i != axis))
    return sorted(int(i) for i in np.argsort(-mean, kind="stable")[:_CHANNELS])


def _reads(
    layer: dict[str, Any], low: list[int], high: list[int], given: np.ndarray, output: np.ndarray, axis: int
) -> list[tuple[int, int]] | None:
    """Returns the box of an input that an output box reads, as first and last-plus-one index of each axis."""
    window = layer["window"]
    if window is not None:
        box = [(0, size) for size in given.shape]
        for i, place in enumerate(window["spatial_axes"]):
            box[place - 1] = _window_reads(window, i, low[place - 1], high[place - 1], given.shape[place - 1])
        return box
    if layer["class"] == "Dense" or given.shape == output.shape or layer["class"] == "Concatenate":
        if given.ndim != output.ndim:
            return None
        last = layer["class"] in ("Dense", "Concatenate")
        return [
            (0, size) if i == axis or (last and size != output.shape[i]) else (low[i], high[i])
            for i, size in enumerate(given.shape)
        ]
    return None


def _window_reads(window: dict[str, Any], i: int, low: int, high: int, size: int) -> tuple[int, int]:
    stride, before = window["strides"][i], window["pads"][i][0]
    reach = window["dilation"][i] * (window["kernel"][i] - 1) + 1
    if window["kind"] == "transposed":
        first, last = -(-(low + before - reach + 1) // stride), (high - 1 + before) // stride
    else:
        first, last = low * stride - before, (high - 1) * stride - before + reach - 1
    return max(first, 0), min(last + 1, size)


def _weights(
    layer: dict[str, Any], row: Row, channels: list[int]
) -> dict[str, tuple[np.ndarray, list[int] | None]]:
    """Returns the weights that the chosen channels need; the axis of filters is cut where there is one."""
    found: dict[str, tuple[np.ndarray, list[int] | None]] = {}
    for variable in row.layer.weights:
        array = np.asarray(variable.value, dtype=np.float32)
        window = layer["window"]
        cut = None
        if variable.name == "kernel" and (window is None or window["kind"] in ("conv", "transposed")):
            cut = array.ndim - 2 if window is not None and window["kind"] == "transposed" else array.ndim - 1
        elif variable.name == "pointwise_kernel":
            cut = array.ndim - 1
        if cut is not None:
            found[variable.name] = (np.take(array, channels, axis=cut), channels)
        else:
            found[variable.name] = (array, None)
    return found
