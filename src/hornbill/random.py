"""`keras.random`: random tensors.

A whole number as seed gives the same tensor each time; a `SeedGenerator` gives another one each time, as
does no seed, which draws from the one global stream that `set_random_seed` starts. Generators are part of a
model's state, so that compiled steps draw new numbers too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hornbill.engine.dtype import is_float_dtype, is_int_dtype, standardize_dtype
from hornbill.engine.errors import ArgumentError, ShapeError
from hornbill.engine.op import Tensor, convert_to_tensor, op
from hornbill.engine.random import SeedGenerator, draw_seed
from hornbill.ops.activation import as_float

__all__ = [
    "SeedGenerator", "beta", "binomial", "categorical", "dropout", "gamma", "normal", "randint", "shuffle",
    "truncated_normal", "uniform",
]  # fmt: skip

Shape = int | Sequence[int]


def _shape(shape: Shape) -> tuple[int, ...]:
    return (int(shape),) if np.ndim(shape) == 0 else tuple(int(size) for size in shape)  # type: ignore[union-attr]


def _float(owner: str, dtype: Any) -> Any:
    name = standardize_dtype(dtype)
    if not is_float_dtype(name):
        raise ArgumentError(
            f"random.{owner} draws floats.",
            got=f"dtype={name!r}.",
            fixes="random.randint draws whole numbers." if owner == "uniform" else "ops.cast(result, dtype)",
        )
    return jax.dtypes.canonicalize_dtype(name)


def _parameter(value: Any, dtype: Any) -> Any:
    return convert_to_tensor(value).astype(dtype)


def normal(shape: Shape, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: Any = None) -> Tensor:
    """Draws from the normal distribution.

    Args:
        shape: Shape of the result.
        mean: Mean.
        stddev: Standard deviation.
        dtype: Float dtype; None means the default float type.
        seed: None, a whole number or a SeedGenerator.

    Example:
        >>> normal((2, 3), seed=1).shape
        (2, 3)
    """
    dtype = _float("normal", dtype)
    sample = jax.random.normal(draw_seed(seed), _shape(shape), dtype)
    return sample * _parameter(stddev, dtype) + _parameter(mean, dtype)


def truncated_normal(
    shape: Shape, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: Any = None
) -> Tensor:
    """Draws from the normal distribution cut off at two standard deviations from the mean.

    Args:
        shape: Shape of the result.
        mean: Mean.
        stddev: Standard deviation before the cut.
        dtype: Float dtype; None means the default float type.
        seed: None, a whole number or a SeedGenerator.
    """
    dtype = _float("truncated_normal", dtype)
    sample = jax.random.truncated_normal(draw_seed(seed), -2.0, 2.0, _shape(shape), dtype)
    return sample * _parameter(stddev, dtype) + _parameter(mean, dtype)


def uniform(
    shape: Shape, minval: Any = 0.0, maxval: Any = 1.0, dtype: Any = None, seed: Any = None
) -> Tensor:
    """Draws evenly from `minval` to below `maxval`.

    Args:
        shape: Shape of the result.
        minval: Lower bound.
        maxval: Upper bound.
        dtype: Float dtype; None means the default float type.
        seed: None, a whole number or a SeedGenerator.
    """
    dtype = _float("uniform", dtype)
    return jax.random.uniform(
        draw_seed(seed), _shape(shape), dtype, _parameter(minval, dtype), _parameter(maxval, dtype)
    )


def randint(shape: Shape, minval: Any, maxval: Any, dtype: Any = "int32", seed: Any = None) -> Tensor:
    """Draws whole numbers evenly from `minval` to below `maxval`.

    Args:
        shape: Shape of the result.
        minval: Lower bound.
        maxval: Upper bound.
        dtype: Whole-number dtype.
        seed: None, a whole number or a SeedGenerator.

    Raises:
        ArgumentError: If the dtype is no whole-number one.
    """
    name = standardize_dtype("int32" if dtype is None else dtype)
    if not is_int_dtype(name):
        raise ArgumentError(
            "random.randint draws whole numbers.",
            got=f"dtype={name!r}.",
            fixes="random.uniform draws floats.",
        )
    bounds = (convert_to_tensor(bound) for bound in (minval, maxval))
    low, high = (b.astype("int32") if jnp.issubdtype(b.dtype, jnp.floating) else b for b in bounds)
    return jax.random.randint(draw_seed(seed), _shape(shape), low, high, jax.dtypes.canonicalize_dtype(name))


def gamma(shape: Shape, alpha: Any, dtype: Any = None, seed: Any = None) -> Tensor:
    """Draws from the gamma distribution of rate 1.

    Args:
        shape: Shape of the result.
        alpha: The distribution's shape parameter.
        dtype: Float dtype; None means the default float type.
        seed: None, a whole number or a SeedGenerator.
    """
    dtype = _float("gamma", dtype)
    return jax.random.gamma(draw_seed(seed), _parameter(alpha, dtype), _shape(shape), dtype)


def beta(shape: Shape, alpha: Any, beta: Any, dtype: Any = None, seed: Any = None) -> Tensor:
    """Draws from the beta distribution.

    Args:
        shape: Shape of the result.
        alpha: First parameter.
        beta: Second parameter.
        dtype: Float dtype; None means the default float type.
        seed: None, a whole number or a SeedGenerator.
    """
    dtype = _float("beta", dtype)
    return jax.random.beta(
        draw_seed(seed), _parameter(alpha, dtype), _parameter(beta, dtype), _shape(shape), dtype
    )


def binomial(shape: Shape, counts: Any, probabilities: Any, dtype: Any = None, seed: Any = None) -> Tensor:
    """Draws how many of `counts` trials succeed.

    Args:
        shape: Shape of the result.
        counts: Number of trials.
        probabilities: Probability that a trial succeeds.
        dtype: Float dtype; None means the default float type.
        seed: None, a whole number or a SeedGenerator.
    """
    dtype = _float("binomial", dtype)
    return jax.random.binomial(
        draw_seed(seed), _parameter(counts, dtype), _parameter(probabilities, dtype), _shape(shape), dtype
    )


@op
def categorical(logits: Tensor, num_samples: int, dtype: Any = "int32", seed: Any = None) -> Tensor:
    """Draws class numbers by the probabilities that logits stand for.

    Args:
        logits: Logarithms of the probabilities, up to a constant.
        num_samples: How many numbers to draw for each row.
        dtype: Dtype of the result.
        seed: None, a whole number or a SeedGenerator.

    Shapes:
        logits: (batch, classes).
        returns: (batch, samples).

    Raises:
        ShapeError: If the logits have another rank.
    """
    if jnp.ndim(logits) != 2:
        raise ShapeError(
            "random.categorical wants logits (batch, classes).", got=f"shape {jnp.shape(logits)}."
        )
    shape = (logits.shape[0], num_samples)
    drawn = jax.random.categorical(draw_seed(seed), as_float(logits)[..., None], axis=1, shape=shape)
    return drawn.astype(standardize_dtype(dtype))


@op(rule="elementwise")
def dropout(
    inputs: Tensor, rate: float, noise_shape: Sequence[int | None] | None = None, seed: Any = None
) -> Tensor:
    """Sets a share of the numbers to 0 at random and divides the others by the share that stays.

    Args:
        inputs: Any float tensor.
        rate: The share set to 0, from 0 to 1.
        noise_shape: Shape of the decisions; along sizes of 1, numbers share one. None in it means the
            input's size.
        seed: None, a whole number or a SeedGenerator.

    Raises:
        ArgumentError: If the rate is not between 0 and 1.
    """
    inputs = jnp.asarray(inputs)
    if not 0 <= rate <= 1:
        raise ArgumentError("random.dropout: rate must be between 0 and 1.", got=f"rate={rate!r}.")
    if rate == 0:
        return inputs
    if not jnp.issubdtype(inputs.dtype, jnp.floating):
        raise ArgumentError(
            "random.dropout wants floats.", got=f"dtype {inputs.dtype}.", fixes="ops.cast(x, 'float32')"
        )
    if rate == 1:
        return jnp.zeros_like(inputs)
    shape = inputs.shape
    if noise_shape is not None:
        if len(noise_shape) != inputs.ndim:
            raise ShapeError(
                "random.dropout: noise_shape needs one size per axis of the inputs.",
                got=f"noise_shape={tuple(noise_shape)}, inputs {inputs.shape}.",
            )
        shape = tuple(
            have if size is None else size for size, have in zip(noise_shape, inputs.shape, strict=True)
        )
    keep = jax.random.bernoulli(draw_seed(seed), 1.0 - rate, shape)
    return jnp.where(jnp.broadcast_to(keep, inputs.shape), inputs / (1.0 - rate), jnp.zeros((), inputs.dtype))


@op
def shuffle(x: Tensor, axis: int = 0, seed: Any = None) -> Tensor:
    """Puts numbers into random order along an axis, each row of that axis in an order of its own.

    Args:
        x: Any tensor.
        axis: The axis.
        seed: None, a whole number or a SeedGenerator.
    """
    return jax.random.permutation(draw_seed(seed), jnp.asarray(x), axis, independent=True)
