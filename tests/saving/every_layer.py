"""Every layer that files must carry, by family, with the small graph that each of them makes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tests.cases import Case, layers_a, layers_b

FAMILIES: dict[str, str] = {
    "dense": "Dense EinsumDense Embedding ReversibleEmbedding",
    "convolution 1": "Conv1D Conv1DTranspose DepthwiseConv1D SeparableConv1D",
    "convolution 2": "Conv2D Conv2DTranspose DepthwiseConv2D SeparableConv2D",
    "convolution 3": "Conv3D Conv3DTranspose",
    "pooling": """MaxPooling1D MaxPooling2D MaxPooling3D AveragePooling1D AveragePooling2D AveragePooling3D
        GlobalMaxPooling1D GlobalMaxPooling2D GlobalMaxPooling3D GlobalAveragePooling1D GlobalAveragePooling2D
        GlobalAveragePooling3D AdaptiveMaxPooling1D AdaptiveMaxPooling2D AdaptiveMaxPooling3D
        AdaptiveAveragePooling1D AdaptiveAveragePooling2D AdaptiveAveragePooling3D""",
    "resizing": """UpSampling1D UpSampling2D UpSampling3D ZeroPadding1D ZeroPadding2D ZeroPadding3D Cropping1D
        Cropping2D Cropping3D""",
    "shape": "Flatten Reshape Permute RepeatVector Identity ActivityRegularization Masking Lambda",
    "activation": "Activation ReLU LeakyReLU PReLU ELU Softmax",
    "random": """Dropout AlphaDropout GaussianDropout GaussianNoise SpatialDropout1D SpatialDropout2D
        SpatialDropout3D""",
    "normalisation": """BatchNormalization LayerNormalization GroupNormalization RMSNormalization UnitNormalization
        SpectralNormalization""",
    "merge": "Add Subtract Multiply Average Maximum Minimum Concatenate Dot",
    "recurrent": "SimpleRNN GRU LSTM",
    "cells": "RNN SimpleRNNCell GRUCell LSTMCell StackedRNNCells Bidirectional TimeDistributed",
    "convolutional recurrent": "ConvLSTM1D ConvLSTM2D ConvLSTM3D",
    "attention": "MultiHeadAttention GroupQueryAttention Attention AdditiveAttention",
}  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One layer in a graph.

    Attributes:
        name: Its class.
        arrays: What it is fed.
        connect: Makes it with library `k` and calls it on tensors.
        fixed: Whether it needs to know the size of the batch.
        label: The label of the case it comes from.
    """

    name: str
    arrays: tuple[np.ndarray, ...]
    connect: Callable[..., Any]
    fixed: bool = False
    label: str = ""

    @property
    def in_old_files(self) -> bool:
        """Whether Keras reads the layer from its own `.h5` files: there it takes one axis of several, and "dot" of
        Attention for the function `dot`."""
        return not (self.name == "Attention" or self.label.startswith(("axis=(1,2)", "axis=[1,2]")))


def _row_of(case: Case) -> Row:
    call = {
        name: value for name, value in case.call.items() if not _holds_arrays(value) and name != "training"
    }

    def connect(k: Any, *tensors: Any) -> Any:
        return case.make(k)(tensors[0] if len(tensors) == 1 else list(tensors), **call)

    return Row(
        case.public_name.rpartition(".")[2], case.arrays(), connect, 0 not in case.variable, case.label
    )


def _holds_arrays(value: Any) -> bool:
    return isinstance(value, np.ndarray) or (isinstance(value, list) and any(map(_holds_arrays, value)))


def _random(*shape: int) -> np.ndarray:
    return np.random.default_rng(len(shape)).normal(size=shape).astype("float32")


STEPS, ONE = _random(2, 5, 4), _random(2, 4)
STATE = np.full((2, 3), 0.3, "float32")


def _stacked(k: Any) -> Any:
    return k.layers.StackedRNNCells([k.layers.LSTMCell(3), k.layers.SimpleRNNCell(3)])


