"""Initializers that draw: uniform, normal, truncated normal, scaled by fan, and orthogonal matrices.

Each instance has one seed. With a whole number, or the one drawn at construction when the seed is None, every
call gives the same values; with a `SeedGenerator` every call gives new ones. Numbers come from NumPy's Philox
generator, so they do not depend on device, and differ from what Keras draws for the same seed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from hornbill.engine.errors import ArgumentError, ShapeError, one_of
from hornbill.engine.random import SeedGenerator, host_rng, make_default_seed
from hornbill.engine.serialization import serialize_keras_object
from hornbill.initializers.base import Initializer, float_dtype

__all__ = [
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "LecunNormal",
    "LecunUniform",
    "Orthogonal",
    "OrthogonalInitializer",
    "RandomNormal",
    "RandomUniform",
    "TruncatedNormal",
    "VarianceScaling",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "lecun_normal",
    "lecun_uniform",
    "orthogonal",
    "random_normal",
    "random_uniform",
    "truncated_normal",
    "variance_scaling",
]

_TRUNCATED_STDDEV = 0.87962566103423978
"""Standard deviation of a standard normal distribution cut off at two standard deviations."""


class RandomInitializer(Initializer):
    """Base of the initializers that draw; keeps the seed.

    Args:
        seed: A whole number, a `SeedGenerator`, or None to draw a seed now.
    """

    def __init__(self, seed: int | SeedGenerator | None = None) -> None:
        if seed is not None and not isinstance(seed, (int, np.integer, SeedGenerator)):
            raise ArgumentError(
                f"{type(self).__name__}: seed must be a whole number, a SeedGenerator or None.",
                got=f"{seed!r}, a {type(seed).__name__}.",
            )
        self._given_seed = seed
        self.seed = make_default_seed() if seed is None else seed

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments, the seed as it was given."""
        return {**super().get_config(), "seed": serialize_keras_object(self._given_seed)}


class RandomNormal(RandomInitializer):
    """Draws from a normal distribution.

    Args:
        mean: Mean of the values.
        stddev: Their standard deviation.
        seed: A whole number, a `SeedGenerator`, or None to draw a seed now.

    Example:
        >>> RandomNormal(stddev=1.0, seed=0)((2, 3)).shape
        (2, 3)
    """

    def __init__(
        self, mean: float = 0.0, stddev: float = 0.05, seed: int | SeedGenerator | None = None
    ) -> None:
        self.mean = mean
        self.stddev = stddev
        super().__init__(seed)

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> np.ndarray:
        """Returns the drawn values."""
        target = float_dtype(self, dtype)
        return _shifted(_normal(self.seed, shape, target), self.mean, self.stddev, target)


class TruncatedNormal(RandomNormal):
    """Draws from a normal distribution, again where a value is more than two standard deviations off.

    The values that remain have a standard deviation of 0.88 `stddev`.

    Args:
        mean: Mean of the values.
        stddev: Standard deviation of the distribution before truncation.
        seed: A whole number, a `SeedGenerator`, or None to draw a seed now.

    Example:
        >>> bool(abs(TruncatedNormal(stddev=1.0, seed=0)((100,))).max() <= 2.0)
        True
    """

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> np.ndarray:
        """Returns the drawn values."""
        target = float_dtype(self, dtype)
        return _shifted(_truncated_normal(self.seed, shape, target), self.mean, self.stddev, target)


class RandomUniform(RandomInitializer):
    """Draws evenly between two bounds.

    Args:
        minval: Lower bound, which can occur.
        maxval: Upper bound, which cannot.
        seed: A whole number, a `SeedGenerator`, or None to draw a seed now.

    Example:
        >>> RandomUniform(0.0, 1.0, seed=0)((2, 3)).shape
        (2, 3)
    """

    def __init__(
        self, minval: float = -0.05, maxval: float = 0.05, seed: int | SeedGenerator | None = None
    ) -> None:
        self.minval = minval
        self.maxval = maxval
        super().__init__(seed)

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> np.ndarray:
        """Returns the drawn values."""
        return _uniform(self.seed, shape, float_dtype(self, dtype), self.minval, self.maxval)


