"""A layer of your own: write `__init__`, `build` and `call`; shapes, counts, saving, explanation follow.

The layer weighs each channel of an image by what the whole image looks like (squeeze and excitation, Hu et
al. 2018). Run it as `python examples/custom_layer.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import hornbill as keras
from hornbill import layers, ops
from hornbill.datasets import digits


@keras.saving.register_keras_serializable(package="examples")
class ChannelWeights(layers.Layer):
    """Multiplies each channel by a number from 0 to 1 that depends on the means of all channels.

    Args:
        ratio: How many times fewer numbers the narrow middle has than there are channels.
        **kwargs: Arguments of every layer, such as `name`.

    Shapes:
        (batch, height, width, channels) -> (batch, height, width, channels)
    """

    def __init__(self, ratio: int = 4, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.ratio = ratio

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Makes the two weights, with names for their axes."""
        channels = input_shape[-1]
        middle = max(1, channels // self.ratio)
        self.squeeze = self.add_weight((channels, middle), name="squeeze", axes=("input channels", "middle"))
        self.excite = self.add_weight((middle, channels), name="excite", axes=("middle", "channels"))

    def call(self, inputs: Any) -> Any:
        """Computes the output; its shape needs to be stated nowhere else."""
        means = ops.mean(inputs, axis=(1, 2))  # (batch, channels)
        weights = ops.sigmoid(ops.matmul(ops.relu(ops.matmul(means, self.squeeze)), self.excite))
        return inputs * weights[:, None, None, :]  # (batch, height, width, channels)


def main(epochs: int = 4) -> float:
    """Trains a network with the layer on digits and returns the accuracy on others.

    Args:
        epochs: Times that the network sees the digits.
    """
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(32, 3, activation="relu"),
            ChannelWeights(ratio=4, name="channel_weights"),
            layers.Flatten(),
            layers.Dense(10),
        ]
    )
    print(model.explain(layer="channel_weights"))
    print("its configuration:", model.get_layer("channel_weights").get_config())
    (x, y), (x_test, y_test) = digits.load_data()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss, metrics=["accuracy"])
    model.fit(x[..., None] / np.float32(16), y, epochs=epochs, verbose=0)
    accuracy = model.evaluate(x_test[..., None] / np.float32(16), y_test, verbose=0)[1]
    print(f"after {epochs} epochs: {accuracy:.1%} of the held-out digits read right")
    return accuracy


if __name__ == "__main__":
    main()
