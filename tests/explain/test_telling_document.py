"""The document: its schema, and its totals against `count_params` for every layer's Case and for whole applications."""

from __future__ import annotations

import importlib
import json
import pkgutil

import numpy as np
import pytest

import hornbill as keras
import tests.cases
from hornbill.engine.dtype import standardize_dtype
from hornbill.engine.layer import Layer
from hornbill.engine.symbolic import KerasTensor
from hornbill.explain.document import SCHEMA, VERSION, build
from tests.explain import models

APPLICATIONS = {
    "corner_detector": 286,
    "series": 132,
    "unet": 7_759_521,
    "planes": 3_328,
    "planes_mistaken": 2_788,
    "resnet50": 25_636_712,
    "mobilenet": 4_253_864,
}
ALL = [*APPLICATIONS, "digits", "transformer", "nested", "shared", "subclassed"]
CASES = [
    case
    for module in pkgutil.iter_modules(tests.cases.__path__)
    for case in getattr(importlib.import_module(f"tests.cases.{module.name}"), "CASES", ())
    if case.public_name.startswith("layers.") and case.public_name.partition(".")[2][0].isupper()
]

# ---- the schema, as a table: a type, a tuple of types, a list of one schema, or a dict of them.

SIZE = (int, type(None))
TENSOR = {"shape": [SIZE], "axes": [str], "dtype": str}
WEIGHT = {
    "name": str, "path": str, "shape": [int], "axes": [str], "dtype": str, "size": int, "bytes": int, "trainable": bool,
}  # fmt: skip
SENTENCE = {
    "axis": SIZE, "name": str, "before": SIZE, "after": SIZE, "key": str, "values": dict, "formula": str, "text": str,
    "op": str, "inside": (str, type(None)),
}  # fmt: skip
WINDOW = {
    "kind": str, "rank": int, "channels_first": bool, "kernel": [int], "strides": [int], "dilation": [int],
    "padding": str, "pads": list, "output_padding": (list, type(None)), "groups": int, "filters": SIZE,
    "spatial_axes": [int], "input_sizes": [SIZE], "output_sizes": [SIZE], "arguments": dict,
}  # fmt: skip
FIELD_AXIS = {"name": str, "size": SIZE, "jump": (int, float, type(None)), "start": SIZE, "whole": bool}
FIELD = {"input": str, "whole": bool, "axes": [FIELD_AXIS]}
WORK = {"forward": SIZE, "training": SIZE}
LAYER = {
    "index": int, "name": str, "class": str, "depth": int, "parent": SIZE, "parents": [int], "inputs": [TENSOR],
    "outputs": [TENSOR], "sentences": [SENTENCE],
    "parameters": {
        "count": int, "trainable": int, "shared_with": SIZE, "formula": str, "sentence": str, "weights": [WEIGHT],
    },
    "bytes": int, "multiply_adds": WORK, "activation_bytes": SIZE, "receptive_field": [FIELD], "window": None,
    "config": dict, "code": str,
    "ops": [{"name": str, "rule": (str, type(None)), "inputs": [TENSOR], "output": None}],
}  # fmt: skip
MEMORY = {
    "weights": int, "gradients": int, "optimizer": int, "activations_per_sample": int,
    "peak": {"batch": int, "bytes": int}, "largest_batch": SIZE, "available": SIZE,
    "compiled": bool,
}  # fmt: skip
DOCUMENT = {
    "schema": str, "version": int, "language": str,
    "model": {"name": str, "class": str, "inputs": [TENSOR], "outputs": [TENSOR]},
    "layers": [LAYER],
    "totals": {
        "parameters": int, "trainable": int, "non_trainable": int, "bytes": int, "multiply_adds": WORK,
        "activation_bytes": SIZE, "memory": None,
    },
    "warnings": [{"key": str, "layer": SIZE, "values": dict, "text": str}],
}  # fmt: skip


def mismatches(schema, value, path="document"):
    """Yields where a value is not of a schema."""
    if schema is None:
        return
    if isinstance(schema, dict):
        if not isinstance(value, dict) or set(value) != set(schema):
            yield f"{path}: keys {sorted(value) if isinstance(value, dict) else value!r}"
            return
        for key, inner in schema.items():
            yield from mismatches(inner, value[key], f"{path}.{key}")
    elif isinstance(schema, list):
        if not isinstance(value, list):
            yield f"{path}: {value!r}"
            return
        for i, item in enumerate(value):
            yield from mismatches(schema[0], item, f"{path}[{i}]")
    elif not isinstance(value, schema) or (isinstance(value, bool) and schema in (int, SIZE)):
        yield f"{path}: {value!r}"


def check_schema(document):
    assert list(mismatches(DOCUMENT, document)) == []
    if document["totals"]["memory"] is not None:
        assert list(mismatches(MEMORY, document["totals"]["memory"])) == []
    for layer in document["layers"]:
        if layer["window"] is not None:
            assert list(mismatches(WINDOW, layer["window"])) == []


