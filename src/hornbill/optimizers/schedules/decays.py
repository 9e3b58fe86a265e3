"""Keras' learning-rate schedules, each a formula of the step number.

All compute in float32 (or wider, if the initial rate is). Not here: changing the rate between epochs, which
is the work of the callbacks `LearningRateScheduler` and `ReduceLROnPlateau`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp

from hornbill.engine.errors import ArgumentError
from hornbill.engine.op import Tensor, convert_to_tensor
from hornbill.engine.settings import floatx
from hornbill.optimizers.schedules.base import LearningRateSchedule

__all__ = [
    "CosineDecay",
    "CosineDecayRestarts",
    "ExponentialDecay",
    "InverseTimeDecay",
    "PiecewiseConstantDecay",
    "PolynomialDecay",
]


def _float(step: Tensor) -> Any:
    return convert_to_tensor(step).astype(floatx())


def _check_positive(owner: str, name: str, value: Any) -> None:
    if value <= 0:
        raise ArgumentError(f"{owner}: `{name}` must be > 0.", got=f"{name}={value!r}.")


class ExponentialDecay(LearningRateSchedule):
    """`initial_learning_rate * decay_rate ** (step / decay_steps)`.

    Args:
        initial_learning_rate: The rate at step 0.
        decay_steps: After so many steps the rate is multiplied by `decay_rate` once.
        decay_rate: The factor.
        staircase: Whether the exponent is rounded down to a whole number.
        name: A name.

    Example:
        >>> float(ExponentialDecay(0.5, decay_steps=10, decay_rate=0.5)(20))
        0.125
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        decay_rate: float,
        staircase: bool = False,
        name: str = "ExponentialDecay",
    ) -> None:
        _check_positive(name, "decay_steps", decay_steps)
        self.initial_learning_rate, self.decay_steps, self.decay_rate = (
            initial_learning_rate,
            decay_steps,
            decay_rate,
        )
        self.staircase, self.name = staircase, name

    def __call__(self, step: Tensor) -> Any:
        """Returns the rate at `step`."""
        rounds = _float(step) / self.decay_steps
        return self.initial_learning_rate * self.decay_rate ** (
            jnp.floor(rounds) if self.staircase else rounds
        )


class InverseTimeDecay(LearningRateSchedule):
    """`initial_learning_rate / (1 + decay_rate * step / decay_steps)`.

    Args:
        initial_learning_rate: The rate at step 0.
        decay_steps: Unit in which steps are counted.
        decay_rate: How fast the rate falls.
        staircase: Whether `step / decay_steps` is rounded down to a whole number.
        name: A name.

    Example:
        >>> float(InverseTimeDecay(0.5, decay_steps=1, decay_rate=0.5)(2))
        0.25
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        decay_rate: float,
        staircase: bool = False,
        name: str = "InverseTimeDecay",
    ) -> None:
        _check_positive(name, "decay_steps", decay_steps)
        self.initial_learning_rate, self.decay_steps, self.decay_rate = (
            initial_learning_rate,
            decay_steps,
            decay_rate,
        )
        self.staircase, self.name = staircase, name

    def __call__(self, step: Tensor) -> Any:
        """Returns the rate at `step`."""
        rounds = _float(step) / self.decay_steps
        return self.initial_learning_rate / (
            1.0 + self.decay_rate * (jnp.floor(rounds) if self.staircase else rounds)
        )


class PiecewiseConstantDecay(LearningRateSchedule):
    """`values[i]`, where i counts the boundaries below the step (`boundaries[0]` itself: `values[0]`).

    Args:
        boundaries: Steps, rising.
        values: Rates, one more than boundaries.
        name: A name.

    Example:
        >>> [float(PiecewiseConstantDecay([10], [1.0, 0.5])(step)) for step in (10, 11)]
        [1.0, 0.5]
    """

    def __init__(
        self, boundaries: Sequence[float], values: Sequence[float], name: str = "PiecewiseConstant"
    ) -> None:
        if len(boundaries) != len(values) - 1:
            raise ArgumentError(
                f"{name}: there must be one value more than boundaries.",
                got=f"{len(boundaries)} boundaries {list(boundaries)}, {len(values)} values {list(values)}.",
                why="n boundaries cut the steps into n + 1 pieces.",
            )
        self.boundaries, self.values, self.name = boundaries, values, name

    def __call__(self, step: Tensor) -> Any:
        """Returns the rate at `step`."""
        if not len(self.boundaries):
            return convert_to_tensor(self.values[0])
        passed = jnp.sum(_float(step) > jnp.asarray(self.boundaries, floatx()))
        return convert_to_tensor(self.values)[passed]


class PolynomialDecay(LearningRateSchedule):
    """`(initial - end) * (1 - step / decay_steps) ** power + end`, and `end` from `decay_steps` on.

    Args:
        initial_learning_rate: The rate at step 0.
        decay_steps: Steps until the end rate.
        end_learning_rate: The last rate.
        power: The power; 1 is a straight line.
        cycle: Whether `decay_steps` is stretched to its next multiple beyond the step instead of ending.
        name: A name.

    Example:
        >>> float(PolynomialDecay(1.0, decay_steps=4, end_learning_rate=0.0)(1))
        0.75
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        end_learning_rate: float = 0.0001,
        power: float = 1.0,
        cycle: bool = False,
        name: str = "PolynomialDecay",
    ) -> None:
        _check_positive(name, "decay_steps", decay_steps)
        self.initial_learning_rate, self.decay_steps = initial_learning_rate, decay_steps
        self.end_learning_rate, self.power, self.cycle, self.name = end_learning_rate, power, cycle, name

    def __call__(self, step: Tensor) -> Any:
        """Returns the rate at `step`."""
        step, whole = _float(step), float(self.decay_steps)
        if self.cycle:
            whole = whole * jnp.where(step == 0, 1.0, jnp.ceil(step / whole))
        else:
            step = jnp.minimum(step, whole)
        span = self.initial_learning_rate - self.end_learning_rate
        return span * (1.0 - step / whole) ** self.power + self.end_learning_rate


