"""Cases of the layers with steps of their own: recurrence, attention, wrappers, preprocessing."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.cases import Case

STEPS = (2, 5, 4)
MASK = np.array([[1, 1, 1, 0, 0], [0, 1, 0, 1, 0]], bool)


def _case(name: str, *shapes: tuple[int, ...], label: str = "", **arguments: Any) -> Case:
    """Returns the case of a layer made with the given arguments; `_` before a name keeps it for the Case."""
    own = {key[1:]: arguments.pop(key) for key in list(arguments) if key.startswith("_")}
    inputs = own.pop("inputs", shapes)
    label = (
        label
        or ",".join(f"{k}={v}" for k, v in {**arguments, **own.get("call", {})}.items() if k != "mask")[:60]
    )
    make = own.pop("make", None) or (lambda keras: getattr(keras.layers, name)(**arguments))
    return Case(f"layers.{name}", make, inputs, arguments, label=label.replace(" ", ""), **own)


def _recurrent() -> list[Case]:
    cases = []
    masked = {"mask": MASK}
    for name in ("SimpleRNN", "GRU", "LSTM"):
        cases += [
            _case(name, STEPS, units=3, _variable=(0, 1)),
            _case(
                name,
                STEPS,
                units=3,
                return_sequences=True,
                return_state=True,
                go_backwards=True,
                _call=masked,
            ),
            _case(name, STEPS, units=3, return_state=True, zero_output_for_mask=True, _call=masked),
            _case(name, STEPS, units=3, return_sequences=True, unroll=True, use_bias=False, _call=masked),
            _case(name, STEPS, units=3, stateful=True, return_state=True, _variable=()),
            _case(name, STEPS, units=3, dropout=0.5, seed=3, _call={"training": True}),
            _case(name, STEPS, units=3, dropout=0.4, recurrent_dropout=0.3, seed=3, _call={"training": True}),
        ]
    cases += [
        _case("GRU", STEPS, units=3, reset_after=False),
        _case(
            "GRU", STEPS, units=3, reset_after=False, recurrent_dropout=0.4, seed=1, _call={"training": True}
        ),
        _case("LSTM", STEPS, units=3, unit_forget_bias=False, recurrent_activation="hard_sigmoid"),
    ]
    for cell in ("SimpleRNNCell", "GRUCell", "LSTMCell"):
        states = [np.full((2, 3), 0.3, "float32")] * (2 if cell == "LSTMCell" else 1)
        cases.append(_case(cell, (2, 4), units=3, _call={"states": states}, _variable=()))
        cases.append(
            _case("RNN", STEPS, label=cell, _make=lambda keras, cell=cell: keras.layers.RNN(
                getattr(keras.layers, cell)(3), return_state=True, return_sequences=True), _variable=(0, 1))
        )  # fmt: skip

    def stacked(keras: Any) -> Any:
        return keras.layers.RNN([keras.layers.LSTMCell(3), keras.layers.GRUCell(3)], return_state=True)

    cases.append(_case("RNN", STEPS, label="stacked", _make=stacked, _variable=(0, 1)))
    cases.append(
        _case("StackedRNNCells", (2, 4), _make=lambda keras: keras.layers.StackedRNNCells(
            [keras.layers.LSTMCell(3), keras.layers.SimpleRNNCell(2)]), _variable=(),
            _call={"states": [[np.full((2, 3), 0.3, "float32")] * 2, [np.full((2, 2), 0.3, "float32")]]}, label="two")
    )  # fmt: skip
    return cases


def _convolutional() -> list[Case]:
    video = (2, 3, 4, 4, 2)
    return [
        _case("ConvLSTM1D", (2, 3, 4, 2), filters=3, kernel_size=2, _variable=(0, 1)),
        _case("ConvLSTM2D", video, filters=3, kernel_size=2, return_sequences=True, _variable=(0, 1)),
        _case("ConvLSTM2D", video, filters=3, kernel_size=2, padding="same", go_backwards=True, return_state=True),
        _case("ConvLSTM2D", video, filters=3, kernel_size=2, strides=2, use_bias=False, unit_forget_bias=False),
        _case("ConvLSTM2D", video, filters=3, kernel_size=2, dropout=0.4, recurrent_dropout=0.3, seed=1,
              _call={"training": True}),
        _case("ConvLSTM2D", (2, 3, 2, 4, 4), filters=3, kernel_size=2, data_format="channels_first"),
        _case("ConvLSTM3D", (2, 2, 3, 3, 3, 1), filters=2, kernel_size=2),
    ]  # fmt: skip


def _wrapped() -> list[Case]:
    def both(label: str, merge: str | None = "concat", call: Any = None, **arguments: Any) -> Case:
        def make(keras: Any) -> Any:
            return keras.layers.Bidirectional(
                keras.layers.LSTM(3, name="inner", **arguments), merge_mode=merge
            )

        return _case("Bidirectional", STEPS, label=label, _make=make, _variable=(0, 1), _call=call or {})

    cases = [both(str(mode), mode, return_sequences=True) for mode in ("concat", "sum", "mul", "ave", None)]
    cases += [
        both("last"),
        both("masked", call={"mask": MASK}, return_sequences=True, return_state=True),
        _case("TimeDistributed", STEPS, label="dense", _variable=(0, 1),
              _make=lambda keras: keras.layers.TimeDistributed(keras.layers.Dense(3))),
        _case("TimeDistributed", (2, 3, 5, 5, 2), label="conv", _variable=(0, 1),
              _make=lambda keras: keras.layers.TimeDistributed(keras.layers.Conv2D(3, 2))),
    ]  # fmt: skip
    return cases


def _attention() -> list[Case]:
    query, value = (2, 4, 6), (2, 5, 6)
    masks = {"mask": [np.array([[1, 1, 0, 0], [1, 1, 1, 0]], bool), MASK]}
    cases = []
    for name in ("Attention", "AdditiveAttention"):
        cases += [
            _case(name, query, value, _variable=(0, 1)),
            _case(name, query, value, use_scale=True, _call={**masks, "use_causal_mask": True}),
            _case(name, query, value, dropout=0.5, seed=2, _call={"training": True}),
        ]
    cases.append(_case("Attention", query, value, score_mode="concat", use_scale=True))
    return cases


RECURRENT = _recurrent()
CONVOLUTIONAL = _convolutional()
WRAPPED = _wrapped()
ATTENTION = _attention()
CASES = [*RECURRENT, *CONVOLUTIONAL, *WRAPPED, *ATTENTION]
