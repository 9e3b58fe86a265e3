"""`hornbill explain` and `hornbill summary` at the command line."""

from __future__ import annotations

import json

import pytest

from hornbill import cli
from hornbill.engine.naming import reset_names
from hornbill.explain.summary import summary_text
from tests.explain import models


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    reset_names()
    path = tmp_path_factory.mktemp("models") / "digits.keras"
    models.digits().save(path)
    return str(path)


@pytest.fixture
def run(capsys, file):
    def call(command, *words, code=0):
        assert cli.main([command, file, *words]) == code
        captured = capsys.readouterr()
        return captured.err if code else captured.out

    return call


def test_explain_says_all(run):
    out = run("explain", "--language", "en", "--width", "120")
    assert "(3 kernel height x 3 kernel width x 1 input channels) x 32 filters + 32 bias = 320" in out
    assert "Together: 41,994 parameters, 41,930 trainable, 64 not trainable." in out


def test_explain_one_layer_in_chinese_at_a_level(run):
    out = run("explain", "--layer", "conv2d_1", "--level", "teach", "--language", "zh", "--width", "80")
    assert out.startswith("conv2d_1（Conv2D）")
    assert "步幅" in out
    assert "max_pooling2d（" not in out
    assert len(run("explain", "--level", "short").splitlines()) == 9


def test_explain_in_other_forms(run, tmp_path):
    assert json.loads(run("explain", "--to", "json"))["totals"]["parameters"] == 41_994
    assert run("explain", "--to", "markdown").startswith("## input")
    path = tmp_path / "digits.html"
    assert run("explain", "--to", str(path)).strip() == str(path)
    assert path.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_explain_what_would_differ(run):
    out = run(
        "explain", "--change", "conv2d_1.strides=1", "--change", "conv2d_1.padding=same", "--language", "en"
    )
    assert "strides: 2 -> 1" in out
    assert "padding: 'valid' -> 'same'" in out
    out = run("explain", "--input-shape", "64,64,3", "--language", "en")
    assert out.startswith("With input_shape=(64, 64, 3), digits would differ in this:")


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--layer", "conv"], "Did you mean 'conv2d'?"),
        (["--level", "ful"], "level must be one of"),
        (["--change", "strides=2"], "LAYER.ARGUMENT=VALUE"),
        (["--change", "conv2d.strids=2"], "Did you mean 'strides'?"),
        (["--input-shape", "64x64"], "--input-shape 64,64,3"),
        (["--language", "fr"], "en, zh"),
        (["--to", "x.pdf"], "must be one of"),
    ],
)
def test_mistakes_are_one_message(run, words, text):
    err = run("explain", *words, code=1)
    assert err.startswith("hornbill explain: ")
    assert text in err
    assert "Traceback" not in err


def test_summary(run):
    assert "Total params: 41,994 (164.04 KB)" in run("summary")
    assert "Trainable" in run("summary", "--trainable", "--width", "110")
    assert max(map(len, run("summary", "--width", "70").splitlines())) <= 70


@pytest.mark.parametrize("name", ["digits", "transformer", "unet", "nested"])
@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_table_keeps_its_width_and_takes_its_numbers_from_the_document(name, width):
    model = getattr(models, name)()
    text = summary_text(model, width, expand_nested=True)
    assert max(map(len, text.splitlines())) <= width
    document = model.explain(language="en").document
    assert f"Total params: {document['totals']['parameters']:,} " in text
    assert f"Non-trainable params: {document['totals']['non_trainable']:,} " in text
    for row in document["layers"]:
        assert f"{row['parameters']['count']:,} │" in text
