"""Pooling to a given output size, whatever the input size: each window covers its even share of the axis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from hornbill import ops
from hornbill.engine import settings
from hornbill.engine.input_spec import InputSpec
from hornbill.engine.layer import Layer
from hornbill.engine.registry import register_public
from hornbill.ops.windows import per_axis

__all__ = [
    "AdaptiveAveragePooling1D", "AdaptiveAveragePooling2D", "AdaptiveAveragePooling3D",
    "AdaptiveMaxPooling1D", "AdaptiveMaxPooling2D", "AdaptiveMaxPooling3D",
]  # fmt: skip


class AdaptivePooling(Layer):
    """Pooling of `rank` spatial axes to given sizes."""

    rank: ClassVar[int] = 0

    def __init__(
        self, output_size: int | Sequence[int], data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.output_size = per_axis(type(self).__name__, "output_size", output_size, self.rank)
        self.data_format = settings.standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)


class AdaptiveAveragePooling(AdaptivePooling):
    """Takes the mean of each window."""

    def call(self, inputs: Any) -> Any:
        """Returns the pooled inputs."""
        return ops.adaptive_average_pool(inputs, self.output_size, self.data_format)


class AdaptiveMaxPooling(AdaptivePooling):
    """Takes the largest value of each window."""

    def call(self, inputs: Any) -> Any:
        """Returns the pooled inputs."""
        return ops.adaptive_max_pool(inputs, self.output_size, self.data_format)


class AdaptiveMaxPooling1D(AdaptiveMaxPooling):
    """Divides a sequence into as many windows as asked for and takes their largest values.

    Args:
        output_size: Number of windows along steps.
        data_format: "channels_last" or "channels_first"; None means the global setting.
        **kwargs: `name`, `dtype`, `trainable`.

    Shapes:
        inputs: (batch, steps, channels); channels second with "channels_first"
        outputs: (batch, *output_size, channels)
        Params: 0

    Example:
        >>> AdaptiveMaxPooling1D(3)(ops.ones((1, 9, 4))).shape
        (1, 3, 4)
    """

    rank = 1


class AdaptiveMaxPooling2D(AdaptiveMaxPooling):
    """Divides a image into as many windows as asked for and takes their largest values.

    Args:
        output_size: Number of windows along height and width, or one number for all.
        data_format: "channels_last" or "channels_first"; None means the global setting.
        **kwargs: `name`, `dtype`, `trainable`.

    Shapes:
        inputs: (batch, height, width, channels); channels second with "channels_first"
        outputs: (batch, *output_size, channels)
        Params: 0

    Example:
        >>> AdaptiveMaxPooling2D(3)(ops.ones((1, 7, 7, 4))).shape
        (1, 3, 3, 4)
    """

    rank = 2


class AdaptiveMaxPooling3D(AdaptiveMaxPooling):
    """Divides a volume into as many windows as asked for and takes their largest values.

    Args:
        output_size: Number of windows along depth, height and width, or one number for all.
        data_format: "channels_last" or "channels_first"; None means the global setting.
        **kwargs: `name`, `dtype`, `trainable`.

    Shapes:
        inputs: (batch, depth, height, width, channels); channels second with "channels_first"
        outputs: (batch, *output_size, channels)
        Params: 0

    Example:
        >>> AdaptiveMaxPooling3D(3)(ops.ones((1, 3, 4, 5, 4))).shape
        (1, 3, 3, 3, 4)
    """

    rank = 3


class AdaptiveAveragePooling1D(AdaptiveAveragePooling):
    """Divides a sequence into as many windows as asked for and takes their means.

    Args:
        output_size: Number of windows along steps.
        data_format: "channels_last" or "channels_first"; None means the global setting.
        **kwargs: `name`, `dtype`, `trainable`.

    Shapes:
        inputs: (batch, steps, channels); channels second with "channels_first"
        outputs: (batch, *output_size, channels)
        Params: 0

    Example:
        >>> AdaptiveAveragePooling1D(3)(ops.ones((1, 9, 4))).shape
        (1, 3, 4)
    """

    rank = 1


class AdaptiveAveragePooling2D(AdaptiveAveragePooling):
    """Divides a image into as many windows as asked for and takes their means.

    Args:
        output_size: Number of windows along height and width, or one number for all.
        data_format: "channels_last" or "channels_first"; None means the global setting.
        **kwargs: `name`, `dtype`, `trainable`.

    Shapes:
        inputs: (batch, height, width, channels); channels second with "channels_first"
        outputs: (batch, *output_size, channels)
        Params: 0

    Example:
        >>> AdaptiveAveragePooling2D(3)(ops.ones((1, 7, 7, 4))).shape
        (1, 3, 3, 4)
    """

    rank = 2


class AdaptiveAveragePooling3D(AdaptiveAveragePooling):
    """Divides a volume into as many windows as asked for and takes their means.

    Args:
        output_size: Number of windows along depth, height and width, or one number for all.
        data_format: "channels_last" or "channels_first"; None means the global setting.
        **kwargs: `name`, `dtype`, `trainable`.

    Shapes:
        inputs: (batch, depth, height, width, channels); channels second with "channels_first"
        outputs: (batch, *output_size, channels)
        Params: 0

    Example:
        >>> AdaptiveAveragePooling3D(3)(ops.ones((1, 3, 4, 5, 4))).shape
        (1, 3, 3, 3, 4)
    """

    rank = 3


register_public(
    "keras.layers",
    [
        AdaptiveMaxPooling1D, AdaptiveMaxPooling2D, AdaptiveMaxPooling3D, AdaptiveAveragePooling1D,
        AdaptiveAveragePooling2D, AdaptiveAveragePooling3D,
    ],
)  # fmt: skip
