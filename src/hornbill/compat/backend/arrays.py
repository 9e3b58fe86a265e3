"""Keras 2's backend functions that make, shape and reduce tensors, where they differ from `hornbill.ops`.

Functions that only have other argument names stand in the table (`table.py`), not here. All are made of ops,
so they work on arrays, Variables and KerasTensors, inside and outside of compiled code.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.core
import jax.numpy as jnp
import numpy as np

from hornbill import ops, random
from hornbill.engine.dtype import is_float_dtype, standardize_dtype
from hornbill.engine.errors import ShapeError
from hornbill.engine.settings import floatx, standardize_data_format
from hornbill.engine.variable import Variable

__all__ = [
    "arange",
    "argmax",
    "argmin",
    "batch_dot",
    "batch_flatten",
    "cast_to_floatx",
    "clip",
    "concatenate",
    "constant",
    "count_params",
    "cumprod",
    "cumsum",
    "expand_dims",
    "eye",
    "flatten",
    "foldl",
    "foldr",
    "gather",
    "int_shape",
    "l2_normalize",
    "map_fn",
    "mean",
    "moments",
    "ndim",
    "one_hot",
    "ones",
    "permute_dimensions",
    "random_bernoulli",
    "random_binomial",
    "random_normal",
    "random_normal_variable",
    "random_uniform",
    "random_uniform_variable",
    "repeat",
    "repeat_elements",
    "resize_images",
    "resize_volumes",
    "shape",
    "spatial_2d_padding",
    "spatial_3d_padding",
    "sqrt",
    "std",
    "stop_gradient",
    "temporal_padding",
    "tile",
    "transpose",
    "truncated_normal",
    "var",
    "zeros",
]  # fmt: skip


# ---- making


def arange(start: Any, stop: Any = None, step: Any = 1, dtype: Any = "int32") -> Any:
    """Returns evenly spaced numbers from `start` (or 0) to before `stop`."""
    return ops.arange(start, stop, step, dtype=dtype)


def constant(
    value: Any,
    dtype: Any = None,
    shape: Sequence[int] | None = None,
    name: str | None = None,  # noqa: ARG001
) -> Any:
    """Returns a tensor of a value; a single number fills `shape`. The name means nothing without a graph."""
    x = ops.convert_to_tensor(value, dtype=dtype or floatx())
    if shape is None:
        return x
    return ops.broadcast_to(x, tuple(shape)) if x.ndim == 0 else ops.reshape(x, tuple(shape))


def eye(size: int, dtype: Any = None, name: str | None = None) -> Any:
    """Returns the identity matrix; a Variable outside of compiled code, as in Keras 2."""
    return _as_variable(jnp.eye(size, dtype=dtype or floatx()), name)


def ones(shape: Sequence[int], dtype: Any = None, name: str | None = None) -> Any:
    """Returns ones; a Variable outside of compiled code, as in Keras 2."""
    return _as_variable(jnp.ones(tuple(shape), dtype or floatx()), name)


def zeros(shape: Sequence[int], dtype: Any = None, name: str | None = None) -> Any:
    """Returns zeros; a Variable outside of compiled code, as in Keras 2."""
    return _as_variable(jnp.zeros(tuple(shape), dtype or floatx()), name)


def _as_variable(value: Any, name: str | None) -> Any:
    return value if isinstance(value, jax.core.Tracer) else Variable(value, dtype=value.dtype, name=name)


def random_normal(
    shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: int | None = None
) -> Any:
    """Returns numbers from a normal distribution."""
    return random.normal(shape, mean, stddev, dtype=dtype, seed=seed)


def truncated_normal(
    shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: int | None = None
) -> Any:
    """Returns numbers from a normal distribution, none beyond two standard deviations."""
    return random.truncated_normal(shape, mean, stddev, dtype=dtype, seed=seed)


def random_uniform(
    shape: Any, minval: float = 0.0, maxval: float = 1.0, dtype: Any = None, seed: int | None = None
) -> Any:
    """Returns numbers drawn evenly from `minval` to below `maxval`."""
    if dtype is not None and not is_float_dtype(dtype):
        return random.randint(shape, minval, maxval, dtype=dtype, seed=seed)
    return random.uniform(shape, minval, maxval, dtype=dtype, seed=seed)


def random_bernoulli(shape: Any, p: float = 0.0, dtype: Any = None, seed: int | None = None) -> Any:
    """Returns ones with probability `p`, zeros otherwise."""
    return ops.cast(random.uniform(shape, seed=seed) < p, dtype or floatx())


def random_binomial(shape: Any, p: float = 0.0, dtype: Any = None, seed: int | None = None) -> Any:
    """Returns ones with probability `p`, zeros otherwise; an older name of `random_bernoulli`."""
    return random_bernoulli(shape, p, dtype, seed)


def random_normal_variable(
    shape: Any, mean: float, scale: float, dtype: Any = None, name: str | None = None, seed: int | None = None
) -> Variable:
    """Returns a Variable of numbers from a normal distribution."""
    return Variable(random.normal(shape, mean, scale, dtype=dtype, seed=seed), name=name)


def random_uniform_variable(
    shape: Any, low: float, high: float, dtype: Any = None, name: str | None = None, seed: int | None = None
) -> Variable:
    """Returns a Variable of numbers drawn evenly from `low` to below `high`."""
    return Variable(random.uniform(shape, low, high, dtype=dtype, seed=seed), name=name)


def cast_to_floatx(x: Any) -> Any:
    """Returns a tensor in the float type; anything that is no tensor becomes a NumPy array."""
    if isinstance(x, (list, tuple, int, float, np.ndarray, np.generic)):
        return np.asarray(x, dtype=floatx())
    return ops.cast(x, floatx())


# ---- shapes


def shape(x: Any) -> tuple[int | None, ...]:
    """Returns the shape as a tuple."""
    return ops.shape(x)


def int_shape(x: Any) -> tuple[int | None, ...] | None:
    """Returns the shape as a tuple, with None for unknown sizes; None if there is no shape."""
    found = getattr(x, "shape", None)
    return None if found is None else tuple(found)


def ndim(x: Any) -> int:
    """Returns the number of axes."""
    return len(ops.shape(x))


def count_params(x: Any) -> int:
    """Returns the number of elements."""
    return int(np.prod(x.shape, dtype=np.int64))


def flatten(x: Any) -> Any:
    """Returns all elements as one axis."""
    return ops.reshape(x, (-1,))


def batch_flatten(x: Any) -> Any:
    """Returns all axes but the first as one."""
    sizes = x.shape[1:]
    rest = -1 if any(size is None for size in sizes) else int(np.prod(sizes, dtype=np.int64))
    batch = ops.shape(x)[0]
    return ops.reshape(x, (-1 if rest != -1 else batch, rest))


def expand_dims(x: Any, axis: int = -1) -> Any:
    """Returns `x` with a new axis of size 1."""
    return ops.expand_dims(x, axis)


def permute_dimensions(x: Any, pattern: Sequence[int]) -> Any:
    """Returns `x` with its axes in the order of `pattern`."""
    return ops.transpose(x, tuple(pattern))


def transpose(x: Any) -> Any:
    """Returns `x` with its axes in the opposite order."""
    return ops.transpose(x)


def concatenate(tensors: Sequence[Any], axis: int = -1) -> Any:
    """Joins tensors along an axis, the last by default."""
    return ops.concatenate(list(tensors), axis=axis)


def repeat(x: Any, n: int) -> Any:
    """Repeats rows of features as steps.

    Shapes:
        x: (samples, features).
        returns: (samples, n, features).
    """
    if ndim(x) != 2:
        raise ShapeError(
            "K.repeat wants (samples, features).",
            got=f"shape {ops.shape(x)}.",
            fixes="keras.ops.repeat(x, n, axis=...)",
        )
    return ops.repeat(ops.expand_dims(x, 1), n, axis=1)


def repeat_elements(x: Any, rep: int, axis: int) -> Any:
    """Repeats each element `rep` times along an axis."""
    return ops.repeat(x, rep, axis=axis)


def tile(x: Any, n: int | Sequence[int]) -> Any:
    """Puts `n` copies of `x` one after the other along each axis."""
    return ops.tile(x, (n,) * ndim(x) if isinstance(n, int) else tuple(n))


def gather(reference: Any, indices: Any) -> Any:
    """Returns the entries of the first axis at the indices."""
    return ops.take(reference, indices, axis=0)


def one_hot(indices: Any, num_classes: int) -> Any:
    """Returns rows with a one at each index."""
    return ops.one_hot(indices, num_classes)


def temporal_padding(x: Any, padding: Sequence[int] = (1, 1)) -> Any:
    """Puts zeros before and after the steps of (samples, steps, features)."""
    return ops.pad(x, ((0, 0), tuple(padding), (0, 0)))


def spatial_2d_padding(x: Any, padding: Any = ((1, 1), (1, 1)), data_format: str | None = None) -> Any:
    """Puts zeros around height and width of images."""
    return _pad_spatial(x, padding, data_format)


def spatial_3d_padding(
    x: Any, padding: Any = ((1, 1), (1, 1), (1, 1)), data_format: str | None = None
) -> Any:
    """Puts zeros around depth, height and width of volumes."""
    return _pad_spatial(x, padding, data_format)


def _pad_spatial(x: Any, padding: Any, data_format: str | None) -> Any:
    spatial = [tuple(pair) for pair in padding]
    last = standardize_data_format(data_format) == "channels_last"
    return ops.pad(x, [(0, 0), *spatial, (0, 0)] if last else [(0, 0), (0, 0), *spatial])


def resize_images(
    x: Any, height_factor: int, width_factor: int, data_format: str | None, interpolation: str = "nearest"
) -> Any:
    """Enlarges images by whole factors."""
    data_format = standardize_data_format(data_format)
    first = 1 if data_format == "channels_last" else 2
    if interpolation == "nearest":
        return ops.repeat(ops.repeat(x, height_factor, axis=first), width_factor, axis=first + 1)
    height, width = x.shape[first : first + 2]
    return ops.image.resize(
        x,
        (height * height_factor, width * width_factor),
        interpolation=interpolation,
        data_format=data_format,
    )


def resize_volumes(
    x: Any, depth_factor: int, height_factor: int, width_factor: int, data_format: str | None
) -> Any:
    """Repeats each cell of a volume along depth, height and width."""
    first = 1 if standardize_data_format(data_format) == "channels_last" else 2
    for axis, factor in enumerate((depth_factor, height_factor, width_factor), start=first):
        x = ops.repeat(x, factor, axis=axis)
    return x


# ---- arithmetic


def argmax(x: Any, axis: int = -1) -> Any:
    """Returns the position of the largest element along an axis."""
    return ops.argmax(x, axis=axis)


def argmin(x: Any, axis: int = -1) -> Any:
    """Returns the position of the smallest element along an axis."""
    return ops.argmin(x, axis=axis)


def cumsum(x: Any, axis: int = 0) -> Any:
    """Returns running sums along an axis."""
    return ops.cumsum(x, axis=axis)


def cumprod(x: Any, axis: int = 0) -> Any:
    """Returns running products along an axis."""
    return ops.cumprod(x, axis=axis)


def _float(x: Any) -> Any:
    return ops.cast(x, floatx()) if standardize_dtype(ops.convert_to_tensor(x).dtype) == "bool" else x


def mean(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Returns means; booleans count as 0 and 1."""
    return ops.mean(_float(x), axis=axis, keepdims=keepdims)


