"""Lion: steps by the sign of a momentum, found by program search.

Not here: the other kin of Adam (`adam.py`).
"""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from hornbill.engine.errors import ArgumentError
from hornbill.engine.op import Tensor
from hornbill.optimizers.base import Optimizer

__all__ = ["Lion"]


class Lion(Optimizer):
    """Lion: `p -= lr * sign(beta_1 m + (1 - beta_1) g); m = beta_2 m + (1 - beta_2) g`.

    It remembers one array for each weight, half of what Adam does, and wants a smaller rate with more weight
    decay.
    Source: Chen et al., 2023, https://arxiv.org/abs/2302.06675.

    Args:
        learning_rate: The rate: a number, a schedule or a callable without arguments.
        beta_1: Share of the momentum in the step, in (0, 1].
        beta_2: How much of the momentum is kept at each step.
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

    slots = ("momentum",)

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.99,
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
        if beta_1 <= 0 or beta_1 > 1:
            raise ArgumentError(
                "Lion: `beta_1` must be above 0 and at most 1.",
                got=f"beta_1={beta_1!r}.",
                why="With 0 there is no momentum in the step; only the sign of the gradient is left.",
            )
        self.beta_1, self.beta_2 = beta_1, beta_2

    def update(
        self, p: Tensor, g: Tensor, slots: tuple[Tensor, ...], lr: Any, step: Tensor
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Returns the weight and its momentum after one step."""
        (m,) = slots
        direction = jnp.sign(m * self.beta_1 + g * (1 - self.beta_1))
        return p - lr * direction, (m * self.beta_2 + g * (1 - self.beta_2),)
