"""Sizes of images: Resizing and CenterCrop."""

from __future__ import annotations

from typing import Any, ClassVar

from hornbill import ops
from hornbill.engine.config import positive_int
from hornbill.engine.errors import ArgumentError
from hornbill.engine.op import Tensor
from hornbill.engine.registry import register_public
from hornbill.layers.preprocessing.image_base import ImageLayer

__all__ = ["CenterCrop", "Resizing"]


class Resizing(ImageLayer):
    """Resizes images.

    Args:
        height: New height.
        width: New width.
        interpolation: "bilinear", "nearest", "bicubic", "lanczos3" or "lanczos5".
        crop_to_aspect_ratio: Whether images are cut to the new proportions first, not stretched.
        pad_to_aspect_ratio: Whether images are widened to the new proportions first.
        fill_mode: Only "constant".
        fill_value: What is added on widening.
        antialias: Whether all pixels that shrink into one are weighed.
        data_format: "channels_last" or "channels_first"; None means the global setting.

    Shapes:
        inputs: (batch, rows, columns, channels); channels second with "channels_first"; one image without
            batch too
        outputs: (batch, height, width, channels)
        Params: 0

    Example:
        >>> Resizing(4, 5)(np.ones((2, 8, 8, 3), "float32")).shape
        (2, 4, 5, 3)
    """

    moves_pixels = True
    checks: ClassVar[dict[str, Any]] = {"height": positive_int, "width": positive_int}
    config_order = (
        "height", "width", "interpolation", "crop_to_aspect_ratio", "pad_to_aspect_ratio", "fill_mode", "fill_value",
        "antialias",
    )  # fmt: skip

    def __init__(
        self,
        height: int,
        width: int,
        interpolation: str = "bilinear",
        crop_to_aspect_ratio: bool = False,
        pad_to_aspect_ratio: bool = False,
        fill_mode: str = "constant",
        fill_value: float = 0.0,
        antialias: bool = False,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if crop_to_aspect_ratio and pad_to_aspect_ratio:
            raise ArgumentError("Resizing can either crop or pad to the aspect ratio, not both.")
        self.height, self.width, self.interpolation = height, width, interpolation
        self.crop_to_aspect_ratio, self.pad_to_aspect_ratio = crop_to_aspect_ratio, pad_to_aspect_ratio
        self.fill_mode, self.fill_value, self.antialias = fill_mode, fill_value, antialias
        self._store(data_format)

    def transform_images(self, images: Tensor, transformation: Any = None, training: bool = True) -> Tensor:
        """Resizes a batch of images."""
        return self._resize(images, self.interpolation)

    def transform_segmentation_masks(
        self, masks: Tensor, transformation: Any, training: bool = True
    ) -> Tensor:
        """Resizes masks by the nearest pixel."""
        return self._resize(masks, "nearest")

    def _resize(self, images: Tensor, interpolation: str) -> Tensor:
        return ops.image.resize(
            images, (self.height, self.width), interpolation=interpolation, antialias=self.antialias,
            crop_to_aspect_ratio=self.crop_to_aspect_ratio, pad_to_aspect_ratio=self.pad_to_aspect_ratio,
            fill_mode=self.fill_mode, fill_value=self.fill_value, data_format=self.data_format,
        )  # fmt: skip


def crop(layer: ImageLayer, images: Tensor, top: Any, left: Any, height: int, width: int) -> Tensor:
    """Returns the part of the images that begins at (top, left)."""
    start: list[Any] = [0] * len(images.shape)
    shape = list(images.shape)
    start[layer.height_axis], start[layer.width_axis] = top, left
    shape[layer.height_axis], shape[layer.width_axis] = height, width
    return ops.slice(images, start, shape)


def resize_and_crop(layer: ImageLayer, images: Tensor, height: int, width: int) -> Tensor:
    """Resizes images that are too small for a crop, keeping their middle."""
    return ops.image.resize(images, (height, width), crop_to_aspect_ratio=True, data_format=layer.data_format)


class CenterCrop(ImageLayer):
    """Cuts out the middle of images; images that are too small are resized.

    Args:
        height: New height.
        width: New width.
        data_format: "channels_last" or "channels_first"; None means the global setting.

    Shapes:
        inputs: (batch, rows, columns, channels); channels second with "channels_first"; one image without
            batch too
        outputs: (batch, height, width, channels)
        Params: 0

    Example:
        >>> CenterCrop(4, 5)(np.ones((2, 8, 8, 3), "float32")).shape
        (2, 4, 5, 3)
    """

    moves_pixels = True
    checks: ClassVar[dict[str, Any]] = {"height": positive_int, "width": positive_int}
    config_order = ("height", "width")

    def __init__(self, height: int, width: int, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.height, self.width = height, width
        self._store(data_format)

    def transform_images(self, images: Tensor, transformation: Any = None, training: bool = True) -> Tensor:
        """Cuts out the middle of each image."""
        images = self._floats(images)
        height, width = self._size(images)
        if height >= self.height and width >= self.width:
            top, left = (height - self.height) // 2, (width - self.width) // 2
            return crop(self, images, top, left, self.height, self.width)
        return resize_and_crop(self, images, self.height, self.width)


register_public("keras.layers", [Resizing, CenterCrop])
