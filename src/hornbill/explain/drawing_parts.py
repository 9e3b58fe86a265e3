"""What a drawing is made of: boxes, texts and lines, and the geometry of lines. Not for: how they are written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hornbill.explain.typeface import text_width

__all__ = ["BOLD", "Colour", "PathPart", "RectanglePart", "Step", "TextPart", "arrow_head", "flat"]

Colour = tuple[int, int, int]
Step = tuple[float, ...]
"""One step of a line: `(x, y)` goes there straight, `(x1, y1, x2, y2, x, y)` along a cubic curve."""

BOLD = 0.035  # how much thicker bold strokes are, as a share of the size


@dataclass(slots=True)
class RectanglePart:
    """A box with round corners; `x, y` is its upper left corner."""

    x: float
    y: float
    width: float
    height: float
    fill: Colour
    stroke: Colour
    radius: float
    dashed: bool = False


@dataclass(slots=True)
class TextPart:
    """A line of text; `y` is its base line."""

    x: float
    y: float
    text: str
    size: float
    colour: Colour
    bold: bool
    anchor: str

    @property
    def left(self) -> float:
        """Where the text starts."""
        return self.x - {"start": 0.0, "middle": 0.5, "end": 1.0}[self.anchor] * self.width

    @property
    def width(self) -> float:
        """How wide the text is."""
        return text_width(self.text, self.size, self.bold)


@dataclass(slots=True)
class PathPart:
    """A line, with an arrow head at its end if wanted."""

    steps: list[Step]
    colour: Colour
    width: float
    arrow: bool
    dashed: bool


def flat(steps: Sequence[Step], pieces: int = 12) -> list[tuple[float, float]]:
    """Returns a line with its curves cut into straight pieces."""
    points: list[tuple[float, float]] = []
    for step in steps:
        if len(step) == 2:
            points.append((step[0], step[1]))
            continue
        (ax, ay), (bx, by, cx, cy, dx, dy) = points[-1], step
        for i in range(1, pieces + 1):
            t = i / pieces
            u = 1 - t
            a, b, c, d = u * u * u, 3 * u * u * t, 3 * u * t * t, t * t * t
            points.append((a * ax + b * bx + c * cx + d * dx, a * ay + b * by + c * cy + d * dy))
    return points


def arrow_head(steps: Sequence[Step], size: float = 5.5) -> list[tuple[float, float]]:
    """Returns the three corners of the arrow head at the end of a line."""
    line = flat(steps)
    bx, by = line[-1]
    ax, ay = next((p for p in reversed(line) if abs(p[0] - bx) + abs(p[1] - by) > 0.5), (bx, by - 1))
    length = max(((bx - ax) ** 2 + (by - ay) ** 2) ** 0.5, 1e-6)
    ux, uy = (bx - ax) / length, (by - ay) / length
    left = (bx - size * ux - size * 0.5 * uy, by - size * uy + size * 0.5 * ux)
    right = (bx - size * ux + size * 0.5 * uy, by - size * uy - size * 0.5 * ux)
    return [(bx, by), left, right]
