"""The CPU kernels of the package `hornbill-native`: whether they serve a call, and the calls themselves.

They run where the package is installed, on a CPU, in float32, channels last; everything else, and every other device,
runs XLA's own path, which gives the same numbers within rounding. Each call carries both: which one is compiled follows
from the platform it is compiled for. `HORNBILL_NATIVE=off` leaves the kernels alone.

A convolution is linear in its inputs and in its kernel, so three functions are closed under differentiation: the
convolution, its gradient by the inputs (which is the transposed convolution) and its gradient by the kernel.
"""

from __future__ import annotations

import contextlib
import contextvars
import functools
import importlib
import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from hornbill.engine.op import Tensor
from hornbill.ops.windows import known

__all__ = ["Window", "conv", "conv_transpose", "reason_inactive", "serves", "without"]

_ALLOWED = contextvars.ContextVar("native kernels allowed", default=True)
_LEAST_GROUP = 8
"""Channels per group from which the kernels' tiles are filled; smaller groups are left to XLA."""


class Window(NamedTuple):
    """How a kernel slides over two spatial axes; hashable, so that it can be a static argument.

    Attributes:
        strides: Steps.
        pads: Cells of zeros (before, after) each axis.
        dilation: Distance between the cells that a window reads.
        groups: How many groups the channels fall into.
    """

    strides: tuple[int, int]
    pads: tuple[tuple[int, int], tuple[int, int]]
    dilation: tuple[int, int]
    groups: int = 1

    def numbers(self) -> np.ndarray:
        """Returns what the kernels want to know, in their order."""
        (top, _), (left, _) = self.pads
        return np.array([*self.strides, *self.dilation, top, left, self.groups], np.int64)


# ---- whether


@functools.cache
def _load() -> tuple[Any, str]:
    """Returns the package, or None and the reason."""
    if os.environ.get("HORNBILL_NATIVE", "").strip().lower() in ("off", "0", "false", "no"):
        return None, "HORNBILL_NATIVE switches it off"
    try:
        package = importlib.import_module("hornbill_native")
        package.register()
    except ModuleNotFoundError as error:
        if error.name != "hornbill_native":
            return None, f"it cannot be loaded: {error}"
        return None, "the package hornbill-native is not installed"
    except (ImportError, OSError, AttributeError) as error:
        return None, f"it cannot be loaded: {error}"
    return package, ""


def package() -> Any:
    """Returns the package `hornbill_native` if it is installed and works, else None."""
    return _load()[0]


def reason_inactive() -> str:
    """Returns why the kernels are not used at all in this process, or an empty string if they are."""
    _, reason = _load()
    if not reason and len(jax.devices("cpu")) > 1:
        reason = "there are several CPU devices, over which arrays may be sharded"
    return reason


@contextlib.contextmanager
def without() -> Iterator[None]:
    """Traces inside use XLA's path only, for programs that leave this process."""
    token = _ALLOWED.set(False)
    try:
        yield
    finally:
        _ALLOWED.reset(token)


