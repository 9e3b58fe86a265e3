"""Which cells a cell depends on: boxes followed backwards through the operations of a trace.

A box is one range `(first, last)` per axis. `Flow.back` starts with the box of one value and returns the boxes of
earlier values: the smallest ones that hold every cell on which the result can depend. Ranges are cut to what exists
(`clip=True`), or run on into the padding, so that sizes and steps can be read off.

The rules here say which cells an operation of JAX reads, nothing about sizes; what no rule knows reads everything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from hornbill.explain.flow_shapes import reshaped
from hornbill.explain.trace import Step, Trace

__all__ = ["ELEMENTWISE", "Box", "Flow", "Range"]

Range = tuple[int, int]
Box = tuple[Range, ...]
Reads = Iterable[tuple[int, Box]]

ELEMENTWISE = frozenset(
    """abs acos acosh add add_any and asin asinh atan atan2 atanh cbrt ceil clamp clz complex conj convert_element_type
    copy copy_p cos cosh digamma div eq erf erf_inv erfc exp exp2 expm1 floor ge gt igamma igammac imag integer_pow
    is_finite le lgamma log log1p logistic lt max min mul name ne neg nextafter not optimization_barrier or
    population_count pow real reduce_precision rem round rsqrt select_n shift_left shift_right_arithmetic
    shift_right_logical sign sin sinh sqrt square stop_gradient sub tan tanh to_edtype xor""".split()  # noqa: SIM905
)
_RULES: dict[str, Callable[[Flow, Step, Box], Reads]] = {}


def _reads(*names: str) -> Callable[[Any], Any]:
    def enter(fn: Any) -> Any:
        for name in names:
            _RULES[name] = fn
        return fn

    return enter


class Flow:
    """Follows boxes backwards through a trace.

    Args:
        trace: The trace.
    """

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.same = list(range(len(trace.shapes)))  # values that are another one, cell by cell
        self.steps: list[Step] = []
        for step in trace.steps:
            if not any(trace.dependent[n] for n in step.outputs):
                continue
            sources = [n for n in step.inputs if n is not None and trace.dependent[n]]
            alone = (
                step.name in ELEMENTWISE and len(step.outputs) == len({self.same[n] for n in sources}) == 1
            )
            if alone and trace.shapes[sources[0]] == trace.shapes[step.outputs[0]]:
                self.same[step.outputs[0]] = self.same[sources[0]]
            else:
                self.steps.append(step)
        self.place = {n: i for i, step in enumerate(self.steps) for n in step.outputs}

    def whole(self, number: int) -> Box:
        """Returns the box of all cells of a value."""
        return tuple((0, size - 1) for size in self.trace.shapes[number])

    def back(self, number: int, box: Box, clip: bool = True) -> dict[int, Box]:
        """Returns the boxes that a box of one value depends on.

        Args:
            number: The value.
            box: One range per axis.
            clip: Whether ranges are cut to the cells that exist.

        Returns:
            For each value (by `same` number) that the box depends on, the smallest box that holds the cells.
        """
        start = self.same[number]
        boxes: dict[int, Box] = {start: box}
        for step in reversed(self.steps[: self.place.get(start, -1) + 1]):
            for output in step.outputs:
                wanted = boxes.get(output)
                if wanted is not None:
                    for source, read in self._of_step(step, output, wanted):
                        self._add(boxes, source, read, clip)
        return boxes

    def _of_step(self, step: Step, output: int, box: Box) -> Reads:
        if step.name == "split":
            return _piece(self, step, output, box)
        rule = _RULES.get(step.name)
        if rule is None and step.name in ELEMENTWISE:
            rule = _elementwise
        if rule is None or len(self.trace.shapes[output]) != len(box):
            rule = _everything
        return rule(self, step, box)

    def _add(self, boxes: dict[int, Box], source: int, read: Box, clip: bool) -> None:
        number = self.same[source]
        if clip:
            shape = self.trace.shapes[number]
            read = tuple((max(lo, 0), min(hi, n - 1)) for (lo, hi), n in zip(read, shape, strict=True))
        if any(lo > hi for lo, hi in read):
            return  # nothing of it is read: all in the padding, or between spread-out cells
        old = boxes.get(number)
        boxes[number] = (
            read
            if old is None
            else tuple((min(a, c), max(b, d)) for (a, b), (c, d) in zip(old, read, strict=True))
        )

    def sources(self, step: Step) -> list[int]:
        """Returns the inputs of an operation that depend on the model's inputs."""
        return [n for n in step.inputs if n is not None and self.trace.dependent[n]]


