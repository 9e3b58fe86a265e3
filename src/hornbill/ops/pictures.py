"""Small tools that all image ops share: rank checks, axis positions, and whole-number pixels.

Not public: `keras.ops.image` is `hornbill.ops.image`.
"""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from hornbill.engine import settings
from hornbill.engine.errors import ShapeError
from hornbill.engine.op import Tensor

__all__ = ["as_batch", "from_batch", "image_format", "plane_axes", "to_dtype"]


def image_format(
    owner: str, images: Tensor, data_format: str | None, batched: bool = False, space: int = 2
) -> str:
    """Returns the data format after checking that images are one image or (with or without) a batch.

    Raises:
        ShapeError: If the rank does not fit.
    """
    data_format = settings.standardize_data_format(data_format)
    rank = jnp.ndim(images)
    if rank == space + 2 or (rank == space + 1 and not batched):
        return data_format
    spatial = "height, width" if space == 2 else "depth, height, width"
    one = f"({spatial}, channels)" if data_format == "channels_last" else f"(channels, {spatial})"
    many = "(batch, " + one[1:]
    raise ShapeError(
        f"image.{owner} wants {many if batched else f'{one} or {many}'}.",
        got=f"shape {jnp.shape(images)}, which has {rank} axes.",
        fixes="x[..., None] adds a channels axis, x[None] a batch axis.",
    )


def plane_axes(images: Tensor, data_format: str) -> tuple[int, int]:
    """Returns the positions of height and width."""
    return (
        (images.ndim - 3, images.ndim - 2)
        if data_format == "channels_last"
        else (images.ndim - 2, images.ndim - 1)
    )


def as_batch(images: Tensor, data_format: str) -> tuple[Tensor, bool]:
    """Returns images as (batch, height, width, channels), and whether a batch axis was added."""
    single = images.ndim == 3
    images = images[None] if single else images
    return (images if data_format == "channels_last" else jnp.moveaxis(images, 1, -1)), single


def from_batch(images: Tensor, data_format: str, single: bool) -> Tensor:
    """Undoes `as_batch`."""
    images = images if data_format == "channels_last" else jnp.moveaxis(images, -1, 1)
    return images[0] if single else images


def to_dtype(x: Tensor, dtype: Any) -> Tensor:
    """Returns floats in the dtype of the images they came from: rounded and cut off for whole numbers."""
    if jnp.issubdtype(dtype, jnp.integer):
        limits = jnp.iinfo(dtype)
        return jnp.clip(jnp.round(x), float(limits.min), float(limits.max)).astype(dtype)
    return (jnp.round(x) if dtype == jnp.bool_ else x).astype(dtype)
