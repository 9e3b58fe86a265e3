"""Functions of the TensorFlow stand-in that are more than another name of an op."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import jax
import numpy as np

from hornbill import ops, random
from hornbill.engine import variable
from hornbill.engine.compatibility import warn_once
from hornbill.engine.dtype import is_float_dtype
from hornbill.engine.errors import ArgumentError
from hornbill.engine.settings import floatx
from hornbill.utils import devices

__all__ = [
    "LOGGER", "TensorShape", "Variable", "constant", "device", "device_list", "fill", "function", "identity",
    "is_gpu_available", "l2_loss", "map_fn", "matmul", "memory_growth", "moments", "norm", "pad",
    "random_normal",
    "random_uniform", "range_", "rank", "resize", "set_threads", "set_verbosity", "shape", "softmax_loss",
    "sparse_softmax_loss", "split", "where",
]  # fmt: skip

LOGGER = logging.getLogger("tensorflow")


class _AnyVariable(type):
    """Makes `isinstance(v, tf.Variable)` true for every Variable."""

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, variable.Variable)


class Variable(variable.Variable, metaclass=_AnyVariable):
    """A Variable by TensorFlow's argument names; whole numbers stay whole.

    Args:
        initial_value: The first value, or a function that returns it.
        trainable: Whether training changes it.
        dtype: Dtype; that of the value if None.
        name: Its name.
        shape: Only that of the value.
    """

    __slots__ = ()

    def __init__(
        self,
        initial_value: Any,
        trainable: bool = True,
        validate_shape: bool = True,
        caching_device: Any = None,
        name: str | None = None,
        variable_def: Any = None,
        dtype: Any = None,
        import_scope: Any = None,
        constraint: Any = None,
        synchronization: Any = "auto",
        aggregation: Any = "none",
        shape: Any = None,
    ) -> None:
        if any(value is not None for value in (caching_device, variable_def, import_scope)):
            raise ArgumentError(
                "The stand-in's tf.Variable has no caching_device, variable_def or import_scope."
            )
        value = initial_value() if callable(initial_value) else initial_value
        value = ops.convert_to_tensor(value, dtype=dtype)
        super().__init__(value, dtype=value.dtype, trainable=trainable, name=name)
        self.constraint = constraint


def TensorShape(dims: Any) -> tuple[int | None, ...]:  # noqa: N802
    """Returns a shape as a tuple."""
    return tuple(dims)


def constant(value: Any, dtype: Any = None, shape: Any = None) -> Any:
    """Returns a tensor; a single number fills `shape`."""
    x = ops.convert_to_tensor(value, dtype=dtype)
    if shape is None:
        return x
    return ops.broadcast_to(x, tuple(shape)) if x.ndim == 0 else ops.reshape(x, tuple(shape))


def fill(dims: Any, value: Any) -> Any:
    """Returns a tensor full of one value."""
    return ops.full(tuple(dims), value)


def range_(start: Any, limit: Any = None, delta: Any = 1, dtype: Any = None) -> Any:
    """Returns evenly spaced numbers."""
    start, limit = (0, start) if limit is None else (start, limit)
    return ops.arange(start, limit, delta, dtype=dtype)


def identity(input: Any) -> Any:
    """Returns the tensor itself."""
    return ops.convert_to_tensor(input)


def shape(input: Any, out_type: Any = None) -> tuple[int | None, ...]:  # noqa: ARG001
    """Returns the shape as a tuple of numbers (TensorFlow returns a tensor)."""
    return ops.shape(input)


def rank(input: Any) -> int:
    """Returns the number of axes."""
    return len(ops.shape(input))


def split(value: Any, num_or_size_splits: Any, axis: int = 0) -> list[Any]:
    """Splits into equal parts, or parts of the given sizes."""
    if isinstance(num_or_size_splits, int):
        return list(ops.split(value, num_or_size_splits, axis=axis))
    return list(ops.split(value, [int(n) for n in np.cumsum(num_or_size_splits)[:-1]], axis=axis))


def pad(tensor: Any, paddings: Any, mode: str = "CONSTANT", constant_values: Any = 0) -> Any:
    """Pads each axis."""
    widths = [tuple(int(n) for n in pair) for pair in np.asarray(paddings)]
    mode = mode.lower()
    return ops.pad(tensor, widths, mode=mode, constant_values=constant_values if mode == "constant" else None)


def where(condition: Any, x: Any = None, y: Any = None) -> Any:
    """Returns `x` or `y` by the condition; the places where it holds if both are missing."""
    if x is None and y is None:
        return ops.stack(ops.where(condition), axis=-1)
    return ops.where(condition, x, y)


def matmul(a: Any, b: Any, transpose_a: bool = False, transpose_b: bool = False) -> Any:
    """Returns the matrix product, of transposed matrices if asked for."""
    return ops.matmul(
        ops.swapaxes(a, -1, -2) if transpose_a else a, ops.swapaxes(b, -1, -2) if transpose_b else b
    )


def norm(tensor: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """Returns lengths; "euclidean" is the default."""
    return ops.norm(tensor, ord=None if ord == "euclidean" else ord, axis=axis, keepdims=keepdims)


def resize(images: Any, size: Any, method: str = "bilinear", antialias: bool = False) -> Any:
    """Resizes pictures with channels last."""
    return ops.image.resize(
        images, tuple(size), interpolation=method, antialias=antialias, data_format="channels_last"
    )


def moments(x: Any, axes: Any, shift: Any = None, keepdims: bool = False) -> Any:  # noqa: ARG001
    """Returns mean and variance."""
    return ops.moments(x, axes, keepdims=keepdims)


def map_fn(fn: Callable[[Any], Any], elems: Any) -> Any:
    """Returns the results of a function on each entry of the first axis, stacked."""
    return ops.map(fn, elems)


def random_normal(
    shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: int | None = None
) -> Any:
    """Returns numbers from a normal distribution."""
    return random.normal(tuple(shape), mean, stddev, dtype=dtype, seed=seed)


def random_uniform(
    shape: Any, minval: Any = 0, maxval: Any = None, dtype: Any = None, seed: int | None = None
) -> Any:
    """Returns numbers drawn evenly."""
    dtype = dtype or floatx()
    if not is_float_dtype(dtype):
        if maxval is None:
            raise ArgumentError("tf.random.uniform of whole numbers wants maxval.")
        return random.randint(tuple(shape), minval, maxval, dtype=dtype, seed=seed)
    return random.uniform(tuple(shape), minval, 1.0 if maxval is None else maxval, dtype=dtype, seed=seed)


def softmax_loss(labels: Any, logits: Any, axis: int = -1) -> Any:
    """Returns the cross-entropy of rows of logits."""
    return ops.categorical_crossentropy(labels, logits, from_logits=True, axis=axis)


def sparse_softmax_loss(labels: Any, logits: Any) -> Any:
    """Returns the cross-entropy of rows of logits for integer classes."""
    return ops.sparse_categorical_crossentropy(labels, logits, from_logits=True)


def l2_loss(t: Any) -> Any:
    """Returns half the sum of squares."""
    return ops.sum(ops.square(t)) / 2


def function(
    func: Callable[..., Any] | None = None,
    input_signature: Any = None,  # noqa: ARG001
    autograph: bool = True,  # noqa: ARG001
    jit_compile: bool | None = None,  # noqa: ARG001
    reduce_retracing: bool = False,  # noqa: ARG001
    experimental_relax_shapes: bool | None = None,  # noqa: ARG001
) -> Any:
    """Returns the function as it is; `fit` compiles the step, and `jax.jit` compiles anything else."""
    if func is None:
        return lambda wrapped: wrapped
    return func


# ---- devices and logging


def device_list(device_type: str | None = None) -> list[Any]:
    """Returns JAX's devices, of one type if it is given."""
    devices = jax.devices()
    if device_type in (None, "CPU"):
        return devices if device_type is None else jax.devices("cpu")
    return [device for device in devices if device.platform.upper() == device_type.upper()]


def is_gpu_available(cuda_only: bool = False, min_cuda_compute_capability: Any = None) -> bool:  # noqa: ARG001
    """Returns whether JAX has a GPU."""
    return bool(device_list("GPU"))


def memory_growth(device: Any, enable: bool) -> None:  # noqa: ARG001
    """Warns: JAX decides about memory when it starts."""
    warn_once(
        "set_memory_growth",
        "set_memory_growth has no effect: set XLA_PYTHON_CLIENT_PREALLOCATE=false in the environment.",
    )


def set_threads(num_threads: int) -> None:  # noqa: ARG001
    """Warns: the number of threads is set before the start."""
    warn_once("tf threads", "The number of threads is set by the environment before the start.")


def device(device_name: str) -> AbstractContextManager[Any]:
    """Computes on a device by TensorFlow's name ("/GPU:0", "cpu:0")."""
    return devices.device(device_name.lower().strip("/").removeprefix("device:"))


def set_verbosity(v: int | str) -> None:
    """Sets what the logger "tensorflow" lets through."""
    LOGGER.setLevel(v)
