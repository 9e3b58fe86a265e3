"""Learning-rate schedules against real Keras, over many steps."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from hornbill.engine.errors import ArgumentError, FileError
from hornbill.optimizers import schedules

CASES = [
    ("ExponentialDecay", (0.1, 7, 0.5), {}),
    ("ExponentialDecay", (0.1, 7, 0.5), {"staircase": True}),
    ("InverseTimeDecay", (0.1, 7, 0.5), {}),
    ("InverseTimeDecay", (0.1, 7, 0.5), {"staircase": True}),
    ("PiecewiseConstantDecay", ([3, 20, 21.5], [0.1, 0.05, 0.2, 0.01]), {}),
    ("PiecewiseConstantDecay", ([3], [1, 2]), {}),
    ("PolynomialDecay", (0.1, 30), {}),
    ("PolynomialDecay", (0.1, 30), {"power": 2.0, "end_learning_rate": 0.01}),
    ("PolynomialDecay", (0.1, 30), {"power": 0.5, "cycle": True}),
    ("CosineDecay", (0.1, 30), {}),
    ("CosineDecay", (0.1, 30), {"alpha": 0.1, "name": "mine"}),
    ("CosineDecay", (0.0, 30), {"warmup_target": 0.2, "warmup_steps": 10, "alpha": 0.05}),
    ("CosineDecay", (0.1, 30), {"warmup_target": 0.2}),
    ("CosineDecay", (0.1, 30), {"warmup_steps": 10}),
    ("CosineDecayRestarts", (0.1, 6), {}),
    ("CosineDecayRestarts", (0.1, 6), {"t_mul": 1.0, "m_mul": 0.7}),
    ("CosineDecayRestarts", (0.1, 6), {"t_mul": 1.5, "m_mul": 0.9, "alpha": 0.1}),
]
STEPS = [0, 1, 2, 3, 4, 9, 13, 21, 22, 25, 29, 30, 31, 40, 59, 61, 75, 200]


@pytest.mark.parametrize("case", CASES, ids=lambda case: "-".join([case[0], *case[2]]))
def test_rates_and_configuration_like_keras(case):
    name, arguments, named = case
    theirs = getattr(keras.optimizers.schedules, name)(*arguments, **named)
    ours = getattr(schedules, name)(*arguments, **named)
    np.testing.assert_allclose(
        [float(ours(step)) for step in STEPS], [float(theirs(step)) for step in STEPS], rtol=1e-5, atol=1e-7
    )
    assert ours(np.int32(3)).dtype == theirs(np.int32(3)).dtype
    assert list(ours.get_config().items()) == list(theirs.get_config().items())
    assert schedules.serialize(ours) == keras.optimizers.schedules.serialize(theirs)
    assert schedules.deserialize(schedules.serialize(ours)).get_config() == ours.get_config()


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda: schedules.PolynomialDecay(0.1, 0), "decay_steps"),
        (lambda: schedules.CosineDecay(0.1, -1), "decay_steps"),
        (lambda: schedules.CosineDecayRestarts(0.1, 0), "first_decay_steps"),
        (lambda: schedules.ExponentialDecay(0.1, 0, 0.5), "decay_steps"),
        (lambda: schedules.InverseTimeDecay(0.1, 0, 0.5), "decay_steps"),
        (lambda: schedules.PiecewiseConstantDecay([1, 2], [1, 2]), "2 boundaries"),
    ],
)
def test_bad_arguments_are_refused(make, word):
    with pytest.raises(ArgumentError, match=word):
        make()


def test_own_schedule():
    with pytest.raises(NotImplementedError, match="must override __call__"):
        schedules.LearningRateSchedule()(1)
    with pytest.raises(FileError, match="CosineDecai"):
        schedules.deserialize({"class_name": "CosineDecai", "config": {}})
