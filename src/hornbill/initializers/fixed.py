"""Initializers without chance: constants, the identity matrix and the Fourier kernels of a spectrogram."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from hornbill.engine.errors import ArgumentError, ShapeError, did_you_mean, one_of
from hornbill.initializers.base import Initializer, numpy_dtype

__all__ = [
    "STFT",
    "Constant",
    "Identity",
    "IdentityInitializer",
    "Ones",
    "STFTInitializer",
    "Zeros",
    "constant",
    "identity",
    "ones",
    "stft",
    "zeros",
]


class Constant(Initializer):
    """Fills the weight with one value.

    Args:
        value: The number, or an array that broadcasts to the weight's shape.

    Example:
        >>> Constant(2.5)((2,)).tolist()
        [2.5, 2.5]
    """

    def __init__(self, value: Any = 0.0) -> None:
        self.value = value

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> np.ndarray:
        """Returns an array of `shape` filled with the value."""
        value = np.asarray(self.value)
        try:
            return np.full(shape, value, numpy_dtype(dtype))
        except ValueError:
            raise ShapeError(
                f"Constant: the value must broadcast to the weight's shape {tuple(shape)}.",
                got=f"a value of shape {value.shape}.",
            ) from None


class Zeros(Initializer):
    """Fills the weight with 0.

    Example:
        >>> Zeros()((2,)).tolist()
        [0.0, 0.0]
    """

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> np.ndarray:
        """Returns an array of zeros."""
        return np.zeros(shape, numpy_dtype(dtype))


class Ones(Initializer):
    """Fills the weight with 1.

    Example:
        >>> Ones()((2,), dtype="int32").tolist()
        [1, 1]
    """

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> np.ndarray:
        """Returns an array of ones."""
        return np.ones(shape, numpy_dtype(dtype))


class Identity(Initializer):
    """Makes a matrix with `gain` on the diagonal and 0 elsewhere.

    Args:
        gain: The number on the diagonal.

    Raises:
        ShapeError: When called with a shape that is not two-dimensional.

    Example:
        >>> Identity(2.0)((2, 3)).tolist()
        [[2.0, 0.0, 0.0], [0.0, 2.0, 0.0]]
    """

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = gain

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> np.ndarray:
        """Returns the matrix; it need not be square."""
        if len(shape) != 2:
            raise ShapeError(
                "Identity makes matrices, which have two dimensions.",
                got=f"shape {tuple(shape)}, which has {len(shape)}.",
                fixes="Use 'orthogonal' for kernels with more dimensions.",
            )
        return (np.eye(shape[0], shape[1]) * self.gain).astype(numpy_dtype(dtype))

    def get_config(self) -> dict[str, Any]:
        """Returns the gain, unless it is 1: Keras' files leave it out."""
        return {} if self.gain == 1.0 else super().get_config()


# Sums of cosines a0 - a1 cos(t) + a2 cos(2t) - ...: F. J. Harris, On the use of windows, Proc. IEEE 66
# (1978), and A. H. Nuttall, Some windows with very good sidelobe behaviour, IEEE Trans. ASSP 29 (1981).
_COSINE_WINDOWS = {
    "boxcar": (1.0,),
    "hann": (0.5, 0.5),
    "hamming": (0.54, 0.46),
    "blackman": (0.42, 0.5, 0.08),
    "nuttall": (0.3635819, 0.4891775, 0.1365995, 0.0106411),
    "blackmanharris": (0.35875, 0.48829, 0.14128, 0.01168),
    "flattop": (0.21557895, 0.41663158, 0.277263158, 0.083578947, 0.006947368),
}


class STFT(Initializer):
    """Makes the kernel with which a 1D convolution computes one part of a short-time Fourier transform.

    Args:
        side: "real" for the cosines, "imag" for the negative sines.
        window: Name of a window function ("hann", "hamming", "blackman", "nuttall", "blackmanharris",
            "flattop", "boxcar"), the window's values, or None for no window.
        scaling: "density" divides by the root of the sum of squares of the window, "spectrum" by the sum of
            its absolute values; None leaves it. Has no effect without a window.
        periodic: Whether the window is one period long (for spectra) instead of symmetric (for filters).

    Shapes:
        The kernel is `(frame_length, 1, fft_length // 2 + 1)`.

    Example:
        >>> STFT("imag", window=None)((4, 1, 3))[:, 0, 1].round().tolist()
        [-0.0, -1.0, -0.0, 1.0]
    """

    def __init__(
        self,
        side: str = "real",
        window: str | Any | None = "hann",
        scaling: str | None = "density",
        periodic: bool = False,
    ) -> None:
        self.side = one_of("STFT", "side", side, ("real", "imag"))
        if isinstance(window, str) and window not in _COSINE_WINDOWS:
            raise ArgumentError(
                f"STFT: there is no window {window!r}.{did_you_mean(window, _COSINE_WINDOWS)}",
                fixes=f"Use one of {', '.join(map(repr, _COSINE_WINDOWS))}, or give the window's values.",
            )
        self.window = window
        self.scaling = one_of("STFT", "scaling", scaling, ("density", "spectrum", None))
        self.periodic = periodic

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> np.ndarray:
        """Returns the kernel."""
        if len(shape) != 3 or shape[1] != 1:
            raise ShapeError(
                "STFT makes kernels of shape (frame length, 1, FFT length // 2 + 1).", got=f"{tuple(shape)}."
            )
        frame_length, _, frequencies = shape
        times = np.arange(frame_length)[:, None, None]
        fft_length = max(2 * (frequencies - 1), 1)
        angle = 2 * np.pi / fft_length * times * np.arange(frequencies)
        kernel = np.cos(angle) if self.side == "real" else -np.sin(angle)
        if self.window is not None:
            kernel = kernel * self._window_values(frame_length)[:, None, None]
        return kernel.astype(numpy_dtype(dtype))

    def _window_values(self, length: int) -> np.ndarray:
        if isinstance(self.window, str):
            period = max(length if self.periodic else length - 1, 1)
            angle = 2 * np.pi * np.arange(length) / period
            terms = _COSINE_WINDOWS[self.window]
            values = sum((-1) ** order * factor * np.cos(order * angle) for order, factor in enumerate(terms))
        else:
            values = np.asarray(self.window, dtype=float)
            if values.shape != (length,):
                raise ShapeError(
                    f"STFT: the window needs one value per step of the frame, {length}.",
                    got=f"shape {values.shape}.",
                )
        if self.scaling == "density":
            return values / np.sqrt(np.sum(values**2))
        if self.scaling == "spectrum":
            return values / np.sum(np.abs(values))
        return np.asarray(values)


IdentityInitializer = Identity
STFTInitializer = STFT
constant = Constant
identity = Identity
ones = Ones
stft = STFT
zeros = Zeros
