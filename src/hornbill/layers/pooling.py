"""Pooling with sliding windows: each output cell is the largest or the mean value of a window of the input.

Pooling a whole axis away is in `global_pooling`, pooling to a given size in `adaptive_pooling`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from hornbill import ops
from hornbill.engine import settings
from hornbill.engine.config import options
from hornbill.engine.input_spec import InputSpec
from hornbill.engine.registry import register_public
from hornbill.layers.shared import BASE_KEYS, ConfigLayer, with_defaults
from hornbill.ops.windows import per_axis

__all__ = [
    "AveragePooling1D", "AveragePooling2D", "AveragePooling3D", "AvgPool1D", "AvgPool2D", "AvgPool3D",
    "MaxPool1D", "MaxPool2D", "MaxPool3D", "MaxPooling1D", "MaxPooling2D", "MaxPooling3D",
]  # fmt: skip


class WindowPooling(ConfigLayer):
    """Pooling over `rank` spatial axes; see `MaxPooling2D`."""

    rank: ClassVar[int] = 0
    checks: ClassVar[dict[str, Any]] = {"padding": options("valid", "same")}
    config_order = (*BASE_KEYS, "pool_size", "padding")

    def __init__(
        self,
        pool_size: int | Sequence[int],
        strides: int | Sequence[int] | None = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        owner = type(self).__name__
        self.pool_size = per_axis(owner, "pool_size", pool_size, self.rank)
        self.strides = self.pool_size if strides is None else per_axis(owner, "strides", strides, self.rank)
        self.padding = padding.lower()
        self.data_format = settings.standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)
        self.built = True


class MaxPooling(WindowPooling):
    """Takes the largest value of each window."""

    def call(self, inputs: Any) -> Any:
        """Returns the pooled inputs."""
        return ops.max_pool(inputs, self.pool_size, self.strides, self.padding, self.data_format)


class AveragePooling(WindowPooling):
    """Takes the mean of each window."""

    def call(self, inputs: Any) -> Any:
        """Returns the pooled inputs."""
        return ops.average_pool(inputs, self.pool_size, self.strides, self.padding, self.data_format)


class MaxPooling1D(MaxPooling):
    """Takes the largest value of each window of steps.

    Args:
        pool_size: Length of the window.
        strides: Step from one window to the next; None means `pool_size`.
        padding: "valid" (rest steps at the end are dropped) or "same" (windows may stick out).
        data_format: "channels_last" or "channels_first"; None means the global setting.
        name: Name; automatic if None.
        **kwargs: `dtype`, `trainable`.

    Shapes:
        inputs: (batch, steps, channels); channels second with "channels_first"
        outputs: (batch, new steps, channels)
        new steps: ceil(steps / strides) if padding == "same" else (steps - pool_size) // strides + 1
        Params: 0

    Example:
        >>> MaxPooling1D(2)(ops.reshape(ops.arange(4.0), (1, 4, 1))).ravel().tolist()
        [1.0, 3.0]
    """

    rank = 1
    __init__ = with_defaults(WindowPooling.__init__, pool_size=2)


class MaxPooling2D(MaxPooling):
    """Takes the largest value of each window of an image.

    Args:
        pool_size: Height and width of the window, or one number for both.
        strides: Step from one window to the next; None means `pool_size`.
        padding: "valid" (rest rows and columns at the end are dropped) or "same" (windows may stick out).
        data_format: "channels_last" or "channels_first"; None means the global setting.
        name: Name; automatic if None.
        **kwargs: `dtype`, `trainable`.

    Shapes:
        inputs: (batch, height, width, channels); channels second with "channels_first"
        outputs: (batch, new height, new width, channels)
        new size: ceil(size / strides) if padding == "same" else (size - pool_size) // strides + 1
        Params: 0

    Example:
        >>> MaxPooling2D()(ops.zeros((1, 96, 96, 32))).shape
        (1, 48, 48, 32)
    """

    rank = 2
    __init__ = with_defaults(WindowPooling.__init__, pool_size=(2, 2))


class MaxPooling3D(MaxPooling):
    """Takes the largest value of each window of a volume.

    Args:
        pool_size: Depth, height and width of the window, or one number for all.
        strides: Step from one window to the next; None means `pool_size`.
        padding: "valid" (rest cells at the end are dropped) or "same" (windows may stick out).
        data_format: "channels_last" or "channels_first"; None means the global setting.
        name: Name; automatic if None.
        **kwargs: `dtype`, `trainable`.

    Shapes:
        inputs: (batch, depth, height, width, channels); channels second with "channels_first"
        outputs: (batch, new depth, new height, new width, channels)
        new size: ceil(size / strides) if padding == "same" else (size - pool_size) // strides + 1
        Params: 0

    Example:
        >>> MaxPooling3D()(ops.zeros((1, 4, 6, 8, 2))).shape
        (1, 2, 3, 4, 2)
    """

    rank = 3
    __init__ = with_defaults(WindowPooling.__init__, pool_size=(2, 2, 2))


class AveragePooling1D(AveragePooling):
    """Takes the mean of each window of steps; padding does not count.

    Args:
        pool_size: Length of the window.
        strides: Step from one window to the next; None means `pool_size`.
        padding: "valid" (rest steps at the end are dropped) or "same" (windows may stick out).
        data_format: "channels_last" or "channels_first"; None means the global setting.
        name: Name; automatic if None.
        **kwargs: `dtype`, `trainable`.

    Shapes:
        inputs: (batch, steps, channels); channels second with "channels_first"
        outputs: (batch, new steps, channels)
        new steps: ceil(steps / strides) if padding == "same" else (steps - pool_size) // strides + 1
        Params: 0

    Example:
        >>> AveragePooling1D(2)(ops.reshape(ops.arange(4.0), (1, 4, 1))).ravel().tolist()
        [0.5, 2.5]
    """

    rank = 1


class AveragePooling2D(AveragePooling):
    """Takes the mean of each window of an image; padding does not count.

    Args:
        pool_size: Height and width of the window, or one number for both.
        strides: Step from one window to the next; None means `pool_size`.
        padding: "valid" (rest rows and columns at the end are dropped) or "same" (windows may stick out).
        data_format: "channels_last" or "channels_first"; None means the global setting.
        name: Name; automatic if None.
        **kwargs: `dtype`, `trainable`.

    Shapes:
        inputs: (batch, height, width, channels); channels second with "channels_first"
        outputs: (batch, new height, new width, channels)
        new size: ceil(size / strides) if padding == "same" else (size - pool_size) // strides + 1
        Params: 0

    Example:
        >>> AveragePooling2D(2)(ops.ones((1, 4, 4, 1))).shape
        (1, 2, 2, 1)
    """

    rank = 2


class AveragePooling3D(AveragePooling):
    """Takes the mean of each window of a volume; padding does not count.

    Args:
        pool_size: Depth, height and width of the window, or one number for all.
        strides: Step from one window to the next; None means `pool_size`.
        padding: "valid" (rest cells at the end are dropped) or "same" (windows may stick out).
        data_format: "channels_last" or "channels_first"; None means the global setting.
        name: Name; automatic if None.
        **kwargs: `dtype`, `trainable`.

    Shapes:
        inputs: (batch, depth, height, width, channels); channels second with "channels_first"
        outputs: (batch, new depth, new height, new width, channels)
        new size: ceil(size / strides) if padding == "same" else (size - pool_size) // strides + 1
        Params: 0

    Example:
        >>> AveragePooling3D(2)(ops.ones((1, 4, 4, 4, 1))).shape
        (1, 2, 2, 2, 1)
    """

    rank = 3


MaxPool1D, MaxPool2D, MaxPool3D = MaxPooling1D, MaxPooling2D, MaxPooling3D
AvgPool1D, AvgPool2D, AvgPool3D = AveragePooling1D, AveragePooling2D, AveragePooling3D

register_public(
    "keras.layers",
    [MaxPooling1D, MaxPooling2D, MaxPooling3D, AveragePooling1D, AveragePooling2D, AveragePooling3D],
)
