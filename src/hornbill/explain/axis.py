"""Where an axis comes from, as data and in words: the steps of `ancestry`, layer by layer back to the input."""

from __future__ import annotations

from typing import Any

from hornbill.engine.errors import ArgumentError, did_you_mean
from hornbill.engine.layer import Layer
from hornbill.explain.ancestry import ancestry
from hornbill.explain.languages import words
from hornbill.explain.numbers import Numbers
from hornbill.explain.rows import Row, rows_of
from hornbill.explain.spelling import plain
from hornbill.explain.telling import Entry, Line, Telling

__all__ = ["AXIS", "axis_document", "telling_of_axis"]

AXIS = "hornbill.axis"


def axis_document(model: Any, layer: Any, axis: str | int, language: str = "en") -> dict[str, Any]:
    """Returns where an axis of a layer's output comes from, as plain data.

    Args:
        model: A built model.
        layer: The layer, or its name; the last one if None.
        axis: The axis, by name or by index (batch included).
        language: Code of the language of the sentences.

    Raises:
        ArgumentError: If there is no such layer or axis.
    """
    rows, catalogue = rows_of(model, expand_nested=True), words(language)
    index = _row(model, rows, layer)
    steps = ancestry(Numbers(model, rows), index, axis)
    return {
        "schema": AXIS,
        "version": 1,
        "language": language,
        "model": {"name": model.name, "class": type(model).__name__},
        "layer": rows[index].name,
        "axis": {"index": steps[0].axis, "name": steps[0].name, "size": steps[0].size},
        "steps": [
            {
                "row": step.row,
                "layer": step.layer,
                "class": rows[step.row].class_name,
                "axis": step.axis,
                "name": step.name,
                "size": step.size,
                "key": step.key,
                "values": plain(step.values),
                "sources": [{"row": row, "axis": place} for row, place in step.sources],
                "text": step.say(catalogue),
                "sentences": [sentence.say(catalogue) for sentence in step.sentences],
            }
            for step in steps
        ],
    }


def _row(model: Any, rows: list[Row], layer: Any) -> int:
    """Returns the row of a layer, the last of the model's own if none is named."""
    if layer is None:
        return max(i for i, row in enumerate(rows) if row.depth == 0)
    name = layer.name if isinstance(layer, Layer) else layer
    found = [i for i, row in enumerate(rows) if row.name == name]
    if not found:
        names = list(dict.fromkeys(row.name for row in rows))
        raise ArgumentError(
            f"Model {model.name!r} has no layer named {name!r}.{did_you_mean(name, names)}",
            why=f"Its layers: {', '.join(names[:30])}{', ...' if len(names) > 30 else ''}.",
        )
    return found[0]


def telling_of_axis(data: dict[str, Any]) -> Telling:
    """Returns what is said about where an axis comes from, from the layer back to the input."""
    catalogue = words(data["language"])
    asked = {"axis": data["axis"]["name"], "size": data["axis"]["size"]}
    telling = Telling(title=catalogue.say("axis.title", asked=asked, layer=data["layer"]))
    by_row: dict[int, list[dict[str, Any]]] = {}
    for step in data["steps"]:
        by_row.setdefault(step["row"], []).append(step)
    for row in sorted(by_row, reverse=True):
        steps = by_row[row]
        entry = Entry(catalogue.say("title", name=steps[0]["layer"], kind=steps[0]["class"]))
        for step in steps:
            entry.lines.append(Line("", step["text"]))
            entry.lines += [Line(catalogue.say("axis.why"), text) for text in step["sentences"] if text]
        telling.entries.append(entry)
    return telling
