"""Pooling whole spatial axes away: the largest or the mean value of each channel."""

from __future__ import annotations

from typing import Any, ClassVar

from hornbill import ops
from hornbill.engine import settings
from hornbill.engine.config import boolean
from hornbill.engine.input_spec import InputSpec
from hornbill.engine.layer import Layer
from hornbill.engine.registry import register_public
from hornbill.ops.windows import spatial_axes

__all__ = [
    "GlobalAveragePooling1D", "GlobalAveragePooling2D", "GlobalAveragePooling3D", "GlobalAvgPool1D",
    "GlobalAvgPool2D", "GlobalAvgPool3D", "GlobalMaxPool1D", "GlobalMaxPool2D", "GlobalMaxPool3D",
    "GlobalMaxPooling1D", "GlobalMaxPooling2D", "GlobalMaxPooling3D",
]  # fmt: skip


class GlobalPooling(Layer):
    """Pooling over all of `rank` spatial axes."""

    rank: ClassVar[int] = 0
    checks: ClassVar[dict[str, Any]] = {"keepdims": boolean}

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = settings.standardize_data_format(data_format)
        self.keepdims = keepdims
        self.input_spec = InputSpec(ndim=self.rank + 2)
        self.built = True

    @property
    def _axes(self) -> tuple[int, ...]:
        return spatial_axes(self.rank + 2, self.data_format)


class GlobalMaxPooling(GlobalPooling):
    """Takes the largest value of each channel."""

    def call(self, inputs: Any) -> Any:
        """Returns the pooled inputs."""
        return ops.max(inputs, axis=self._axes, keepdims=self.keepdims)


class GlobalAveragePooling(GlobalPooling):
    """Takes the mean of each channel."""

    def call(self, inputs: Any) -> Any:
        """Returns the pooled inputs."""
        return ops.mean(inputs, axis=self._axes, keepdims=self.keepdims)


class GlobalMaxPooling1D(GlobalMaxPooling):
    """Takes the largest value of each channel of a sequence.

    Args:
        data_format: "channels_last" or "channels_first"; None means the global setting.
        keepdims: Whether the steps stay, with size 1.
        **kwargs: `name`, `dtype`, `trainable`.

    Shapes:
        inputs: (batch, steps, channels); channels second with "channels_first"
        outputs: (batch, 1, channels) if keepdims else (batch, channels)
        Params: 0

    Example:
        >>> GlobalMaxPooling1D()(ops.ones((1, 9, 4))).shape
        (1, 4)
    """

    rank = 1


class GlobalMaxPooling2D(GlobalMaxPooling):
    """Takes the largest value of each channel of a image.

    Args:
        data_format: "channels_last" or "channels_first"; None means the global setting.
        keepdims: Whether the height and width stay, with size 1.
        **kwargs: `name`, `dtype`, `trainable`.

    Shapes:
        inputs: (batch, height, width, channels); channels second with "channels_first"
        outputs: (batch, 1, 1, channels) if keepdims else (batch, channels)
        Params: 0

    Example:
        >>> GlobalMaxPooling2D()(ops.ones((1, 7, 7, 4))).shape
        (1, 4)
    """

    rank = 2


class GlobalMaxPooling3D(GlobalMaxPooling):
    """Takes the largest value of each channel of a volume.

    Args:
        data_format: "channels_last" or "channels_first"; None means the global setting.
        keepdims: Whether the depth, height and width stay, with size 1.
        **kwargs: `name`, `dtype`, `trainable`.

    Shapes:
        inputs: (batch, depth, height, width, channels); channels second with "channels_first"
        outputs: (batch, 1, 1, 1, channels) if keepdims else (batch, channels)
        Params: 0

    Example:
        >>> GlobalMaxPooling3D()(ops.ones((1, 3, 4, 5, 4))).shape
        (1, 4)
    """

    rank = 3


class GlobalAveragePooling1D(GlobalAveragePooling):
    """Takes the mean of each channel of a sequence; steps that a mask leaves out do not count.

    Args:
        data_format: "channels_last" or "channels_first"; None means the global setting.
        keepdims: Whether the steps stay, with size 1.
        **kwargs: `name`, `dtype`, `trainable`.

    Shapes:
        inputs: (batch, steps, channels); channels second with "channels_first"
        outputs: (batch, 1, channels) if keepdims else (batch, channels)
        Params: 0

    Example:
        >>> GlobalAveragePooling1D()(ops.ones((1, 9, 4))).shape
        (1, 4)
    """

    rank = 1

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any) -> None:
        super().__init__(data_format=data_format, keepdims=keepdims, **kwargs)
        self.supports_masking = True

    def call(self, inputs: Any, mask: Any = None) -> Any:
        """Returns the mean over the steps; where there is a mask (batch, steps), over those that it keeps."""
        if mask is None:
            return super().call(inputs)
        steps = self._axes[0]
        weights = ops.expand_dims(ops.cast(mask, inputs.dtype), 3 - steps)
        total = ops.sum(ops.multiply(inputs, weights), axis=steps, keepdims=self.keepdims)
        return ops.divide(total, ops.sum(weights, axis=steps, keepdims=self.keepdims))

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> None:
        """Returns None: the steps are gone."""


class GlobalAveragePooling2D(GlobalAveragePooling):
    """Takes the mean of each channel of a image.

    Args:
        data_format: "channels_last" or "channels_first"; None means the global setting.
        keepdims: Whether the height and width stay, with size 1.
        **kwargs: `name`, `dtype`, `trainable`.

    Shapes:
        inputs: (batch, height, width, channels); channels second with "channels_first"
        outputs: (batch, 1, 1, channels) if keepdims else (batch, channels)
        Params: 0

    Example:
        >>> GlobalAveragePooling2D()(ops.ones((1, 7, 7, 4))).shape
        (1, 4)
    """

    rank = 2


class GlobalAveragePooling3D(GlobalAveragePooling):
    """Takes the mean of each channel of a volume.

    Args:
        data_format: "channels_last" or "channels_first"; None means the global setting.
        keepdims: Whether the depth, height and width stay, with size 1.
        **kwargs: `name`, `dtype`, `trainable`.

    Shapes:
        inputs: (batch, depth, height, width, channels); channels second with "channels_first"
        outputs: (batch, 1, 1, 1, channels) if keepdims else (batch, channels)
        Params: 0

    Example:
        >>> GlobalAveragePooling3D()(ops.ones((1, 3, 4, 5, 4))).shape
        (1, 4)
    """

    rank = 3


GlobalMaxPool1D, GlobalMaxPool2D, GlobalMaxPool3D = GlobalMaxPooling1D, GlobalMaxPooling2D, GlobalMaxPooling3D
GlobalAvgPool1D, GlobalAvgPool2D = GlobalAveragePooling1D, GlobalAveragePooling2D
GlobalAvgPool3D = GlobalAveragePooling3D

register_public(
    "keras.layers",
    [
        GlobalMaxPooling1D, GlobalMaxPooling2D, GlobalMaxPooling3D, GlobalAveragePooling1D,
        GlobalAveragePooling2D, GlobalAveragePooling3D,
    ],
)  # fmt: skip