def serves(
    inputs: Tensor,
    kernel: Tensor,
    data_format: str,
    strides: Sequence[int],
    dilation: Sequence[int],
    groups: int = 1,
) -> bool:
    """Returns whether the kernels may take a convolution or transposed convolution.

    Args:
        inputs: What is convolved.
        kernel: The weights.
        data_format: Where the channels stand.
        strides: Steps.
        dilation: Distance between the cells that a window reads.
        groups: How many groups the channels fall into.
    """
    if not _ALLOWED.get() or package() is None:
        return False
    shapes = (*inputs.shape, *kernel.shape)
    return (
        inputs.dtype == kernel.dtype == jnp.float32
        and inputs.ndim in (3, 4)
        and data_format == "channels_last"
        and all(known(size) and size > 0 for size in shapes)
        and not any(step > 1 and apart > 1 for step, apart in zip(strides, dilation, strict=True))
        and (groups == 1 or min(kernel.shape[-2], kernel.shape[-1] // groups) >= _LEAST_GROUP)
        and not reason_inactive()
    )


# ---- calls


def conv(
    inputs: Tensor,
    kernel: Tensor,
    strides: Sequence[int],
    pads: Any,
    dilation: Sequence[int],
    groups: int = 1,
) -> Tensor:
    """Convolves over one or two spatial axes.

    Args:
        inputs: (batch, spatial..., channels).
        kernel: (kernel spatial..., channels / groups, filters).
        strides: Steps.
        pads: (before, after) per spatial axis.
        dilation: Distance between the cells that a window reads.
        groups: How many groups the channels fall into.
    """
    if inputs.ndim == 3:
        wide = conv(inputs[:, None], kernel[None], (1, *strides), [(0, 0), *pads], (1, *dilation), groups)
        return wide.squeeze(1)
    window = Window(tuple(strides), tuple(map(tuple, pads)), tuple(dilation), groups)  # type: ignore[arg-type]
    return _conv(inputs, kernel, window)


def conv_transpose(
    inputs: Tensor,
    kernel: Tensor,
    sizes: Sequence[int],
    strides: Sequence[int],
    pads: Any,
    dilation: Sequence[int],
) -> Tensor:
    """The gradient by its inputs of the convolution that `strides`, `pads` and `dilation` describe.

    Args:
        inputs: (batch, spatial..., channels).
        kernel: (kernel spatial..., filters, channels).
        sizes: Spatial sizes of the result.
        strides: Steps of that convolution, by which the result is larger.
        pads: Its padding, (before, after) per spatial axis, smaller than the kernel.
        dilation: Its dilation.
    """
    if inputs.ndim == 3:
        wide = conv_transpose(
            inputs[:, None], kernel[None], (1, *sizes), (1, *strides), [(0, 0), *pads], (1, *dilation)
        )
        return wide.squeeze(1)
    window = Window(tuple(strides), tuple(map(tuple, pads)), tuple(dilation))  # type: ignore[arg-type]
    return _input_grad(inputs, kernel, window, (inputs.shape[0], *sizes, kernel.shape[-2]))


@functools.partial(jax.custom_vjp, nondiff_argnums=(2,))
def _conv_rule(inputs: Tensor, kernel: Tensor, window: Window) -> Tensor:
    sizes = [
        (n + sum(pads) - (k - 1) * d - 1) // s + 1
        for n, k, s, pads, d in zip(
            inputs.shape[1:-1], kernel.shape, window.strides, window.pads, window.dilation, strict=False
        )
    ]
    shape = (inputs.shape[0], *sizes, kernel.shape[-1])
    return _call("hornbill_conv", functools.partial(_xla_conv, window=window), window, shape, inputs, kernel)


@functools.partial(jax.custom_vjp, nondiff_argnums=(2, 3))
def _input_grad_rule(gradient: Tensor, kernel: Tensor, window: Window, shape: tuple[int, ...]) -> Tensor:
    def xla(gradient: Tensor, kernel: Tensor) -> Tensor:
        inputs = jax.ShapeDtypeStruct((gradient.shape[0], *shape[1:]), gradient.dtype)
        return jax.linear_transpose(lambda x: _xla_conv(x, kernel, window), inputs)(gradient)[0]

    return _call("hornbill_conv_input_grad", xla, window, shape, gradient, kernel)


@functools.partial(jax.custom_vjp, nondiff_argnums=(2, 3))
def _kernel_grad_rule(inputs: Tensor, gradient: Tensor, window: Window, shape: tuple[int, ...]) -> Tensor:
    def xla(inputs: Tensor, gradient: Tensor) -> Tensor:
        kernel = jax.ShapeDtypeStruct(shape, inputs.dtype)
        return jax.linear_transpose(lambda w: _xla_conv(inputs, w, window), kernel)(gradient)[0]

    return _call("hornbill_conv_weight_grad", xla, window, shape, inputs, gradient, batch_in_rows=False)


def _xla_conv(inputs: Tensor, kernel: Tensor, window: Window) -> Tensor:
    return lax.conv_general_dilated(
        inputs, kernel, window.strides, window.pads, rhs_dilation=window.dilation,
        dimension_numbers=("NHWC", "HWIO", "NHWC"), feature_group_count=window.groups,
    )  # fmt: skip


# Residuals are the two operands; each gradient is one of the three functions again.
def _conv_back(window: Window, operands: tuple[Tensor, Tensor], gradient: Tensor) -> tuple[Tensor, Tensor]:
    inputs, kernel = operands
    return (
        _input_grad(gradient, kernel, window, inputs.shape),
        _kernel_grad(inputs, gradient, window, kernel.shape),
    )


def _input_grad_back(
    window: Window, _: tuple[int, ...], operands: tuple[Tensor, Tensor], cotangent: Tensor
) -> tuple[Tensor, Tensor]:
    gradient, kernel = operands
    return _conv(cotangent, kernel, window), _kernel_grad(cotangent, gradient, window, kernel.shape)


def _kernel_grad_back(
    window: Window, _: tuple[int, ...], operands: tuple[Tensor, Tensor], cotangent: Tensor
) -> tuple[Tensor, Tensor]:
    inputs, gradient = operands
    return _input_grad(gradient, cotangent, window, inputs.shape), _conv(inputs, cotangent, window)


_conv_rule.defvjp(lambda x, w, window: (_conv(x, w, window), (x, w)), _conv_back)
_input_grad_rule.defvjp(
    lambda g, w, window, shape: (_input_grad(g, w, window, shape), (g, w)), _input_grad_back
)
_kernel_grad_rule.defvjp(
    lambda x, g, window, shape: (_kernel_grad(x, g, window, shape), (x, g)), _kernel_grad_back
)

# Compiled as a whole, so that calls outside any compiled function are not traced each time.
_conv = jax.jit(_conv_rule, static_argnums=2)
_input_grad = jax.jit(_input_grad_rule, static_argnums=(2, 3))
_kernel_grad = jax.jit(_kernel_grad_rule, static_argnums=(2, 3))


def _call(
    name: str,
    xla: Callable[..., Tensor],
    window: Window,
    shape: tuple[int, ...],
    *operands: Tensor,
    batch_in_rows: bool = True,
) -> Tensor:
    """Runs a kernel on CPUs, and `xla` elsewhere.

    Under `vmap`, a mapped axis joins the batch where only the first operand has it and the result has a batch; else the
    mapped call is XLA's.
    """

    def on_cpu(*arrays: Tensor) -> Tensor:
        rows = arrays[0].shape[:1] if batch_in_rows else shape[:1]
        result = jax.ShapeDtypeStruct((*rows, *shape[1:]), jnp.float32)
        return jax.ffi.ffi_call(name, result)(*arrays, window=window.numbers())

    @jax.custom_batching.custom_vmap
    def run(*arrays: Tensor) -> Tensor:
        return lax.platform_dependent(*arrays, cpu=on_cpu, default=xla)

    @run.def_vmap
    def _(axis_size: int, mapped: list[bool], *arrays: Tensor) -> tuple[Tensor, bool]:
        if batch_in_rows and mapped[0] and not any(mapped[1:]):
            first, *rest = arrays
            out = run(first.reshape((-1, *first.shape[2:])), *rest)
            return out.reshape((axis_size, -1, *out.shape[1:])), True
        return jax.vmap(xla, [0 if axis else None for axis in mapped])(*arrays), True

    return run(*operands)
