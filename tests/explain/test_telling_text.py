"""The renderings: golden texts of the four cases, widths, languages, terminals, forms."""

from __future__ import annotations

import io
import json
import os
import re
import string
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from rich.cells import cell_len

import hornbill as keras
from hornbill import layers
from hornbill.engine.naming import reset_names
from hornbill.explain.languages import chosen_language, languages, words
from hornbill.explain.telling import LEVELS
from hornbill.explain.text import wrap
from tests.explain import models

GOLDEN = Path(__file__).parents[1] / "golden" / "explain"
TEXTS = [
    # model, level, language, width
    ("corner_detector", "teach", "en", 80), ("corner_detector", "teach", "zh", 80), ("corner_detector", "full", "en", 60),
    ("series", "teach", "en", 80), ("series", "teach", "zh", 60), ("series", "short", "en", 80),
    ("unet", "short", "en", 120), ("unet", "short", "zh", 80), ("unet", "full", "en", 120),
    ("planes", "full", "en", 80), ("planes", "full", "zh", 80),
    ("planes_mistaken", "teach", "en", 80), ("planes_mistaken", "teach", "zh", 120), ("planes_mistaken", "full", "zh", 60),
    ("digits", "teach", "en", 120), ("digits", "teach", "zh", 80),
    ("transformer", "full", "en", 80), ("nested", "full", "en", 80), ("shared", "full", "en", 80),
    ("subclassed", "full", "zh", 80),
]  # fmt: skip


def check_golden(name, text):
    """Compares a text with its golden file; OVERWRITE_GOLDEN=1 writes it anew, to be read before it is committed."""
    path = GOLDEN / name
    if os.environ.get("OVERWRITE_GOLDEN"):
        path.write_text(text + "\n", encoding="utf-8")
    assert path.exists(), f"run `OVERWRITE_GOLDEN=1 pytest tests/explain` and read {path.name}"
    assert text + "\n" == path.read_text(encoding="utf-8")


@pytest.mark.parametrize(("model", "level", "language", "width"), TEXTS)
def test_text(model, level, language, width):
    explanation = getattr(models, model)().explain(level=level, language=language, width=width)
    check_golden(f"{model}.{level}.{language}.{width}.txt", explanation.text)


def test_each_golden_file_has_its_test():
    wanted = {f"{m}.{level}.{language}.{w}.txt" for m, level, language, w in TEXTS}
    found = {path.name for path in GOLDEN.iterdir() if path.name.split(".")[1] in LEVELS}
    assert found == wanted


# ---- widths

NUMBER = re.compile(r"\d[\d,]*")


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("model", ["unet", "digits", "transformer", "nested"])
def test_no_line_is_too_wide_and_no_number_is_broken(model, width, language):
    model = getattr(models, model)()
    wide = model.explain(level="teach", language=language, width=100_000).text
    text = model.explain(level="teach", language=language, width=width).text
    for line in text.splitlines():
        assert cell_len(line) <= width or len(line.split()) == 1, line
    assert NUMBER.findall(text) == NUMBER.findall(wide)
    squeeze = lambda s: re.sub(r"\s+", "", s)  # noqa: E731
    assert squeeze(text) == squeeze(wide)


def test_chinese_is_measured_by_its_width_and_keeps_its_punctuation_in_place():
    lines = wrap("卷积核在输入上滑动，步幅为 2。" * 6, 30)
    assert all(cell_len(line) <= 30 for line in lines)
    assert max(cell_len(line) for line in lines) > 26
    assert not any(line[0] in "，。）；：" for line in lines)


def test_a_width_that_makes_no_sense_is_refused():
    with pytest.raises(ValueError, match="width"):
        models.planes().explain(width=10)


# ---- languages


def placeholders(template):
    return sorted({field for _, field, _, _ in string.Formatter().parse(template) if field})


@pytest.mark.parametrize("language", languages())
def test_every_catalogue_has_every_sentence_with_the_same_values(language):
    english, other = words("en").templates, words(language).templates
    assert set(other) == set(english)
    assert {k: placeholders(v) for k, v in other.items()} == {k: placeholders(v) for k, v in english.items()}


def test_chinese_says_the_terms_of_the_field():
    text = "".join(models.digits().explain(level="teach", language="zh").text.split())
    for term in (
        "卷积核",
        "步幅",
        "填充",
        "特征图",
        "通道",
        "池化",
        "全连接层",
        "批量",
        "参数",
        "滤波器",
        "批量归一化",
    ):
        assert term in text