class CosineDecay(LearningRateSchedule):
    """Half a cosine from the initial rate to `alpha` times it, after a straight warm-up if one is asked for.

    With `s = min(step, decay_steps)`: `rate * ((1 - alpha) * (1 + cos(pi * s / decay_steps)) / 2 + alpha)`.
    Source: Loshchilov and Hutter, 2016, https://arxiv.org/abs/1608.03983.

    Args:
        initial_learning_rate: The rate at step 0.
        decay_steps: Steps of the decay, the warm-up not counted.
        alpha: Last rate as a share of the first one of the decay.
        name: A name.
        warmup_target: Rate at the end of the warm-up, from which the decay starts; None means no warm-up.
        warmup_steps: Steps of the warm-up.

    Example:
        >>> round(float(CosineDecay(1.0, decay_steps=10)(5)), 6)
        0.5
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        alpha: float = 0.0,
        name: str = "CosineDecay",
        warmup_target: float | None = None,
        warmup_steps: int = 0,
    ) -> None:
        _check_positive(name, "decay_steps", decay_steps)
        self.initial_learning_rate, self.decay_steps, self.alpha = initial_learning_rate, decay_steps, alpha
        self.name, self.warmup_target, self.warmup_steps = name, warmup_target, warmup_steps

    def __call__(self, step: Tensor) -> Any:
        """Returns the rate at `step`."""
        step, start, target = _float(step), self.initial_learning_rate, self.warmup_target
        if target is None:
            return self._decay(step, start)
        decayed = self._decay(step - self.warmup_steps, target)
        if not self.warmup_steps:
            return decayed
        warming = start + (target - start) * step / self.warmup_steps
        return jnp.where(step < self.warmup_steps, warming, decayed)

    def _decay(self, step: Any, start: float) -> Any:
        share = jnp.minimum(step, self.decay_steps) / self.decay_steps
        return start * ((1.0 - self.alpha) * 0.5 * (1.0 + jnp.cos(math.pi * share)) + self.alpha)


class CosineDecayRestarts(LearningRateSchedule):
    """Cosine decay that starts again and again, each round longer and from a lower rate.

    Source: Loshchilov and Hutter, 2016, https://arxiv.org/abs/1608.03983.

    Args:
        initial_learning_rate: The rate at step 0.
        first_decay_steps: Steps of the first round.
        t_mul: Each round is so many times as long as the one before.
        m_mul: Each round starts from so many times the rate of the one before.
        alpha: Last rate of a round as a share of the initial rate.
        name: A name.

    Example:
        >>> [round(float(CosineDecayRestarts(1.0, 10)(step)), 6) for step in (0, 5, 10)]
        [1.0, 0.5, 1.0]
    """

    def __init__(
        self,
        initial_learning_rate: float,
        first_decay_steps: int,
        t_mul: float = 2.0,
        m_mul: float = 1.0,
        alpha: float = 0.0,
        name: str = "SGDRDecay",
    ) -> None:
        _check_positive(name, "first_decay_steps", first_decay_steps)
        self.initial_learning_rate, self.first_decay_steps = initial_learning_rate, first_decay_steps
        self.t_mul, self.m_mul, self.alpha, self.name = t_mul, m_mul, alpha, name

    def __call__(self, step: Tensor) -> Any:
        """Returns the rate at `step`."""
        done = _float(step) / self.first_decay_steps
        if self.t_mul == 1.0:
            rounds = jnp.floor(done)
            share = done - rounds
        else:
            # Lengths form a geometric series: after r rounds (1 - t**r) / (1 - t) first rounds have passed
            t = float(self.t_mul)
            rounds = jnp.floor(jnp.log(1.0 - done * (1.0 - t)) / math.log(t))
            share = (done - (1.0 - t**rounds) / (1.0 - t)) / t**rounds
        height = 0.5 * self.m_mul**rounds * (1.0 + jnp.cos(math.pi * share))
        return self.initial_learning_rate * ((1.0 - self.alpha) * height + self.alpha)
