"""Where an axis comes from: from a layer's output back to the model's input, layer by layer.

Which axes of the layers before follow an axis is found out by moving a cell along it and looking which cells it reads
(`flow`); nothing here knows a layer by name, so layers of the user's own are followed as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hornbill.engine.axes import axis_names
from hornbill.engine.errors import ArgumentError, did_you_mean
from hornbill.explain.languages import Catalogue, words
from hornbill.explain.rules.base import Sentence, total

if TYPE_CHECKING:
    from hornbill.explain.flow import Box
    from hornbill.explain.numbers import Numbers

__all__ = ["Step", "ancestry", "axis_number", "output_axes"]

_ONE_FOR_EACH = (
    "loop.each_step",
    "attention.queries",
)  # each place sees all places, and stands for one of them


@dataclass(frozen=True, slots=True)
class Step:
    """One axis on the way back.

    Attributes:
        row: The row.
        layer: Its name.
        axis: Index of the axis of the row's output.
        name: Name of the axis.
        size: Its size, None if not known.
        key: What happened to it there: "ancestry.kept", "ancestry.moved", "ancestry.window", "ancestry.merged",
            "ancestry.part", "ancestry.each", "ancestry.joined", "ancestry.added", "ancestry.made", "ancestry.reduced",
            "ancestry.new", "ancestry.input".
        values: What the template needs.
        sources: `(row, axis)` of the axes it comes from, which are the next steps.
        sentences: What the row's rules say about the axis.
    """

    row: int
    layer: str
    axis: int
    name: str
    size: int | None
    key: str
    values: dict[str, Any] = field(default_factory=dict)
    sources: tuple[tuple[int, int], ...] = ()
    sentences: tuple[Sentence, ...] = ()

    def say(self, catalogue: Catalogue) -> str:
        """Returns the step in the words of a catalogue."""
        given = {"name": {"axis": self.name}, "size": self.size, "layer": self.layer}
        return catalogue.say(self.key, **{**given, **self.values})

    @property
    def text(self) -> str:
        """The step in English."""
        return self.say(words("en"))


def axis_number(numbers: Numbers, index: int, axis: int | str) -> int:
    """Returns an axis of a row's output, given by index or by name, as an index from 0.

    Raises:
        ArgumentError: If there is no such axis.
    """
    names = output_axes(numbers, index)
    if isinstance(axis, str):
        if axis in names:
            return names.index(axis)
        raise ArgumentError(
            f"Layer {numbers.rows[index].name!r} has no axis {axis!r}.{did_you_mean(axis, names)}",
            got=f"axes {', '.join(names)}.",
        )
    if not -len(names) <= axis < len(names):
        raise ArgumentError(
            f"Layer {numbers.rows[index].name!r} has {len(names)} axes: {', '.join(names)}.",
            got=f"axis={axis}.",
        )
    return axis % len(names)


def ancestry(numbers: Numbers, index: int, axis: int | str) -> list[Step]:
    """Returns where an axis of a row's output comes from, step by step back to the input.

    Args:
        numbers: The numbers of the model.
        index: The row.
        axis: The axis, by index (batch included) or by name.

    Returns:
        The steps, each axis once; the sources of a step come later in the list.
    """
    start = (index, axis_number(numbers, index, axis))
    waiting, seen, found = [start], {start}, []
    while waiting:
        place = waiting.pop(0)
        step = _step(numbers, *place)
        found.append(step)
        for source in step.sources:
            if source not in seen:
                seen.add(source)
                waiting.append(source)
    return found


def output_axes(numbers: Numbers, index: int) -> tuple[str, ...]:
    """Returns the names of the axes of a row's (first) output: an axis that is carried on keeps its name."""
    known = numbers.axis_names_found
    if index not in known:
        known[index] = _names(numbers, index)
    return known[index]


def _shape(numbers: Numbers, index: int) -> tuple[int | None, ...]:
    row = numbers.rows[index]
    return tuple(row.outputs[0]) if row.outputs else ()


def _names(numbers: Numbers, index: int) -> tuple[str, ...]:
    row, shape = numbers.rows[index], _shape(numbers, index)
    own = axis_names(len(shape), getattr(row.layer, "data_format", None))
    parents = numbers.parents(index)
    if not parents or numbers.calls[index] is None:
        return own
    names = list(own)
    for axis in range(1, len(shape)):
        followed = _followed(numbers, index, axis)
        sources = followed.get(parents[0], [])
        if len(sources) == 1 and _followers(numbers, index, parents[0], sources[0]) == [axis]:
            names[axis] = output_axes(numbers, parents[0])[sources[0]]
    return tuple(names) if len(set(names)) == len(names) else own


# ---- which axes follow which


def _box(numbers: Numbers, index: int, cell: dict[int, int]) -> dict[int, Box]:
    """Returns what a row's output reads, all of it but for the axes of which one place is given."""
    call, flow = numbers.calls[index], numbers.flow
    if call is None or not call.outputs:
        return {}
    key = (index, tuple(sorted(cell.items())))
    if key not in numbers.boxes_found:
        number = call.outputs[0]
        whole = flow.whole(number)
        start = tuple((cell[a], cell[a]) if a in cell else r for a, r in enumerate(whole))
        numbers.boxes_found[key] = flow.back(number, start)
    return numbers.boxes_found[key]


def _value(numbers: Numbers, index: int) -> int | None:
    call = numbers.calls[index]
    return numbers.flow.same[call.outputs[0]] if call is not None and call.outputs else None


