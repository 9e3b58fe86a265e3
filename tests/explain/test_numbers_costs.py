"""Costs against XLA's own analysis of the lowered program, forward and in training."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import hornbill
from hornbill import layers, ops
from hornbill.engine.variable import functional_call
from hornbill.explain.numbers import Numbers
from hornbill.explain.rows import rows_of


def xla_flops(model, training):
    """Returns XLA's count of operations for one sample: forward, or a step's gradients of the trained weights."""
    xs = [jnp.zeros([1 if s is None else s for s in t.shape], t.dtype) for t in model.inputs]
    trained, rest = model.trainable_variables, model.non_trainable_variables

    def run(values, others, xs):
        given = xs[0] if len(xs) == 1 else xs
        return functional_call([*trained, *rest], [*values, *others], lambda: model(given, training=False))[0]

    def gradients(values, others, xs):
        return jax.value_and_grad(lambda v: jnp.sum(run(v, others, xs)))(values)

    fn = gradients if training else run
    lowered = jax.jit(fn).lower([v.value for v in trained], [v.value for v in rest], xs)
    return lowered.cost_analysis()["flops"]


def our_flops(model, training):
    numbers = Numbers(model, rows_of(model))
    return 2 * numbers.totals()["multiply_adds"]["training" if training else "forward"]


def unet(size=48, filters=8):
    x = inputs = layers.Input((size, size, 1))
    skips = []

    def block(x, f, rate):
        x = layers.Conv2D(f, 3, activation="relu", padding="same")(x)
        x = layers.Dropout(rate)(x)
        return layers.Conv2D(f, 3, activation="relu", padding="same")(x)

    for depth, rate in enumerate((0.2, 0.2, 0.3, 0.3)):
        x = block(x, filters * 2**depth, rate)
        skips.append(x)
        x = layers.MaxPooling2D(2)(x)
    x = block(x, filters * 16, 0.3)
    for depth in reversed(range(4)):
        x = layers.Conv2DTranspose(filters * 2**depth, 2, strides=2, padding="same")(x)
        x = block(layers.concatenate([x, skips[depth]], axis=3), filters * 2**depth, 0.3)
    return hornbill.Model(inputs, layers.Conv2D(1, 1, activation="sigmoid")(x))


def resnet():
    def unit(x, f, stride):
        y = layers.ReLU()(layers.BatchNormalization()(layers.Conv2D(f, 3, strides=stride, padding="same")(x)))
        y = layers.BatchNormalization()(layers.Conv2D(f, 3, padding="same")(y))
        if stride > 1:
            x = layers.Conv2D(f, 1, strides=stride)(x)
        return layers.ReLU()(layers.Add()([x, y]))

    x = inputs = layers.Input((32, 32, 3))
    x = layers.Conv2D(32, 3, padding="same")(x)
    for f, stride in ((32, 1), (64, 2), (128, 2)):
        x = unit(unit(x, f, stride), f, 1)
    return hornbill.Model(inputs, layers.Dense(10)(layers.GlobalAveragePooling2D()(x)))


def mlp():
    return hornbill.Sequential(
        [
            layers.Input((784,)),
            layers.Dense(512, "relu"),
            layers.Dense(256, "relu"),
            layers.Dense(10, "softmax"),
        ]
    )


def separable():
    x = inputs = layers.Input((32, 32, 3))
    x = layers.Conv2D(64, 3, strides=2, padding="same")(x)
    for f in (128, 256):
        x = layers.SeparableConv2D(f, 3, padding="same")(x)
    return hornbill.Model(inputs, layers.Conv2D(256, 1)(x))


def wide_convolutions():
    """Valid, strided, dilated, grouped, transposed, 1D and 3D in one net."""
    x = inputs = layers.Input((24, 24, 16))
    x = layers.Conv2D(64, 3, strides=2)(x)
    x = layers.Conv2D(64, 3, dilation_rate=2, padding="same")(x)
    x = layers.Conv2D(64, 3, groups=4)(x)
    x = layers.Conv2DTranspose(32, 3, strides=2)(x)
    x = layers.Reshape((19 * 19, 32))(x)
    x = layers.Conv1D(64, 5, padding="causal")(x)
    x = layers.Reshape((19, 19, 8, 8))(x)
    return hornbill.Model(inputs, layers.Conv3D(32, 3)(x))


def frozen():
    model = mlp()
    model.layers[0].trainable = False
    return model


def products():
    """Dense on the last of three axes, EinsumDense, attention."""
    x = inputs = layers.Input((64, 128))
    x = layers.Dense(256)(x)
    x = layers.EinsumDense("abc,cd->abd", output_shape=(None, 128))(x)
    x = layers.MultiHeadAttention(4, 32)(x, x)
    return hornbill.Model(inputs, x)


class Own(layers.Layer):
    def build(self, input_shape):
        self.kernel = self.add_weight((3, 3, input_shape[-1], 32), name="kernel")
        self.mix = self.add_weight((32, 64), name="mix")

    def call(self, x):
        return ops.einsum("bhwc,cd->bhwd", ops.relu(ops.conv(x, self.kernel, padding="same")), self.mix)


def custom():
    return hornbill.Sequential([layers.Input((20, 20, 16)), Own(), Own()])


MODELS = [unet, resnet, mlp, separable, wide_convolutions, frozen, products, custom]


@pytest.mark.parametrize("training", [False, True], ids=["forward", "training"])
@pytest.mark.parametrize("make", MODELS, ids=lambda f: f.__name__)
def test_within_five_percent_of_xla(make, training):
    model = make()
    assert our_flops(model, training) == pytest.approx(xla_flops(model, training), rel=0.05)


def layer_costs(model):
    rows = rows_of(model)
    numbers = Numbers(model, rows)
    return {row.name: numbers.layer(i)["multiply_adds"] for i, row in enumerate(rows)}


def test_costs_of_single_layers():
    model = hornbill.Sequential(
        [layers.Input((28, 28, 1)), layers.Conv2D(8, 3, name="c"), layers.MaxPooling2D(name="p"), layers.Flatten(name="f"),
         layers.Dense(10, name="d")]
    )  # fmt: skip
    found = layer_costs(model)
    assert found["c"] == {
        "forward": 26 * 26 * 9 * 8,
        "training": 2 * 26 * 26 * 9 * 8,
    }  # no gradient by the image
    assert found["p"] == found["f"] == {"forward": 0, "training": 0}
    assert found["d"] == {"forward": 1352 * 10, "training": 3 * 1352 * 10}


def test_a_loop_counts_as_often_as_it_runs():
    model = hornbill.Sequential([layers.Input((7, 5)), layers.LSTM(4, name="l")])
    forward = 7 * (5 * 16 + 4 * 16)
    found = layer_costs(model)["l"]
    assert found["forward"] == forward
    assert found["training"] == 2 * 7 * 5 * 16 + 3 * 7 * 4 * 16  # the input needs no gradient, the states do


def test_sizes_that_are_not_known_have_no_cost():
    model = hornbill.Sequential([layers.Input((None, 5)), layers.Conv1D(4, 3, name="c")])
    assert layer_costs(model)["c"] == {"forward": None, "training": None}


def test_activation_bytes():
    model = hornbill.Sequential(
        [layers.Input((8, 8, 3)), layers.Conv2D(4, 3), layers.Conv2D(2, 3, dtype="bfloat16")]
    )
    rows = rows_of(model)
    numbers = Numbers(model, rows)
    assert [numbers.activation_bytes(i) for i, row in enumerate(rows) if row.class_name == "Conv2D"] == [
        6 * 6 * 4 * 4,
        4 * 4 * 2 * 2,
    ]
    assert numbers.totals()["activation_bytes"] == sum(np.multiply([144, 144, 32], [4, 2, 2]))


def test_mixed_precision_and_casts():
    x = inputs = layers.Input((8, 8, 1), name="i")
    x = layers.Flatten()(layers.Conv2D(2, 3, dtype="mixed_bfloat16")(x))
    model = hornbill.Model(inputs, layers.Dense(3)(x))
    rows = rows_of(model)
    numbers = Numbers(model, rows)
    assert "cast" in [row.class_name for row in rows]
    assert all(numbers.receptive_field(i)[0].input == "i" for i in range(len(rows)))
    assert numbers.totals()["multiply_adds"]["forward"] == 36 * 9 * 2 + 72 * 3
