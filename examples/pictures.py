"""Pictures of a network: its layers, its kernels, its feature maps, its training, and where it looks.

A small U-Net is drawn with its skips, an inner model in its frame, and a network that reads digits is trained and
looked into. Run it as `python examples/pictures.py [FOLDER]`; it needs `pip install 'hornbill[plot]'`.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import hornbill as keras
from hornbill import layers, visualization
from hornbill.datasets import digits


def small_unet() -> keras.Model:
    """Returns a U-Net of two stages."""
    inputs = x = keras.Input((64, 64, 1), name="picture")
    across = []
    for filters in (16, 32):
        x = layers.Conv2D(filters, 3, padding="same", activation="relu", name=f"down_{filters}")(x)
        across.append(x)
        x = layers.MaxPooling2D(2, name=f"half_{filters}")(x)
    x = layers.Conv2D(64, 3, padding="same", activation="relu", name="bottom")(x)
    for filters in (32, 16):
        x = layers.Conv2DTranspose(filters, 2, strides=2, name=f"double_{filters}")(x)
        x = layers.Concatenate(name=f"join_{filters}")([x, across.pop()])
        x = layers.Conv2D(filters, 3, padding="same", activation="relu", name=f"up_{filters}")(x)
    return keras.Model(inputs, layers.Conv2D(1, 1, activation="sigmoid", name="mask")(x), name="small_unet")


def siamese() -> keras.Model:
    """Returns a network that compares two pictures by one encoder, which is an inner model with names in Chinese."""
    encoder = keras.Sequential(
        [
            keras.Input((28, 28, 1), name="图片"),
            layers.Conv2D(8, 3, activation="relu", name="卷积"),
            layers.GlobalAveragePooling2D(name="全局平均"),
        ],
        name="encoder",
    )
    left, right = keras.Input((28, 28, 1), name="left"), keras.Input((28, 28, 1), name="right")
    x = layers.Subtract(name="difference")([encoder(left), encoder(right)])
    return keras.Model([left, right], layers.Dense(1, activation="sigmoid", name="same")(x), name="siamese")


def reader() -> keras.Model:
    """Returns a network for digits that averages its last maps, as Grad-CAM wants it."""
    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(32, 3, padding="same", activation="relu", name="edges"),
            layers.Conv2D(64, 3, padding="same", activation="relu", name="strokes"),
            layers.Conv2D(64, 3, padding="same", activation="relu", name="shapes"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(10, activation="softmax"),
        ],
        name="reader",
    )


def main(folder: Any = "pictures", epochs: int = 30) -> list[Path]:
    """Writes the pictures and returns their paths."""
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    keras.utils.set_random_seed(0)
    keras.utils.plot_model(small_unet(), target / "unet.png", dpi=110, show_layer_names=True)
    keras.utils.plot_model(
        siamese(), target / "nested.png", dpi=110, show_layer_names=True, expand_nested=True
    )

    (x, y), (x_test, y_test) = digits.load_data()
    x, x_test = x[..., None] / 16, x_test[..., None] / 16
    model = reader()
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(x, y, epochs=epochs, batch_size=32, validation_data=(x_test, y_test), verbose=0)
    names = [f"a {digit}" for digit in range(10)]
    seen = x_test[[3, 10, 17]]
    figures = {
        "history": visualization.plot_history(history),
        "kernels": visualization.plot_kernels(model, "edges"),
        "feature-maps": visualization.plot_feature_maps(model, seen[0], "edges"),
        "grad-cam": visualization.plot_grad_cam(model, seen, class_names=names),
        "occlusion": visualization.plot_occlusion(model, seen, patch=2, stride=1, class_names=names),
    }
    for name, figure in figures.items():
        figure.savefig(target / f"{name}.png", dpi=90)
    written = [target / f"{name}.png" for name in ("unet", "nested", *figures)]
    print("\n".join(str(path) for path in written))
    return written


if __name__ == "__main__":
    main(*sys.argv[1:2])
