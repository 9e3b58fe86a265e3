"""Attention without projections: Attention (dot product or sums) and AdditiveAttention.

They are called on a list, [query, value] or [query, value, key].
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from hornbill import ops, random
from hornbill.engine.config import between
from hornbill.engine.errors import ArgumentError, one_of
from hornbill.engine.layer import Layer
from hornbill.engine.op import Tensor
from hornbill.engine.random import SeedGenerator
from hornbill.engine.registry import register_public

__all__ = ["AdditiveAttention", "Attention"]


class Attention(Layer):
    """Dot-product attention (Luong et al. 2015) on `[query, value]` or `[query, value, key]`.

    Args:
        use_scale: Whether the scores are multiplied by a trained number.
        score_mode: "dot" for `query . key`, "concat" for a weighted sum of `tanh(query + key)`.
        dropout: Share of the attention scores dropped in training.
        seed: Seed of the dropout.

    Shapes:
        inputs: [(batch, queries, features), (batch, keys, features)]; a key like the value may follow
        outputs: (batch, queries, features)
        Params: use_scale + (score_mode == "concat")

    Example:
        >>> Attention()([np.ones((2, 5, 4), "float32"), np.ones((2, 6, 4), "float32")]).shape
        (2, 5, 4)
    """

    checks: ClassVar[dict[str, Any]] = {"dropout": between(0, 1)}

    def __init__(
        self,
        use_scale: bool = False,
        score_mode: str = "dot",
        dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.use_scale, self.dropout, self.seed = use_scale, dropout, seed
        self.score_mode = one_of(type(self).__name__, "score_mode", score_mode, ("dot", "concat"))
        if dropout > 0:
            self.seed_generator = SeedGenerator(seed=seed)
        self.supports_masking = True
        self.scale: Any = None
        self.concat_score_weight: Any = None

    def build(self, input_shape: Any) -> None:
        """Makes the trained numbers."""
        self._check_inputs(input_shape)
        if self.use_scale:
            self.scale = self.add_weight((), "ones", name="scale", axes=())
        if self.score_mode == "concat":
            self.concat_score_weight = self.add_weight((), "ones", name="concat_score_weight", axes=())

    def _check_inputs(self, inputs: Any, mask: Any = None) -> None:
        owner = f"{type(self).__name__} {self.name!r}"
        wanted = f"{owner} is called on a list: [query, value] or [query, value, key]."
        if not isinstance(inputs, (list, tuple)) or not all(_is_tensor_or_shape(item) for item in inputs):
            raise ArgumentError(
                wanted, got="one tensor.", fixes=f"{type(self).__name__}()([x, x]) for self-attention."
            )
        if len(inputs) not in (2, 3):
            raise ArgumentError(wanted, got=f"a list of {len(inputs)}.")
        if mask is not None and (not isinstance(mask, (list, tuple)) or not 2 <= len(mask) <= len(inputs)):
            got = f"a list of {len(mask)}" if isinstance(mask, (list, tuple)) else type(mask).__name__
            raise ArgumentError(f"{owner}: mask is a list: [query mask, value mask].", got=f"{got}.")

    def _scores(self, query: Tensor, key: Tensor) -> Tensor:
        """Returns how well each query fits each key: (batch, queries, keys)."""
        if self.score_mode == "dot":
            scores = ops.matmul(query, ops.swapaxes(key, -2, -1))
            return scores if self.scale is None else ops.multiply(scores, self.scale)
        sums = ops.add(
            ops.expand_dims(query, -2), ops.expand_dims(key, -3)
        )  # (batch, queries, keys, features)
        sums = sums if self.scale is None else ops.multiply(self.scale, sums)
        return ops.multiply(self.concat_score_weight, ops.sum(ops.tanh(sums), axis=-1))

    def call(
        self,
        inputs: Sequence[Tensor],
        mask: Any = None,
        training: bool | None = False,
        return_attention_scores: bool = False,
        use_causal_mask: bool = False,
    ) -> Any:
        """Attends from the query to the value."""
        self._check_inputs(inputs, mask)
        query, value, key = inputs[0], inputs[1], inputs[-1] if len(inputs) > 2 else inputs[1]
        query_mask, value_mask = (mask[0], mask[1]) if mask is not None else (None, None)
        scores = self._scores(query, key)
        whole = (
            None if value_mask is None else ops.expand_dims(ops.cast(value_mask, "bool"), -2)
        )  # (batch, 1, keys)
        if use_causal_mask:
            rows, columns = (ops.arange(size) for size in scores.shape[-2:])
            causal = ops.greater_equal(ops.expand_dims(rows, 1), columns)  # (queries, keys)
            whole = causal if whole is None else ops.logical_and(whole, causal)
        if whole is not None:
            most = 65504.0 if str(scores.dtype) == "float16" else 1e9
            scores = ops.subtract(scores, ops.multiply(ops.cast(ops.logical_not(whole), scores.dtype), most))
        weights = ops.softmax(scores, axis=-1)
        if training and self.dropout > 0:
            weights = random.dropout(weights, self.dropout, seed=self.seed_generator)
        result = ops.matmul(weights, value)
        if query_mask is not None:
            result = ops.multiply(result, ops.expand_dims(ops.cast(query_mask, result.dtype), -1))
        return (result, weights) if return_attention_scores else result

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """Returns the mask of the query."""
        return previous_mask[0] if isinstance(previous_mask, (list, tuple)) and previous_mask else None


def _is_tensor_or_shape(value: Any) -> bool:
    return hasattr(value, "shape") or isinstance(value, (list, tuple))


class AdditiveAttention(Attention):
    """Additive attention (Bahdanau et al. 2015): scores are `sum(scale * tanh(query + key))`.

    Args:
        use_scale: Whether there is a trained weight for each feature.
        dropout: Share of the attention scores dropped in training.
        **kwargs: `seed` and the arguments of every layer.

    Shapes:
        inputs: [(batch, queries, features), (batch, keys, features)]; a key like the value may follow
        outputs: (batch, queries, features)
        Params: use_scale * features

    Example:
        >>> AdditiveAttention()([np.ones((2, 5, 4), "float32"), np.ones((2, 6, 4), "float32")]).shape
        (2, 5, 4)
    """

    def __init__(self, use_scale: bool = True, dropout: float = 0.0, **kwargs: Any) -> None:
        super().__init__(use_scale=use_scale, dropout=dropout, **kwargs)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments that make an equal layer, as plain data."""
        return {**super().get_config(), "seed": self.seed}

    def build(self, input_shape: Any) -> None:
        """Makes one weight per feature."""
        self._check_inputs(input_shape)
        if self.use_scale:
            self.scale = self.add_weight(
                (input_shape[0][-1],), "glorot_uniform", name="scale", axes=("features",)
            )

    def _scores(self, query: Tensor, key: Tensor) -> Tensor:
        sums = ops.tanh(
            ops.add(ops.expand_dims(query, -2), ops.expand_dims(key, -3))
        )  # (..., keys, features)
        return ops.sum(sums if self.scale is None else ops.multiply(self.scale, sums), axis=-1)


register_public("keras.layers", [Attention, AdditiveAttention])
