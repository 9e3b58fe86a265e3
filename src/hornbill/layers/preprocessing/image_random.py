"""Random changes of images while training: flip, rotation, zoom, translation, crop, contrast, brightness.

Each image of a batch gets a draw of its own, except for the crop. The numbers come from the layer's SeedGenerator, in
the order in which Keras draws them, so that the same seed gives the same images.
"""

from __future__ import annotations

from typing import Any, ClassVar

import jax.numpy as jnp

from hornbill import ops, random
from hornbill.engine.config import positive_int
from hornbill.engine.errors import one_of
from hornbill.engine.op import Tensor
from hornbill.engine.random import make_default_seed
from hornbill.engine.registry import register_public
from hornbill.layers.preprocessing.geometry import crop, resize_and_crop
from hornbill.layers.preprocessing.image_base import ImageLayer, factor_range

__all__ = [
    "RandomBrightness", "RandomContrast", "RandomCrop", "RandomFlip", "RandomRotation", "RandomTranslation",
    "RandomZoom",
]  # fmt: skip

_FILL = ("constant", "nearest", "wrap", "reflect")
_INTERPOLATION = ("nearest", "bilinear")


class RandomFlip(ImageLayer):
    """Flips images at random.

    Args:
        mode: "horizontal" (left and right), "vertical" (top and bottom) or "horizontal_and_vertical".
        seed: Seed of the draws.
        data_format: "channels_last" or "channels_first"; None means the global setting.

    Shapes:
        inputs: (batch, height, width, channels); one image without batch too
        outputs: inputs
        Params: 0

    Example:
        >>> RandomFlip()(np.ones((2, 8, 8, 3), "float32")).shape
        (2, 8, 8, 3)
    """

    moves_pixels = only_training = True
    config_order = ("seed", "mode")

    def __init__(
        self,
        mode: str = "horizontal_and_vertical",
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.mode = one_of("RandomFlip", "mode", mode, ("horizontal", "vertical", "horizontal_and_vertical"))
        self._store(data_format)
        self._store_seed(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """Draws which images are flipped."""
        draws = random.uniform((data.shape[0], 1, 1, 1), seed=seed or self.generator)
        return {"flips": ops.less_equal(draws, 0.5)}

    def transform_images(self, images: Tensor, transformation: Any, training: bool = True) -> Tensor:
        """Flips the images that were drawn."""
        images, flips = self._floats(images), transformation["flips"]
        if "horizontal" in self.mode:
            images = ops.where(flips, ops.flip(images, axis=self.width_axis), images)
        if "vertical" in self.mode:
            images = ops.where(flips, ops.flip(images, axis=self.height_axis), images)
        return images


class _Moved(ImageLayer):
    """Layers that move pixels by an affine map."""

    moves_pixels = only_training = True
    interpolation: str
    fill_mode: str
    fill_value: float

    def _store_moving(self, interpolation: str, fill_mode: str, fill_value: float, seed: int | None) -> None:
        owner = type(self).__name__
        self.interpolation = one_of(owner, "interpolation", interpolation, _INTERPOLATION)
        self.fill_mode = one_of(owner, "fill_mode", fill_mode, _FILL)
        self.fill_value = fill_value
        self._store_seed(seed)

    def transform_segmentation_masks(
        self, masks: Tensor, transformation: Any, training: bool = True
    ) -> Tensor:
        """Moves the pixels of masks without mixing them."""
        kept, self.interpolation = self.interpolation, "nearest"
        try:
            return self.transform_images(masks, transformation, training)
        finally:
            self.interpolation = kept


class RandomRotation(_Moved):
    """Turns images by a random angle.

    Args:
        factor: Largest angle as a share of a full turn, or a pair (lowest, highest).
        fill_mode: What stands where nothing was: "reflect", "wrap", "constant" or "nearest".
        interpolation: "bilinear" or "nearest".
        seed: Seed of the draws.
        fill_value: The constant for "constant".
        data_format: "channels_last" or "channels_first"; None means the global setting.

    Shapes:
        inputs: (batch, height, width, channels); one image without batch too
        outputs: inputs
        Params: 0
    """

    config_order = ("factor", "fill_mode", "fill_value", "interpolation", "seed")

    def __init__(
        self,
        factor: Any,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.factor = factor_range("RandomRotation", "factor", factor, -1.0, 1.0, symmetric=True)
        self._store(data_format)
        self._store_moving(interpolation, fill_mode, fill_value, seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """Draws an angle, in degrees, for each image."""
        lower, upper = (360.0 * f for f in self.factor)
        return {"angle": random.uniform((data.shape[0],), lower, upper, seed=seed or self.generator)}

    def transform_images(self, images: Tensor, transformation: Any, training: bool = True) -> Tensor:
        """Turns each image about its middle."""
        angle = ops.multiply(transformation["angle"], jnp.pi / 180.0)
        cos, sin = ops.cos(angle), ops.sin(angle)
        height, width = (size - 1 for size in self._size(images))
        x = (width - (cos * width - sin * height)) / 2.0
        y = (height - (sin * width + cos * height)) / 2.0
        return self._affine(images, (cos, -sin, x, sin, cos, y))


class RandomZoom(_Moved):
    """Zooms images by a random factor.

    Args:
        height_factor: Largest change of height as a share, or a pair; negative zooms in.
        width_factor: The same for the width; None keeps the proportions.
        fill_mode: What stands where nothing was: "reflect", "wrap", "constant" or "nearest".
        interpolation: "bilinear" or "nearest".
        seed: Seed of the draws.
        fill_value: The constant for "constant".
        data_format: "channels_last" or "channels_first"; None means the global setting.

    Shapes:
        inputs: (batch, height, width, channels); one image without batch too
        outputs: inputs
        Params: 0
    """

    config_order = ("height_factor", "width_factor", "fill_mode", "interpolation", "seed", "fill_value")

    def __init__(
        self,
        height_factor: Any,
        width_factor: Any = None,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.height_factor, self.width_factor = height_factor, width_factor
        self._height = factor_range("RandomZoom", "height_factor", height_factor, -1.0, 1e6, symmetric=True)
        self._width = None
        if width_factor is not None:
            self._width = factor_range("RandomZoom", "width_factor", width_factor, -1.0, 1e6, symmetric=True)
        self._store(data_format)
        self._store_moving(interpolation, fill_mode, fill_value, seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """Draws the zoom of each image."""
        seed, shape = seed or self.generator, (data.shape[0], 1)
        height = random.uniform(shape, 1.0 + self._height[0], 1.0 + self._height[1], seed=seed)
        width = height
        if self._width is not None:
            width = random.uniform(shape, 1.0 + self._width[0], 1.0 + self._width[1], seed=seed)
        return {"height_zoom": height, "width_zoom": width}

    def transform_images(self, images: Tensor, transformation: Any, training: bool = True) -> Tensor:
        """Zooms each image about its middle."""
        h, w = (transformation[name].reshape(-1) for name in ("height_zoom", "width_zoom"))
        height, width = self._size(images)
        return self._affine(
            images, (w, 0.0, (width - 1) / 2.0 * (1.0 - w), 0.0, h, (height - 1) / 2.0 * (1.0 - h))
        )


class RandomTranslation(_Moved):
    """Shifts images by a random distance.

    Args:
        height_factor: Largest shift down or up as a share of the height, or a pair.
        width_factor: Largest shift right or left as a share of the width, or a pair.
        fill_mode: What stands where nothing was: "reflect", "wrap", "constant" or "nearest".
        interpolation: "bilinear" or "nearest".
        seed: Seed of the draws.
        fill_value: The constant for "constant".
        data_format: "channels_last" or "channels_first"; None means the global setting.

    Shapes:
        inputs: (batch, height, width, channels); one image without batch too
        outputs: inputs
        Params: 0
    """

    config_order = ("height_factor", "width_factor", "fill_mode", "interpolation", "seed", "fill_value")

    def __init__(
        self,
        height_factor: Any,
        width_factor: Any,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.height_factor, self.width_factor = height_factor, width_factor
        self._height = factor_range(
            "RandomTranslation", "height_factor", height_factor, -1.0, 1.0, symmetric=True
        )
        self._width = factor_range(
            "RandomTranslation", "width_factor", width_factor, -1.0, 1.0, symmetric=True
        )
        self._store(data_format)
        self._store_moving(interpolation, fill_mode, fill_value, seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """Draws the shift of each image, in pixels: (right, down)."""
        seed, shape = seed or self.generator, (data.shape[0], 1)
        height, width = self._size(data)
        down = random.uniform(shape, *self._height, seed=seed) * height
        right = random.uniform(shape, *self._width, seed=seed) * width
        return {"translations": ops.concatenate([right, down], axis=1)}

    def transform_images(self, images: Tensor, transformation: Any, training: bool = True) -> Tensor:
        """Shifts each image."""
        shift = transformation["translations"]
        return self._affine(images, (1.0, 0.0, -shift[:, 0], 0.0, 1.0, -shift[:, 1]))


class RandomCrop(ImageLayer):
    """Cuts out a random part while training; images that are too small are resized.

    Args:
        height: New height.
        width: New width.
        seed: Seed of the draws.
        data_format: "channels_last" or "channels_first"; None means the global setting.
        name: Name; automatic if None.

    Shapes:
        inputs: (batch, rows, columns, channels); channels second with "channels_first"; one image without
            batch too
        outputs: (batch, height, width, channels)
        Params: 0
    """

    moves_pixels = only_training = True
    checks: ClassVar[dict[str, Any]] = {"height": positive_int, "width": positive_int}
    config_order = ("height", "width", "seed")

    def __init__(
        self,
        height: int,
        width: int,
        seed: int | None = None,
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        self.height, self.width = height, width
        self._store(data_format)
        self._store_seed(make_default_seed() if seed is None else seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """Draws where the part begins; None for images that are too small."""
        height, width = self._size(data)
        if height < self.height or width < self.width:
            return None
        seed = seed or self.generator
        top = random.uniform((), seed=seed) * (height - self.height + 1)
        left = random.uniform((), seed=seed) * (width - self.width + 1)
        return ops.cast(top, "int32"), ops.cast(left, "int32")

    def transform_images(self, images: Tensor, transformation: Any, training: bool = True) -> Tensor:
        """Cuts the part out of each image."""
        images = self._floats(images)
        if transformation is None:
            return resize_and_crop(self, images, self.height, self.width)
        top, left = transformation
        return crop(self, images, top, left, self.height, self.width)


class RandomContrast(ImageLayer):
    """Changes the contrast of images: `(x - mean) * factor + mean`, for each channel.

    Args:
        factor: Largest change, or a pair: the factor is drawn from `1 - lower` to `1 + upper`.
        value_range: Lowest and highest value of a pixel.
        seed: Seed of the draws.

    Shapes:
        inputs: (batch, height, width, channels); one image without batch too
        outputs: inputs
        Params: 0
    """

    only_training = True
    config_order = ("factor", "value_range", "seed")

    def __init__(
        self, factor: Any, value_range: Any = (0, 255), seed: int | None = None, **kwargs: Any
    ) -> None:
        data_format = kwargs.pop("data_format", None)
        super().__init__(**kwargs)
        self.factor = factor_range("RandomContrast", "factor", factor, 0, 1e6, symmetric=False)
        self.value_range = tuple(value_range)
        self._store(data_format)
        self._store_seed(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """Draws the factor of each image."""
        lower, upper = self.factor
        shape = (data.shape[0], 1, 1, 1)
        return {
            "contrast_factor": random.uniform(shape, 1.0 - lower, 1.0 + upper, seed=seed or self.generator)
        }

    def transform_images(self, images: Tensor, transformation: Any, training: bool = True) -> Tensor:
        """Changes the contrast of each image."""
        images = self._floats(images)
        mean = ops.mean(images, axis=(self.height_axis, self.width_axis), keepdims=True)
        factor = ops.cast(transformation["contrast_factor"], images.dtype)
        changed = ops.add(ops.multiply(ops.subtract(images, mean), factor), mean)
        return ops.clip(changed, self.value_range[0], self.value_range[1])


class RandomBrightness(ImageLayer):
    """Makes images brighter or darker by a random amount.

    Args:
        factor: Largest change as a share of the range of values, or a pair.
        value_range: Lowest and highest value of a pixel.
        seed: Seed of the draws.

    Shapes:
        inputs: (batch, height, width, channels); one image without batch too
        outputs: inputs
        Params: 0
    """

    only_training = True
    config_order = ("factor", "value_range", "seed")

    def __init__(
        self, factor: Any, value_range: Any = (0, 255), seed: int | None = None, **kwargs: Any
    ) -> None:
        data_format = kwargs.pop("data_format", None)
        super().__init__(**kwargs)
        self.factor = factor_range("RandomBrightness", "factor", factor, -1.0, 1.0, symmetric=True)
        self.value_range = tuple(value_range)
        self._store(data_format)
        self._store_seed(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """Draws what is added to each image."""
        low, high = self.value_range
        draws = random.uniform((data.shape[0], 1, 1, 1), *self.factor, seed=seed or self.generator)
        return {"rgb_delta": draws * (high - low)}

    def transform_images(self, images: Tensor, transformation: Any, training: bool = True) -> Tensor:
        """Adds to each image."""
        images = self._floats(images)
        brighter = ops.add(images, ops.cast(transformation["rgb_delta"], images.dtype))
        return ops.clip(brighter, self.value_range[0], self.value_range[1])


register_public(
    "keras.layers",
    [RandomFlip, RandomRotation, RandomZoom, RandomTranslation, RandomCrop, RandomContrast, RandomBrightness],
)
