"""A telling as HTML: one self-contained page without scripts, or a fragment for notebooks.

Not the interactive page, which is `hornbill.explain.page`. Names that come from files are escaped.
"""

from __future__ import annotations

from html import escape

from hornbill.explain.languages import Catalogue
from hornbill.explain.telling import Entry, Line, Telling
from hornbill.explain.wording import plain_spaces

__all__ = ["to_fragment", "to_html"]

_STYLE = """
.hornbill{font:14px/1.5 system-ui,sans-serif;color:#1b1f24;background:#fff;max-width:60rem}
body.hornbill{margin:1.5rem auto;padding:0 1rem}
.hornbill h1{font-size:1.5em}
.hornbill h3{font-size:1.05em;margin:1.1em 0 .2em}
.hornbill dl{display:grid;grid-template-columns:max-content 1fr;gap:.1em 1em;margin:0}
.hornbill dt{color:#57606a}.hornbill dd{margin:0;overflow-wrap:anywhere}
.hornbill code{font-family:ui-monospace,monospace}
.hornbill .lesson{border-left:3px solid #1a7f37;padding-left:.6em;margin:.2em 0}
.hornbill .warning{border-left:3px solid #9a6700;padding-left:.6em;margin:.2em 0}
.hornbill table{border-collapse:collapse}.hornbill td,.hornbill th{padding:.15em .7em;text-align:left}
.hornbill td:last-child,.hornbill th:last-child{text-align:right}
.hornbill .wide{grid-column:1/-1}
@media (prefers-color-scheme:dark){.hornbill{color:#e6edf3;background:#0d1117}.hornbill dt{color:#9ba5b0}
.hornbill .lesson{border-color:#3fb950}.hornbill .warning{border-color:#d29922}}
"""


def to_html(telling: Telling, catalogue: Catalogue, title: str) -> str:
    """Returns a whole HTML file that opens with the network off.

    Args:
        telling: What is said.
        catalogue: The words.
        title: Title of the page.
    """
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return (
        f'<!doctype html>\n<html lang="{escape(catalogue.language)}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width,initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n</head>\n"
        f'<body class="hornbill">\n<h1>{escape(title)}</h1>\n'
        f"{to_fragment(telling, catalogue)}\n</body>\n</html>\n"
    )


def to_fragment(telling: Telling, catalogue: Catalogue) -> str:
    """Returns a part of a page, as notebooks show it."""
    parts = [f"<style>{_STYLE}</style>", f'<div class="hornbill" lang="{escape(catalogue.language)}">']
    if telling.title:
        parts.append(f"<p><strong>{_text(telling.title)}</strong></p>")
    if telling.compact:
        parts += _table(telling.entries, catalogue)
    for entry in () if telling.compact else telling.entries:
        parts.append(f'<section style="margin-left:{1.5 * entry.depth}em"><h3>{_text(entry.title)}</h3>')
        parts += [_list(entry.lines), "</section>"]
    if telling.closing:
        parts.append(f"<section><hr>{_list(telling.closing)}</section>")
    return "\n".join([*parts, "</div>"])


def _text(text: str) -> str:
    return escape(plain_spaces(text))


def _list(lines: list[Line]) -> str:
    parts = []
    for line in lines:
        text = f"<code>{_text(line.text)}</code>" if line.kind == "code" else _text(line.text)
        kind = f" {line.kind}" if line.kind in ("lesson", "warning") else ""
        if line.label:
            parts.append(f'<dt>{_text(line.label)}</dt><dd class="{line.kind}">{text}</dd>')
        else:
            parts.append(f'<dd class="wide{kind}">{text}</dd>')
    return f"<dl>{''.join(parts)}</dl>"


def _table(entries: list[Entry], catalogue: Catalogue) -> list[str]:
    titles = (_text(catalogue.say(f"column.{name}")) for name in ("layer", "input", "output", "parameters"))
    rows = [
        "<table><thead><tr>" + "".join(f'<th scope="col">{title}</th>' for title in titles) + "</tr></thead>"
    ]
    rows.append("<tbody>")
    for entry in entries:
        cells = "".join(f"<td>{_text(line.text)}</td>" for line in entry.lines)
        indent = f' style="padding-left:{0.7 + 1.5 * entry.depth}em"'
        rows.append(f'<tr><th scope="row"{indent}>{_text(entry.title)}</th>{cells}</tr>')
    return [*rows, "</tbody></table>"]
