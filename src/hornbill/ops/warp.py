"""Image ops that read pixels at computed places, and the Gaussian filter: part of `keras.ops.image`.

Each maps the places of the result back to places of the input and reads there, by the nearest pixel or by
weighing the neighbours.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

from hornbill.engine.errors import ArgumentError, ShapeError, one_of
from hornbill.engine.op import Tensor, op
from hornbill.engine.random import draw_seed
from hornbill.ops.activation import as_float
from hornbill.ops.conv import depthwise_conv
from hornbill.ops.pictures import as_batch, from_batch, image_format, to_dtype
from hornbill.ops.windows import per_axis

__all__ = [
    "affine_transform", "elastic_transform", "gaussian_blur", "gaussian_weights", "map_coordinates",
    "perspective_transform",
]  # fmt: skip

_ORDERS = {"nearest": 0, "bilinear": 1}
_FILL_MODES = ("constant", "nearest", "wrap", "mirror", "reflect")


def _read(
    images: Tensor, rows: Tensor, columns: Tensor, interpolation: str, fill_mode: str, fill: Any
) -> Tensor:
    """Reads a batch of images, channels last, at (batch, new height, new width) places."""
    order = _ORDERS[one_of("image", "interpolation", interpolation, tuple(_ORDERS))]
    one_of("image", "fill_mode", fill_mode, _FILL_MODES)

    def plane(pixels: Tensor, y: Tensor, x: Tensor) -> Tensor:
        return jax.scipy.ndimage.map_coordinates(pixels, [y, x], order=order, mode=fill_mode, cval=fill)

    every_channel = jax.vmap(plane, in_axes=(-1, None, None), out_axes=-1)
    return jax.vmap(every_channel)(images, rows, columns)


@op(rule="gather")
def map_coordinates(
    inputs: Tensor, coordinates: Tensor, order: int, fill_mode: str = "constant", fill_value: Any = 0
) -> Tensor:
    """Reads an array at places that need not be whole.

    Args:
        inputs: The array.
        coordinates: The places: for each axis of the array, where on it.
        order: 0 reads the nearest cell, 1 weighs the neighbours by their nearness.
        fill_mode: What stands outside: "constant" (`fill_value`), "nearest" (a a a | a b c d), "wrap" (b c
            d | a b c d), "mirror" (d c b | a b c d) or "reflect" (c b a | a b c d).
        fill_value: The constant.

    Shapes:
        coordinates: (axes of the inputs, ...).
        returns: (...).

    Returns:
        The values read, in the dtype of the inputs.

    Raises:
        ArgumentError: If order or fill mode are unknown.
        ShapeError: If there is not one row of coordinates per axis.

    Example:
        >>> map_coordinates([0.0, 10.0, 20.0], [[0.5, 1.25]], order=1).tolist()
        [5.0, 12.5]
    """
    inputs, coordinates = jnp.asarray(inputs), as_float(coordinates)
    one_of("image.map_coordinates", "order", order, (0, 1))
    one_of("image.map_coordinates", "fill_mode", fill_mode, _FILL_MODES)
    if coordinates.ndim < 1 or coordinates.shape[0] != inputs.ndim:
        raise ShapeError(
            "image.map_coordinates wants one row of coordinates for each axis of the inputs.",
            got=f"inputs {inputs.shape}, coordinates {coordinates.shape}.",
        )
    return jax.scipy.ndimage.map_coordinates(
        inputs, list(coordinates), order=order, mode=fill_mode, cval=fill_value
    )


def _grid(images: Tensor) -> tuple[Tensor, Tensor]:
    """Returns the row and the column of every pixel, each (1, height, width)."""
    rows, columns = (jnp.arange(size, dtype=jnp.float32) for size in images.shape[1:3])
    return tuple(x[None] for x in jnp.meshgrid(rows, columns, indexing="ij"))  # type: ignore[return-value]


@op(rule="gather")
def affine_transform(
    images: Tensor,
    transform: Tensor,
    interpolation: str = "bilinear",
    fill_mode: str = "constant",
    fill_value: float = 0,
    data_format: str | None = None,
) -> Tensor:
    """Moves, turns, scales or shears images.

    The pixel (x, y) of the result is read at `(a0 x + a1 y + a2, b0 x + b1 y + b2)` of the input.

    Args:
        images: One image or a batch.
        transform: `[a0, a1, a2, b0, b1, b2, c0, c1]`, for all images or for each; c0 and c1 count as 0.
        interpolation: "nearest" or "bilinear".
        fill_mode: What stands outside; see `map_coordinates`.
        fill_value: The constant of "constant".
        data_format: "channels_last" or "channels_first"; None means the global setting.

    Shapes:
        images: (batch, height, width, channels).
        transform: (8,) or (batch, 8).
        returns: (batch, height, width, channels).

    Returns:
        The transformed images, in the dtype of the images.

    Raises:
        ShapeError: If the transforms do not fit the images.
    """
    data_format = image_format("affine_transform", images, data_format)
    batch, single = as_batch(jnp.asarray(images), data_format)
    transform = jax.lax.stop_gradient(as_float(transform))
    if transform.shape not in ((8,), (1, 8), (batch.shape[0], 8)):
        raise ShapeError(
            "image.affine_transform wants 8 numbers per image: transform (8,) or (batch, 8).",
            got=f"transform {transform.shape}, images {jnp.shape(images)}.",
        )
    a0, a1, a2, b0, b1, b2, _, _ = (
        jnp.broadcast_to(transform, (batch.shape[0], 8)).astype(jnp.float32).T[..., None, None]
    )  # each (batch, 1, 1)
    rows, columns = _grid(batch)
    x, y = a0 * columns + a1 * rows + a2, b0 * columns + b1 * rows + b2
    return from_batch(_read(batch, y, x, interpolation, fill_mode, fill_value), data_format, single)


def _homography(start: Tensor, end: Tensor) -> Tensor:
    """Returns the 8 numbers that map each `end` point to its `start` point; both are (4, 2) points (x, y)."""
    x, y = end[:, 0], end[:, 1]
    zeros, ones = jnp.zeros_like(x), jnp.ones_like(x)
    rows_x = jnp.stack([x, y, ones, zeros, zeros, zeros, -start[:, 0] * x, -start[:, 0] * y], axis=1)
    rows_y = jnp.stack([zeros, zeros, zeros, x, y, ones, -start[:, 1] * x, -start[:, 1] * y], axis=1)
    return jnp.linalg.solve(jnp.concatenate([rows_x, rows_y]), jnp.concatenate([start[:, 0], start[:, 1]]))


@op(rule="gather")
def perspective_transform(
    images: Tensor,
    start_points: Tensor,
    end_points: Tensor,
    interpolation: str = "bilinear",
    fill_value: float = 0,
    data_format: str | None = None,
) -> Tensor:
    """Bends images so that four points of them come to lie on four other points.

    Args:
        images: One image or a batch.
        start_points: Four points (x, y) of the input, for all images or for each.
        end_points: Where they lie in the result.
        interpolation: "nearest" or "bilinear".
        fill_value: What stands outside.
        data_format: "channels_last" or "channels_first"; None means the global setting.

    Shapes:
        images: (batch, height, width, channels).
        start_points, end_points: (4, 2) or (batch, 4, 2).
        returns: (batch, height, width, channels).

    Returns:
        The bent images, in the dtype of the images.

    Raises:
        ShapeError: If the points do not fit the images.
    """
    data_format = image_format("perspective_transform", images, data_format)
    batch, single = as_batch(jnp.asarray(images), data_format)
    points = []
    for name, value in (("start_points", start_points), ("end_points", end_points)):
        value = as_float(value).astype(jnp.float32)
        if value.shape not in ((4, 2), (1, 4, 2), (batch.shape[0], 4, 2)):
            raise ShapeError(
                f"image.perspective_transform wants four points (x, y): {name} (4, 2) or (batch, 4, 2).",
                got=f"{name} {value.shape}, images {jnp.shape(images)}.",
            )
        points.append(jnp.broadcast_to(value, (batch.shape[0], 4, 2)))
    a0, a1, a2, b0, b1, b2, c0, c1 = jax.vmap(_homography)(*points).T[..., None, None]
    rows, columns = _grid(batch)
    depth = c0 * columns + c1 * rows + 1.0
    x, y = (a0 * columns + a1 * rows + a2) / depth, (b0 * columns + b1 * rows + b2) / depth
    return from_batch(_read(batch, y, x, interpolation, "constant", fill_value), data_format, single)


def gaussian_weights(size: int, sigma: Any, dtype: Any) -> Tensor:
    """Returns `size` weights of a bell curve around their middle, with the sum 1."""
    places = jnp.arange(size, dtype=dtype) - (size - 1) / 2
    weights = jnp.exp(-0.5 * jnp.square(places / jnp.asarray(sigma, dtype)))
    return weights / weights.sum()


def _blurred(images: Tensor, sizes: Sequence[int], sigmas: Sequence[Any]) -> Tensor:
    """Blurs float images (batch, height, width, channels), one axis after the other."""
    for axis, (size, sigma) in enumerate(zip(sizes, sigmas, strict=True)):
        weights = gaussian_weights(size, sigma, images.dtype)
        shape = (size, 1, 1, 1) if axis == 0 else (1, size, 1, 1)
        kernel = jnp.broadcast_to(weights.reshape(shape), (*shape[:2], images.shape[-1], 1))
        images = depthwise_conv(images, kernel, 1, "same", "channels_last")
    return images


@op(rule="window")
def gaussian_blur(
    images: Tensor,
    kernel_size: Sequence[int] = (3, 3),
    sigma: Sequence[float] = (1.0, 1.0),
    data_format: str | None = None,
) -> Tensor:
    """Blurs images with a bell curve; outside the image there is black.

    Args:
        images: One image or a batch.
        kernel_size: Height and width of the curve in pixels.
        sigma: Its standard deviation along height and width.
        data_format: "channels_last" or "channels_first"; None means the global setting.

    Returns:
        The blurred images, in the dtype of the images.
    """
    data_format = image_format("gaussian_blur", images, data_format)
    images = jnp.asarray(images)
    batch, single = as_batch(images, data_format)
    sizes = per_axis("image.gaussian_blur", "kernel_size", kernel_size, 2)
    sigmas = tuple(sigma) if isinstance(sigma, (tuple, list)) else (sigma, sigma)
    if len(sigmas) != 2:
        raise ArgumentError("image.gaussian_blur: sigma must be two numbers.", got=f"sigma={sigma!r}.")
    return to_dtype(from_batch(_blurred(as_float(batch), sizes, sigmas), data_format, single), images.dtype)


@op(rule="gather")
def elastic_transform(
    images: Tensor,
    alpha: float = 20.0,
    sigma: float = 5.0,
    interpolation: str = "bilinear",
    fill_mode: str = "reflect",
    fill_value: float = 0.0,
    seed: Any = None,
    data_format: str | None = None,
) -> Tensor:
    """Distorts images like rubber: each pixel moves by a smooth random field (Simard et al., 2003).

    Pixels move by about `0.28 * alpha` in each direction; `sigma` says how far apart pixels may be and
    still move together.

    Args:
        images: One image or a batch.
        alpha: How far pixels move.
        sigma: How smooth the field is, in pixels.
        interpolation: "nearest" or "bilinear".
        fill_mode: What stands outside; see `map_coordinates`.
        fill_value: The constant of "constant".
        seed: None, a whole number or a SeedGenerator.
        data_format: "channels_last" or "channels_first"; None means the global setting.

    Returns:
        The distorted images, in the dtype of the images.
    """
    data_format = image_format("elastic_transform", images, data_format)
    batch, single = as_batch(jnp.asarray(images), data_format)
    noise = jax.random.normal(draw_seed(seed), (*batch.shape[:3], 2)) * sigma
    size = int(6 * sigma) | 1
    field = _blurred(noise, (size, size), (sigma, sigma)) * alpha
    rows, columns = _grid(batch)
    result = _read(batch, rows + field[..., 0], columns + field[..., 1], interpolation, fill_mode, fill_value)
    return from_batch(result, data_format, single)
