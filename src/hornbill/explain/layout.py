"""Where boxes and lines of a network go: a layered layout of a directed graph.

Boxes stand in ranks by their longest way from the inputs. A line that passes ranks gets a place in each of them, so
that skips run beside the boxes and not through them. Boxes and places within a rank are ordered by where their
neighbours stand, then spread without overlap.

After K. Sugiyama, S. Tagawa, M. Toda, "Methods for visual understanding of hierarchical system structures" (1981).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

__all__ = ["Box", "Line", "arrange"]

_LANE = 14.0  # width of the place of a passing line


@dataclass(slots=True)
class Box:
    """A box to place: its size comes in, its middle comes out."""

    width: float
    height: float
    x: float = 0.0
    y: float = 0.0


@dataclass(slots=True)
class Line:
    """A line between two boxes: their numbers come in, its points come out."""

    source: int
    target: int
    points: list[tuple[float, float]] = field(default_factory=list)


@dataclass(slots=True)
class _Cell:
    """A box or the place of a passing line in one rank."""

    width: float
    height: float
    box: int | None
    before: list[int] = field(default_factory=list)
    after: list[int] = field(default_factory=list)
    x: float = 0.0
    rank: int = 0


def arrange(
    boxes: list[Box], lines: list[Line], gap_x: float = 28.0, gap_y: float = 34.0
) -> tuple[float, float]:
    """Places the boxes and routes the lines, from top to bottom.

    Args:
        boxes: The boxes; `x` and `y` of their middles are set.
        lines: The lines, each from an earlier box to a later one; their points are set.
        gap_x: Space between neighbours in a rank.
        gap_y: Space between ranks.

    Returns:
        Width and height of the whole.
    """
    if not boxes:
        return 0.0, 0.0
    cells, ranks, chains = _cells(boxes, lines)
    for _ in range(6):
        _order(cells, ranks, "before")
        _order(cells, ranks, "after")
    _spread(cells, ranks, gap_x)
    return _finish(boxes, lines, cells, ranks, chains, gap_y)


def _cells(boxes: list[Box], lines: list[Line]) -> tuple[list[_Cell], list[list[int]], list[list[int]]]:
    """Returns the cells, their numbers by rank, and for each line the cells it passes, ends included."""
    rank = [0] * len(boxes)
    for line in sorted(lines, key=lambda item: item.target):
        rank[line.target] = max(rank[line.target], rank[line.source] + 1)
    cells = [_Cell(box.width, box.height, i, rank=rank[i]) for i, box in enumerate(boxes)]
    chains = []
    for line in lines:
        chain = [line.source]
        for level in range(rank[line.source] + 1, rank[line.target]):
            cells.append(_Cell(_LANE, 0.0, None, rank=level))
            chain.append(len(cells) - 1)
        chain.append(line.target)
        for a, b in pairwise(chain):
            cells[a].after.append(b)
            cells[b].before.append(a)
        chains.append(chain)
    ranks: list[list[int]] = [[] for _ in range(max(rank) + 1)]
    for number, cell in enumerate(cells):
        ranks[cell.rank].append(number)
    return cells, ranks, chains


def _order(cells: list[_Cell], ranks: list[list[int]], side: str) -> None:
    place = {number: i for level in ranks for i, number in enumerate(level)}
    for level in ranks if side == "before" else reversed(ranks):

        def middle(number: int) -> float:
            near = getattr(cells[number], side)
            return sum(place[n] for n in near) / len(near) if near else place[number]

        level.sort(key=middle)
        place.update({number: i for i, number in enumerate(level)})


def _spread(cells: list[_Cell], ranks: list[list[int]], gap: float) -> None:
    """Gives each cell an x near its neighbours', keeping order and distance."""
    for level in ranks:
        at = 0.0
        for number in level:
            cells[number].x = at + cells[number].width / 2
            at += cells[number].width + gap
    for turn in range(8):
        for level in ranks if turn % 2 == 0 else list(reversed(ranks)):
            wanted = [_wanted(cells, number, turn) for number in level]
            _place(cells, level, wanted, gap)


def _wanted(cells: list[_Cell], number: int, turn: int) -> float:
    cell = cells[number]
    near = cell.before if turn % 2 == 0 else cell.after
    near = near or cell.before or cell.after
    if not near:
        return cell.x
    # straight main line: a box follows the box among its neighbours rather than a passing line
    boxes = [n for n in near if cells[n].box is not None] or near
    return sum(cells[n].x for n in boxes) / len(boxes)


def _place(cells: list[_Cell], level: list[int], wanted: list[float], gap: float) -> None:
    """Moves the cells of a rank as near to where they want as order and distance allow (least squares by blocks)."""
    blocks: list[list[float]] = []  # [weighted sum of wanted starts, weight, width so far]
    members: list[list[int]] = []
    for i, number in enumerate(level):
        width = cells[number].width
        weight = 1.0 if cells[number].box is not None else 0.01  # boxes stay in line; passing lines give way
        blocks.append([(wanted[i] - width / 2) * weight, weight, width + gap])
        members.append([number])
        while (
            len(blocks) > 1 and blocks[-2][0] / blocks[-2][1] + blocks[-2][2] > blocks[-1][0] / blocks[-1][1]
        ):
            last, names = blocks.pop(), members.pop()
            total, weight, size = blocks[-1]
            blocks[-1] = [total + last[0] - last[1] * size, weight + last[1], size + last[2]]
            members[-1] += names
    for (total, weight, _), names in zip(blocks, members, strict=True):
        at = total / weight
        for number in names:
            cells[number].x = at + cells[number].width / 2
            at += cells[number].width + gap


def _finish(
    boxes: list[Box],
    lines: list[Line],
    cells: list[_Cell],
    ranks: list[list[int]],
    chains: list[list[int]],
    gap_y: float,
) -> tuple[float, float]:
    left = min(cell.x - cell.width / 2 for cell in cells)
    right = max(cell.x + cell.width / 2 for cell in cells)
    tops, at = [], 0.0
    heights = [max(cells[n].height for n in level) for level in ranks]
    for height in heights:
        tops.append(at)
        at += height + gap_y
    for cell in cells:
        if cell.box is not None:
            box = boxes[cell.box]
            box.x, box.y = cell.x - left, tops[cell.rank] + heights[cell.rank] / 2
    for line, chain in zip(lines, chains, strict=True):
        first, last = boxes[line.source], boxes[line.target]
        points = [(first.x, first.y + first.height / 2)]
        for number in chain[1:-1]:
            cell = cells[number]
            x = cell.x - left
            points += [(x, tops[cell.rank]), (x, tops[cell.rank] + heights[cell.rank])]
        points.append((last.x, last.y - last.height / 2))
        line.points = _straightened(points)
    return right - left, at - gap_y


def _straightened(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Drops points that lie on a straight way."""
    kept = points[:1]
    for a, b, c in zip(points, points[1:], points[2:], strict=False):
        if not (abs(a[0] - b[0]) < 0.01 and abs(b[0] - c[0]) < 0.01):
            kept.append(b)
    return [*kept, points[-1]]
