"""Where the boxes of a network go: a layered layout of a directed graph.

Boxes stand in ranks by their longest way from the inputs. A line that passes ranks gets a lane through each of them, so
that skips run beside the boxes and not through them; the lines from one box share their lane. Boxes and lanes within
a rank are ordered to cross little, then set so that what belongs together stands in a straight line. How lines run
between two ranks is in `routes.py`.

After K. Sugiyama, S. Tagawa, M. Toda, "Methods for visual understanding of hierarchical system structures" (1981), and
U. Brandes, B. Köpf, "Fast and simple horizontal coordinate assignment" (2001).
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

__all__ = ["Box", "Cell", "Line", "Ranks", "crossings", "rank_cells"]

_LANE = 12.0  # width of a lane
_SWEEPS = 24


@dataclass(slots=True)
class Box:
    """A box to place: its size comes in, its middle comes out."""

    width: float
    height: float
    x: float = 0.0
    y: float = 0.0


@dataclass(slots=True)
class Line:
    """A line between two boxes: their numbers come in; its steps, as `Drawing.path` takes them, come out.

    Attributes:
        source: Number of the box where it starts.
        target: Number of the box where it ends.
        steps: Where it runs.
        skip: Whether it passes a rank.
    """

    source: int
    target: int
    steps: list[tuple[float, ...]] = field(default_factory=list)
    skip: bool = False


@dataclass(slots=True)
class Cell:
    """A box, or the lane of passing lines in one rank.

    Attributes:
        width: Its width.
        height: Its height; 0 for a lane.
        box: Number of the box, or None for a lane.
        source: Number of the box from which a lane's lines come.
        rank: In which rank it stands.
        before: Cells of the rank before that it is joined to.
        after: Cells of the rank behind that it is joined to.
        x: Its middle.
    """

    width: float
    height: float
    box: int | None
    source: int
    rank: int
    before: list[int] = field(default_factory=list)
    after: list[int] = field(default_factory=list)
    x: float = 0.0


@dataclass(slots=True)
class Ranks:
    """Boxes and lanes in their places.

    Attributes:
        cells: All cells; the first ones are the boxes.
        order: The numbers of each rank's cells, from left to right.
        chains: For each line the cells it runs through, ends included.
    """

    cells: list[Cell]
    order: list[list[int]]
    chains: list[list[int]]


def rank_cells(boxes: Sequence[Box], lines: Sequence[Line], gap: float) -> Ranks:
    """Ranks the boxes, adds lanes, orders both and gives each an x.

    Args:
        boxes: The boxes.
        lines: The lines, each from an earlier box to a later one.
        gap: Space between neighbours in a rank.
    """
    ranks = _with_lanes(boxes, lines, _levels(len(boxes), lines))
    _reduce_crossings(ranks)
    _set_x(ranks, gap)
    return ranks


def _levels(count: int, lines: Sequence[Line]) -> list[int]:
    """Returns the rank of each box; a box without a line to it stands just before the first that needs it."""
    level = [0] * count
    for line in sorted(lines, key=lambda item: item.target):
        level[line.target] = max(level[line.target], level[line.source] + 1)
    reached = {line.target for line in lines}
    first: dict[int, int] = {}
    for line in lines:
        first[line.source] = min(first.get(line.source, count), level[line.target])
    for number in range(count):
        if number not in reached and number in first:
            level[number] = first[number] - 1
    return level


def _with_lanes(boxes: Sequence[Box], lines: Sequence[Line], level: list[int]) -> Ranks:
    cells = [Cell(box.width, box.height, i, i, level[i]) for i, box in enumerate(boxes)]
    lanes: dict[tuple[int, int], int] = {}
    chains = []
    for line in lines:
        chain = [line.source]
        for rank in range(level[line.source] + 1, level[line.target]):
            key = (line.source, rank)
            if key not in lanes:
                lanes[key] = len(cells)
                cells.append(Cell(_LANE, 0.0, None, line.source, rank))
            chain.append(lanes[key])
        chain.append(line.target)
        line.skip = len(chain) > 2
        for a, b in pairwise(chain):
            if b not in cells[a].after:
                cells[a].after.append(b)
                cells[b].before.append(a)
        chains.append(chain)
    order: list[list[int]] = [[] for _ in range(max(level, default=-1) + 1)]
    for number, cell in enumerate(cells):
        order[cell.rank].append(number)
    return Ranks(cells, order, chains)


# ---- order


def crossings(ranks: Ranks) -> int:
    """Returns how often lines between neighbouring ranks cross."""
    total = 0
    for upper, lower in pairwise(ranks.order):
        place = {number: i for i, number in enumerate(lower)}
        seen: list[int] = []
        for number in upper:
            ends = sorted(place[n] for n in ranks.cells[number].after)
            total += sum(len(seen) - bisect_right(seen, end) for end in ends)
            for end in ends:
                insort(seen, end)
    return total


def _reduce_crossings(ranks: Ranks) -> None:
    """Sorts each rank by the middle of its neighbours, down and up in turn; keeps the best order met."""
    best, fewest = [list(level) for level in ranks.order], crossings(ranks)
    for turn in range(_SWEEPS):
        if not fewest:
            break
        _sort(ranks, "before" if turn % 2 == 0 else "after")
        _swap_neighbours(ranks)
        count = crossings(ranks)
        if count < fewest:
            best, fewest = [list(level) for level in ranks.order], count
    ranks.order = best


def _sort(ranks: Ranks, side: str) -> None:
    place = {number: i / max(1, len(level) - 1) for level in ranks.order for i, number in enumerate(level)}
    for level in ranks.order if side == "before" else reversed(ranks.order):
        middle = {}
        for number in level:
            near = [place[n] for n in getattr(ranks.cells[number], side)]
            middle[number] = sum(near) / len(near) if near else place[number]
        level.sort(key=middle.__getitem__)
        place.update({number: i / max(1, len(level) - 1) for i, number in enumerate(level)})


def _swap_neighbours(ranks: Ranks) -> None:
    """Swaps neighbours in a rank where that removes crossings."""
    place = {number: i for level in ranks.order for i, number in enumerate(level)}
    for level in ranks.order:
        changed = True
        while changed:
            changed = False
            for i, (a, b) in enumerate(pairwise(level)):
                now = later = 0
                for side in ("before", "after"):
                    left = [place[n] for n in getattr(ranks.cells[a], side)]
                    right = [place[n] for n in getattr(ranks.cells[b], side)]
                    now += sum(x > y for x in left for y in right)
                    later += sum(x < y for x in left for y in right)
                if later < now:
                    level[i], level[i + 1] = b, a
                    place[a], place[b] = i + 1, i
                    changed = True
                    break


# ---- places


def _set_x(ranks: Ranks, gap: float) -> None:
    """Sets every cell's x to the middle of four layouts: pulled up and down, left and right."""
    if not ranks.cells:
        return
    place = {number: i for level in ranks.order for i, number in enumerate(level)}
    bent = _bent(ranks, place)
    layouts = []
    for up in (True, False):
        for left in (True, False):
            root = _align(ranks, place, bent, up, left)
            layouts.append(_pack(ranks, root, gap, left))
    widths = [_span(ranks, xs) for xs in layouts]
    narrow = min(range(4), key=lambda i: widths[i][1] - widths[i][0])
    for i, xs in enumerate(layouts):
        right = i % 2 == 1
        shift = widths[narrow][right] - widths[i][right]
        layouts[i] = [x + shift for x in xs]
    for number, cell in enumerate(ranks.cells):
        middle = sorted(xs[number] for xs in layouts)
        cell.x = (middle[1] + middle[2]) / 2
    left_edge = min(cell.x - cell.width / 2 for cell in ranks.cells)
    for cell in ranks.cells:
        cell.x -= left_edge