OWN = [
    Row("SimpleRNNCell", (ONE, STATE), lambda k, x, h: k.layers.SimpleRNNCell(3)(x, [h])),
    Row("GRUCell", (ONE, STATE), lambda k, x, h: k.layers.GRUCell(3)(x, [h])),
    Row("LSTMCell", (ONE, STATE), lambda k, x, h: k.layers.LSTMCell(3)(x, [h, h])),
    Row("StackedRNNCells", (ONE, STATE), lambda k, x, h: _stacked(k)(x, [[h, h], [h]])),
    Row("StackedRNNCells", (STEPS,), lambda k, x: k.layers.RNN(_stacked(k), return_sequences=True)(x)),
    Row("LSTM", (STEPS, STATE), lambda k, x, h: k.layers.LSTM(3)(x, initial_state=[h, h])),
    Row("GRU", (STEPS,), lambda k, x: k.layers.GRU(3)(k.layers.Masking()(x))),
    Row(
        "Bidirectional",
        (STEPS,),
        lambda k, x: k.layers.Bidirectional(k.layers.GRU(3), backward_layer=k.layers.GRU(2, go_backwards=True))(x),
    ),
    Row("Bidirectional", (STEPS,), lambda k, x: k.layers.Bidirectional(k.layers.RNN(k.layers.LSTMCell(2)))(x)),
    Row(
        "TimeDistributed",
        (STEPS,),
        lambda k, x: k.layers.TimeDistributed(k.Sequential([k.Input((4,)), k.layers.Dense(3), k.layers.Dense(2)]))(x),
    ),
    Row("Lambda", (ONE,), lambda k, x: k.layers.Lambda(k.activations.tanh)(x)),
    Row("MultiHeadAttention", (STEPS,), lambda k, x: k.layers.MultiHeadAttention(2, 3)(x, x)),
    Row(
        "MultiHeadAttention",
        (STEPS, _random(2, 3, 6)),
        lambda k, q, v: k.layers.MultiHeadAttention(2, 3, value_dim=2, output_shape=5, use_bias=False)(
            q, v, return_attention_scores=True
        ),
    ),
    Row("MultiHeadAttention", (STEPS,), lambda k, x: k.layers.MultiHeadAttention(2, 3)(x, x, use_causal_mask=True)),
    Row("GroupQueryAttention", (STEPS,), lambda k, x: k.layers.GroupQueryAttention(3, 4, 2)(x, x)),
    Row(
        "Attention",
        (STEPS, _random(2, 6, 4)),
        lambda k, q, v: k.layers.Attention(use_scale=True)([q, v, v], return_attention_scores=True),
    ),
]  # fmt: skip


def _first(cases: list[Case]) -> list[Case]:
    """Returns the first cases of each layer: files need few, and each has to be compiled."""
    counts: dict[str, int] = {}
    kept = []
    for case in cases:
        counts[case.public_name] = count = counts.get(case.public_name, 0) + 1
        if count <= (1 if "Pooling" in case.public_name else 2) or "axis=(1,2)" in case.label:
            kept.append(case)
    return kept


_NOT_FROM_CASES = ("SimpleRNNCell", "GRUCell", "LSTMCell", "StackedRNNCells", "Lambda")
_CASES = [case for case in [*layers_a.CASES, *layers_b.CASES] if case.public_name[7:] not in _NOT_FROM_CASES]
ROWS = [*(_row_of(case) for case in _first(_CASES)), *OWN]


def rows_of(family: str, old: bool = False) -> list[Row]:
    """Returns the layers of a family; only those that Keras reads from its own `.h5` files if `old`."""
    return [row for row in ROWS if row.name in FAMILIES[family].split() and (row.in_old_files or not old)]


def model_of(k: Any, family: str, old: bool = False) -> Any:
    """Returns a graph with an output for each layer of a family, and weights that are not those at the start."""
    inputs: dict[int, Any] = {}
    outputs: list[Any] = []
    for row in rows_of(family, old):
        tensors = []
        for array in row.arrays:
            given = {"batch_shape": array.shape} if row.fixed else {"shape": array.shape[1:]}
            tensors.append(k.Input(**given, dtype=str(array.dtype)))
            inputs[len(inputs)] = tensors[-1]
        out = row.connect(k, *tensors)
        outputs += _flat(out)
    model = k.Model(list(inputs.values()), outputs)
    rng = np.random.default_rng(5)
    for weight in model.weights:
        if "float" in str(weight.dtype):
            weight.assign(rng.uniform(0.1, 0.6, weight.shape).astype("float32"))
    return model


def _flat(value: Any) -> list[Any]:
    if isinstance(value, (list, tuple)):
        return [leaf for item in value for leaf in _flat(item)]
    return [value]


def data_of(family: str, old: bool = False) -> list[np.ndarray]:
    """Returns what the model of a family is fed."""
    return [array for row in rows_of(family, old) for array in row.arrays]