@pytest.mark.parametrize(
    ("variables", "language"),
    [
        ({"LANG": "zh_CN.UTF-8"}, "zh"), ({"LANG": "de_DE.UTF-8"}, "en"), ({"LC_ALL": "zh_TW", "LANG": "en_US"}, "zh"),
        ({"HORNBILL_LANGUAGE": "en", "LANG": "zh_CN"}, "en"), ({"HORNBILL_LANGUAGE": "zh"}, "zh"), ({"LANG": "C"}, "en"),
    ],
)  # fmt: skip
def test_the_language_follows_the_settings(monkeypatch, variables, language):
    for name in ("HORNBILL_LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert chosen_language() == language
    assert models.planes().explain().language == language


def test_a_language_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="en, zh"):
        models.planes().explain(language="xx")


# ---- terminals


class Terminal(io.TextIOWrapper):
    def isatty(self):
        return True


def shown(explanation, encoding="utf-8", kind=io.TextIOWrapper):
    raw = io.BytesIO()
    stream = kind(raw, encoding=encoding)
    explanation.show(stream)
    stream.flush()
    return raw.getvalue().decode(encoding)


def test_colour_is_for_terminals_only(monkeypatch):
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    explanation = models.planes().explain(language="en", width=80)
    assert shown(explanation) == explanation.text + "\n"
    coloured = shown(explanation, kind=Terminal)
    assert "\x1b[" in coloured
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == explanation.text + "\n"
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in shown(explanation, kind=Terminal)


def test_a_terminal_without_chinese_gets_plain_english(monkeypatch):
    explanation = models.planes().explain(language="zh", width=80)
    assert shown(explanation, "ascii") == explanation.in_language("en").text + "\n"
    assert "通道" in shown(explanation, "gbk")
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    assert str(explanation).isascii()
    monkeypatch.setenv("HORNBILL_LANGUAGE", "zh")
    assert models.planes().explain().language == "en"
    assert "通道" in models.planes().explain(language="zh").text


def test_names_that_a_terminal_lacks_are_written_as_codes():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(2, name="密集")])
    text = shown(model.explain(language="en"), "ascii")
    assert "\\u5bc6\\u96c6 (Dense)" in text


def test_the_width_is_that_of_the_terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    assert models.planes().explain().width == 60
    monkeypatch.setenv("COLUMNS", "300")
    assert models.planes().explain().width == 120


# ---- forms


def test_forms_and_paths(tmp_path):
    model = models.planes()
    explanation = model.explain(language="en", width=80)
    assert (
        model.explain(to="text", language="en", width=80)
        == explanation.text
        == str(explanation)
        == repr(explanation)
    )
    assert json.loads(model.explain(to="json", language="en")) == explanation.document
    assert model.explain(to="markdown", language="en") == explanation.to_markdown()
    assert model.explain(to="html", language="en") == explanation.to_html()
    for name, wanted in (
        ("a.txt", explanation.text + "\n"),
        ("a.md", explanation.to_markdown()),
        ("a.json", explanation.to_json() + "\n"),
        ("a.html", explanation.to_html()),
    ):
        given = model.explain(to=tmp_path / name, language="en", width=80)
        assert (tmp_path / name).read_text(encoding="utf-8") == wanted
        assert given.text == explanation.text


@pytest.mark.parametrize("to", ["pdf", "a.pdf", 7, "jsn"])
def test_a_form_that_is_not_there_is_refused(to):
    with pytest.raises(ValueError, match="to") as caught:
        models.planes().explain(to=to)
    assert caught.value.fixes


def test_markdown():
    check_golden("planes.en.md", models.planes().explain(to="markdown", language="en").rstrip("\n"))
    reset_names()
    table = models.planes().explain(to="markdown", level="short", language="zh")
    assert "| 层 | 输入 | 输出 | 参数 |" in table
    assert "| conv2d（Conv2D） | (None, 15, 15, 20) | (None, 15, 15, 12) | 2,172 个参数 |" in table


