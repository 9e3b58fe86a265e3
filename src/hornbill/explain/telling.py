"""The telling: what an explanation says, in order and in words, before it is laid out as text, Markdown or HTML.

`telling_of` turns a document into entries of labelled lines; the layouts know nothing of layers.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from hornbill.explain.languages import Catalogue
from hornbill.explain.sizes import show_number
from hornbill.explain.teaching import lessons
from hornbill.explain.wording import bytes_words, field_words, rough_bytes, way_words

__all__ = ["LEVELS", "Entry", "Line", "Telling", "telling_of"]

LEVELS = ("short", "full", "teach")
_MOST_SENTENCES = 12
_MOST_OF_OURS = 4  # built-in layers that say more, such as attention, are told by their results
_OF_LOOPS = ("loop.each_step", "loop.state", "attention.queries")
_UNCHANGED = ("elementwise",)  # keys of sentences that say that a shape stays


@dataclass(slots=True)
class Line:
    """One line: a label (or none) and what is said. `kind` is "fact", "code", "lesson" or "warning"."""

    label: str
    text: str
    kind: str = "fact"


@dataclass(slots=True)
class Entry:
    """What is said about one layer.

    Attributes:
        title: Its name and class.
        lines: What is said.
        depth: How many models it stands inside.
    """

    title: str
    lines: list[Line] = field(default_factory=list)
    depth: int = 0


@dataclass(slots=True)
class Telling:
    """A whole explanation.

    Attributes:
        title: What it is about; "" where the entries say so.
        entries: The layers.
        closing: What is said in the end: totals, memory, warnings.
        compact: Whether each entry is one line.
    """

    title: str = ""
    entries: list[Entry] = field(default_factory=list)
    closing: list[Line] = field(default_factory=list)
    compact: bool = False


def telling_of(
    document: dict[str, Any], catalogue: Catalogue, level: str, only: set[int] | None = None
) -> Telling:
    """Returns what is said about a document.

    Args:
        document: The document.
        catalogue: The words.
        level: "short", "full" or "teach".
        only: Rows to tell about; all of them, and the totals, if None.
    """
    taught = lessons(document, catalogue) if level == "teach" else {}
    warned: dict[int | None, list[str]] = {}
    for warning in document["warnings"]:
        warned.setdefault(warning["layer"], []).append(warning["text"])
    telling = Telling(compact=level == "short")
    for layer in document["layers"]:
        if only is not None and layer["index"] not in only:
            continue
        entry = _short(layer, catalogue) if level == "short" else _full(layer, document, catalogue)
        if level != "short":
            entry.lines += [Line("", text, "lesson") for text in taught.get(layer["index"], ())]
            mind = catalogue.say("label.mind")
            entry.lines += [Line(mind, text, "warning") for text in warned.get(layer["index"], ())]
        telling.entries.append(entry)
    if only is None:
        telling.closing = _totals(document, catalogue, level)
    return telling


def _title(layer: dict[str, Any], catalogue: Catalogue) -> str:
    return catalogue.say("title", name=layer["name"], kind=layer["class"])


def _short(layer: dict[str, Any], catalogue: Catalogue) -> Entry:
    count = layer["parameters"]["count"]
    if layer["parameters"]["shared_with"] is not None and count:
        words = catalogue.say("short.shared")
    else:
        words = catalogue.say("short.count", count=show_number(count)) if count else ""
    shapes = [
        " + ".join("(" + ", ".join(map(str, tensor["shape"])) + ")" for tensor in layer[side])
        for side in ("inputs", "outputs")
    ]
    way = [Line("", shapes[0]), Line("", shapes[1] or "?"), Line("", words)]
    return Entry(_title(layer, catalogue), way, layer["depth"])


def _full(layer: dict[str, Any], document: dict[str, Any], catalogue: Catalogue) -> Entry:
    lines = [Line("", way_words(layer["inputs"], layer["outputs"], catalogue))]
    inside = sum(other["parent"] == layer["index"] for other in document["layers"])
    if inside:  # the rows inside say why
        lines.append(Line(catalogue.say("label.inside"), catalogue.say("inside", count=inside)))
    else:
        lines += _sizes(layer, catalogue)
    lines += _weights(layer, document, catalogue)
    lines += _costs(layer, catalogue)
    seen = catalogue.say("label.receptive_field")
    fields = layer["receptive_field"] if layer["class"] != "InputLayer" else []
    lines += [Line(seen, field_words(field, catalogue)) for field in fields]
    lines.append(Line(catalogue.say("label.code"), layer["code"], "code"))
    return Entry(_title(layer, catalogue), lines, layer["depth"])


def _sizes(layer: dict[str, Any], catalogue: Catalogue) -> list[Line]:
    """Returns a line per sentence; where several ops or inner layers tell about one axis, each is named."""
    said = [s for s in layer["sentences"] if s["axis"] != 0 or s["after"] is not None]  # the batch stays
    said = [s for s in said if not s["key"].startswith(_UNCHANGED)] or said
    if layer["code"].startswith("layers.") and len({s["text"] for s in said}) > _MOST_OF_OURS:
        said = _last_words(layer, said)
    makers: dict[tuple[Any, str, str], list[str]] = {}
    inner = any(sentence["inside"] for sentence in said)
    for sentence in said:
        names = makers.setdefault((sentence["axis"], sentence["name"], sentence["text"]), [])
        names += [maker for maker in [sentence["inside"] or sentence["op"]] if maker not in names]
    times = Counter(name for _, name, _ in makers)
    lines = []
    for (axis, name, text), names in list(makers.items())[:_MOST_SENTENCES]:
        label = catalogue.axis(name) if axis is not None else catalogue.say("label.shape")
        if inner or (times[name] > 1 and axis is not None):
            label = catalogue.say("label.by_op", name=label, op=names)
        lines.append(Line(label, text))
    if len(makers) > _MOST_SENTENCES:
        lines.append(Line("", catalogue.say("more", count=len(makers) - _MOST_SENTENCES)))
    return lines


def _last_words(layer: dict[str, Any], said: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Returns what is said last about each axis of the output; what a layer of ours does inside is in the document."""
    shape, names = layer["outputs"][0]["shape"], layer["outputs"][0]["axes"]
    found = [s for s in said if s["key"] == "loop.last_step"][:1]
    for axis in range(1, len(shape)):
        fitting = [s for s in said if s["axis"] is not None and s["after"] == shape[axis]]
        chosen = [
            s
            for s in fitting
            if s["key"] in _OF_LOOPS and (axis == len(shape) - 1) == (s["key"] == "loop.state")
        ]
        chosen = chosen or [s for s in fitting if s["axis"] == axis]
        found += [{**s, "name": names[axis], "axis": axis} for s in chosen[-1:]]
    return found or said


