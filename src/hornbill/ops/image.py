"""`keras.ops.image`: resizing, colour, patches, padding and comparison of images.

Images are (height, width, channels) or a batch of these; with `data_format="channels_first"` the channels
come before height and width. Whole-number images are computed in floats and rounded back. What moves pixels
to computed places (affine, perspective and elastic transforms) is in `hornbill.ops.warp` and part of this
namespace.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from hornbill.engine.errors import ArgumentError, ShapeError, one_of
from hornbill.engine.op import Tensor, op
from hornbill.ops.activation import as_float
from hornbill.ops.conv import depthwise_conv
from hornbill.ops.pictures import as_batch, image_format, plane_axes, to_dtype
from hornbill.ops.warp import (
    affine_transform,
    elastic_transform,
    gaussian_blur,
    gaussian_weights,
    map_coordinates,
    perspective_transform,
)
from hornbill.ops.windows import check_windows, dilated, padding_name, per_axis, window_padding

__all__ = [
    "affine_transform", "crop_images", "elastic_transform", "extract_patches", "extract_patches_3d",
    "gaussian_blur", "hsv_to_rgb", "map_coordinates", "pad_images", "perspective_transform", "resize",
    "rgb_to_grayscale", "rgb_to_hsv", "scale_and_translate", "sobel_edges", "ssim",
]  # fmt: skip

_INTERPOLATIONS = ("bilinear", "nearest", "lanczos3", "lanczos5", "bicubic")
_METHODS = (
    "linear",
    "bilinear",
    "trilinear",
    "triangle",
    "cubic",
    "bicubic",
    "tricubic",
    "lanczos3",
    "lanczos5",
)


# -------------------------------------------------------------------------------------------------- resizing


@op(rule="upsample")
def resize(
    images: Tensor,
    size: Sequence[int],
    interpolation: str = "bilinear",
    antialias: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    fill_mode: str = "constant",
    fill_value: float = 0.0,
    data_format: str | None = None,
) -> Tensor:
    """Brings images to another height and width.

    Args:
        images: One image or a batch.
        size: New height and width.
        interpolation: "nearest", "bilinear", "bicubic", "lanczos3" or "lanczos5".
        antialias: Whether to weigh all pixels that shrink into one, instead of the nearest few.
        crop_to_aspect_ratio: Whether to cut the image to the new proportions first, instead of stretching it.
        pad_to_aspect_ratio: Whether to widen the image to the new proportions first.
        fill_mode: Only "constant".
        fill_value: What is added on widening.
        data_format: "channels_last" or "channels_first"; None means the global setting.

    Returns:
        The resized images, in the dtype of the images.

    Raises:
        ArgumentError: If an argument is unknown, or both cropping and padding are asked for.
        ShapeError: If the images have another rank.

    Example:
        >>> import numpy as np
        >>> resize(np.ones((2, 4, 4, 3)), (2, 8)).shape
        (2, 2, 8, 3)
    """
    data_format = image_format("resize", images, data_format)
    one_of("image.resize", "interpolation", interpolation, _INTERPOLATIONS)
    one_of("image.resize", "fill_mode", fill_mode, ("constant",))
    if crop_to_aspect_ratio and pad_to_aspect_ratio:
        raise ArgumentError("image.resize can either crop or pad to the aspect ratio, not both.")
    target = per_axis("image.resize", "size", size if isinstance(size, (tuple, list)) else list(size), 2)
    images = jnp.asarray(images)
    axes, dtype = plane_axes(images, data_format), images.dtype
    if not jnp.issubdtype(dtype, jnp.floating):
        images = images.astype(jnp.float32)
    if crop_to_aspect_ratio or pad_to_aspect_ratio:
        images = _to_proportions(images, axes, target, crop_to_aspect_ratio, fill_value)
    shape = list(images.shape)
    for axis, new in zip(axes, target, strict=True):
        shape[axis] = new
    return to_dtype(jax.image.resize(images, shape, interpolation, antialias=antialias), dtype)


def _to_proportions(
    images: Tensor, axes: tuple[int, int], target: tuple[int, ...], crop: bool, fill_value: float
) -> Tensor:
    """Cuts or widens images, evenly on both sides, to the proportions of the target."""
    height, width = (images.shape[axis] for axis in axes)
    wanted = (int(width * target[0] / target[1]), int(height * target[1] / target[0]))
    edges = [(0, 0, 0)] * images.ndim
    for axis, have, want in zip(axes, (height, width), wanted, strict=True):
        if crop and want < have:
            before = (have - want) // 2
            edges[axis] = (-before, want - have + before, 0)
        elif not crop and want > have:
            edges[axis] = ((want - have) // 2, (want - have) // 2, 0)  # an odd cell is left out, as in Keras
    return lax.pad(images, jnp.asarray(fill_value, images.dtype), edges)


@op(rule="upsample")
def scale_and_translate(
    images: Tensor,
    output_shape: Sequence[int],
    scale: Tensor,
    translation: Tensor,
    spatial_dims: Sequence[int],
    method: str,
    antialias: bool = True,
) -> Tensor:
    """Scales an array along some axes and moves it; what comes from outside is 0.

    Args:
        images: The array.
        output_shape: Shape of the result, one size per axis.
        scale: Factor for each of `spatial_dims`.
        translation: Shift for each of them, in cells of the result.
        spatial_dims: The axes to scale.
        method: "linear" (also "bilinear", "trilinear", "triangle"), "cubic" (also "bicubic", "tricubic"),
            "lanczos3" or "lanczos5".
        antialias: Whether to weigh all cells that shrink into one.

    Returns:
        The scaled array, as floats.

    Raises:
        ArgumentError: If the method is unknown.
    """
    one_of("image.scale_and_translate", "method", method, _METHODS)
    return jax.image.scale_and_translate(
        as_float(images),
        tuple(output_shape),
        tuple(spatial_dims),
        as_float(scale),
        as_float(translation),
        method,
        antialias=antialias,
    )


# --------------------------------------------------------------------------------------- padding and cropping


def _completed(
    owner: str, before: Any, after: Any, target: Any, size: int, names: Sequence[str]
) -> tuple[int, int]:
    """Returns the cells to add (or to cut off) before and after, from exactly two of three arguments."""
    grows = owner == "pad_images"
    if sum(value is not None for value in (before, after, target)) != 2:
        raise ArgumentError(
            f"image.{owner} wants exactly two of {', '.join(names)}.",
            got=", ".join(
                f"{name}={value}" for name, value in zip(names, (before, after, target), strict=True)
            )
            + ".",
        )
    if target is not None:
        change = target - size if grows else size - target
        before = change - after if before is None else before
        after = change - before
    left = size + before + after if grows else size - before - after
    if before < 0 or after < 0 or left < 0:
        raise ArgumentError(
            f"image.{owner}: {names[0]}, {names[1]} and the size that is left must be 0 or more.",
            got=f"{names[0]}={before}, {names[1]}={after}, size {size} becomes {left}.",
        )
    return before, after


@op(rule="pad")
def pad_images(
    images: Tensor,
    top_padding: int | None = None,
    left_padding: int | None = None,
    bottom_padding: int | None = None,
    right_padding: int | None = None,
    target_height: int | None = None,
    target_width: int | None = None,
    data_format: str | None = None,
) -> Tensor:
    """Adds zeros around images.

    Give two of top, bottom and target height, and two of left, right and target width.

    Args:
        images: One image or a batch.
        top_padding: Rows added on top.
        left_padding: Columns added on the left.
        bottom_padding: Rows added at the bottom.
        right_padding: Columns added on the right.
        target_height: Height of the result.
        target_width: Width of the result.
        data_format: "channels_last" or "channels_first"; None means the global setting.

    Returns:
        The padded images.

    Raises:
        ArgumentError: If not two of three are given, or one comes out negative.
    """
    data_format = image_format("pad_images", images, data_format)
    images = jnp.asarray(images)
    rows, columns = plane_axes(images, data_format)
    edges = [(0, 0)] * images.ndim
    edges[rows] = _completed(
        "pad_images", top_padding, bottom_padding, target_height, images.shape[rows],
        ("top_padding", "bottom_padding", "target_height"),
    )  # fmt: skip
    edges[columns] = _completed(
        "pad_images", left_padding, right_padding, target_width, images.shape[columns],
        ("left_padding", "right_padding", "target_width"),
    )  # fmt: skip
    return jnp.pad(images, edges)


@op(rule="pad")
def crop_images(
    images: Tensor,
    top_cropping: int | None = None,
    left_cropping: int | None = None,
    bottom_cropping: int | None = None,
    right_cropping: int | None = None,
    target_height: int | None = None,
    target_width: int | None = None,
    data_format: str | None = None,
) -> Tensor:
    """Cuts edges off images.

    Give two of top, bottom and target height, and two of left, right and target width.

    Args:
        images: One image or a batch.
        top_cropping: Rows cut off on top.
        left_cropping: Columns cut off on the left.
        bottom_cropping: Rows cut off at the bottom.
        right_cropping: Columns cut off on the right.
        target_height: Height of the result.
        target_width: Width of the result.
        data_format: "channels_last" or "channels_first"; None means the global setting.

    Returns:
        The cropped images.

    Raises:
        ArgumentError: If not two of three are given, or one comes out negative.
    """
    data_format = image_format("crop_images", images, data_format)
    images = jnp.asarray(images)
    rows, columns = plane_axes(images, data_format)
    top, bottom = _completed(
        "crop_images", top_cropping, bottom_cropping, target_height, images.shape[rows],
        ("top_cropping", "bottom_cropping", "target_height"),
    )  # fmt: skip
    left, right = _completed(
        "crop_images", left_cropping, right_cropping, target_width, images.shape[columns],
        ("left_cropping", "right_cropping", "target_width"),
    )  # fmt: skip
    images = lax.slice_in_dim(images, top, images.shape[rows] - bottom, axis=rows)
    return lax.slice_in_dim(images, left, images.shape[columns] - right, axis=columns)


# --------------------------------------------------------------------------------------------------- patches


def _patches(
    owner: str,
    images: Tensor,
    size: int | Sequence[int],
    strides: int | Sequence[int] | None,
    dilation_rate: int | Sequence[int],
    padding: str,
    data_format: str | None,
    space: int,
) -> Tensor:
    owner = f"image.{owner}"
    data_format = image_format(owner.removeprefix("image."), images, data_format, space=space)
    kernel = per_axis(owner, "size", size, space)
    step = kernel if strides is None else per_axis(owner, "strides", strides, space)
    rate = per_axis(owner, "dilation_rate", dilation_rate, space)
    padding = padding_name(owner, padding)
    images = jnp.asarray(images)
    single = images.ndim == space + 1
    images = images[None] if single else images
    last = data_format == "channels_last"
    images = images if last else jnp.moveaxis(images, 1, -1)
    check_windows(owner, "patch", images.shape, "channels_last", kernel, step, padding, rate)
    spans = [dilated(k, r) for k, r in zip(kernel, rate, strict=True)]
    images = jnp.pad(images, [(0, 0), *window_padding(padding, images.shape[1:-1], spans, step), (0, 0)])
    counts = [(n - span) // s + 1 for n, span, s in zip(images.shape[1:-1], spans, step, strict=True)]
    for axis, (count, k, s, r) in enumerate(zip(counts, kernel, step, rate, strict=True)):
        cells = np.arange(count)[:, None] * s + np.arange(k) * r
        images = jnp.take(images, cells, axis=1 + 2 * axis)  # (batch, count, cell, ..., channels)
    order = [0, *range(1, 2 * space, 2), *range(2, 2 * space + 1, 2), 2 * space + 1]
    patches = images.transpose(order).reshape((images.shape[0], *counts, -1))
    patches = patches if last else jnp.moveaxis(patches, -1, 1)
    return patches[0] if single else patches


@op(rule="window")
def extract_patches(
    images: Tensor,
    size: int | Sequence[int],
    strides: int | Sequence[int] | None = None,
    dilation_rate: int | Sequence[int] = 1,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """Cuts images (or, with three sizes, volumes) into patches and lays each out along the channels.

    Args:
        images: One image or a batch.
        size: Height and width of a patch; three sizes cut volumes.
        strides: Step from patch to patch; None means `size`, so that patches do not overlap.
        dilation_rate: Distance between the pixels of a patch.
        padding: "valid" or "same".
        data_format: "channels_last" or "channels_first"; None means the global setting.

    Shapes:
        images: (batch, height, width, channels).
        returns: (batch, rows, columns, patch height * patch width * channels).

    Returns:
        The patches; the pixels of one stand in reading order, each with its channels.

    Raises:
        ArgumentError: If `size` has another length.
        ShapeError: If a patch is larger than the image.
    """
    space = len(size) if isinstance(size, (tuple, list)) else 2
    if space not in (2, 3):
        raise ArgumentError(
            "image.extract_patches: size must be one, two or three whole numbers.", got=f"{size!r}."
        )
    return _patches("extract_patches", images, size, strides, dilation_rate, padding, data_format, space)


@op(rule="window")
def extract_patches_3d(
    volumes: Tensor,
    size: int | Sequence[int],
    strides: int | Sequence[int] | None = None,
    dilation_rate: int | Sequence[int] = 1,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """Cuts volumes into patches and lays each out along the channels.

    Args:
        volumes: One volume or a batch.
        size: Depth, height and width of a patch.
        strides: Step from patch to patch; None means `size`.
        dilation_rate: Distance between the cells of a patch.
        padding: "valid" or "same".
        data_format: "channels_last" or "channels_first"; None means the global setting.

    Shapes:
        volumes: (batch, depth, height, width, channels).
        returns: (batch, new depth, rows, columns, cells * channels).

    Returns:
        The patches.

    Raises:
        ShapeError: If a patch is larger than the volume.
    """
    return _patches("extract_patches_3d", volumes, size, strides, dilation_rate, padding, data_format, 3)


# ---------------------------------------------------------------------------------------------------- colour


def _three_channels(owner: str, images: Tensor, data_format: str | None) -> tuple[Tensor, int]:
    data_format = image_format(owner, images, data_format)
    images = jnp.asarray(images)
    axis = -1 if data_format == "channels_last" else -3
    if not jnp.issubdtype(images.dtype, jnp.floating):
        raise ArgumentError(
            f"image.{owner} wants floats from 0 to 1.",
            got=f"dtype {images.dtype}.",
            fixes="x.astype('float32') / 255",
        )
    if images.shape[axis] != 3:
        raise ShapeError(
            f"image.{owner} wants three channels.",
            got=f"{images.shape[axis]} channels, shape {images.shape}.",
        )
    return images, axis


@op(rule="elementwise")
def rgb_to_grayscale(images: Tensor, data_format: str | None = None) -> Tensor:
    """Returns the brightness of colour images: `0.2989 red + 0.587 green + 0.114 blue`; grey images stay.

    Args:
        images: One image or a batch.
        data_format: "channels_last" or "channels_first"; None means the global setting.

    Returns:
        Images with one channel, in the dtype of the images.

    Raises:
        ShapeError: If there are neither three channels nor one.
    """
    data_format = image_format("rgb_to_grayscale", images, data_format)
    images = jnp.asarray(images)
    axis = -1 if data_format == "channels_last" else -3
    if images.shape[axis] == 1:
        return images
    if images.shape[axis] != 3:
        raise ShapeError(
            "image.rgb_to_grayscale wants three channels (red, green, blue) or one.",
            got=f"{images.shape[axis]} channels, shape {images.shape}.",
        )
    pixels = as_float(images)
    weights = jnp.asarray([0.2989, 0.5870, 0.1140], pixels.dtype).reshape([3] + [1] * (-axis - 1))
    return jnp.sum(pixels * weights, axis=axis, keepdims=True).astype(images.dtype)


@op(rule="elementwise")
def rgb_to_hsv(images: Tensor, data_format: str | None = None) -> Tensor:
    """Turns red, green and blue into hue, saturation and value, all from 0 to 1.

    Args:
        images: One float image or a batch.
        data_format: "channels_last" or "channels_first"; None means the global setting.

    Returns:
        The images in the other colour space.

    Raises:
        ArgumentError: If the images hold whole numbers.
        ShapeError: If there are not three channels.
    """
    images, axis = _three_channels("rgb_to_hsv", images, data_format)
    red, green, blue = jnp.split(images, 3, axis=axis)
    value, low = images.max(axis, keepdims=True), images.min(axis, keepdims=True)
    spread = value - low
    whole = jnp.where(spread > 0, spread, 1)
    saturation = jnp.where(value > 0, spread / jnp.where(value > 0, value, 1), 0)
    hue = jnp.where(
        value == red,
        (green - blue) / whole,
        jnp.where(value == green, 2 + (blue - red) / whole, 4 + (red - green) / whole),
    )
    hue = jnp.where(spread > 0, hue / 6, 0)
    return jnp.concatenate([jnp.where(hue < 0, hue + 1, hue), saturation, value], axis=axis)


@op(rule="elementwise")
def hsv_to_rgb(images: Tensor, data_format: str | None = None) -> Tensor:
    """Turns hue, saturation and value, all from 0 to 1, into red, green and blue.

    Args:
        images: One float image or a batch.
        data_format: "channels_last" or "channels_first"; None means the global setting.

    Returns:
        The images in the other colour space.

    Raises:
        ArgumentError: If the images hold whole numbers.
        ShapeError: If there are not three channels.
    """
    images, axis = _three_channels("hsv_to_rgb", images, data_format)
    hue, saturation, value = jnp.split(images, 3, axis=axis)
    turn = jnp.mod(hue, 1.0) * 6
    red = jnp.clip(jnp.abs(turn - 3) - 1, 0, 1)
    green = jnp.clip(2 - jnp.abs(turn - 2), 0, 1)
    blue = jnp.clip(2 - jnp.abs(turn - 4), 0, 1)
    pure = jnp.concatenate([red, green, blue], axis=axis)
    return (1 - saturation + saturation * pure) * value


# -------------------------------------------------------------------------------------- edges and comparison


@op(rule="elementwise")
def sobel_edges(images: Tensor, data_format: str | None = None) -> Tensor:
    """Returns how fast brightness rises downwards and to the right at each pixel.

    Args:
        images: A batch of images.
        data_format: "channels_last" or "channels_first"; None means the global setting.

    Shapes:
        images: (batch, height, width, channels).
        returns: (batch, height, width, channels, 2).

    Returns:
        The slopes `[downwards, to the right]` on a new last axis, as floats.

    Raises:
        ShapeError: If the images have another rank.
    """
    data_format = image_format("sobel_edges", images, data_format, batched=True)
    batch, _ = as_batch(as_float(images), data_format)
    smooth, slope = np.array([1.0, 2.0, 1.0]), np.array([-1.0, 0.0, 1.0])
    kernels = np.stack([np.outer(slope, smooth), np.outer(smooth, slope)], axis=-1)  # (3, 3, direction)
    kernel = jnp.asarray(np.tile(kernels[:, :, None], (1, 1, batch.shape[-1], 1)), batch.dtype)
    edges = depthwise_conv(batch, kernel, 1, "same", "channels_last").reshape((*batch.shape, 2))
    return edges if data_format == "channels_last" else jnp.moveaxis(edges, 3, 1)


@op(rule="reduction")
def ssim(
    image1: Tensor,
    image2: Tensor,
    max_val: float = 1.0,
    filter_size: int = 11,
    filter_sigma: float = 1.5,
    k1: float = 0.01,
    k2: float = 0.03,
    data_format: str | None = None,
) -> Tensor:
    """Returns how alike two images look, 1 for equal ones (Wang et al., 2004).

    Args:
        image1: One image or a batch.
        image2: As many images of the same shape.
        max_val: The largest value a pixel can have.
        filter_size: Size of the bell-shaped window in which images are compared.
        filter_sigma: Its standard deviation.
        k1: Keeps the comparison of brightness finite.
        k2: Keeps the comparison of contrast finite.
        data_format: "channels_last" or "channels_first"; None means the global setting.

    Shapes:
        image1, image2: (batch, height, width, channels).
        returns: (batch,), or () for one image.

    Returns:
        One number per pair.

    Raises:
        ShapeError: If the shapes differ or the window is larger than the images.
    """
    data_format = image_format("ssim", image1, data_format)
    first, second = as_float(image1), as_float(image2)
    if first.shape != second.shape:
        raise ShapeError("image.ssim compares images of one shape.", got=f"{first.shape} and {second.shape}.")
    (x, single), (y, _) = as_batch(first, data_format), as_batch(second, data_format)
    (size,) = per_axis("image.ssim", "filter_size", filter_size, 1)
    check_windows("image.ssim", "filter", x.shape, "channels_last", (size, size), (1, 1), "valid")
    weights = gaussian_weights(size, filter_sigma, x.dtype)

    def mean(z: Tensor) -> Tensor:
        for shape in ((size, 1, 1, 1), (1, size, 1, 1)):
            kernel = jnp.broadcast_to(weights.reshape(shape), (*shape[:2], z.shape[-1], 1))
            z = depthwise_conv(z, kernel, 1, "valid", "channels_last")
        return z

    mean_x, mean_y = mean(x), mean(y)
    variance = mean(x * x) - mean_x**2 + mean(y * y) - mean_y**2
    covariance = mean(x * y) - mean_x * mean_y
    c1, c2 = (k1 * max_val) ** 2, (k2 * max_val) ** 2
    brightness = (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1)
    result = jnp.mean(brightness * (2 * covariance + c2) / (variance + c2), axis=(1, 2, 3))
    return result[0] if single else result
