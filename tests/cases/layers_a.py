"""Cases of the layers without steps: convolution, pooling, dense, merging, normalisation, dropout."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.cases import Case

SEQUENCE, IMAGE, VOLUME = (2, 9, 4), (2, 8, 9, 4), (2, 5, 6, 7, 2)
FIRST = {SEQUENCE: (2, 4, 9), IMAGE: (2, 4, 8, 9), VOLUME: (2, 2, 5, 6, 7)}
BY_RANK = {1: SEQUENCE, 2: IMAGE, 3: VOLUME}
SPACE = {SEQUENCE: (0, 1), IMAGE: (0, 1, 2), VOLUME: (0, 1, 2, 3)}


def _case(name: str, *shapes: tuple[int, ...], label: str = "", **arguments: Any) -> Case:
    """Returns the case of a layer made with the given arguments; `_` before a name keeps it for the Case."""
    own = {key[1:]: arguments.pop(key) for key in list(arguments) if key.startswith("_")}
    inputs = own.pop("inputs", shapes)
    if "variable" not in own and shapes:
        own["variable"] = SPACE.get(shapes[0], (0,))
    if not label:
        label = ",".join(f"{k}={v}" for k, v in arguments.items()).replace(" ", "")[:60]
    return Case(
        f"layers.{name}",
        lambda keras: getattr(keras.layers, name)(**arguments),
        inputs,
        arguments,
        label=label,
        **own,
    )


def _whole_numbers(limit: int, *shape: int) -> Callable[[np.random.Generator], tuple[np.ndarray, ...]]:
    return lambda rng: (rng.integers(0, limit, size=shape).astype("int32"),)


def _convolutions() -> list[Case]:
    cases = []
    for rank, shape in BY_RANK.items():
        name = f"Conv{rank}D"
        cases += [
            _case(name, shape, filters=4, kernel_size=3),
            _case(name, shape, filters=6, kernel_size=2, strides=2, padding="same", activation="relu"),
            _case(name, shape, filters=4, kernel_size=2, groups=2, use_bias=False),
            _case(name, shape, filters=3, kernel_size=2, dilation_rate=2),
            _case(name + "Transpose", shape, filters=3, kernel_size=2, strides=2, padding="same"),
            _case(name + "Transpose", shape, filters=3, kernel_size=3, strides=2, activation="tanh"),
            _case(name + "Transpose", shape, filters=3, kernel_size=3, strides=2, output_padding=1),
        ]
    for rank in (1, 2):
        shape = BY_RANK[rank]
        cases += [
            _case(f"DepthwiseConv{rank}D", shape, kernel_size=3, depth_multiplier=2),
            _case(f"DepthwiseConv{rank}D", shape, kernel_size=2, strides=2, padding="same", use_bias=False),
            _case(f"SeparableConv{rank}D", shape, filters=5, kernel_size=3, depth_multiplier=2),
            _case(f"SeparableConv{rank}D", shape, filters=5, kernel_size=3, padding="same", activation="elu"),
        ]
    return [
        *cases,
        _case("Conv1D", SEQUENCE, filters=4, kernel_size=3, padding="causal", dilation_rate=2),
        _case("Conv1D", SEQUENCE, filters=4, kernel_size=3, padding="causal", strides=2),
        _case("Conv2D", IMAGE, filters=4, kernel_size=(3, 1), strides=(1, 2)),
        _case("Conv2D", IMAGE, filters=4, kernel_size=3, kernel_regularizer="l2", bias_initializer="ones"),
        _case("Conv2DTranspose", IMAGE, filters=3, kernel_size=3, dilation_rate=2),
        _case("Conv2DTranspose", IMAGE, filters=3, kernel_size=2, strides=2),
        _case("SeparableConv2D", IMAGE, filters=5, kernel_size=2, dilation_rate=2),
    ]


def _pooling() -> list[Case]:
    cases = []
    for rank, shape in BY_RANK.items():
        for kind in ("Max", "Average"):
            cases += [
                _case(f"{kind}Pooling{rank}D", shape, pool_size=2),
                _case(f"{kind}Pooling{rank}D", shape, pool_size=3, strides=1, padding="same"),
                _case(f"{kind}Pooling{rank}D", shape, pool_size=2, strides=3),
                _case(f"Global{kind}Pooling{rank}D", shape),
                _case(f"Global{kind}Pooling{rank}D", shape, keepdims=True),
                _case(f"Adaptive{kind}Pooling{rank}D", shape, output_size=2, _variable=(0,)),
                _case(f"Adaptive{kind}Pooling{rank}D", shape, output_size=3, _variable=(0,)),
            ]
    return cases


def _resizing() -> list[Case]:
    return [
        _case("UpSampling1D", SEQUENCE, size=3),
        _case("UpSampling2D", IMAGE),
        _case("UpSampling2D", IMAGE, size=(2, 3), interpolation="bilinear"),
        _case("UpSampling3D", VOLUME, size=(1, 2, 3)),
        _case("ZeroPadding1D", SEQUENCE, padding=2),
        _case("ZeroPadding1D", SEQUENCE, padding=(1, 0)),
        _case("ZeroPadding2D", IMAGE, padding=((1, 2), (0, 3))),
        _case("ZeroPadding2D", IMAGE, padding=(1, 2)),
        _case("ZeroPadding3D", VOLUME, padding=1),
        _case("Cropping1D", SEQUENCE, cropping=(1, 2)),
        _case("Cropping2D", IMAGE, cropping=((1, 2), (0, 3))),
        _case("Cropping3D", VOLUME, cropping=(1, 1, 2)),
    ]


def _channels_first() -> list[Case]:
    cases = []
    arguments: dict[str, dict[str, Any]] = {
        "Conv{}D": {"filters": 3, "kernel_size": 2},
        "Conv{}DTranspose": {"filters": 3, "kernel_size": 2, "strides": 2},
        "GlobalAveragePooling{}D": {},
        "GlobalMaxPooling{}D": {},
        "AdaptiveMaxPooling{}D": {"output_size": 2},
        "ZeroPadding{}D": {"padding": 1},
    }
    for rank, shape in BY_RANK.items():
        for name, given in arguments.items():
            first = {**given, "data_format": "channels_first"}
            cases.append(_case(name.format(rank), FIRST[shape], **first))
    image = FIRST[IMAGE]
    return [
        *cases,
        _case("SeparableConv2D", image, filters=3, kernel_size=2, data_format="channels_first"),
        _case("DepthwiseConv2D", image, kernel_size=2, data_format="channels_first"),
        _case("UpSampling2D", image, data_format="channels_first"),
        _case("Cropping2D", image, cropping=1, data_format="channels_first"),
        _case("Flatten", image, data_format="channels_first"),
    ]


def _shapes() -> list[Case]:
    return [
        _case("Flatten", (2, 3, 4)),
        _case("Flatten", (3,)),
        _case("Reshape", (2, 3, 4), target_shape=(2, -1)),
        _case("Reshape", (2, 12), target_shape=(3, 4)),
        _case("Permute", (2, 3, 4), dims=(2, 1), _variable=(0, 1, 2)),
        _case("RepeatVector", (2, 3), n=4),
        _case("Identity", (2, 3), _variable=(0, 1)),
        _case("ActivityRegularization", (2, 3), l1=0.1, l2=0.2),
        _case("Masking", (2, 3, 4), mask_value=0.5, _variable=(0, 1)),
    ]


def _dense() -> list[Case]:
    return [
        _case("Dense", (2, 5), units=3),
        _case("Dense", (2, 5, 5, 4), units=1, activation="sigmoid", _variable=(0, 1, 2)),
        _case("Dense", (2, 5), units=3, use_bias=False, kernel_regularizer="l2", activity_regularizer="l2"),
        _case("EinsumDense", (2, 5), equation="ab,bc->ac", output_shape=3, bias_axes="c"),
        _case("EinsumDense", (2, 3, 5), equation="abc,cd->abd", output_shape=(None, 4), bias_axes="d"),
        _case("EinsumDense", (2, 3, 5), equation="abc,cde->abde", output_shape=(None, 4, 6), bias_axes="d"),
        _case("EinsumDense", (2, 3, 5), equation="...x,xyz->...yz", output_shape=(4, 6), bias_axes="y"),
        _case("EinsumDense", (2, 3, 5), equation="ab...,bc->ac...", output_shape=(4,), bias_axes="c"),
        _case("EinsumDense", (2, 3, 5), equation="abc,acd->abd", output_shape=(3, 4), _variable=()),
        _case("Embedding", input_dim=7, output_dim=3, _inputs=_whole_numbers(7, 2, 4)),
        _case("Embedding", input_dim=7, output_dim=3, mask_zero=True, _inputs=_whole_numbers(7, 2, 4)),
        _case("ReversibleEmbedding", input_dim=7, output_dim=3, _inputs=_whole_numbers(7, 2, 4)),
        _case(
            "ReversibleEmbedding", (2, 4, 3), input_dim=7, output_dim=3, tie_weights=False,
            logit_soft_cap=0.5, _call={"reverse": True},
        ),
    ]  # fmt: skip


def _activations() -> list[Case]:
    names = ("relu", "softmax", "gelu", None)
    return [
        *(_case("Activation", (2, 5), activation=name) for name in names),
        _case("ReLU", (2, 5)),
        _case("ReLU", (2, 5), max_value=0.8, negative_slope=0.1, threshold=0.2),
        _case("LeakyReLU", (2, 5)),
        _case("PReLU", (2, 5, 4), alpha_initializer="ones"),
        _case("PReLU", (2, 5, 4), shared_axes=[1], alpha_initializer="ones", _variable=(0, 1)),
        _case("ELU", (2, 5), alpha=0.5),
        _case("Softmax", (2, 5)),
        _case("Softmax", (2, 3, 4), axis=(1, 2)),
        _case("Softmax", (2, 3), _call={"mask": np.array([[True, True, False], [False] * 3])}),
    ]


def _merging() -> list[Case]:
    pair, uneven = ((2, 3, 4), (2, 3, 4)), ((2, 3, 1), (2, 4))
    cases = [
        _case(name, *shapes, label=str(len(shapes[1])))
        for name in ("Add", "Multiply", "Average", "Maximum", "Minimum", "Subtract")
        for shapes in (pair, uneven)
    ]
    return [
        *cases,
        _case("Add", *pair, (2, 3, 4), label="three"),
        _case("Concatenate", *pair, _variable=(0, 1)),
        _case("Concatenate", (2, 3, 4), (2, 5, 4), axis=1),
        _case("Dot", (2, 5), (2, 5), axes=1),
        _case("Dot", (2, 3, 5), (2, 10, 3), axes=(1, 2)),
        _case("Dot", (2, 3, 5), (2, 3, 5), axes=-1, normalize=True),
    ]


def _random() -> list[Case]:
    rates = ("Dropout", "AlphaDropout", "GaussianDropout")
    cases = [
        *(_case(name, (2, 5), rate=0.4, seed=3) for name in rates),
        *(
            _case(name, (2, 5), rate=0.4, seed=3, _call={"training": True}, label="training")
            for name in rates
        ),
        _case("GaussianNoise", (2, 5), stddev=0.4, seed=3, _call={"training": True}),
        _case("Dropout", (2, 3, 5), rate=0.5, noise_shape=(None, 1, 5), seed=3, _call={"training": True}),
    ]
    for rank, shape in BY_RANK.items():
        cases.append(_case(f"SpatialDropout{rank}D", shape, rate=0.5, seed=3, _call={"training": True}))
    first = {"data_format": "channels_first", "_call": {"training": True}}
    return [*cases, _case("SpatialDropout2D", FIRST[IMAGE], rate=0.5, seed=3, **first)]


def _normalisation() -> list[Case]:
    mask = np.array([[True] * 6 + [False] * 3, [True] * 9])
    training = {"_call": {"training": True}, "_tolerance": 2e-5}
    return [
        _case("BatchNormalization", IMAGE),
        _case("BatchNormalization", IMAGE, label="training", **training),
        _case("BatchNormalization", FIRST[IMAGE], axis=1, momentum=0.5, label="axis1", **training),
        _case("BatchNormalization", SEQUENCE, center=False, scale=False, label="plain", **training),
        _case(
            "BatchNormalization", SEQUENCE, label="mask", _call={"training": True, "mask": mask},
            _tolerance=2e-5, _variable=(),
        ),
        _case("BatchNormalization", SEQUENCE, renorm=True, label="renorm", **training),
        _case(
            "BatchNormalization", SEQUENCE, renorm=True, renorm_clipping={"rmax": 0.9, "rmin": 0.5,
            "dmax": 0.1}, renorm_momentum=0.8, label="clipped", **training,
        ),
        _case("LayerNormalization", SEQUENCE, _variable=(0, 1)),
        _case("LayerNormalization", SEQUENCE, axis=(1, 2), _variable=(0,)),
        _case("LayerNormalization", SEQUENCE, rms_scaling=True, center=False),
        _case("GroupNormalization", IMAGE, groups=2),
        _case("GroupNormalization", FIRST[IMAGE], groups=-1, axis=1, center=False),
        _case("RMSNormalization", SEQUENCE),
        _case("UnitNormalization", SEQUENCE),
        _case("UnitNormalization", SEQUENCE, axis=[1, 2]),
    ]  # fmt: skip


def _wrapping() -> list[Case]:
    def spectral(keras: Any) -> Any:
        return keras.layers.SpectralNormalization(keras.layers.Dense(3, name="inner"), power_iterations=2)

    def squares(keras: Any) -> Any:
        return keras.layers.Lambda(lambda x, factor: factor * x * x, arguments={"factor": 3.0})

    return [
        Case("layers.SpectralNormalization", spectral, ((2, 5),), label="dense"),
        Case("layers.SpectralNormalization", spectral, ((2, 5),), label="training", call={"training": True}),
        Case("layers.Lambda", squares, ((2, 5),), label="squares"),
    ]


CASES = [
    *_convolutions(), *_pooling(), *_resizing(), *_channels_first(), *_shapes(), *_dense(), *_activations(),
    *_merging(), *_random(), *_normalisation(), *_wrapping(),
]  # fmt: skip
