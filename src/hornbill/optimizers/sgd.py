"""Gradient descent, with momentum in two kinds.

Not here: adaptive rates per weight (`adam.py`, `rmsprop.py`, ...).
"""

from __future__ import annotations

from typing import Any

from hornbill.engine.errors import ArgumentError
from hornbill.engine.op import Tensor
from hornbill.optimizers.base import Optimizer

__all__ = ["SGD"]


class SGD(Optimizer):
    """Gradient descent: `p - lr * g`, or with momentum `v = momentum * v - lr * g; p + v`.

    With `nesterov` the step is `p + momentum * v - lr * g` with the new v.

    Example:
        >>> from hornbill.engine.variable import Variable
        >>> weight = Variable([1.0, 2.0], name="w")
        >>> SGD(0.5).apply([[1.0, -1.0]], [weight])
        >>> weight.numpy().tolist()
        [0.5, 2.5]

    Args:
        learning_rate: The rate: a number, a schedule or a callable without arguments.
        momentum: Share of the last step that is made again, in [0, 1].
        nesterov: Whether to look ahead along the momentum.
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
        learning_rate: Any = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
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
        if not isinstance(momentum, (int, float)) or not 0 <= momentum <= 1:
            raise ArgumentError(
                "SGD: `momentum` must be a float between [0, 1].", got=f"momentum={momentum!r}."
            )
        self.momentum, self.nesterov = momentum, nesterov
        self.slots = ("momentum",) if momentum else ()

    @property
    def momentums(self) -> list[Any]:
        """The velocity of each weight; empty without momentum."""
        return self.__dict__.get("_momentums", [])

    def update(
        self, p: Tensor, g: Tensor, slots: tuple[Tensor, ...], lr: Any, step: Tensor
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Returns the weight and its velocity after one step."""
        if not slots:
            return p - lr * g, ()
        velocity = self.momentum * slots[0] - lr * g
        return p + (self.momentum * velocity - lr * g if self.nesterov else velocity), (velocity,)
