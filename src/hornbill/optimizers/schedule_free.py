"""AdamW without a schedule: the weights are an average, so that the rate need not fall.

Not here: schedules (`schedules/`).
"""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from hornbill.engine.errors import ArgumentError
from hornbill.engine.op import Tensor
from hornbill.engine.variable import Variable
from hornbill.optimizers.base import Optimizer

__all__ = ["ScheduleFreeAdamW"]


class ScheduleFreeAdamW(Optimizer):
    """Schedule-free AdamW: gradients move z; the weights are y, between z and the average x of all z.

    With v as in Adam and t the number of the step: `z -= lr * g / (sqrt(v / (1 - beta_2^t)) + epsilon)`,
    `x += (z - x) / t`, `y = beta_1 x + (1 - beta_1) z`. The slot of z is called momentum; x follows from y
    and z.
    Source: Defazio et al., 2024, https://arxiv.org/abs/2405.15682.

    Args:
        learning_rate: The rate: a number, a schedule or a callable without arguments.
        beta_1: Share of the average in the weights, above 0.
        beta_2: How much of the second moment is kept at each step.
        epsilon: Small number that keeps the division finite.
        warmup_steps: Steps over which the rate rises from 0.
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
        learning_rate: Any = 0.0025,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        warmup_steps: int = 0,
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
        if not 0 < beta_1 <= 1:
            raise ArgumentError(
                "ScheduleFreeAdamW: `beta_1` must be above 0 and at most 1.",
                got=f"beta_1={beta_1!r}.",
                why="The average is found from the weights by dividing by beta_1.",
            )
        self.beta_1, self.beta_2, self.epsilon, self.warmup_steps = beta_1, beta_2, epsilon, warmup_steps

    def make_slot(self, variable: Variable, name: str) -> Variable:
        """Creates z as a copy of the weight, v with zeros."""
        slot = self.add_variable_from_reference(variable, name=name)
        if name == "momentum":
            slot.assign(jnp.array(variable.value, copy=True))
        return slot

    def prepare(self, lr: Tensor, step: Tensor, shared: tuple[Tensor, ...]) -> tuple[Any, tuple[Tensor, ...]]:
        """Returns the rate, the correction of v, and the share of z in the average."""
        if self.warmup_steps > 0:
            lr = lr * jnp.minimum(1.0, step / self.warmup_steps)
        return (lr, 1 / (1 - self.beta_2**step), 1 / step), shared

    def update(
        self, p: Tensor, g: Tensor, slots: tuple[Tensor, ...], lr: Any, step: Tensor
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Returns the weight, z and v after one step."""
        (z, v), (rate, of_v, share) = slots, lr
        keep = jnp.asarray(self.beta_2, v.dtype)
        x = (p - (1 - self.beta_1) * z) / self.beta_1
        v = keep * v + (1 - keep) * jnp.square(g)
        z = z - rate * g / (jnp.sqrt(v * of_v) + self.epsilon)
        x = x + share * (z - x)
        return self.beta_1 * x + (1 - self.beta_1) * z, (z, v)
