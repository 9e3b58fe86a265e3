"""A telling as Markdown: a heading per layer, a list of facts, lessons as quotations."""

from __future__ import annotations

import re

from hornbill.explain.languages import Catalogue
from hornbill.explain.telling import Entry, Line, Telling
from hornbill.explain.wording import plain_spaces

__all__ = ["to_markdown"]

_SPECIAL = re.compile(r"([\\`*_{}\[\]<#|])")


def to_markdown(telling: Telling, catalogue: Catalogue) -> str:
    """Returns a telling as Markdown."""
    lines = [f"# {_escape(telling.title)}", ""] if telling.title else []
    if telling.compact:
        lines += _table(telling.entries, catalogue)
    for entry in () if telling.compact else telling.entries:
        lines += [f"{'#' * min(entry.depth + 2, 6)} {_escape(entry.title)}", ""]
        lines += [_line(line, catalogue) for line in entry.lines]
        lines.append("")
    lines += [_line(line, catalogue) for line in telling.closing]
    return "\n".join(lines).rstrip("\n") + "\n"


def _escape(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", plain_spaces(text))


def _line(line: Line, catalogue: Catalogue) -> str:
    text = f"`{line.text}`" if line.kind == "code" and "`" not in line.text else _escape(line.text)
    label = f"**{_escape(catalogue.say('label', label=line.label).strip())}** " if line.label else ""
    return f"- {label}{'*' + text + '*' if line.kind == 'lesson' else text}"


def _table(entries: list[Entry], catalogue: Catalogue) -> list[str]:
    titles = [catalogue.say(f"column.{name}") for name in ("layer", "input", "output", "parameters")]
    lines = [f"| {' | '.join(titles)} |", "|---|---|---|---:|"]
    for entry in entries:
        cells = [_escape(entry.title), *(_escape(line.text) for line in entry.lines)]
        lines.append(f"| {' | '.join(cells)} |")
    return [*lines, ""]
