"""Depthwise convolutions by the CPU kernels of `hornbill-native`; see `hornbill.ops.native`, whose scheme they follow.

A depthwise convolution is linear in its inputs and in its kernel, so it and its two gradients are closed under
differentiation.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from hornbill.engine.op import Tensor
from hornbill.ops import native
from hornbill.ops.native import Window
from hornbill.ops.windows import known

__all__ = ["conv", "serves"]

_LEAST_CHANNELS = 8  # fewer do not fill a vector


def serves(inputs: Tensor, kernel: Tensor, data_format: str, strides: Any, dilation: Any) -> bool:
    """Returns whether the kernels take it: float32, channels last, one filter for each channel, one or two axes."""
    shapes = (*inputs.shape, *kernel.shape)
    return (
        inputs.dtype == kernel.dtype == jnp.float32
        and inputs.ndim in (3, 4)
        and data_format == "channels_last"
        and kernel.shape[-1] == 1
        and all(known(size) and size > 0 for size in shapes)
        and inputs.shape[-1] >= _LEAST_CHANNELS
        and not any(step > 1 and apart > 1 for step, apart in zip(strides, dilation, strict=True))
        and native.available()
    )


def conv(
    inputs: Tensor, kernel: Tensor, strides: Sequence[int], pads: Any, dilation: Sequence[int]
) -> Tensor:
    """Convolves each channel with its own kernel.

    Args:
        inputs: (batch, spatial..., channels).
        kernel: (kernel spatial..., channels, 1).
        strides: Steps.
        pads: (before, after) per spatial axis.
        dilation: Distance between the cells that a window reads.
    """
    if inputs.ndim == 3:
        wide = conv(inputs[:, None], kernel[None], (1, *strides), [(0, 0), *pads], (1, *dilation))
        return wide.squeeze(1)
    return _conv(inputs, kernel, Window(tuple(strides), tuple(map(tuple, pads)), tuple(dilation)))  # type: ignore[arg-type]


def _xla(inputs: Tensor, kernel: Tensor, window: Window) -> Tensor:
    return lax.conv_general_dilated(
        inputs, kernel.swapaxes(-1, -2), window.strides, window.pads, rhs_dilation=window.dilation,
        dimension_numbers=("NHWC", "HWIO", "NHWC"), feature_group_count=inputs.shape[-1],
    )  # fmt: skip


@functools.partial(jax.custom_vjp, nondiff_argnums=(2,))
def _conv_rule(inputs: Tensor, kernel: Tensor, window: Window) -> Tensor:
    shape = jax.eval_shape(functools.partial(_xla, window=window), inputs, kernel).shape
    xla = functools.partial(_xla, window=window)
    attributes = {"window": window.numbers()}
    return native.call("hornbill_depthwise", xla, (shape, jnp.float32), (inputs, kernel), attributes)


@functools.partial(jax.custom_vjp, nondiff_argnums=(2, 3))
def _input_grad_rule(gradient: Tensor, kernel: Tensor, window: Window, shape: tuple[int, ...]) -> Tensor:
    def xla(gradient: Tensor, kernel: Tensor) -> Tensor:
        inputs = jax.ShapeDtypeStruct((gradient.shape[0], *shape[1:]), gradient.dtype)
        return jax.linear_transpose(lambda x: _xla(x, kernel, window), inputs)(gradient)[0]

    attributes = {"window": window.numbers()}
    return native.call(
        "hornbill_depthwise_input_grad", xla, (shape, jnp.float32), (gradient, kernel), attributes
    )


@functools.partial(jax.custom_vjp, nondiff_argnums=(2, 3))
def _kernel_grad_rule(inputs: Tensor, gradient: Tensor, window: Window, shape: tuple[int, ...]) -> Tensor:
    def xla(inputs: Tensor, gradient: Tensor) -> Tensor:
        kernel = jax.ShapeDtypeStruct(shape, inputs.dtype)
        return jax.linear_transpose(lambda w: _xla(inputs, w, window), kernel)(gradient)[0]

    attributes = {"window": window.numbers()}
    name, result = "hornbill_depthwise_weight_grad", (shape, jnp.float32)
    return native.call(name, xla, result, (inputs, gradient), attributes, rows=0)


# Residuals are the two operands; each gradient is one of the three functions again.
_conv_rule.defvjp(
    lambda x, w, window: (_conv(x, w, window), (x, w)),
    lambda window, held, by: (
        _input_grad(by, held[1], window, held[0].shape),
        _kernel_grad(held[0], by, window, held[1].shape),
    ),
)
_input_grad_rule.defvjp(
    lambda g, w, window, shape: (_input_grad(g, w, window, shape), (g, w)),
    lambda window, _, held, by: (
        _conv(by, held[1], window),
        _kernel_grad(by, held[0], window, held[1].shape),
    ),
)
_kernel_grad_rule.defvjp(
    lambda x, g, window, shape: (_kernel_grad(x, g, window, shape), (x, g)),
    lambda window, _, held, by: (_input_grad(held[1], by, window, held[0].shape), _conv(held[0], by, window)),
)

_conv = jax.jit(_conv_rule, static_argnums=2)
_input_grad = jax.jit(_input_grad_rule, static_argnums=(2, 3))
_kernel_grad = jax.jit(_kernel_grad_rule, static_argnums=(2, 3))
