"""Cross-entropies between targets and predictions, given as probabilities or as logits.

Not here: means over a batch, weights, label smoothing and masks, which are the losses' business.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from hornbill.engine import settings
from hornbill.engine.errors import ShapeError
from hornbill.engine.op import Tensor, op
from hornbill.ops.activation import as_float

__all__ = ["binary_crossentropy", "categorical_crossentropy", "sparse_categorical_crossentropy"]


def _check_same(owner: str, target: Tensor, output: Tensor) -> None:
    if target.shape != output.shape:
        raise ShapeError(
            f"{owner}: target and output must have the same shape.",
            got=f"target {target.shape}, output {output.shape}.",
        )


def _pair(target: Tensor, output: Tensor) -> tuple[Tensor, Tensor]:
    target, output = jnp.asarray(target), as_float(output)
    dtype = jnp.result_type(target, output)
    return target.astype(dtype), output.astype(dtype)


def _log_shares(output: Tensor, from_logits: bool, axis: int) -> Tensor:
    """Returns the logarithms of the predicted probabilities, which are made to add up to 1 first."""
    if from_logits:
        return jax.nn.log_softmax(output, axis=axis)
    output = output / jnp.sum(output, axis=axis, keepdims=True)
    return jnp.log(jnp.clip(output, settings.epsilon(), 1.0 - settings.epsilon()))


@op(rule="elementwise")
def binary_crossentropy(target: Tensor, output: Tensor, from_logits: bool = False) -> Tensor:
    """Returns `-(target * log(output) + (1 - target) * log(1 - output))` for each number.

    Args:
        target: True probabilities, 0 to 1.
        output: Predicted probabilities, or logits.
        from_logits: Whether `output` holds logits.

    Returns:
        One number per prediction.

    Raises:
        ShapeError: If the shapes differ.

    Example:
        >>> binary_crossentropy([0.0, 1.0], [0.5, 0.5]).round(4).tolist()
        [0.6930999755859375, 0.6930999755859375]
    """
    target, output = _pair(target, output)
    _check_same("binary_crossentropy", target, output)
    if from_logits:
        return jnp.maximum(output, 0) - output * target + jnp.log1p(jnp.exp(-jnp.abs(output)))
    output = jnp.clip(output, settings.epsilon(), 1.0 - settings.epsilon())
    return -(target * jnp.log(output) + (1.0 - target) * jnp.log(1.0 - output))


@op(rule="reduction")
def categorical_crossentropy(
    target: Tensor, output: Tensor, from_logits: bool = False, axis: int = -1
) -> Tensor:
    """Returns `-sum(target * log(output))` along the axis of the classes.

    Args:
        target: True probabilities of the classes, one-hot or soft.
        output: Predicted probabilities, or logits.
        from_logits: Whether `output` holds logits; otherwise it is made to add up to 1 first.
        axis: The axis of the classes.

    Returns:
        One number per sample.

    Raises:
        ShapeError: If the shapes differ.
    """
    target, output = _pair(target, output)
    _check_same("categorical_crossentropy", target, output)
    return -jnp.sum(target * _log_shares(output, from_logits, axis), axis=axis)


@op(rule="reduction")
def sparse_categorical_crossentropy(
    target: Tensor, output: Tensor, from_logits: bool = False, axis: int = -1
) -> Tensor:
    """Returns `-log(output)` at the true class of each sample.

    Args:
        target: Numbers of the true classes; a last axis of size 1 is dropped. Numbers that are no class
            give 0.
        output: Predicted probabilities, or logits.
        from_logits: Whether `output` holds logits; otherwise it is made to add up to 1 first.
        axis: The axis of the classes in `output`.

    Returns:
        One number per sample.

    Raises:
        ShapeError: If the target does not have the shape of the output without its class axis.
    """
    target, output = jnp.asarray(target), as_float(output)
    if target.ndim == output.ndim and target.ndim > 0 and target.shape[-1] == 1:
        target = target[..., 0]
    wanted = list(output.shape)
    if wanted:
        del wanted[axis]
    if output.ndim < 1 or target.shape != tuple(wanted):
        raise ShapeError(
            "sparse_categorical_crossentropy wants one class number per sample: the output's shape without "
            f"its class axis, {tuple(wanted)}.",
            got=f"target {target.shape}, output {output.shape}, axis={axis}.",
            fixes="For one-hot targets use categorical_crossentropy." if target.shape == output.shape else (),
        )
    logs = _log_shares(output, from_logits, axis)
    place = axis % output.ndim
    shape = [output.shape[place] if i == place else 1 for i in range(output.ndim)]
    classes = jnp.arange(output.shape[place]).reshape(shape)
    chosen = jnp.expand_dims(target.astype(jnp.int32), place) == classes
    return -jnp.sum(jnp.where(chosen, logs, jnp.zeros((), logs.dtype)), axis=place)
