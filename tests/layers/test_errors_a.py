"""What the layers say when they are used wrongly: the reason in numbers, and what to do."""

from __future__ import annotations

import numpy as np
import pytest

import hornbill
from hornbill import layers
from hornbill.engine.errors import HornbillError

IMAGE = np.zeros((1, 5, 5, 3), "float32")

MISTAKES = {
    "groups and filters": (lambda: layers.Conv2D(4, 3, groups=3), ["filters=4", "groups=3", "rest of 1"]),
    "groups and channels": (lambda: layers.Conv2D(4, 3, groups=2)(IMAGE), ["channels 3",
    "3 channels / 2 groups"]), "strides and dilation": (lambda: layers.Conv2D(4, 3, strides=2,
    dilation_rate=2), ["strides=(2, 2)"]), "no filters": (lambda: layers.Conv2D(0, 3), ["filters=0",
    "at least 1"]), "no kernel": (lambda: layers.Conv2D(4, 0), ["kernel_size=0"]),
    "kernel of wrong rank": (lambda: layers.Conv2D(4, (3, 3, 3)), ["kernel_size=(3, 3, 3)"]),
    "causal image": (lambda: layers.Conv2D(4, 3, padding="causal"), ["'valid', 'same'", "causal"]),
    "misspelt padding": (lambda: layers.Conv2D(4, 3, padding="smae"), ["Did you mean 'same'?"]),
    "kernel too large": (lambda: layers.Conv2D(4, 7)(IMAGE), ["(5 - 7) // 1 + 1 = -1", "same"]),
    "pool too large": (lambda: layers.MaxPooling2D(7)(IMAGE), ["(5 - 7) // 7 + 1"]),
    "no channels": (lambda: layers.Conv2D(4, 3)(np.zeros((5, 28, 28))), ["no channels axis", "x[..., None]"]),
    "other channels": (lambda: _twice(layers.Conv2D(4, 3), IMAGE, IMAGE[..., :2]), ["built for 3"]),
    "unknown channels": (lambda: layers.Conv2D(4, 3)(hornbill.Input((5, 5, None))), ["channels", "None"]),
    "output padding": (lambda: layers.Conv2DTranspose(4, 3, strides=2, output_padding=2), ["strides=(2, 2)"]),
    "dense units": (lambda: layers.Dense(3.5), ["units=3.5"]),
    "unknown argument": (lambda: layers.Dense(3, activaton="relu"), ["Did you mean 'activation'?"]),
    "quantization": (lambda: layers.Dense(3, quantization_config="int8"), ["model.quantize"]),
    "equation": (lambda: layers.EinsumDense("ab,bc", 4)(np.zeros((2, 3))), ["'ab,bc->ac'"]),
    "einsum sizes": (lambda: layers.EinsumDense("ab,bc->ca", 4)(np.zeros((2, 3))), ["'a'",
    "two different sizes"]), "embedding weights": (lambda: layers.Embedding(3, 4, weights=np.zeros((4, 3))),
    ["(4, 3)", "input_dim=3"]), "rate": (lambda: layers.Dropout(1.5), ["rate=1.5", "from 0 to 1"]),
    "reshape": (lambda: layers.Reshape((4, -1))(np.zeros((2, 5))), ["5 = 5 elements", "multiple of 4"]),
    "two unknowns": (lambda: layers.Reshape((-1, -1)), ["only one size"]),
    "reshape of a number": (lambda: layers.Reshape(6), ["Reshape((6,))"]),
    "permute the batch": (lambda: layers.Permute((0, 1)), ["1 to 2"]),
    "crop all": (lambda: layers.Cropping1D(3)(np.zeros((1, 5, 1))), ["5 - 3 - 3 = -1"]),
    "padding": (lambda: layers.ZeroPadding2D((1, 2, 3)), ["3 entries"]),
    "negative slope": (lambda: layers.LeakyReLU(-1), ["negative_slope=-1"]),
    "one tensor": (lambda: layers.Add()(np.zeros((2, 5))), ["wants a list", "layers.Add()([a, b])"]),
    "three to subtract": (lambda: layers.Subtract()([np.zeros((2, 5))] * 3), ["exactly 2"]),
    "unequal sizes": (lambda: layers.Add()([np.zeros((2, 5)), np.zeros((2, 3))]), ["5 and 3", "features"]),
    "dot sizes": (lambda: layers.Dot(1)([np.zeros((2, 3)), np.zeros((2, 4))]), ["3 and 4"]),
    "dot over the batch": (lambda: layers.Dot(0)([np.zeros((2, 3))] * 2), ["other than the batch"]),
    "group count": (lambda: layers.GroupNormalization(4)(np.zeros((2, 3, 6))), ["6 channels / 4 groups"]),
    "clipping": (lambda: layers.BatchNormalization(renorm=True, renorm_clipping={"a": 1}), ["'rmax'"]),
    "two axes": (lambda: layers.BatchNormalization(axis=[1, 2]), ["axis=[1, 2]"]),
    "no function": (lambda: layers.Lambda(3), ["function"]),
    "no kernel inside": (lambda: layers.SpectralNormalization(layers.Flatten())(np.zeros((2, 3))),
    ["kernel"]),
}  # fmt: skip


def _twice(layer, first, second):
    layer(first)
    layer(second)


@pytest.mark.parametrize("name", MISTAKES)
def test_message(name):
    mistake, parts = MISTAKES[name]
    with pytest.raises((ValueError, TypeError)) as caught:
        mistake()
    assert isinstance(caught.value, HornbillError)
    for part in parts:
        assert part in str(caught.value)


def test_concatenate_says_which_pooling_lost_a_row():
    up, skip = np.zeros((1, 24, 48, 8), "float32"), np.zeros((1, 25, 48, 8), "float32")
    with pytest.raises(ValueError) as caught:
        layers.concatenate([up, skip], axis=3)
    message = str(caught.value)
    assert "along channels (axis 3)" in message
    assert "height (axis 1): 24 and 25" in message
    assert "Pooling by 2 turned height 25 into 12 and lost one row" in message
    assert "ZeroPadding2D(((0, 1), (0, 0)))" in message
    assert "multiple of 2**n" in message
    fixed = layers.concatenate([layers.ZeroPadding2D(((0, 1), (0, 0)))(up), skip], axis=3)
    assert fixed.shape == (1, 25, 48, 16)


def test_no_pooling_hint_where_none_explains_it():
    with pytest.raises(ValueError) as caught:
        layers.concatenate([np.zeros((1, 9, 9, 2)), np.zeros((1, 25, 9, 2))], axis=-1)
    assert "Pooling" not in str(caught.value)
