"""The scene of a picture: boxes, frames of inner models and the lines between them, laid out and painted."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from hornbill.explain.drawing import Drawing
from hornbill.explain.drawing_parts import Colour
from hornbill.explain.labels import Shown, labels
from hornbill.explain.layout import Box, Line
from hornbill.explain.numbers import Numbers
from hornbill.explain.routes import arrange
from hornbill.explain.rows import Row
from hornbill.explain.typeface import text_width

__all__ = ["Item", "Scene", "make_scene", "paint", "parents_of"]

_MARGIN, _PADDING, _LINE_HEIGHT, _SIZE, _HEADING = 16.0, 9.0, 13.5, 10.0, 26.0
_FRAME, _EDGE, _INK, _SKIP = (247, 248, 250), (110, 118, 132), (90, 98, 112), (29, 92, 168)

# Pale fills by kind of layer; the class name says the same in words. (red, green, blue)
_FILLS: tuple[tuple[tuple[str, ...], Colour], ...] = (
    (("Input",), (232, 236, 242)),
    (("Transpose", "UpSampling"), (255, 237, 213)),
    (("Conv",), (219, 234, 254)),
    (("Pool",), (220, 243, 228)),
    (("Dense", "Embedding", "Einsum"), (237, 228, 254)),
    (("Norm",), (254, 243, 199)),
    (("LSTM", "GRU", "RNN", "Attention", "Bidirectional"), (252, 228, 240)),
    (("Dropout", "Noise"), (241, 241, 239)),
)


@dataclass(slots=True)
class Item:
    """One box, or the frame of an inner model.

    Attributes:
        row: What it stands for.
        lines: What it says.
        box: Where it stands in its scene.
        inside: The scene in the frame of an inner model.
    """

    row: Row
    lines: list[str]
    box: Box
    inside: Scene | None = None


@dataclass(slots=True)
class Scene:
    """Items and lines of one level, with the size they take.

    Attributes:
        items: Boxes and frames.
        lines: Lines between them.
        guessed: The lines that only say what ran after what.
        width: Width in points.
        height: Height in points.
    """

    items: list[Item] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    guessed: set[int] = field(default_factory=set)
    width: float = 0.0
    height: float = 0.0

    def any_guessed(self) -> bool:
        """Returns whether any line here or inside is guessed."""
        return bool(self.guessed) or any(item.inside.any_guessed() for item in self.items if item.inside)


def parents_of(model: Any, rows: list[Row]) -> dict[int, list[int]]:
    """Returns for each row, by its `id`, the rows of its own level whose outputs it takes.

    A row that is not in it stands in a model whose `call` could not be traced.

    Args:
        model: The model.
        rows: All its rows.
    """
    found: dict[int, list[int]] = {}
    numbers = Numbers(model, rows) if any(row.node is None for row in rows) else None
    at_node: dict[tuple[int, int], int] = {}  # the latest call of a node at a depth
    for i, row in enumerate(rows):
        if row.node is not None:
            keys = [(row.depth, id(node)) for node in row.node.parent_nodes]
            found[id(row)] = [at_node[key] for key in dict.fromkeys(keys) if key in at_node]
            at_node[row.depth, id(row.node)] = id(row)
        elif numbers is not None and numbers.calls[i] is not None:
            found[id(row)] = [id(rows[k]) for k in numbers.parents(i)]
    return found


def make_scene(
    rows: list[Row], parents: dict[int, list[int]], shown: Shown, rankdir: str, splines: str
) -> Scene:
    """Returns the scene of rows, laid out.

    Args:
        rows: The rows; those of an inner model follow it, one deeper.
        parents: What `parents_of` says.
        shown: What boxes say.
        rankdir: "TB" or "LR".
        splines: "ortho", "line" or "curved".
    """
    scene = Scene()
    depth = min((row.depth for row in rows), default=0)
    groups: list[tuple[Row, list[Row]]] = []
    for row in rows:
        if row.depth == depth or not groups:
            groups.append((row, []))
        else:
            groups[-1][1].append(row)
    for row, inner in groups:
        lines = labels(row, shown)
        width = max(text_width(text, _SIZE, bold=i == 0) for i, text in enumerate(lines)) + 2 * _PADDING
        height = len(lines) * _LINE_HEIGHT + _PADDING
        inside = make_scene(inner, parents, shown, rankdir, splines) if inner else None
        if inside is not None:
            width, height = max(width, inside.width + 2 * _MARGIN), inside.height + height + 1.5 * _MARGIN
        scene.items.append(Item(row, lines, Box(width, height), inside))
    scene.lines, scene.guessed = _lines([row for row, _ in groups], parents)
    _make_room(scene, rankdir)
    _arrange(scene, rankdir, splines)
    return scene


def _make_room(scene: Scene, rankdir: str) -> None:
    """Makes boxes wide (or high) enough for the arrows that end there."""
    for number, count in Counter(line.target for line in scene.lines).items():
        box, needed = scene.items[number].box, 20.0 + 6.5 * (count - 1)
        if rankdir == "TB":
            box.width = max(box.width, needed)
        else:
            box.height = max(box.height, needed)


def _lines(rows: list[Row], parents: dict[int, list[int]]) -> tuple[list[Line], set[int]]:
    """Returns the lines between rows, and which of them only say the order of the calls."""
    lines: list[Line] = []
    guessed: set[int] = set()
    place = {id(row): i for i, row in enumerate(rows)}
    for i, row in enumerate(rows):
        if id(row) in parents:
            lines += [Line(place[parent], i) for parent in parents[id(row)] if parent in place]
        elif i and row.record is not None:
            guessed.add(len(lines))
            lines.append(Line(i - 1, i))
    return lines, guessed


def _arrange(scene: Scene, rankdir: str, splines: str) -> None:
    boxes = [item.box for item in scene.items]
    if rankdir == "TB":
        scene.width, scene.height = arrange(boxes, scene.lines, splines)
        return
    turned = [Box(box.height, box.width) for box in boxes]
    scene.height, scene.width = arrange(turned, scene.lines, splines, gap_x=18.0, gap_y=24.0)
    for box, other in zip(boxes, turned, strict=True):
        box.x, box.y = other.y, other.x
    for line in scene.lines:
        line.steps = [
            tuple(step[i ^ 1] for i in range(len(step))) for step in line.steps
        ]  # x and y of each point change places


# ---- painting


def paint(scene: Scene, title: str) -> Drawing:
    """Returns the drawing of a scene under its title."""
    note = (
        "Broken lines: the order of the calls; what each takes is not known." if scene.any_guessed() else ""
    )
    heading = _HEADING + (14.0 if note else 0.0)
    width = max(scene.width, text_width(title, 11, True), text_width(note, 9)) + 2 * _MARGIN
    drawing = Drawing(width, scene.height + 2 * _MARGIN + heading, title)
    drawing.text(_MARGIN, _MARGIN + 9, title, 11, bold=True, anchor="start")
    if note:
        drawing.text(_MARGIN, _MARGIN + 24, note, 9, _INK, anchor="start")
    _paint(drawing, scene, (width - scene.width) / 2, _MARGIN + heading)
    return drawing


def _paint(drawing: Drawing, scene: Scene, right: float, down: float) -> None:
    frames = [item for item in scene.items if item.inside is not None]
    for item in frames:
        box = item.box
        drawing.rectangle(
            box.x - box.width / 2 + right,
            box.y - box.height / 2 + down,
            box.width,
            box.height,
            _FRAME,
            _EDGE,
            6.0,
        )
    numbered = sorted(enumerate(scene.lines), key=lambda pair: not pair[1].skip)  # main lines above skips
    for number, line in numbered:
        steps = [tuple(v + (down if i % 2 else right) for i, v in enumerate(step)) for step in line.steps]
        drawing.path(
            steps, _SKIP if line.skip else _INK, 1.5 if line.skip else 1.2, dashed=number in scene.guessed
        )
    for item in scene.items:
        left, top = item.box.x - item.box.width / 2 + right, item.box.y - item.box.height / 2 + down
        if item.inside is None:
            fill = _fill(item.row.class_name)
            drawing.rectangle(left, top, item.box.width, item.box.height, fill, _EDGE)
        for i, text in enumerate(item.lines):
            y = top + _PADDING / 2 + (i + 1) * _LINE_HEIGHT - 3.5
            drawing.text(item.box.x + right, y, text, _SIZE, bold=i == 0)
        if item.inside is not None:
            inner_left = item.box.x + right - item.inside.width / 2
            _paint(
                drawing,
                item.inside,
                inner_left,
                top + _PADDING + len(item.lines) * _LINE_HEIGHT + _MARGIN / 2,
            )


def _fill(class_name: str) -> Any:
    for parts, colour in _FILLS:
        if any(part in class_name for part in parts):
            return colour
    return (255, 255, 255)
