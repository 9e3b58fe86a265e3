"""The lessons of the level "teach": what a kernel, a stride, a channel is, told where it first occurs in a model.

Which lessons a layer calls for is read off the document; the words stand in the catalogues under `teach.`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hornbill.explain.languages import Catalogue

__all__ = ["lessons"]

Lesson = tuple[str, dict[str, Any]]
_AXES = {2: "axes.table", 3: "axes.sequence", 4: "axes.image", 5: "axes.volume"}
_BY_CLASS = {
    "Flatten": "flatten", "Reshape": "reshape", "Permute": "permute", "Concatenate": "concatenate", "Add": "add",
    "LayerNormalization": "layer_normalization", "Embedding": "embedding", "LSTM": "recurrent", "GRU": "recurrent",
    "SimpleRNN": "recurrent", "Bidirectional": "bidirectional", "TimeDistributed": "time_distributed",
    "MultiHeadAttention": "attention", "Attention": "attention", "UpSampling1D": "upsampling",
    "UpSampling2D": "upsampling", "UpSampling3D": "upsampling", "ZeroPadding1D": "zero_padding",
    "ZeroPadding2D": "zero_padding", "ZeroPadding3D": "zero_padding",
}  # fmt: skip
_OPS_BY_CLASS = {"concatenate": "concatenate", "add": "add"}


def lessons(document: dict[str, Any], catalogue: Catalogue) -> dict[int, list[str]]:
    """Returns the lessons of each row, each told once, at the first row that calls for it.

    Args:
        document: The document.
        catalogue: The words.
    """
    told: set[str] = set()
    found: dict[int, list[str]] = {}
    for layer in document["layers"]:
        for key, values in _called_for(layer):
            if key not in told:
                told.add(key)
                found.setdefault(layer["index"], []).append(catalogue.say(f"teach.{key}", **values))
    return found


def _called_for(layer: dict[str, Any]) -> Iterator[Lesson]:
    given, made = layer["inputs"], layer["outputs"]
    if layer["class"] == "InputLayer" and made:
        yield from _of_input(made[0])
    if layer["window"] and given and made:
        yield from _of_window(layer)
    if layer["class"] == "Dense" and given:
        features, units = given[0]["shape"][-1], made[0]["shape"][-1]
        yield "dense", {"features": features, "units": units}
        if len(given[0]["shape"]) > 2:
            yield "dense.last_axis", {"features": features, "units": units}
    yield from _of_others(layer)
    activation = layer["config"].get("activation")
    if layer["class"] in ("ReLU", "Softmax"):
        activation = layer["class"].lower()
    if activation in ("relu", "softmax", "sigmoid", "tanh"):
        yield f"activation.{activation}", {"units": made[0]["shape"][-1] if made else None}
    field = next((r for r in layer["receptive_field"] if any((a["size"] or 1) > 1 for a in r["axes"])), None)
    if field is not None and layer["window"]:
        yield "receptive_field", {}


def _of_input(tensor: dict[str, Any]) -> Iterator[Lesson]:
    rank = len(tensor["shape"])
    if rank in _AXES:
        first = tensor["axes"][1] == "channels"
        yield ("axes.channels_first" if first else _AXES[rank]), {}
    if tensor["shape"][:1] == [None]:
        yield "batch", {}


def _of_window(layer: dict[str, Any]) -> Iterator[Lesson]:
    window = layer["window"]
    kernel = " x ".join(map(str, window["kernel"]))
    strides = " x ".join(map(str, window["strides"]))
    channel = layer["inputs"][0]["axes"].index("channels") if "channels" in layer["inputs"][0]["axes"] else -1
    channels = layer["inputs"][0]["shape"][channel]
    values = {"kernel": kernel, "strides": strides, "channels": channels, "filters": window["filters"]}
    kind = window["kind"]
    if kind in ("max", "average"):
        yield f"pooling.{kind}", values
        return
    if kind == "transposed":
        yield "transposed", values
        return
    yield (
        "kernel",
        {**values, "axes": [{"axis": layer["inputs"][0]["axes"][a]} for a in window["spatial_axes"]]},
    )
    if kind != "conv":
        yield kind, values
    else:
        yield "filter", values
        yield "sharing", values
    if max(window["strides"]) > 1:
        yield "stride", values
    yield f"padding.{window['padding']}", values
    if max(window["dilation"]) > 1:
        yield "dilation", {**values, "dilation": window["dilation"]}
    if window["groups"] > 1 and kind == "conv":
        yield "groups", {**values, "groups": window["groups"]}


def _of_others(layer: dict[str, Any]) -> Iterator[Lesson]:
    name, given = layer["class"], layer["inputs"]
    if name.startswith("Global") and "Pooling" in name and given:
        yield f"global_pooling.{'max' if 'Max' in name else 'average'}", {"channels": given[0]["shape"][-1]}
    if name in ("Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D"):
        yield "dropout", {"percent": f"{100 * layer['config'].get('rate', 0):g} %"}
    if name == "BatchNormalization" and given:
        yield "batch_normalization", {"channels": given[0]["shape"][layer["config"].get("axis", -1)]}
    key = _BY_CLASS.get(name) or _OPS_BY_CLASS.get(name)
    if key is not None:
        yield key, {}
