"""The window of a layer: what it slides over its input, read off the one op that slides one.

Sizes and padding come from the rules of the sentences (`rules.windows`) and from the op that runs.
"""

from __future__ import annotations

from typing import Any

from hornbill.engine.record import Record
from hornbill.explain.rows import Row
from hornbill.explain.rules.windows import Geometry, causal_sentence, geometry_of
from hornbill.ops.conv import transposed_sizes

__all__ = ["window_of"]

_KINDS = {
    "conv": "conv", "depthwise_conv": "depthwise", "separable_conv": "separable", "conv_transpose": "transposed",
    "max_pool": "max", "average_pool": "average",
}  # fmt: skip
_ARGUMENTS = {
    "kernel": ("kernel_size", "pool_size"), "strides": ("strides",), "dilation": ("dilation_rate",),
    "padding": ("padding",), "filters": ("filters", "depth_multiplier"), "groups": ("groups",),
    "output_padding": ("output_padding",),
}  # fmt: skip


def window_of(row: Row, config: dict[str, Any]) -> dict[str, Any] | None:
    """Returns the window of a row as the document holds it; None if its call slides none, or more than one.

    Args:
        row: The row.
        config: The layer's configuration, which says by which argument each number was set.
    """
    if row.record is None:
        return None
    records = [record for record in row.record.walk() if record.kind == "op"]
    places = [i for i, record in enumerate(records) if record.name in _KINDS]
    if len(places) != 1:
        return None
    record = records[places[0]]
    window, kind = geometry_of(record), _KINDS[record.name]
    if window is None or len(window.inputs.shape) != len(row.inputs[0]):
        return None  # it slides over something made of the input, such as the steps of TimeDistributed
    output = record.output.shape
    pads: list[list[int] | None] = [_listed(window.pads(i)) for i in range(window.rank)]
    padding, before = window.padding, [window.inputs.shape[axis] for axis in window.axes]
    extra = record.arguments.get("output_padding")
    if kind == "transposed":
        pads = [_cut(window, i, None if extra is None else _number(extra, i)) for i in range(window.rank)]
    pad = records[places[0] - 1] if places[0] else None
    if pad is not None and (causal := _causal(pad, record)) is not None:
        padding, before = "causal", [pad.tensors()[0].shape[window.axes[0]]]
        pads = [[causal, 0]]
    return {
        "kind": kind,
        "rank": window.rank,
        "channels_first": window.channel < window.axes[0],
        "kernel": list(window.sizes),
        "strides": list(window.strides),
        "dilation": list(window.dilation),
        "padding": padding,
        "pads": pads,
        "output_padding": None if extra is None else [_number(extra, i) for i in range(window.rank)],
        "groups": _groups(window, kind),
        "filters": None if kind in ("max", "average") else output[window.channel],
        "spatial_axes": list(window.axes),
        "input_sizes": before,
        "output_sizes": [output[axis] for axis in window.axes],
        "arguments": {
            part: next(name for name in names if name in config)
            for part, names in _ARGUMENTS.items()
            if any(name in config for name in names)
        },
    }


def _listed(pair: tuple[int, int] | None) -> list[int] | None:
    return None if pair is None else list(pair)


def _number(value: Any, i: int) -> int:
    return int(value[i]) if isinstance(value, (tuple, list)) else int(value)


def _cut(window: Geometry, i: int, extra: int | None) -> list[int]:
    """Returns how many cells are cut off the full transposed convolution in front and behind."""
    kernel, stride, dilation = window.sizes[i], window.strides[i], window.dilation[i]
    longer, front = transposed_sizes(kernel, stride, window.padding, extra, dilation)
    return [front, window.reach(i) - stride - longer - front]


def _causal(pad: Record, record: Record) -> int | None:
    """Returns the zeros in front of a causal convolution, None for others."""
    sentence = causal_sentence(pad, record) if record.name == "conv" else None
    return None if sentence is None else sentence.values["zeros"]


def _groups(window: Geometry, kind: str) -> int:
    channels = window.inputs.shape[window.channel]
    if kind == "conv" and window.kernel is not None and channels and window.kernel.shape[-2]:
        return channels // window.kernel.shape[-2]
    return channels or 1 if kind in ("depthwise", "separable") else 1
