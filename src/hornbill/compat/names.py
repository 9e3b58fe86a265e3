"""The table of old names inside modules: Keras 1 and 2's classes and functions, and what they are today.

`hornbill.compat.install` adds them to the modules. A row is a name in the same module, a function or class
of its own, or `Gone`, whose text the error shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hornbill import layers
from hornbill.engine.compatibility import warn_once
from hornbill.engine.errors import one_of

__all__ = ["CALLABLE_MODULES", "OLD_NAMES", "Gone", "Reduction", "merge"]


@dataclass(frozen=True)
class Gone:
    """A name without successor: why, and what to write instead."""

    why: str
    fix: str


class Reduction:
    """Keras 2's names of the ways to reduce a loss."""

    AUTO = "sum_over_batch_size"
    NONE = "none"
    SUM = "sum"
    SUM_OVER_BATCH_SIZE = "sum_over_batch_size"


_MODES = {
    "ave": layers.Average, "concat": layers.Concatenate, "dot": layers.Dot, "max": layers.Maximum,
    "mul": layers.Multiply, "sum": layers.Add,
}  # fmt: skip


def merge(
    inputs: Sequence[Any],
    mode: str = "sum",
    concat_axis: int = -1,
    dot_axes: Any = -1,
    name: str | None = None,
) -> Any:
    """Merges tensors as Keras 1's `merge` did.

    Args:
        inputs: Tensors.
        mode: "sum", "mul", "concat", "ave", "max", "dot" or "cos".
        concat_axis: The axis for "concat".
        dot_axes: The axes for "dot" and "cos".
        name: Name of the layer.
    """
    warn_once(
        "merge", "merge(..., mode=...) is an old spelling; write Add()(xs), Concatenate(axis=...)(xs), ..."
    )
    one_of("merge", "mode", mode, ("cos", *_MODES))
    if mode == "concat":
        return layers.Concatenate(axis=concat_axis, name=name)(inputs)
    if mode in ("dot", "cos"):
        axes = tuple(dot_axes) if isinstance(dot_axes, (list, tuple)) else dot_axes
        return layers.Dot(axes=axes, normalize=mode == "cos", name=name)(inputs)
    return _MODES[mode](name=name)(inputs)


_LOSSES = {
    "KLD": "kl_divergence", "MAE": "mean_absolute_error", "MAPE": "mean_absolute_percentage_error",
    "MSE": "mean_squared_error", "MSLE": "mean_squared_logarithmic_error", "cosine": "cosine_similarity",
    "cosine_proximity": "cosine_similarity", "kld": "kl_divergence",
    "kullback_leibler_divergence": "kl_divergence",
    "logcosh": "log_cosh", "mae": "mean_absolute_error", "mape": "mean_absolute_percentage_error",
    "mse": "mean_squared_error", "msle": "mean_squared_logarithmic_error",
}  # fmt: skip

OLD_NAMES: dict[str, dict[str, Any]] = {
    "layers": {
        "AbstractRNNCell": "Layer",
        "AtrousConvolution1D": "Conv1D",
        "AtrousConvolution2D": "Conv2D",
        "CuDNNGRU": "GRU",
        "CuDNNLSTM": "LSTM",
        "Deconvolution2D": "Conv2DTranspose",
        "Deconvolution3D": "Conv3DTranspose",
        "DenseFeatures": Gone("Feature columns belong to TensorFlow.", "keras.utils.FeatureSpace"),
        "Highway": Gone(
            "Keras 2 took it out.", "t = Dense(n, 'sigmoid')(x); t * Dense(n, 'relu')(x) + (1 - t) * x"
        ),
        "LocallyConnected1D": Gone(
            "Keras 3 took it out.", "A Layer whose call uses keras.ops.einsum over windows."
        ),
        "LocallyConnected2D": Gone(
            "Keras 3 took it out.", "A Layer whose call uses keras.ops.einsum over windows."
        ),
        "MaxoutDense": Gone(
            "Keras 2 took it out.", "Dense(units * k), Reshape((units, k)), then ops.max(x, axis=-1)"
        ),
        "Merge": Gone(
            "A Sequential model has one branch.", "Model([a, b], Concatenate()([branch_1(a), branch_2(b)]))"
        ),
        "SyncBatchNormalization": "BatchNormalization",
        "ThresholdedReLU": Gone(
            "Keras 3 took it out.", "ReLU(threshold=theta), or x * (x > theta) in a Layer"
        ),
        "TimeDistributedDense": "Dense",
        "merge": merge,
    },
    "losses": {**_LOSSES, "Reduction": Reduction},
    "metrics": _LOSSES,
    "models": {
        "Graph": Gone("Keras 1 took it out.", "Model(inputs, outputs)"),
    },
    "regularizers": {"activity_l1": "L1", "activity_l2": "L2", "l1l2": "L1L2", "activity_l1l2": "L1L2"},
    "utils": {
        "HDF5Matrix": Gone("Arrays in HDF5 files are read by h5py.", "h5py.File(path)[name] in a PyDataset"),
        "multi_gpu_model": Gone(
            "Models are spread over devices by one call.", "keras.distribution.DataParallel()"
        ),
        "print_summary": Gone("It is a method.", "model.summary()"),
    },
}
"""Module -> old name -> what it is today."""

CALLABLE_MODULES: dict[str, Any] = {
    "layers.merge": merge,
    **{
        f"optimizers.{module}": name
        for module, name in {"adagrad": "Adagrad", "adam": "Adam", "rmsprop": "RMSprop", "sgd": "SGD"}.items()
    },
}
"""Modules of Hornbill that are also old functions: calling them calls these."""
