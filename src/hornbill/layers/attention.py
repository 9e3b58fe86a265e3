"""Attention with several heads: MultiHeadAttention and GroupQueryAttention.

All of them give each query a weighted mean of the values; the weights say how well the query fits each key. The
projections are EinsumDense layers, so that adaptation and quantisation of dense layers work here too.
"""

from __future__ import annotations

import math
import string
from collections.abc import Sequence
from typing import Any, ClassVar

from hornbill import constraints, initializers, ops, regularizers
from hornbill.engine import settings
from hornbill.engine.config import Configurable, between, positive_int
from hornbill.engine.errors import ArgumentError, ShapeError
from hornbill.engine.layer import Layer
from hornbill.engine.op import Tensor
from hornbill.engine.registry import register_public
from hornbill.engine.serialization import add_public_object, serialize_keras_object
from hornbill.layers.activation import Softmax
from hornbill.layers.dropout import Dropout
from hornbill.layers.einsum_dense import EinsumDense
from hornbill.layers.plain_attention import AdditiveAttention, Attention

__all__ = [
    "AdditiveAttention",
    "Attention",
    "GroupQueryAttention",
    "GroupedQueryAttention",
    "MultiHeadAttention",
]

_INITIALIZERS = ("kernel_initializer", "bias_initializer")
_FAMILIES = (
    "kernel_regularizer",
    "bias_regularizer",
    "activity_regularizer",
    "kernel_constraint",
    "bias_constraint",
)


