"""The CPU kernels of the package `hornbill-native`: whether they serve a call, and the calls themselves.

They run where the package is installed, on a CPU, in float32 or bfloat16, channels last; everything else, and every
other device, runs XLA's own path, which gives the same numbers within rounding. Each call carries both: which one is
compiled follows from the platform it is compiled for. `HORNBILL_NATIVE=off` leaves the kernels alone.

A convolution is linear in its inputs and in its kernel, so three functions are closed under differentiation: the
convolution, its gradient by the inputs (which is the transposed convolution) and its gradient by the kernel.
"""

from __future__ import annotations

import contextlib
import contextvars
import functools
import importlib
import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from hornbill.engine.context import context
from hornbill.engine.op import Tensor
from hornbill.ops.windows import known

__all__ = [
    "TYPES", "Window", "available", "call", "conv", "conv_bias", "conv_transpose", "max_pool",
    "max_pool_grad", "max_pool_place", "package", "reason_inactive", "serves", "serves_pool", "without",
]  # fmt: skip

_ALLOWED = contextvars.ContextVar("native kernels allowed", default=True)
_INTERFACE = 4  # that of `hornbill_native` which is called here
TYPES = (jnp.float32, jnp.bfloat16)
_LEAST_GROUP = 8  # channels per group from which tiles are filled; smaller groups are left to XLA
_POOLED_CHANNELS, _POOLED_SIZE = 16, 32_768  # from which their max-pool is faster than XLA's
_MOST_CELLS = 256  # of a pooling window, whose numbers are bytes


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
        found = getattr(package, "INTERFACE", 1)
        if found != _INTERFACE:
            older = "hornbill-native" if found < _INTERFACE else "hornbill"
            return None, f"{older} is the older of the two packages; install both from one release"
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
    if reason:
        return reason
    if jax.default_backend() != "cpu":
        return "the default device is not a CPU"
    if jax.device_count() > 1:
        return "there are several CPU devices, over which arrays may be sharded"
    return ""


@contextlib.contextmanager
def without() -> Iterator[None]:
    """Traces inside use XLA's path only, for programs that leave this process."""
    token = _ALLOWED.set(False)
    try:
        yield
    finally:
        _ALLOWED.reset(token)


def _may_run() -> bool:
    """Returns whether the package is there and allowed here: explanations and shapes are read off XLA's operations."""
    return _ALLOWED.get() and not context().probing and package() is not None


