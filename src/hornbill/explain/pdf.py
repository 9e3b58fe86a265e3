"""A drawing as a PDF page with every letter it needs inside.

The base font goes in whole (13 KB). Signs of other fonts, which are too large to put in and may be of any format,
become a font of their own whose letters are fine bitmaps (Type 3). Texts can be searched and copied in both.

After ISO 32000-1:2008 (PDF 1.7), sections 9.6.3 (TrueType), 9.6.5 (Type 3) and 9.10.3 (ToUnicode).
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any

from hornbill.explain.drawing_parts import BOLD, Colour, PathPart, RectanglePart, TextPart, arrow_head
from hornbill.explain.typeface import UNITS, Face, base_face, runs

__all__ = ["to_pdf"]

_FINE = 256  # pixels of a bitmap letter's em
_BASE = "F0"


class _Objects:
    """The numbered objects of a PDF file."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    def add(self, body: str | bytes, stream: bytes | None = None) -> int:
        """Adds an object, a dictionary's inside if there is a stream; returns its number."""
        content = body.encode("latin-1") if isinstance(body, str) else body
        if stream is not None:
            packed = zlib.compress(stream, 9)
            head = b"<< " + content + b" /Filter /FlateDecode /Length %d >>\nstream\n" % len(packed)
            content = head + packed + b"\nendstream"
        self.bodies.append(content)
        return len(self.bodies)

    def file(self, root: int, info: int) -> bytes:
        """Returns the bytes of the file."""
        out, places = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"), []
        for number, body in enumerate(self.bodies, 1):
            places.append(len(out))
            out += f"{number} 0 obj\n".encode() + body + b"\nendobj\n"
        start, count = len(out), len(self.bodies) + 1
        out += f"xref\n0 {count}\n0000000000 65535 f \n".encode()
        out += b"".join(f"{place:010d} 00000 n \n".encode() for place in places)
        out += f"trailer\n<< /Size {count} /Root {root} 0 R /Info {info} 0 R >>\nstartxref\n{start}\n%%EOF\n".encode()
        return bytes(out)


class _Bitmaps:
    """Letters of fonts that are not put in whole: a Type 3 font for each 250 of them."""

    def __init__(self) -> None:
        self.codes: dict[tuple[Face, str], int] = {}

    def code(self, face: Face, sign: str) -> tuple[str, int]:
        """Returns the font's name and the code of a sign in it."""
        index = self.codes.setdefault((face, sign), len(self.codes))
        return f"B{index // 250}", index % 250

    def write(self, objects: _Objects) -> dict[str, int]:
        """Adds the fonts and returns their numbers by name."""
        signs = list(self.codes)
        return {
            f"B{start // 250}": _bitmap_font(objects, signs[start : start + 250])
            for start in range(0, len(signs), 250)
        }


def to_pdf(parts: Sequence[Any], width: float, height: float, title: str) -> bytes:
    """Returns a PDF file of one page.

    Args:
        parts: Boxes, texts and lines, as `drawing_parts` has them.
        width: Width of the page in points.
        height: Height of the page in points.
        title: Title of the document.
    """
    scale = min(1.0, 14_400.0 / max(width, height))  # readers open no larger page
    bitmaps, objects = _Bitmaps(), _Objects()
    lines = [f"{scale:.6f} 0 0 {scale:.6f} 0 0 cm"] if scale < 1 else []
    lines += [_part(part, height, bitmaps) for part in parts]
    content = objects.add("", "\n".join(lines).encode("latin-1"))
    fonts = {_BASE: _base_font(objects), **bitmaps.write(objects)}
    resources = " ".join(f"/{name} {number} 0 R" for name, number in fonts.items())
    pages = len(objects.bodies) + 2
    page = objects.add(
        f"<< /Type /Page /Parent {pages} 0 R /MediaBox [0 0 {width * scale:.2f} {height * scale:.2f}] "
        f"/Contents {content} 0 R /Resources << /Font << {resources} >> >> >>"
    )
    objects.add(f"<< /Type /Pages /Kids [{page} 0 R] /Count 1 >>")
    root = objects.add(
        f"<< /Type /Catalog /Pages {pages} 0 R /ViewerPreferences << /DisplayDocTitle true >> >>"
    )
    name = title.encode("utf-16-be").hex()
    info = objects.add(f"<< /Title <FEFF{name}> /Producer (Hornbill) >>")
    return objects.file(root, info)


