"""The letters of pictures: one font that every installation has, and what to do about signs that it lacks.

Pillow carries a small TrueType font (Aileron, CC0). Texts are measured with it, drawn with it in PNG, and it is put
into SVG and PDF files, so that no picture depends on the fonts of the machine that shows it. A sign that it lacks, such
as a Chinese one, is taken from a font of this machine; where there is none, its code is written, with a warning.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import ImageFont

from hornbill.engine.errors import FileError

__all__ = ["Face", "base_face", "lost_signs", "plain", "runs", "spare_faces", "text_width", "warn_of"]

UNITS = 1000
"""Widths are measured in thousandths of the size."""

_REPLACED = str.maketrans(
    {"×": "x", "→": "->", "—": "-", "–": "-", "−": "-", "\t": " ", "\n": " ", "\r": " "}
)

# Fonts with Chinese signs (and most others), as systems name their files, best first.
_KNOWN = (
    "NotoSansCJKsc-Regular.otf", "NotoSansSC-Regular.otf", "NotoSansSC-Regular.ttf", "NotoSansCJK-Regular.ttc",
    "NotoSansSC-VF.ttf", "SourceHanSansSC-Regular.otf", "SourceHanSans-Regular.ttc", "wqy-microhei.ttc",
    "wqy-zenhei.ttc", "DroidSansFallbackFull.ttf", "DroidSansFallback.ttf", "PingFang.ttc", "Hiragino Sans GB.ttc",
    "STHeiti Light.ttc", "Arial Unicode.ttf", "msyh.ttc", "msyh.ttf", "simhei.ttf", "simsun.ttc", "uming.ttc",
    "ukai.ttc", "DejaVuSans.ttf", "LiberationSans-Regular.ttf", "arial.ttf", "Arial.ttf",
)  # fmt: skip


@dataclass(frozen=True)
class Face:
    """A font and how to ask it.

    Attributes:
        name: Its family.
        data: The bytes of the file, if it may be put into other files.
        path: Where its file is, if it is one of the machine.
    """

    name: str
    data: bytes | None = None
    path: str = ""

    def at(self, pixels: float) -> Any:
        """Returns Pillow's font of a size."""
        return _sized(self, round(pixels, 2))

    def has(self, sign: str) -> bool:
        """Returns whether the font draws a sign."""
        return _has(self, sign)

    def advance(self, sign: str) -> float:
        """Returns the width of a sign in thousandths of the size."""
        return _advance(self, sign)


@cache
def _sized(face: Face, pixels: float) -> Any:
    source = face.path if face.data is None else BytesIO(face.data)
    return ImageFont.truetype(source, pixels, layout_engine=ImageFont.Layout.BASIC)


@cache
def _advance(face: Face, sign: str) -> float:
    return face.at(UNITS).getlength(sign)


@cache
def _has(face: Face, sign: str) -> bool:
    """A font draws a box, or nothing, for a sign that it lacks; U+FFFF is one that every font lacks."""
    font = face.at(64)
    ours, lacking = font.getmask(sign), font.getmask("\uffff")
    same = ours.size == lacking.size and bytes(ours) == bytes(lacking)
    return not same and (sign.isspace() or ours.getbbox() is not None)


@cache
def base_face() -> Face:
    """Returns the font that Pillow carries."""
    font: Any = ImageFont.load_default(12.0)
    return Face("Aileron", data=font.path.getvalue())


@cache
def spare_faces() -> tuple[Face, ...]:
    """Returns fonts of this machine for signs that the base font lacks, best first.

    `HORNBILL_FONT=/path/to/font.ttf` puts one before all others.

    Raises:
        FileError: If that variable names a file that is no font.
    """
    faces = []
    wanted = os.environ.get("HORNBILL_FONT")
    if wanted:
        try:
            ImageFont.truetype(wanted, 12)
        except OSError as error:
            raise FileError(
                "HORNBILL_FONT must name a font file (.ttf, .otf, .ttc).",
                got=f"{wanted!r}: {error}.",
                fixes="unset HORNBILL_FONT",
            ) from error
        faces.append(Face(Path(wanted).stem, path=wanted))
    found = {path.name.lower(): path for path in _font_files()}
    known = [found[name.lower()] for name in _KNOWN if name.lower() in found]
    return (*faces, *(Face(path.stem, path=str(path)) for path in known))


def _font_files() -> Iterator[Path]:
    for folder in _folders():
        if folder.is_dir():
            yield from (path for path in folder.rglob("*.[tToO][tT][fFcC]"))


def _folders() -> list[Path]:
    home = Path.home()
    if sys.platform == "win32":
        local = Path(os.environ.get("LOCALAPPDATA", home)) / "Microsoft" / "Windows" / "Fonts"
        return [Path(os.environ.get("WINDIR", r"C:\Windows")) / "Fonts", local]
    if sys.platform == "darwin":
        return [home / "Library/Fonts", Path("/Library/Fonts"), Path("/System/Library/Fonts")]
    shares = os.environ.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share"
    return [home / ".fonts", home / ".local/share/fonts", *(Path(s) / "fonts" for s in shares.split(":"))]


@cache
def _face_of(sign: str) -> Face | None:
    if base_face().has(sign):
        return base_face()
    return next((face for face in spare_faces() if face.has(sign)), None)


def plain(text: str) -> str:
    """Returns a text in one line, with signs that the base font lacks written by ones that it has: `x` for `×`."""
    return "".join(sign for sign in str(text).translate(_REPLACED) if sign.isprintable())


def runs(text: str) -> list[tuple[Face, str]]:
    """Returns a text in pieces, each with the font that draws it; a sign that none draws becomes its code."""
    pieces: list[tuple[Face, str]] = []
    for sign in plain(text):
        face, drawn = _face_of(sign) or base_face(), sign
        if _face_of(sign) is None:
            drawn = f"[U+{ord(sign):04X}]"
        if pieces and pieces[-1][0] == face:
            pieces[-1] = (face, pieces[-1][1] + drawn)
        else:
            pieces.append((face, drawn))
    return pieces


def lost_signs(text: str) -> str:
    """Returns the signs of a text that no font here draws."""
    return "".join(sign for sign in plain(text) if _face_of(sign) is None)


def warn_of(lost: str) -> None:
    """Says which signs are drawn as codes and what helps."""
    if lost:
        warnings.warn(
            f"No font of this machine draws {''.join(dict.fromkeys(lost))!r}: "
            "the picture shows the codes of these signs. Install a font that has them (Noto Sans CJK, for Chinese), "
            "or name one: HORNBILL_FONT=/path/to/font.ttf. An SVG file needs none.",
            UserWarning,
            stacklevel=3,
        )


@cache
def text_width(text: str, size: float, bold: bool = False) -> float:
    """Returns the width of a text in points, measured with the fonts that draw it."""
    units = sum(face.advance(sign) for face, piece in runs(text) for sign in piece)
    return units * size / UNITS + (0.04 * size if bold else 0.0)
