"""Layers that disturb their inputs at random while training, and do nothing otherwise."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

from hornbill import ops, random
from hornbill.engine import settings
from hornbill.engine.config import between
from hornbill.engine.input_spec import InputSpec
from hornbill.engine.random import SeedGenerator
from hornbill.engine.registry import register_public
from hornbill.layers.shared import BASE_KEYS, ConfigLayer

__all__ = [
    "AlphaDropout", "Dropout", "GaussianDropout", "GaussianNoise", "SpatialDropout1D", "SpatialDropout2D",
    "SpatialDropout3D",
]  # fmt: skip


class RandomLayer(ConfigLayer):
    """Base of the layers here: `seed_generator` exists if there is anything to draw."""

    seed_generator: SeedGenerator | None = None

    def _store_seed(self, seed: int | None, strength: float) -> None:
        self.seed = seed
        if strength > 0:
            self.seed_generator = SeedGenerator(seed)
        self.supports_masking = self.built = True


def _concrete(noise_shape: Sequence[int | None] | None, shape: Sequence[int]) -> tuple[int, ...] | None:
    """Returns a noise shape with the inputs' sizes in place of None."""
    if noise_shape is None:
        return None
    return tuple(size if want is None else want for want, size in zip(noise_shape, shape, strict=True))


class Dropout(RandomLayer):
    """Sets a random share of the inputs to 0 while training and multiplies the others by `1 / (1 - rate)`.

    Args:
        rate: The share, from 0 to 1.
        noise_shape: Shape of the random mask, 1 where an axis shares its draw, None for the inputs' size.
        seed: Start of the random numbers; drawn when None.
        **kwargs: `name`, `dtype`, `trainable`.

    Shapes:
        inputs: any
        outputs: inputs
        Params: 0

    Example:
        >>> Dropout(0.5)([1.0, 2.0]).tolist()
        [1.0, 2.0]
    """

    checks: ClassVar[dict[str, Any]] = {"rate": between(0, 1)}
    config_order = (*BASE_KEYS, "rate", "seed", "noise_shape")

    def __init__(
        self,
        rate: float,
        noise_shape: Sequence[int | None] | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.rate, self.noise_shape = rate, noise_shape
        self._store_seed(seed, rate)

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Returns the inputs, with zeros at random while training."""
        if not training or self.rate == 0:
            return inputs
        shape = _concrete(self.noise_shape, inputs.shape)
        return random.dropout(inputs, self.rate, noise_shape=shape, seed=self.seed_generator)


class SpatialDropout(RandomLayer):
    """Sets whole channels to 0 at random while training."""

    rank: ClassVar[int] = 0
    checks: ClassVar[dict[str, Any]] = {"rate": between(0, 1)}
    config_order = ("rate", "seed", "name", "dtype", "data_format")
    data_format = "channels_last"

    def __init__(
        self, rate: float, seed: int | None = None, name: str | None = None, dtype: Any = None
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.rate = rate
        self._store_seed(seed, rate)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments; the dtype policy by its name."""
        config = super().get_config()
        config["dtype"] = self.dtype_policy.name
        return {key: config[key] for key in self.config_order if key in config}

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Returns the inputs, with channels of zeros at random while training."""
        if not training or self.rate == 0:
            return inputs
        last = self.data_format == "channels_last"
        ones = (1,) * self.rank
        shape = inputs.shape
        noise = (shape[0], *ones, shape[-1]) if last else (shape[0], shape[1], *ones)
        return random.dropout(inputs, self.rate, noise_shape=noise, seed=self.seed_generator)


class SpatialDropout1D(SpatialDropout):
    """Sets whole channels of sequences to 0 at random while training.

    Neighbouring steps resemble each other; leaving out single ones would change little.

    Args:
        rate: The share of channels, from 0 to 1.
        seed: Start of the random numbers; drawn when None.
        name: Name; automatic if None.
        dtype: Dtype or policy; None means the global policy.

    Shapes:
        inputs: (batch, steps, channels)
        outputs: inputs
        Params: 0

    Example:
        >>> SpatialDropout1D(0.5)(ops.ones((1, 4, 2))).shape
        (1, 4, 2)
    """

    rank = 1
    config_order = ("rate", "seed", "name", "dtype")


class SpatialDropout2D(SpatialDropout):
    """Sets whole channels of images to 0 at random while training.

    Args:
        rate: The share of channels, from 0 to 1.
        data_format: "channels_last" or "channels_first"; None means the global setting.
        seed: Start of the random numbers; drawn when None.
        name: Name; automatic if None.
        dtype: Dtype or policy; None means the global policy.

    Shapes:
        inputs: (batch, height, width, channels); channels second with "channels_first"
        outputs: inputs
        Params: 0

    Example:
        >>> SpatialDropout2D(0.5)(ops.ones((1, 4, 4, 2))).shape
        (1, 4, 4, 2)
    """

    rank = 2

    def __init__(
        self,
        rate: float,
        data_format: str | None = None,
        seed: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(rate, seed, name, dtype)
        self.data_format = settings.standardize_data_format(data_format)


class SpatialDropout3D(SpatialDropout2D):
    """Sets whole channels of volumes to 0 at random while training.

    Args:
        rate: The share of channels, from 0 to 1.
        data_format: "channels_last" or "channels_first"; None means the global setting.
        seed: Start of the random numbers; drawn when None.
        name: Name; automatic if None.
        dtype: Dtype or policy; None means the global policy.

    Shapes:
        inputs: (batch, depth, height, width, channels); channels second with "channels_first"
        outputs: inputs
        Params: 0

    Example:
        >>> SpatialDropout3D(0.5)(ops.ones((1, 2, 2, 2, 2))).shape
        (1, 2, 2, 2, 2)
    """

    rank = 3


class AlphaDropout(RandomLayer):
    """Dropout for networks with `selu`: mean and variance stay as they are.

    Dropped inputs become `-alpha * scale` of selu; all are then multiplied and shifted (Klambauer et al.,
    2017).

    Args:
        rate: The share to drop, from 0 to 1.
        noise_shape: Shape of the random mask, 1 where an axis shares its draw, None for the inputs' size.
        seed: Start of the random numbers; drawn when None.
        **kwargs: `name`, `dtype`, `trainable`.

    Shapes:
        inputs: any
        outputs: inputs
        Params: 0

    Example:
        >>> AlphaDropout(0.5)([1.0, 2.0]).tolist()
        [1.0, 2.0]
    """

    checks: ClassVar[dict[str, Any]] = {"rate": between(0, 1)}
    config_order = (*BASE_KEYS, "rate", "seed", "noise_shape")

    def __init__(
        self,
        rate: float,
        noise_shape: Sequence[int | None] | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.rate, self.noise_shape = rate, noise_shape
        self._store_seed(seed, rate)

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Returns the inputs, with a random share dropped while training."""
        if not training or self.rate == 0:
            return inputs
        floor = -1.6732632423543772848170429916717 * 1.0507009873554804934193349852946
        shape = _concrete(self.noise_shape, inputs.shape) or inputs.shape
        kept = ops.greater_equal(random.uniform(shape, seed=self.seed_generator), self.rate)
        kept = ops.cast(kept, inputs.dtype)
        factor = ((1 - self.rate) * (1 + self.rate * floor**2)) ** -0.5
        dropped = ops.add(ops.multiply(inputs, kept), ops.multiply(ops.subtract(1, kept), floor))
        return ops.add(ops.multiply(dropped, factor), -factor * floor * self.rate)


class GaussianDropout(RandomLayer):
    """Multiplies the inputs by normal random numbers around 1 while training.

    Args:
        rate: Share as in `Dropout`; the standard deviation is `sqrt(rate / (1 - rate))`.
        seed: Start of the random numbers; drawn when None.
        **kwargs: `name`, `dtype`, `trainable`.

    Shapes:
        inputs: any
        outputs: inputs
        Params: 0

    Example:
        >>> GaussianDropout(0.5)([1.0, 2.0]).tolist()
        [1.0, 2.0]
    """

    checks: ClassVar[dict[str, Any]] = {"rate": between(0, 1)}

    def __init__(self, rate: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rate = rate
        self._store_seed(seed, rate)

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Returns the inputs, multiplied by noise while training."""
        if not training or self.rate == 0:
            return inputs
        deviation = math.sqrt(self.rate / (1 - self.rate)) if self.rate < 1 else math.inf
        noise = random.normal(
            inputs.shape, mean=1.0, stddev=deviation, dtype=self.compute_dtype, seed=self.seed_generator
        )
        return ops.multiply(inputs, noise)


class GaussianNoise(RandomLayer):
    """Adds normal random numbers around 0 to the inputs while training.

    Args:
        stddev: Their standard deviation, from 0 to 1.
        seed: Start of the random numbers; drawn when None.
        **kwargs: `name`, `dtype`, `trainable`.

    Shapes:
        inputs: any
        outputs: inputs
        Params: 0

    Example:
        >>> GaussianNoise(0.1)([1.0, 2.0]).tolist()
        [1.0, 2.0]
    """

    checks: ClassVar[dict[str, Any]] = {"stddev": between(0, 1)}

    def __init__(self, stddev: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.stddev = stddev
        self._store_seed(seed, stddev)

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Returns the inputs, with noise while training."""
        if not training or self.stddev == 0:
            return inputs
        noise = random.normal(
            inputs.shape, mean=0.0, stddev=self.stddev, dtype=self.compute_dtype, seed=self.seed_generator
        )
        return ops.add(inputs, noise)


register_public(
    "keras.layers",
    [
        Dropout, SpatialDropout1D, SpatialDropout2D, SpatialDropout3D, AlphaDropout, GaussianDropout,
        GaussianNoise,
    ],
)  # fmt: skip