@pytest.mark.parametrize("name", ALL)
def test_the_document_has_the_schema_and_goes_through_json(name):
    document = build(getattr(models, name)())
    assert (document["schema"], document["version"]) == (SCHEMA, VERSION) == ("hornbill.explanation", 1)
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    check_schema(document)


# ---- totals


@pytest.mark.parametrize("name", ALL)
def test_the_totals_are_those_of_the_model(name):
    model = getattr(models, name)()
    totals = build(model)["totals"]
    assert totals["parameters"] == model.count_params()
    assert totals["trainable"] == sum(int(np.prod(w.shape)) for w in model.trainable_weights)
    assert totals["non_trainable"] == sum(int(np.prod(w.shape)) for w in model.non_trainable_weights)
    assert totals["bytes"] == sum(w.nbytes for w in model.get_weights())
    if name in APPLICATIONS:
        assert totals["parameters"] == APPLICATIONS[name]


@pytest.mark.parametrize("name", ALL)
def test_the_rows_that_are_not_shared_add_up_to_the_total(name):
    document = build(getattr(models, name)())
    outer = [
        row for row in document["layers"] if row["depth"] == 0 and row["parameters"]["shared_with"] is None
    ]
    for part, total in (("count", "parameters"), ("trainable", "trainable")):
        assert sum(row["parameters"][part] for row in outer) == document["totals"][total]
    assert sum(row["bytes"] for row in outer) == document["totals"]["bytes"]


def test_the_resnet_and_the_mobilenet_are_those_of_keras():
    """Their counts stand in Keras' documentation: 25.6 million and 4.3 million; exactly, from Keras itself."""
    import keras as real

    for name, make in (("resnet50", real.applications.ResNet50), ("mobilenet", real.applications.MobileNet)):
        with real.device("cpu:0"):
            count = make(weights=None).count_params()
        assert count == APPLICATIONS[name]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_case_is_explained_and_counted(case):
    layer: Layer = case.make(keras)
    tensors = [KerasTensor(a.shape, standardize_dtype(str(a.dtype))) for a in map(np.asarray, case.arrays())]
    layer(*([tensors] if len(tensors) > 1 else tensors), **case.call)
    document = layer.explain(language="en").document
    check_schema(document)
    (row,) = document["layers"]
    assert row["parameters"]["count"] == document["totals"]["parameters"] == layer.count_params()
    assert row["parameters"]["count"] == sum(weight["size"] for weight in row["parameters"]["weights"])
    for weight in row["parameters"]["weights"]:
        assert np.prod(weight["shape"], dtype=int) == weight["size"]
    if row["parameters"]["weights"]:
        assert (
            row["parameters"]["sentence"].endswith(f"= {layer.count_params():,}")
            or "inside" in (row["parameters"]["sentence"])
        )
    for language in ("en", "zh"):
        for level in ("short", "full", "teach"):
            assert layer.name in layer.explain(level=level, language=language, width=80).text


# ---- the window, against what JAX does


@pytest.mark.parametrize(
    ("layer", "shape", "pads"),
    [
        (lambda la: la.Conv2D(4, 3), (8, 9, 2), [[0, 0], [0, 0]]),
        (lambda la: la.Conv2D(4, (3, 2), padding="same"), (8, 9, 2), [[1, 1], [0, 1]]),
        (lambda la: la.Conv2D(4, 3, strides=2, padding="same"), (8, 9, 2), [[0, 1], [1, 1]]),
        (lambda la: la.Conv1D(4, 3, dilation_rate=2, padding="causal"), (9, 2), [[4, 0]]),
        (lambda la: la.MaxPooling2D(2, strides=1, padding="same"), (5, 5, 1), [[0, 1], [0, 1]]),
        (lambda la: la.DepthwiseConv2D(3, padding="same"), (8, 9, 2), [[1, 1], [1, 1]]),
    ],
)
def test_the_windows_padding_is_what_runs(layer, shape, pads):
    layer = layer(keras.layers)
    document = keras.Sequential([keras.Input(shape), layer]).explain(language="en").document
    window = document["layers"][-1]["window"]
    assert window["pads"] == pads
    for before, after, kernel, stride, dilation, (front, behind) in zip(
        window["input_sizes"], window["output_sizes"], window["kernel"], window["strides"], window["dilation"], pads,
        strict=True,
    ):  # fmt: skip
        assert (before + front + behind - dilation * (kernel - 1) - 1) // stride + 1 == after


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(("kernel", "stride"), [(3, 2), (2, 2), (4, 2), (5, 3), (2, 3)])
def test_what_a_transposed_convolution_cuts_is_what_runs(padding, kernel, stride):
    """Ones through a kernel of ones: the full result, cut as the document says, is what the layer gives."""
    layer = keras.layers.Conv1DTranspose(
        1, kernel, strides=stride, padding=padding, kernel_initializer="ones"
    )
    model = keras.Sequential([keras.Input((5, 1)), layer])
    (front, behind) = model.explain(language="en").document["layers"][-1]["window"]["pads"][0]
    full = np.zeros(4 * stride + kernel)
    for i in range(5):
        full[i * stride : i * stride + kernel] += 1
    wanted = np.concatenate([full[front : len(full) - max(behind, 0)], np.zeros(max(-behind, 0))])
    np.testing.assert_allclose(np.asarray(layer(np.ones((1, 5, 1), "float32")))[0, :, 0], wanted)


