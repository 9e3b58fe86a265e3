"""Axes that are cut, joined, moved, laid out anew: reshape, transpose, concatenate, split, upsample."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from hornbill.engine.record import Record
from hornbill.explain.rules.base import (
    TRIALS,
    Sentence,
    Size,
    axes_of,
    claim,
    kept_axes,
    moved_axis,
    named,
    per_axis,
    product,
    rule,
    said,
    show,
    total,
    whole,
)  # fmt: skip
from hornbill.ops import rearranging

__all__ = ["reshape_groups"]

# ---- reshape


def reshape_groups(before: Sequence[Size], after: Sequence[Size]) -> list[tuple[list[int], list[int]]] | None:
    """Returns which input axes make up which output axes: `(2, 3, 4) -> (6, 4)` is `[([0, 1], [0]), ([2], [1])]`.

    Unknown sizes are matched from both ends; None if that leaves more than one group with unknown sizes.
    """
    head = 0
    while head < min(len(before), len(after)) and before[head] is None and after[head] is None:
        head += 1
    tail = 0
    while (
        tail < min(len(before), len(after)) - head
        and before[len(before) - 1 - tail] == after[len(after) - 1 - tail]
        and (None in before[head : len(before) - tail] or None in after[head : len(after) - tail])
    ):
        tail += 1
    while _one_sided(before[head : len(before) - tail], after[head : len(after) - tail]) and head + tail:
        # what is left on one side belongs to an unknown size beside it: (batch * steps, 3) -> (batch, steps, 3)
        if (tail and before[len(before) - tail] is None) or not head:
            tail -= 1
        else:
            head -= 1
    groups = [([i], [i]) for i in range(head)]
    inner = (list(range(head, len(before) - tail)), list(range(head, len(after) - tail)))
    if None in [before[i] for i in inner[0]] or None in [after[i] for i in inner[1]]:
        groups.append(inner)
    else:
        groups += _known_groups(before, after, *inner)
    groups += [([len(before) - 1 - k], [len(after) - 1 - k]) for k in reversed(range(tail))]
    return groups


def _one_sided(left: Sequence[Size], right: Sequence[Size]) -> bool:
    return (not left and product(right) != 1) or (not right and product(left) != 1)


def _known_groups(
    before: Sequence[Size], after: Sequence[Size], left: list[int], right: list[int]
) -> list[tuple[list[int], list[int]]]:
    groups: list[tuple[list[int], list[int]]] = []
    i = j = 0
    while i < len(left) or j < len(right):
        a, b = left[i : i + 1], right[j : j + 1]
        i, j = i + len(a), j + len(b)
        size, other = product([before[k] for k in a]), product([after[k] for k in b])
        while size != other:
            if (size or 0) < (other or 0) and i < len(left):
                a.append(left[i])
                size = (size or 0) * (before[left[i]] or 0)
                i += 1
            elif j < len(right):
                b.append(right[j])
                other = (other or 0) * (after[right[j]] or 0)
                j += 1
            else:
                break
        groups.append((a, b))
    return groups


@rule("reshape")
def _reshape(record: Record) -> Iterator[Sentence]:
    """Reshaping keeps the number and order of the elements."""
    special = {
        "expand_dims": _expand_dims, "squeeze": _squeeze, "depth_to_space": _depth_to_space,
        "space_to_depth": _space_to_depth, "unfold": _unfold, "fold": _fold, "rearrange": _rearrange,
    }  # fmt: skip
    yield from special.get(record.name, _plain_reshape)(record)


def _plain_reshape(record: Record) -> Iterator[Sentence]:
    before, after = record.tensors()[0].shape, whole(record).shape
    wanted: Any = record.arguments.get("newshape", -1)
    wanted = list(wanted) if isinstance(wanted, (tuple, list)) else [wanted]
    names, old = named(record, len(after)), named(record, len(before))
    for left, right in reshape_groups(before, after) or []:
        sizes = [before[i] for i in left]
        if len(left) == 1 and len(right) == 1:
            if left != right or (before[left[0]] != after[right[0]]):
                yield moved_axis(names, old, right[0], left[0], sizes[0])
        elif len(right) == 1:
            size = product(sizes)
            formula = " * ".join(show(s) for s in sizes) or "1"
            formula = formula if size is None else f"{formula} = {size}"
            parts = [{"axis": old[i], "size": before[i]} for i in left]
            key = "reshape.merged" if left else "reshape.added"
            yield Sentence(
                right[0],
                names[right[0]],
                sizes[0] if sizes else None,
                size if left else 1,
                key,
                {"parts": parts},
                formula,
            )
        else:
            yield from _split_group(names, old, left, right, sizes, wanted, after)


def _split_group(
    names: Sequence[str], old: Sequence[str], left: list[int], right: list[int], sizes: list[Size], wanted: list[Any],
    after: Sequence[Size],
) -> Iterator[Sentence]:  # fmt: skip
    """Says of each output axis of a group whether it was asked for or is what is left."""
    whole_size = product(sizes)
    given = {axis: wanted[axis] for axis in right if axis < len(wanted) and wanted[axis] not in (-1, None)}
    rest = [axis for axis in right if axis not in given]
    known = product(list(given.values()))
    parts = [{"axis": old[i], "size": s} for i, s in zip(left, sizes, strict=True)]
    text = " * ".join(show(s) for s in sizes) or "1"
    for axis in right:
        if axis in given:
            size, key = int(given[axis]), "reshape.given"
            formula = f"{text} = {' * '.join(show(after[k]) for k in right)}"
        else:
            size = whole_size // known if whole_size is not None and known and len(rest) == 1 else None
            key, formula = "reshape.rest", f"{text} / {show(known)}" + ("" if size is None else f" = {size}")
        yield Sentence(
            axis, names[axis], sizes[0] if len(sizes) == 1 else None, size, key, {"parts": parts}, formula
        )


def _expand_dims(record: Record) -> Iterator[Sentence]:
    before, rank = record.tensors()[0], len(whole(record).shape)
    new = axes_of(record.arguments["axis"], rank)
    for axis in new:
        yield claim(named(record, rank), axis, None, 1, "reshape.added", "1")
    places = iter(range(len(before.shape)))
    yield from kept_axes(
        record, before, [None if a in new else next(places) for a in range(rank)], "axis.moved"
    )


def _squeeze(record: Record) -> Iterator[Sentence]:
    before, rank = record.tensors()[0], len(record.tensors()[0].shape)
    axis = record.arguments.get("axis")
    gone = [i for i, s in enumerate(before.shape) if s == 1] if axis is None else axes_of(axis, rank)
    names = named(record, rank)
    yield said("reshape.dropped", gone=[{"axis": names[a], "size": 1} for a in gone])
    yield from kept_axes(record, before, [a for a in range(rank) if a not in gone], "axis.moved")


def _blocks(record: Record, upwards: bool) -> Iterator[Sentence]:
    shape, block = record.tensors()[0].shape, int(record.arguments["block_size"])
    names = named(record, 4)
    last = names[-1] == "channels"
    for axis in (1, 2) if last else (2, 3):
        size, n = shape[axis], show(shape[axis])
        if upwards:
            after = product((size, block))
            yield claim(names, axis, size, after, "upsample", f"{n} * {block} = {show(after)}")
        else:
            after = None if size is None else size // block
            yield claim(names, axis, size, after, "split", f"{n} / {block} = {show(after)}", pieces=block)
    axis = 3 if last else 1
    channels = shape[axis]
    if upwards:
        after = None if channels is None else channels // block**2
        yield claim(
            names,
            axis,
            channels,
            after,
            "split",
            f"{show(channels)} / ({block} * {block}) = {show(after)}",
            pieces=block**2,
        )
    else:
        after = product((channels, block, block))
        yield claim(
            names, axis, channels, after, "upsample", f"{show(channels)} * {block} * {block} = {show(after)}"
        )


def _depth_to_space(record: Record) -> Iterator[Sentence]:
    yield from _blocks(record, upwards=True)


def _space_to_depth(record: Record) -> Iterator[Sentence]:
    yield from _blocks(record, upwards=False)


def _unfold(record: Record) -> Iterator[Sentence]:
    shape, arguments = record.tensors()[0].shape, record.arguments
    kernel, dilation, stride = (per_axis(arguments[k], 2) for k in ("kernel_size", "dilation", "stride"))
    pad = per_axis(arguments["padding"], 2)
    cells = product((shape[1], *kernel))
    names = ("batch", "window cells", "windows")
    formula = f"{show(shape[1])} * {kernel[0]} * {kernel[1]} = {show(cells)}"
    yield claim(names, 1, shape[1], cells, "window.patch", formula)
    counts: list[Size] = []
    texts = []
    for i in (0, 1):
        size, reach = shape[2 + i], dilation[i] * (kernel[i] - 1) + 1
        counts.append(None if size is None else (size + 2 * pad[i] - reach) // stride[i] + 1)
        texts.append(f"(({show(size)} + {2 * pad[i]} - {reach}) // {stride[i]} + 1)")
    after = product(counts)
    yield Sentence(2, "windows", None, after, "window.count", {}, f"{' * '.join(texts)} = {show(after)}")


def _fold(record: Record) -> Iterator[Sentence]:
    shape, arguments = record.tensors()[0].shape, record.arguments
    sizes, kernel = (per_axis(arguments[k], 2) for k in ("output_size", "kernel_size"))
    names = ("batch", "channels", "height", "width")
    cells = kernel[0] * kernel[1]
    after = None if shape[1] is None else shape[1] // cells
    yield claim(
        names, 1, shape[1], after, "split", f"{show(shape[1])} / {cells} = {show(after)}", pieces=cells
    )
    for i in (0, 1):
        yield claim(names, 2 + i, None, sizes[i], "given")


def _rearrange(record: Record) -> Iterator[Sentence]:
    shape, pattern = record.tensors()[0].shape, record.arguments["pattern"]
    lengths = dict(record.arguments.get("axes_lengths", {}))
    left, right = rearranging._parse(pattern)
    groups = rearranging._spread(pattern, left, len(shape))
    results = []
    for trial in TRIALS:  # a size not known stands for two numbers in turn
        filled = tuple(trial if s is None else s for s in shape)
        results.append(rearranging._sizes(pattern, groups, filled, lengths))
    sizes = {name: size if size == results[1][name] else None for name, size in results[0].items()}
    spread = [name for group in groups for name in group if name.startswith("...")]
    target = [p for g in right for p in ([[x] for x in spread] if g == ["..."] else [g])]
    for axis, group in enumerate(target):
        parts = [x for name in group for x in (spread if name == "..." else [name])]
        size = product([sizes[x] for x in parts])
        text = " * ".join(show(sizes[x]) for x in parts) or "1"
        name = " ".join(parts) or "1"
        yield Sentence(
            axis,
            name,
            None,
            size,
            "reshape.pattern",
            {"pattern": pattern},
            f"{text}" if len(parts) < 2 else f"{text} = {show(size)}",
        )


# ---- transpose


@rule("transpose")
def _transpose(record: Record) -> Iterator[Sentence]:
    """Transposing moves axes."""
    before, arguments = record.tensors()[0], record.arguments
    rank = len(before.shape)
    order = list(range(rank))
    if record.name == "transpose":
        axes = arguments.get("axes")
        order = order[::-1] if axes is None else axes_of(tuple(axes), rank)
    elif record.name == "swapaxes":
        a, b = (int(arguments[k]) % rank for k in ("axis1", "axis2"))
        order[a], order[b] = order[b], order[a]
    elif record.name == "rot90":
        a, b = axes_of(tuple(arguments["axes"]), rank)
        if int(arguments["k"]) % 2:
            order[a], order[b] = order[b], order[a]
    else:
        source, target = (axes_of(arguments[k], rank) for k in ("source", "destination"))
        order = [a for a in order if a not in source]
        for place, axis in sorted(zip(target, source, strict=True)):
            order.insert(place, axis)
    if order == list(range(rank)):
        yield said("elementwise", op=record.name)
    yield from kept_axes(record, before, order, "transpose")


# ---- joining and cutting


@rule("concatenate")
def _concatenate(record: Record) -> Iterator[Sentence]:
    """Concatenation: sizes along the axis add up; stacking makes a new axis."""
    tensors, output, name = record.tensors(), whole(record), record.name
    rank = len(output.shape)
    names = named(record, rank)
    if name == "stack":
        axis = int(record.arguments.get("axis") or 0) % rank
        yield claim(names, axis, None, len(tensors), "stack", count=len(tensors))
        places = iter(range(rank - 1))
        origin = [None if a == axis else next(places) for a in range(rank)]
        yield from kept_axes(record, tensors[0], origin, "axis.moved")
        return
    shapes = [t.shape for t in tensors]
    if name == "append" and record.arguments.get("axis") is None:
        shapes, axis = [(product(s),) for s in shapes], 0
    elif name in ("hstack", "vstack", "dstack"):
        least = {"hstack": 1, "vstack": 2, "dstack": 3}[name]
        shapes = [_at_least(s, least) for s in shapes]
        axis = {"hstack": 0 if rank == 1 else 1, "vstack": 0, "dstack": 2}[name]
    else:
        axis = int(record.arguments.get("axis") or 0) % rank
    sizes = [s[axis] for s in shapes]
    after = total(sizes)
    formula = " + ".join(show(s) for s in sizes) + ("" if after is None else f" = {after}")
    yield Sentence(axis, names[axis], sizes[0], after, "concatenate", {"count": len(sizes)}, formula)
    for other in range(rank):
        if other != axis and (len(tensors[0].shape) <= other or tensors[0].shape[other] != shapes[0][other]):
            yield claim(names, other, None, shapes[0][other], "reshape.added", show(shapes[0][other]))


def _at_least(shape: tuple[Size, ...], rank: int) -> tuple[Size, ...]:
    """Returns a shape with axes of size 1 added as `atleast_2d` and `atleast_3d` do."""
    if len(shape) >= rank:
        return shape
    if rank == 1:
        return (1,)
    if rank == 2:
        return (1, *shape) if shape else (1, 1)
    return {0: (1, 1, 1), 1: (1, *shape, 1), 2: (*shape, 1)}[len(shape)]


@rule("split")
def _split(record: Record) -> Iterator[Sentence]:
    """Splitting divides an axis."""
    inputs, name, arguments = record.tensors()[0], record.name, record.arguments
    rank = len(inputs.shape)
    fixed = {"hsplit": 0 if rank == 1 else 1, "vsplit": 0, "dsplit": 2}
    axis = fixed[name] if name in fixed else int(arguments.get("axis", 0)) % rank
    before, names = inputs.shape[axis], named(record, rank)
    if name == "_unstack":
        yield said("split.unstack", gone=[{"axis": names[axis], "size": before}])
        yield from kept_axes(record, inputs, [a for a in range(rank) if a != axis], "axis.moved")
        return
    sections = 2 if name == "glu" else arguments.get("indices_or_sections")
    if isinstance(sections, (tuple, list)):
        after = (
            None
            if before is None and not sections
            else min(int(sections[0]), before if before is not None else int(sections[0]))
        )
        yield claim(
            names, axis, before, after, "split.places", f"0 .. {after}", places=[int(p) for p in sections]
        )
        return
    count = int(sections)  # type: ignore[arg-type]
    after = None if before is None else -(-before // count)
    formula = (
        f"{show(before)} / {count}" if before is None or before % count == 0 else f"ceil({before} / {count})"
    )
    yield claim(
        names,
        axis,
        before,
        after,
        "split",
        formula if after is None else f"{formula} = {after}",
        pieces=count,
    )


@rule("upsample")
def _upsample(record: Record) -> Iterator[Sentence]:
    """Repetition: sizes are multiplied; resizing: they are given."""
    inputs, arguments, name = record.tensors()[0], record.arguments, record.name
    shape = inputs.shape
    rank = len(whole(record).shape)
    names = named(record, rank)
    if name == "repeat":
        axis, times = arguments.get("axis"), arguments["repeats"]
        before = product(shape) if axis is None else shape[int(axis) % len(shape)]
        place = 0 if axis is None else int(axis) % len(shape)
        if isinstance(times, int):
            yield _times(names, place, before, times)
        elif isinstance(times, (tuple, list)):
            after = sum(times) if len(times) != 1 else product((before, *times))
            yield claim(
                names, place, before, after, "upsample", f"{' + '.join(map(str, times))} = {show(after)}"
            )
    elif name == "tile":
        times = arguments["repeats"]
        times = list(times) if isinstance(times, (tuple, list)) else [int(times)]
        times = [1] * (rank - len(times)) + times
        sizes = (1,) * (rank - len(shape)) + tuple(shape)
        for axis, (size, count) in enumerate(zip(sizes, times, strict=True)):
            if count != 1:
                yield _times(names, axis, size, int(count))
    else:
        yield from _resized(record, shape, rank)


def _times(names: Sequence[str], axis: int, before: Size, times: int) -> Sentence:
    after = product((before, times))
    formula = f"{show(before)} * {times}" + ("" if after is None else f" = {after}")
    return claim(names, axis, before, after, "upsample", formula, times=times)


def _resized(record: Record, shape: tuple[Size, ...], rank: int) -> Iterator[Sentence]:
    arguments = record.arguments
    if record.name == "scale_and_translate":
        for axis, size in enumerate(arguments["output_shape"]):
            yield claim(named(record, rank), axis, shape[axis], int(size), "resize")
        return
    size = arguments["size"]
    names = named(record, 4)[4 - rank :]
    first = rank - 3 if names[-1] == "channels" else rank - 2
    for i, wanted in enumerate(size if isinstance(size, (tuple, list)) else (size, size)):
        before, n = shape[first + i], show(shape[first + i])
        if before and int(wanted) % before == 0:
            yield claim(
                names,
                first + i,
                before,
                int(wanted),
                "upsample",
                f"{n} * {int(wanted) // before} = {int(wanted)}",
            )
        else:
            yield claim(names, first + i, before, None if wanted is None else int(wanted), "resize")