# ---- fonts


def _base_font(objects: _Objects) -> int:
    face = base_face()
    data = face.data or b""
    file = objects.add(f"/Length1 {len(data)}", data)
    ascent, descent = face.at(UNITS).getmetrics()
    descriptor = objects.add(
        f"<< /Type /FontDescriptor /FontName /HORNBL+{face.name} /Flags 32 /ItalicAngle 0 "
        f"/FontBBox [-200 -300 1200 1000] /Ascent {ascent} /Descent {-descent} /CapHeight 700 /StemV 80 "
        f"/FontFile2 {file} 0 R >>"
    )
    signs = bytes(range(32, 256)).decode("cp1252", "replace")
    widths = " ".join(f"{face.advance(sign) if sign.isprintable() else 0:.0f}" for sign in signs)
    return objects.add(
        f"<< /Type /Font /Subtype /TrueType /BaseFont /HORNBL+{face.name} /Encoding /WinAnsiEncoding "
        f"/FirstChar 32 /LastChar 255 /Widths [{widths}] /FontDescriptor {descriptor} 0 R >>"
    )


def _bitmap_font(objects: _Objects, signs: list[tuple[Face, str]]) -> int:
    procedures, widths, unicodes = [], [], []
    for code, (face, sign) in enumerate(signs):
        procedures.append(f"/g{code} {objects.add('', _letter(face, sign))} 0 R")
        widths.append(f"{face.advance(sign):.0f}")
        unicodes.append(f"<{code:02x}> <{sign.encode('utf-16-be').hex()}>")
    names = " ".join(f"/g{code}" for code in range(len(signs)))
    blocks = [unicodes[i : i + 100] for i in range(0, len(unicodes), 100)]
    table = "\n".join(f"{len(b)} beginbfchar\n" + "\n".join(b) + "\nendbfchar" for b in blocks)
    unicode = objects.add(
        "",
        (
            "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /hornbill def /CMapType 2 def\n"
            f"1 begincodespacerange <00> <ff> endcodespacerange\n{table}\nendcmap end end"
        ).encode("latin-1"),
    )
    return objects.add(
        f"<< /Type /Font /Subtype /Type3 /FontBBox [-200 -300 1400 1100] /FontMatrix [0.001 0 0 0.001 0 0] "
        f"/CharProcs << {' '.join(procedures)} >> /Encoding << /Type /Encoding /Differences [0 {names}] >> "
        f"/FirstChar 0 /LastChar {len(signs) - 1} /Widths [{' '.join(widths)}] /Resources << >> "
        f"/ToUnicode {unicode} 0 R >>"
    )


