"""What image layers share: batches or single images, dicts of images, labels and masks, random draws, axes.

A layer writes `get_random_transformation` (the draws) and `transform_images`; labels stay, and segmentation masks are
transformed like images by layers that move pixels. Bounding boxes are not supported and refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import jax.numpy as jnp

from hornbill import ops
from hornbill.engine import settings
from hornbill.engine.errors import ArgumentError, ShapeError
from hornbill.engine.layer import Layer
from hornbill.engine.op import Tensor
from hornbill.engine.random import SeedGenerator, make_default_seed

__all__ = ["ImageLayer", "factor_range"]

_BASE = ("name", "trainable", "dtype", "data_format")


def factor_range(
    owner: str, name: str, factor: Any, low: float, high: float, symmetric: bool
) -> tuple[Any, Any]:
    """Returns a factor as (lower, upper): one number means (-x, x), or (low, x) when not symmetric.

    Raises:
        ArgumentError: If it is neither a number nor an ordered pair from `low` to `high`.
    """
    if isinstance(factor, (list, tuple)) and len(factor) == 2:
        lower, upper = factor
    elif isinstance(factor, (int, float)) and not isinstance(factor, bool):
        lower, upper = (-abs(factor), abs(factor)) if symmetric else (low, abs(factor))
    else:
        raise ArgumentError(f"{owner}: {name} is a number or a pair of numbers.", got=f"{name}={factor!r}.")
    if lower > upper or lower < low or upper > high:
        raise ArgumentError(
            f"{owner}: {name} lies from {low} to {high}, the lower number first.", got=f"{factor!r}."
        )
    return lower, upper


class ImageLayer(Layer):
    """Base of layers that take images, or a dict with "images" and what belongs to them."""

    moves_pixels: ClassVar[bool] = False
    only_training: ClassVar[bool] = False
    config_order: ClassVar[tuple[str, ...]] = ()
    generator: SeedGenerator

    def _store(self, data_format: str | None) -> None:
        self.data_format = settings.standardize_data_format(data_format)
        first = self.data_format == "channels_first"
        self.height_axis, self.width_axis, self.channel_axis = (-2, -1, -3) if first else (-3, -2, -1)

    def _store_seed(self, seed: int | None) -> None:
        self.seed = seed
        self.generator = SeedGenerator(make_default_seed() if seed is None else seed)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments that make an equal layer, as plain data."""
        config = super().get_config()
        config["data_format"] = self.data_format
        return {key: config[key] for key in (*_BASE, *self.config_order) if key in config}

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """Draws what a call does; None for layers without chance."""
        return None

    def transform_images(self, images: Tensor, transformation: Any, training: bool = True) -> Tensor:
        """Transforms a batch of images."""
        raise NotImplementedError

    def transform_labels(self, labels: Tensor, transformation: Any, training: bool = True) -> Tensor:
        """Returns the labels as they are."""
        return labels

    def transform_segmentation_masks(
        self, masks: Tensor, transformation: Any, training: bool = True
    ) -> Tensor:
        """Transforms masks as images when pixels move."""
        return self.transform_images(masks, transformation, training) if self.moves_pixels else masks

    def call(self, data: Any, training: bool = True) -> Any:
        """Transforms images, or a dict of them with labels and masks."""
        if self.only_training and not training:
            return data
        if not isinstance(data, dict):
            images, single = self._batched(data)
            transformation = self.get_random_transformation(images, training)
            return self._unbatched(self.transform_images(images, transformation, training), single)
        if "bounding_boxes" in data:
            raise ArgumentError(
                f"{type(self).__name__} {self.name!r} does not transform bounding boxes.",
                got=f"a dict with {', '.join(data)}.",
                fixes="Leave the boxes out, or transform them apart.",
            )
        images, single = self._batched(data["images"])
        transformation = self.get_random_transformation(images, training)
        result = {
            **data,
            "images": self._unbatched(self.transform_images(images, transformation, training), single),
        }
        if "labels" in data:
            result["labels"] = self.transform_labels(data["labels"], transformation, training)
        if "segmentation_masks" in data:
            masks, single = self._batched(data["segmentation_masks"])
            masks = self.transform_segmentation_masks(masks, transformation, training)
            result["segmentation_masks"] = self._unbatched(masks, single)
        return result

    def _batched(self, images: Tensor) -> tuple[Tensor, bool]:
        if len(images.shape) not in (3, 4):
            raise ShapeError(
                f"{type(self).__name__} {self.name!r} wants images (batch, height, width, channels) or one image.",
                got=f"shape {tuple(images.shape)}.",
                fixes="x[..., None] for grey images.",
            )
        single = len(images.shape) == 3
        return (ops.expand_dims(images, 0) if single else images), single

    @staticmethod
    def _unbatched(images: Tensor, single: bool) -> Tensor:
        return ops.squeeze(images, axis=0) if single else images

    def _floats(self, images: Tensor) -> Tensor:
        return ops.cast(images, self.compute_dtype)

    def _size(self, images: Tensor) -> tuple[int, int]:
        return images.shape[self.height_axis], images.shape[self.width_axis]

    def _affine(self, images: Tensor, rows: Sequence[Any]) -> Tensor:
        """Moves the pixels of each image by its six numbers (see `ops.image.affine_transform`)."""
        batch = images.shape[0]
        columns = [
            jnp.broadcast_to(jnp.asarray(value, "float32").reshape(-1), (batch,))
            for value in (*rows, 0.0, 0.0)
        ]
        return ops.image.affine_transform(
            self._floats(images), jnp.stack(columns, axis=1), interpolation=self.interpolation,  # type: ignore[attr-defined]
            fill_mode=self.fill_mode, fill_value=self.fill_value, data_format=self.data_format,  # type: ignore[attr-defined]
        )  # fmt: skip
