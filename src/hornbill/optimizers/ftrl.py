"""FTRL: follow the regularised leader, for sparse linear models.

Not here: weight decay in general; `weight_decay` is an argument of every optimizer.
"""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from hornbill.engine.errors import ArgumentError
from hornbill.engine.op import Tensor
from hornbill.engine.variable import Variable
from hornbill.initializers import Constant
from hornbill.optimizers.base import Optimizer

__all__ = ["Ftrl"]


class Ftrl(Optimizer):
    """FTRL: weights are computed anew at each step from sums over all gradients, with L1 and L2 penalties.

    With `n' = n + g^2`, `s = (n'^-k - n^-k) / lr` for k = `learning_rate_power`, and `q = n'^-k / lr + 2 (l2
    + beta / (2 lr))`: `z += g - s p; p = (clip(z, -l1, l1) - z) / q`.
    Source: McMahan et al., 2013, https://research.google.com/pubs/archive/41159.pdf.

    Args:
        learning_rate: The rate: a number, a schedule or a callable without arguments.
        learning_rate_power: How the rate falls with n; 0 means a fixed rate.
        initial_accumulator_value: First value of n.
        l1_regularization_strength: L1 penalty.
        l2_regularization_strength: L2 penalty.
        l2_shrinkage_regularization_strength: L2 penalty that acts through the gradient.
        beta: The paper's beta.
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

    slots = ("accumulator", "linear")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        learning_rate_power: float = -0.5,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        l2_shrinkage_regularization_strength: float = 0.0,
        beta: float = 0.0,
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
        for word, value in (
            ("initial_accumulator_value", initial_accumulator_value),
            ("l1_regularization_strength", l1_regularization_strength),
            ("l2_regularization_strength", l2_regularization_strength),
            ("l2_shrinkage_regularization_strength", l2_shrinkage_regularization_strength),
        ):
            if value < 0:
                raise ArgumentError(f"Ftrl: `{word}` needs to be positive or zero.", got=f"{word}={value!r}.")
        if learning_rate_power > 0:
            raise ArgumentError(
                "Ftrl: `learning_rate_power` needs to be negative or zero.",
                got=f"learning_rate_power={learning_rate_power!r}.",
            )
        self.learning_rate_power, self.initial_accumulator_value = (
            learning_rate_power,
            initial_accumulator_value,
        )
        self.l1_regularization_strength = l1_regularization_strength
        self.l2_regularization_strength = l2_regularization_strength
        self.l2_shrinkage_regularization_strength = l2_shrinkage_regularization_strength
        self.beta = beta

    def make_slot(self, variable: Variable, name: str) -> Variable:
        """Creates n with its first value, z with zeros."""
        first = Constant(self.initial_accumulator_value) if name == "accumulator" else "zeros"
        return self.add_variable_from_reference(variable, name=name, initializer=first)

    def update(
        self, p: Tensor, g: Tensor, slots: tuple[Tensor, ...], lr: Any, step: Tensor
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Returns the weight, n and z after one step."""
        n, z = slots
        power, l1 = -self.learning_rate_power, self.l1_regularization_strength
        l2 = self.l2_regularization_strength + self.beta / (2 * lr)
        shrunk = g + 2 * self.l2_shrinkage_regularization_strength * p
        total = n + jnp.square(g)
        z = z + shrunk - (total**power - n**power) / lr * p
        q = total**power / lr + 2 * l2
        return (jnp.clip(z, -l1, l1) - z) / q, (total, z)
