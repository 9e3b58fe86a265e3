"""Networks of many kinds, with data that fits them, from what Hornbill and Keras both have; see `tasks.network`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["GROWTH", "NETWORKS", "data", "grown", "growth_data", "sizes", "unet"]

WORDS, STEPS, CLASSES = 5000, 100, 10
SHAPES = {"mlp": (784,), "conv3d": (16, 32, 32, 1), "lstm": (STEPS,), "conv1d": (2 * STEPS,)}
BATCHES = {"mlp": 128, "conv3d": 4}
"""Shape of a sample and rows of a batch, where they are not those of 32 colour images of 32 x 32."""


def data(name: str, batches: int) -> tuple[np.ndarray, np.ndarray, int]:
    """Returns samples, classes and the rows of a batch, channels last."""
    room, size = np.random.default_rng(0), BATCHES.get(name, 32)
    shape = (batches * size, *SHAPES.get(name, (32, 32, 3)))
    words = name in ("lstm", "conv1d")
    x = room.integers(0, WORDS, shape, dtype=np.int32) if words else room.random(shape, np.float32)
    return x, room.integers(0, CLASSES, len(x), dtype=np.int32), size


def unet(keras: Any) -> Any:
    """The U-Net of 7,759,521 parameters: 96 x 96 x 1, five levels, dropout, transposed convolutions."""
    layers = keras.layers

    def block(x: Any, filters: int, rate: float) -> Any:
        x = layers.Conv2D(filters, 3, activation="relu", padding="same")(x)
        return layers.Conv2D(filters, 3, activation="relu", padding="same")(layers.Dropout(rate)(x))

    inputs = x = keras.Input((96, 96, 1))
    across = []
    for filters in (32, 64, 128, 256):
        x = block(x, filters, 0.2)
        across.append(x)
        x = layers.MaxPooling2D(2)(x)
    x = block(x, 512, 0.3)
    for filters in (256, 128, 64, 32):
        x = layers.Conv2DTranspose(filters, 2, strides=2, padding="same")(x)
        x = block(layers.concatenate([x, across.pop()], axis=3), filters, 0.3)
    return keras.Model(inputs, layers.Conv2D(1, 1, activation="sigmoid")(x))


def mlp(keras: Any) -> Any:
    """Two hidden layers of 512."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input(SHAPES["mlp"]),
            layers.Dense(512, activation="relu"),
            layers.Dropout(0.2),
            layers.Dense(512, activation="relu"),
            layers.Dense(CLASSES, activation="softmax"),
        ]
    )


def resnet(keras: Any) -> Any:
    """ResNet-18 for images of 32 x 32: a 3x3 convolution first, no pooling after it."""
    layers = keras.layers

    def conv(x: Any, filters: int, strides: int = 1, kernel: int = 3) -> Any:
        x = layers.Conv2D(filters, kernel, strides=strides, padding="same", use_bias=False)(x)
        return layers.BatchNormalization()(x)

    inputs = keras.Input((32, 32, 3))
    x = layers.ReLU()(conv(inputs, 64))
    for filters, strides in ((64, 1), (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), (512, 1)):
        y = conv(layers.ReLU()(conv(x, filters, strides)), filters)
        x = layers.ReLU()(layers.Add()([y, conv(x, filters, strides, 1) if strides > 1 else x]))
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, layers.Dense(CLASSES, activation="softmax")(x))


def lstm(keras: Any) -> Any:
    """A recurrent classifier of texts."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input(SHAPES["lstm"], dtype="int32"),
            layers.Embedding(WORDS, 64),
            layers.LSTM(64),
            layers.Dense(CLASSES, activation="softmax"),
        ]
    )


def conv1d(keras: Any) -> Any:
    """A convolutional classifier of texts."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input(SHAPES["conv1d"], dtype="int32"),
            layers.Embedding(WORDS, 64),
            layers.Conv1D(128, 5, activation="relu"),
            layers.MaxPooling1D(2),
            layers.Conv1D(128, 5, activation="relu"),
            layers.GlobalMaxPooling1D(),
            layers.Dense(CLASSES, activation="softmax"),
        ]
    )


