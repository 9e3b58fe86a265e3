"""Progbar: what it writes on a terminal and elsewhere, and that it does not read values it does not show."""

from __future__ import annotations

import io
import re
import sys
import types

import pytest

from hornbill.engine import settings
from hornbill.utils import Progbar, progbar


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self):
        return True


def plain(text):
    return re.sub(r"\x1b\[[0-9;]*[mK]", "", text)


@pytest.fixture
def terminal(monkeypatch):
    stream = Terminal()
    # not sys.stdout itself, which pytest replaces between set-up and call
    monkeypatch.setattr(progbar, "sys", types.SimpleNamespace(stdout=stream, modules={}))
    return stream


def run(bar, count, **values):
    for step in range(1, count + 1):
        bar.update(step, [(name, value(step)) for name, value in values.items()])


def test_bar_on_a_terminal(terminal):
    bar = Progbar(25)
    run(bar, 25, accuracy=lambda step: 0.9, loss=lambda step: 1.0 / step)
    lines = plain(terminal.getvalue()).split("\r")
    assert lines[0] == ""
    assert len(lines) == 3  # the first step and the last: the others came too soon
    assert re.fullmatch(r" 1/25 ━{20} 0s \d+[mu]s/step - accuracy: 0.9000 - loss: 1.0000", lines[1])
    assert re.fullmatch(r"25/25 ━{20} 0s \d+[mu]s/step - accuracy: 0.9000 - loss: 0.1526\n", lines[2])


def test_never_wider_than_the_window(terminal, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    run(Progbar(3), 3, a_metric_with_a_long_name=lambda step: 1.0, loss=lambda step: 1.0)
    assert all(len(line.rstrip("\n")) < 40 for line in plain(terminal.getvalue()).split("\r"))


def test_stateful_and_averaged(terminal):
    run(Progbar(3, stateful_metrics=["a"]), 3, a=float, b=float)
    assert "a: 3.0000 - b: 2.0000" in terminal.getvalue()
    run(Progbar(3, stateless_metrics=["b"]), 3, a=float, b=float)
    assert terminal.getvalue().count("a: 3.0000 - b: 2.0000") == 2
    with pytest.raises(ValueError):
        Progbar(3, stateful_metrics=["a"], stateless_metrics=["b"])
    with pytest.raises(ValueError):
        Progbar(3, verbose=3)


def test_one_line_elsewhere(capsys):
    run(Progbar(5), 5, loss=float)
    assert re.fullmatch(r"5/5 ━{20} 0s \d+[mu]s/step - loss: 3.0000\n", capsys.readouterr().out)
    run(Progbar(5, verbose=2), 5, loss=lambda step: 1e-5)
    assert re.fullmatch(r"5/5 - 0s - \d+[mu]s/step - loss: 1.0000e-05\n", capsys.readouterr().out)
    run(Progbar(5, verbose=0), 5, loss=float)
    assert capsys.readouterr().out == ""


def test_unknown_target_and_add(terminal):
    bar = Progbar(None, unit_name="sample")
    bar.add(10, [("loss", 1.0)])
    bar.update(30, [("loss", 4.0)], finalize=True)
    assert "     30/Unknown 0s" in plain(terminal.getvalue())
    assert "/sample - loss: 3.0000" in terminal.getvalue()


def test_values_are_read_only_when_drawn(terminal):
    class Value:
        reads = 0

        def __array__(self, dtype=None, copy=None):
            Value.reads += 1
            import numpy as np

            return np.array(1.0)

    run(Progbar(1000, stateful_metrics=["loss"], interval=1000), 1000, loss=lambda step: Value())
    assert Value.reads == 2


def test_logging_instead(capsys, caplog, monkeypatch):
    monkeypatch.setitem(settings._settings, "interactive_logging", False)
    with caplog.at_level("INFO", logger="hornbill"):
        run(Progbar(2), 2, loss=float)
    assert capsys.readouterr().out == ""
    assert "2/2" in caplog.text


def test_poor_encoding(monkeypatch):
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii", write_through=True)
    monkeypatch.setattr(sys, "stdout", stream)
    run(Progbar(2), 2, loss=float)
    assert b"2/2 ====================" in stream.buffer.getvalue()