class VarianceScaling(RandomInitializer):
    """Draws with a variance of `scale / n`, where n counts the weight's inputs, outputs or their average.

    For a kernel `(*window, inputs, outputs)` the fan-in is `window size * inputs` and the fan-out
    `window size * outputs`; `input_axes` and `output_axes` say which axes count instead.

    Args:
        scale: Positive factor on the variance.
        mode: "fan_in", "fan_out" or "fan_avg": what n is.
        distribution: "truncated_normal", "untruncated_normal" or "uniform". The standard deviation after
            truncation is `sqrt(scale / n)`; the bound of the uniform one is `sqrt(3 scale / n)`.
        seed: A whole number, a `SeedGenerator`, or None to draw a seed now.
        input_axes: Axes of the weight whose sizes are multiplied to the fan-in. Goes with `output_axes`.
        output_axes: Axes of the weight whose sizes are multiplied to the fan-out.

    Raises:
        ArgumentError: If scale is not positive, or mode or distribution are unknown.

    Example:
        >>> weights = VarianceScaling(2.0, "fan_out", "uniform", seed=0)((3, 3, 8, 16))
        >>> bool(abs(weights).max() <= np.sqrt(3 * 2.0 / (3 * 3 * 16)))
        True
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: int | SeedGenerator | None = None,
        input_axes: int | Sequence[int] | None = None,
        output_axes: int | Sequence[int] | None = None,
    ) -> None:
        if not scale > 0:
            raise ArgumentError("VarianceScaling: scale must be positive.", got=f"scale={scale!r}.")
        distribution = str(distribution).lower()
        if distribution == "normal":  # Keras' old name
            distribution = "truncated_normal"
        one_of("VarianceScaling", "mode", mode, ("fan_in", "fan_out", "fan_avg"))
        one_of(
            "VarianceScaling",
            "distribution",
            distribution,
            ("truncated_normal", "untruncated_normal", "uniform"),
        )
        if (input_axes is None) != (output_axes is None):
            raise ArgumentError(
                f"{type(self).__name__}: input_axes and output_axes go together.",
                got=f"input_axes={input_axes!r}, output_axes={output_axes!r}.",
            )
        self.scale = scale
        self.mode = mode
        self.distribution = distribution
        self.input_axes = input_axes
        self.output_axes = output_axes
        super().__init__(seed)

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> np.ndarray:
        """Returns the drawn values."""
        target = float_dtype(self, dtype)
        variance = self.scale / self._fan(tuple(shape))
        if self.distribution == "uniform":
            limit = math.sqrt(3.0 * variance)
            return _uniform(self.seed, shape, target, -limit, limit)
        stddev = math.sqrt(variance)
        if self.distribution == "untruncated_normal":
            return _shifted(_normal(self.seed, shape, target), 0.0, stddev, target)
        return _shifted(_truncated_normal(self.seed, shape, target), 0.0, stddev / _TRUNCATED_STDDEV, target)

    def _fan(self, shape: tuple[int, ...]) -> float:
        if self.input_axes is None or self.output_axes is None:
            fan_in, fan_out = compute_fans(shape)
        else:
            fan_in = _size_of_axes(shape, "input_axes", self.input_axes)
            fan_out = _size_of_axes(shape, "output_axes", self.output_axes)
        n = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        return max(1.0, n)


class _NamedScaling(VarianceScaling):
    """Base of the rules with a name of their own."""

    _rule: tuple[float, str, str]

    def __init__(
        self,
        seed: int | SeedGenerator | None = None,
        input_axes: int | Sequence[int] | None = None,
        output_axes: int | Sequence[int] | None = None,
    ) -> None:
        super().__init__(*self._rule, seed, input_axes, output_axes)


class GlorotUniform(_NamedScaling):
    """Draws evenly within `sqrt(6 / (fan_in + fan_out))`; the default of most layers' kernels.

    X. Glorot, Y. Bengio, Understanding the difficulty of training deep feedforward neural networks, AISTATS
    2010.

    Args:
        seed: A whole number, a `SeedGenerator`, or None to draw a seed now.
        input_axes: Axes whose sizes make up the fan-in. Goes with `output_axes`.
        output_axes: Axes whose sizes make up the fan-out.
    """

    _rule = (1.0, "fan_avg", "uniform")


class GlorotNormal(_NamedScaling):
    """Draws from a truncated normal distribution with standard deviation `sqrt(2 / (fan_in + fan_out))`.

    X. Glorot, Y. Bengio, Understanding the difficulty of training deep feedforward neural networks, AISTATS
    2010.

    Args:
        seed: A whole number, a `SeedGenerator`, or None to draw a seed now.
        input_axes: Axes whose sizes make up the fan-in. Goes with `output_axes`.
        output_axes: Axes whose sizes make up the fan-out.
    """

    _rule = (1.0, "fan_avg", "truncated_normal")


class LecunNormal(_NamedScaling):
    """Draws from a truncated normal distribution with standard deviation `sqrt(1 / fan_in)`.

    G. Klambauer and others, Self-normalizing neural networks, NIPS 2017.

    Args:
        seed: A whole number, a `SeedGenerator`, or None to draw a seed now.
        input_axes: Axes whose sizes make up the fan-in. Goes with `output_axes`.
        output_axes: Axes whose sizes make up the fan-out.
    """

    _rule = (1.0, "fan_in", "truncated_normal")


class LecunUniform(_NamedScaling):
    """Draws evenly within `sqrt(3 / fan_in)`.

    G. Klambauer and others, Self-normalizing neural networks, NIPS 2017.

    Args:
        seed: A whole number, a `SeedGenerator`, or None to draw a seed now.
        input_axes: Axes whose sizes make up the fan-in. Goes with `output_axes`.
        output_axes: Axes whose sizes make up the fan-out.
    """

    _rule = (1.0, "fan_in", "uniform")


class HeNormal(_NamedScaling):
    """Draws from a truncated normal distribution with standard deviation `sqrt(2 / fan_in)`, made for ReLU.

    K. He and others, Delving deep into rectifiers, ICCV 2015.

    Args:
        seed: A whole number, a `SeedGenerator`, or None to draw a seed now.
        input_axes: Axes whose sizes make up the fan-in. Goes with `output_axes`.
        output_axes: Axes whose sizes make up the fan-out.
    """

    _rule = (2.0, "fan_in", "truncated_normal")


class HeUniform(_NamedScaling):
    """Draws evenly within `sqrt(6 / fan_in)`, made for ReLU.

    K. He and others, Delving deep into rectifiers, ICCV 2015.

    Args:
        seed: A whole number, a `SeedGenerator`, or None to draw a seed now.
        input_axes: Axes whose sizes make up the fan-in. Goes with `output_axes`.
        output_axes: Axes whose sizes make up the fan-out.
    """

    _rule = (2.0, "fan_in", "uniform")


class Orthogonal(RandomInitializer):
    """Makes a random matrix with orthonormal columns (or rows, if it has fewer of them), times `gain`.

    A weight with more than two dimensions is such a matrix of shape `(product of the first, last)`, reshaped.

    A. M. Saxe and others, Exact solutions to the nonlinear dynamics of learning in deep linear networks, ICLR
    2014.

    Args:
        gain: Factor on the matrix.
        seed: A whole number, a `SeedGenerator`, or None to draw a seed now.

    Raises:
        ShapeError: When called with a shape of fewer than two dimensions.

    Example:
        >>> matrix = Orthogonal(seed=0)((4, 3))
        >>> bool(np.allclose(matrix.T @ matrix, np.eye(3), atol=1e-5))
        True
    """

    def __init__(self, gain: float = 1.0, seed: int | SeedGenerator | None = None) -> None:
        self.gain = gain
        super().__init__(seed)

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> np.ndarray:
        """Returns the matrix in the weight's shape."""
        target = float_dtype(self, dtype)
        if len(shape) < 2:
            raise ShapeError(
                "Orthogonal makes matrices, so the weight needs at least two dimensions.",
                got=f"shape {tuple(shape)}, which has {len(shape)}.",
                fixes="Use 'random_normal' or 'zeros' for biases and other vectors.",
            )
        rows, columns = math.prod(shape[:-1]), shape[-1]
        draw = _normal(self.seed, (max(rows, columns), min(rows, columns)), target)
        q, r = np.linalg.qr(draw)
        q *= np.where(np.diagonal(r) < 0, -1, 1)  # makes the distribution uniform over orthogonal matrices
        q = q if rows >= columns else q.T
        return np.multiply(q, self.gain, dtype=q.dtype).reshape(shape).astype(target, copy=False)


