"""Embedding: a table of vectors looked up by whole numbers, also in reverse."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from hornbill import constraints, initializers, ops, regularizers
from hornbill.engine.config import boolean, parameters_of, positive_int
from hornbill.engine.dtype import is_float_dtype, standardize_dtype
from hornbill.engine.errors import ShapeError
from hornbill.engine.registry import register_public
from hornbill.engine.serialization import serialize_keras_object
from hornbill.layers.low_rank import LowRank
from hornbill.layers.shared import BASE_KEYS, refuse_quantization

__all__ = ["Embedding", "ReversibleEmbedding"]


class Embedding(LowRank):
    """Replaces each whole number by the row of a table: `embeddings[inputs]`.

    Numbers from `input_dim` on have no row; they give NaN.

    Args:
        input_dim: Number of rows: the largest number that may come, plus 1.
        output_dim: Size of a row.
        embeddings_initializer: First values of the table.
        embeddings_regularizer: Penalty on the table.
        embeddings_constraint: Applied to the table after each step of training.
        mask_zero: Whether 0 is padding: the output then has a mask that leaves these steps out.
        weights: First values of the table as an array of shape (input_dim, output_dim), or a list with one.
        lora_rank: If given, the table is frozen and adapted by two weights of this rank.
        lora_alpha: The adaptation is multiplied by `lora_alpha / lora_rank`.
        quantization_config: Not supported; only None.
        **kwargs: `name`, `dtype`, `trainable`, `activity_regularizer`; the old `input_length` gives the
            number of steps of the input.

    Shapes:
        inputs: (batch, ...); whole numbers
        outputs: (batch, ..., output_dim)
        Params: input_dim * output_dim

    Example:
        >>> Embedding(1000, 64)(np.zeros((32, 10), "int32")).shape
        (32, 10, 64)
    """

    lora_weight = "embeddings"
    checks: ClassVar[dict[str, Any]] = {
        "input_dim": positive_int,
        "output_dim": positive_int,
        "mask_zero": boolean,
    }
    config_omitted = ("weights", "lora_rank", "lora_alpha")
    config_order = (
        *BASE_KEYS, "input_dim", "output_dim", "embeddings_initializer", "embeddings_regularizer",
        "activity_regularizer", "embeddings_constraint", "mask_zero", "quantization_config",
    )  # fmt: skip

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        weights: Any = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        quantization_config: Any = None,
        **kwargs: Any,
    ) -> None:
        length = kwargs.pop("input_length", None)
        if length is not None and not {"input_shape", "batch_input_shape", "batch_shape"} & kwargs.keys():
            kwargs["input_shape"] = tuple(length) if isinstance(length, (tuple, list)) else (length,)
        super().__init__(**kwargs)
        refuse_quantization(type(self).__name__, quantization_config)
        self.quantization_config = None
        self.input_dim, self.output_dim, self.mask_zero = input_dim, output_dim, mask_zero
        self.embeddings_initializer = initializers.get(embeddings_initializer)
        self.embeddings_regularizer = regularizers.get(embeddings_regularizer)
        self.embeddings_constraint = constraints.get(embeddings_constraint)
        self._store_lora(lora_rank, lora_alpha)
        self.supports_masking = mask_zero
        # Numbers must not be rounded to a 16-bit compute dtype on the way in; the rows are cast in `call`.
        self.autocast = False
        if weights is not None:
            self._set_table(weights)

    def _set_table(self, weights: Any) -> None:
        table = weights[0] if isinstance(weights, (list, tuple)) and len(weights) == 1 else weights
        if np.shape(table) != (self.input_dim, self.output_dim):
            raise ShapeError(
                f"{type(self).__name__}: weights must have the shape (input_dim, output_dim).",
                got=f"shape {np.shape(table)}; input_dim={self.input_dim}, output_dim={self.output_dim}.",
            )
        self.build()
        self.embeddings.assign(table)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments but `weights`, whose values are stored with the model's weights."""
        extra = [
            p.name for p in parameters_of(type(self)) if p.name not in (*self.config_omitted, *BASE_KEYS)
        ]
        adaptation = ("lora_rank", "lora_alpha") if self.lora_rank else ()
        keys = dict.fromkeys((*self.config_order[len(BASE_KEYS) :], *extra, *adaptation))
        config = {"name": self.name, "trainable": self.trainable, "dtype": self.dtype_policy.serialized()}
        return {**config, **{key: serialize_keras_object(getattr(self, key)) for key in keys}}

    def build(self, input_shape: Any = None) -> None:
        """Makes the table."""
        if self.built:
            return
        self.embeddings = self.add_weight(
            (self.input_dim, self.output_dim),
            self.embeddings_initializer,
            regularizer=self.embeddings_regularizer,
            constraint=self.embeddings_constraint,
            name="embeddings",
            axes=("input_dim", "output_dim"),
        )
        if self.lora_rank:
            self._add_low_rank()

    def call(self, inputs: Any) -> Any:
        """Returns the rows."""
        return self._look_up(inputs)

    def _look_up(self, inputs: Any) -> Any:
        if standardize_dtype(inputs.dtype) not in ("int32", "int64", "uint32"):
            inputs = ops.cast(inputs, "int32")
        rows = ops.take(self.embeddings, inputs, axis=0)
        if self.lora_enabled:
            change = ops.matmul(ops.take(self._lora_a, inputs, axis=0), self._lora_b)
            rows = ops.add(rows, ops.multiply(change, self._lora_factor))
        return ops.cast(rows, self.compute_dtype)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """Returns where the inputs are not 0 if `mask_zero`, else None."""
        return ops.not_equal(inputs, 0) if self.mask_zero else None


