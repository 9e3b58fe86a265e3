"""Small networks that together have every kind of layer that the page works out, with random weights of every variable."""

from __future__ import annotations

from typing import Any

import numpy as np

import hornbill as keras
from hornbill import layers


def shaken(model: Any, seed: int = 0) -> Any:
    """Gives every weight a random value, so that biases, means and variances take part."""
    random = np.random.default_rng(seed)
    for variable in model.weights:
        value = random.normal(0, 0.3, variable.shape).astype("float32")
        variable.assign(np.abs(value) + 0.5 if "variance" in variable.name else value)
    return model


def images() -> Any:
    """2D: grouped, depthwise, separable, dilated, strided and transposed convolutions, poolings, joins, a classifier."""
    inputs = x = keras.Input((12, 11, 3), name="image")
    x = layers.Conv2D(8, 3, strides=2, padding="same", activation="relu", name="strided")(x)
    x = layers.BatchNormalization(name="normal")(x)
    side = layers.Conv2D(8, (3, 2), dilation_rate=(1, 2), padding="same", activation="gelu", name="dilated")(
        x
    )
    x = layers.Conv2D(12, 3, groups=4, padding="valid", name="grouped")(x)
    x = layers.LeakyReLU(negative_slope=0.1, name="leaky")(x)
    x = layers.DepthwiseConv2D(3, depth_multiplier=2, padding="same", activation="tanh", name="depthwise")(x)
    x = layers.SeparableConv2D(6, 3, padding="same", activation="silu", name="separable")(x)
    x = layers.Conv2DTranspose(8, 3, strides=(2, 1), padding="valid", activation="elu", name="transposed")(x)
    x = layers.AveragePooling2D(2, strides=1, padding="same", name="mean")(x)
    x = layers.ZeroPadding2D(((1, 2), (3, 2)), name="pad")(x)
    x = layers.Cropping2D(((2, 1), (1, 2)), name="crop")(x)
    x = layers.UpSampling2D((1, 2), name="grow")(x)
    x = layers.MaxPooling2D((3, 2), strides=(2, 2), padding="same", name="strongest")(x)
    side = layers.Conv2DTranspose(8, 2, strides=2, padding="same", name="wider")(side)
    side = layers.MaxPooling2D((2, 2), name="smaller")(side)
    side = layers.Cropping2D(((0, 1), (0, 0)), name="cut")(side)
    x = layers.Concatenate(name="join")(
        [layers.Cropping2D(((0, 0), (0, 0)))(x), layers.Cropping2D(((0, 0), (0, 0)))(x)]
    )
    x = layers.Conv2D(4, 1, activation="softmax", name="each")(x)
    x = layers.GlobalAveragePooling2D(name="global")(x)
    side = layers.Flatten(name="flatten")(side)
    side = layers.Dropout(0.5, name="dropout")(side)
    side = layers.Dense(4, activation="sigmoid", name="hidden")(side)
    x = layers.Add(name="sum")([x, side])
    x = layers.Dense(5, name="scores")(x)
    return shaken(keras.Model(inputs, layers.Softmax(name="share")(x), name="images"))


def series() -> Any:
    """1D: causal and dilated convolutions, pooling, normalisation along the last axis, dense on the last axis."""
    return shaken(
        keras.Sequential(
            [
                keras.Input((17, 2)),
                layers.Conv1D(5, 3, dilation_rate=2, padding="causal", activation="relu", name="causal"),
                layers.Conv1D(4, 4, strides=2, padding="same", name="strided"),
                layers.Activation("swish", name="swish"),
                layers.LayerNormalization(name="even"),
                layers.MaxPooling1D(2, name="pool"),
                layers.Conv1DTranspose(3, 3, strides=2, padding="same", name="back"),
                layers.Dense(4, activation="selu", name="dense"),
                layers.Permute((2, 1), name="turn"),
                layers.GlobalMaxPooling1D(name="top"),
            ],
            name="series",
        )
    )


