"""Adafactor: Adam's second moment in rows and columns instead of whole arrays.

Not here: low-rank updates of weights (`hornbill.transforms`).
"""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

from hornbill.engine.op import Tensor
from hornbill.engine.variable import Variable
from hornbill.optimizers.base import Optimizer

__all__ = ["Adafactor"]


class Adafactor(Optimizer):
    """Adafactor: of arrays with two or more axes only the means of g^2 over each of the last two are kept.

    With `k = 1 - t^beta_2_decay` and `s = g^2 + epsilon_1`: `r = k r + (1 - k) mean(s, -1)`, `c` likewise
    over axis -2, `v = (r / mean(r)) c`; smaller arrays keep `v = k v + (1 - k) s`. Then `u = g / sqrt(v)` is
    clipped to a root mean square of `clip_threshold`, and `p -= max(epsilon_2, rms(p)) * rate * u`, where the
    rate is `min(lr, 1 / sqrt(t))` with `relative_step`.
    Source: Shazeer and Stern, 2018, https://arxiv.org/abs/1804.04235.

    Args:
        learning_rate: The rate: a number, a schedule or a callable without arguments.
        beta_2_decay: Power of t in the decay of the means.
        epsilon_1: Small number added to g^2.
        epsilon_2: Least size of a weight array for its rate.
        clip_threshold: Largest root mean square of u.
        relative_step: Whether a fixed rate falls with the steps.
        weight_decay: Share of each weight, times the rate, that is taken away at each step.
        clipnorm: Largest norm of the gradient of each weight.
        clipvalue: Largest absolute value in a gradient.
        global_clipnorm: Largest norm of all gradients together.
        use_ema: Whether to keep a moving average of the weights.
        ema_momentum: Momentum of that average.
        ema_overwrite_frequency: Steps after which the weights are replaced by it; None means at the end of
            training.
        loss_scale_factor: Factor of the loss, taken out of the gradients again.
        gradient_accumulation_steps: Gradients averaged for one step.
        name: A name; automatic if None.
        **kwargs: Old spellings: `lr`, `decay`.
    """

    slots = ("r", "c", "velocity")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_2_decay: float = -0.8,
        epsilon_1: float = 1e-30,
        epsilon_2: float = 1e-3,
        clip_threshold: float = 1.0,
        relative_step: bool = True,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            learning_rate=learning_rate,
            weight_decay=weight_decay,
            clipnorm=clipnorm,
            clipvalue=clipvalue,
            global_clipnorm=global_clipnorm,
            use_ema=use_ema,
            ema_momentum=ema_momentum,
            ema_overwrite_frequency=ema_overwrite_frequency,
            loss_scale_factor=loss_scale_factor,
            gradient_accumulation_steps=gradient_accumulation_steps,
            name=name,
            **kwargs,
        )
        self.beta_2_decay, self.epsilon_1, self.epsilon_2 = beta_2_decay, epsilon_1, epsilon_2
        self.clip_threshold, self.relative_step = clip_threshold, relative_step

    def make_slot(self, variable: Variable, name: str) -> Variable:
        """Creates rows and columns (or placeholders), and the whole array that Keras keeps too."""
        if name == "velocity":
            return self.add_variable_from_reference(variable, name=name)
        shape = variable.shape
        if len(shape) < 2:
            return Variable(np.zeros((), "int32"), trainable=False, name=variable.name)
        shape = shape[:-1] if name == "r" else (*shape[:-2], shape[-1])
        return self.add_variable(shape, name=variable.name)

    def prepare(self, lr: Tensor, step: Tensor, shared: tuple[Tensor, ...]) -> tuple[Any, tuple[Tensor, ...]]:
        """Returns the rate of this step and `1 - t^beta_2_decay`."""
        if self.relative_step and not callable(self._learning_rate):
            lr = jnp.minimum(lr, 1 / jnp.sqrt(step))
        return (lr, 1 - step**self.beta_2_decay), shared

    def update(
        self, p: Tensor, g: Tensor, slots: tuple[Tensor, ...], lr: Any, step: Tensor
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Returns the weight and its means after one step."""
        (r, c, v), (rate, keep) = slots, lr
        s = jnp.square(g) + self.epsilon_1
        if p.ndim < 2:
            v = keep * v + (1 - keep) * s
        else:
            r = keep * r + (1 - keep) * jnp.mean(s, axis=-1)  # (..., rows)
            c = keep * c + (1 - keep) * jnp.mean(s, axis=-2)  # (..., columns)
            share = r / jnp.mean(r, axis=-1, keepdims=True)
            v = share[..., None] * c[..., None, :]  # (..., rows, columns)
        u = g / jnp.sqrt(v)
        u = u / jnp.maximum(1.0, _root_mean_square(u) / self.clip_threshold)
        return p - jnp.maximum(self.epsilon_2, _root_mean_square(p)) * rate * u, (r, c, v)


def _root_mean_square(x: Any) -> Any:
    return jnp.sqrt(jnp.mean(jnp.square(x)))
