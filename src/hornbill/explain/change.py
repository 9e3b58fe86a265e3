"""What would differ with another input shape or other arguments: two documents side by side, only what changed.

The other document is that of a copy without weights (`hornbill.models.variant`); the model stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hornbill.engine.lazy import lazy_module
from hornbill.explain.document import build, build_layer
from hornbill.explain.languages import Catalogue, words
from hornbill.explain.sizes import show_number
from hornbill.explain.spelling import typed
from hornbill.explain.telling import Entry, Line, Telling
from hornbill.explain.wording import bytes_words, field_words, shape_words

__all__ = ["DIFFERENCE", "difference", "telling_of_difference"]

DIFFERENCE = "hornbill.difference"
_TOTALS = ("parameters", "trainable", "bytes", "multiply_adds.forward", "multiply_adds.training", "activation_bytes",
           "memory.peak.bytes", "memory.largest_batch")  # fmt: skip
_PARTS = ("inputs", "outputs", "parameters.count", "bytes", "multiply_adds.forward", "activation_bytes",
          "receptive_field")  # fmt: skip

variants = lazy_module(
    "hornbill.models.variant"
)  # models stand above explanations, so it is loaded by its name


def difference(target: Any, input_shape: Any, change: Any, language: str = "en") -> dict[str, Any]:
    """Returns what would differ, as plain data.

    Args:
        target: A built model or layer.
        input_shape: The other input shape, without the batch axis, or None.
        change: Other arguments by layer, or None.
        language: Code of the language of the sentences.

    Raises:
        ArgumentError: If there is no such layer or argument, or a value is refused.
        ShapeError: If the layers do not fit each other any more.
    """
    change = variants.checked_change(target, change or {})
    copy = variants.variant_of(target, input_shape, change)
    if hasattr(target, "get_layer"):
        before, after = build(target, language), build(copy, language)
    else:
        before = build_layer(target, language)
        shape = input_shape if input_shape is not None else before["layers"][0]["inputs"][0]["shape"][1:]
        after = build_layer(copy, language, shape)
    pairs = zip(before["layers"], after["layers"], strict=True)
    layers = [row for one, other in pairs if (row := _layer(one, other))["changes"]]
    totals = [
        {"what": what, "before": one, "after": other}
        for what in _TOTALS
        if (one := _part(before["totals"], what)) != (other := _part(after["totals"], what))
    ]
    known = {(w["key"], w["layer"]) for w in before["warnings"]}
    return {
        "schema": DIFFERENCE,
        "version": before["version"],
        "language": language,
        "model": {"name": target.name, "class": type(target).__name__},
        "asked": {"input_shape": _listed(input_shape), "change": _asked(change)},
        "layers": layers,
        "unchanged": len(before["layers"]) - len(layers),
        "totals": totals,
        "warnings": [w for w in after["warnings"] if (w["key"], w["layer"]) not in known],
    }


def _listed(shape: Any) -> Any:
    if isinstance(shape, dict):
        return {key: _listed(item) for key, item in shape.items()}
    return [_listed(item) for item in shape] if isinstance(shape, (list, tuple)) else shape


def _asked(change: Any) -> dict[str, Any]:
    return {name: {k: _listed(v) for k, v in values.items()} for name, values in change.items() if values}


def _part(data: Any, path: str) -> Any:
    for key in path.split("."):
        data = data.get(key) if isinstance(data, dict) else None
    return data


def _layer(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """Returns what differs in one row: each number before and after, and the sentences that are new."""
    changes: list[dict[str, Any]] = []
    for key, old in before["config"].items():
        new = after["config"].get(key)
        if old != new and key not in ("name", "batch_shape", "layers", "input_layers", "output_layers"):
            changes.append({"what": "argument", "name": key, "before": old, "after": new})
    for what in _PARTS:
        old, new = _part(before, what), _part(after, what)
        if old != new:
            changes.append({"what": what, "before": old, "after": new})
    old_texts = {(s["axis"], s["text"]) for s in before["sentences"]}
    sentences = [s for s in after["sentences"] if (s["axis"], s["text"]) not in old_texts]
    counted = before["parameters"]["sentence"] != after["parameters"]["sentence"]
    return {
        "index": before["index"],
        "name": before["name"],
        "class": before["class"],
        "depth": before["depth"],
        "changes": changes,
        "sentences": sentences,
        "parameters": after["parameters"]["sentence"] if counted else None,
    }


# ---- in words


def telling_of_difference(data: dict[str, Any], level: str) -> Telling:
    """Returns what is said about a difference.

    Args:
        data: What `difference` gave.
        level: "short" (sizes and counts), "full" or "teach" (with the rules).
    """
    catalogue = words(data["language"])
    telling = Telling(
        title=catalogue.say("change.title", asked=_asked_words(data, catalogue), name=data["model"]["name"])
    )
    for row in data["layers"]:
        title = catalogue.say("title", name=row["name"], kind=row["class"])
        telling.entries.append(Entry(title, list(_lines(row, catalogue, level != "short")), row["depth"]))
    for total in data["totals"]:
        label = catalogue.say(f"change.total.{total['what']}")
        telling.closing.append(Line(label, _way(total["what"], total["before"], total["after"], catalogue)))
    if not data["layers"]:
        telling.closing.append(Line("", catalogue.say("change.nothing")))
    elif data["unchanged"]:
        telling.closing.append(Line("", catalogue.say("change.unchanged", count=data["unchanged"])))
    mind = catalogue.say("label.mind")
    telling.closing += [Line(mind, warning["text"], "warning") for warning in data["warnings"]]
    return telling


def _asked_words(data: dict[str, Any], catalogue: Catalogue) -> str:
    parts = []
    if data["asked"]["input_shape"] is not None:
        parts.append(f"input_shape={typed('', data['asked']['input_shape'])}")
    for name, values in data["asked"]["change"].items():
        parts += [f"{name}.{key}={typed(key, value)}" for key, value in values.items()]
    return catalogue.say("comma").join(parts)


def _lines(row: dict[str, Any], catalogue: Catalogue, rules: bool) -> Iterator[Line]:
    """Yields what differs in a row: arguments, sizes with their rules, then the numbers that follow."""
    changes = {change["what"]: change for change in row["changes"] if change["what"] != "argument"}
    for change in row["changes"]:
        if change["what"] == "argument":
            name, before, after = change["name"], change["before"], change["after"]
            yield Line(name, f"{typed(name, before)} -> {typed(name, after)}")
    side = "outputs" if "outputs" in changes else "inputs"  # the input is the output of a row above
    if side in changes:
        for one, other in zip(changes[side]["before"], changes[side]["after"], strict=False):
            if one != other:
                yield Line(catalogue.say(f"change.{side}"), _shapes(one, other, catalogue))
    if rules:
        told = [sentence for sentence in row["sentences"] if sentence["axis"] is not None]
        yield from (Line(catalogue.axis(sentence["name"]), sentence["text"]) for sentence in told)
    for what, change in changes.items():
        if what not in ("inputs", "outputs", "receptive_field"):
            label = catalogue.say(f"change.total.{what}")
            yield Line(label, _way(what, change["before"], change["after"], catalogue))
        if what == "parameters.count" and rules and row["parameters"] is not None:
            yield Line("", row["parameters"])
    if rules and "receptive_field" in changes:
        label, field = catalogue.say("label.receptive_field"), changes["receptive_field"]
        for one, other in zip(field["before"], field["after"], strict=False):
            if one != other:
                yield Line(label, field_words(other, catalogue))


def _shapes(before: dict[str, Any], after: dict[str, Any], catalogue: Catalogue) -> str:
    """Returns what differs between two shapes: axis by axis where they have the same axes."""
    if before["axes"] != after["axes"]:
        return f"{shape_words(before, catalogue)} -> {shape_words(after, catalogue)}"
    pairs = zip(before["axes"], before["shape"], after["shape"], strict=True)
    parts = [
        f"{catalogue.axis(name)}\u00a0{one} ->\u00a0{other}" for name, one, other in pairs if one != other
    ]
    return catalogue.say("comma").join(parts) or f"{before['dtype']} -> {after['dtype']}"


def _way(what: str, before: Any, after: Any, catalogue: Catalogue) -> str:
    """Returns a number before and after, and by how much it differs."""
    show = bytes_words if "bytes" in what else show_number
    way = f"{show(before)} -> {show(after)}"
    if not isinstance(before, int) or not isinstance(after, int) or not before:
        return way
    ratio = after / before
    times = f"{ratio:.3g}" if ratio >= 0.001 else f"{ratio:.1g}"
    return catalogue.say("change.way", way=way, times=times)
