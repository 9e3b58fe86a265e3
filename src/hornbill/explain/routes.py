"""How the lines of a layered layout run between two ranks: at right angles, straight, or as curves.

At right angles, each bundle of lines from one box gets a track of its own in the gap between two ranks, ordered so that
bundles cross little and never lie on each other; a gap is as high as its tracks need.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from hornbill.explain.layout import Box, Line, Ranks, rank_cells

__all__ = ["arrange"]

_TRACK = 7.0  # between two tracks
_PORT = 11.0  # between two arrow heads on a box
_CORNER = 4.0


@dataclass(slots=True)
class _Bundle:
    """The lines from one cell through one gap."""

    top: float
    ends: list[float]
    track: int = 0

    @property
    def low(self) -> float:
        return min(self.top, *self.ends)

    @property
    def high(self) -> float:
        return max(self.top, *self.ends)

    @property
    def straight(self) -> bool:
        return self.high - self.low < 0.05


def arrange(
    boxes: Sequence[Box],
    lines: Sequence[Line],
    splines: str = "ortho",
    gap_x: float = 24.0,
    gap_y: float = 20.0,
) -> tuple[float, float]:
    """Places the boxes and routes the lines, from top to bottom.

    Args:
        boxes: The boxes; `x` and `y` of their middles are set.
        lines: The lines, each from an earlier box to a later one; their steps are set.
        splines: "ortho" (right angles), "line" (straight) or "curved".
        gap_x: Space between neighbours in a rank.
        gap_y: Least space between ranks.

    Returns:
        Width and height of the whole.
    """
    if not boxes:
        return 0.0, 0.0
    ranks = rank_cells(boxes, lines, gap_x)
    ports = _ports(ranks)
    gaps = [_bundles(ranks, ports, level) for level in ranks.order[:-1]]
    tops, heights, at = [], [], 0.0
    for i, level in enumerate(ranks.order):
        heights.append(max(ranks.cells[n].height for n in level))
        tops.append(at)
        at += heights[-1]
        if i < len(gaps):
            at += _gap_height(gaps[i], splines, gap_y)
    for number, box in enumerate(boxes):
        cell = ranks.cells[number]
        box.x, box.y = cell.x, tops[cell.rank] + heights[cell.rank] / 2
    for line, chain in zip(lines, ranks.chains, strict=True):
        line.steps = _steps(boxes, ranks, ports, gaps, chain, tops, heights, splines)
    return max(cell.x + cell.width / 2 for cell in ranks.cells), at


def _gap_height(bundles: dict[int, _Bundle], splines: str, least: float) -> float:
    bends = [b for b in bundles.values() if not b.straight]
    if not bends:
        return least
    if splines == "ortho":
        return least + 4.0 + _TRACK * (max(b.track for b in bends) + 1)
    return least + 8.0 + min(40.0, 0.08 * max(b.high - b.low for b in bends))


def _ports(ranks: Ranks) -> dict[tuple[int, int], float]:
    """Returns the x at which the line from one cell enters another: straight below it if it can, else near."""
    ports: dict[tuple[int, int], float] = {}
    for number, cell in enumerate(ranks.cells):
        if cell.box is None:
            ports.update({(near, number): cell.x for near in cell.before})
            continue
        near = sorted(cell.before, key=lambda n: ranks.cells[n].x)
        half = max(cell.width / 2 - 10.0, cell.width * 0.25)
        apart = min(_PORT, 2 * half / max(1, len(near) - 1))
        wanted = [min(max(ranks.cells[n].x, cell.x - half), cell.x + half) for n in near]
        if len(near) == 1 and abs(ranks.cells[near[0]].x - cell.x) > half:
            wanted = [cell.x]
        weights = [
            1.0 if ranks.cells[n].box is None else 100.0 for n in near
        ]  # lanes give way to the main line
        for n, x in zip(near, _spread(wanted, weights, apart, cell.x - half, cell.x + half), strict=True):
            ports[n, number] = x
    return ports


def _spread(wanted: list[float], weights: list[float], apart: float, low: float, high: float) -> list[float]:
    """Moves sorted places as little as needed so that they are `apart` and within bounds (least squares)."""
    blocks: list[tuple[float, float, int]] = []  # mean of (place - index * apart), weight, number of places
    for i, (x, weight) in enumerate(zip(wanted, weights, strict=True)):
        blocks.append((x - i * apart, weight, 1))
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            (a, v, m), (b, w, n) = blocks[-2], blocks[-1]
            blocks[-2:] = [((a * v + b * w) / (v + w), v + w, m + n)]
    flat = [mean for mean, _, count in blocks for _ in range(count)]
    last = len(wanted) - 1
    return [min(max(x, low), high - last * apart) + i * apart for i, x in enumerate(flat)]


def _bundles(ranks: Ranks, ports: dict[tuple[int, int], float], level: list[int]) -> dict[int, _Bundle]:
    """Returns the bundles through the gap below a rank, with their tracks."""
    bundles = {
        n: _Bundle(ranks.cells[n].x, [ports[n, m] for m in ranks.cells[n].after])
        for n in level
        if ranks.cells[n].after
    }
    bends = [b for b in bundles.values() if not b.straight]
    above = {
        i: [j for j, other in enumerate(bends) if i != j and _above(other, b)] for i, b in enumerate(bends)
    }
    done: list[int] = []
    while len(done) < len(bends):
        ready = [i for i in above if i not in done and all(j in done for j in above[i])]
        i = ready[0] if ready else min(i for i in above if i not in done)  # a ring: one crossing more
        bends[i].track = max((bends[j].track + 1 for j in done if _overlap(bends[i], bends[j])), default=0)
        done.append(i)
    return bundles


def _overlap(a: _Bundle, b: _Bundle) -> bool:
    return a.low < b.high + 6 and b.low < a.high + 6


def _above(a: _Bundle, b: _Bundle) -> bool:
    """Whether bundle `a` should run above bundle `b`."""
    if not _overlap(a, b):
        return False
    if any(abs(a.top - end) < 4 for end in b.ends):
        return True  # else the stem of `a` would lie on the end of `b`
    if any(abs(b.top - end) < 4 for end in a.ends):
        return False
    right = sum(a.ends) / len(a.ends) > a.top, sum(b.ends) / len(b.ends) > b.top
    if right == (True, True):
        return a.top > b.top
    if right == (False, False):
        return a.top < b.top
    return right[0]  # one of each kind: either will do, as long as it is always the same


def _steps(
    boxes: Sequence[Box], ranks: Ranks, ports: dict[tuple[int, int], float], gaps: list[dict[int, _Bundle]],
    chain: list[int], tops: list[float], heights: list[float], splines: str,
) -> list[tuple[float, ...]]:  # fmt: skip
    first, last = boxes[chain[0]], boxes[chain[-1]]
    x, y = first.x, first.y + first.height / 2
    steps: list[tuple[float, ...]] = [(x, y)]
    corners: list[tuple[float, float]] = [(x, y)]
    for a, b in pairwise(chain):
        rank = ranks.cells[a].rank
        upper, lower = tops[rank] + heights[rank], tops[rank + 1]
        to, end = ports[a, b], (last.y - last.height / 2 if b == chain[-1] else lower)
        bend = abs(to - x) >= 0.05
        if splines == "ortho":
            if bend:
                height = upper + 10.0 + _TRACK * gaps[rank][a].track
                corners += [(x, height), (to, height)]
            corners.append((to, end))
        elif splines == "line" or not bend:
            steps += [(x, upper), (to, lower), (to, end)] if bend else [(to, end)]
        else:
            middle = (upper + lower) / 2
            steps += [(x, upper), (x, middle, to, middle, to, lower), (to, end)]
        x = to
    return _rounded(corners) if splines == "ortho" else _merged(steps)


def _merged(steps: list[tuple[float, ...]]) -> list[tuple[float, ...]]:
    """Drops steps that lead nowhere or lie on a straight way down."""
    kept = steps[:1]
    for step, following in zip(steps[1:], [*steps[2:], (None, None, None)], strict=True):
        before = kept[-1][-2:]
        still = abs(step[-2] - before[0]) + abs(step[-1] - before[1]) < 0.01
        if still or (len(step) == len(following) == 2 and before[0] == step[0] == following[0]):
            continue
        kept.append(step)
    return kept


def _rounded(corners: list[tuple[float, float]]) -> list[tuple[float, ...]]:
    """Returns a way at right angles with round corners."""
    points = corners[:1]
    for b, c in zip(corners[1:], [*corners[2:], None], strict=True):
        a = points[-1]
        if b == a or (c is not None and (a[0] == b[0] == c[0] or a[1] == b[1] == c[1])):
            continue
        points.append(b)
    steps: list[tuple[float, ...]] = [points[0]]
    for a, b, c in zip(points, points[1:], points[2:], strict=False):
        near, far = abs(a[0] - b[0]) + abs(a[1] - b[1]), abs(c[0] - b[0]) + abs(c[1] - b[1])
        r = min(_CORNER, near / 2, far / 2)
        start = (b[0] + r * (a[0] - b[0]) / near, b[1] + r * (a[1] - b[1]) / near)
        end = (b[0] + r * (c[0] - b[0]) / far, b[1] + r * (c[1] - b[1]) / far)
        k = 0.4477  # 1 - 0.5523: control points of a quarter of a circle
        steps += [
            start,
            (
                b[0] + k * (start[0] - b[0]), b[1] + k * (start[1] - b[1]),
                b[0] + k * (end[0] - b[0]), b[1] + k * (end[1] - b[1]), *end,
            ),
        ]  # fmt: skip
    return [*steps, points[-1]]
