"""What would differ: against models really built that way; the model stays as it is; mistakes are explained."""

from __future__ import annotations

import json

import jax
import numpy as np
import pytest

import hornbill as keras
from hornbill import layers
from hornbill.engine.naming import reset_names
from hornbill.engine.variable import Structure, hollow_weights
from tests.explain import models
from tests.explain.test_telling_text import check_golden


def totals(model):
    return {
        "parameters": model.count_params(),
        "bytes": sum(w.nbytes for w in model.get_weights()),
    }


def check_against(built, difference, before):
    """Compares a difference with the explanation of a model that was really built so."""
    wanted = built.explain(language="en").document
    for part in ("parameters", "bytes"):
        assert wanted["totals"][part] == totals(built)[part]
    told = {entry["what"]: (entry["before"], entry["after"]) for entry in difference["totals"]}
    for part in ("parameters", "trainable", "bytes"):
        was, is_now = before["totals"][part], wanted["totals"][part]
        assert told.get(part) == (None if was == is_now else (was, is_now))
    outputs = {row["index"]: row["outputs"][0]["shape"] for row in wanted["layers"]}
    for row in difference["layers"]:
        for change in row["changes"]:
            if change["what"] == "outputs":
                assert change["after"][0]["shape"] == outputs[row["index"]]
    changed = {row["index"] for row in difference["layers"]}
    for row, other in zip(before["layers"], wanted["layers"], strict=True):
        if row["index"] not in changed:
            assert row["outputs"] == other["outputs"]
            assert row["parameters"]["count"] == other["parameters"]["count"]


def small(strides=1, filters=8, shape=(28, 28, 1)):
    return keras.Sequential(
        [
            keras.Input(shape),
            layers.Conv2D(filters, 3, name="first"),
            layers.Conv2D(8, 3, strides=strides, padding="same", name="second"),
            layers.Flatten(),
            layers.Dense(10, name="last"),
        ]
    )


@pytest.mark.parametrize(
    ("question", "built"),
    [
        ({"change": {"second": {"strides": 2}}}, {"strides": 2}),
        (
            {"change": {"first": {"filters": 5}, "second": {"strides": (2, 1)}}},
            {"filters": 5, "strides": (2, 1)},
        ),
        ({"input_shape": (40, 20, 3)}, {"shape": (40, 20, 3)}),
        (
            {"input_shape": [32, 32, 1], "change": {"first": {"filters": 4}}},
            {"shape": (32, 32, 1), "filters": 4},
        ),
    ],
)
def test_it_is_what_building_so_gives(question, built):
    model = small()
    difference = model.explain(language="en", **question)
    check_against(small(**built), difference.document, model.explain(language="en").document)
    assert difference.document["schema"] == "hornbill.difference"
    assert json.loads(difference.to_json()) == difference.document


def test_a_graph_with_skips_and_another_input():
    model = models.unet()
    before = model.explain(language="en").document
    difference = model.explain(input_shape=(64, 32, 3), language="en").document
    assert {e["what"] for e in difference["totals"]} >= {
        "parameters",
        "multiply_adds.forward",
        "activation_bytes",
    }
    told = next(e for e in difference["totals"] if e["what"] == "parameters")
    assert (told["before"], told["after"]) == (7_759_521, 7_759_521 + 2 * 9 * 32)
    last = difference["layers"][-1]["changes"]
    assert next(c for c in last if c["what"] == "outputs")["after"][0]["shape"] == [None, 64, 32, 1]
    assert before == model.explain(language="en").document


def test_what_follows_from_an_argument_follows_again():
    """The strides of a pooling are its size, unless they were given."""
    model = keras.Sequential([keras.Input((12, 12, 1)), layers.MaxPooling2D(2, name="pool")])
    changes = model.explain(change={"pool": {"pool_size": 3}}).document["layers"][0]["changes"]
    assert {c["name"]: c["after"] for c in changes if c["what"] == "argument"} == {
        "pool_size": [3, 3],
        "strides": [3, 3],
    }
    assert next(c for c in changes if c["what"] == "outputs")["after"][0]["shape"] == [None, 4, 4, 1]


def test_nested_shared_and_subclassed_models():
    inner = models.nested().explain(change={"conv2d": {"filters": 6}}).document
    assert (
        next(e for e in inner["totals"] if e["what"] == "parameters")["after"]
        == 935 + (36 + 1) * 2 + 8 + 8 * 8 * 2 * 3
    )
    reset_names()
    shared = models.shared().explain(change={"dense_1": {"units": 5}}).document
    assert next(e for e in shared["totals"] if e["what"] == "parameters")["after"] == 99 + 7 + 1
    reset_names()
    model = models.subclassed()
    own = model.explain(
        change={"dense": {"activation": "tanh"}, "dense_2": {"units": 4}}, input_shape=(7,)
    ).document
    assert next(e for e in own["totals"] if e["what"] == "parameters")["after"] == 8 * 8 + 9 * 8 + 9 * 4
    assert model.count_params() == 138