def _span(ranks: Ranks, xs: list[float]) -> tuple[float, float]:
    return (
        min(x - cell.width / 2 for x, cell in zip(xs, ranks.cells, strict=True)),
        max(x + cell.width / 2 for x, cell in zip(xs, ranks.cells, strict=True)),
    )


def _bent(ranks: Ranks, place: dict[int, int]) -> set[tuple[int, int]]:
    """Returns the joints that cross a lane: those bend, lanes stay straight."""
    found = set()
    lane = {n: ranks.cells[n].box is None for n in place}
    for upper in ranks.order[:-1]:
        joints = [(a, b) for a in upper for b in ranks.cells[a].after]
        straight = [(a, b) for a, b in joints if lane[a] and lane[b]]
        for a, b in joints:
            if lane[a] and lane[b]:
                continue
            if any((place[a] - place[c]) * (place[b] - place[d]) < 0 for c, d in straight):
                found.add((a, b))
    return found


def _align(
    ranks: Ranks, place: dict[int, int], bent: set[tuple[int, int]], up: bool, left: bool
) -> list[int]:
    """Returns for each cell the first of the straight line it stands in."""
    count = len(ranks.cells)
    root, taken = list(range(count)), [False] * count
    for level in ranks.order if up else list(reversed(ranks.order)):
        edge = -1.0 if left else float("inf")
        for number in level if left else list(reversed(level)):
            for near in _middles(ranks, place, number, up, left):
                pair = (near, number) if up else (number, near)
                beyond = place[near] > edge if left else place[near] < edge
                if pair not in bent and beyond and not taken[near]:
                    root[number], taken[near], edge = root[near], True, place[near]
                    break
    return root


