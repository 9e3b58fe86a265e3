"""Resizing images on the host with NumPy, for reading data: any size goes without compiling anything.

The same sampling as `hornbill.ops.image.resize` without antialiasing: output pixel i lies at `(i + 0.5) *
scale - 0.5` of the input; pixels beyond the border do not count. Not for: resizing inside a model.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from hornbill.engine.errors import one_of

__all__ = ["INTERPOLATIONS", "crop_to_ratio", "pad_to_ratio", "resize_on_host"]


def _cubic(b: float, c: float) -> Callable[[np.ndarray], np.ndarray]:
    """Returns the kernel of Mitchell and Netravali, Reconstruction filters in computer graphics, 1988."""

    def kernel(x: np.ndarray) -> np.ndarray:
        near = ((12 - 9 * b - 6 * c) * x**3 + (-18 + 12 * b + 6 * c) * x**2 + (6 - 2 * b)) / 6
        far = ((-b - 6 * c) * x**3 + (6 * b + 30 * c) * x**2 + (-12 * b - 48 * c) * x + (8 * b + 24 * c)) / 6
        return np.where(x < 1, near, np.where(x < 2, far, 0.0))

    return kernel


def _lanczos(radius: int) -> Callable[[np.ndarray], np.ndarray]:
    return lambda x: np.where(x < radius, np.sinc(x) * np.sinc(x / radius), 0.0)


# Name -> radius and kernel of the distance in input pixels.
_KERNELS: dict[str, tuple[float, Callable[[np.ndarray], np.ndarray]]] = {
    "bilinear": (1, lambda x: np.maximum(1 - x, 0.0)),
    "bicubic": (2, _cubic(0.0, 0.5)),
    "mitchellcubic": (2, _cubic(1 / 3, 1 / 3)),
    "gaussian": (1.5, lambda x: np.where(x < 1.5, np.exp(-2 * x**2), 0.0)),
    "lanczos3": (3, _lanczos(3)),
    "lanczos5": (5, _lanczos(5)),
}
INTERPOLATIONS = (
    "bilinear",
    "nearest",
    "bicubic",
    "area",
    "lanczos3",
    "lanczos5",
    "gaussian",
    "mitchellcubic",
)


def resize_on_host(images: np.ndarray, size: tuple[int, int], interpolation: str = "bilinear") -> np.ndarray:
    """Returns images in another size as float32.

    Args:
        images: `(..., height, width, channels)`.
        size: Height and width wanted.
        interpolation: One of `INTERPOLATIONS`.
    """
    one_of("resize", "interpolation", interpolation, INTERPOLATIONS)
    result = np.asarray(images, dtype="float32")
    for axis, length in zip((-3, -2), size, strict=True):
        if result.shape[axis] != length:
            result = _resize_axis(result, axis, length, interpolation)
    return np.ascontiguousarray(result)


def _resize_axis(images: np.ndarray, axis: int, length: int, interpolation: str) -> np.ndarray:
    old = images.shape[axis]
    scale = old / length
    if interpolation == "nearest":
        index = np.minimum(((np.arange(length) + 0.5) * scale).astype(int), old - 1)
        return np.take(images, index, axis=axis)
    if interpolation == "area":
        starts = np.arange(length)[:, None] * scale
        pixels = np.arange(old)[None, :]
        overlap = np.clip(np.minimum(starts + scale, pixels + 1) - np.maximum(starts, pixels), 0, None)
        moved = np.moveaxis(images, axis, -1) @ (overlap / scale).T.astype("float32")
        return np.moveaxis(moved, -1, axis)
    radius, kernel = _KERNELS[interpolation]
    centers = (np.arange(length) + 0.5) * scale - 0.5
    first = np.ceil(centers - radius).astype(int)
    taps = first[:, None] + np.arange(int(np.ceil(2 * radius)) + 1)
    weights = kernel(np.abs(taps - centers[:, None])) * ((taps >= 0) & (taps < old))
    weights = (weights / weights.sum(axis=1, keepdims=True)).astype("float32")
    shape = [1] * images.ndim
    shape[axis] = length
    result = np.zeros((), "float32")
    for tap, weight in zip(np.clip(taps, 0, old - 1).T, weights.T, strict=True):
        if weight.any():
            result = result + np.take(images, tap, axis=axis) * weight.reshape(shape)
    return result


def crop_to_ratio(images: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Returns the largest middle part of images `(..., height, width, channels)` in the ratio of `size`."""
    height, width = images.shape[-3:-1]
    kept_height = min(height, int(width * size[0] / size[1]))
    kept_width = min(width, int(height * size[1] / size[0]))
    top, left = (height - kept_height) // 2, (width - kept_width) // 2
    return images[..., top : top + kept_height, left : left + kept_width, :]


def pad_to_ratio(images: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Returns images `(..., height, width, channels)` with zeros around them to the ratio of `size`."""
    height, width = images.shape[-3:-1]
    padded_height = max(height, int(width * size[0] / size[1]))
    padded_width = max(width, int(height * size[1] / size[0]))
    top, left = (padded_height - height) // 2, (padded_width - width) // 2
    pads = [(0, 0)] * (images.ndim - 3)
    pads += [(top, padded_height - height - top), (left, padded_width - width - left), (0, 0)]
    return np.pad(images, pads)
