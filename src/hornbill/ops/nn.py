"""`keras.ops.nn`: every neural-network op under one name, and those that have no family of their own.

Here are encodings of class numbers, rearrangements between space and depth, and signal measures.
Convolutions, pooling, activations, normalisations, attention and cross-entropies come from the modules of
these names.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from hornbill.engine.dtype import standardize_dtype
from hornbill.engine.errors import ArgumentError, ArgumentTypeError, ShapeError
from hornbill.engine.lazy import lazy_module
from hornbill.engine.op import Tensor, op
from hornbill.ops.activation import (
    as_float,
    celu,
    elu,
    gelu,
    glu,
    hard_shrink,
    hard_sigmoid,
    hard_silu,
    hard_swish,
    hard_tanh,
    leaky_relu,
    log_sigmoid,
    log_softmax,
    relu,
    relu6,
    selu,
    sigmoid,
    silu,
    soft_shrink,
    softmax,
    softplus,
    softsign,
    sparse_plus,
    sparse_sigmoid,
    sparsemax,
    squareplus,
    swish,
    tanh_shrink,
    threshold,
)
from hornbill.ops.attention import dot_product_attention
from hornbill.ops.conv import conv, conv_transpose, depthwise_conv, separable_conv
from hornbill.ops.crossentropy import (
    binary_crossentropy,
    categorical_crossentropy,
    sparse_categorical_crossentropy,
)
from hornbill.ops.ctc import ctc_decode, ctc_loss
from hornbill.ops.normalization import (
    batch_normalization,
    layer_normalization,
    moments,
    normalize,
    rms_normalization,
)
from hornbill.ops.pooling import adaptive_average_pool, adaptive_max_pool, average_pool, max_pool
from hornbill.ops.windows import dilated, image_axes, per_axis, show

jax_sparse = lazy_module("jax.experimental.sparse")

__all__ = [
    "adaptive_average_pool", "adaptive_max_pool", "average_pool", "batch_normalization",
    "binary_crossentropy", "categorical_crossentropy", "celu", "conv", "conv_transpose", "ctc_decode",
    "ctc_loss", "depth_to_space", "depthwise_conv", "dot_product_attention", "elu", "fold", "gelu", "glu",
    "hard_shrink", "hard_sigmoid", "hard_silu", "hard_swish", "hard_tanh", "layer_normalization",
    "leaky_relu", "log_sigmoid", "log_softmax", "max_pool", "moments", "multi_hot", "normalize", "one_hot",
    "polar", "psnr", "relu", "relu6", "rms_normalization", "selu", "separable_conv", "sigmoid", "silu",
    "soft_shrink", "softmax", "softplus", "softsign", "space_to_depth", "sparse_categorical_crossentropy",
    "sparse_plus", "sparse_sigmoid", "sparsemax", "squareplus", "swish", "tanh_shrink", "threshold", "unfold",
]  # fmt: skip


# ------------------------------------------------------------------------------------------------- encodings


@op(rule="gather")
def one_hot(x: Tensor, num_classes: int, axis: int = -1, dtype: Any = None, sparse: bool = False) -> Tensor:
    """Turns each class number into a vector of zeros with a one at that place.

    Args:
        x: Class numbers; one that is no class gives zeros only.
        num_classes: Length of the vectors.
        axis: Where the new axis stands in the result.
        dtype: Dtype of the result; None means the default float type.
        sparse: Whether to return a `jax.experimental.sparse.BCOO`.

    Returns:
        The vectors.

    Example:
        >>> one_hot([1, 0], 3).tolist()
        [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]
    """
    x = jnp.asarray(x)
    if jnp.issubdtype(x.dtype, jnp.floating):
        whole = x.astype(jnp.int32)
        x = jnp.where(whole == x, whole, -1)
    result = jax.nn.one_hot(x, num_classes, axis=axis, dtype=standardize_dtype(dtype))
    return jax_sparse.bcoo_fromdense(result, nse=x.size) if sparse else result


@op(rule="gather")
def multi_hot(
    inputs: Tensor,
    num_classes: int | None = None,
    axis: int = -1,
    dtype: Any = None,
    sparse: bool = False,
    **kwargs: Any,
) -> Tensor:
    """Turns each row of class numbers into one vector of zeros with ones at all these places.

    Args:
        inputs: Class numbers; those that are no class are left out.
        num_classes: Length of the vectors.
        axis: Where the new axis stands before the second axis of the result is merged.
        dtype: Dtype of the result; None means the default float type.
        sparse: Whether to return a `jax.experimental.sparse.BCOO`.
        **kwargs: `num_tokens`, an old name of `num_classes`.

    Returns:
        The vectors.

    Raises:
        ArgumentError: If `num_classes` is missing.

    Example:
        >>> multi_hot([[0, 2], [1, 1]], 3).tolist()
        [[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]]
    """
    num_classes = kwargs.pop("num_tokens", num_classes)
    if kwargs:
        raise ArgumentTypeError(
            "multi_hot takes inputs, num_classes, axis, dtype and sparse.", got=f"{sorted(kwargs)}."
        )
    if num_classes is None:
        raise ArgumentError(
            "multi_hot needs num_classes, the length of the vectors.", fixes="multi_hot(x, 10)"
        )
    inputs = jnp.asarray(inputs)
    merged = 1 if inputs.ndim > 1 else 0
    result = jnp.max(one_hot(inputs, num_classes, axis, dtype), axis=merged)
    return jax_sparse.bcoo_fromdense(result, nse=min(inputs.size, result.size)) if sparse else result


# ------------------------------------------------------------------------------------------- space and depth


def _check_block(owner: str, x: Tensor, block_size: int, data_format: str | None) -> str:
    data_format = image_axes(owner, x, data_format, (4,))
    if not isinstance(block_size, int) or block_size < 2:
        raise ArgumentError(
            f"{owner}: block_size must be a whole number from 2 on.", got=f"block_size={block_size!r}."
        )
    return data_format


@op(rule="reshape")
def depth_to_space(x: Tensor, block_size: int, data_format: str | None = "channels_last") -> Tensor:
    """Lays groups of `block_size**2` channels out as blocks of cells: fewer channels, a larger image.

    Args:
        x: The images.
        block_size: Height and width of a block.
        data_format: "channels_last" or "channels_first"; None means the global setting.

    Shapes:
        x: (batch, height, width, channels).
        returns: (batch, height * block, width * block, channels / block**2).

    Returns:
        The rearranged images.

    Raises:
        ShapeError: If the channels cannot be divided.
    """
    data_format = _check_block("depth_to_space", x, block_size, data_format)
    channels = x.shape[-1] if data_format == "channels_last" else x.shape[1]
    if channels % block_size**2:
        raise ShapeError(
            f"depth_to_space: the channels must be a multiple of block_size**2 = {block_size**2}.",
            got=f"{channels} channels, shape {show(x.shape)}.",
        )
    depth = channels // block_size**2
    if data_format == "channels_last":
        batch, height, width, _ = x.shape
        x = x.reshape((batch, height, width, block_size, block_size, depth)).transpose((0, 1, 3, 2, 4, 5))
        return x.reshape((batch, height * block_size, width * block_size, depth))
    batch, _, height, width = x.shape
    x = x.reshape((batch, depth, block_size, block_size, height, width)).transpose((0, 1, 4, 2, 5, 3))
    return x.reshape((batch, depth, height * block_size, width * block_size))


@op(rule="reshape")
def space_to_depth(x: Tensor, block_size: int, data_format: str | None = "channels_last") -> Tensor:
    """Piles blocks of `block_size` x `block_size` cells up as channels; undoes `depth_to_space`.

    Args:
        x: The images.
        block_size: Height and width of a block.
        data_format: "channels_last" or "channels_first"; None means the global setting.

    Shapes:
        x: (batch, height, width, channels).
        returns: (batch, height / block, width / block, channels * block**2).

    Returns:
        The rearranged images.

    Raises:
        ShapeError: If height or width cannot be divided.
    """
    data_format = _check_block("space_to_depth", x, block_size, data_format)
    last = data_format == "channels_last"
    height, width = x.shape[1:3] if last else x.shape[2:4]
    if height % block_size or width % block_size:
        raise ShapeError(
            f"space_to_depth: height and width must be multiples of block_size = {block_size}.",
            got=f"height {height}, width {width}, shape {show(x.shape)}.",
        )
    rows, columns = height // block_size, width // block_size
    if last:
        x = x.reshape((x.shape[0], rows, block_size, columns, block_size, x.shape[3])).transpose(
            (0, 1, 3, 2, 4, 5)
        )
        return x.reshape((x.shape[0], rows, columns, block_size**2 * x.shape[5]))
    x = x.reshape((x.shape[0], x.shape[1], rows, block_size, columns, block_size)).transpose(
        (0, 1, 3, 5, 2, 4)
    )
    return x.reshape((x.shape[0], x.shape[1] * block_size**2, rows, columns))


def _block_views(
    sizes: Sequence[int], kernel: Sequence[int], dilation: Sequence[int], stride: Sequence[int]
) -> tuple[list[int], list[tuple[int, int]]]:
    """Returns how many windows fit along height and width, and the first cell that each window cell reads."""
    counts = [
        (n - dilated(k, d)) // s + 1 for n, k, d, s in zip(sizes, kernel, dilation, stride, strict=True)
    ]
    firsts = [
        (i * dilation[0], j * dilation[1]) for i, j in itertools.product(range(kernel[0]), range(kernel[1]))
    ]
    return counts, firsts


@op(rule="reshape")
def unfold(
    x: Tensor,
    kernel_size: int | Sequence[int],
    dilation: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    stride: int | Sequence[int] = 1,
) -> Tensor:
    """Cuts images into windows and lays each window out as a column.

    Args:
        x: The images, channels first.
        kernel_size: Height and width of a window.
        dilation: Distance between the cells of a window.
        padding: Zeros added on each side.
        stride: Step of the window.

    Shapes:
        x: (batch, channels, height, width).
        returns: (batch, channels * kernel height * kernel width, windows).

    Returns:
        The columns.

    Raises:
        ShapeError: If the window is larger than the padded image.
    """
    image_axes("unfold", x, "channels_first", (4,))
    kernel, dilation = (
        per_axis("unfold", "kernel_size", kernel_size, 2),
        per_axis("unfold", "dilation", dilation, 2),
    )
    pads, step = per_axis("unfold", "padding", padding, 2, least=0), per_axis("unfold", "stride", stride, 2)
    x = jnp.pad(x, ((0, 0), (0, 0), *((p, p) for p in pads)))
    (rows, columns), firsts = _block_views(x.shape[2:], kernel, dilation, step)
    if rows < 1 or columns < 1:
        raise ShapeError(
            f"unfold: the window of {kernel} cells, dilation {dilation}, is larger than the padded image.",
            got=f"padded image {show(x.shape)}.",
        )
    height, width = (rows - 1) * step[0] + 1, (columns - 1) * step[1] + 1
    views = [x[:, :, i : i + height : step[0], j : j + width : step[1]] for i, j in firsts]
    stacked = jnp.stack(views, axis=2)  # (batch, channels, window cells, rows, columns)
    return stacked.reshape((x.shape[0], x.shape[1] * len(firsts), rows * columns))


@op(rule="reshape")
def fold(
    x: Tensor,
    output_size: int | Sequence[int],
    kernel_size: int | Sequence[int],
    dilation: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    stride: int | Sequence[int] = 1,
) -> Tensor:
    """Puts columns from `unfold` back as windows of images; where windows overlap, they are added.

    Args:
        x: The columns.
        output_size: Height and width of the images.
        kernel_size: Height and width of a window.
        dilation: Distance between the cells of a window.
        padding: Zeros that `unfold` added on each side.
        stride: Step of the window.

    Shapes:
        x: (batch, channels * kernel height * kernel width, windows).
        returns: (batch, channels, height, width).

    Returns:
        The images.

    Raises:
        ShapeError: If the columns do not fit the windows.
    """
    size, kernel = (
        per_axis("fold", "output_size", output_size, 2),
        per_axis("fold", "kernel_size", kernel_size, 2),
    )
    dilation, step = per_axis("fold", "dilation", dilation, 2), per_axis("fold", "stride", stride, 2)
    pads = per_axis("fold", "padding", padding, 2, least=0)
    padded = [n + 2 * p for n, p in zip(size, pads, strict=True)]
    (rows, columns), firsts = _block_views(padded, kernel, dilation, step)
    if x.ndim != 3 or x.shape[1] % len(firsts) or x.shape[2] != rows * columns:
        raise ShapeError(
            f"fold wants (batch, channels * {len(firsts)}, {rows * columns}).",
            got=f"{show(x.shape)}.",
            why=f"{kernel[0]} x {kernel[1]} cells per window; {rows} x {columns} windows fit.",
        )
    channels = x.shape[1] // len(firsts)
    x = x.reshape((x.shape[0], channels, len(firsts), rows, columns))
    total = jnp.zeros((x.shape[0], channels, *padded), x.dtype)
    spans = [(n - 1) * s + 1 for n, s in zip((rows, columns), step, strict=True)]
    for number, (i, j) in enumerate(firsts):
        edges = [(0, 0, 0), (0, 0, 0), (i, padded[0] - i - spans[0], step[0] - 1)]
        edges.append((j, padded[1] - j - spans[1], step[1] - 1))
        total = total + lax.pad(x[:, :, number], jnp.zeros((), x.dtype), edges)
    return total[:, :, pads[0] : pads[0] + size[0], pads[1] : pads[1] + size[1]]


# -------------------------------------------------------------------------------------------------- measures


@op(rule="reduction")
def psnr(x1: Tensor, x2: Tensor, max_val: float) -> Tensor:
    """Returns the peak signal-to-noise ratio in decibels: `20 log10(max_val) - 10 log10(mean((x1 - x2)**2))`.

    Args:
        x1: First signal.
        x2: Second signal, of the same shape.
        max_val: The largest value a signal can have.

    Returns:
        One number; the higher, the more alike.

    Raises:
        ShapeError: If the shapes differ.
    """
    x1, x2 = as_float(x1), as_float(x2)
    if x1.shape != x2.shape:
        raise ShapeError("psnr: both signals must have the same shape.", got=f"{x1.shape} and {x2.shape}.")
    noise = jnp.mean(jnp.square(x1 - x2))
    return 20 * jnp.log10(jnp.asarray(max_val, noise.dtype)) - 10 * jnp.log10(noise)


@op(rule="elementwise")
def polar(abs_: Tensor, angle: Tensor) -> Tensor:
    """Returns complex numbers from their distances to 0 and their angles.

    Args:
        abs_: The distances.
        angle: The angles, in radians.
    """
    abs_, angle = as_float(abs_), as_float(angle)
    return lax.complex(*jnp.broadcast_arrays(abs_ * jnp.cos(angle), abs_ * jnp.sin(angle)))
