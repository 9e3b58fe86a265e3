"""A shape error shows the way to it: the layers before, with their shapes and arithmetic, and the user's own line."""

from __future__ import annotations

import inspect
from pathlib import Path

import jax
import numpy as np
import pytest

import hornbill
from hornbill import layers
from hornbill.engine.errors import HornbillError, ShapeError


def error_of(function) -> HornbillError:
    with pytest.raises(HornbillError) as caught:
        function()
    return caught.value


def line_number(text: str) -> int:
    lines = Path(__file__).read_text(encoding="utf-8").splitlines()
    return next(i for i, line in enumerate(lines, 1) if text in line and "line_number" not in line)


def narrowing():
    return hornbill.Sequential(
        [
            hornbill.Input((7, 7, 1)),
            layers.Conv2D(2, 3, name="first"),
            layers.Conv2D(2, 3, name="second"),
            layers.Conv2D(2, 5, name="third"),
        ]
    )


def test_fields_of_a_graph():
    error = error_of(narrowing)
    assert isinstance(error, ShapeError)
    assert [(step.name, step.class_name, step.shape) for step in error.trail] == [
        ("input_layer", "InputLayer", (None, 7, 7, 1)),
        ("first", "Conv2D", (None, 5, 5, 2)),
        ("second", "Conv2D", (None, 3, 3, 2)),
    ]
    assert error.stopped_at == "third"
    assert error.line is not None
    assert error.line.file == inspect.getsourcefile(narrowing)
    assert error.line.number == line_number('name="third"')
    assert error.line.text == 'layers.Conv2D(2, 5, name="third"),'
    text = str(error)
    assert "(7 - 3) // 1 + 1 = 5" in text
    assert "(5 - 3) // 1 + 1 = 3" in text
    assert text.index("first") < text.index("second") < text.rindex("third")


def test_unknown_sizes_stay_unknown():
    def model():
        x = hornbill.Input((None, None, 3))
        x = layers.MaxPooling2D(name="pool")(layers.Conv2D(4, 3, name="conv")(x))
        return layers.Dense(2, name="dense")(layers.Flatten(name="flat")(x))

    error = error_of(model)
    assert [step.shape for step in error.trail] == [
        (None, None, None, 3), (None, None, None, 4), (None, None, None, 4), (None, None),
    ]  # fmt: skip
    assert not any(probe in str(error) for probe in ("840", "1260", "3360", "6720"))


class Net(hornbill.Model):
    def __init__(self):
        super().__init__()
        self.conv = layers.Conv2D(4, 3, strides=2, name="conv")
        self.flat = layers.Flatten(name="flat")
        self.wrong = layers.Conv1D(3, 3, name="wrong")

    def call(self, x):
        return self.wrong(self.flat(self.conv(x)))


def test_a_subclass_in_fit_before_anything_is_compiled():
    compiled = []
    jax.monitoring.register_event_duration_secs_listener(
        lambda event, *_, **__: compiled.append(event) if event.endswith("backend_compile_duration") else None
    )
    model = Net()
    model.compile("sgd", "mse")
    x, y = np.zeros((8, 9, 9, 1), "float32"), np.zeros((8, 3), "float32")
    before = len(compiled)
    error = error_of(lambda: model.fit(x, y, verbose=0))
    assert len(compiled) == before
    assert [(step.name, step.shape) for step in error.trail] == [("conv", (8, 4, 4, 4)), ("flat", (8, 64))]
    assert error.stopped_at == "wrong"
    assert error.line is not None
    assert error.line.number == line_number('name="wrong"')
    assert "4 * 4 * 4 = 64" in str(error)


def test_models_inside_models_give_one_way():
    inner = hornbill.Sequential([layers.Conv2D(4, 3, name="a"), layers.Conv2D(4, 3, name="b")], name="inner")

    def outer():
        x = layers.MaxPooling2D(name="pool")(hornbill.Input((6, 6, 1)))
        return inner(x)

    error = error_of(outer)
    assert [step.name for step in error.trail if step.name in ("pool", "a")] == ["pool", "a"]
    assert error.stopped_at == "b"


def test_two_branches_are_both_shown():
    x = hornbill.Input((16, 16, 1))
    shrunk = layers.Conv2D(1, 3, name="shrunk")(x)
    error = error_of(lambda: x + shrunk)
    assert [step.name for step in error.trail] == ["input_layer", "shrunk"]
    assert error.stopped_at == "add"


def test_long_ways_are_cut():
    def deep():
        x = hornbill.Input((64, 64, 1))
        for i in range(20):
            x = layers.Conv2D(1, 3, padding="same", name=f"layer_{i}")(x)
        layers.Conv2D(1, 99, name="last")(x)

    error = error_of(deep)
    assert len(error.trail) == 21
    way = str(error).partition("  Way: ")[2].partition("  Fix")[0].splitlines()
    assert len(way) == 9
    assert way[0].startswith("input_layer")
    assert "14 more layers" in way[1]
    assert "layer_19" in way[-2]
    assert way[-1].split() == ["last", "stops", "here"]


def test_the_input_alone_is_no_way():
    error = error_of(lambda: layers.Conv2D(1, 99)(hornbill.Input((8, 8, 1))))
    assert "Way:" not in str(error)


def test_no_line_where_the_program_has_no_text():
    namespace = {"layers": layers, "hornbill": hornbill}
    code = compile("layers.Conv2D(1, 99)(hornbill.Input((8, 8, 1)))", "<typed>", "exec")
    error = error_of(lambda: exec(code, namespace))
    assert error.line is None
    assert "Line:" not in str(error)
