"""Receptive fields: which part of the model's input one output cell sees, exact on any graph of layers.

Size, step (jump) and start along each axis are read off the boxes of a few neighbouring cells, followed backwards
through what the model computes (`flow`); `box` gives, for one cell, the cells in every earlier layer.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from hornbill.engine.axes import axis_names

if TYPE_CHECKING:
    from hornbill.explain.flow import Box, Range
    from hornbill.explain.numbers import Numbers

__all__ = ["AxisField", "Receptive", "box", "fields_of"]

_FAR = 20160  # divides by every period
_PERIODS = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 16, 24, 32, 48, 64)


@dataclass(frozen=True, slots=True)
class AxisField:
    """What one output cell sees along one axis of an input, in input cells.

    Attributes:
        name: The axis.
        size: How many cells; the most, where that differs from cell to cell. None if all, of a size not known.
        jump: How far the next output cell's part is; None if that is not even.
        start: The first cell that output cell 0 sees; negative in the padding.
        whole: Whether every output cell sees all of the axis.
    """

    name: str
    size: int | None
    jump: int | float | None
    start: int | None
    whole: bool


@dataclass(frozen=True, slots=True)
class Receptive:
    """What one output cell of a layer sees of one of the model's inputs.

    Attributes:
        input: Name of the input.
        whole: Whether every output cell sees all of it.
        axes: Along each axis besides batch and channels.
    """

    input: str
    whole: bool
    axes: list[AxisField] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        """Returns it as the document holds it."""
        axes = [
            {"name": a.name, "size": a.size, "jump": a.jump, "start": a.start, "whole": a.whole}
            for a in self.axes
        ]
        return {"input": self.input, "whole": self.whole, "axes": axes}


def _channel_axis(numbers: Numbers, index: int, rank: int) -> int | None:
    """Returns the channel axis of a row's output; None where every axis but the batch counts places."""
    if rank < 3:
        return None
    first = getattr(numbers.rows[index].layer, "data_format", None) == "channels_first"
    return 1 if first else rank - 1


def _cell(numbers: Numbers, index: int, number: int, place: int) -> Box:
    """Returns the output cell with the same place along every axis, in all its channels."""
    shape = numbers.flow.trace.shapes[number]
    channel = _channel_axis(numbers, index, len(shape))
    found: list[Range] = [
        (0, size - 1) if axis in (0, channel) else (place, place) for axis, size in enumerate(shape)
    ]
    return tuple(found)


def fields_of(numbers: Numbers, index: int) -> list[Receptive]:
    """Returns what one output cell of a row sees of each of the model's inputs."""
    call, flow = numbers.calls[index], numbers.flow
    if call is None:
        return []
    number = call.outputs[0]
    looks = _Looks(numbers, index, number)
    found = []
    for name, entry in zip(numbers.input_names, flow.trace.inputs, strict=True):
        if looks.at(0).get(flow.same[entry]) is None and looks.clipped().get(flow.same[entry]) is None:
            continue
        shape = flow.trace.shapes[entry]
        unknown = _unknown(numbers, name)
        names = axis_names(len(shape), _format(numbers))
        spatial = [a for a in range(1, len(shape)) if names[a] != "channels" or len(shape) < 3]
        axes = [looks.axis(flow.same[entry], a, names[a], unknown) for a in spatial]
        found.append(Receptive(name, bool(axes) and all(a.whole for a in axes), axes))
    return found


def _format(numbers: Numbers) -> str | None:
    """Returns the order of the axes that the model's layers have."""
    return next(
        (f for row in numbers.rows if (f := getattr(row.layer, "data_format", None)) is not None), None
    )


def _unknown(numbers: Numbers, name: str) -> tuple[int | None, ...]:
    shapes = [row.outputs[0] for row in numbers.rows if row.name == name and row.outputs and row.depth == 0]
    return shapes[0] if shapes else ()


