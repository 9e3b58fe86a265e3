"""A drawing made of boxes, texts and lines, and its three files: SVG, PNG and PDF.

SVG and PDF are written here (both are text formats), PNG by Pillow. Sizes are in points, 72 to the inch.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from PIL import Image, ImageDraw, ImageFont

from hornbill.engine.errors import ArgumentError, did_you_mean

__all__ = ["Drawing", "text_width"]

Colour = tuple[int, int, int]


@dataclass(slots=True)
class _Rectangle:
    x: float
    y: float
    width: float
    height: float
    fill: Colour
    stroke: Colour
    radius: float


@dataclass(slots=True)
class _Text:
    x: float
    y: float
    text: str
    size: float
    colour: Colour
    bold: bool
    anchor: str


@dataclass(slots=True)
class _Path:
    points: list[tuple[float, float]]
    colour: Colour
    width: float
    arrow: bool
    dashed: bool


@cache
def _font(size: float) -> Any:
    return ImageFont.load_default(size)


def text_width(text: str, size: float, bold: bool = False) -> float:
    """Returns the width of a text in points."""
    return _font(32.0).getlength(text) * size / 32.0 * (1.06 if bold else 1.0)


@dataclass
class Drawing:
    """A drawing of a given size.

    Attributes:
        width: Width in points.
        height: Height in points.
        title: What it shows, for screen readers.
    """

    width: float
    height: float
    title: str = ""
    parts: list[Any] = field(default_factory=list)

    def rectangle(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        fill: Colour,
        stroke: Colour,
        radius: float = 4.0,
    ) -> None:
        """Adds a box with its upper left corner at x, y."""
        self.parts.append(_Rectangle(x, y, width, height, fill, stroke, radius))

    def text(
        self, x: float, y: float, text: str, size: float = 10.0, colour: Colour = (20, 24, 31), bold: bool = False,
        anchor: str = "middle",
    ) -> None:  # fmt: skip
        """Adds a text whose base line is at y; `anchor` is "start", "middle" or "end"."""
        self.parts.append(_Text(x, y, text, size, colour, bold, anchor))

    def path(
        self, points: list[tuple[float, float]], colour: Colour = (90, 98, 112), width: float = 1.2, arrow: bool = True,
        dashed: bool = False,
    ) -> None:  # fmt: skip
        """Adds a line through points, with an arrow at its end."""
        self.parts.append(_Path(points, colour, width, arrow, dashed))

    def save(self, path: Any, dpi: float = 200.0) -> None:
        """Writes the drawing in the format that the file's suffix says."""
        target = Path(path)
        suffix = target.suffix.lower()
        writers = {".svg": self.to_svg, ".png": lambda: self.to_png(dpi), ".pdf": self.to_pdf}
        if suffix not in writers:
            raise ArgumentError(
                f"A picture is written as .png, .svg or .pdf.{did_you_mean(suffix, writers)}",
                got=f"{str(path)!r}.",
            )
        content = writers[suffix]()
        target.write_bytes(content.encode() if isinstance(content, str) else content)

    # ---- SVG

    def to_svg(self) -> str:
        """Returns the drawing as SVG."""
        title = escape(self.title)
        lines = [
            (
                f'<svg xmlns="http://www.w3.org/2000/svg" width="{self.width:.0f}" height="{self.height:.0f}" '
                f'viewBox="0 0 {self.width:.1f} {self.height:.1f}" role="img" aria-label="{title}" '
                "font-family=\"Helvetica, Arial, 'Noto Sans', sans-serif\">"
            ),
            f"<title>{title}</title>",
            f'<rect width="{self.width:.1f}" height="{self.height:.1f}" fill="#ffffff"/>',
        ]
        lines += [self._svg_part(part) for part in self.parts]
        return "\n".join([*lines, "</svg>"]) + "\n"

    def _svg_part(self, part: Any) -> str:
        if isinstance(part, _Rectangle):
            return (
                f'<rect x="{part.x:.1f}" y="{part.y:.1f}" width="{part.width:.1f}" height="{part.height:.1f}" '
                f'rx="{part.radius}" fill="{_hex(part.fill)}" stroke="{_hex(part.stroke)}"/>'
            )
        if isinstance(part, _Text):
            weight = ' font-weight="bold"' if part.bold else ""
            return (
                f'<text x="{part.x:.1f}" y="{part.y:.1f}" font-size="{part.size}" fill="{_hex(part.colour)}" '
                f'text-anchor="{part.anchor}"{weight}>{escape(part.text)}</text>'
            )
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in part.points)
        dash = ' stroke-dasharray="4 3"' if part.dashed else ""
        stroke = f'stroke="{_hex(part.colour)}" stroke-width="{part.width}"'
        line = f'<polyline points="{points}" fill="none" {stroke}{dash}/>'
        if not part.arrow:
            return line
        head = " ".join(f"{x:.1f},{y:.1f}" for x, y in _arrow(part.points))
        return line + f'<polygon points="{head}" fill="{_hex(part.colour)}"/>'

    # ---- PNG

    def to_png(self, dpi: float = 200.0) -> bytes:
        """Returns the drawing as PNG with `dpi` dots per inch."""
        scale = dpi / 72.0
        largest = 30_000.0
        scale = min(scale, largest / max(self.width, self.height))
        image = Image.new(
            "RGB", (max(1, round(self.width * scale)), max(1, round(self.height * scale))), "white"
        )
        draw = ImageDraw.Draw(image)
        for part in self.parts:
            self._draw_part(draw, part, scale)
        stream = BytesIO()
        image.save(stream, "PNG", dpi=(dpi, dpi), optimize=True)
        return stream.getvalue()

    @staticmethod
    def _draw_part(draw: ImageDraw.ImageDraw, part: Any, scale: float) -> None:
        if isinstance(part, _Rectangle):
            box = [
                part.x * scale,
                part.y * scale,
                (part.x + part.width) * scale,
                (part.y + part.height) * scale,
            ]
            draw.rounded_rectangle(
                box,
                part.radius * scale,
                fill=part.fill,
                outline=part.stroke,
                width=max(1, round(scale * 0.8)),
            )
        elif isinstance(part, _Text):
            font = _font(round(part.size * scale, 1))
            anchor = {"start": "ls", "middle": "ms", "end": "rs"}[part.anchor]
            stroke = scale * 0.14 if part.bold and scale > 1.5 else 0
            draw.text(
                (part.x * scale, part.y * scale), part.text, fill=part.colour, font=font, anchor=anchor,
                stroke_width=stroke, stroke_fill=part.colour,
            )  # fmt: skip
        else:
            points = [(x * scale, y * scale) for x, y in part.points]
            draw.line(points, fill=part.colour, width=max(1, round(part.width * scale)), joint="curve")
            if part.arrow:
                draw.polygon([(x * scale, y * scale) for x, y in _arrow(part.points)], fill=part.colour)

    # ---- PDF

    def to_pdf(self) -> bytes:
        """Returns the drawing as a PDF page, with the Helvetica that every reader has."""
        content = zlib.compress(
            "\n".join(self._pdf_part(part) for part in self.parts).encode("latin-1", "replace")
        )
        size = f"[0 0 {self.width:.2f} {self.height:.2f}]"
        fonts = "<< /F1 5 0 R /F2 6 0 R >>"
        objects = [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            f"<< /Type /Page /Parent 2 0 R /MediaBox {size} /Contents 4 0 R /Resources << /Font {fonts} >> >>".encode(),
            f"<< /Length {len(content)} /Filter /FlateDecode >>\nstream\n".encode()
            + content
            + b"\nendstream",
            b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
            b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold /Encoding /WinAnsiEncoding >>",
        ]
        out, places = bytearray(b"%PDF-1.4\n"), []
        for number, body in enumerate(objects, 1):
            places.append(len(out))
            out += f"{number} 0 obj\n".encode() + body + b"\nendobj\n"
        start = len(out)
        out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
        out += b"".join(f"{place:010d} 00000 n \n".encode() for place in places)
        out += f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n".encode()
        return bytes(out)

    def _pdf_part(self, part: Any) -> str:
        top = self.height
        if isinstance(part, _Rectangle):
            return (
                f"{_rgb(part.fill)} rg {_rgb(part.stroke)} RG 0.8 w {part.x:.2f} {top - part.y - part.height:.2f} "
                f"{part.width:.2f} {part.height:.2f} re B"
            )
        if isinstance(part, _Text):
            width = text_width(part.text, part.size, part.bold)
            x = part.x - {"start": 0.0, "middle": width / 2, "end": width}[part.anchor]
            text = part.text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
            font = "F2" if part.bold else "F1"
            return f"BT {_rgb(part.colour)} rg /{font} {part.size} Tf {x:.2f} {top - part.y:.2f} Td ({text}) Tj ET"
        moves = " ".join(f"{x:.2f} {top - y:.2f} {'l' if i else 'm'}" for i, (x, y) in enumerate(part.points))
        dash = "[4 3] 0 d" if part.dashed else "[] 0 d"
        line = f"{_rgb(part.colour)} RG {part.width} w {dash} {moves} S"
        if not part.arrow:
            return line
        head = " ".join(
            f"{x:.2f} {top - y:.2f} {'l' if i else 'm'}" for i, (x, y) in enumerate(_arrow(part.points))
        )
        return f"{line} {_rgb(part.colour)} rg {head} f"


def _arrow(points: list[tuple[float, float]], size: float = 5.0) -> list[tuple[float, float]]:
    """Returns the three corners of the arrow head at the end of a line."""
    (ax, ay), (bx, by) = points[-2], points[-1]
    length = max(((bx - ax) ** 2 + (by - ay) ** 2) ** 0.5, 1e-6)
    ux, uy = (bx - ax) / length, (by - ay) / length
    left = (bx - size * ux - size * 0.5 * uy, by - size * uy + size * 0.5 * ux)
    right = (bx - size * ux + size * 0.5 * uy, by - size * uy - size * 0.5 * ux)
    return [(bx, by), left, right]


def _hex(colour: Colour) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)


def _rgb(colour: Colour) -> str:
    return " ".join(f"{c / 255:.3f}" for c in colour)