# ---- links


def test_parents_are_the_rows_that_a_row_takes_from():
    rows = build(models.resnet50())["layers"]
    adds = [row for row in rows if row["class"] == "Add"]
    assert len(adds) == 16
    for row in adds:
        assert [rows[i]["outputs"][0]["shape"] for i in row["parents"]] == [t["shape"] for t in row["inputs"]]
    assert [rows[i]["name"] for i in rows[-1]["parents"]] == ["global_average_pooling2d"]


def test_inner_models_have_their_rows_inside():
    rows = build(models.nested())["layers"]
    by_name = {row["name"]: row for row in rows}
    assert by_name["middle"]["depth"] == 0
    assert rows[by_name["inner"]["parent"]]["name"] == "middle"
    assert rows[by_name["conv2d"]["parent"]]["name"] == "inner"
    assert by_name["conv2d"]["depth"] == 2


def test_a_shared_model_points_to_its_first_row():
    rows = build(models.shared())["layers"]
    encoders = [row for row in rows if row["name"] == "encoder"]
    assert [row["parameters"]["shared_with"] for row in encoders] == [None, encoders[0]["index"]]


# ---- what is easily forgotten


def test_memory_is_told_only_where_sizes_are_known():
    known = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3)])
    unknown = keras.Sequential([keras.Input((None, None, 3)), keras.layers.Conv2D(4, 3)])
    memory = build(known)["totals"]["memory"]
    assert memory["compiled"] is False
    assert memory["optimizer"] == 2 * memory["gradients"]
    known.compile("sgd", "mse")
    assert build(known)["totals"]["memory"]["optimizer"] < memory["optimizer"]
    document = build(unknown)
    assert document["totals"]["memory"] is None
    assert document["layers"][-1]["multiply_adds"] == {"forward": None, "training": None}
    check_schema(document)


def test_inputs_of_channels_first_models_are_named_so():
    model = keras.Sequential(
        [
            keras.Input((3, 8, 8)),
            keras.layers.ReLU(),
            keras.layers.Conv2D(4, 3, data_format="channels_first"),
            keras.layers.Dropout(0.1),
        ]
    )
    document = build(model)
    wanted = ["batch", "channels", "height", "width"]
    assert [row["outputs"][0]["axes"] for row in document["layers"]] == [wanted] * 4
    assert document["model"]["inputs"][0]["axes"] == document["model"]["outputs"][0]["axes"] == wanted
    assert document["layers"][2]["window"]["channels_first"] is True


def test_ops_of_a_graph_are_rows_with_their_code():
    inputs = keras.Input((4,), name="given")
    hidden = keras.layers.Dense(3, name="hidden")(inputs)
    outputs = keras.ops.concatenate([keras.ops.relu(hidden), hidden * 2], axis=-1)
    rows = build(keras.Model(inputs, outputs))["layers"]
    codes = {row["class"]: row["code"] for row in rows}
    assert codes["relu"] == "ops.relu(hidden)"
    assert codes["multiply"] == "ops.multiply(hidden, 2)"
    assert codes["concatenate"].startswith("ops.concatenate([relu")
    assert len(rows[-1]["parents"]) == 2


def test_recurrent_and_attention_layers_are_told_by_their_results():
    model = keras.Sequential(
        [keras.Input((9, 4)), keras.layers.LSTM(5, return_sequences=True), keras.layers.LSTM(6, name="last")]
    )
    text = model.explain("lstm", language="en", width=100).text
    assert "steps: one output for each of the 9 steps" in text
    assert "features: as many numbers as the state of the cell has: 5" in text
    assert "only the output of the last of 9 steps" in model.explain("last", language="en").text
    assert "20 (4 gates x units)" in text


def test_explaining_leaves_no_trace():
    model = keras.Sequential([keras.Input((9, 4)), keras.layers.Bidirectional(keras.layers.LSTM(3))])
    before = keras.layers.LSTM(2).name
    nodes = [len(layer._inbound_nodes) for layer in model.layers]
    for _ in range(2):
        model.explain(level="teach")
    number = int(before.rpartition("_")[2]) if before[-1].isdigit() else 0
    assert keras.layers.LSTM(2).name == f"lstm_{number + 1}"
    assert [len(layer._inbound_nodes) for layer in model.layers] == nodes