def transformer(keras: Any) -> Any:
    """A vision transformer: patches of 4 x 4, width 64, four blocks, four heads."""
    layers = keras.layers
    inputs = keras.Input((32, 32, 3))
    x = layers.Reshape((64, 64))(layers.Conv2D(64, 4, strides=4)(inputs))
    for _ in range(4):
        y = layers.LayerNormalization()(x)
        x = layers.Add()([x, layers.MultiHeadAttention(4, 16)(y, y)])
        y = layers.Dense(128, activation="gelu")(layers.LayerNormalization()(x))
        x = layers.Add()([x, layers.Dense(64)(y)])
    x = layers.GlobalAveragePooling1D()(layers.LayerNormalization()(x))
    return keras.Model(inputs, layers.Dense(CLASSES, activation="softmax")(x))


def separable(keras: Any) -> Any:
    """Blocks of MobileNet: depthwise and 1x1 convolutions with batch normalisation."""
    layers = keras.layers

    def block(x: Any, filters: int, strides: int) -> Any:
        x = layers.DepthwiseConv2D(3, strides=strides, padding="same", use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization()(x))
        x = layers.Conv2D(filters, 1, use_bias=False)(x)
        return layers.ReLU()(layers.BatchNormalization()(x))

    inputs = keras.Input((32, 32, 3))
    x = layers.Conv2D(32, 3, padding="same", use_bias=False)(inputs)
    x = layers.ReLU()(layers.BatchNormalization()(x))
    for filters, strides in ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1)):
        x = block(x, filters, strides)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, layers.Dense(CLASSES, activation="softmax")(x))


def conv3d(keras: Any) -> Any:
    """A classifier of volumes."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input(SHAPES["conv3d"]),
            layers.Conv3D(16, 3, padding="same", activation="relu"),
            layers.MaxPooling3D(2),
            layers.Conv3D(32, 3, padding="same", activation="relu"),
            layers.MaxPooling3D(2),
            layers.GlobalAveragePooling3D(),
            layers.Dense(CLASSES, activation="softmax"),
        ]
    )


NETWORKS: dict[str, Callable[[Any], Any]] = {
    "mlp": mlp,
    "resnet": resnet,
    "lstm": lstm,
    "conv1d": conv1d,
    "transformer": transformer,
    "separable": separable,
    "conv3d": conv3d,
}


GROWTH = {"batch": (8, 32, 128), "size": (16, 32, 64), "depth": (2, 8, 32), "arrays": (1, 8, 64)}
"""What grows, and its values: rows of a batch, height and width, convolutions, input arrays."""


def grown(keras: Any, name: str, number: int) -> Any:
    """A small network with one of its sizes set; the others are those of `sizes`."""
    layers, found = keras.layers, sizes(name, number)
    inputs = [keras.Input((found["size"], found["size"], 3)) for _ in range(found["arrays"])]
    x = inputs[0] if len(inputs) == 1 else layers.Add()(inputs)
    for _ in range(found["depth"]):
        x = layers.Conv2D(16, 3, activation="relu", padding="same")(x)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, layers.Dense(CLASSES, activation="softmax")(x))


def growth_data(name: str, number: int, batches: int) -> tuple[Any, np.ndarray, int]:
    """Returns samples (an array or a list of them), classes and the rows of a batch for `grown`."""
    room, found = np.random.default_rng(0), sizes(name, number)
    rows = batches * found["batch"]
    x = [room.random((rows, found["size"], found["size"], 3), np.float32) for _ in range(found["arrays"])]
    return x[0] if len(x) == 1 else x, room.integers(0, CLASSES, rows, dtype=np.int32), found["batch"]


def sizes(name: str, number: int) -> dict[str, int]:
    """Returns all sizes of the network of which one is set."""
    return {"batch": 8, "size": 16, "depth": 2, "arrays": 1, name: number}
