"""The first demo: a small convolutional network learns to read handwritten digits.

The pictures are `hornbill.datasets.digits`. Training, explaining, drawing and saving use what any program may
use.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from hornbill import layers, optimizers
from hornbill.datasets import digits
from hornbill.demo.pictures import digits_picture
from hornbill.demo.words import say_next, say_written, turn
from hornbill.engine.random import set_random_seed
from hornbill.explain.page.command import how_to_open
from hornbill.explain.page.write import write_page
from hornbill.explain.plot import plot_model
from hornbill.models import Sequential

__all__ = ["EPOCHS", "digits_model", "run"]

EPOCHS = 25
_SEED, _BATCH = 7, 32
_EXPLAINED = ("first_look", "pool", "read")
_FILES = {
    "digits.keras": "the trained network; Keras reads it too",
    "digits.html": "the network as a page: every number explained, and digits to draw",
    "digits-network.png": "the network",
    "digits-predictions.png": "some of its answers",
}


def digits_model() -> Sequential:
    """Returns the network: two convolutions with a pooling between them, then one dense layer.

    Shapes:
        (batch, 8, 8, 1) -> (batch, 10)
    """
    return Sequential(
        [
            layers.Input((8, 8, 1)),
            layers.Conv2D(32, 3, padding="same", activation="relu", name="first_look"),
            layers.MaxPooling2D(2, name="pool"),
            layers.Conv2D(64, 3, padding="same", activation="relu", name="second_look"),
            layers.Flatten(name="flatten"),
            layers.Dropout(0.4, name="dropout"),
            layers.Dense(10, activation="softmax", name="read"),
        ],
        name="digits",
    )


def run(output: Path, epochs: int = EPOCHS, quiet: bool = False) -> float:
    """Trains the network, writes the files and says what it did.

    Args:
        output: Folder of the files.
        epochs: Times that the network sees all training pictures.
        quiet: Whether only the result and the files are printed.

    Returns:
        The share of the held-out digits that the network reads right.
    """
    set_random_seed(_SEED)
    (x_train, y_train), (x_test, y_test) = digits.load_data()
    x_train, x_test = _as_images(x_train), _as_images(x_test)
    model = digits_model()
    if not quiet:
        print(f"{len(x_train):,} handwritten digits of 8 x 8 pixels to learn from, {len(x_test)} held out.\n")
        model.summary()
        print("\nThree of these layers, with every number explained:\n")
        for name in _EXPLAINED:
            print(model.explain(layer=name))
        print(
            f"\nTraining: {epochs} {turn(epochs)} through the {len(x_train):,} digits, {_BATCH} at a time.\n"
        )
    steps = epochs * -(-len(x_train) // _BATCH)
    rate = optimizers.schedules.CosineDecay(0.003, decay_steps=steps)
    model.compile(optimizers.Adam(rate), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x_train, y_train, batch_size=_BATCH, epochs=epochs, verbose=0 if quiet else "auto")

    answers = np.asarray(model.predict(x_test, verbose=0)).argmax(axis=-1)  # (359,)
    right = int((answers == y_test).sum())
    share = right / len(y_test)
    print(
        f"\nHeld-out digits read right: {right} of {len(y_test)} = {share:.1%}, {len(y_test) - right} wrong."
    )

    files = [output / name for name in _FILES]
    model.save(files[0])
    write_page(model, files[1], _first_wrong(x_test, y_test, answers))
    plot_model(model, to_file=files[2], show_layer_names=True, show_layer_activations=True)
    digits_picture(x_test[..., 0], y_test, answers).save(files[3], optimize=True)
    say_written(zip(files, _FILES.values(), strict=True))
    print(f"\n{how_to_open(files[1])}")
    if not quiet:
        say_next(
            (f"hornbill explain {files[0]}", "every number of the network"),
            (f"hornbill plot {files[0]} -o {files[2].with_suffix('.svg')}", "draw any saved network"),
            ("hornbill demo segmentation", "a small U-Net finds coins on a photograph"),
        )
    return share


def _first_wrong(x: np.ndarray, labels: np.ndarray, answers: np.ndarray) -> np.ndarray:
    """Returns 64 digits for the page: one of each, then at most two that are read wrong, then others."""
    each = [int(np.flatnonzero(labels == digit)[0]) for digit in range(10)]
    wrong = [int(i) for i in np.flatnonzero(labels != answers)[:2]]
    order = list(dict.fromkeys([*each, *wrong, *range(len(x))]))
    return x[order[:64]]


def _as_images(x: np.ndarray) -> np.ndarray:
    return x[..., None].astype("float32") / 16  # (count, 8, 8, 1)
