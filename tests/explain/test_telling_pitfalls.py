"""Known misunderstandings are found where they are, and nowhere else; lessons are told once, where they are called for."""

from __future__ import annotations

import warnings

import pytest

import hornbill as keras
from hornbill import layers
from hornbill.explain.document import build
from hornbill.explain.languages import words
from hornbill.explain.teaching import lessons
from tests.explain import models


def sequential(shape, *parts, **options):
    return keras.Sequential([keras.Input(shape, **options), *parts])


FOUND = {
    "depth first": (lambda: models.planes((20, 15, 15)), ["last_axis_is_channels", "dense_on_places"]),
    "channels first": (lambda: sequential((3, 64, 64), layers.Conv2D(4, 3, padding="same")), ["channels_first"]),
    "samples as height": (lambda: sequential((60_000, 28, 28), layers.Conv2D(4, 3)), ["samples_as_height"]),
    "samples in the shape": (lambda: sequential((1000, 20), layers.Dense(4), layers.Dense(1)), ["samples_in_shape"]),
    "dense on an image": (lambda: sequential((8, 8, 3), layers.Conv2D(4, 3), layers.Dense(10)), ["dense_on_places"]),
    "softmax of one": (lambda: sequential((4,), layers.Dense(1, activation="softmax")), ["softmax_of_one"]),
    "softmax layer of one": (lambda: sequential((4,), layers.Dense(1), layers.Softmax()), ["softmax_of_one"]),
    "down to one": (lambda: sequential((5, 5, 1), layers.Conv2D(4, 5), layers.Flatten()), ["size_one"]),
    "odd pooling": (lambda: sequential((7, 7, 1), layers.MaxPooling2D(2)), ["cells_lost"]),
    "odd pooling in 1D": (lambda: sequential((10, 2), layers.AveragePooling1D(3)), ["cells_lost"]),
}  # fmt: skip
CLEAN = {
    "unet": models.unet,
    "resnet50": models.resnet50,
    "mobilenet": models.mobilenet,
    "transformer": models.transformer,
    "nested": models.nested,
    "shared": models.shared,
    "square images": lambda: sequential((32, 32, 3), layers.Conv2D(8, 3, padding="same")),
    "a cube": lambda: sequential((16, 16, 16), layers.Conv2D(8, 3, padding="same")),
    "channels first on purpose": lambda: sequential(
        (3, 64, 64), layers.Conv2D(4, 3, padding="same", data_format="channels_first")
    ),
    "sequences": lambda: sequential((1000, 20), layers.LSTM(4), layers.Dense(1)),
    "pooling that keeps all": lambda: sequential((7, 7, 1), layers.MaxPooling2D(2, padding="same")),
    "overlapping pooling": lambda: sequential((7, 7, 1), layers.MaxPooling2D(3, strides=2)),
    "sizes not known": lambda: sequential((None, None, 3), layers.Conv2D(4, 3), layers.MaxPooling2D(2)),
    "sigmoid": lambda: sequential((4,), layers.Dense(1, activation="sigmoid")),
}


@pytest.mark.parametrize("name", FOUND)
def test_found(name):
    make, keys = FOUND[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a softmax of one warns when it is made
        model = make()
    explanation = model.explain(language="en", level="teach")
    assert [warning["key"] for warning in explanation.document["warnings"]] == keys
    assert explanation.text.count("Mind: ") == len(keys)
    assert model.explain(language="zh").text.count("注意：") == len(keys)


@pytest.mark.parametrize("name", CLEAN)
def test_not_found(name):
    assert build(CLEAN[name]())["warnings"] == []


def test_they_say_what_to_write():
    text = " ".join(models.planes((20, 15, 15)).explain(language="en").text.split())
    assert "read as height 20, width 15, channels 15" in text
    assert "Input((15, 15, 20)), with numpy.moveaxis(x, 1, -1)" in text


# ---- lessons


def told(model):
    document = build(model)
    return lessons(document, words("en")), document["layers"]


@pytest.mark.parametrize(
    "name", ["corner_detector", "series", "unet", "digits", "resnet50", "mobilenet", "transformer"]
)
def test_each_lesson_is_told_once(name):
    found, _ = told(getattr(models, name)())
    texts = [text for lines in found.values() for text in lines]
    starts = [text[:40] for text in texts]
    assert len(set(starts)) == len(starts) >= 4


def test_lessons_stand_where_the_thing_first_occurs():
    found, rows = told(models.digits())
    places = {
        text.split()[1] if text.startswith("A ") else text.split()[0]: i
        for i, lines in found.items()
        for text in lines
    }
    names = {word: rows[i]["name"].rstrip("_0123456789") for word, i in places.items()}
    assert names["kernel"] == "conv2d"
    assert names["Max"] == "max_pooling2d"
    assert names["Batch"] == "batch_normalization"
    assert names["Dropout"] == "dropout"
    assert names["Flatten"] == "flatten"
    stride = next(i for i, lines in found.items() if any(text.startswith("A stride") for text in lines))
    assert rows[stride]["code"].startswith("layers.Conv2D(64, 3, strides=2")


def test_dense_on_the_last_axis_is_taught_only_where_there_are_others():
    flat, _ = told(sequential((4,), layers.Dense(2)))
    deep, _ = told(sequential((5, 5, 4), layers.Dense(2)))
    assert "Dense works on the last axis" not in str(flat)
    assert "Dense works on the last axis" in str(deep)


@pytest.mark.parametrize(
    ("shape", "order"),
    [((4,), "batch, features"), ((9, 4), "batch, steps, channels"), ((8, 8, 3), "batch, height, width, channels"),
     ((4, 8, 8, 3), "batch, depth, height, width, channels")],
)  # fmt: skip
def test_the_order_of_the_axes_is_taught(shape, order):
    found, _ = told(sequential(shape, layers.Dense(2)))
    assert order in found[0][0]
