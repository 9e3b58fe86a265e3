"""`explain(axis=...)`: names and indices, forms, languages, mistakes; the steps themselves are tested beside `ancestry`."""

from __future__ import annotations

import json

import pytest

import hornbill as keras
from hornbill import cli, layers
from hornbill.engine.naming import reset_names
from tests.explain import models
from tests.explain.test_telling_text import check_golden


@pytest.mark.parametrize(
    ("name", "layer", "axis", "language"),
    [
        ("digits", "flatten", "features", "en"),
        ("digits", "flatten", "features", "zh"),
        ("planes_mistaken", "dense", "height", "en"),
        ("unet", "concatenate_3", "channels", "en"),
        ("transformer", "multi_head_attention", "steps", "en"),
    ],
)
def test_text(name, layer, axis, language):
    text = getattr(models, name)().explain(layer, axis=axis, language=language, width=80).text
    check_golden(f"axis.{name}.{layer}.{language}.txt", text)


def permuted():
    return keras.Sequential([keras.Input((4, 5, 6)), layers.Permute((3, 1, 2)), layers.Reshape((6, 20))])


def test_names_are_carried_through_permute_and_reshape():
    """The channels of the input are axis 1 behind Permute((3, 1, 2)); height and width are laid out in axis 2."""
    by_row = {}
    model = permuted()
    for axis in (1, 2):
        for step in model.explain("reshape", axis=axis, language="en").document["steps"]:
            if step["key"] == "ancestry.input":
                by_row.setdefault(axis, []).append(step["name"])
    assert by_row == {1: ["channels"], 2: ["height", "width"]}


@pytest.mark.parametrize("axis", ["features", 1, -1])
def test_by_name_and_by_index(axis):
    document = models.digits().explain("flatten", axis=axis, language="en").document
    assert document["axis"] == {"index": 1, "name": "features", "size": 2304}
    assert document["schema"] == "hornbill.axis"


def test_without_a_layer_it_is_the_output():
    assert models.planes().explain(axis="height", language="en").document["layer"] == "dense"


def test_every_step_leads_on_to_the_input():
    for name in ("unet", "digits", "transformer", "nested", "shared"):
        reset_names()
        steps = getattr(models, name)().explain(axis=-1).document["steps"]
        places = {(step["row"], step["axis"]) for step in steps}
        for step in steps:
            assert all((source["row"], source["axis"]) in places for source in step["sources"])
            assert step["sources"] or step["key"] in ("ancestry.input", "ancestry.new")
        assert any(step["key"] == "ancestry.input" for step in steps)


def test_all_forms():
    model = models.digits()
    explanation = model.explain("flatten", axis=1, language="en")
    assert json.loads(model.explain("flatten", axis=1, to="json", language="en")) == explanation.document
    assert "holds all places" in explanation.to_markdown()
    assert "holds all places" in explanation.to_html()


def test_at_the_command_line(tmp_path, capsys):
    path = str(tmp_path / "digits.keras")
    models.digits().save(path)
    assert cli.main(["explain", path, "--layer", "flatten", "--axis", "-1", "--language", "en"]) == 0
    assert capsys.readouterr().out.startswith("features 2304 of flatten, back to the input:")


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ({"layer": "flatten", "axis": "feature"}, "Did you mean 'features'"),
        ({"layer": "flatten", "axis": 2}, "2 axes"),
        ({"layer": "flaten", "axis": 1}, "Did you mean 'flatten'"),
        ({"axis": 1, "input_shape": (32, 32, 1)}, "as it is"),
    ],
)
def test_mistakes(question, text):
    with pytest.raises(ValueError, match=text):
        models.digits().explain(**question)


def test_a_layer_by_itself_has_no_way_back():
    with pytest.raises(ValueError, match="through a model"):
        layers.Dense(2).explain(axis=1, input_shape=(3,))
