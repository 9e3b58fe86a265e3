"""LAMB: Adam with a step length per layer.

Not here: the other kin of Adam (`adam.py`).
"""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from hornbill.engine.op import Tensor
from hornbill.optimizers.base import Optimizer

__all__ = ["Lamb"]


class Lamb(Optimizer):
    """Adam whose step is as long, for each weight array, as the array times the rate; for large batches.

    With Adam's corrected moments: `r = m / (sqrt(v) + epsilon); p -= lr * |p| / |r| * r`.
    Source: You et al., 2019, https://arxiv.org/abs/1904.00962.

    Args:
        learning_rate: The rate: a number, a schedule or a callable without arguments.
        beta_1: How much of the first moment is kept at each step.
        beta_2: How much of the second moment is kept at each step.
        epsilon: Small number that keeps the division finite.
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

    slots = ("momentum", "velocity")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
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
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon

    def prepare(self, lr: Tensor, step: Tensor, shared: tuple[Tensor, ...]) -> tuple[Any, tuple[Tensor, ...]]:
        """Returns the rate and both bias corrections."""
        return (lr, 1 / (1 - self.beta_1**step), 1 / (1 - self.beta_2**step)), shared

    def update(
        self, p: Tensor, g: Tensor, slots: tuple[Tensor, ...], lr: Any, step: Tensor
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Returns the weight and its moments after one step."""
        (m, v), (rate, of_m, of_v) = slots, lr
        m = m + (g - m) * (1 - self.beta_1)
        v = v + (jnp.square(g) - v) * (1 - self.beta_2)
        r = m * of_m / (jnp.sqrt(v * of_v) + self.epsilon)
        weight_norm, r_norm = jnp.sqrt(jnp.sum(jnp.square(p))), jnp.sqrt(jnp.sum(jnp.square(r)))
        usable = (weight_norm > 0) & (r_norm > 0)
        ratio = jnp.where(usable, weight_norm / jnp.where(usable, r_norm, 1), 1)
        return p - ratio * rate * r, (m, v)
