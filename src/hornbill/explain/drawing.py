"""A drawing made of boxes, texts and lines, and its three files: SVG, PNG and PDF.

SVG is written here, PNG by Pillow, PDF in `pdf.py`. Sizes are in points, 72 to the inch. What is drawn is the same in
all three; see `typeface.py` for the letters.
"""

from __future__ import annotations

import base64
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from PIL import Image, ImageDraw

from hornbill.engine.errors import ArgumentError, FileError, did_you_mean
from hornbill.explain.drawing_parts import (
    BOLD,
    Colour,
    PathPart,
    RectanglePart,
    Step,
    TextPart,
    arrow_head,
    flat,
)
from hornbill.explain.pdf import to_pdf
from hornbill.explain.typeface import UNITS, base_face, lost_signs, plain, runs, warn_of

__all__ = ["Drawing"]

_MOST_SIDE, _MOST_PIXELS = 60_000, 300_000_000  # of a PNG file
_STRIP = 12_000_000  # pixels drawn at a time
_LARGE = 2.0  # pixels to the point
_FAMILY = "hornbill, 'Noto Sans CJK SC', 'Noto Sans SC', 'PingFang SC', 'Microsoft YaHei', Helvetica, Arial, sans-serif"


@dataclass
class Drawing:
    """A drawing of a given size.

    Attributes:
        width: Width in points.
        height: Height in points.
        title: What it shows, for screen readers.
        parts: What was drawn, in order.
        dpi: Dots per inch of PNG files if `save` is given none.
    """

    width: float
    height: float
    title: str = ""
    parts: list[Any] = field(default_factory=list)
    dpi: float = 200.0

    def rectangle(
        self, x: float, y: float, width: float, height: float, fill: Colour, stroke: Colour, radius: float = 4.0,
        dashed: bool = False,
    ) -> None:  # fmt: skip
        """Adds a box with its upper left corner at x, y."""
        self.parts.append(RectanglePart(x, y, width, height, fill, stroke, radius, dashed))

    def text(
        self, x: float, y: float, text: str, size: float = 10.0, colour: Colour = (20, 24, 31), bold: bool = False,
        anchor: str = "middle",
    ) -> None:  # fmt: skip
        """Adds a text whose base line is at y; `anchor` is "start", "middle" or "end"."""
        self.parts.append(TextPart(x, y, text, size, colour, bold, anchor))

    def path(
        self, steps: Sequence[Step], colour: Colour = (90, 98, 112), width: float = 1.2, arrow: bool = True,
        dashed: bool = False,
    ) -> None:  # fmt: skip
        """Adds a line, with an arrow head at its end."""
        self.parts.append(PathPart(list(steps), colour, width, arrow, dashed))

    def save(self, path: Any, dpi: float | None = None, format: str | None = None) -> None:
        """Writes the drawing in the format that `format`, or else the file's suffix, says."""
        target = Path(path)
        content = self.encode(format or target.suffix.lower().removeprefix("."), dpi)
        try:
            target.write_bytes(content)
        except OSError as error:
            raise FileError(
                "The picture cannot be written.", got=f"{str(path)!r}: {error.strerror}."
            ) from error

    def encode(self, format: str, dpi: float | None = None) -> bytes:
        """Returns the bytes of a "png", "svg" or "pdf" file."""
        from_format = {
            "svg": lambda: self.to_svg().encode(),
            "png": lambda: self.to_png(dpi),
            "pdf": self.to_pdf,
        }
        if format not in from_format:
            raise ArgumentError(
                f"A picture is written as .png, .svg or .pdf.{did_you_mean(format, from_format)}",
                got=f"format {format!r}.",
                fixes="to_file='model.svg'",
            )
        return from_format[format]()

    def texts(self) -> list[TextPart]:
        """Returns the texts."""
        return [part for part in self.parts if isinstance(part, TextPart)]

    def warn_of_lost_signs(self) -> None:
        """Warns once if some signs are drawn as codes."""
        warn_of("".join(lost_signs(part.text) for part in self.texts()))

    # ---- SVG

    def to_svg(self) -> str:
        """Returns the drawing as SVG; the base font is inside, other signs are left to the viewer's fonts."""
        title = escape(self.title)
        font = base64.b64encode(base_face().data or b"").decode()
        lines = [
            (
                f'<svg xmlns="http://www.w3.org/2000/svg" width="{self.width:.1f}" height="{self.height:.1f}" '
                f'viewBox="0 0 {self.width:.1f} {self.height:.1f}" role="img" aria-label={quoteattr(self.title)} '
                f'font-family="{_FAMILY}">'
            ),
            f"<title>{title}</title>",
            "<style>@font-face{font-family:hornbill;src:url(data:font/ttf;base64," + font + ")}</style>",
            f'<rect width="{self.width:.1f}" height="{self.height:.1f}" fill="#ffffff"/>',
        ]
        lines += [_svg_part(part) for part in self.parts]
        return "\n".join([*lines, "</svg>"]) + "\n"

    # ---- PNG

    def to_png(self, dpi: float | None = None) -> bytes:
        """Returns the drawing as PNG.

        Args:
            dpi: Dots per inch. A picture too large for other programs is drawn with fewer, and a warning says so.

        Raises:
            ArgumentError: If `dpi` is no positive number.
        """
        dpi = self.dpi if dpi is None else dpi
        if not isinstance(dpi, (int, float)) or isinstance(dpi, bool) or not dpi > 0:
            raise ArgumentError(
                "dpi is a positive number: the dots per inch of a PNG.", got=f"dpi={dpi!r}.", fixes="dpi=200"
            )
        scale = dpi / 72.0
        width, height = max(1, round(self.width * scale)), max(1, round(self.height * scale))
        if max(width, height) > _MOST_SIDE or width * height > _MOST_PIXELS:
            most = min(
                _MOST_SIDE / max(self.width, self.height), (_MOST_PIXELS / self.width / self.height) ** 0.5
            )
            warnings.warn(
                f"The picture is drawn with {int(most * 72)} dots per inch: with {dpi:g} it would have {width:,} x "
                f"{height:,} pixels, more than programs open. to_file='model.svg' (or .pdf) is sharp at any size.",
                UserWarning,
                stacklevel=2,
            )
            dpi = max(1, int(most * 72))
            scale = dpi / 72.0
            width, height = max(1, round(self.width * scale)), max(1, round(self.height * scale))
        self.warn_of_lost_signs()
        image = _rough(self.parts, width, height, scale)
        draw = ImageDraw.Draw(image)
        for part in self.texts() if scale >= _LARGE else ():
            _write(draw, part, scale)
        stream = BytesIO()
        image.save(stream, "PNG", dpi=(dpi, dpi), compress_level=9)
        return stream.getvalue()

    # ---- PDF

    def to_pdf(self) -> bytes:
        """Returns the drawing as a PDF page, with its fonts inside."""
        self.warn_of_lost_signs()
        return to_pdf(self.parts, self.width, self.height, self.title)


