"""Adam and its nearest kin: AdamW, Adamax, Nadam.

All keep a mean of the gradients and a measure of their size for each weight.
Not here: Lamb, Lion and the schedule-free AdamW, which have files of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from hornbill.engine.errors import ArgumentError
from hornbill.engine.op import Tensor
from hornbill.engine.settings import floatx
from hornbill.engine.variable import Variable
from hornbill.ops import native_adam
from hornbill.optimizers.base import Optimizer

__all__ = ["Adam", "AdamW", "Adamax", "Nadam"]


class Adam(Optimizer):
    """Adam: steps along the mean gradient divided by the root of the mean squared gradient.

    `m += (1 - beta_1) (g - m); v += (1 - beta_2) (g^2 - v)`, and with t the number of the step
    `p -= lr * sqrt(1 - beta_2^t) / (1 - beta_1^t) * m / (sqrt(v) + epsilon)`.
    Source: Kingma and Ba, 2014, https://arxiv.org/abs/1412.6980.

    Example:
        >>> from hornbill.engine.variable import Variable
        >>> weight = Variable([1.0], name="w")
        >>> Adam(0.1).apply([[4.0]], [weight])
        >>> round(float(weight.numpy()[0]), 4)
        0.9

    Args:
        learning_rate: The rate: a number, a schedule or a callable without arguments.
        beta_1: How much of the first moment is kept at each step.
        beta_2: How much of the second moment is kept at each step.
        epsilon: Small number that keeps the division finite.
        amsgrad: Whether to divide by the largest second moment so far.
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
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
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
        self.beta_1, self.beta_2, self.epsilon, self.amsgrad = beta_1, beta_2, epsilon, amsgrad
        self.slots = (("momentum", "velocity"), ("velocity_hat",)) if amsgrad else ("momentum", "velocity")

    def prepare(self, lr: Tensor, step: Tensor, shared: tuple[Tensor, ...]) -> tuple[Any, tuple[Tensor, ...]]:
        """Returns the rate with both bias corrections: `lr * sqrt(1 - beta_2^t) / (1 - beta_1^t)`."""
        return lr * jnp.sqrt(1 - self.beta_2**step) / (1 - self.beta_1**step), shared

    def update(
        self, p: Tensor, g: Tensor, slots: tuple[Tensor, ...], lr: Any, step: Tensor
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Returns the weight and its moments after one step."""
        m, v, *largest = slots
        m = m + (g - m) * (1 - self.beta_1)
        v = v + (jnp.square(g) - v) * (1 - self.beta_2)
        if self.amsgrad:
            largest = [jnp.maximum(largest[0], v)]
        root = jnp.sqrt(largest[0] if self.amsgrad else v)
        return p - m * lr / (root + self.epsilon), (m, v, *largest)

    def update_all(
        self,
        params: list[Tensor],
        grads: list[Tensor],
        slots: list[tuple[Tensor, ...]],
        lr: Any,
        step: Tensor,
    ) -> list[tuple[Tensor, tuple[Tensor, ...]]]:
        """Returns all weights and their moments after one step, in one pass through memory where a kernel serves."""
        if not self.amsgrad and type(self).update is Adam.update:
            firsts, seconds = ([own[i] for own in slots] for i in range(2))
            constants = {"keep_1": 1 - self.beta_1, "keep_2": 1 - self.beta_2, "epsilon": self.epsilon}
            stepped = native_adam.adam(
                lambda p, g, own, lr: self.update(p, g, own, lr, step), (params, grads, firsts, seconds), lr,
                constants,
            )  # fmt: skip
            if stepped is not None:
                return [(p, (m, v)) for p, m, v in zip(*stepped, strict=True)]
        return super().update_all(params, grads, slots, lr, step)


class AdamW(Adam):
    """Adam with weight decay apart from the gradient: `p -= lr * weight_decay * p` before each step of Adam.

    Source: Loshchilov and Hutter, 2017, https://arxiv.org/abs/1711.05101.

    Args:
        learning_rate: The rate: a number, a schedule or a callable without arguments.
        weight_decay: Share of each weight, times the rate, that is taken away at each step.
        beta_1: How much of the first moment is kept at each step.
        beta_2: How much of the second moment is kept at each step.
        epsilon: Small number that keeps the division finite.
        amsgrad: Whether to divide by the largest second moment so far.
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
        weight_decay: float = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
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
        if weight_decay is None:
            raise ArgumentError(
                "AdamW: `weight_decay` must be a float.",
                got="weight_decay=None.",
                fixes="Adam(...) for no decay.",
            )
        super().__init__(
            learning_rate=learning_rate,
            beta_1=beta_1,
            beta_2=beta_2,
            epsilon=epsilon,
            amsgrad=amsgrad,
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


class Adamax(Optimizer):
    """Adam with the largest gradient, faded by `beta_2`, in place of the root of the mean square.

    `u = max(beta_2 * u, |g|); p -= lr / (1 - beta_1^t) * m / (u + epsilon)`.
    Source: Kingma and Ba, 2014, section 7, https://arxiv.org/abs/1412.6980.

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

    slots = ("momentum", "norm")

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
        """Returns the rate with the bias correction: `lr / (1 - beta_1^t)`."""
        return lr / (1 - self.beta_1**step), shared

    def update(
        self, p: Tensor, g: Tensor, slots: tuple[Tensor, ...], lr: Any, step: Tensor
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Returns the weight, its first moment and its norm after one step."""
        m, u = slots
        m = m + (g - m) * (1 - self.beta_1)
        u = jnp.maximum(self.beta_2 * u, jnp.abs(g))
        return p - lr * m / (u + self.epsilon), (m, u)


class Nadam(Optimizer):
    """Adam that looks ahead along the momentum, as Nesterov's method does.

    With `u_t = beta_1 (1 - 0.96^t / 2)` and U_t the product of u up to t:
    `p -= lr * (u_{t+1} m / (1 - U_{t+1}) + (1 - u_t) g / (1 - U_t)) / (sqrt(v / (1 - beta_2^t)) + epsilon)`.
    Source: Dozat, 2015, http://cs229.stanford.edu/proj2015/054_report.pdf.

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

    def _build_slots(self, variables: Sequence[Variable]) -> None:
        super()._build_slots(variables)
        # Keras keeps the product of the momentum schedule as its last variable, under an automatic name
        self._shared_variables = [Variable(np.ones((), jnp.dtype(floatx())))]

    def prepare(self, lr: Tensor, step: Tensor, shared: tuple[Tensor, ...]) -> tuple[Any, tuple[Tensor, ...]]:
        """Returns the factors of m, g and v, and the product of the momentum schedule."""
        now, ahead = (self.beta_1 * (1 - 0.5 * 0.96**t) for t in (step, step + 1))
        product = shared[0].astype(step.dtype) * now
        terms = (
            lr * ahead / (1 - product * ahead),
            lr * (1 - now) / (1 - product),
            1 / (1 - self.beta_2**step),
        )
        return terms, (product,)

    def update(
        self, p: Tensor, g: Tensor, slots: tuple[Tensor, ...], lr: Any, step: Tensor
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Returns the weight and its moments after one step."""
        (m, v), (of_m, of_g, of_v) = slots, lr
        m = m + (g - m) * (1 - self.beta_1)
        v = v + (jnp.square(g) - v) * (1 - self.beta_2)
        return p - (of_m * m + of_g * g) / (jnp.sqrt(v * of_v) + self.epsilon), (m, v)