class _Looks:
    """The boxes of a few cells of one row, each worked out once."""

    def __init__(self, numbers: Numbers, index: int, number: int) -> None:
        self.numbers, self.index, self.number = numbers, index, number
        self._boxes: dict[int, dict[int, Box]] = {}
        shape = numbers.flow.trace.shapes[number]
        channel = _channel_axis(numbers, index, len(shape))
        self.laid_out = len(shape) < 3
        places = [size for axis, size in enumerate(shape) if axis not in (0, channel)]
        self.middle, self.last = min(places, default=1) // 2, min(places, default=1) - 1

    def at(self, place: int) -> dict[int, Box]:
        """Returns what the cell at a place depends on, ranges running on into the padding."""
        if place not in self._boxes:
            cell = _cell(self.numbers, self.index, self.number, place)
            self._boxes[place] = self.numbers.flow.back(self.number, cell, clip=False)
        return self._boxes[place]

    def clipped(self) -> dict[int, Box]:
        """Returns what the first cell depends on."""
        return self.numbers.flow.back(self.number, _cell(self.numbers, self.index, self.number, 0))

    def range(self, entry: int, axis: int, place: int) -> Range | None:
        """Returns the range of an input's axis that the cell at a place sees."""
        found = self.at(place).get(entry)
        return None if found is None else (int(found[axis][0]), int(found[axis][1]))

    def axis(self, entry: int, axis: int, name: str, unknown: tuple[int | None, ...]) -> AxisField:
        """Returns the field along one axis of an input."""
        size = self.numbers.flow.trace.shapes[entry][axis]
        open_size = axis < len(unknown) and unknown[axis] is None
        first = self.range(entry, axis, 0)
        covers = first is not None and first[0] <= 0 and first[1] >= size - 1
        if covers and all(self.range(entry, axis, place) == first for place in (self.middle, self.last)):
            return AxisField(name, None if open_size else size, 0, 0, True)
        jump, seen = self._step(entry, axis)
        return AxisField(name, seen, jump, None if first is None else first[0], False)

    def _step(self, entry: int, axis: int) -> tuple[int | float | None, int | None]:
        """Returns how far the part moves per output cell, and its largest size.

        The pattern of neighbouring cells repeats after a few, the period; it is looked for around the middle, away from
        the borders that interpolation keeps to.
        """
        if self.laid_out and len(self.numbers.flow.trace.shapes[entry]) > 2:
            seen = self.range(
                entry, axis, self.middle
            )  # one axis for several: no even steps along any of them
            return None, None if seen is None else seen[1] - seen[0] + 1
        near, far = self.range(entry, axis, self.middle), self.range(entry, axis, self.middle + _FAR)
        slope = None if near is None or far is None else Fraction(far[0] - near[0], _FAR)
        for guess in (slope, None):
            for period in _PERIODS:
                if guess is None and self.middle + 2 * period + 3 > 2 * self.middle:
                    break
                move = self._move(entry, axis, period, 4 if guess is not None else max(4, period))
                if move is None or (guess is not None and move != guess * period):
                    continue
                places = range(self.middle, self.middle + period)
                seen = [r for place in places if (r := self.range(entry, axis, place)) is not None]
                jump = Fraction(move, period)
                return (int(jump) if jump.denominator == 1 else float(jump)), max(b - a + 1 for a, b in seen)
        found = [r for i in range(8) if (r := self.range(entry, axis, self.middle + i)) is not None]
        return None, max((b - a + 1 for a, b in found), default=None)

    def _move(self, entry: int, axis: int, period: int, count: int) -> int | None:
        """Returns how far the part moves in so many cells, if it is as far from each of `count` cells on."""
        moves = set()
        for place in range(self.middle, self.middle + count):
            a, b = self.range(entry, axis, place), self.range(entry, axis, place + period)
            if (a is None) != (b is None):
                return None
            if a is not None and b is not None:
                moves |= {b[0] - a[0], b[1] - a[1]}
        return moves.pop() if len(moves) == 1 else None


def box(numbers: Numbers, index: int, cell: tuple[int, ...]) -> dict[str, Any]:
    """Returns the cells that one output cell depends on, in every earlier row and in the model's inputs.

    Args:
        numbers: The numbers of the model.
        index: The row.
        cell: The cell's place along each axis of the row's (first) output, without the batch.

    Returns:
        `{"rows": {index: ranges}, "inputs": {name: ranges}}`; ranges are `(first, last)` per axis, without the batch,
        cut to what exists. Rows on which the cell does not depend are left out.
    """
    call, flow = numbers.calls[index], numbers.flow
    if call is None or not call.outputs:
        return {"rows": {}, "inputs": {}}
    number = call.outputs[0]
    start: Box = ((0, flow.trace.shapes[number][0] - 1), *((int(place), int(place)) for place in cell))
    boxes = flow.back(number, start)
    rows = {}
    for i in range(index):
        other = numbers.calls[i]
        found = boxes.get(flow.same[other.outputs[0]]) if other is not None and other.outputs else None
        if found is not None:
            rows[i] = _plain(found)
    entries = zip(numbers.input_names, flow.trace.inputs, strict=True)
    inputs = {name: _plain(boxes[flow.same[entry]]) for name, entry in entries if flow.same[entry] in boxes}
    return {"rows": rows, "inputs": inputs}


def _plain(found: Box) -> Box:
    """Returns a box without its batch, in Python's own numbers."""
    return tuple((int(lo), int(hi)) for lo, hi in found[1:])
