"""Dense layers by the CPU kernels of `hornbill-native`, which are convolutions of one cell; see `hornbill.ops.native`.

A product is linear in both of its operands, so it and its two gradients are closed under differentiation. None of them
turns an operand in memory, which is what makes the gradient by a kernel slow in XLA.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hornbill.engine.context import context
from hornbill.engine.op import Tensor, convert_to_tensor
from hornbill.ops import native
from hornbill.ops.windows import known

__all__ = ["dense", "product_of_rows"]

_ATTRIBUTES = {"window": native.Window((1, 1), ((0, 0), (0, 0)), (1, 1)).numbers()}
# Multiply-adds between which the kernels were measured to be faster than XLA: below, it fuses; above, it packs better,
# but it has no tiles for bfloat16.
_LEAST_WORK, _MOST_WORK = 10**5, 8 * 10**7
_MOST_WEIGHTS = 2**17  # in float32: packing more at every call takes longer than it saves


def dense(inputs: Any, kernel: Any, bias: Any, relu: bool, axes: int = 1) -> Tensor | None:
    """Returns `inputs @ kernel + bias`, then its relu, in one pass over the outputs.

    Args:
        inputs: (..., features...).
        kernel: (features..., units...).
        bias: (units...), or None.
        relu: Whether sums below 0 become 0.
        axes: How many axes the features have, which are summed over.

    Returns:
        The result, (..., units...); None where only the single ops can do it: no kernel takes the call, or ops are
        being recorded for an explanation.
    """
    if context().recorder is not None or native.package() is None:
        return None
    inputs, kernel = convert_to_tensor(inputs), convert_to_tensor(kernel)
    bias = None if bias is None else convert_to_tensor(bias)
    rows, features, units = inputs.shape[:-axes], kernel.shape[:axes], kernel.shape[axes:]
    same = all(array.dtype == inputs.dtype for array in (kernel, bias) if array is not None)
    fits = inputs.shape[-axes:] == features and (bias is None or bias.shape == units)
    if not (same and fits and all(known(size) for size in inputs.shape) and _served(inputs, kernel, rows)):
        return None
    x, w = inputs.reshape(-1, math.prod(features)), kernel.reshape(math.prod(features), -1)
    y = _product(x, w) if bias is None else _product_bias(x, w, bias.reshape(-1), relu)
    if bias is None and relu:
        y = jax.nn.relu(y)
    return y.reshape(*rows, *units)


def product_of_rows(x: Tensor, y: Tensor) -> Tensor:
    """Returns `x.T @ y` without turning either: (rows, n) and (rows, m) give (n, m)."""
    return _by_kernel(x, y)


def _served(inputs: Tensor, kernel: Tensor, rows: tuple[int, ...]) -> bool:
    if inputs.dtype not in native.TYPES or not native.available():
        return False
    work = math.prod(rows) * kernel.size
    if inputs.dtype == jnp.bfloat16 and native.package().isa() == "amx":
        return work >= _LEAST_WORK
    return _LEAST_WORK <= work <= _MOST_WORK and kernel.size <= _MOST_WEIGHTS


# ---- the three products, as convolutions of one cell over images of one cell


def _images(x: Tensor) -> Tensor:
    return x[:, None, None]


def _rows(x: Tensor) -> Tensor:
    return x[:, 0, 0]


@jax.custom_vjp
def _product_rule(x: Tensor, w: Tensor) -> Tensor:
    def xla(x: Tensor, w: Tensor) -> Tensor:
        return _images(_rows(x) @ w[0, 0])

    result = ((len(x), 1, 1, w.shape[1]), x.dtype)
    return _rows(native.call("hornbill_conv", xla, result, (_images(x), w[None, None]), _ATTRIBUTES))


@functools.partial(jax.custom_vjp, nondiff_argnums=(3,))
def _product_bias_rule(x: Tensor, w: Tensor, bias: Tensor, relu: bool) -> Tensor:
    def xla(x: Tensor, w: Tensor, bias: Tensor) -> Tensor:
        sums = _rows(x) @ w[0, 0] + bias
        return _images(jax.nn.relu(sums) if relu else sums)

    result = ((len(x), 1, 1, w.shape[1]), x.dtype)
    operands, attributes = (_images(x), w[None, None], bias), {**_ATTRIBUTES, "activation": np.int64(relu)}
    return _rows(native.call("hornbill_conv_bias", xla, result, operands, attributes))


@jax.custom_vjp
def _by_inputs_rule(by: Tensor, w: Tensor) -> Tensor:
    def xla(by: Tensor, w: Tensor) -> Tensor:
        return _images(_rows(by) @ w[0, 0].T)

    result = ((len(by), 1, 1, w.shape[0]), by.dtype)
    return _rows(
        native.call("hornbill_conv_input_grad", xla, result, (_images(by), w[None, None]), _ATTRIBUTES)
    )


@jax.custom_vjp
def _by_kernel_rule(x: Tensor, by: Tensor) -> Tensor:
    def xla(x: Tensor, by: Tensor) -> Tensor:
        return (_rows(x).T @ _rows(by))[None, None]

    result = ((1, 1, x.shape[1], by.shape[1]), x.dtype)
    operands = (_images(x), _images(by))
    return native.call("hornbill_conv_weight_grad", xla, result, operands, _ATTRIBUTES, rows=0)[0, 0]


def _bias_forward(x: Tensor, w: Tensor, bias: Tensor, relu: bool) -> Any:
    outputs = _product_bias(x, w, bias, relu)
    return outputs, (x, w, outputs if relu else None)


def _bias_back(relu: bool, held: Any, by: Tensor) -> tuple[Tensor, ...]:
    x, w, outputs = held
    if relu:
        masked, by_bias = native.relu_grad(_images(by), _images(outputs))
        by = _rows(masked)
    else:
        by_bias = by.sum(0)
    return _by_inputs(by, w), _by_kernel(x, by), by_bias


_product_rule.defvjp(
    lambda x, w: (_product(x, w), (x, w)),
    lambda held, by: (_by_inputs(by, held[1]), _by_kernel(held[0], by)),
)
_product_bias_rule.defvjp(_bias_forward, _bias_back)
_by_inputs_rule.defvjp(
    lambda by, w: (_by_inputs(by, w), (by, w)),
    lambda held, again: (_product(again, held[1]), _by_kernel(again, held[0])),
)
_by_kernel_rule.defvjp(
    lambda x, by: (_by_kernel(x, by), (x, by)),
    lambda held, again: (_by_inputs(held[1], again), _product(held[0], again)),
)

# Compiled as a whole, so that calls outside any compiled function are not traced each time.
_product = jax.jit(_product_rule)
_product_bias = jax.jit(_product_bias_rule, static_argnums=3)
_by_inputs = jax.jit(_by_inputs_rule)
_by_kernel = jax.jit(_by_kernel_rule)
