"""Upsampling without weights: cells are repeated or interpolated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from hornbill import ops
from hornbill.engine import settings
from hornbill.engine.config import options
from hornbill.engine.errors import ArgumentTypeError
from hornbill.engine.input_spec import InputSpec
from hornbill.engine.layer import Layer
from hornbill.engine.registry import register_public
from hornbill.ops.windows import per_axis, spatial_axes

__all__ = ["UpSampling1D", "UpSampling2D", "UpSampling3D"]


def _repeat(inputs: Any, size: Sequence[int], data_format: str) -> Any:
    for axis, times in zip(spatial_axes(len(inputs.shape), data_format), size, strict=True):
        if times != 1:
            inputs = ops.repeat(inputs, times, axis=axis)
    return inputs


class UpSampling1D(Layer):
    """Repeats each step of a sequence.

    Args:
        size: How often.
        **kwargs: `name`, `dtype`, `trainable`.

    Shapes:
        inputs: (batch, steps, channels)
        outputs: (batch, steps * size, channels)
        Params: 0

    Example:
        >>> UpSampling1D(2)(ops.reshape(ops.arange(2.0), (1, 2, 1))).ravel().tolist()
        [0.0, 0.0, 1.0, 1.0]
    """

    def __init__(self, size: int = 2, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if isinstance(size, (tuple, list)) and len(size) == 1:
            size = size[0]
        if isinstance(size, (tuple, list)):
            raise ArgumentTypeError("UpSampling1D: size must be one whole number.", got=f"size={size!r}.")
        self.size = per_axis("UpSampling1D", "size", size, 1)[0]
        self.input_spec = InputSpec(ndim=3)

    def call(self, inputs: Any) -> Any:
        """Returns the lengthened inputs."""
        return _repeat(inputs, (self.size,), "channels_last")


class UpSampling2D(Layer):
    """Enlarges images by repeating or interpolating their cells.

    Args:
        size: Enlargement of height and width, or one number for both.
        data_format: "channels_last" or "channels_first"; None means the global setting.
        interpolation: "nearest" (repeat), "bilinear", "bicubic", "lanczos3" or "lanczos5".
        **kwargs: `name`, `dtype`, `trainable`.

    Shapes:
        inputs: (batch, height, width, channels); channels second with "channels_first"
        outputs: (batch, height * size[0], width * size[1], channels)
        Params: 0

    Example:
        >>> UpSampling2D()(ops.ones((1, 6, 6, 8))).shape
        (1, 12, 12, 8)
    """

    checks: ClassVar[dict[str, Any]] = {
        "interpolation": options("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5")
    }

    def __init__(
        self,
        size: int | Sequence[int] = (2, 2),
        data_format: str | None = None,
        interpolation: str = "nearest",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.size = per_axis("UpSampling2D", "size", size, 2)
        self.data_format = settings.standardize_data_format(data_format)
        self.interpolation = interpolation.lower()
        self.input_spec = InputSpec(ndim=4)

    def call(self, inputs: Any) -> Any:
        """Returns the enlarged inputs."""
        if self.interpolation == "nearest":
            return _repeat(inputs, self.size, self.data_format)
        axes = spatial_axes(4, self.data_format)
        size = tuple(inputs.shape[axis] * times for axis, times in zip(axes, self.size, strict=True))
        return ops.image.resize(inputs, size, interpolation=self.interpolation, data_format=self.data_format)


class UpSampling3D(Layer):
    """Enlarges volumes by repeating their cells.

    Args:
        size: Enlargement of depth, height and width, or one number for all.
        data_format: "channels_last" or "channels_first"; None means the global setting.
        **kwargs: `name`, `dtype`, `trainable`.

    Shapes:
        inputs: (batch, depth, height, width, channels); channels second with "channels_first"
        outputs: (batch, depth * size[0], height * size[1], width * size[2], channels)
        Params: 0

    Example:
        >>> UpSampling3D(2)(ops.ones((1, 2, 3, 4, 1))).shape
        (1, 4, 6, 8, 1)
    """

    def __init__(
        self, size: int | Sequence[int] = (2, 2, 2), data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.size = per_axis("UpSampling3D", "size", size, 3)
        self.data_format = settings.standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=5)

    def call(self, inputs: Any) -> Any:
        """Returns the enlarged inputs."""
        return _repeat(inputs, self.size, self.data_format)


register_public("keras.layers", [UpSampling1D, UpSampling2D, UpSampling3D])