def compute_fans(shape: Sequence[int]) -> tuple[int, int]:
    """Returns fan-in and fan-out of a weight: its window size times its inputs, and times its outputs."""
    if not shape:
        return 1, 1
    if len(shape) == 1:
        return shape[0], shape[0]
    window = math.prod(shape[:-2])
    return window * shape[-2], window * shape[-1]


def _size_of_axes(shape: tuple[int, ...], name: str, axes: int | Sequence[int]) -> int:
    axes = (axes,) if isinstance(axes, int) else axes
    try:
        return math.prod(shape[axis] for axis in axes)
    except IndexError:
        raise ShapeError(f"{name}={tuple(axes)} are not all axes of a weight of shape {shape}.") from None


def _rng(seed: int | SeedGenerator) -> np.random.Generator:
    return host_rng(seed if isinstance(seed, SeedGenerator) else int(seed) % 2**64)


def _draw_dtype(target: np.dtype) -> Any:
    return np.float64 if target == np.float64 else np.float32


def _normal(seed: int | SeedGenerator, shape: Sequence[int], target: np.dtype) -> np.ndarray:
    return _rng(seed).standard_normal(tuple(shape), dtype=_draw_dtype(target))


def _truncated_normal(seed: int | SeedGenerator, shape: Sequence[int], target: np.dtype) -> np.ndarray:
    rng = _rng(seed)
    values = rng.standard_normal(math.prod(shape), dtype=_draw_dtype(target))
    outside = np.flatnonzero(np.abs(values) > 2.0)
    while outside.size:
        again = rng.standard_normal(outside.size, dtype=values.dtype)
        values[outside] = again
        outside = outside[np.abs(again) > 2.0]
    return values.reshape(shape)


def _uniform(
    seed: int | SeedGenerator, shape: Sequence[int], target: np.dtype, low: float, high: float
) -> np.ndarray:
    draw = _rng(seed).random(tuple(shape), dtype=_draw_dtype(target))
    return _shifted(draw, low, high - low, target)


def _shifted(values: np.ndarray, shift: float, factor: float, target: np.dtype) -> np.ndarray:
    """Returns `shift + factor * values` in the target dtype, reusing the memory of `values`."""
    values = np.asarray(values)  # a draw of shape () is a scalar
    np.multiply(values, values.dtype.type(factor), out=values)
    if shift:
        np.add(values, values.dtype.type(shift), out=values)
    return values.astype(target, copy=False)


OrthogonalInitializer = Orthogonal
glorot_normal = GlorotNormal
glorot_uniform = GlorotUniform
he_normal = HeNormal
he_uniform = HeUniform
lecun_normal = LecunNormal
lecun_uniform = LecunUniform
orthogonal = Orthogonal
random_normal = RandomNormal
random_uniform = RandomUniform
truncated_normal = TruncatedNormal
variance_scaling = VarianceScaling
