"""Boxes through a reshape: which cells of the old shape the cells of the new one are."""

from __future__ import annotations

from collections.abc import Sequence

from hornbill.explain.rules.shapes import reshape_groups

__all__ = ["reshaped"]

Range = tuple[int, int]


def reshaped(before: Sequence[int], after: Sequence[int], box: Sequence[Range]) -> tuple[Range, ...]:
    """Returns the smallest box of the old shape that holds the cells of a box of the new one.

    Args:
        before: The old shape.
        after: The new shape, of as many elements.
        box: One range per axis of the new shape.
    """
    found: list[Range] = [(0, 0)] * len(before)
    for left, right in reshape_groups(before, after) or []:
        old = [a for a in left if before[a] != 1]
        new = [a for a in right if after[a] != 1]
        if len(old) == 1 and len(new) == 1:
            found[old[0]] = box[new[0]]
        elif old:
            ranges = _decode([before[a] for a in old], *_flat([after[a] for a in new], [box[a] for a in new]))
            for axis, one in zip(old, ranges, strict=True):
                found[axis] = one
    return tuple(found)


def _flat(sizes: Sequence[int], ranges: Sequence[Range]) -> Range:
    """Returns the first and last flat number of the cells of a box."""
    first = last = 0
    for size, (lo, hi) in zip(sizes, ranges, strict=True):
        first, last = first * size + lo, last * size + hi
    return first, last


def _decode(sizes: Sequence[int], first: int, last: int) -> list[Range]:
    """Returns the box that holds the cells with flat numbers from first to last."""
    found: list[Range] = []
    step = 1
    for size in sizes[1:]:
        step *= size
    for i in range(len(sizes)):
        lo, hi = first // step, last // step
        found.append((lo, hi))
        if lo != hi:
            return [*found, *((0, n - 1) for n in sizes[i + 1 :])]
        first, last = first - lo * step, last - hi * step
        step //= sizes[i + 1] if i + 1 < len(sizes) else 1
    return found
