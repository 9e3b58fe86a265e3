"""Transfer: a network that has learnt the digits 0 to 4 is cut, frozen, and given a new end for 5 to 9.

Only the new end is trained, on 50 pictures; the summary says which parameters are frozen, and the frozen
weights are compared before and after. Run it as `python examples/transfer_by_freezing.py`.
"""

from __future__ import annotations

import numpy as np

import hornbill as keras
from hornbill import layers
from hornbill.datasets import digits


def main(epochs: int = 8) -> float:
    """Returns the accuracy on held-out pictures of 5 to 9.

    Args:
        epochs: Times that each of the two networks sees its pictures (the second one five times as often).
    """
    keras.utils.set_random_seed(0)
    (x, y), (x_test, y_test) = digits.load_data()
    x, x_test = x[..., None] / np.float32(16), x_test[..., None] / np.float32(16)

    inputs = keras.Input((8, 8, 1))
    features = layers.Conv2D(32, 3, activation="relu", name="edges")(inputs)
    features = layers.MaxPooling2D(2)(features)
    features = layers.Flatten(name="features")(features)
    first = keras.Model(inputs, layers.Dense(5, activation="softmax")(features), name="zero_to_four")
    first.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    first.fit(x[y < 5], y[y < 5], epochs=epochs, verbose=0)
    before = first.evaluate(x_test[y_test < 5], y_test[y_test < 5], verbose=0)[1]
    print(f"0 to 4, learnt from {int((y < 5).sum())} pictures: {before:.1%} right\n")

    trunk = keras.Model(first.input, first.get_layer("features").output, name="trunk")
    trunk.trainable = False
    frozen = [np.copy(w) for w in trunk.get_weights()]
    second = keras.Sequential(
        [keras.Input((8, 8, 1)), trunk, layers.Dense(5, activation="softmax")], name="five_to_nine"
    )
    second.summary(show_trainable=True)
    few = np.flatnonzero(y >= 5)[:50]
    second.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
    second.fit(x[few], y[few] - 5, epochs=5 * epochs, verbose=0)
    accuracy = second.evaluate(x_test[y_test >= 5], y_test[y_test >= 5] - 5, verbose=0)[1]
    same = all(np.array_equal(a, b) for a, b in zip(frozen, trunk.get_weights(), strict=True))
    print(
        f"\n5 to 9, learnt from {len(few)} pictures: {accuracy:.1%} right; frozen weights unchanged: {same}"
    )
    return accuracy


if __name__ == "__main__":
    main()