class ProjectedAttention(Layer):
    """What the multi-head layers share: options, projections, masks and the attention itself."""

    _config_order: ClassVar[tuple[str, ...]] = ()
    seed: int | None
    dropout: float
    sliding_window: int | None
    flash_attention: bool | None
    use_gate: bool
    _scale: float
    _attention_rank: int = 1

    def _store_options(self, options: dict[str, Any]) -> None:
        """Stores the arguments that all multi-head layers have."""
        options = {key: value for key, value in options.items() if key not in ("self", "kwargs", "__class__")}
        window = options["sliding_window"]
        if window is not None and (not isinstance(window, int) or window < 1):
            raise ArgumentError(
                f"{type(self).__name__}: sliding_window is None or a whole number of at least 1.",
                got=f"sliding_window={window!r}.",
            )
        if options["flash_attention"] and options["dropout"] > 0:
            raise ArgumentError(
                f"{type(self).__name__}: the fused attention kernel has no dropout.",
                got=f"flash_attention=True, dropout={options['dropout']}.",
                fixes="dropout=0.0, or flash_attention=None.",
            )
        get = {
            "initializer": initializers.get,
            "regularizer": regularizers.get,
            "constraint": constraints.get,
        }
        for name in (*_INITIALIZERS, *_FAMILIES):
            setattr(self, name, get[name.rpartition("_")[2]](options[name]))
        for name in ("dropout", "use_bias", "sliding_window", "flash_attention", "use_gate", "seed"):
            setattr(self, name, options[name])
        self._projection_regularizer, self.activity_regularizer = self.activity_regularizer, None
        self.supports_masking = True

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments that make an equal layer, as plain data."""
        config = super().get_config()
        config["activity_regularizer"] = serialize_keras_object(self._projection_regularizer)
        return {key: config[key] for key in ("name", "trainable", "dtype", *self._config_order)}

    def _dense(
        self, equation: str, output_shape: Sequence[int | None], bias_axes: str, name: str
    ) -> EinsumDense:
        """Returns a projection; each has an initialiser of its own, so that no two start alike."""
        options = {key: getattr(self, key) for key in _FAMILIES if key != "activity_regularizer"}
        options.update({key: _copy_of(getattr(self, key)) for key in _INITIALIZERS})
        return EinsumDense(
            equation, output_shape, bias_axes=bias_axes if self.use_bias else None, name=name,
            activity_regularizer=self._projection_regularizer, dtype=self.dtype_policy, **options,
        )  # fmt: skip

    def _make_softmax_and_dropout(self) -> None:
        axis = tuple(range(-self._attention_rank, 0))
        self._softmax = Softmax(axis=axis if len(axis) > 1 else -1, dtype=self.dtype_policy)
        self._dropout_layer = Dropout(self.dropout, dtype=self.dtype_policy, seed=self.seed)

    # ---- masks

    def _whole_mask(
        self, query: Tensor, value: Tensor, value_mask: Any, key_mask: Any, given: Any, causal: bool
    ) -> Tensor | None:
        """Joins all masks into one that says which query (row) may see which key (column)."""
        masks = []
        if value_mask is not None:
            masks.append(ops.expand_dims(ops.cast(value_mask, "bool"), -2))  # (batch, 1, keys)
        if key_mask is not None:
            masks.append(ops.expand_dims(ops.cast(key_mask, "bool"), -2))  # (batch, 1, keys)
        if causal or self.sliding_window is not None:
            rows = ops.expand_dims(ops.arange(query.shape[1]), (0, 2))  # (1, queries, 1)
            columns = ops.expand_dims(ops.arange(value.shape[1]), (0, 1))  # (1, 1, keys)
            if causal:
                masks.append(ops.greater_equal(rows, columns))
            if self.sliding_window is not None:
                masks.append(ops.less(ops.absolute(ops.subtract(rows, columns)), self.sliding_window))
        if given is not None:
            masks.append(ops.cast(given, "bool"))
        whole = None
        for mask in masks:
            whole = mask if whole is None else ops.logical_and(whole, mask)
        return whole

    def _stretched(self, mask: Any, rank: int) -> Any:
        """Gives a mask the axes that the scores have and it has not (heads, and batch-like ones)."""
        while mask is not None and len(mask.shape) < rank:
            mask = ops.expand_dims(mask, max(-2 * self._attention_rank - 1, -len(mask.shape) - 1))
        return mask

    def _use_fused(self, rank: int, return_scores: bool) -> bool:
        """Returns whether the attention is one op: it has neither dropout nor scores, and takes one axis of steps."""
        flash = self.flash_attention
        if flash and return_scores:
            raise ArgumentError(
                f"{type(self).__name__} {self.name!r}: the fused attention kernel keeps no scores.",
                got="flash_attention=True, return_attention_scores=True.",
                fixes="flash_attention=None when the scores are wanted.",
            )
        return not self.dropout and not return_scores and rank == 4

    def _flash(self) -> bool | None:
        return settings.is_flash_attention_enabled() if self.flash_attention is None else self.flash_attention


def _copy_of(initializer: Any) -> Any:
    if isinstance(initializer, Configurable):
        return type(initializer).from_config(initializer.get_config())
    return initializer


class MultiHeadAttention(ProjectedAttention):
    """Attention of several heads (Vaswani et al. 2017): `softmax(q . k / sqrt(key_dim)) . v` for each head.

    Args:
        num_heads: Number of heads.
        key_dim: Size of each head for queries and keys.
        value_dim: Size of each head for values; None means `key_dim`.
        dropout: Share of the attention scores dropped in training.
        use_bias: Whether the projections have biases.
        output_shape: Features of the output; None means those of the query.
        attention_axes: Axes over which attention goes; None means all but batch and features.
        sliding_window: How far a query sees, itself included, to either side; None means without limit.
        flash_attention: True for the fused GPU kernel, False for never, None for the setting in `keras.config`.
        kernel_initializer: Initialiser of the projections' kernels.
        bias_initializer: Initialiser of their biases.
        kernel_regularizer: Regulariser of the kernels.
        bias_regularizer: Regulariser of the biases.
        activity_regularizer: Regulariser of the projections' outputs.
        kernel_constraint: Constraint of the kernels.
        bias_constraint: Constraint of the biases.
        use_gate: Whether the attended values are multiplied by a gate, `sigmoid` of a projection of the query.
        seed: Seed of the dropout.

    Shapes:
        inputs: [(batch, queries, features), (batch, keys, depth)]; query and value, a key like the value
            may follow
        outputs: (batch, queries, features); `output_shape` stands for features if given

    Example:
        >>> MultiHeadAttention(2, 3)(np.ones((2, 5, 4), "float32"), np.ones((2, 6, 4), "float32")).shape
        (2, 5, 4)
    """

    checks: ClassVar[dict[str, Any]] = {
        "num_heads": positive_int,
        "key_dim": positive_int,
        "dropout": between(0, 1),
    }
    _config_order = (
        "num_heads", "key_dim", "value_dim", "dropout", "use_bias", "use_gate", "output_shape", "attention_axes",
        "sliding_window", *_INITIALIZERS, *_FAMILIES, "seed",
    )  # fmt: skip

    def __init__(
        self,
        num_heads: int,
        key_dim: int,
        value_dim: int | None = None,
        dropout: float = 0.0,
        use_bias: bool = True,
        output_shape: int | Sequence[int] | None = None,
        attention_axes: int | Sequence[int] | None = None,
        sliding_window: int | None = None,
        flash_attention: bool | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        use_gate: bool = False,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        options = dict(locals())
        super().__init__(**kwargs)
        self._store_options(options)
        self.num_heads, self.key_dim = num_heads, key_dim
        self.value_dim = value_dim if value_dim is not None else key_dim
        self.output_shape = _tuple_or_none(output_shape)
        self.attention_axes = _tuple_or_none(attention_axes)
        self._scale = 1.0 / math.sqrt(key_dim)

    query_dense = property(lambda self: self._query_dense, doc="The projection of the queries.")
    key_dense = property(lambda self: self._key_dense, doc="The projection of the keys.")
    value_dense = property(lambda self: self._value_dense, doc="The projection of the values.")
    output_dense = property(lambda self: self._output_dense, doc="The projection of the attended values.")

    def build(self, query_shape: Any, value_shape: Any, key_shape: Any = None) -> None:
        """Makes the projections."""
        key_shape = value_shape if key_shape is None else key_shape
        rank = len(query_shape)
        if len(value_shape) != rank or len(key_shape) != rank or rank < 3:
            raise ShapeError(
                f"{type(self).__name__} {self.name!r}: query, value and key have the same number of axes, 3 or more.",
                got=f"query {tuple(query_shape)}, value {tuple(value_shape)}, key {tuple(key_shape)}.",
            )
        axes = self.attention_axes
        self.attention_axes = tuple(range(1, rank - 1)) if axes is None else tuple(a % rank for a in axes)
        self._attention_rank = len(self.attention_axes)
        self._score_equation, self._mix_equation = attention_equations(rank, self.attention_axes)
        split = _letters(rank - 1)
        equation, heads = f"{split}y,yuv->{split}uv", [None] * (rank - 2)
        self._query_dense = self._built(
            equation, (*heads, self.num_heads, self.key_dim), "query", query_shape
        )
        self._key_dense = self._built(equation, (*heads, self.num_heads, self.key_dim), "key", key_shape)
        if self.use_gate:
            self._gate_dense = self._built(
                equation, (*heads, self.num_heads, self.value_dim), "gate", query_shape
            )
        self._value_dense = self._built(
            equation, (*heads, self.num_heads, self.value_dim), "value", value_shape
        )
        self._make_softmax_and_dropout()
        outputs = self.output_shape or (query_shape[-1],)
        out = "wxyz"[: len(outputs)] if len(outputs) <= 4 else string.ascii_uppercase[: len(outputs)]
        self._output_dense = self._dense(
            f"{split}uv,uv{out}->{split}{out}", (*heads, *outputs), out, "attention_output"
        )
        self._output_dense.build((*query_shape[:-1], self.num_heads, self.value_dim))

    def _built(self, equation: str, output_shape: Any, name: str, input_shape: Any) -> EinsumDense:
        dense = self._dense(equation, output_shape, "uv", name)
        dense.build(input_shape)
        return dense

    def call(
        self,
        query: Tensor,
        value: Tensor,
        key: Tensor | None = None,
        query_mask: Tensor | None = None,
        value_mask: Tensor | None = None,
        key_mask: Tensor | None = None,
        attention_mask: Tensor | None = None,
        return_attention_scores: bool = False,
        training: bool | None = None,
        use_causal_mask: bool = False,
    ) -> Any:
        """Attends from the queries to the values."""
        key = value if key is None else key
        causal = use_causal_mask and self._use_fused(len(query.shape) + 1, return_attention_scores)
        mask = self._whole_mask(
            query, value, value_mask, key_mask, attention_mask, use_causal_mask and not causal
        )
        q, k, v = (
            self._query_dense(query),
            self._key_dense(key),
            self._value_dense(value),
        )  # (..., heads, size)
        attended, scores = self._attend(q, k, v, mask, causal, training, return_attention_scores)
        if self.use_gate:
            attended = ops.multiply(attended, ops.sigmoid(self._gate_dense(query)))
        outputs = self._output_dense(attended)
        return (outputs, scores) if return_attention_scores else outputs

    def _attend(
        self, q: Tensor, k: Tensor, v: Tensor, mask: Any, causal: bool, training: Any, return_scores: bool
    ) -> Any:
        if self._use_fused(len(q.shape), return_scores):
            if mask is not None:
                mask = self._stretched(mask, 4)
            return ops.dot_product_attention(
                q, k, v, mask=mask, scale=self._scale, is_causal=causal, flash_attention=self._flash()
            ), None
        scores = ops.einsum(
            self._score_equation, ops.multiply(q, self._scale), k
        )  # (batch, heads, queries, keys)
        scores = self._softmax(scores, mask=self._stretched(mask, len(scores.shape)))
        dropped = self._dropout_layer(scores, training=training) if self.dropout else scores
        return ops.einsum(self._mix_equation, dropped, v), scores


def _tuple_or_none(value: Any) -> tuple[int, ...] | None:
    if value is None:
        return None
    return tuple(value) if isinstance(value, (list, tuple)) else (int(value),)


def _letters(count: int) -> str:
    return string.ascii_lowercase[:count]


def attention_equations(rank: int, axes: Sequence[int]) -> tuple[str, str]:
    """Returns the einsum equations of the scores and of the weighted mean.

    Args:
        rank: Number of axes of the query before it is split into heads.
        axes: The axes over which attention goes.
    """
    query = _letters(rank - 1)
    key = "".join(letter.upper() if axis in axes else letter for axis, letter in enumerate(query))
    batch = "".join(letter for axis, letter in enumerate(query) if axis not in axes)
    rows = "".join(query[axis] for axis in axes)
    columns = "".join(key[axis] for axis in axes)
    scores = f"{batch}u{rows}{columns}"
    return f"{query}uv,{key}uv->{scores}", f"{scores},{key}uv->{query}uv"


class GroupedQueryAttention(ProjectedAttention):
    """Attention in which groups of query heads share a head of keys and values (Ainslie et al. 2023).

    Args:
        head_dim: Size of each head.
        num_query_heads: Number of heads of the queries.
        num_key_value_heads: Number of heads of keys and values; divides `num_query_heads`.
        dropout: Share of the attention scores dropped in training.
        use_bias: Whether the projections have biases.
        sliding_window: How far a query sees, itself included, to either side; None means without limit.
        flash_attention: True for the fused GPU kernel, False for never, None for the setting in `keras.config`.
        kernel_initializer: Initialiser of the projections' kernels.
        bias_initializer: Initialiser of their biases.
        kernel_regularizer: Regulariser of the kernels.
        bias_regularizer: Regulariser of the biases.
        activity_regularizer: Regulariser of the projections' outputs.
        kernel_constraint: Constraint of the kernels.
        bias_constraint: Constraint of the biases.
        use_gate: Whether the attended values are multiplied by a gate, `sigmoid` of a projection of the query.
        seed: Seed of the dropout.

    Shapes:
        inputs: [(batch, queries, features), (batch, keys, depth)]; query and value, a key like the value
            may follow
        outputs: (batch, queries, features)

    Example:
        >>> GroupQueryAttention(4, 4, 2)(np.ones((2, 5, 6), "float32"), np.ones((2, 7, 6), "float32")).shape
        (2, 5, 6)
    """

    checks: ClassVar[dict[str, Any]] = {
        "head_dim": positive_int, "num_query_heads": positive_int, "num_key_value_heads": positive_int,
        "dropout": between(0, 1),
    }  # fmt: skip
    _config_order = (
        "head_dim", "num_query_heads", "num_key_value_heads", "use_bias", "use_gate", "sliding_window", "dropout",
        *_INITIALIZERS, *_FAMILIES, "seed",
    )  # fmt: skip

    def __init__(
        self,
        head_dim: int,
        num_query_heads: int,
        num_key_value_heads: int,
        dropout: float = 0.0,
        use_bias: bool = True,
        sliding_window: int | None = None,
        flash_attention: bool | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        use_gate: bool = False,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        options = dict(locals())
        if num_query_heads % num_key_value_heads:
            raise ArgumentError(
                "GroupQueryAttention: num_key_value_heads must divide num_query_heads.",
                got=f"num_query_heads={num_query_heads}, num_key_value_heads={num_key_value_heads}.",
                why="Each head of keys and values serves the same number of query heads.",
                fixes=f"num_key_value_heads={math.gcd(num_query_heads, num_key_value_heads)}",
            )
        super().__init__(**kwargs)
        self._store_options(options)
        self.head_dim = head_dim
        self.num_query_heads, self.num_key_value_heads = num_query_heads, num_key_value_heads
        self.num_repeats = num_query_heads // num_key_value_heads
        self._scale = 1.0 / math.sqrt(head_dim)

    def build(self, query_shape: Any, value_shape: Any, key_shape: Any = None) -> None:
        """Makes the projections."""
        key_shape = value_shape if key_shape is None else key_shape
        if not len(query_shape) == len(value_shape) == len(key_shape) == 3:
            raise ShapeError(
                f"GroupQueryAttention {self.name!r} wants query, value and key of shape (batch, steps, features).",
                got=f"query {tuple(query_shape)}, value {tuple(value_shape)}, key {tuple(key_shape)}.",
            )
        self._query_dense = self._built(self.num_query_heads, "query", query_shape)
        self._key_dense = self._built(self.num_key_value_heads, "key", key_shape)
        if self.use_gate:
            self._gate_dense = self._built(self.num_query_heads, "gate", query_shape)
        self._value_dense = self._built(self.num_key_value_heads, "value", value_shape)
        self._make_softmax_and_dropout()
        self._output_dense = self._dense("abuv,uvw->abw", (None, query_shape[-1]), "w", "attention_output")
        self._output_dense.build((*query_shape[:2], self.num_query_heads, self.head_dim))

    def _built(self, heads: int, name: str, input_shape: Any) -> EinsumDense:
        dense = self._dense("aby,yuv->abuv", (None, heads, self.head_dim), "uv", name)
        dense.build(input_shape)
        return dense

    def call(
        self,
        query: Tensor,
        value: Tensor,
        key: Tensor | None = None,
        query_mask: Tensor | None = None,
        value_mask: Tensor | None = None,
        key_mask: Tensor | None = None,
        attention_mask: Tensor | None = None,
        return_attention_scores: bool = False,
        training: bool | None = None,
        use_causal_mask: bool = False,
    ) -> Any:
        """Attends from the queries to the values."""
        key = value if key is None else key
        fused = self._use_fused(4, return_attention_scores)
        mask = self._whole_mask(
            query, value, value_mask, key_mask, attention_mask, use_causal_mask and not fused
        )
        mask = self._stretched(mask, 4)  # (batch, heads, queries, keys)
        q, k, v = (
            self._query_dense(query),
            self._key_dense(key),
            self._value_dense(value),
        )  # (..., heads, size)
        scores = None
        if fused:
            attended = ops.dot_product_attention(
                q,
                k,
                v,
                mask=mask,
                scale=self._scale,
                is_causal=use_causal_mask,
                flash_attention=self._flash(),
            )
        else:
            k, v = ops.repeat(k, self.num_repeats, axis=2), ops.repeat(v, self.num_repeats, axis=2)
            scores = ops.einsum("abuv,acuv->aubc", ops.multiply(q, self._scale), k)
            scores = self._softmax(scores, mask=mask)
            dropped = self._dropout_layer(scores, training=training) if self.dropout else scores
            attended = ops.einsum("aubc,acuv->abuv", dropped, v)
        if self.use_gate:
            attended = ops.multiply(attended, ops.sigmoid(self._gate_dense(query)))
        outputs = self._output_dense(attended)
        return (outputs, scores) if return_attention_scores else outputs


GroupQueryAttention = (
    GroupedQueryAttention  # the public name; files call the layer by it and its weights by the other
)

add_public_object("keras.layers", "GroupQueryAttention", GroupedQueryAttention)
register_public("keras.layers", [MultiHeadAttention, GroupedQueryAttention])