def available() -> bool:
    """Returns whether kernels may be called where this is traced."""
    return _may_run() and not reason_inactive()


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
    if not _may_run():
        return False
    shapes = (*inputs.shape, *kernel.shape)
    return (
        inputs.dtype == kernel.dtype
        and inputs.dtype in TYPES
        and (inputs.ndim in (3, 4) or (inputs.ndim == 5 and groups == 1))
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
    """Convolves over one to three spatial axes.

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
    if inputs.ndim == 5:
        images, kernel = _depth_as_channels(inputs, kernel, strides[0], pads[0], dilation[0])
        flat = conv(images, kernel, strides[1:], pads[1:], dilation[1:])
        return flat.reshape(inputs.shape[0], -1, *flat.shape[1:])
    window = Window(tuple(strides), tuple(map(tuple, pads)), tuple(dilation), groups)  # type: ignore[arg-type]
    return _conv(inputs, kernel, window)


def conv_bias(
    inputs: Tensor,
    kernel: Tensor,
    bias: Tensor,
    strides: Sequence[int],
    pads: Any,
    dilation: Sequence[int],
    groups: int = 1,
    relu: bool = False,
) -> Tensor:
    """Convolves, adds the bias and, if asked, sets what is below 0 to 0, in one pass over the outputs.

    Args:
        inputs: (batch, spatial..., channels).
        kernel: (kernel spatial..., channels / groups, filters).
        bias: (filters,).
        strides: Steps.
        pads: (before, after) per spatial axis.
        dilation: Distance between the cells that a window reads.
        groups: How many groups the channels fall into.
        relu: Whether the result is rectified.
    """
    if inputs.ndim == 3:
        wide = conv_bias(
            inputs[:, None], kernel[None], bias, (1, *strides), [(0, 0), *pads], (1, *dilation), groups, relu
        )
        return wide.squeeze(1)
    if inputs.ndim == 5:
        images, kernel = _depth_as_channels(inputs, kernel, strides[0], pads[0], dilation[0])
        flat = conv_bias(images, kernel, bias, strides[1:], pads[1:], dilation[1:], relu=relu)
        return flat.reshape(inputs.shape[0], -1, *flat.shape[1:])
    window = Window(tuple(strides), tuple(map(tuple, pads)), tuple(dilation), groups)  # type: ignore[arg-type]
    return _conv_bias(inputs, kernel, bias, window, relu)


def _depth_as_channels(
    inputs: Tensor, kernel: Tensor, stride: int, pads: tuple[int, int], dilation: int
) -> tuple[Tensor, Tensor]:
    """Makes a convolution over depth, height and width one over height and width.

    Every depth of the result becomes an image, and what a window reads along depth becomes channels.

    Returns:
        Images, (batch * new depth, height, width, kernel depth * channels), and the kernel for them.
    """
    depth, (high, wide, channels, filters) = kernel.shape[0], kernel.shape[1:]
    new = (inputs.shape[1] + sum(pads) - (depth - 1) * dilation - 1) // stride + 1
    padded = jnp.pad(inputs, [(0, 0), pads, (0, 0), (0, 0), (0, 0)])
    starts = [cell * dilation for cell in range(depth)]
    views = [
        lax.slice_in_dim(padded, start, start + (new - 1) * stride + 1, stride, axis=1) for start in starts
    ]
    images = jnp.concatenate(views, axis=-1) if depth > 1 else views[0]
    kernel = kernel.transpose(1, 2, 0, 3, 4).reshape(high, wide, depth * channels, filters)
    return images.reshape(-1, *images.shape[2:]), kernel


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


def _result_shape(inputs: Tensor, kernel: Tensor, window: Window) -> tuple[int, ...]:
    sizes = [
        (n + sum(pads) - (k - 1) * d - 1) // s + 1
        for n, k, s, pads, d in zip(
            inputs.shape[1:-1], kernel.shape, window.strides, window.pads, window.dilation, strict=False
        )
    ]
    return (inputs.shape[0], *sizes, kernel.shape[-1])


@functools.partial(jax.custom_vjp, nondiff_argnums=(2,))
def _conv_rule(inputs: Tensor, kernel: Tensor, window: Window) -> Tensor:
    xla = functools.partial(_xla_conv, window=window)
    result = (_result_shape(inputs, kernel, window), inputs.dtype)
    return call("hornbill_conv", xla, result, (inputs, kernel), {"window": window.numbers()})


@functools.partial(jax.custom_vjp, nondiff_argnums=(3, 4))
def _conv_bias_rule(inputs: Tensor, kernel: Tensor, bias: Tensor, window: Window, relu: bool) -> Tensor:
    def xla(inputs: Tensor, kernel: Tensor, bias: Tensor) -> Tensor:
        sums = _xla_conv(inputs, kernel, window) + bias
        return jax.nn.relu(sums) if relu else sums

    result = (_result_shape(inputs, kernel, window), inputs.dtype)
    attributes = {"window": window.numbers(), "activation": np.int64(relu)}
    return call("hornbill_conv_bias", xla, result, (inputs, kernel, bias), attributes)


@functools.partial(jax.custom_vjp, nondiff_argnums=(2, 3))
def _input_grad_rule(gradient: Tensor, kernel: Tensor, window: Window, shape: tuple[int, ...]) -> Tensor:
    def xla(gradient: Tensor, kernel: Tensor) -> Tensor:
        inputs = jax.ShapeDtypeStruct((gradient.shape[0], *shape[1:]), gradient.dtype)
        return jax.linear_transpose(lambda x: _xla_conv(x, kernel, window), inputs)(gradient)[0]

    results, attributes = (shape, gradient.dtype), {"window": window.numbers()}
    return call("hornbill_conv_input_grad", xla, results, (gradient, kernel), attributes)


@functools.partial(jax.custom_vjp, nondiff_argnums=(2, 3))
def _kernel_grad_rule(inputs: Tensor, gradient: Tensor, window: Window, shape: tuple[int, ...]) -> Tensor:
    def xla(inputs: Tensor, gradient: Tensor) -> Tensor:
        kernel = jax.ShapeDtypeStruct(shape, inputs.dtype)
        return jax.linear_transpose(lambda w: _xla_conv(inputs, w, window), kernel)(gradient)[0]

    results, attributes = (shape, inputs.dtype), {"window": window.numbers()}
    return call("hornbill_conv_weight_grad", xla, results, (inputs, gradient), attributes, rows=0)


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


def _conv_bias_forward(
    inputs: Tensor, kernel: Tensor, bias: Tensor, window: Window, relu: bool
) -> tuple[Tensor, Any]:
    outputs = _conv_bias(inputs, kernel, bias, window, relu)
    return outputs, (inputs, kernel, outputs if relu else None)


def _conv_bias_back(window: Window, relu: bool, held: Any, gradient: Tensor) -> tuple[Tensor, ...]:
    inputs, kernel, outputs = held
    if relu:
        gradient, by_bias = relu_grad(gradient, outputs)
    else:
        by_bias = gradient.sum((0, 1, 2))
    return (*_conv_back(window, (inputs, kernel), gradient), by_bias)


def relu_grad(gradient: Tensor, outputs: Tensor) -> tuple[Tensor, Tensor]:
    """Returns the gradient by sums from that by their relu, and the gradient by the bias among them.

    Args:
        gradient: That by the relu, (batch, height, width, channels).
        outputs: The relu.
    """
    # In float32 the compiler does both in one pass; in bfloat16 it goes over each array four times.
    return (_half_relu_grad if gradient.dtype == jnp.bfloat16 else _plain_relu_grad)(gradient, outputs)


def _plain_relu_grad(gradient: Tensor, outputs: Tensor) -> tuple[Tensor, Tensor]:
    gradient = jnp.where(outputs > 0, gradient, 0)  # an output above 0 is a sum above 0
    return gradient, gradient.sum((0, 1, 2))


@jax.custom_vjp
def _half_relu_grad(gradient: Tensor, outputs: Tensor) -> tuple[Tensor, Tensor]:
    results = [(gradient.shape, gradient.dtype), (gradient.shape[-1:], gradient.dtype)]
    masked, by_bias = call("hornbill_relu_grad", _plain_relu_grad, results, (gradient, outputs), {}, rows=0)
    return masked, by_bias


_half_relu_grad.defvjp(
    lambda gradient, outputs: (_half_relu_grad(gradient, outputs), (gradient, outputs)),
    lambda held, cotangents: jax.vjp(_plain_relu_grad, *held)[1](cotangents),
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
_conv_bias_rule.defvjp(_conv_bias_forward, _conv_bias_back)
_input_grad_rule.defvjp(
    lambda g, w, window, shape: (_input_grad(g, w, window, shape), (g, w)), _input_grad_back
)
_kernel_grad_rule.defvjp(
    lambda x, g, window, shape: (_kernel_grad(x, g, window, shape), (x, g)), _kernel_grad_back
)

# Compiled as a whole, so that calls outside any compiled function are not traced each time.
_conv = jax.jit(_conv_rule, static_argnums=2)
_conv_bias = jax.jit(_conv_bias_rule, static_argnums=(3, 4))
_input_grad = jax.jit(_input_grad_rule, static_argnums=(2, 3))
_kernel_grad = jax.jit(_kernel_grad_rule, static_argnums=(2, 3))


# ---- max-pool


def serves_pool(
    shape: Sequence[Any],
    dtype: Any,
    pool: Sequence[int],
    steps: Sequence[int],
    pads: Sequence[tuple[int, int]],
) -> bool:
    """Returns whether the kernels take a max-pool, over the middle axes of an array of four.

    They do not where XLA was measured to be faster: few channels, small arrays, windows that move by one cell.

    Args:
        shape: Shape of what is pooled.
        dtype: Its type.
        pool: Edges of the window, batch and channels included.
        steps: Strides of every axis.
        pads: (before, after) per axis.
    """
    if not _may_run():
        return False
    return (
        dtype in TYPES
        and len(shape) == 4
        and pool[0] == pool[3] == 1
        and pool[1] * pool[2] <= _MOST_CELLS
        and min(steps[1:3]) > 1
        and all(known(size) and size > 0 for size in shape)
        and shape[3] >= _POOLED_CHANNELS
        and math.prod(shape) >= _POOLED_SIZE
        and all(before < size and after < size for size, (before, after) in zip(pool, pads, strict=True))
        and not reason_inactive()
    )


def max_pool(xla: Callable[..., Tensor], inputs: Tensor, shape: Sequence[int], windows: Any) -> Tensor:
    """Takes the largest cell of each window; not differentiable, see `max_pool_place`.

    Args:
        xla: The same on other platforms.
        inputs: (batch, height, width, channels).
        shape: Shape of the result.
        windows: Window size, stride and padding of every axis.
    """
    result = (tuple(shape), inputs.dtype)
    return call("hornbill_max_pool", xla, result, (inputs,), _pool_attributes(windows))


def max_pool_place(
    xla: Callable[..., Any],
    spread: Callable[[Tensor, Tensor], Tensor],
    inputs: Tensor,
    shape: Sequence[int],
    windows: Any,
) -> tuple[Tensor, Tensor]:
    """Takes the largest cell of each window and its number within the window, as one byte.

    Args:
        xla: The same on other platforms.
        spread: The `xla` of `max_pool_grad`.
        inputs: (batch, height, width, channels).
        shape: Shape of the result.
        windows: Window size, stride and padding of every axis.
    """

    @jax.custom_vjp
    def largest(inputs: Tensor) -> tuple[Tensor, Tensor]:
        results = [(tuple(shape), inputs.dtype), (tuple(shape), jnp.uint8)]
        best, place = call("hornbill_max_pool_place", xla, results, (inputs,), _pool_attributes(windows))
        return best, place

    def forward(inputs: Tensor) -> tuple[Any, Tensor]:
        best, place = largest(inputs)
        return (best, place), place

    def back(place: Tensor, cotangents: Any) -> tuple[Tensor]:
        return (max_pool_grad(spread, place, cotangents[0], inputs.shape, windows),)

    largest.defvjp(forward, back)
    return largest(inputs)


def max_pool_grad(
    xla: Callable[..., Tensor], place: Tensor, gradient: Tensor, shape: Sequence[int], windows: Any
) -> Tensor:
    """Gives the gradient of each window to the cell whose number `place` holds.

    Args:
        xla: The same on other platforms, and what is differentiated once more.
        place: Numbers from `max_pool`.
        gradient: The gradient by its result.
        shape: Shape of what was pooled.
        windows: Window size, stride and padding of every axis.
    """

    @jax.custom_vjp
    def spread(gradient: Tensor, place: Tensor) -> Tensor:
        return call(
            "hornbill_max_pool_grad", lambda gradient, place: xla(place, gradient), (tuple(shape), gradient.dtype),
            (gradient, place), _pool_attributes(windows), rows=2,
        )  # fmt: skip

    def back(held: tuple[Tensor, Tensor], cotangent: Tensor) -> tuple[Tensor, None]:
        gradient, place = held
        return jax.linear_transpose(lambda gradient: xla(place, gradient), gradient)(cotangent)[0], None

    spread.defvjp(lambda gradient, place: (spread(gradient, place), (gradient, place)), back)
    return spread(gradient, place)


def _pool_attributes(windows: Any) -> dict[str, np.ndarray]:
    (_, *pool, _), (_, *steps, _), (_, (top, _), (left, _), _) = windows
    return {
        "window": np.array([*steps, 1, 1, top, left, 1], np.int64),
        "pool": np.array(pool, np.int64),
    }


# ---- one call


def call(
    name: str,
    xla: Callable[..., Any],
    results: Any,
    operands: tuple[Tensor, ...],
    attributes: Mapping[str, np.ndarray | np.generic],
    rows: int = 1,
    aliases: dict[int, int] | None = None,
) -> Any:
    """Runs a kernel on CPUs, and `xla` elsewhere. Its gradient is that of `xla`, unless the caller has a better one.

    Args:
        name: The foreign function; where the first operand is bfloat16, its namesake for that.
        xla: The same as XLA's own operations.
        results: (shape, dtype) of the result, or a list of such pairs.
        operands: What the kernel reads.
        attributes: What else the kernel is told.
        rows: How many of the first operands have a batch on their first axis, like the result: a mapped axis of theirs
            then joins the batch. With 0, and where other operands are mapped, `xla` is mapped instead.
        aliases: Operands whose memory a result may take, by number.
    """
    if operands[0].dtype == jnp.bfloat16:
        name += "_bfloat16"

    def on_cpu(*arrays: Tensor) -> Any:
        def spec(result: tuple[tuple[int, ...], Any]) -> jax.ShapeDtypeStruct:
            shape, dtype = result
            return jax.ShapeDtypeStruct((arrays[0].shape[0], *shape[1:]) if rows else shape, dtype)

        wanted = [spec(result) for result in results] if isinstance(results, list) else spec(results)
        return jax.ffi.ffi_call(name, wanted, input_output_aliases=aliases)(*arrays, **attributes)

    def on_others(*arrays: Tensor) -> Any:
        out = xla(*arrays)
        return list(out) if isinstance(results, list) else out

    @jax.custom_batching.custom_vmap
    def run(*arrays: Tensor) -> Any:
        return lax.platform_dependent(*arrays, cpu=on_cpu, default=on_others)

    @run.def_vmap
    def _(axis_size: int, mapped: list[bool], *arrays: Tensor) -> tuple[Any, Any]:
        if rows and all(mapped[:rows]) and not any(mapped[rows:]):
            first = [array.reshape((-1, *array.shape[2:])) for array in arrays[:rows]]
            out = run(*first, *arrays[rows:])
            out = jax.tree.map(lambda array: array.reshape((axis_size, -1, *array.shape[1:])), out)
        else:
            out = jax.vmap(on_others, [0 if axis else None for axis in mapped])(*arrays)
        return out, jax.tree.map(lambda _: True, out)

    @jax.custom_vjp
    def differentiable(*arrays: Tensor) -> Any:
        return run(*arrays)

    differentiable.defvjp(
        lambda *arrays: (run(*arrays), arrays), lambda arrays, by: jax.vjp(on_others, *arrays)[1](by)
    )
    return differentiable(*operands)
