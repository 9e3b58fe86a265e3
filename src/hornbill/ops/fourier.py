"""Fourier transforms. Complex tensors are written as a pair of real ones, `(real, imaginary)`, as in Keras.

Short-time transforms cut a signal into overlapping windows and transform each; `istft` puts them together
again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from hornbill.engine.errors import ArgumentError, ArgumentTypeError, ShapeError, one_of
from hornbill.engine.op import Tensor, op
from hornbill.ops.checks import as_float, as_tensor, show

__all__ = ["fft", "fft2", "ifft2", "irfft", "istft", "rfft", "stft"]


def _complex(name: str, x: Any, rank: int = 1) -> Tensor:
    if not isinstance(x, (list, tuple)) or len(x) != 2:
        raise ArgumentTypeError(
            f"{name}: x is a pair of tensors, (real part, imaginary part).",
            got=f"{type(x).__name__}.",
            fixes=f"ops.{name}((x, ops.zeros_like(x)))",
        )
    real, imaginary = (as_float(part) for part in x)
    if real.shape != imaginary.shape or real.ndim < rank:
        raise ShapeError(
            f"{name}: real and imaginary part must have one shape, of at least {rank} axes.",
            got=f"{show(real.shape)} and {show(imaginary.shape)}.",
        )
    return lax.complex(real, imaginary)


def _pair(x: Tensor) -> tuple[Tensor, Tensor]:
    return jnp.real(x), jnp.imag(x)


@op(rule="fourier")
def fft(x: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Returns the Fourier transform along the last axis.

    Args:
        x: `(real, imaginary)`, of one shape.

    Returns:
        `(real, imaginary)` of that shape.
    """
    return _pair(jnp.fft.fft(_complex("fft", x)))


@op(rule="fourier")
def fft2(x: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Returns the Fourier transform along the last two axes of `(real, imaginary)`."""
    return _pair(jnp.fft.fft2(_complex("fft2", x, 2)))


@op(rule="fourier")
def ifft2(x: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Returns the inverse Fourier transform along the last two axes of `(real, imaginary)`."""
    return _pair(jnp.fft.ifft2(_complex("ifft2", x, 2)))


@op(rule="fourier")
def rfft(x: Tensor, fft_length: int | None = None) -> tuple[Tensor, Tensor]:
    """Returns the Fourier transform of real numbers along the last axis, without the mirrored half.

    Args:
        x: The tensor.
        fft_length: Length of the transform: the axis is cut, or filled up with zeros; None means its own
            length.

    Returns:
        `(real, imaginary)`, the last axis of size `fft_length // 2 + 1`.
    """
    return _pair(jnp.fft.rfft(as_float(x), fft_length))


@op(rule="fourier")
def irfft(x: Sequence[Tensor], fft_length: int | None = None) -> Tensor:
    """Returns the real numbers whose `rfft` is `x`.

    Args:
        x: `(real, imaginary)`, of one shape.
        fft_length: Length of the result; None means `2 * (n - 1)` for a last axis of size `n`.

    Returns:
        A real tensor.
    """
    return jnp.fft.irfft(_complex("irfft", x), fft_length)


def _window(name: str, window: Any, sequence_length: int, fft_length: int, dtype: Any) -> np.ndarray | Tensor:
    """Returns the window, with zeros at both sides up to `fft_length`."""
    if fft_length < sequence_length:
        raise ArgumentError(
            f"{name}: fft_length must not be less than sequence_length.",
            got=f"{fft_length} and {sequence_length}.",
        )
    if window is None:
        return jnp.ones(fft_length, dtype)
    elif isinstance(window, str):
        one_of(name, "window", window, ("hann", "hamming"))
        edge = 0.5 if window == "hann" else 0.54
        values = edge - (1 - edge) * np.cos(2 * np.pi * np.arange(sequence_length) / sequence_length)
    else:
        values = as_tensor(window)
        if values.shape != (sequence_length,):
            raise ShapeError(
                f"{name}: the window must have sequence_length={sequence_length} elements.",
                got=show(values.shape),
            )
    before = (fft_length - sequence_length) // 2
    return jnp.pad(jnp.asarray(values, dtype), (before, fft_length - sequence_length - before))


@op(rule="sequences")
def stft(
    x: Tensor,
    sequence_length: int,
    sequence_stride: int,
    fft_length: int,
    window: Any = "hann",
    center: bool = True,
) -> tuple[Tensor, Tensor]:
    """Returns the short-time Fourier transform along the last axis.

    Args:
        x: The signal.
        sequence_length: Length of a window.
        sequence_stride: Distance from one window to the next.
        fft_length: Length of each transform.
        window: "hann", "hamming", a tensor of `sequence_length` weights, or None for equal weights.
        center: Whether window `t` has its centre at `t * sequence_stride`; the ends are then mirrored.

    Returns:
        `(real, imaginary)`.

    Shapes:
        `(..., n)` -> `(..., windows, fft_length // 2 + 1)`; `windows = 1 + (n - fft_length) //
        sequence_stride`, where `center` adds `2 * (fft_length // 2)` to `n`.

    Raises:
        ArgumentError: If the window is unknown, or longer than the transform.
    """
    x = as_float(x)
    weights = _window("stft", window, sequence_length, fft_length, x.dtype)
    if center:
        half = fft_length // 2
        x = jnp.pad(x, [(0, 0)] * (x.ndim - 1) + [(half, half)], mode="reflect")
    count = max(0, 1 + (x.shape[-1] - fft_length) // sequence_stride)
    frames = x[..., _places(count, fft_length, sequence_stride)]  # (..., windows, fft_length)
    return _pair(jnp.fft.rfft(frames * weights, fft_length))


def _places(count: int, length: int, stride: int) -> np.ndarray:
    return np.arange(count)[:, None] * stride + np.arange(length)


@op(rule="fourier")
def istft(
    x: Sequence[Tensor],
    sequence_length: int,
    sequence_stride: int,
    fft_length: int,
    length: int | None = None,
    window: Any = "hann",
    center: bool = True,
) -> Tensor:
    """Returns the signal whose `stft` is `x`; the arguments should be those of `stft`.

    Args:
        x: `(real, imaginary)`, shape `(..., windows, fft_length // 2 + 1)`.
        sequence_length: Length of a window.
        sequence_stride: Distance from one window to the next.
        fft_length: Length of each transform.
        length: Length of the result at most; None means all of it.
        window: "hann", "hamming", a tensor of `sequence_length` weights, or None: the windows are then only
            added up.
        center: Whether `stft` mirrored the ends; they are cut off again.

    Returns:
        The signal; 0 where no window reaches.
    """
    frames = jnp.fft.irfft(_complex("istft", x, 2), fft_length)
    weights = _window("istft", window, sequence_length, fft_length, frames.dtype)
    count = frames.shape[-2]
    total = fft_length + (count - 1) * sequence_stride
    places = _places(count, fft_length, sequence_stride)
    signal = jnp.zeros((*frames.shape[:-2], total), frames.dtype).at[..., places].add(frames * weights)
    if window is not None:
        covered = jnp.zeros(total, frames.dtype).at[places].add(jnp.square(weights))
        signal = jnp.where(covered > 1e-10, signal / jnp.where(covered > 1e-10, covered, 1), 0)
    start = fft_length // 2 if center else 0
    end = total - start if length is None else min(total, start + length)
    return signal[..., start:end]