def test_a_layer_by_itself():
    layer = layers.Conv2D(4, 3)
    layer(keras.Input((9, 9, 2)))
    one = layer.explain(change={"strides": 2}).document
    two = layer.explain(change={layer.name: {"strides": 2}}).document
    assert one == two
    assert one["layers"][0]["changes"][0] == {
        "what": "argument",
        "name": "strides",
        "before": [1, 1],
        "after": [2, 2],
    }


def test_nothing_is_built_for_good_nothing_compiled_and_names_go_on():
    model = small()
    weights, variables = [w.copy() for w in model.get_weights()], [id(v) for v in model.variables]
    nodes = [len(layer._inbound_nodes) for layer in model.layers]
    next_name = layers.Dense(2).name
    compiled = []
    jax.monitoring.register_event_duration_secs_listener(lambda event, *_, **__: compiled.append(event))
    try:
        model.explain(input_shape=(33, 33, 1), change={"last": {"units": 1_000_000}})
    finally:
        jax.monitoring.clear_event_listeners()
    assert not [event for event in compiled if "backend_compile" in event]
    assert [id(v) for v in model.variables] == variables
    assert all(np.array_equal(a, b) for a, b in zip(weights, model.get_weights(), strict=True))
    assert [len(layer._inbound_nodes) for layer in model.layers] == nodes
    number = int(next_name.rpartition("_")[2]) if next_name[-1].isdigit() else 0
    assert layers.Dense(2).name == f"dense_{number + 1}"


def test_a_variant_takes_no_memory():
    """10 TB of weights."""
    model = small()
    after = model.explain(change={"last": {"units": 500_000_000}}).document["totals"]
    assert next(e for e in after if e["what"] == "bytes")["after"] > 10**13


def test_hollow_variables_have_shapes_and_nothing_else():
    before = Structure.version
    with hollow_weights():
        layer = layers.Dense(4)
        assert layer(keras.Input((3,))).shape == (None, 4)
    assert Structure.version > before
    assert isinstance(layer.kernel._value, jax.ShapeDtypeStruct)
    assert layer.kernel.shape == (3, 4)
    assert layer.kernel.dtype == "float32"
    layer.kernel.assign(np.ones((3, 4)))
    assert float(layer.kernel.value.sum()) == 12
    assert isinstance(layers.Dense(4)(np.ones((1, 3), "float32")), jax.Array)


# ---- words


@pytest.mark.parametrize(("language", "level"), [("en", "full"), ("zh", "full"), ("en", "short")])
def test_words(language, level):
    text = (
        models.digits()
        .explain(change={"conv2d_1": {"strides": 1}}, language=language, level=level, width=80)
        .text
    )
    check_golden(f"change.{language}.{level}.txt", text)


def test_nothing_would_differ():
    text = small().explain(change={"first": {"filters": 8}}, language="en").text
    assert "Nothing would differ." in text


def test_a_new_pitfall_is_told():
    model = keras.Sequential(
        [keras.Input((28, 28, 1)), layers.MaxPooling2D(2, name="pool"), layers.Flatten()]
    )
    text = model.explain(change={"pool": {"pool_size": 3}}, language="en", width=120).text
    assert "only 27 are read, the rest of 1 is dropped" in text


def test_all_forms():
    explanation = small().explain(change={"second": {"strides": 2}}, language="en")
    assert "strides" in explanation.to_markdown()
    assert "strides" in explanation.to_html()
    assert "strides" in explanation.in_language("zh").text


# ---- mistakes


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ({"change": {"secnd": {"strides": 2}}}, "Did you mean 'second'"),
        ({"change": {"second": {"stride": 2}}}, "Did you mean 'strides'"),
        ({"change": {"second": {"strides": 0}}}, "With second.strides=0, .* does not work"),
        ({"change": {"second": {"padding": "sme"}}}, "padding"),
        ({"change": {"first": {"kernel_size": 40}}}, "only 28"),
        ({"change": {"second": 2}}, "names layers and their arguments"),
        ({"change": [2]}, "names layers and their arguments"),
        ({"input_shape": (2, 2, 1)}, "With input_shape=\\(2, 2, 1\\)"),
        ({"input_shape": (28, 28)}, "channels"),
        ({"input_shape": {"x": (1, 2)}}, "no input named 'x'"),
    ],
)
def test_mistakes_are_explained(question, text):
    model = small()
    before = model.count_params()
    with pytest.raises(ValueError, match=text):
        model.explain(**question)
    assert model.count_params() == before
