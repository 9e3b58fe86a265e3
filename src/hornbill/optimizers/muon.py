"""Muon: momentum made orthogonal, for matrices; AdamW for everything else.

Not here: AdamW on its own (`adam.py`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp

from hornbill.engine.op import Tensor
from hornbill.engine.variable import Variable
from hornbill.optimizers.base import Optimizer

__all__ = ["Muon"]


_CONFIG_ORDER = (
    "adam_beta_1", "adam_beta_2", "epsilon", "exclude_layers", "muon_a", "muon_b", "muon_c", "adam_lr_ratio",
    "momentum", "ns_steps", "nesterov", "exclude_embeddings", "adam_weight_decay", "rms_rate",
)  # fmt: skip


class Muon(Optimizer):
    """Muon: the momentum of a matrix is replaced by the nearest orthogonal matrix before the step.

    `m = momentum * m + g`; five iterations `X = a X + (b A + c A^2) X` with `A = X X^T` bring all singular
    values of `m / |m|` near 1. Weights that are not matrices, embeddings, and excluded layers use AdamW.
    Source: Jordan, 2024, https://github.com/KellerJordan/Muon; Liu et al., 2025,
        https://arxiv.org/abs/2502.16982.

    Args:
        learning_rate: The rate: a number, a schedule or a callable without arguments.
        adam_beta_1: AdamW: how much of the first moment is kept.
        adam_beta_2: AdamW: how much of the second moment is kept.
        adam_weight_decay: AdamW: weight decay.
        epsilon: AdamW: small number that keeps the division finite.
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
        exclude_layers: Patterns; weights whose path contains one use AdamW.
        exclude_embeddings: Whether embeddings use AdamW.
        muon_a: First coefficient of the iteration.
        muon_b: Second coefficient of the iteration.
        muon_c: Third coefficient of the iteration.
        adam_lr_ratio: Factor of the rate where AdamW is used.
        momentum: Share of the last momentum that is kept.
        ns_steps: Number of iterations.
        nesterov: Whether to look ahead along the momentum.
        rms_rate: The update is scaled by `sqrt(max(rows, columns))` times this; None leaves it out.
        **kwargs: Old spellings: `lr`, `decay`.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        adam_beta_1: float = 0.9,
        adam_beta_2: float = 0.999,
        adam_weight_decay: float | None = 0.004,
        epsilon: float = 1e-7,
        weight_decay: float | None = 0.004,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        exclude_layers: Sequence[str] | None = None,
        exclude_embeddings: bool = True,
        muon_a: float = 3.4445,
        muon_b: float = -4.775,
        muon_c: float = 2.0315,
        adam_lr_ratio: float = 1,
        momentum: float = 0.95,
        ns_steps: int = 5,
        nesterov: bool = True,
        rms_rate: float | None = 0.2,
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
        self.adam_beta_1, self.adam_beta_2, self.epsilon = adam_beta_1, adam_beta_2, epsilon
        self.adam_weight_decay, self.adam_lr_ratio = adam_weight_decay, adam_lr_ratio
        self.exclude_layers = (
            [exclude_layers] if isinstance(exclude_layers, str) else list(exclude_layers or ())
        )
        self.exclude_embeddings = exclude_embeddings
        self.muon_a, self.muon_b, self.muon_c = muon_a, muon_b, muon_c
        self.momentum, self.ns_steps, self.nesterov, self.rms_rate = momentum, ns_steps, nesterov, rms_rate

    def slot_groups(self, variable: Variable) -> Sequence[Sequence[str]]:
        """Returns one slot for a weight that Muon changes, two for one that AdamW does."""
        return (("momentum", "velocity") if self._should_use_adamw(variable) else ("momentum",),)

    def _should_use_adamw(self, variable: Variable) -> bool:
        embedding = self.exclude_embeddings and "embedding" in variable.path.lower()
        excluded = any(re.search(pattern, variable.path) for pattern in self.exclude_layers)
        return len(variable.shape) != 2 or embedding or excluded

    def decay_rate_of(self, variable: Variable) -> float | None:
        """Returns the weight decay of one weight, which differs between Muon and AdamW."""
        decay = super().decay_rate_of(variable)
        if self._should_use_adamw(variable) and not self._excluded(variable):
            return self.adam_weight_decay
        return decay

    def prepare(self, lr: Tensor, step: Tensor, shared: tuple[Tensor, ...]) -> tuple[Any, tuple[Tensor, ...]]:
        """Returns the rate, and the rate of AdamW with its bias corrections."""
        correction = jnp.sqrt(1 - self.adam_beta_2**step) / (1 - self.adam_beta_1**step)
        return (lr, lr * self.adam_lr_ratio * correction), shared

    def update(
        self, p: Tensor, g: Tensor, slots: tuple[Tensor, ...], lr: Any, step: Tensor
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Returns the weight and its slots after one step of Muon (one slot) or AdamW (two)."""
        rate, adam_rate = lr
        if len(slots) == 2:
            m, v = slots
            m = m + (g - m) * (1 - self.adam_beta_1)
            v = v + (jnp.square(g) - v) * (1 - self.adam_beta_2)
            return p - m * adam_rate / (jnp.sqrt(v) + self.epsilon), (m, v)
        m = self.momentum * slots[0] + g
        x = self._orthogonal(g + self.momentum * m if self.nesterov else m)
        if self.rms_rate is not None:
            x = x * (math.sqrt(max(p.shape)) * self.rms_rate)
        return p - rate * x, (m,)

    def _orthogonal(self, x: Any) -> Any:
        tall = x.shape[0] > x.shape[1]
        x = x.T if tall else x
        x = x / (jnp.sqrt(jnp.sum(jnp.square(x))) + 1e-7)
        for _ in range(self.ns_steps):
            square = x @ x.T
            x = self.muon_a * x + (self.muon_b * square + self.muon_c * square @ square) @ x
        return x.T if tall else x

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments that create this optimizer anew, as plain data."""
        config = super().get_config()
        own = [key for key in _CONFIG_ORDER if key in config]
        return {
            **{key: value for key, value in config.items() if key not in own},
            **{key: config[key] for key in own},
        }
