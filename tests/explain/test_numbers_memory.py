"""The predicted memory of a training step against the compiled step's own analysis."""

from __future__ import annotations

import jax
import numpy as np
import pytest

import hornbill
from hornbill import layers
from hornbill.explain.memory import StepMemory, available_memory, step_memory
from hornbill.explain.numbers import Numbers
from hornbill.explain.rows import rows_of
from hornbill.training.step import Steps
from tests.explain.test_numbers_costs import mlp, products, resnet, separable, unet

TOLERANCE = 0.25


def classifier():
    return hornbill.Sequential(
        [layers.Input((32, 32, 3)), layers.Conv2D(32, 3, activation="relu"), layers.Conv2D(32, 3, activation="relu"),
         layers.MaxPooling2D(), layers.Conv2D(64, 3, activation="relu"), layers.MaxPooling2D(), layers.Flatten(),
         layers.Dense(128, "relu"), layers.Dropout(0.5), layers.Dense(10, "softmax")]
    )  # fmt: skip


def normalised():
    parts = [layers.Input((64, 64, 3))]
    for f in (16, 32, 64, 128):
        parts += [
            layers.Conv2D(f, 3, padding="same", use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.MaxPooling2D(),
        ]
    return hornbill.Sequential([*parts, layers.GlobalAveragePooling2D(), layers.Dense(10)])


def recurrent():
    return hornbill.Sequential(
        [layers.Input((50, 16)), layers.LSTM(64, return_sequences=True), layers.LSTM(32), layers.Dense(1)]
    )


def compiled_bytes(model, batch):
    """Returns the peak of the compiled step of `fit`: arguments, results that are not arguments, and what is between."""
    model.compile("adam", "mse")
    model.optimizer.build(model.trainable_variables)
    steps = Steps(model)
    groups = (steps.trainable, steps.non_trainable, steps.optimizer, steps.metrics)
    state = tuple([jax.ShapeDtypeStruct(v.value.shape, v.value.dtype) for v in group] for group in groups)
    x, y = (jax.ShapeDtypeStruct((batch, *t.shape[1:]), t.dtype) for t in (model.inputs[0], model.outputs[0]))
    found = steps.function("train").lower(state, (x, y, None)).compile().memory_analysis()
    return (
        found.argument_size_in_bytes
        + found.temp_size_in_bytes
        + found.output_size_in_bytes
        - found.alias_size_in_bytes
    )


@pytest.mark.parametrize("batch", [4, pytest.param(32, marks=pytest.mark.long)])
@pytest.mark.parametrize(
    "make",
    [mlp, classifier, unet, resnet, separable, products, normalised, recurrent],
    ids=lambda f: f.__name__,
)
def test_the_peak_is_near_the_compiled_steps(make, batch):
    model = make()
    expected = compiled_bytes(model, batch)
    assert step_memory(model).peak(batch) == pytest.approx(expected, rel=TOLERANCE)


def test_weights_gradients_and_optimizer():
    model = mlp()
    count = model.count_params()
    found = step_memory(model)
    assert (found.weights, found.gradients, found.optimizer) == (4 * count, 4 * count, 8 * count)
    model.compile("sgd", "mse")
    assert step_memory(model).optimizer == 0
    model.layers[0].trainable = False
    assert step_memory(model).gradients == 4 * (count - 784 * 512 - 512)


def test_the_largest_batch_fits_and_one_more_does_not():
    found = step_memory(classifier())
    for available in (20_000_000, 123_456_789):
        batch = found.largest_batch(available)
        assert found.peak(batch) <= available < found.peak(batch + 1)
    assert found.largest_batch(100) == 0
    assert StepMemory(1, 1, 1, 0, ((5, 0),)).largest_batch(100) is None


def test_the_document_part():
    model = classifier()
    part = Numbers(model, rows_of(model)).totals()["memory"]
    assert part["peak"]["batch"] == 32
    assert part["peak"]["bytes"] == step_memory(model).peak(32)
    assert part["available"] is None or part["largest_batch"] > 0
    assert available_memory() is None or available_memory() > 10**6


def test_a_model_without_weights_has_none():
    model = hornbill.Sequential([layers.Input((4,)), layers.ReLU()])
    assert step_memory(model) is None
    assert np.isfinite(model.predict(np.zeros((1, 4), "float32"), verbose=0)).all()


class Own(hornbill.Model):
    def __init__(self):
        super().__init__()
        self.first, self.second = layers.Dense(64, "relu"), layers.Dense(3)

    def call(self, x):
        return self.second(self.first(x))


def test_a_model_with_a_call_of_its_own():
    model = Own()
    model.build((None, 20))
    twin = hornbill.Sequential([layers.Input((20,)), layers.Dense(64, "relu"), layers.Dense(3)])
    part = Numbers(model, rows_of(model)).memory()
    assert part["peak"] == Numbers(twin, rows_of(twin)).memory()["peak"]