def _letter(face: Face, sign: str) -> bytes:
    """Returns the drawing of one letter: a bitmap that takes the text's colour, in thousandths of the size."""
    font = face.at(_FINE)
    left, top, right, bottom = (round(v) for v in font.getbbox(sign, anchor="ls"))
    advance, unit = face.advance(sign), UNITS / _FINE
    box = f"{left * unit:.1f} {-bottom * unit:.1f} {right * unit:.1f} {-top * unit:.1f}"
    head = f"{advance:.1f} 0 {box} d1\n"
    mask = font.getmask(sign, mode="1")
    width, height = mask.size
    if not width or not height:
        return head.encode()
    bits = bytearray()
    pixels = bytes(mask)
    for row in range(height):
        line = pixels[row * width : (row + 1) * width]
        value = int("".join("0" if p else "1" for p in line).ljust(-(-width // 8) * 8, "1"), 2)
        bits += value.to_bytes(-(-width // 8), "big")
    packed = zlib.compress(bytes(bits), 9)
    place = (
        f"q {width * unit:.1f} 0 0 {height * unit:.1f} {left * unit:.1f} {-(top + height) * unit:.1f} cm\n"
    )
    image = f"BI /W {width} /H {height} /IM true /BPC 1 /F /Fl /L {len(packed)} ID "
    return (head + place + image).encode() + packed + b"\nEI Q"


# ---- parts


def _part(part: Any, top: float, bitmaps: _Bitmaps) -> str:
    if isinstance(part, RectanglePart):
        return _rectangle(part, top)
    if isinstance(part, TextPart):
        return _text(part, top, bitmaps)
    return _path(part, top)


def _rectangle(part: RectanglePart, top: float) -> str:
    x, y, w, h = part.x, top - part.y - part.height, part.width, part.height
    r = min(part.radius, w / 2, h / 2)
    k = 0.4477 * r  # 1 - 0.5523: control points of a quarter of a circle
    dash = "[4 3] 0 d" if part.dashed else "[] 0 d"
    moves = (
        f"{x + r:.2f} {y:.2f} m {x + w - r:.2f} {y:.2f} l "
        f"{x + w - k:.2f} {y:.2f} {x + w:.2f} {y + k:.2f} {x + w:.2f} {y + r:.2f} c "
        f"{x + w:.2f} {y + h - r:.2f} l "
        f"{x + w:.2f} {y + h - k:.2f} {x + w - k:.2f} {y + h:.2f} {x + w - r:.2f} {y + h:.2f} c "
        f"{x + r:.2f} {y + h:.2f} l "
        f"{x + k:.2f} {y + h:.2f} {x:.2f} {y + h - k:.2f} {x:.2f} {y + h - r:.2f} c {x:.2f} {y + r:.2f} l "
        f"{x:.2f} {y + k:.2f} {x + k:.2f} {y:.2f} {x + r:.2f} {y:.2f} c h"
    )
    return f"{_rgb(part.fill)} rg {_rgb(part.stroke)} RG 0.8 w {dash} {moves} B"


def _text(part: TextPart, top: float, bitmaps: _Bitmaps) -> str:
    colour, x, out = _rgb(part.colour), part.left, []
    if part.bold:
        x += BOLD * part.size / 2
    for face, piece in runs(part.text):
        if face == base_face():
            mode = f"2 Tr {BOLD * part.size:.2f} w [] 0 d" if part.bold else "0 Tr"
            text = piece.encode("cp1252").hex()
            out.append(f"BT {mode} /{_BASE} {part.size:g} Tf {x:.2f} {top - part.y:.2f} Td <{text}> Tj ET")
            x += sum(face.advance(sign) for sign in piece) * part.size / UNITS
            continue
        for sign in piece:
            name, code = bitmaps.code(face, sign)
            out += [
                f"BT 0 Tr /{name} {part.size:g} Tf {x + shift:.2f} {top - part.y:.2f} Td <{code:02x}> Tj ET"
                for shift in ((-0.2, 0.2) if part.bold else (0.0,))
            ]
            x += face.advance(sign) * part.size / UNITS
    return f"{colour} rg {colour} RG " + " ".join(out)


def _path(part: PathPart, top: float) -> str:
    moves = []
    for i, step in enumerate(part.steps):
        turned = " ".join(f"{top - v if k % 2 else v:.2f}" for k, v in enumerate(step))
        moves.append(f"{turned} {'c' if len(step) > 2 else 'l' if i else 'm'}")
    dash = "[4 3] 0 d" if part.dashed else "[] 0 d"
    line = f"{_rgb(part.colour)} RG {part.width:g} w {dash} {' '.join(moves)} S"
    if not part.arrow:
        return line
    corners = arrow_head(part.steps)
    head = " ".join(f"{x:.2f} {top - y:.2f} {'l' if i else 'm'}" for i, (x, y) in enumerate(corners))
    return f"{line} {_rgb(part.colour)} rg {head} f"


def _rgb(colour: Colour) -> str:
    return " ".join(f"{c / 255:.3f}" for c in colour)