def _everything(flow: Flow, step: Step, box: Box) -> Reads:  # noqa: ARG001
    return [(n, flow.whole(n)) for n in flow.sources(step)]


def _elementwise(flow: Flow, step: Step, box: Box) -> Reads:
    out = flow.trace.shapes[step.outputs[0]]
    for n in flow.sources(step):
        shape = flow.trace.shapes[n]
        if len(shape) == len(box):
            yield (
                n,
                tuple((0, 0) if a == 1 and b != 1 else r for a, b, r in zip(shape, out, box, strict=True)),
            )
        else:
            yield n, flow.whole(n)


@_reads("broadcast_in_dim")
def _broadcast(flow: Flow, step: Step, box: Box) -> Reads:
    source = step.inputs[0]
    places = step.params["broadcast_dimensions"]
    if source is not None:
        shape, out = flow.trace.shapes[source], flow.trace.shapes[step.outputs[0]]
        yield (
            source,
            tuple((0, 0) if n == 1 and out[p] != 1 else box[p] for n, p in zip(shape, places, strict=True)),
        )


@_reads("transpose")
def _transpose(flow: Flow, step: Step, box: Box) -> Reads:
    order = step.params["permutation"]
    found: list[Range] = [(0, 0)] * len(order)
    for place, axis in enumerate(order):
        found[axis] = box[place]
    return [(n, tuple(found)) for n in flow.sources(step)]


@_reads("squeeze")
def _squeeze(flow: Flow, step: Step, box: Box) -> Reads:
    (source,) = flow.sources(step)
    gone, rest = set(step.params["dimensions"]), iter(box)
    return [
        (source, tuple((0, 0) if a in gone else next(rest) for a in range(len(flow.trace.shapes[source]))))
    ]


@_reads("expand_dims")
def _expand(flow: Flow, step: Step, box: Box) -> Reads:
    new = set(step.params["dimensions"])
    return [(n, tuple(r for a, r in enumerate(box) if a not in new)) for n in flow.sources(step)]


@_reads("reshape")
def _reshape(flow: Flow, step: Step, box: Box) -> Reads:
    (source,) = flow.sources(step)
    return [(source, reshaped(flow.trace.shapes[source], flow.trace.shapes[step.outputs[0]], box))]


@_reads("concatenate")
def _concatenate(flow: Flow, step: Step, box: Box) -> Reads:
    axis, first = step.params["dimension"], 0
    total = flow.trace.shapes[step.outputs[0]][axis]
    for i, n in enumerate(step.inputs):
        size = flow.trace.shapes[n][axis] if n is not None else np.shape(step.literals[i])[axis]
        lo, hi = box[axis][0] - first, box[axis][1] - first
        lo = lo if first == 0 else max(lo, 0)
        hi = hi if first + size == total else min(hi, size - 1)
        if n is not None and flow.trace.dependent[n] and lo <= hi:
            yield n, (*box[:axis], (lo, hi), *box[axis + 1 :])
        first += size


def _piece(flow: Flow, step: Step, output: int, box: Box) -> Reads:
    """Returns what one piece of a split reads."""
    axis, first = step.params["axis"], sum(step.params["sizes"][: step.outputs.index(output)])
    moved = (box[axis][0] + first, box[axis][1] + first)
    return [(n, (*box[:axis], moved, *box[axis + 1 :])) for n in flow.sources(step)]


