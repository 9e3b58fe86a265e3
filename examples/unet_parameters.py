"""Counting the parameters of a U-Net: 7,759,521, and where each of them comes from.

The network takes grey images of 96 x 96, goes down four times and up again, and joins both ways at each size.
The program adds up the counts by hand, next to those of the summary, and trains a step with the Dice loss
written in the old style. Run it as `python examples/unet_parameters.py`.
"""

from __future__ import annotations

from typing import Any

import hornbill as keras
from hornbill import layers
from hornbill.backend import flatten, sum


def convolution_count(n: int, m: int, maps_in: int, maps_out: int) -> int:
    """Returns the parameters of a convolution: n x m over all input maps, and a bias, for each output map."""
    return (n * m * maps_in + 1) * maps_out


def block(x: Any, filters: int, rate: float) -> Any:
    """Applies two 3 x 3 convolutions with a dropout between them."""
    x = layers.Conv2D(filters, (3, 3), activation="relu", padding="same")(x)
    x = layers.Dropout(rate)(x)
    return layers.Conv2D(filters, (3, 3), activation="relu", padding="same")(x)


def unet() -> keras.Model:
    """Returns the network."""
    inputs = x = keras.Input((96, 96, 1))
    across = []
    for filters, rate in ((32, 0.2), (64, 0.2), (128, 0.3), (256, 0.3)):
        x = block(x, filters, rate)
        across.append(x)
        x = layers.MaxPooling2D((2, 2))(x)
    x = block(x, 512, 0.3)
    for filters in (256, 128, 64, 32):
        x = layers.Conv2DTranspose(filters, (2, 2), strides=(2, 2), padding="same")(x)
        x = layers.concatenate([x, across.pop()], axis=3)
        x = block(x, filters, 0.3)
    return keras.Model(inputs, layers.Conv2D(1, (1, 1), activation="sigmoid")(x), name="unet")


def counted_by_hand() -> int:
    """Returns the number of parameters from the formula alone."""
    total, maps = 0, 1
    for filters in (32, 64, 128, 256, 512):
        total += convolution_count(3, 3, maps, filters) + convolution_count(3, 3, filters, filters)
        maps = filters
    for filters in (256, 128, 64, 32):
        total += convolution_count(2, 2, 2 * filters, filters)  # the transposed convolution halves the maps
        total += convolution_count(3, 3, 2 * filters, filters)  # after the two ways are joined
        total += convolution_count(3, 3, filters, filters)
    return total + convolution_count(1, 1, 32, 1)


def dice(y_true: Any, y_pred: Any) -> Any:
    """Returns the Dice coefficient of all pixels, smoothed by 1."""
    truth, found = flatten(y_true), flatten(y_pred)
    return (2.0 * sum(truth * found) + 1.0) / (sum(truth) + sum(found) + 1.0)


def minus_dice(y_true: Any, y_pred: Any) -> Any:
    """Returns the loss: the better the masks overlap, the lower."""
    return -dice(y_true, y_pred)


def main() -> None:
    """Prints the summary and both counts."""
    model = unet()
    model.summary()
    print(f"\nBy hand: {counted_by_hand():,}. By the model: {model.count_params():,}.")
    print("\nWhere the two ways first meet:\n")
    for layer in ("conv2d_transpose", "concatenate", "conv2d_10"):
        print(model.explain(layer=layer))
    model.compile(keras.optimizers.Adam(learning_rate=0.00001), loss=minus_dice, metrics=[dice])
    print(f"\nReady to train: loss {model.loss.__name__}, optimizer {model.optimizer.name}.")


if __name__ == "__main__":
    main()
