"""Dense layers on images: a network that learns where an image of 5 x 5 zeros and ones has been set.

The question behind it: why does Dense(5) after (None, 5, 5, 5) give (None, 5, 5, 5), and why has Dense(1) six
parameters there? The explanation says so, and the end shows that a convolution with a 1 x 1 kernel computes
the same numbers. Run it as `python examples/corner_detector.py [EPOCHS]`.
"""

from __future__ import annotations

import sys

import numpy as np

import hornbill as keras
from hornbill import layers


def make_model(last: keras.Layer) -> keras.Model:
    """Returns two convolutions with poolings, all of them 5 x 5, and the layer given."""
    inputs = x = keras.Input((5, 5, 1))
    for _ in range(2):
        x = layers.Conv2D(5, 3, activation="relu", padding="same")(x)
        x = layers.MaxPooling2D(2, strides=1, padding="same")(x)
    return keras.Model(inputs, last(x))


def main(epochs: int = 20) -> None:
    """Trains the network and compares its last layer with a convolution.

    Args:
        epochs: Times that the network sees the 100 images.
    """
    keras.utils.set_random_seed(1)
    model = make_model(layers.Dense(1, activation="sigmoid", name="dense_on_pixels"))
    model.summary()
    print(model.explain(layer="dense_on_pixels"))

    images = np.random.default_rng(0).integers(0, 2, (100, 5, 5, 1))
    model.compile(optimizer="rmsprop", loss="binary_crossentropy", metrics=["accuracy"])
    model.fit(images, images, batch_size=4, epochs=epochs, verbose=2 if epochs < 5 else 0)
    loss, accuracy = model.evaluate(images, images, verbose=0)
    print(f"\nAfter {epochs} epochs: loss {loss:.3f}, {accuracy:.1%} of the pixels right.")
    prediction = np.asarray(model.predict(images[:1], verbose=0))
    print("One image, and 1 where the prediction agrees with it:")
    for row, same in zip(
        images[0, ..., 0], (images == np.round(prediction))[0, ..., 0].astype(int), strict=True
    ):
        print("  ", *row, "   ", *same)

    twin = make_model(layers.Conv2D(1, 1, activation="sigmoid"))
    twin.set_weights([w.reshape(v.shape) for w, v in zip(model.get_weights(), twin.weights, strict=True)])
    difference = np.abs(
        np.asarray(twin.predict(images, verbose=0)) - np.asarray(model.predict(images, verbose=0))
    ).max()
    counts = [each.layers[-1].count_params() for each in (model, twin)]
    print(f"\nDense(1) and Conv2D(1, 1): {counts[0]} and {counts[1]} parameters;")
    print(f"with the same weights their outputs differ by at most {difference:.1g}.")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
