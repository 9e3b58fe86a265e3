"""The second demo: a small U-Net finds the coins on a photograph.

The pieces are `hornbill.datasets.coins`. The network has the form of the U-Net whose 7,759,521 parameters
`examples/unet_parameters.py` counts, with fewer filters and one stage less, so that it trains in a minute.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from hornbill import layers, metrics, optimizers
from hornbill.datasets import coins
from hornbill.demo.pictures import coins_picture
from hornbill.demo.words import say_next, say_written, turn
from hornbill.engine.random import set_random_seed
from hornbill.explain.plot import plot_model
from hornbill.models import Model

__all__ = ["EPOCHS", "run", "small_unet"]

EPOCHS = 14
_SEED, _BATCH = 7, 8
_FILTERS, _BOTTOM = (8, 16, 32), 64
_EXPLAINED = ("up_1_transposed", "up_1_joined")


def small_unet() -> Model:
    """Returns the network: three stages down, three up, and a connection across at each size.

    Shapes:
        (batch, 96, 96, 1) -> (batch, 96, 96, 1)
    """
    inputs = x = layers.Input((96, 96, 1))
    across = []
    for stage, filters in enumerate(_FILTERS, 1):
        x = _block(x, filters, f"down_{stage}")
        across.append(x)
        x = layers.MaxPooling2D(2, name=f"down_{stage}_pool")(x)
    x = _block(x, _BOTTOM, "bottom")
    for stage, filters in reversed(list(enumerate(_FILTERS, 1))):
        x = layers.Conv2DTranspose(filters, 2, strides=2, padding="same", name=f"up_{stage}_transposed")(x)
        x = layers.Concatenate(axis=3, name=f"up_{stage}_joined")([x, across[stage - 1]])
        x = _block(x, filters, f"up_{stage}")
    return Model(inputs, layers.Conv2D(1, 1, activation="sigmoid", name="coin_or_not")(x), name="small_unet")


def _block(x: Any, filters: int, name: str) -> Any:
    x = layers.Conv2D(filters, 3, padding="same", activation="relu", name=f"{name}_a")(x)
    x = layers.Dropout(0.1, name=f"{name}_dropout")(x)
    return layers.Conv2D(filters, 3, padding="same", activation="relu", name=f"{name}_b")(x)


def run(output: Path, epochs: int = EPOCHS, quiet: bool = False) -> float:
    """Trains the network, writes the files and says what it did.

    Args:
        output: Folder of the files.
        epochs: Times that the network sees all training pieces.
        quiet: Whether only the result and the files are printed.

    Returns:
        The share of the held-out pixels on which network and mask agree.
    """
    set_random_seed(_SEED)
    (x_train, y_train), (x_test, y_test) = coins.load_data()
    x_train, x_test = x_train.astype("float32") / 255, x_test.astype("float32") / 255
    model = small_unet()
    if not quiet:
        print("A photograph of 24 Greek coins (Brooklyn Museum). The network learns from pieces of its upper")
        print(
            "three rows and is tried on the lowest. The true masks were made by a watershed, not by hand.\n"
        )
        model.summary()
        print("\nHow the way up meets the way down:\n")
        for name in _EXPLAINED:
            print(model.explain(layer=name))
        print(f"\nTraining: {epochs} {turn(epochs)} through {len(x_train)} pieces, {_BATCH} at a time.\n")
    overlap = metrics.BinaryIoU(target_class_ids=[1], threshold=0.5, name="overlap")
    model.compile(optimizers.Adam(0.002), loss="dice", metrics=["binary_accuracy", overlap])
    targets = y_train.astype("float32")
    model.fit(x_train, targets, batch_size=_BATCH, epochs=epochs, verbose=0 if quiet else "auto")

    predictions = np.asarray(model.predict(x_test, verbose=0))  # (4, 96, 96, 1)
    found, coin = predictions > 0.5, y_test > 0
    share = float((found == coin).mean())
    overlap_found = float((found & coin).sum() / max(int((found | coin).sum()), 1))
    result = f"{share:.1%} of the held-out pixels agree with the truth"
    print(f"\n{result}; of coin, found or true, {overlap_found:.1%} is both.")

    files = [output / name for name in ("coins.keras", "coins-network.png", "coins-predictions.png")]
    model.save(files[0])
    plot_model(model, to_file=files[1], dpi=140)
    coins_picture(x_test[..., 0], y_test[..., 0], predictions[..., 0], result).save(files[2], optimize=True)
    say_written(
        zip(files, ["the trained network", "the network", "input, truth, prediction"], strict=True),
    )
    if not quiet:
        say_next(
            (f"hornbill explain {files[0]}", "every number of the network"),
            (f"hornbill plot {files[0]} -o {files[1].with_suffix('.svg')}", "draw any saved network"),
            (f"hornbill demo segmentation --epochs {3 * epochs}", "train longer"),
        )
    return share