@_reads("pad")
def _pad(flow: Flow, step: Step, box: Box) -> Reads:
    source = step.inputs[0]
    if source is not None and flow.trace.dependent[source]:
        found = []
        for (lo, hi), (before, _, inner) in zip(box, step.params["padding_config"], strict=True):
            found.append((-((before - lo) // (inner + 1)), (hi - before) // (inner + 1)))
        yield source, tuple(found)


@_reads("slice")
def _slice(flow: Flow, step: Step, box: Box) -> Reads:
    starts = step.params["start_indices"]
    strides = step.params["strides"] or (1,) * len(starts)
    read = tuple((s + lo * k, s + hi * k) for (lo, hi), s, k in zip(box, starts, strides, strict=True))
    return [(n, read) for n in flow.sources(step)]


@_reads("dynamic_slice")
def _dynamic_slice(flow: Flow, step: Step, box: Box) -> Reads:
    source = step.inputs[0]
    if source is None or not flow.trace.dependent[source]:
        yield from _everything(flow, step, box)
        return
    found, shape = [], flow.trace.shapes[source]
    for axis, (lo, hi) in enumerate(box):
        place = step.inputs[1 + axis]
        start = step.literals[1 + axis] if place is None else flow.trace.constant(place)
        if start is None:
            found.append((0, shape[axis] - 1))
        else:
            begin = min(max(int(start), 0), shape[axis] - flow.trace.shapes[step.outputs[0]][axis])
            found.append((begin + lo, begin + hi))
    yield source, tuple(found)
    yield from [(n, flow.whole(n)) for n in flow.sources(step) if n != source]


@_reads("dynamic_update_slice", "scatter", "scatter-add", "scatter_add")
def _update(flow: Flow, step: Step, box: Box) -> Reads:
    source = step.inputs[0]
    for n in flow.sources(step):
        yield n, (box if n == source else flow.whole(n))


@_reads("rev")
def _reverse(flow: Flow, step: Step, box: Box) -> Reads:
    (source,) = flow.sources(step)
    shape = flow.trace.shapes[source]
    axes = step.params["dimensions"]
    return [(source, tuple((n - 1 - r[1], n - 1 - r[0]) if a in axes else r
                           for a, (n, r) in enumerate(zip(shape, box, strict=True))))]  # fmt: skip


@_reads("cumsum", "cumprod", "cummax", "cummin", "cumlogsumexp")
def _running(flow: Flow, step: Step, box: Box) -> Reads:
    (source,) = flow.sources(step)
    axis = step.params["axis"]
    size = flow.trace.shapes[source][axis]
    seen = (box[axis][0], size - 1) if step.params["reverse"] else (0, box[axis][1])
    return [(source, (*box[:axis], seen, *box[axis + 1 :]))]


@_reads("sort", "top_k", "fft", "approx_top_k")
def _along(flow: Flow, step: Step, box: Box) -> Reads:
    rank = len(box)
    if step.name == "fft":
        axes = set(range(rank - len(step.params["fft_lengths"]), rank))
    else:
        axes = {step.params.get("dimension", rank - 1) % rank}
    for n in flow.sources(step):
        whole = flow.whole(n)
        yield n, tuple(whole[a] if a in axes else box[a] for a in range(rank))


@_reads(
    "reduce_sum",
    "reduce_max",
    "reduce_min",
    "reduce_prod",
    "reduce_and",
    "reduce_or",
    "reduce_xor",
    "argmax",
    "argmin",
)
def _reduce(flow: Flow, step: Step, box: Box) -> Reads:
    gone = set(step.params["axes"])
    for n in flow.sources(step):
        rest = iter(box)
        yield (
            n,
            tuple((0, size - 1) if a in gone else next(rest) for a, size in enumerate(flow.trace.shapes[n])),
        )


@_reads("reduce_window_sum", "reduce_window_max", "reduce_window_min", "reduce_window")
def _windows(flow: Flow, step: Step, box: Box) -> Reads:
    p = step.params
    ones = (1,) * len(box)
    base, spread = p.get("base_dilation") or ones, p.get("window_dilation") or ones
    read = tuple(
        _window(r, size, stride, before, k, d)
        for r, size, stride, (before, _), k, d in zip(
            box, p["window_dimensions"], p["window_strides"], p["padding"], base, spread, strict=True
        )
    )
    return [(n, read) for n in flow.sources(step) if len(flow.trace.shapes[n]) == len(box)]


def _window(cells: Range, size: int, stride: int, before: int, base: int, spread: int) -> Range:
    """Returns the cells under the windows of a range of outputs; `base` is the distance of spread-out input cells."""
    lo, hi = cells[0] * stride - before, cells[1] * stride - before + (size - 1) * spread
    return -(-lo // base), hi // base


@_reads("conv_general_dilated")
def _convolution(flow: Flow, step: Step, box: Box) -> Reads:
    p, (source, kernel) = step.params, step.inputs
    numbers = p["dimension_numbers"]
    if kernel is not None and flow.trace.dependent[kernel]:
        yield from _everything(flow, step, box)
        return
    if source is None or kernel is None:
        return
    data, sizes, out = numbers.lhs_spec, flow.trace.shapes[kernel], numbers.out_spec
    found: list[Range] = [(0, 0)] * len(box)
    found[data[0]] = box[out[0]]
    for i, (axis, place) in enumerate(zip(data[2:], out[2:], strict=True)):
        size = sizes[numbers.rhs_spec[2 + i]]
        found[axis] = _window(
            box[place],
            size,
            p["window_strides"][i],
            p["padding"][i][0],
            p["lhs_dilation"][i],
            p["rhs_dilation"][i],
        )
    groups, per_group = p["feature_group_count"], sizes[numbers.rhs_spec[1]]
    filters = sizes[numbers.rhs_spec[0]] // groups
    lo, hi = (max(c, 0) // filters for c in box[out[1]])
    found[data[1]] = (lo * per_group, min(hi + 1, groups) * per_group - 1)
    yield source, tuple(found)


@_reads("dot_general")
def _product(flow: Flow, step: Step, box: Box) -> Reads:
    (summed, stacked) = step.params["dimension_numbers"]
    count = len(stacked[0])
    for side in (0, 1):
        n = step.inputs[side]
        if n is None or not flow.trace.dependent[n]:
            continue
        rank = len(flow.trace.shapes[n])
        free = [a for a in range(rank) if a not in summed[side] and a not in stacked[side]]
        first = count if side == 0 else len(box) - len(free)
        found = list(flow.whole(n))
        for place, axis in enumerate(stacked[side]):
            found[axis] = box[place]
        for place, axis in enumerate(free):
            found[axis] = box[first + place]
        if len(summed[side]) == 1 and not count:
            table = _table(flow, step, 1 - side, summed[1 - side][0])
            if table is not None:
                own = box[: len(box) - len(free)] if side == 1 else box[len(free) :]
                found[summed[side][0]] = _from_table(table, own)
        yield n, tuple(found)


def _table(flow: Flow, step: Step, side: int, axis: int) -> np.ndarray | None:
    """Returns where a constant factor is not 0, the summed axis last: interpolation reads a few cells only."""
    n = step.inputs[side]
    value = None if n is None else flow.trace.constant(n)
    return None if value is None or value.ndim != 2 else np.moveaxis(value != 0, axis, -1)


def _from_table(table: np.ndarray, box: Sequence[Range]) -> Range:
    lo, hi = (min(max(c, 0), table.shape[0] - 1) for c in box[0])
    used = np.flatnonzero(table[lo : hi + 1].any(axis=0))
    return (int(used[0]), int(used[-1])) if len(used) else (0, -1)


@_reads("gather")
def _gather(flow: Flow, step: Step, box: Box) -> Reads:
    source, index = step.inputs
    numbers, sizes = step.params["dimension_numbers"], step.params["slice_sizes"]
    outer = tuple(r for a, r in enumerate(box) if a not in numbers.offset_dims)
    if (
        index is not None and flow.trace.dependent[index]
    ):  # a table of weights: each place reads its own position
        yield index, (*outer, (0, flow.trace.shapes[index][-1] - 1))
    if source is None or not flow.trace.dependent[source]:
        return
    places = None if index is None else flow.trace.constant(index)
    shape, found = flow.trace.shapes[source], list(flow.whole(source))
    batching = tuple(getattr(numbers, "operand_batching_dims", ()))
    kept = [a for a in range(len(shape)) if a not in numbers.collapsed_slice_dims and a not in batching]
    offsets = dict(zip(kept, numbers.offset_dims, strict=True))
    for axis, place in offsets.items():
        if axis not in numbers.start_index_map and sizes[axis] == shape[axis]:
            found[axis] = box[place]
    if places is not None and not batching:
        cut = tuple(slice(max(lo, 0), hi + 1) for lo, hi in outer)
        chosen = places[cut].reshape(-1, places.shape[-1])
        for column, axis in enumerate(numbers.start_index_map):
            if not len(chosen):
                continue
            first = np.clip(chosen[:, column], 0, shape[axis] - sizes[axis])
            lo, hi = box[offsets[axis]] if axis in offsets else (0, 0)
            found[axis] = (int(first.min()) + lo, int(first.max()) + hi)
    yield source, tuple(found)