# ---- SVG


def _svg_part(part: Any) -> str:
    if isinstance(part, RectanglePart):
        dash = ' stroke-dasharray="4 3"' if part.dashed else ""
        return (
            f'<rect x="{part.x:.1f}" y="{part.y:.1f}" width="{part.width:.1f}" height="{part.height:.1f}" '
            f'rx="{part.radius:g}" fill="{_hex(part.fill)}" stroke="{_hex(part.stroke)}" stroke-width="0.8"{dash}/>'
        )
    if isinstance(part, TextPart):
        colour = _hex(part.colour)
        thick = f' stroke="{colour}" stroke-width="{BOLD * part.size:.2f}"' if part.bold else ""
        # the width as measured: with another font the text is squeezed, never cut off
        fit = (
            "" if lost_signs(part.text) else f' textLength="{part.width:.2f}" lengthAdjust="spacingAndGlyphs"'
        )
        return (
            f'<text x="{part.x:.1f}" y="{part.y:.1f}" font-size="{part.size:g}" fill="{colour}" '
            f'text-anchor="{part.anchor}"{thick}{fit}>{escape(plain(part.text))}</text>'
        )
    moves = " ".join(
        f"{'C' if len(step) > 2 else 'L' if i else 'M'}{' '.join(f'{v:.1f}' for v in step)}"
        for i, step in enumerate(part.steps)
    )
    dash = ' stroke-dasharray="4 3"' if part.dashed else ""
    stroke = f'stroke="{_hex(part.colour)}" stroke-width="{part.width:g}"'
    line = f'<path d="{moves}" fill="none" {stroke}{dash}/>'
    if not part.arrow:
        return line
    head = " ".join(f"{x:.1f},{y:.1f}" for x, y in arrow_head(part.steps))
    return f'{line}<polygon points="{head}" fill="{_hex(part.colour)}"/>'


