"""Numbers to numbers: Rescaling, Normalization, and Discretization into bins."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

import numpy as np

from hornbill import ops
from hornbill.engine.errors import ArgumentError, NotBuiltError, ShapeError, one_of
from hornbill.engine.layer import Layer
from hornbill.engine.op import Tensor
from hornbill.engine.registry import register_public
from hornbill.layers.preprocessing.encoding import INT, MODES, dense_only, encode

__all__ = ["Discretization", "Normalization", "Rescaling"]


class Rescaling(Layer):
    """Computes `inputs * scale + offset`.

    Args:
        scale: Factor, a number or one per channel.
        offset: What is added.

    Shapes:
        inputs: any
        outputs: inputs
        Params: 0

    Example:
        >>> Rescaling(1 / 255)(np.full((1, 2), 255.0, "float32")).tolist()
        [[1.0, 1.0]]
    """

    def __init__(
        self, scale: float | Sequence[float], offset: float | Sequence[float] = 0.0, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.scale, self.offset = scale, offset
        self.supports_masking = True

    def call(self, inputs: Tensor) -> Tensor:
        """Scales and shifts."""
        x = ops.cast(inputs, self.compute_dtype)
        scale, offset = (
            value if isinstance(value, (int, float)) else ops.cast(value, self.compute_dtype)
            for value in (self.scale, self.offset)
        )
        return ops.add(ops.multiply(x, scale), offset)


def batches_of(data: Any) -> Iterable[np.ndarray]:
    """Yields data for `adapt`: an array as it is, an iterable of batches one by one (the first of a tuple)."""
    if hasattr(data, "shape") or (isinstance(data, (list, tuple)) and data and not hasattr(data[0], "shape")):
        yield np.asarray(data)
        return
    for batch in data:
        yield np.asarray(batch[0] if isinstance(batch, tuple) else batch)


class Normalization(Layer):
    """Subtracts a mean and divides by a standard deviation, given or learned from data by `adapt`.

    Args:
        axis: Axis, or axes, that have a mean and variance each; None for one of each.
        mean: The mean, if not learned.
        variance: The variance, if not learned.
        invert: Whether the inverse is computed.

    Shapes:
        inputs: any
        outputs: inputs; or what `mean` and `variance` make of them by broadcasting

    Example:
        >>> layer = Normalization()
        >>> layer.adapt(np.array([[0.0], [2.0]]))
        >>> layer(np.array([[2.0]])).tolist()
        [[1.0]]
    """

    def __init__(
        self,
        axis: int | Sequence[int] | None = -1,
        mean: Any = None,
        variance: Any = None,
        invert: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        axes: Any = () if axis is None else axis if isinstance(axis, (list, tuple)) else (axis,)
        self.axis: tuple[int, ...] = tuple(axes)
        if (mean is None) != (variance is None):
            raise ArgumentError(
                "Normalization: mean and variance are given together.",
                got=f"mean={mean!r}, variance={variance!r}.",
                fixes=("Normalization(mean=0.0, variance=1.0)", "Give neither and call adapt(data)."),
            )
        self.input_mean, self.input_variance, self.invert = mean, variance, invert
        self.supports_masking = True
        self.mean: Any = None
        self.variance: Any = None

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments that make an equal layer; what `adapt` learned is a weight."""
        base = {"name": self.name, "trainable": self.trainable, "dtype": self.dtype_policy.serialized()}
        values = {
            key: None if value is None else np.asarray(value).tolist()
            for key, value in (("mean", self.input_mean), ("variance", self.input_variance))
        }
        return {**base, "axis": self.axis, "invert": self.invert, **values}

    def build(self, input_shape: Any) -> None:
        """Makes the statistics."""
        rank = len(input_shape)
        for axis in self.axis:
            if not -rank <= axis < rank:
                raise ShapeError(
                    f"Normalization {self.name!r}: axis {axis} does not exist.", got=f"{input_shape}."
                )
        self._keep_axis = tuple(sorted(axis % rank for axis in self.axis))
        for axis in self._keep_axis:
            if input_shape[axis] is None:
                raise ShapeError(
                    f"Normalization {self.name!r} keeps a mean for each place on axis {axis}, whose size is not known.",
                    got=f"{tuple(input_shape)}.",
                    fixes="Give that size in Input(...), or axis=None for one mean of all.",
                )
        self._reduce_axis = tuple(axis for axis in range(rank) if axis not in self._keep_axis)
        self._kept_shape = tuple(input_shape[axis] for axis in self._keep_axis)
        self._broadcast_shape = tuple(
            input_shape[axis] if axis in self._keep_axis else 1 for axis in range(rank)
        )
        if self.input_mean is None:
            names = tuple(f"axis {axis}" for axis in self._keep_axis)
            make = {"trainable": False, "axes": names}
            self.adapt_mean = self.add_weight(self._kept_shape, "zeros", name="mean", **make)
            self.adapt_variance = self.add_weight(self._kept_shape, "ones", name="variance", **make)
            self.count = self.add_weight((), "zeros", dtype="int32", name="count", trainable=False, axes=())
        self.built = True
        self.finalize_state()

    def finalize_state(self) -> None:
        """Takes the statistics from the weights, or from the arguments."""
        if not self.built:
            return
        if self.input_mean is not None:
            mean, variance = (np.asarray(v, "float32") for v in (self.input_mean, self.input_variance))
        else:
            mean, variance = self.adapt_mean.numpy(), self.adapt_variance.numpy()
        self.mean, self.variance = (
            np.broadcast_to(v, self._kept_shape).reshape(self._broadcast_shape) for v in (mean, variance)
        )

    def adapt(self, data: Any, batch_size: int | None = None, steps: int | None = None) -> None:
        """Learns mean and variance from an array, or from an iterable of batches.

        Args:
            data: Array, or iterable of arrays (of the first entries of tuples).
            batch_size: Kept for Keras' sake.
            steps: How many batches are used; None means all.
        """
        if self.input_mean is not None:
            raise ArgumentError(
                "Normalization: mean and variance were given, so there is nothing to adapt.",
                fixes="Leave mean and variance out of the constructor.",
            )
        count, mean, variance = 0, np.float64(0), np.float64(0)
        for step, batch in enumerate(batches_of(data)):
            if steps is not None and step >= steps:
                break
            x = batch.astype(np.float64)
            if not self.built:
                self.build(x.shape if count == 0 and hasattr(data, "shape") else (None, *x.shape[1:]))
            number = int(np.prod([x.shape[axis] for axis in self._reduce_axis]))
            batch_mean, batch_variance = x.mean(axis=self._reduce_axis), x.var(axis=self._reduce_axis)
            total = count + number
            weight = number / total
            new_mean = mean + (batch_mean - mean) * weight
            variance = (variance + (mean - new_mean) ** 2) * (1 - weight) + (
                batch_variance + (batch_mean - new_mean) ** 2
            ) * weight
            mean, count = new_mean, total
        self.adapt_mean.assign(np.asarray(mean, "float32"))
        self.adapt_variance.assign(np.asarray(variance, "float32"))
        self.count.assign(np.int32(count))
        self.finalize_state()

    def load_own_variables(self, store: Any) -> None:
        """Sets the statistics from a stored layer."""
        super().load_own_variables(store)
        self.finalize_state()

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Sets mean, variance and count."""
        super().set_weights(weights)
        self.finalize_state()

    def call(self, inputs: Tensor) -> Tensor:
        """Normalises, or undoes it when `invert`."""
        x = ops.cast(inputs, self.compute_dtype)
        mean, variance = (ops.cast(value, self.compute_dtype) for value in (self.mean, self.variance))
        deviation = ops.maximum(ops.sqrt(variance), 1e-7)
        if self.invert:
            return ops.add(mean, ops.multiply(x, deviation))
        return ops.divide(ops.subtract(x, mean), deviation)


class Discretization(Layer):
    """Puts numbers into bins: the output is the number of boundaries that are not above the input.

    Args:
        bin_boundaries: The boundaries, from low to high.
        num_bins: Number of bins of about equal share that `adapt` finds in data.
        epsilon: How far off the shares may be; lower is more exact.
        output_mode: "int" for bin numbers, or "one_hot", "multi_hot", "count".
        sparse: Only False.
        dtype: Dtype of the rows of ones; whole numbers are int32.
        name: Name; automatic if None.

    Shapes:
        inputs: (batch, n); any with "int"
        outputs: inputs if output_mode == "int" else (batch, n, len(bin_boundaries) + 1) if output_mode ==
            "one_hot" else (batch, len(bin_boundaries) + 1); n is left out if 1
        Params: 0

    Example:
        >>> Discretization([0.0, 1.0])(np.array([[-1.0, 0.0, 2.0]])).tolist()
        [[0, 1, 2]]
    """

    _adapted: ClassVar[tuple[str, ...]] = ("bin_boundaries",)

    def __init__(
        self,
        bin_boundaries: Sequence[float] | None = None,
        num_bins: int | None = None,
        epsilon: float = 0.01,
        output_mode: str = "int",
        sparse: bool = False,
        dtype: Any = None,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        dense_only("Discretization", sparse)
        self.output_mode = one_of("Discretization", "output_mode", output_mode, (INT, *MODES))
        if (bin_boundaries is None) == (num_bins is None) and not (bin_boundaries is not None and num_bins):
            raise ArgumentError(
                "Discretization needs bin_boundaries, or num_bins to be found by adapt.",
                got="neither.",
                fixes=("Discretization([0.0, 1.0, 2.0])", "Discretization(num_bins=4), then adapt(data)"),
            )
        self.bin_boundaries = None if bin_boundaries is None else [float(b) for b in bin_boundaries]
        if self.bin_boundaries and sorted(self.bin_boundaries) != self.bin_boundaries:
            raise ArgumentError(
                "Discretization: bin_boundaries go from low to high.", got=f"{bin_boundaries}."
            )
        self.num_bins, self.epsilon, self.sparse = num_bins, epsilon, sparse
        self.autocast = False

    @property
    def input_dtype(self) -> str:
        """The dtype of the numbers that come in."""
        return "float32"

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments that make an equal layer, with the boundaries that were found."""
        names = ("bin_boundaries", "num_bins", "epsilon", "output_mode", "sparse", "name")
        config = {name: getattr(self, name) for name in names}
        if self.num_bins is not None and self.bin_boundaries is not None:
            config["num_bins"] = None
        return {**config, "dtype": self.dtype_policy.name}

    def adapt(self, data: Any, steps: int | None = None) -> None:
        """Finds boundaries that put about the same number of values into each bin."""
        if self.num_bins is None:
            raise ArgumentError("Discretization: bin_boundaries were given, so there is nothing to adapt.")
        parts = [np.ravel(batch) for i, batch in enumerate(batches_of(data)) if steps is None or i < steps]
        shares = np.linspace(0, 1, self.num_bins + 1)[1:-1]
        self.bin_boundaries = (
            np.quantile(np.concatenate(parts).astype("float64"), shares).astype("float32").tolist()
        )

    def call(self, inputs: Tensor) -> Tensor:
        """Finds the bins."""
        if self.bin_boundaries is None:
            raise NotBuiltError("Discretization has no boundaries yet.", fixes="Call adapt(data) first.")
        indices = ops.digitize(inputs, np.asarray(self.bin_boundaries, "float32"))
        depth = len(self.bin_boundaries) + 1
        if self.output_mode == INT:
            return ops.cast(indices, "int32")
        return encode(indices, depth, self.output_mode, dtype=self.compute_dtype)


register_public("keras.layers", [Rescaling, Normalization, Discretization])