def var(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Returns variances; booleans count as 0 and 1."""
    return ops.var(_float(x), axis=axis, keepdims=keepdims)


def std(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Returns standard deviations; booleans count as 0 and 1."""
    return ops.std(_float(x), axis=axis, keepdims=keepdims)


def moments(x: Any, axes: Any, shift: Any = None, keep_dims: bool = False, keepdims: bool = False) -> Any:  # noqa: ARG001
    """Returns mean and variance; `shift` only served numerical accuracy and changes nothing."""
    return ops.moments(x, axes, keepdims=keepdims or keep_dims)


def sqrt(x: Any) -> Any:
    """Returns square roots; negative numbers count as 0."""
    return ops.sqrt(ops.maximum(x, 0.0))


def clip(x: Any, min_value: Any = None, max_value: Any = None) -> Any:
    """Limits values; a maximum below the minimum counts as the minimum."""
    if isinstance(min_value, (int, float)) and isinstance(max_value, (int, float)):
        max_value = max(min_value, max_value)
    if min_value is not None:
        x = ops.maximum(x, min_value)
    return x if max_value is None else ops.minimum(x, max_value)


def l2_normalize(x: Any, axis: int | Sequence[int] | None = None) -> Any:
    """Divides by the Euclidean length along an axis; lengths below 1e-6 count as 1e-6."""
    total = ops.sum(ops.square(x), axis=axis, keepdims=True)
    return ops.multiply(x, ops.rsqrt(ops.maximum(total, 1e-12)))


def stop_gradient(variables: Any) -> Any:
    """Returns the same values through which no gradient flows."""
    if isinstance(variables, (list, tuple)):
        return type(variables)([ops.stop_gradient(v) for v in variables])
    return ops.stop_gradient(variables)


def batch_dot(x: Any, y: Any, axes: int | Sequence[int] | None = None) -> Any:
    """Multiplies each sample of `x` with that of `y`, summing over one axis of each.

    Args:
        x: Tensor with the batch first.
        y: Tensor with the batch first.
        axes: The axis of `x` and that of `y` to sum over, or one number for both. By default the last of `x`
        and the
            last but one of `y` (the last, if it has only two).

    Returns:
        The axes of `x` that are left, then those of `y`; a single number per sample becomes (batch, 1).
    """
    x_ndim, y_ndim = ndim(x), ndim(y)
    if min(x_ndim, y_ndim) < 2:
        raise ShapeError(
            "K.batch_dot wants two tensors with a batch and at least one more axis.",
            got=f"shapes {ops.shape(x)} and {ops.shape(y)}.",
            fixes="keras.ops.expand_dims(x, 1)",
        )
    if axes is None:
        axes = (x_ndim - 1, y_ndim - 1 if y_ndim == 2 else y_ndim - 2)
    first, second = (axes, axes) if isinstance(axes, int) else axes
    first, second = first % x_ndim, second % y_ndim
    sizes = ops.shape(x)[first], ops.shape(y)[second]
    if not first or not second or (None not in sizes and sizes[0] != sizes[1]):
        raise ShapeError(
            "K.batch_dot: the axes summed over have the same size, and neither is the batch.",
            got=f"shapes {ops.shape(x)} and {ops.shape(y)} with axes ({first}, {second}).",
        )
    letters = "abcdefghijklmnopqrstuvwxy"
    left = letters[:x_ndim]
    right = "a" + letters[x_ndim : x_ndim + y_ndim - 1]
    right = right[:second] + left[first] + right[second + 1 :]
    result = "a" + "".join(c for c in left[1:] + right[1:] if c != left[first])
    product = ops.einsum(f"{left},{right}->{result}", x, y)
    return ops.expand_dims(product, 1) if len(result) == 1 else product


# ---- loops


def map_fn(fn: Callable[[Any], Any], elems: Any, name: str | None = None, dtype: Any = None) -> Any:  # noqa: ARG001
    """Returns the results of a function on each entry of the first axis, stacked."""
    result = ops.map(fn, elems)
    return result if dtype is None else ops.cast(result, dtype)


def foldl(fn: Callable[[Any, Any], Any], elems: Any, initializer: Any = None, name: str | None = None) -> Any:  # noqa: ARG001
    """Joins the entries of the first axis, first to last: `fn(fn(e0, e1), e2)`."""
    elems = ops.convert_to_tensor(elems)
    start, rest = (
        (elems[0], elems[1:]) if initializer is None else (ops.convert_to_tensor(initializer), elems)
    )
    return ops.scan(lambda result, item: (fn(result, item), None), start, rest)[0]


def foldr(fn: Callable[[Any, Any], Any], elems: Any, initializer: Any = None, name: str | None = None) -> Any:
    """Joins the entries of the first axis, last to first."""
    return foldl(fn, ops.flip(elems, axis=0), initializer, name)