def _followed(numbers: Numbers, index: int, axis: int) -> dict[int, list[int]]:
    """Returns for each parent the axes of its output along which the cells read move when a cell moves along `axis`."""
    call = numbers.calls[index]
    if call is None or not call.outputs:
        return {}
    last = numbers.flow.trace.shapes[call.outputs[0]][axis] - 1
    first, end = _box(numbers, index, {axis: 0}), _box(numbers, index, {axis: last})
    found: dict[int, list[int]] = {}
    for parent in numbers.parents(index):
        value = _value(numbers, parent)
        a, b = first.get(value), end.get(value)  # type: ignore[arg-type]
        if a is None and b is None:
            continue
        shape = numbers.flow.trace.shapes[value]  # type: ignore[index]
        if a is None or b is None:  # it is read by a part of the places only: joined along this axis
            one = a or b or ()
            found[parent] = [i for i, (lo, hi) in enumerate(one) if (lo, hi) != (0, shape[i] - 1)] or _alike(
                numbers, index, axis, parent
            )
        else:
            found[parent] = [i for i in range(len(a)) if a[i] != b[i]]
        if last == 0:
            found[parent] = _alike(numbers, index, axis, parent)
    return found


def _alike(numbers: Numbers, index: int, axis: int, parent: int) -> list[int]:
    """Returns the parent's axis at the same place, for an axis of size 1, along which nothing can move."""
    mine, theirs = _shape(numbers, index), _shape(numbers, parent)
    return [axis] if len(mine) == len(theirs) else []


def _followers(numbers: Numbers, index: int, parent: int, source: int) -> list[int]:
    """Returns the axes of a row's output that an axis of its parent's output follows."""
    rank = len(_shape(numbers, index))
    return [a for a in range(1, rank) if source in _followed(numbers, index, a).get(parent, [])]


def _mixed(numbers: Numbers, index: int, parent: int) -> list[int]:
    """Returns the axes of the parent of which one output cell reads everything, wherever it is."""
    call, value = numbers.calls[index], _value(numbers, parent)
    if call is None or value is None:
        return []
    shape = numbers.flow.trace.shapes[call.outputs[0]]
    seen = _box(numbers, index, {a: n // 2 for a, n in enumerate(shape) if a}).get(value)
    sizes = numbers.flow.trace.shapes[value]
    followed = {b for a in range(1, len(shape)) for b in _followed(numbers, index, a).get(parent, [])}
    if seen is None:
        return []
    return [a for a in range(1, len(sizes)) if seen[a] == (0, sizes[a] - 1) and a not in followed]


# ---- one step


def _step(numbers: Numbers, index: int, axis: int) -> Step:
    row, shape = numbers.rows[index], _shape(numbers, index)
    name = output_axes(numbers, index)[axis]
    told = tuple(s for *_, s in row.sentences() if s.axis == axis and s.after == shape[axis])
    size = shape[axis]

    def step(key: str, sources: Sequence[tuple[int, int]] = (), **values: Any) -> Step:
        return Step(index, row.name, axis, name, size, f"ancestry.{key}", values, tuple(sources), told)

    parents = numbers.parents(index)
    if not parents:
        return step("input")
    if axis == 0:
        return step("kept", [(parents[0], 0)], **_whence(numbers, parents[0], 0))
    followed = {p: axes for p, axes in _followed(numbers, index, axis).items() if axes}
    sources = [(p, b) for p, axes in followed.items() for b in axes]
    if not sources:
        each = any(s.key in _ONE_FOR_EACH for s in told) and _shape(numbers, parents[0])[axis : axis + 1] == (
            size,
        )
        return (
            step("each", [(parents[0], axis)], **_whence(numbers, parents[0], axis))
            if each
            else _made(numbers, index, step)
        )
    parts = [_part(numbers, p, b) for p, b in sources]
    if len(followed) > 1:
        sizes = [_shape(numbers, p)[axes[0]] for p, axes in followed.items()]
        joined = total(sizes) == size and _is_joined(numbers, index, axis)
        return step("joined" if joined else "added", sources, parts=parts)
    (parent,) = followed
    if len(sources) > 1:
        return step("merged", sources, parts=parts)
    place = sources[0][1]
    if _followers(numbers, index, parent, place) != [axis]:
        return step("part", sources, **_whence(numbers, parent, place))
    one = _box(numbers, index, {axis: 0}).get(_value(numbers, parent) or 0)
    same = one is not None and one[place] == (0, 0) and _shape(numbers, parent)[place] == size
    if not same and size != 1:
        return step("window", sources, **_whence(numbers, parent, place))
    return step("kept" if place == axis else "moved", sources, **_whence(numbers, parent, place))


def _made(numbers: Numbers, index: int, step: Any) -> Step:
    """Returns the step of an axis that no axis before follows: one made by weights, or one that is new."""
    mixed = [(p, a) for p in numbers.parents(index) for a in _mixed(numbers, index, p)]
    row = numbers.rows[index]
    if not mixed:
        return step("new")
    parts = [_part(numbers, p, a) for p, a in mixed]
    return step("made" if row.params else "reduced", mixed, parts=parts)


def _is_joined(numbers: Numbers, index: int, axis: int) -> bool:
    """Whether the first place along an axis is read from one parent only."""
    seen = _box(numbers, index, {axis: 0})
    return sum(_value(numbers, p) in seen for p in numbers.parents(index)) == 1


def _part(numbers: Numbers, parent: int, axis: int) -> dict[str, Any]:
    return {"axis": output_axes(numbers, parent)[axis], "size": _shape(numbers, parent)[axis]}


def _whence(numbers: Numbers, parent: int, axis: int) -> dict[str, Any]:
    return {"source": _part(numbers, parent, axis), "from": numbers.rows[parent].name, "place": axis}
