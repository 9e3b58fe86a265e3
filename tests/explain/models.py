"""Models that the explanations are tried on: the four cases, and ones as large as applications."""

from __future__ import annotations

import hornbill as keras
from hornbill import layers
from hornbill.models import Model, Sequential


def corner_detector():
    """Case A: Dense on images."""
    inputs = keras.Input((5, 5, 1))
    x = inputs
    for _ in range(2):
        x = layers.Conv2D(5, (3, 3), activation="relu", padding="same")(x)
        x = layers.MaxPooling2D((2, 2), strides=1, padding="same")(x)
    return Model(inputs, layers.Dense(1, activation="sigmoid")(x), name="corner_detector")


def series():
    """Case B: how convolutions work, along a series: valid, same with a stride, causal with a dilation."""
    return Sequential(
        [
            keras.Input((10, 2)),
            layers.Conv1D(4, 3),
            layers.Conv1D(4, 3, strides=2, padding="same"),
            layers.Conv1D(4, 3, padding="causal", dilation_rate=2),
        ],
        name="series",
    )


def _block(x, filters, rate):
    x = layers.Conv2D(filters, 3, activation="relu", padding="same")(x)
    x = layers.Dropout(rate)(x)
    return layers.Conv2D(filters, 3, activation="relu", padding="same")(x)


def unet():
    """Case C: the U-Net of 7,759,521 parameters."""
    inputs = keras.Input((96, 96, 1))
    down, x = [], inputs
    for filters, rate in ((32, 0.2), (64, 0.2), (128, 0.3), (256, 0.3), (512, 0.3)):
        down.append(_block(x, filters, rate))
        x = layers.MaxPooling2D((2, 2))(down[-1])
    x = down.pop()
    for filters in (256, 128, 64, 32):
        x = layers.Conv2DTranspose(filters, (2, 2), strides=(2, 2), padding="same")(x)
        x = layers.concatenate([x, down.pop()], axis=3)
        x = _block(x, filters, 0.3)
    return Model(inputs, layers.Conv2D(1, (1, 1), activation="sigmoid")(x), name="unet")


def planes(shape=(15, 15, 20)):
    """Case D: which axis is which."""
    return Sequential(
        [
            keras.Input(shape),
            layers.Conv2D(12, 3, activation="relu", padding="same"),
            layers.Conv2D(10, 3, activation="relu", padding="same"),
            layers.Dense(6, activation="softmax"),
        ],
        name="planes",
    )


def planes_mistaken():
    """Case D with the depth first."""
    return planes((20, 15, 15))


def digits():
    """A small classifier with what most have: pooling, normalisation, dropout, Flatten."""
    return Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(2),
            layers.Conv2D(64, 3, strides=2, activation="relu"),
            layers.Dropout(0.25),
            layers.Flatten(),
            layers.Dense(10, activation="softmax"),
        ],
        name="digits",
    )


# ---- as large as applications


def _normed(x, filters, size, strides=1, act=True):
    x = layers.Conv2D(filters, size, strides=strides, padding="same", use_bias=True)(x)
    x = layers.BatchNormalization()(x)
    return layers.Activation("relu")(x) if act else x


def resnet50():
    """ResNet-50: 25,636,712 parameters, as its paper's table and every implementation of it have."""
    inputs = keras.Input((224, 224, 3))
    x = layers.ZeroPadding2D(3)(inputs)
    x = layers.Conv2D(64, 7, strides=2)(x)
    x = layers.Activation("relu")(layers.BatchNormalization()(x))
    x = layers.MaxPooling2D(3, strides=2)(layers.ZeroPadding2D(1)(x))
    for stage, (filters, blocks) in enumerate(((64, 3), (128, 4), (256, 6), (512, 3))):
        for block in range(blocks):
            strides = 2 if stage and not block else 1
            way = _normed(x, 4 * filters, 1, strides, act=False) if not block else x
            y = _normed(x, filters, 1, strides)
            y = _normed(_normed(y, filters, 3), 4 * filters, 1, act=False)
            x = layers.Activation("relu")(layers.Add()([way, y]))
    x = layers.GlobalAveragePooling2D()(x)
    return Model(inputs, layers.Dense(1000, activation="softmax")(x), name="resnet50")


def mobilenet():
    """MobileNet of width 1: 4,253,864 parameters."""
    inputs = keras.Input((224, 224, 3))

    def normed(x):
        return layers.ReLU(6.0)(layers.BatchNormalization()(x))

    x = normed(layers.Conv2D(32, 3, strides=2, padding="same", use_bias=False)(inputs))
    for filters, strides in (
        (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1),
    ):  # fmt: skip
        x = normed(layers.DepthwiseConv2D(3, strides=strides, padding="same", use_bias=False)(x))
        x = normed(layers.Conv2D(filters, 1, use_bias=False)(x))
    x = layers.GlobalAveragePooling2D(keepdims=True)(x)
    x = layers.Conv2D(1000, 1)(layers.Dropout(0.001)(x))
    return Model(inputs, layers.Softmax()(layers.Reshape((1000,))(x)), name="mobilenet")


def transformer():
    """A transformer block over 80 words."""
    words = keras.Input((80,), dtype="int32")
    x = layers.Embedding(5000, 64)(words)
    y = layers.MultiHeadAttention(4, 16)(x, x)
    x = layers.LayerNormalization()(layers.Add()([x, y]))
    y = layers.Dense(64)(layers.Dense(128, activation="relu")(x))
    x = layers.LayerNormalization()(layers.Add()([x, y]))
    x = layers.Dense(1, activation="sigmoid")(layers.GlobalAveragePooling1D()(x))
    return Model(words, x, name="transformer")


def nested():
    """A model inside a model inside a model."""
    inner = Sequential([keras.Input((8, 8, 4)), layers.Conv2D(4, 3, padding="same")], name="inner")
    middle = Sequential([keras.Input((8, 8, 4)), inner, layers.BatchNormalization()], name="middle")
    inputs = keras.Input((8, 8, 4))
    return Model(inputs, layers.Dense(3)(layers.Flatten()(middle(inputs))), name="outer")


def shared():
    """A siamese model: one encoder called twice."""
    encoder = Sequential(
        [keras.Input((10,)), layers.Dense(6, activation="relu"), layers.Dense(4)], name="encoder"
    )
    left, right = keras.Input((10,), name="left"), keras.Input((10,), name="right")
    both = layers.Subtract()([encoder(left), encoder(right)])
    return Model([left, right], layers.Dense(1)(both), name="siamese")


class Residual(keras.Model):
    """A model written with call."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.first = layers.Dense(8, activation="relu")
        self.second = layers.Dense(8)
        self.last = layers.Dense(2)

    def call(self, inputs):
        x = self.first(inputs)
        return self.last(x + self.second(x))


def subclassed():
    """A model written with call, built."""
    model = Residual(name="residual")
    model.build((None, 5))
    return model
