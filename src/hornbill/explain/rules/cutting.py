"""Axes that are padded, cropped, sliced and looked up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from hornbill.engine.record import Record, TensorSpec
from hornbill.explain.rules.base import (
    TRIALS,
    Sentence,
    Size,
    claim,
    kept_axes,
    moved_axis,
    named,
    rule,
    said,
    show,
    total,
    whole,
)

__all__: list[str] = []


@rule("pad")
def _pad(record: Record) -> Iterator[Sentence]:
    """Padding: sizes grow by what is put on both sides; cropping: they shrink."""
    inputs, arguments = record.tensors()[0], record.arguments
    rank = len(inputs.shape)
    names = named(record, rank)
    if record.name in ("pad_images", "crop_images"):
        yield from _image_edges(record)
        return
    widths = arguments["pad_width"]
    pairs = [widths] * rank if not isinstance(widths, (tuple, list)) else list(widths)
    if pairs and not isinstance(pairs[0], (tuple, list)):
        pairs = (
            [tuple(pairs)] * rank
            if len(pairs) == 2 and isinstance(widths, (tuple, list))
            else [(widths, widths)] * rank
        )
    pairs = pairs * rank if len(pairs) == 1 else pairs
    for axis, (left, right) in enumerate(pairs):
        if left or right:
            before = inputs.shape[axis]
            after = total((before, left, right))
            formula = f"{left} + {show(before)} + {right}" + ("" if after is None else f" = {after}")
            yield claim(names, axis, before, after, "pad", formula, left=left, right=right)


def _image_edges(record: Record) -> Iterator[Sentence]:
    inputs, arguments = record.tensors()[0], record.arguments
    crop = record.name == "crop_images"
    word, sign, key = ("cropping", "-", "crop") if crop else ("padding", "+", "pad")
    rank = len(inputs.shape)
    names = named(record, 4)[4 - rank :]
    place = rank - 3 if names[-1] == "channels" else rank - 2
    for axis, first, last, target in (
        (place, "top", "bottom", "height"),
        (place + 1, "left", "right", "width"),
    ):
        before, after = inputs.shape[axis], arguments.get(f"target_{target}")
        left, right = arguments.get(f"{first}_{word}"), arguments.get(f"{last}_{word}")
        if before is None:
            yield claim(names, axis, None, after, key, "", left=left, right=right)
            continue
        if after is None:
            both = int(left or 0) + int(right or 0)
            after = before - both if crop else before + both
        change = before - after if crop else after - before
        left = change - int(right or 0) if left is None else left
        right = change - left
        formula = f"{before} {sign} {left} {sign} {right} = {after}"
        yield claim(names, axis, before, after, key, formula, left=left, right=right)


@rule("slice")
def _slice(record: Record) -> Iterator[Sentence]:
    """Indexing: numbers take axes away, slices shorten them, None adds one, positions replace one."""
    inputs = record.tensors()[0]
    if record.name == "slice":
        sizes = record.arguments["shape"]
        for axis, size in enumerate(sizes):
            before = inputs.shape[axis]
            if before != size:
                yield claim(named(record, len(sizes)), axis, before, int(size), "slice.given")
        return
    yield from _indexed(record, inputs)


def _indexed(record: Record, inputs: TensorSpec) -> Iterator[Sentence]:
    key = record.arguments["key"]
    parts = list(key) if isinstance(key, tuple) else [key]
    rank = len(whole(record).shape)
    names, old = named(record, rank), named(record, len(inputs.shape))
    used = sum(1 for p in parts if p is not None and p is not Ellipsis)
    if not any(p is Ellipsis for p in parts):
        parts.append(Ellipsis)
    place = axis = 0
    for part in parts:
        if part is None:
            yield claim(names, axis, None, 1, "reshape.added", "1")
            axis += 1
        elif part is Ellipsis:
            for _ in range(len(inputs.shape) - used):
                if axis != place:
                    yield moved_axis(names, old, axis, place, inputs.shape[place])
                axis, place = axis + 1, place + 1
        elif isinstance(part, slice):
            yield from _one_slice(names, old, axis, place, inputs.shape[place], part)
            axis, place = axis + 1, place + 1
        elif isinstance(part, (TensorSpec, list)):
            if sum(isinstance(p, (TensorSpec, list)) for p in parts) > 1 or (
                isinstance(part, TensorSpec) and part.dtype == "bool"
            ):
                return  # several lists of positions broadcast against each other
            for size in part.shape if isinstance(part, TensorSpec) else (len(part),):
                yield claim(names, axis, inputs.shape[place], size, "gather.positions")
                axis += 1
            place += 1
        else:
            yield said(
                "slice.one", taken={"axis": old[place], "size": inputs.shape[place]}, index=_plain(part)
            )
            place += 1


def _plain(value: Any) -> Any:
    return int(value) if isinstance(value, int) or hasattr(value, "__index__") else None


def _one_slice(
    names: Sequence[str], old: Sequence[str], axis: int, place: int, before: Size, part: slice
) -> Iterator[Sentence]:
    start, stop, step = (None if v is None else _plain(v) for v in (part.start, part.stop, part.step))
    if start in (None, 0) and stop is None and step in (None, 1):
        if axis != place:
            yield moved_axis(names, old, axis, place, before)
        return
    lengths = [
        len(range(*slice(start, stop, step).indices(before if before is not None else t))) for t in TRIALS
    ]
    after = lengths[0] if lengths[0] == lengths[1] else None
    text = f"{show(start, '')}:{show(stop, '')}" + (f":{step}" if step not in (None, 1) else "")
    yield claim(names, axis, before, after, "slice", "", range=text)


@rule("gather")
def _gather(record: Record) -> Iterator[Sentence]:
    """Looking things up: positions are replaced by what stands there."""
    inputs, arguments = record.tensors()[0], record.arguments
    output = whole(record)
    rank = len(output.shape)
    names = named(record, rank)
    if record.name in ("one_hot", "multi_hot"):
        yield from _hot(record, inputs, names)
    elif record.name == "take":
        index = record.tensors()[1].shape if len(record.tensors()) > 1 else ()
        axis = arguments.get("axis")
        if axis is None:
            for i, size in enumerate(index):
                yield claim(names, i, None, size, "gather.positions")
            return
        axis = int(axis) % len(inputs.shape)
        for i, size in enumerate(index):
            yield claim(names, axis + i, inputs.shape[axis], size, "gather.positions")
        for place in range(axis + 1, len(inputs.shape)):
            to = place - 1 + len(index)
            yield claim(names, to, None, inputs.shape[place], "gather.row")
    elif record.name == "take_along_axis":
        axis = arguments.get("axis")
        axis = 0 if axis is None else int(axis) % rank
        size = record.tensors()[1].shape[axis]
        yield claim(
            names,
            axis,
            inputs.shape[axis] if arguments.get("axis") is not None else None,
            size,
            "gather.positions",
        )
    elif record.name == "map_coordinates":
        where = record.tensors()[1].shape
        for axis in range(rank):
            yield claim(names, axis, None, where[axis + 1], "gather.positions")
    elif len(inputs.shape) == rank:
        yield said("elementwise", op=record.name)


def _hot(record: Record, inputs: TensorSpec, names: Sequence[str]) -> Iterator[Sentence]:
    count, rank = int(record.arguments["num_classes"]), len(inputs.shape)
    axis = int(record.arguments["axis"]) % (rank + 1)
    origin: list[int | None] = [*range(axis), None, *range(axis, rank)]
    if record.name == "multi_hot":
        del origin[1 if rank > 1 else 0]
    for place, source in enumerate(origin):
        if source is None:
            yield claim(names, place, None, count, "one_hot")
    yield from kept_axes(record, inputs, origin, "axis.moved")
