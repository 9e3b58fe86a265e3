"""Writes the pages that the browser tests open, and what they should say, from Hornbill's own runs and documents."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from examples.unet_parameters import unet
from PIL import Image

import hornbill as keras
from hornbill.datasets import digits
from hornbill.demo.digits import digits_model
from hornbill.explain import document
from hornbill.explain.page import write_page
from hornbill.explain.page.capture import capture
from hornbill.explain.rows import rows_of
from tests.page import zoo


def make(folder: Path) -> None:
    """Writes all pages and `facts.json`."""
    facts: dict[str, Any] = {"layers": {}, "blank": {}, "fields": {}}
    keras.utils.set_random_seed(3)
    model, images = _digits()
    models = {
        "digits": (model, images),
        "unet": (unet(), _smooth(4, 96)),
        **{
            name: (made := getattr(zoo, name)(), zoo.noise(made))
            for name in ("images", "series", "volumes", "first", "residual")
        },
    }
    for name, (made, x) in models.items():
        write_page(made, folder / f"{name}.html", x)
        built = document.build(made)
        facts["layers"][name] = [
            {"name": layer["name"], "class": layer["class"]} for layer in built["layers"]
        ]
        if name in ("digits", "images"):
            facts["fields"][name] = _fields(made, built)
    facts["blank"]["digits"] = np.asarray(model.predict(np.zeros((1, 8, 8, 1), "float32"), verbose=0))[
        0
    ].tolist()
    own = zoo.Own()
    own(np.zeros((2, 8, 8, 1), "float32"))
    write_page(own, folder / "own.html", np.random.default_rng(0).normal(size=(3, 8, 8, 1)).astype("float32"))
    write_page(digits_model(), folder / "bare.html")
    Image.fromarray(np.uint8(255 * (1 - images[0, :, :, 0]))).resize((64, 64)).save(folder / "digit.png")
    (folder / "facts.json").write_text(json.dumps(facts), encoding="utf-8")


def _digits() -> tuple[Any, np.ndarray]:
    (x, y), _ = digits.load_data()
    x = x[..., None].astype("float32") / 16
    model = digits_model()
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(x[:512], y[:512], epochs=2, verbose=0)
    return model, x


def _smooth(count: int, side: int) -> np.ndarray:
    x = np.random.default_rng(0).normal(size=(count, side, side, 1)).cumsum(1).cumsum(2)
    return (x / np.abs(x).max()).astype("float32")


def _fields(model: Any, built: dict[str, Any]) -> list[dict[str, Any]]:
    """Returns, for some cells, the box on the input that they depend on: the pixels whose NaN reaches them."""
    rows, columns, channels = model.inputs[0].shape[1:]
    x = np.random.default_rng(5).normal(size=(rows * columns, rows, columns, channels)).astype("float32")
    for pixel in range(rows * columns):
        x[pixel, pixel // columns, pixel % columns] = np.nan
    found = []
    for layer, output in zip(
        built["layers"], capture(model, rows_of(model, expand_nested=True), x), strict=True
    ):
        if output is None or output.ndim != 4 or layer["class"] == "InputLayer":
            continue
        cell = [min(2, output.shape[1] - 1), min(1, output.shape[2] - 1)]
        reached = np.isnan(output[:, cell[0], cell[1], 0]).reshape(rows, columns)
        places = np.argwhere(reached)
        box = [[int(places[:, i].min()), int(places[:, i].max())] for i in (0, 1)] if len(places) else None
        found.append({"layer": layer["name"], "cell": cell, "box": box})
    return found


if __name__ == "__main__":
    make(Path(sys.argv[1]))
