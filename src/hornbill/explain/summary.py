"""`model.summary()`: Keras' table, and beside each count the arithmetic that gives it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from io import StringIO
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from hornbill.engine.errors import ArgumentError, did_you_mean
from hornbill.engine.layer import Layer
from hornbill.explain.counts import count_formula
from hornbill.explain.rows import Row, rows_of
from hornbill.explain.sizes import show_bytes, weight_bytes, weight_count

__all__ = ["print_summary", "summary_text"]

_MINIMUM_WIDTH, _USUAL_WIDTH = 60, 100


def print_summary(
    model: Any,
    line_length: int | None = None,
    positions: list[float] | None = None,
    print_fn: Callable[[str], Any] | None = None,
    expand_nested: bool = False,
    show_trainable: bool = False,
    layer_range: list[str] | None = None,
) -> None:
    """Prints the summary; see `Model.summary`."""
    options = {
        "positions": positions, "expand_nested": expand_nested, "show_trainable": show_trainable,
        "layer_range": layer_range,
    }  # fmt: skip
    if print_fn is not None:
        print_fn(summary_text(model, line_length or 80, **options))
        return
    width = line_length or min(max(shutil.get_terminal_size((_USUAL_WIDTH, 24)).columns, _MINIMUM_WIDTH), 120)
    console = Console(width=width, soft_wrap=True)
    _render(console, model, **options)


def summary_text(model: Any, width: int = 80, **options: Any) -> str:
    """Returns the summary as plain text of a given width."""
    stream = StringIO()
    _render(Console(file=stream, width=width, color_system=None, legacy_windows=False), model, **options)
    return stream.getvalue()


def _render(
    console: Console,
    model: Any,
    positions: list[float] | None = None,
    expand_nested: bool = False,
    show_trainable: bool = False,
    layer_range: list[str] | None = None,
) -> None:
    rows = _in_range(rows_of(model, expand_nested), layer_range)
    connected = _is_connected(rows)
    titles = ["Layer (type)", "Output Shape", "Param #", "= from"]
    titles += ["Connected to"] if connected else []
    titles += ["Trainable"] if show_trainable else []
    table = Table(box=box.SQUARE, show_lines=False, width=console.width, header_style="bold", pad_edge=True)
    widths = _column_widths(positions, len(titles), console.width)
    for title, width in zip(titles, widths, strict=True):
        fixed = title in ("Output Shape", "Param #") and width is None
        least = (
            _name_width(rows, len(titles), console.width)
            if title == "Layer (type)" and width is None
            else None
        )
        table.add_column(
            title, justify="right" if title == "Param #" else "left", overflow="fold", no_wrap=fixed, ratio=width,
            min_width=least,
        )  # fmt: skip
    for row in rows:
        cells = [_name_cell(row), _shape_cell(row), _count_cell(row), _formula_cell(row)]
        cells += [escape(", ".join(row.parents)) or "-"] if connected else []
        cells += [_trainable_cell(row)] if show_trainable else []
        table.add_row(*cells)
    console.print(f'[bold]Model: "{escape(model.name)}"[/bold]', highlight=False)
    console.print(table)
    for line in _totals(model):
        console.print(line, highlight=False)


def _name_width(rows: list[Row], columns: int, width: int) -> int:
    """Returns how wide the names' column is at least: its longest word, as far as the other columns leave room."""
    words = [len(word) + 2 * row.depth for row in rows for word in (row.name, f"({row.class_name})")]
    shapes = max((len(_shape_cell(row)) for row in rows), default=0)
    counts = max((len(_count_cell(row)) for row in rows), default=0)
    left = width - (3 * columns + 1) - max(shapes, 12) - max(counts, 7) - 15 * (columns - 3)
    return max(min(max(words, default=0), left), 8)


def _column_widths(positions: list[float] | None, count: int, width: int) -> list[int] | list[None]:
    """Returns relative widths for Keras' `positions` of the columns' ends; None where the table finds its own."""
    if not positions:
        return [None] * count
    ends = [p if p > 1 else p * width for p in positions][:count]
    found = [max(int(b - a), 1) for a, b in zip([0, *ends[:-1]], ends, strict=True)]
    return found + [10] * (count - len(found))


def _name_cell(row: Row) -> str:
    indent = "  " * row.depth + ("└ " if row.depth else "")
    return f"{indent}{escape(row.name)} [dim]({escape(row.class_name)})[/dim]"


def _shape_cell(row: Row) -> str:
    if not row.outputs:
        return "? (unbuilt)"
    shapes = [str(tuple(shape)) for shape in row.outputs]
    return shapes[0] if len(shapes) == 1 else ", ".join(shapes)


def _count_cell(row: Row) -> str:
    if isinstance(row.layer, Layer) and not row.layer.built:
        return "? (unbuilt)"
    if not row.first:
        return "(shared)"
    return f"{row.params:,}"


def _formula_cell(row: Row) -> str:
    if not isinstance(row.layer, Layer) or not row.first or not row.params:
        return ""
    if row.layer._sublayers():
        return f"{len(row.layer._sublayers())} layers inside"
    return escape(count_formula(row.layer))


def _trainable_cell(row: Row) -> str:
    if not isinstance(row.layer, Layer) or not row.layer.weights:
        return "-"
    return "Y" if row.layer.trainable else "N"


def _is_connected(rows: list[Row]) -> bool:
    """Whether the graph is no single line, so that it must be said what each layer takes."""
    order = [row.name for row in rows if row.depth == 0]
    for row in (r for r in rows if r.depth == 0 and r.parents):
        place = order.index(row.name)
        if len(row.parents) > 1 or place == 0 or row.parents[0] != order[place - 1]:
            return True
    return False


def _in_range(rows: list[Row], layer_range: list[str] | None) -> list[Row]:
    if layer_range is None:
        return rows
    if len(layer_range) != 2:
        raise ArgumentError("layer_range is the first and the last layer's name.", got=f"{layer_range!r}.")
    found = []
    for pattern in layer_range:
        place = [i for i, row in enumerate(rows) if re.match(pattern, row.name)]
        if not place:
            hint = did_you_mean(pattern, [row.name for row in rows])
            raise ArgumentError(f"layer_range: no layer is named {pattern!r}.{hint}")
        found.append(place)
    low, high = sorted((found[0][0], found[1][-1]))
    return rows[low : high + 1]


def _totals(model: Any) -> list[str]:
    weights = model.weights
    trainable = {id(v) for v in model.trainable_weights}
    groups = {
        "Total params": weights,
        "Trainable params": [v for v in weights if id(v) in trainable],
        "Non-trainable params": [v for v in weights if id(v) not in trainable],
    }
    optimizer = getattr(model, "optimizer", None)
    lines = [f"[bold] {label}:[/bold] {_amount(group)}" for label, group in groups.items()]
    if optimizer is not None and getattr(optimizer, "built", False):
        extra = list(optimizer.variables)
        total = _amount([*weights, *extra])
        lines[0] = f"[bold] Total params:[/bold] {total}"
        lines.append(f"[bold] Optimizer params:[/bold] {_amount(extra)}")
    return lines


def _amount(variables: list[Any]) -> str:
    return f"{weight_count(variables):,} ({show_bytes(weight_bytes(variables))})"
