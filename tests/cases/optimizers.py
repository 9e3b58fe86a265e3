"""Cases of the optimizers and learning-rate schedules. An optimizer's input is the start of what it minimises."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.cases import Case
from tests.cases.calls import call_case

START = (np.array([[1.0, -2.0, 0.5], [3.0, 1.5, -1.0]], "float32"),)
STEPS = (np.array(7, "int32"),)

OPTIMIZERS: list[tuple[str, dict[str, Any]]] = [
    ("SGD", {"momentum": 0.9}),
    ("RMSprop", {}),
    ("Adagrad", {}),
    ("Adadelta", {"learning_rate": 1.0}),
    ("Adam", {}),
    ("Adam", {"clipnorm": 0.5, "use_ema": True}),
    ("AdamW", {}),
    ("Adamax", {}),
    ("Nadam", {}),
    ("Ftrl", {}),
    ("Lamb", {}),
    ("Lion", {}),
    ("Adafactor", {}),
    ("Muon", {}),
    ("ScheduleFreeAdamW", {}),
]
SCHEDULES: list[tuple[str, dict[str, Any]]] = [
    (
        "ExponentialDecay",
        {"initial_learning_rate": 0.1, "decay_steps": 5, "decay_rate": 0.5, "staircase": True},
    ),
    ("InverseTimeDecay", {"initial_learning_rate": 0.1, "decay_steps": 5, "decay_rate": 0.5}),
    ("PolynomialDecay", {"initial_learning_rate": 0.1, "decay_steps": 20, "power": 2.0}),
    ("PiecewiseConstantDecay", {"boundaries": [3, 6], "values": [0.3, 0.2, 0.1]}),
    (
        "CosineDecay",
        {"initial_learning_rate": 0.1, "decay_steps": 20, "warmup_target": 0.2, "warmup_steps": 3},
    ),
    ("CosineDecayRestarts", {"initial_learning_rate": 0.1, "first_decay_steps": 5}),
]


def _optimizer(name: str, arguments: dict[str, Any]) -> Case:
    given = {"learning_rate": 0.01, **arguments}
    label = ",".join(f"{key}={value}" for key, value in arguments.items())
    return Case(
        f"optimizers.{name}",
        lambda keras: getattr(keras.optimizers, name)(**given),
        lambda rng: START,
        given,
        label=label,
    )


def _schedule(name: str, arguments: dict[str, Any]) -> Case:
    return Case(
        f"optimizers.schedules.{name}",
        lambda keras: getattr(keras.optimizers.schedules, name)(**arguments),
        lambda rng: STEPS,
        arguments,
    )


def _scaled(keras: Any) -> Any:
    return keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1), initial_scale=4.0)


CASES = [
    *(_optimizer(*row) for row in OPTIMIZERS),
    *(_schedule(*row) for row in SCHEDULES),
    Case("optimizers.LossScaleOptimizer", _scaled, lambda rng: START),
    call_case("optimizers.get", ("adam",)),
]