def _hex(colour: Colour) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)


# ---- PNG


def _rough(parts: Sequence[Any], width: int, height: int, scale: float) -> Image.Image:
    """Draws boxes and lines larger and shrinks them, strip by strip: smooth edges in little memory.

    Small letters are drawn so too, since Pillow sets letters on whole pixels.
    """
    finer = 4 if scale < 2 else 3
    strip = max(16, min(height, _STRIP // (width * finer * finer)))
    shapes = [(part, _span(part)) for part in parts if scale < _LARGE or not isinstance(part, TextPart)]
    image = Image.new("RGB", (width, height), "white")
    for top in range(0, height, strip):
        rows = min(strip, height - top)
        piece = Image.new("RGB", (width * finer, rows * finer), "white")
        draw = ImageDraw.Draw(piece)
        for part, (first, last) in shapes:
            if last * scale >= top - 8 and first * scale <= top + rows + 8:
                _draw_shape(draw, part, scale * finer, top * finer)
        image.paste(piece.reduce(finer), (0, top))
    return image


def _span(part: Any) -> tuple[float, float]:
    if isinstance(part, TextPart):
        return part.y - 2 * part.size, part.y + part.size
    if isinstance(part, RectanglePart):
        return part.y, part.y + part.height
    heights = [step[i] for step in part.steps for i in range(1, len(step), 2)]
    return min(heights) - 6, max(heights) + 6


def _draw_shape(draw: ImageDraw.ImageDraw, part: Any, scale: float, top: float) -> None:
    if isinstance(part, RectanglePart):
        box = [
            part.x * scale,
            part.y * scale - top,
            (part.x + part.width) * scale,
            (part.y + part.height) * scale - top,
        ]
        width = max(1, round(scale * 0.8))
        draw.rounded_rectangle(
            box,
            part.radius * scale,
            fill=part.fill,
            outline=None if part.dashed else part.stroke,
            width=width,
        )
        if part.dashed:
            (a, b, c, d) = box
            for ends in (((a, b), (c, b)), ((c, b), (c, d)), ((c, d), (a, d)), ((a, d), (a, b))):
                _dashes(draw, list(ends), part.stroke, width, scale)
        return
    if isinstance(part, TextPart):
        _write(draw, part, scale, top)
        return
    points = [(x * scale, y * scale - top) for x, y in flat(part.steps)]
    width = max(1, round(part.width * scale))
    if part.dashed:
        _dashes(draw, points, part.colour, width, scale)
    else:
        draw.line(points, fill=part.colour, width=width, joint="curve")
    if part.arrow:
        draw.polygon([(x * scale, y * scale - top) for x, y in arrow_head(part.steps)], fill=part.colour)


def _dashes(
    draw: ImageDraw.ImageDraw, points: list[tuple[float, float]], colour: Colour, width: int, scale: float
) -> None:
    on, off, along = 4 * scale, 3 * scale, 0.0
    for (ax, ay), (bx, by) in pairwise(points):
        length = ((bx - ax) ** 2 + (by - ay) ** 2) ** 0.5
        at = -along
        while length and at < length:
            first, last = max(at, 0.0) / length, min(at + on, length) / length
            if last > first:
                ends = [(ax + (bx - ax) * t, ay + (by - ay) * t) for t in (first, last)]
                draw.line(ends, fill=colour, width=width)
            at += on + off
        along = (along + length) % (on + off)


def _write(draw: ImageDraw.ImageDraw, part: TextPart, scale: float, top: float = 0.0) -> None:
    """Writes a text sign by sign, each where it was measured to be: fonts of few pixels would run wider or narrower."""
    x, pixels = part.left * scale, part.size * scale
    strikes = (-0.4 * BOLD, 0.4 * BOLD) if part.bold else (0.0,)
    for face, piece in runs(part.text):
        font = face.at(pixels)
        for sign in piece:
            for shift in strikes:
                draw.text(
                    (x + (shift + BOLD / 2 * part.bold) * pixels, part.y * scale - top),
                    sign,
                    fill=part.colour,
                    font=font,
                    anchor="ls",
                )
            x += face.advance(sign) * pixels / UNITS
