"""A telling as text for a terminal: wrapped by display width, so that no number is ever broken in two.

Chinese signs are two columns wide and may be parted from each other; Latin words and numbers stay whole.
"""

from __future__ import annotations

from typing import Any

from rich.cells import cell_len
from rich.text import Text

from hornbill.explain.languages import Catalogue
from hornbill.explain.telling import Entry, Line, Telling
from hornbill.explain.wording import plain_spaces

__all__ = ["lay_out", "plain_text", "styled_text", "wrap"]

Piece = tuple[str, str]  # text and style
_STYLES = {
    "title": "bold",
    "label": "cyan",
    "warning": "yellow",
    "lesson": "green",
    "code": "dim",
    "fact": "",
}
_NOT_FIRST = "，。：；！？）】》、”’…%,.:;!?)]}"
_NOT_LAST = "（【《“‘([{"
_FIXED = "\u00a0"  # a space at which no line breaks
_SOFT = "\u202f\u2060"  # a space, and nothing, at which lines break only where there is no other way


def wrap(text: str, width: int, first: int = 0) -> list[str]:
    """Returns the lines of a text.

    Args:
        text: The text; lines break at spaces and between Chinese signs, never at a no-break space, and behind a comma
            of a shape only where the shape alone is too wide.
        width: Columns of a line. A word that is longer stays whole.
        first: Columns already taken on the first line.
    """
    lines, current, taken = [], "", first
    for whole in _parts(text):
        loose = current.strip() == "" and taken + cell_len(whole.rstrip(" ")) > width
        for part in _parts(whole, _SOFT) if loose or cell_len(whole) > width else [whole]:
            size = cell_len(part.rstrip(" "))
            if current.strip() and taken + size > width:
                lines.append(current.rstrip(" "))
                current, taken = "", 0
                part = part.lstrip(" ")
            current += part
            taken += cell_len(part)
    lines.append(current.rstrip(" "))
    return [plain_spaces(line) for line in lines]


def _parts(text: str, also: str = "") -> list[str]:
    """Returns the pieces that stay whole, each with the spaces behind it; they end behind the signs `also` too."""
    parts, current = [], ""
    for here, after in zip(text, [*text[1:], ""], strict=True):
        current += here
        if after and (here in also or _may_break(here, after)):
            parts.append(current.replace("\u202f", " ").replace("\u2060", "") if also else current)
            current = ""
    return [*parts, current] if current else parts


def _may_break(here: str, after: str) -> bool:
    if after == " " or after in _NOT_FIRST or here in _NOT_LAST or {here, after} & set(_FIXED + _SOFT):
        return False
    return here == " " or cell_len(here) == 2 or cell_len(after) == 2


def lay_out(telling: Telling, width: int, catalogue: Catalogue) -> list[list[Piece]]:
    """Returns the lines of a telling, each as pieces of text with a style."""
    lines: list[list[Piece]] = []
    if telling.title:
        lines += [*([(part, "title")] for part in wrap(telling.title, width)), []]
    if telling.compact:
        lines += _table(telling.entries, width)
    else:
        for number, entry in enumerate(telling.entries):
            lines += [[]] if number else []
            lines += _entry(entry, width, catalogue)
    lines += [[]] if len(telling.entries) > 1 and telling.closing and not telling.compact else []
    for line in telling.closing:
        lines += _line(line, "  " if not line.label else "", width, catalogue)
    return lines


def _entry(entry: Entry, width: int, catalogue: Catalogue) -> list[list[Piece]]:
    indent = "  " * entry.depth
    lines = [[(indent, ""), (part, "title")] for part in wrap(entry.title, width - len(indent))]
    for line in entry.lines:
        lines += _line(line, indent + "  ", width, catalogue)
    return lines


def _line(line: Line, indent: str, width: int, catalogue: Catalogue) -> list[list[Piece]]:
    """Returns a labelled line; its continuation stands a little further in."""
    mark = "> " if line.kind == "lesson" else ""
    label = catalogue.say("label", label=line.label) if line.label else ""
    hang = indent + "  "
    text = wrap(line.text, width - len(hang), cell_len(indent + mark + label) - len(hang))
    style = _STYLES[line.kind]
    head = [
        (indent + mark, style),
        (label, _STYLES["label"] if line.kind == "fact" else style),
        (text[0], style),
    ]
    return [[p for p in head if p[0]], *([(hang, ""), (part, style)] for part in text[1:])]


def _table(entries: list[Entry], width: int) -> list[list[Piece]]:
    """Returns a line per entry in columns; where they do not fit, the first column of lines is left out."""
    if not entries:
        return []
    rows = []
    for entry in entries:
        given, made, count = (line.text for line in entry.lines)
        rows.append(["  " * entry.depth + entry.title, given, f"-> {made}", count])
    for columns in ((0, 1, 2, 3), (0, 2, 3)):
        chosen = [[row[c] for c in columns] for row in rows]
        widths = [max(cell_len(row[i]) for row in chosen) for i in range(len(columns))]
        if sum(widths) + 2 * (len(widths) - 1) <= width:
            return [_columns(row, widths) for row in chosen]
    lines: list[list[Piece]] = []
    for row in rows:
        lines.append([(row[0], "title")])
        lines += [[("    ", ""), (part, "")] for part in wrap("  ".join(x for x in row[2:] if x), width - 4)]
    return lines


def _columns(row: list[str], widths: list[int]) -> list[Piece]:
    cells = [text + " " * (size - cell_len(text)) for text, size in zip(row, widths, strict=True)]
    cells[-1] = " " * (widths[-1] - cell_len(row[-1])) + row[-1]
    return [(cells[0], "title"), ("  " + "  ".join(cells[1:]).rstrip(" "), "")]


def plain_text(telling: Telling, width: int, catalogue: Catalogue) -> str:
    """Returns a telling as plain text of a width."""
    lines = ("".join(text for text, _ in line).rstrip(" ") for line in lay_out(telling, width, catalogue))
    return "\n".join(lines)


def styled_text(telling: Telling, width: int, catalogue: Catalogue) -> Any:
    """Returns a telling as rich's text, with the styles of a terminal."""
    whole = Text(no_wrap=True, overflow="ignore")
    for number, line in enumerate(lay_out(telling, width, catalogue)):
        whole.append("\n" if number else "")
        for text, style in line:
            whole.append(text, "bold" if style == "title" else style)
    return whole
