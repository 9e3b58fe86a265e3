"""RMSprop: gradients divided by the root of their mean square.

Not here: Adam, which adds a mean of the gradients (`adam.py`).
"""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from hornbill.engine.op import Tensor
from hornbill.optimizers.base import Optimizer

__all__ = ["RMSprop"]


class RMSprop(Optimizer):
    """RMSprop: `v = rho v + (1 - rho) g^2; p -= lr * g / sqrt(v + epsilon)`.

    With `centered`, the square of the mean gradient is taken from v: its variance is left. With `momentum`,
    steps add up: `b = momentum * b + step; p -= b`.
    Source: Hinton, 2012, http://www.cs.toronto.edu/~tijmen/csc321/slides/lecture_slides_lec6.pdf.

    Args:
        learning_rate: The rate: a number, a schedule or a callable without arguments.
        rho: How much of the mean square is kept at each step.
        momentum: Share of the last step that is made again.
        epsilon: Small number that keeps the division finite.
        centered: Whether to divide by the standard deviation instead.
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

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
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
        self.rho, self.momentum, self.epsilon, self.centered = rho, momentum, epsilon, centered
        groups = (
            ("velocity",),
            ("momentum",) if momentum > 0 else (),
            ("average_gradient",) if centered else (),
        )
        self.slots = tuple(group for group in groups if group)

    def update(
        self, p: Tensor, g: Tensor, slots: tuple[Tensor, ...], lr: Any, step: Tensor
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Returns the weight and its slots after one step."""
        v, *rest = slots
        v = self.rho * v + (1 - self.rho) * jnp.square(g)
        new = [v]
        size = v + self.epsilon
        if self.centered:
            mean = self.rho * rest[-1] + (1 - self.rho) * g
            size = v - jnp.square(mean) + self.epsilon
        change = lr * g / jnp.sqrt(size)
        if self.momentum > 0:
            change = self.momentum * rest[0] + change
            new.append(change)
        if self.centered:
            new.append(mean)
        return p - change, tuple(new)
