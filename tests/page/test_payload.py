"""What the page is given: arrays that come back, pieces that add up, budgets, escapes, refusals."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from typing import Any

import numpy as np
import pytest

import hornbill as keras
from hornbill import layers
from hornbill.engine.errors import ArgumentError, NotBuiltError
from hornbill.explain.page import write_page
from hornbill.explain.page.packing import Packer, json_text
from hornbill.explain.page.write import page_text
from tests.page import zoo


def payload(text: str) -> dict[str, Any]:
    return json.loads(re.search(r'id="hornbill-data">(.*?)</script>', text, re.DOTALL)[1])


def array(text: str, data: dict[str, Any], number: int) -> np.ndarray:
    """Unpacks an array as the page does, written anew."""
    entry = data["arrays"][number]
    packed = re.search(rf'id="{entry["blob"]}">(.*?)</script>', text, re.DOTALL)[1]
    raw = gzip.decompress(base64.b64decode(packed))
    if entry["kind"] == "f32":
        planes = np.frombuffer(raw, np.uint8).reshape(4, -1)
        return np.ascontiguousarray(planes.T).view("<f4").reshape(entry["shape"])
    return np.frombuffer(raw, np.uint8).reshape(entry["shape"]) * entry["scale"] + entry["zero"]


@pytest.fixture(scope="module")
def small() -> tuple[Any, np.ndarray, str]:
    model = zoo.shaken(
        keras.Sequential(
            [
                keras.Input((6, 5, 1)),
                layers.Conv2D(3, 3, padding="same", activation="relu", name="look"),
                layers.Dropout(0.5, name="drop"),
                layers.Flatten(name="flat"),
                layers.Dense(4, activation="softmax", name="say"),
            ],
            name="small",
        )
    )
    x = zoo.noise(model, 5)
    return model, x, page_text(model, x)


def test_arrays_come_back(small):
    model, x, text = small
    data = payload(text)
    assert data["examples"] == {"count": 5, "given": 5, "names": [], "inputs": [0]}
    np.testing.assert_array_equal(array(text, data, data["examples"]["inputs"][0]), x)
    look, say = 1, 4
    inner = keras.Model(model.inputs, model.get_layer("look").output)
    np.testing.assert_allclose(
        array(text, data, data["carried"][look]["values"]), inner.predict(x, verbose=0), atol=1e-6
    )
    np.testing.assert_allclose(
        array(text, data, data["carried"][say]["values"]), model.predict(x, verbose=0), atol=1e-6
    )
    kernel, bias = model.get_layer("say").get_weights()
    np.testing.assert_array_equal(array(text, data, data["carried"][say]["weights"]["kernel"]), kernel)
    np.testing.assert_array_equal(array(text, data, data["carried"][say]["weights"]["bias"]), bias)


def test_what_only_passes_on_is_not_carried_twice(small):
    data = payload(small[2])
    assert data["carried"][2]["same"] == 1
    assert data["carried"][2]["values"] is None


def test_statistics_are_those_of_all_examples(small):
    model, x, text = small
    stats = payload(text)["carried"][1]["stats"]
    out = keras.Model(model.inputs, model.get_layer("look").output).predict(x, verbose=0)
    np.testing.assert_allclose(stats["zero"], (out == 0).mean(axis=(0, 1, 2)), atol=1e-4)
    assert stats["dead"] == [int(i) for i in np.flatnonzero((out == 0).all(axis=(0, 1, 2)))]
    assert stats["high"] == pytest.approx(out.max(), rel=1e-6)


def test_both_languages_are_there(small):
    texts = payload(small[2])["texts"]
    assert "3 kernel height x 3 kernel width" in texts["en"]["parameters"][1]
    assert "卷积核" in texts["zh"]["parameters"][1]
    assert texts["zh"]["axes"]["height"] == "高度" or texts["zh"]["axes"]["height"] == "高"
    assert [len(s) for s in texts["zh"]["sentences"]] == [len(s) for s in texts["en"]["sentences"]]


def test_the_policy_names_the_script_and_the_style_by_hash_and_nothing_else(small):
    text = small[2]
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)[1]
    script = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    style = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    assert len(script) == len(style) == 1
    for body, directive in ((script[0], "script-src"), (style[0], "style-src")):
        digest = base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}';" in policy
    assert policy.startswith("default-src 'none';")
    assert "img-src data: blob:;" in policy
    assert "connect-src" not in policy
    assert "unsafe" not in policy
    assert not re.search(r'(src|href)\s*=\s*"?https?:', text)


@pytest.mark.parametrize(
    "name", ["</script><script>stolen=1</script>", "<!--<script>", "a&b", "\u2028\u2029", "'\"", "\ud800"]
)
def test_names_never_leave_their_script_element(name):
    text = json_text({"name": name})
    assert not set(text) & set("<>&\u2028\u2029")
    assert json.loads(text)["name"] == name.encode("utf-8", "replace").decode()


def test_what_json_cannot_say_is_said_as_text():
    assert json.loads(json_text({"a": float("nan"), "b": np.float32(1.5), "c": (np.int64(3), float("inf")), "d": print})) == {
        "a": "nan", "b": 1.5, "c": [3, "inf"], "d": str(print),
    }  # fmt: skip


def test_bytes_keep_zero_exactly_and_err_by_half_a_step():
    packer = Packer()
    values = np.concatenate([[0.0], np.random.default_rng(0).normal(size=500)]).astype("float32")
    packer.bytes(values)
    entry = packer.entries[0]
    raw = np.frombuffer(gzip.decompress(base64.b64decode(packer.blobs[0])), np.uint8)
    back = raw * entry["scale"] + entry["zero"]
    assert back[0] == 0
    assert np.abs(back - values).max() <= entry["scale"] * 0.75


def big() -> Any:
    inputs = keras.Input((40, 36, 6))
    x = layers.Conv2D(64, 3, strides=2, padding="same", activation="relu", name="a")(inputs)
    x = layers.Conv2D(64, 3, padding="valid", dilation_rate=2, name="b")(x)
    x = layers.Conv2DTranspose(48, 3, strides=2, padding="same", name="c")(x)
    x = layers.MaxPooling2D(2, name="d")(x)
    return zoo.shaken(keras.Model(inputs, layers.Conv2D(2, 1, name="e")(x), name="big"))


@pytest.mark.parametrize("budget", [150_000, 600_000, 2_000_000])
def test_the_budget_is_kept_and_what_is_left_out_is_named(budget):
    model = big()
    text = page_text(model, zoo.noise(model, 6), budget=budget)
    data = payload(text)
    assert sum(len(b) for b in re.findall(r'id="hb\d+">(.*?)</script>', text)) <= budget * 1.05
    for layer, carried in zip(data["document"]["layers"], data["carried"], strict=True):
        if carried["values"] is None and carried["same"] is None:
            assert any(item["what"] == "values" and item["bytes"] > 0 for item in carried["left_out"]), layer[
                "name"
            ]
        if layer["parameters"]["weights"] and carried["weights"] is None:
            assert any(item["what"] == "weights" for item in carried["left_out"])


def test_a_piece_of_a_layer_adds_up():
    """Works one cell of each piece out anew, in NumPy, from what the page carries."""
    model = big()
    text = page_text(model, zoo.noise(model, 2), budget=400_000)
    data = payload(text)
    seen = set()
    for layer, carried in zip(data["document"]["layers"], data["carried"], strict=True):
        part, window = carried["part"], layer["window"]
        if part is None or window["kind"] not in ("conv", "transposed"):
            continue
        seen.add(window["kind"])
        output, inputs = array(text, data, part["output"]), array(text, data, part["inputs"][0]["array"])
        kernel = array(text, data, part["weights"]["kernel"]["array"])
        bias = array(text, data, part["weights"]["bias"]["array"])
        for local, place in ((0, part["channels"][0]), (len(part["channels"]) - 1, part["channels"][-1])):
            for row, column in ((0, 0), (output.shape[0] - 1, output.shape[1] - 1)):
                cell = (part["origin"][0] + row, part["origin"][1] + column)
                total = bias[place] + _summed(
                    window,
                    cell,
                    inputs,
                    part["inputs"][0]["origin"],
                    kernel[..., local, :] if window["kind"] == "transposed" else kernel[..., local],
                )
                total = max(total, 0) if layer["config"]["activation"] == "relu" else total
                assert output[row, column, local] == pytest.approx(total, rel=1e-4, abs=1e-5), (
                    layer["name"],
                    cell,
                )
    assert seen == {"conv", "transposed"}


def _summed(window, cell, inputs, origin, kernel) -> float:
    total = 0.0
    sizes = window["input_sizes"]
    for i in range(window["kernel"][0]):
        for j in range(window["kernel"][1]):
            place = []
            for axis, k in enumerate((i, j)):
                offset, stride, before = (
                    k * window["dilation"][axis],
                    window["strides"][axis],
                    window["pads"][axis][0],
                )
                if window["kind"] == "transposed":
                    at = cell[axis] + before - offset
                    place.append(at // stride if at % stride == 0 else -1)
                else:
                    place.append(cell[axis] * stride - before + offset)
            if all(0 <= p < n for p, n in zip(place, sizes, strict=True)):
                total += float(inputs[place[0] - origin[0], place[1] - origin[1]] @ kernel[i, j])
    return total


def test_shared_layers_and_inner_models_are_matched_call_by_call():
    model = zoo.volumes()
    x = zoo.noise(model)
    text = page_text(model, x)
    data = payload(text)
    rows = [layer["name"] for layer in data["document"]["layers"]]
    first, second = (i for i, name in enumerate(rows) if name == "solid")
    inner = model.get_layer("inner")
    once = np.asarray(inner(x))
    np.testing.assert_allclose(array(text, data, data["carried"][first]["values"]), once, atol=1e-5)
    np.testing.assert_allclose(array(text, data, data["carried"][second]["values"]), inner(once), atol=1e-5)


def test_a_model_with_a_call_of_its_own_gets_a_page():
    model = zoo.Own()
    x = np.random.default_rng(0).normal(size=(3, 8, 8, 1)).astype("float32")
    model(x)
    data = payload(text := page_text(model, x))
    look = next(layer for layer in data["document"]["layers"] if layer["name"] == "look")
    np.testing.assert_allclose(
        array(text, data, data["carried"][look["index"]]["values"]), model.look(x), atol=1e-6
    )
    assert "a<b" not in text


def test_running_the_examples_leaves_the_model_as_it_was(small):
    model, x, _ = small
    before = [w.copy() for w in model.get_weights()]
    page_text(model, x)
    assert all("call" not in layer.__dict__ for layer in model.layers)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_what_cannot_be_shown_says_why(tmp_path):
    with pytest.raises(NotBuiltError, match="no shapes that a page could show"):
        write_page(keras.Sequential([layers.Dense(3)]), tmp_path / "page.html")
    with pytest.raises(ArgumentError, match="no page in the language"):
        write_page(big(), tmp_path / "page.html", language="fr")
    with pytest.raises(ArgumentError, match="at least one"):
        write_page(big(), tmp_path / "page.html", examples=np.zeros((0, 40, 36, 6), "float32"))
    with pytest.raises(ArgumentError, match="explains a model"):
        write_page(layers.Dense(3), tmp_path / "page.html")
    assert not (tmp_path / "page.html").exists()


def test_explain_writes_the_page(tmp_path):
    model = big()
    model.explain(to=tmp_path / "page.html", examples=zoo.noise(model, 2))
    assert "hornbill-data" in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_several_inputs_are_told_apart():
    first, second = keras.Input((4,), name="first"), keras.Input((2, 3), name="second")
    joined = layers.Concatenate()([layers.Flatten()(second), first])
    model = keras.Model([first, second], layers.Dense(2)(joined), name="two")
    a, b = np.ones((2, 4), "float32"), np.full((2, 2, 3), 5, "float32")
    data = payload(text := page_text(model, [a, b]))
    for layer, carried in zip(data["document"]["layers"], data["carried"], strict=True):
        if layer["class"] == "InputLayer":
            np.testing.assert_array_equal(
                array(text, data, carried["values"]), a if layer["name"] == "first" else b
            )