class Check(HTMLParser):
    """Collects tags and text, and fails on a tag that is closed in the wrong order."""

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.text = [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "hr", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


@pytest.mark.parametrize("level", ["short", "full", "teach"])
def test_html_is_one_file_that_asks_for_nothing(level):
    page = Check()
    page.feed(models.planes().explain(to="html", level=level, language="zh"))
    assert page.open == []
    assert not any(
        {"src", "href"} & attrs.keys() or tag in ("script", "link", "img") for tag, attrs in page.tags
    )
    assert ("html", {"lang": "zh"}) in page.tags
    policy = next(attrs["content"] for tag, attrs in page.tags if attrs.get("http-equiv"))
    assert "default-src 'none'" in policy
    assert "2,172" in "".join(page.text)


def test_names_are_escaped_everywhere():
    evil = "<img src=x onerror=alert(1)>"
    model = keras.Sequential([keras.Input((4,)), layers.Dense(2, name=evil)], name="a|b")
    for level in ("short", "full"):
        explanation = model.explain(level=level)
        assert "<img" not in explanation.to_html()
        assert "&lt;img src=x" in explanation._repr_html_()
        assert "<img" not in re.sub("`[^`]*`", "", explanation.to_markdown()).replace("\\<img", "")


# ---- asking for one layer


def test_one_layer_by_name_or_by_itself():
    model = models.nested()
    by_name = model.explain(layer="conv2d", language="en", width=80)
    assert by_name.text.startswith("    conv2d (Conv2D)") or by_name.text.startswith("conv2d (Conv2D)")
    assert [row["name"] for row in by_name.document["layers"]] == ["conv2d"]
    assert model.explain(model.layers[-1], language="en").text.startswith("dense (Dense)")
    with pytest.raises(ValueError, match="Did you mean 'conv2d'"):
        model.explain("conv2")


def test_a_layer_without_a_model():
    layer = layers.Conv2D(4, 3)
    with pytest.raises(ValueError, match="no shapes to explain"):
        layer.explain()
    text = layer.explain(input_shape=(8, 8, 2), language="en", width=100).text
    assert "(8 - 3) // 1 + 1 = 6" in text
    assert "(3 kernel height x 3 kernel width x 2 input channels) x 4 filters + 4 bias = 76" in text
    assert not layer.built
    layer(keras.Input((9, 9, 2)))
    assert "(9 - 3) // 1 + 1 = 7" in layer.explain(language="en").text
    pooling = layers.MaxPooling2D(2)
    with pytest.raises(ValueError, match="shape of its input"):
        pooling.explain()
    assert "(8 - 2) // 2 + 1 = 4" in pooling.explain(input_shape=(8, 8, 2), language="en").text


def test_what_cannot_be_explained_says_so():
    with pytest.raises(ValueError, match="no shapes to explain"):
        keras.Sequential([layers.Dense(2)]).explain()
    with pytest.raises(ValueError, match="level must be one of"):
        models.planes().explain(level="deep")
    with pytest.raises(ValueError, match="interactive page"):
        models.planes().explain(examples=[1])


class Doubled(keras.layers.Layer):
    """A layer written with plain ops: two windows, a product, and a pooling by hand."""

    def build(self, input_shape):
        self.kernel = self.add_weight(
            (3, 3, input_shape[-1], 8),
            name="kernel",
            axes=("kernel height", "kernel width", "input channels", "filters"),
        )

    def call(self, inputs):
        x = keras.ops.conv(inputs, self.kernel, padding="valid")
        x = keras.ops.max_pool(x, 2)
        return keras.ops.reshape(x, (-1, 13 * 13 * 8))


def test_a_layer_of_plain_ops_is_explained_like_a_built_in_one():
    text = (
        keras.Sequential([keras.Input((28, 28, 1)), Doubled()])
        .explain("doubled", language="en", width=100)
        .text
    )
    assert "height, conv: (28 - 3) // 1 + 1 = 26" in text
    assert "height, max_pool: (26 - 2) // 2 + 1 = 13" in text
    assert "13 * 13 * 8 = 1352" in text
    assert "(3 kernel height x 3 kernel width x 1 input channels) x 8 filters = 72" in text
    assert "code: Doubled()" in text


# ---- what the code says


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda la: la.Conv2D(32, (3, 3), padding="same", activation="relu"),
         "layers.Conv2D(32, 3, padding='same', activation='relu')"),
        (lambda la: la.Conv2D(8, (3, 1), strides=2), "layers.Conv2D(8, (3, 1), strides=2)"),
        (lambda la: la.MaxPooling2D((3, 3)), "layers.MaxPooling2D(pool_size=3)"),
        (lambda la: la.MaxPooling2D(3, strides=2), "layers.MaxPooling2D(pool_size=3, strides=2)"),
        (lambda la: la.Dense(3, kernel_initializer="he_normal", kernel_regularizer=keras.regularizers.L2(0.1)),
         "layers.Dense(3, kernel_initializer='he_normal', kernel_regularizer=regularizers.L2(l2=0.1))"),
        (lambda la: la.Bidirectional(la.LSTM(8)), "layers.Bidirectional(layers.LSTM(8))"),
        (lambda la: la.Reshape((3, -1)), "layers.Reshape((3, -1))"),
        (lambda la: la.BatchNormalization(name="norm"), "layers.BatchNormalization(name='norm')"),
        (lambda la: la.Dense(3, trainable=False), "layers.Dense(3, trainable=False)"),
    ],
)  # fmt: skip
def test_the_code_says_only_what_differs_and_makes_an_equal_layer(make, code):
    from hornbill.explain.spelling import code_of

    layer = make(layers)
    assert code_of(layer) == code
    names = {"layers": layers, "regularizers": keras.regularizers, "initializers": keras.initializers}
    again, config = eval(code, names).get_config(), layer.get_config()
    different = [key for key in config if key != "name" and json.dumps(config[key]) != json.dumps(again[key])]
    assert different in ([], ["layer", "backward_layer"])
