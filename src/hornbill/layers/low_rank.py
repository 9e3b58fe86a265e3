"""Low-rank adaptation (LoRA): a frozen weight plus the product of two small trainable ones.

`W + alpha / rank * A @ B`, Hu et al., 2021. `LowRank` is the base of the layers that offer it.
"""

from __future__ import annotations

from typing import Any, ClassVar

import jax.numpy as jnp
import numpy as np

from hornbill import initializers, ops
from hornbill.engine.errors import NotBuiltError, StateError
from hornbill.engine.naming import name_scope
from hornbill.engine.variable import Variable
from hornbill.layers.shared import ConfigLayer

__all__ = ["LowRank"]


class LowRank(ConfigLayer):
    """A layer whose main weight can be frozen and adapted by two weights of low rank."""

    lora_weight: ClassVar[str] = "kernel"
    lora_rank: int | None = None
    lora_alpha: float | None = None
    lora_enabled: bool = False

    def _store_lora(self, rank: int | None, alpha: float | None) -> None:
        self.lora_rank = rank
        self.lora_alpha = rank if alpha is None else alpha

    def _add_low_rank(self, a_initializer: Any = "he_uniform", b_initializer: Any = "zeros") -> None:
        """Freezes the main weight and adds the two small ones; used at the end of `build`."""
        main: Variable = getattr(self, self.lora_weight)
        names = main.axes or tuple(f"axis {i}" for i in range(main.ndim))
        self._lora_a = self.add_weight(
            (*main.shape[:-1], self.lora_rank), initializers.get(a_initializer),
            name=f"lora_{self.lora_weight}_a", regularizer=main.regularizer, axes=(*names[:-1], "rank"),
        )  # fmt: skip
        self._lora_b = self.add_weight(
            (self.lora_rank, main.shape[-1]), initializers.get(b_initializer),
            name=f"lora_{self.lora_weight}_b", regularizer=main.regularizer, axes=("rank", names[-1]),
        )  # fmt: skip
        main.trainable = False
        self.lora_enabled = True

    def enable_lora(
        self,
        rank: int,
        a_initializer: Any = "he_uniform",
        b_initializer: Any = "zeros",
        lora_alpha: float | None = None,
    ) -> None:
        """Freezes the main weight and adds two trainable ones of rank `rank`.

        Args:
            rank: Number of columns of the first and of rows of the second.
            a_initializer: First values of the first.
            b_initializer: First values of the second; zeros leave the layer's output as it was.
            lora_alpha: The product is multiplied by `lora_alpha / rank`; None means `rank`.

        Raises:
            NotBuiltError: If the layer has no weights yet.
            StateError: If it was done before.
        """
        label = f"{type(self).__name__} {self.name!r}"
        if self.lora_enabled:
            raise StateError(f"{label}: enable_lora was called before; it can be done once.")
        if not self.built:
            raise NotBuiltError(
                f"{label} has no weights to adapt yet.", fixes="Call it once on data, or build(shape)."
            )
        self._store_lora(rank, lora_alpha)
        with name_scope(getattr(self, self.lora_weight).path.rpartition("/")[0]):
            self._add_low_rank(a_initializer, b_initializer)

    @property
    def _lora_factor(self) -> float:
        return self.lora_alpha / self.lora_rank  # type: ignore[operator]

    def _adapted(self) -> Any:
        """Returns the main weight with its adaptation."""
        main = getattr(self, self.lora_weight)
        if not self.lora_enabled:
            return main
        return ops.add(main, ops.multiply(ops.matmul(self._lora_a, self._lora_b), self._lora_factor))

    def save_own_variables(self, store: Any) -> None:
        """Stores the weights as a layer without adaptation has them: the main weight is the sum."""
        if not self.lora_enabled:
            super().save_own_variables(store)
            return
        main = getattr(self, self.lora_weight)
        for i, variable in enumerate(self._without_adaptation()):
            store[f"{i}"] = np.asarray(self._adapted() if variable is main else variable.value)

    def load_own_variables(self, store: Any) -> None:
        """Sets the weights; the adaptation starts anew from nothing."""
        if not self.lora_enabled:
            super().load_own_variables(store)
            return
        for i, variable in enumerate(self._without_adaptation()):
            variable.assign(store[f"{i}"])
        self._lora_b.assign(jnp.zeros(self._lora_b.shape, self._lora_b.dtype))

    def _without_adaptation(self) -> list[Variable]:
        return [v for v in self._own_variables if v is not self._lora_a and v is not self._lora_b]
