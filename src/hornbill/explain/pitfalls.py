"""Known misunderstandings, looked for in a model: what runs without an error and yet is often not what was meant.

Each finding is a question to the reader, not a verdict. They are read off the document; nothing is run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from hornbill.explain.languages import Catalogue

__all__ = ["pitfalls"]

Finding = tuple[str, int | None, dict[str, Any]]
_PICTURE_CHANNELS = (1, 3, 4)
_MANY_SAMPLES = 1000  # a first axis of this length is more likely a number of samples
_PLACE_BY_PLACE = ("Dense", "Dropout", "Activation", "BatchNormalization", "LayerNormalization", "ReLU")


def pitfalls(document: dict[str, Any], catalogue: Catalogue) -> list[dict[str, Any]]:
    """Returns the warnings of a document: key, row, values and text of each.

    Args:
        document: The document, without its warnings.
        catalogue: The words.
    """
    found = []
    for find in _FINDERS:
        for key, layer, values in find(document):
            text = catalogue.say(f"pitfall.{key}", **values)
            found.append({"key": key, "layer": layer, "values": values, "text": text})
    return sorted(found, key=lambda one: -1 if one["layer"] is None else one["layer"])


def _rank(layer: dict[str, Any]) -> int:
    """Returns along how many axes a layer slides a window, 0 for others."""
    window = layer["window"]
    return window["rank"] if window else 0


def _first_windows(document: dict[str, Any]) -> Iterator[tuple[dict[str, Any], list[Any]]]:
    """Yields the layers with windows that take an input of the model as it is, and its sizes without the batch."""
    entries = {layer["index"] for layer in document["layers"] if layer["class"] == "InputLayer"}
    for layer in document["layers"]:
        direct = set(layer["parents"]) & entries or (not layer["parents"] and layer["index"] == 0)
        if _rank(layer) and direct and layer["inputs"]:
            yield layer, layer["inputs"][0]["shape"][1:]


def _axis_order(document: dict[str, Any]) -> Iterator[Finding]:
    """(20, 15, 15) given to Conv2D, which takes the last 15 for channels; (3, 224, 224); (60000, 28, 28)."""
    for layer, sizes in _first_windows(document):
        if _rank(layer) != 2 or layer["window"]["channels_first"] or None in sizes:
            continue
        first, width, last = sizes
        if width != last or first == width or last in _PICTURE_CHANNELS:
            continue
        shape = f"({first}, {width}, {last})"
        values = {"shape": shape, "height": first, "width": width, "channels": last}
        if first in _PICTURE_CHANNELS:
            yield "channels_first", layer["index"], {**values, "moved": f"({width}, {last}, {first})"}
        elif first >= _MANY_SAMPLES:
            yield "samples_as_height", layer["index"], {**values, "meant": f"({width}, {last}, 1)"}
        else:
            yield "last_axis_is_channels", layer["index"], {**values, "moved": f"({width}, {last}, {first})"}


def _samples_in_shape(document: dict[str, Any]) -> Iterator[Finding]:
    """Input((1000, 20)) in front of dense layers: the number of samples does not belong into the shape."""
    inputs, layers = document["model"]["inputs"], document["layers"]
    if len(inputs) != 1 or len(inputs[0]["shape"]) != 3:
        return
    samples, features = inputs[0]["shape"][1:]
    working = [layer for layer in layers if layer["class"] != "InputLayer"]
    plain = all(layer["class"].startswith(_PLACE_BY_PLACE) for layer in working)
    if plain and working and isinstance(samples, int) and samples >= _MANY_SAMPLES:
        values = {"shape": f"({samples}, {features})", "samples": samples, "meant": f"({features},)"}
        yield "samples_in_shape", layers[0]["index"], values


def _dense_on_places(document: dict[str, Any]) -> Iterator[Finding]:
    """Dense on an image works at every place by itself; where one answer per image was meant, Flatten is missing."""
    for layer in document["layers"]:
        if layer["class"] != "Dense" or not layer["inputs"] or len(layer["inputs"][0]["shape"]) < 4:
            continue
        shape, axes = layer["outputs"][0]["shape"], layer["outputs"][0]["axes"]
        places = [{"axis": axis, "size": size} for axis, size in zip(axes[1:-1], shape[1:-1], strict=True)]
        if all(size == 1 for size in shape[1:-1]):
            continue
        output = "(" + ", ".join(map(str, shape)) + ")"
        yield "dense_on_places", layer["index"], {"places": places, "shape": output}
        return


def _softmax_of_one(document: dict[str, Any]) -> Iterator[Finding]:
    """Softmax over one number is always 1."""
    for layer in document["layers"]:
        softmax = layer["config"].get("activation") == "softmax" or layer["class"] == "Softmax"
        if softmax and layer["outputs"] and layer["outputs"][0]["shape"][-1] == 1:
            yield "softmax_of_one", layer["index"], {}


def _nothing_left(document: dict[str, Any]) -> Iterator[Finding]:
    """A size that a window brings down to 1: nothing is left to slide over."""
    for layer in document["layers"]:
        window = layer["window"]
        if not window or window["kind"] == "transposed":
            continue
        names = layer["outputs"][0]["axes"]
        gone = [
            {"axis": names[axis], "size": before}
            for axis, before, after in zip(
                window["spatial_axes"], window["input_sizes"], window["output_sizes"], strict=True
            )
            if after == 1 and before is not None and before > 1
        ]
        if gone:
            yield "size_one", layer["index"], {"gone": gone}


def _cells_lost(document: dict[str, Any]) -> Iterator[Finding]:
    """A pooling of 2 over 7 rows reads 6 of them; zeros that were put around them are no loss."""
    classes = [layer["class"] for layer in document["layers"]]
    for layer in document["layers"]:
        window = layer["window"]
        if any(classes[parent].startswith("ZeroPadding") for parent in layer["parents"]):
            continue
        if not window or window["kind"] not in ("max", "average") or window["padding"] != "valid":
            continue
        for place, axis in enumerate(window["spatial_axes"]):
            before, after = window["input_sizes"][place], window["output_sizes"][place]
            if before is None or after is None:
                continue
            used = (after - 1) * window["strides"][place] + window["kernel"][place]
            if used < before:
                name = {"axis": layer["outputs"][0]["axes"][axis]}
                values = {"name": name, "before": before, "after": after, "used": used, "lost": before - used}
                yield "cells_lost", layer["index"], values
                break


_FINDERS: tuple[Callable[[dict[str, Any]], Iterator[Finding]], ...] = (
    _axis_order, _samples_in_shape, _dense_on_places, _softmax_of_one, _nothing_left, _cells_lost,
)  # fmt: skip