class ReversibleEmbedding(Embedding):
    """An embedding that also goes back: with `reverse=True`, from vectors to one number per row of the table.

    Args:
        input_dim: Number of rows: the largest number that may come, plus 1.
        output_dim: Size of a row.
        tie_weights: Whether the way back uses the transposed table; if not, it has a table of its own.
        embeddings_initializer: First values of the tables.
        embeddings_regularizer: Penalty on the tables.
        embeddings_constraint: Applied to the tables after each step of training.
        mask_zero: Whether 0 is padding.
        reverse_dtype: Dtype of the sums on the way back; None means the compute dtype.
        logit_soft_cap: If given, the results of the way back are `cap * tanh(result / cap)`.
        **kwargs: As for `Embedding`.

    Shapes:
        inputs: (batch, ...); whole numbers, or vectors (batch, ..., output_dim) with `reverse=True`
        outputs: (*inputs[:-1], input_dim) if reverse else (batch, ..., output_dim)
        Params: input_dim * output_dim * (1 if tie_weights else 2)

    Example:
        >>> ReversibleEmbedding(100, 32)(ops.ones((16, 50, 32)), reverse=True).shape
        (16, 50, 100)
    """

    config_order = (*Embedding.config_order, "tie_weights", "reverse_dtype", "logit_soft_cap")

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        tie_weights: bool = True,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        reverse_dtype: Any = None,
        logit_soft_cap: float | None = None,
        **kwargs: Any,
    ) -> None:
        self.tie_weights, self.reverse_dtype, self.logit_soft_cap = tie_weights, reverse_dtype, logit_soft_cap
        super().__init__(
            input_dim, output_dim, embeddings_initializer, embeddings_regularizer, embeddings_constraint,
            mask_zero, **kwargs,
        )  # fmt: skip

    def build(self, input_shape: Any = None) -> None:
        """Makes the table, and the one for the way back if the weights are not tied."""
        if self.built:
            return
        super().build(input_shape)
        if not self.tie_weights:
            self.reverse_embeddings = self.add_weight(
                (self.output_dim, self.input_dim),
                self.embeddings_initializer,
                regularizer=self.embeddings_regularizer,
                constraint=self.embeddings_constraint,
                name="reverse_embeddings",
                axes=("output_dim", "input_dim"),
            )

    def call(self, inputs: Any, reverse: bool = False) -> Any:
        """Returns the rows, or with `reverse` one number per row for each vector."""
        if not reverse:
            return self._look_up(inputs)
        table = ops.transpose(self._adapted()) if self.tie_weights else self.reverse_embeddings
        dtype = self.reverse_dtype or self.compute_dtype
        logits = ops.matmul(ops.cast(inputs, dtype), ops.cast(table, dtype))
        if self.logit_soft_cap is not None:
            logits = ops.multiply(ops.tanh(ops.divide(logits, self.logit_soft_cap)), self.logit_soft_cap)
        return logits

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """Returns the mask of the way there; vectors on the way back keep the mask they have."""
        return previous_mask if is_float_dtype(inputs.dtype) else super().compute_mask(inputs, previous_mask)


register_public("keras.layers", [Embedding, ReversibleEmbedding])