def volumes() -> Any:
    """3D, in an inner model that is used twice."""
    inner = keras.Sequential(
        [
            keras.Input((4, 5, 6, 2)),
            layers.Conv3D(2, (2, 3, 3), padding="same", activation="relu", name="solid"),
        ],
        name="inner",
    )
    inputs = keras.Input((4, 5, 6, 2))
    x = inner(inner(inputs))
    x = layers.Conv3DTranspose(2, 2, strides=(1, 2, 1), name="bigger")(x)
    x = layers.AveragePooling3D(2, name="mean")(x)
    x = layers.GlobalAveragePooling3D(name="global")(x)
    return shaken(keras.Model(inputs, layers.Dense(3, activation="softplus", name="out")(x), name="volumes"))


def first() -> Any:
    """Channels first."""
    inputs = keras.Input((3, 9, 8))
    x = layers.Conv2D(4, 3, strides=2, padding="same", data_format="channels_first", activation="relu")(
        inputs
    )
    x = layers.BatchNormalization(axis=1)(x)
    x = layers.DepthwiseConv2D(3, data_format="channels_first", padding="same")(x)
    x = layers.MaxPooling2D(2, data_format="channels_first")(x)
    x = layers.Conv2DTranspose(3, 3, strides=2, padding="same", data_format="channels_first")(x)
    x = layers.GlobalAveragePooling2D(data_format="channels_first")(x)
    return shaken(keras.Model(inputs, layers.Dense(2)(x), name="first"))


def residual(width: int = 16, blocks: tuple[int, ...] = (3, 4, 6, 3)) -> Any:
    """A residual network laid out like ResNet-50, with fewer channels: 16 blocks, some 180 layers."""
    inputs = x = keras.Input((64, 64, 3), name="image")
    x = layers.Conv2D(width, 7, strides=2, padding="same", name="conv1_conv")(x)
    x = layers.BatchNormalization(name="conv1_bn")(x)
    x = layers.Activation("relu", name="conv1_relu")(x)
    x = layers.MaxPooling2D(3, strides=2, padding="same", name="pool1_pool")(x)
    for stage, count in enumerate(blocks):
        for block in range(count):
            x = _bottleneck(
                x,
                width * 2**stage,
                2 if stage and not block else 1,
                block == 0,
                f"conv{stage + 2}_block{block + 1}",
            )
    x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
    return keras.Model(inputs, layers.Dense(10, activation="softmax", name="predictions")(x), name="residual")


def _bottleneck(x: Any, width: int, stride: int, project: bool, name: str) -> Any:
    short = x
    if project:
        short = layers.Conv2D(4 * width, 1, strides=stride, name=f"{name}_0_conv")(short)
        short = layers.BatchNormalization(name=f"{name}_0_bn")(short)
    for place, (filters, kernel, step) in enumerate(
        [(width, 1, stride), (width, 3, 1), (4 * width, 1, 1)], 1
    ):
        x = layers.Conv2D(filters, kernel, strides=step, padding="same", name=f"{name}_{place}_conv")(x)
        x = layers.BatchNormalization(name=f"{name}_{place}_bn")(x)
        if place < 3:
            x = layers.Activation("relu", name=f"{name}_{place}_relu")(x)
    x = layers.Add(name=f"{name}_add")([short, x])
    return layers.Activation("relu", name=f"{name}_out")(x)


class Own(keras.Model):
    """A model with a `call` of its own, whose name tries to leave its script element."""

    def __init__(self) -> None:
        super().__init__(name="own")
        self.look = layers.Conv2D(3, 3, name="look")
        self.out = layers.Dense(2, name="a<b&'\"")

    def call(self, x):
        """Looks, then answers from the mean."""
        return self.out(keras.ops.mean(self.look(x), axis=(1, 2)))


def noise(model: Any, count: int = 4, seed: int = 1) -> np.ndarray:
    """Returns random inputs for a model."""
    shape = model.inputs[0].shape[1:]
    return np.random.default_rng(seed).normal(size=(count, *shape)).astype("float32")