def _middles(ranks: Ranks, place: dict[int, int], number: int, up: bool, left: bool) -> list[int]:
    """Returns the middle neighbours of a cell: boxes follow boxes, lanes follow lanes, else one the other."""
    cell = ranks.cells[number]
    lane = cell.box is None
    near = sorted(cell.before if up else cell.after, key=place.__getitem__)
    same = [n for n in near if (ranks.cells[n].box is None) == lane]
    if not same:
        back = [(n, ranks.cells[n].after if up else ranks.cells[n].before) for n in near]
        same = [n for n, others in back if not any((ranks.cells[m].box is None) != lane for m in others)]
    near = same
    if not near:
        return []
    low, high = (len(near) - 1) // 2, len(near) // 2
    middles = [near[low]] if low == high else [near[low], near[high]]
    return middles if left else middles[::-1]


def _pack(ranks: Ranks, root: list[int], gap: float, left: bool) -> list[float]:
    """Sets the straight lines beside each other as close as they go, then back to what they are joined to."""
    apart: dict[int, dict[int, float]] = {r: {} for r in set(root)}  # line -> lines to its right and how far
    back: dict[int, dict[int, float]] = {r: {} for r in set(root)}
    for level in ranks.order:
        for a, b in pairwise(level if left else level[::-1]):
            space = gap if ranks.cells[a].box is not None or ranks.cells[b].box is not None else 2.0
            far = (ranks.cells[a].width + ranks.cells[b].width) / 2 + space
            u, v = root[a], root[b]
            apart[u][v] = back[v][u] = max(apart[u].get(v, 0.0), far)
    x: dict[int, float] = {}
    order = _sorted_lines(apart, back)
    for r in order:
        x[r] = max((x[u] + far for u, far in back[r].items()), default=0.0)
    for r in reversed(order):
        if apart[r]:
            x[r] = max(x[r], min(x[v] - far for v, far in apart[r].items()))
    sign = 1.0 if left else -1.0
    return [sign * x[r] for r in root]


def _sorted_lines(apart: dict[int, dict[int, float]], back: dict[int, dict[int, float]]) -> list[int]:
    """Returns the straight lines in an order in which each stands behind those to its left."""
    waits = {r: len(back[r]) for r in back}
    ready = sorted(r for r in waits if not waits[r])
    order = []
    while ready:
        r = ready.pop()
        order.append(r)
        for v in apart[r]:
            waits[v] -= 1
            if not waits[v]:
                ready.append(v)
    return order