def _weights(layer: dict[str, Any], document: dict[str, Any], catalogue: Catalogue) -> list[Line]:
    parameters = layer["parameters"]
    label = catalogue.say("label.parameters")
    if not parameters["count"]:
        return [Line(label, parameters["sentence"])]
    if parameters["shared_with"] is not None:
        owner = document["layers"][parameters["shared_with"]]["name"]
        return [Line(label, catalogue.say("count.shared", owner=owner))]
    count, trainable = parameters["count"], parameters["trainable"]
    key = "trained.all" if trainable == count else "trained.some" if trainable else "trained.none"
    trained = catalogue.say(key, trainable=show_number(trainable), count=show_number(count))
    weights = catalogue.say("bytes.weights", size=bytes_words(layer["bytes"]))
    return [
        Line(label, parameters["sentence"]),
        Line(catalogue.say("label.trainable"), f"{trained}{catalogue.say('semicolon')}{weights}"),
    ]


def _costs(layer: dict[str, Any], catalogue: Catalogue) -> list[Line]:
    lines = []
    forward, training = layer["multiply_adds"]["forward"], layer["multiply_adds"]["training"]
    if forward:
        values = {"forward": show_number(forward), "training": show_number(training)}
        lines.append(Line(catalogue.say("label.work"), catalogue.say("work", **values)))
    if layer["activation_bytes"] is not None:
        size = bytes_words(layer["activation_bytes"])
        lines.append(Line(catalogue.say("label.output"), catalogue.say("bytes.output", size=size)))
    return lines


def _totals(document: dict[str, Any], catalogue: Catalogue, level: str) -> list[Line]:
    totals = document["totals"]
    numbers = {key: show_number(totals[key]) for key in ("parameters", "trainable", "non_trainable")}
    lines = [Line(catalogue.say("label.together"), catalogue.say("total.parameters", **numbers))]
    if level == "short":
        return lines
    lines.append(Line("", catalogue.say("bytes.weights", size=bytes_words(totals["bytes"]))))
    work = totals["multiply_adds"]
    if work["forward"] is not None:
        values = {"forward": show_number(work["forward"]), "training": show_number(work["training"])}
        lines.append(Line("", catalogue.say("work", **values)))
    lines += _memory(totals["memory"], catalogue)
    lines += [
        Line(catalogue.say("label.mind"), warning["text"], "warning")
        for warning in document["warnings"]
        if warning["layer"] is None
    ]
    return lines


def _memory(memory: dict[str, Any] | None, catalogue: Catalogue) -> list[Line]:
    if memory is None:
        return []
    parts = {
        key: rough_bytes(memory[key])
        for key in ("weights", "gradients", "optimizer", "activations_per_sample")
    }
    said = catalogue.say("memory.parts" if memory["compiled"] else "memory.parts.assumed", **parts)
    lines = [Line(catalogue.say("label.memory"), said)]
    peak = memory["peak"]
    if peak is not None:
        values = {"batch": peak["batch"], "size": rough_bytes(peak["bytes"])}
        lines.append(Line("", catalogue.say("memory.peak", **values)))
    if memory["largest_batch"] is not None:
        values = {"batch": show_number(memory["largest_batch"]), "size": rough_bytes(memory["available"])}
        lines.append(Line("", catalogue.say("memory.largest_batch", **values)))
    return lines
