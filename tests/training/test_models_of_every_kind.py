"""Subclassed models and layers, custom steps, freezing, cut-outs, sharing, cloning: as people write them."""

from __future__ import annotations

import jax
import keras
import numpy as np
import pytest
from tests.numerics import assert_close

import hornbill
from hornbill import layers, ops

rng = np.random.default_rng(1)
X = rng.normal(size=(24, 4)).astype("float32")
Y = rng.normal(size=(24, 1)).astype("float32")


def subclassed(k):
    class Block(k.layers.Layer):
        def __init__(self, units, **kwargs):
            super().__init__(**kwargs)
            self.units = units
            self.inner = [k.layers.Dense(units, activation="tanh"), k.layers.Dense(units)]
            self.drop = k.layers.Dropout(0.0)

        def build(self, input_shape):
            self.scale = self.add_weight(shape=(self.units,), initializer="ones", name="scale")
            self.count = self.add_weight(shape=(), initializer="zeros", trainable=False, name="count")
            super().build(input_shape)

        def call(self, x, training=False):
            for layer in self.inner:
                x = layer(x)
            if training:
                self.count.assign_add(1.0)
            self.add_loss(0.01 * k.ops.sum(k.ops.square(self.scale)))
            return self.drop(x * self.scale, training=training)

    class Net(k.Model):
        def __init__(self):
            super().__init__()
            self.block = Block(3)
            self.out = k.layers.Dense(1)

        def call(self, x, training=False):
            return self.out(self.block(x, training=training))

    return Net()


def test_subclassed_model_equals_keras():
    theirs, ours = subclassed(keras), subclassed(hornbill)
    for model in (theirs, ours):
        model(X[:1])
        model.compile("sgd", "mse")
    assert [v.name for v in ours.weights] == [v.name for v in theirs.weights]
    ours.set_weights(theirs.get_weights())
    histories = [
        m.fit(X, Y, epochs=3, batch_size=8, shuffle=False, verbose=0).history["loss"] for m in (theirs, ours)
    ]
    np.testing.assert_allclose(histories[1], histories[0], rtol=2e-5)
    assert float(ours.block.count.value) == 9.0  # three steps in each of three epochs, none lost


def test_unbuilt_subclass_is_built_by_fit():
    model = subclassed(hornbill)
    model.compile("adam", "mse", metrics=["mae"])
    history = model.fit(X, Y, epochs=1, verbose=0)
    assert set(history.history) == {"loss", "mae"}
    assert model.count_params() > 0


class CustomStep(hornbill.Model):
    """The JAX form of a custom step, as Keras documents it."""

    def train_step(self, state, data):
        trainable, non_trainable, optimizer, metrics = state
        x, y = data

        def loss_of(values, others):
            y_pred, others = self.stateless_call(values, others, x, training=True)
            return self.compute_loss(x, y, y_pred), (y_pred, others)

        (loss, (y_pred, non_trainable)), grads = jax.value_and_grad(loss_of, has_aux=True)(
            trainable, non_trainable
        )
        trainable, optimizer = self.optimizer.stateless_apply(optimizer, grads, trainable)
        new, logs, place = [], {}, 0
        for metric in self.metrics:
            own = metrics[place : place + len(metric.variables)]
            place += len(metric.variables)
            if metric.name == "loss":
                own = metric.stateless_update_state(own, loss)
            else:
                own = metric.stateless_update_state(own, y, y_pred)
            logs[metric.name] = metric.stateless_result(own)
            new += own
        return logs, (trainable, non_trainable, optimizer, new)


def test_custom_training_step_equals_the_default():
    def make(cls):
        hornbill.utils.set_random_seed(0)
        inputs = hornbill.Input((4,))
        model = cls(inputs, layers.Dense(1)(layers.Dense(3, activation="tanh")(inputs)))
        model.compile("adam", "mse")
        return model.fit(X, Y, epochs=2, batch_size=8, shuffle=False, verbose=0).history["loss"]

    np.testing.assert_allclose(make(CustomStep), make(hornbill.Model), rtol=1e-5)


def test_overridden_compute_loss_is_used():
    class Twice(hornbill.Model):
        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            return 2.0 * ops.mean(ops.square(y - y_pred))

    inputs = hornbill.Input((4,))
    model = Twice(inputs, layers.Dense(1)(inputs))
    model.compile("sgd", "mse")
    before = model.evaluate(X, Y, verbose=0)
    expected = 2.0 * np.mean((Y - model.predict(X, verbose=0)) ** 2)
    np.testing.assert_allclose(before, expected, rtol=1e-5)
    model.fit(X, Y, epochs=1, verbose=0)


def test_frozen_layers_do_not_move_and_thaw():
    inputs = hornbill.Input((4,))
    base = layers.Dense(3, activation="tanh")
    model = hornbill.Model(inputs, layers.Dense(1)(base(inputs)))
    base.trainable = False
    model.compile("sgd", "mse")
    before = base.get_weights()
    model.fit(X, Y, epochs=2, verbose=0)
    for a, b in zip(before, base.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert len(model.trainable_variables) == 2
    base.trainable = True
    model.compile("sgd", "mse")
    model.fit(X, Y, epochs=2, verbose=0)
    assert not np.array_equal(before[0], base.get_weights()[0])


def test_frozen_batch_normalisation_keeps_its_averages():
    norm = layers.BatchNormalization()
    model = hornbill.Sequential([hornbill.Input((4,)), norm, layers.Dense(1)])
    norm.trainable = False
    model.compile("sgd", "mse")
    model.fit(X + 5, Y, epochs=1, verbose=0)
    np.testing.assert_array_equal(norm.moving_mean.numpy(), np.zeros(4))


def test_explicit_inference_mode_is_honoured():
    norm = layers.BatchNormalization()
    inputs = hornbill.Input((4,))
    model = hornbill.Model(inputs, layers.Dense(1)(norm(inputs, training=False)))
    model.compile("sgd", "mse")
    model.fit(X + 5, Y, epochs=1, verbose=0)
    np.testing.assert_array_equal(norm.moving_mean.numpy(), np.zeros(4))


def test_cut_out_shares_weights():
    inputs = hornbill.Input((4,))
    model = hornbill.Model(
        inputs, layers.Dense(1)(layers.Dense(3, activation="relu", name="features")(inputs))
    )
    cut = hornbill.Model(model.input, model.get_layer("features").output)
    assert_close(cut.predict(X, verbose=0), np.maximum(X @ model.get_weights()[0], 0))
    middle = hornbill.Model(model.get_layer("features").output, model.output)
    assert_close(middle.predict(cut.predict(X, verbose=0), verbose=0), model.predict(X, verbose=0))


def test_models_inside_models_and_shared_layers():
    inner_input = hornbill.Input((4,))
    inner = hornbill.Model(inner_input, layers.Dense(3, name="d")(inner_input), name="inner")
    a, b = hornbill.Input((4,)), hornbill.Input((4,))
    model = hornbill.Model([a, b], layers.add([inner(a), inner(b)]))
    assert model.count_params() == 15
    assert_close(model.predict([X, X], verbose=0), 2 * inner.predict(X, verbose=0))
    assert [v.path for v in model.weights] == ["d/kernel", "d/bias"]


def test_clone_has_weights_of_its_own():
    model = hornbill.Sequential([hornbill.Input((4,)), layers.Dense(3), layers.Dense(1)])
    clone = hornbill.models.clone_model(model)
    assert [type(layer) for layer in clone.layers] == [type(layer) for layer in model.layers]
    assert clone.layers[0] is not model.layers[0]
    clone.set_weights(model.get_weights())
    assert_close(clone.predict(X, verbose=0), model.predict(X, verbose=0))


def test_json_round_trip():
    a = hornbill.Input((4,), name="a")
    x = layers.Dense(3, activation="relu")(a)
    model = hornbill.Model(a, [layers.Dense(1)(x), x + 1.0])
    again = hornbill.models.model_from_json(model.to_json())
    again.set_weights(model.get_weights())
    for ours, theirs in zip(again.predict(X, verbose=0), model.predict(X, verbose=0), strict=True):
        assert_close(ours, theirs)


def test_run_eagerly_gives_the_same():
    losses = []
    for eager in (False, True):
        hornbill.utils.set_random_seed(3)
        model = hornbill.Sequential(
            [hornbill.Input((4,)), layers.Dense(2, activation="relu"), layers.Dense(1)]
        )
        model.compile("adam", "mse", run_eagerly=eager)
        losses.append(model.fit(X, Y, epochs=1, batch_size=12, verbose=0, shuffle=False).history["loss"])
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-5)


def test_lost_assignment_is_refused():
    counter = hornbill.Variable(0.0, trainable=False, name="counter")

    class Counting(layers.Layer):
        def call(self, x):
            counter.assign_add(1.0)
            return x

    model = hornbill.Sequential([hornbill.Input((4,)), Counting(), layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(RuntimeError, match="counter"):
        model.fit(X, Y, verbose=0)
    assert float(counter.value) == 0.0


def test_unseeded_random_ops_advance_inside_the_step():
    class Noise(layers.Layer):
        def call(self, x, training=False):
            return x + hornbill.random.normal((1,)) if training else x

    model = hornbill.Sequential([hornbill.Input((4,)), Noise(), layers.Dense(1, trainable=False)])
    model.compile("sgd", "mse")
    with pytest.raises(RuntimeError, match="no weights"):
        model.fit(X, Y, verbose=0)
    model.layers[-1].trainable = True
    model.compile(hornbill.optimizers.SGD(0.0), "mse")
    history = model.fit(X, Y, epochs=3, batch_size=24, verbose=0)
    assert len(set(history.history["loss"])) == 3


def test_stateless_call_is_pure():
    model = hornbill.Sequential([hornbill.Input((4,)), layers.BatchNormalization(), layers.Dense(1)])
    trainable = [v.value for v in model.trainable_variables]
    frozen = [v.value for v in model.non_trainable_variables]
    outputs, new = model.stateless_call(trainable, frozen, X, training=True)
    assert outputs.shape == (24, 1)
    assert not np.allclose(new[0], frozen[0])
    np.testing.assert_array_equal(model.non_trainable_variables[0].numpy(), frozen[0])


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "bfloat16", "mixed_float16"])
def test_dtype_policies_train(policy):
    model = hornbill.Sequential([
        hornbill.Input((4,)), layers.Dense(8, activation="relu", dtype=policy), layers.Dense(1, dtype=policy),
    ])  # fmt: skip
    model.dtype_policy = policy
    model.compile("adam", "mse")
    history = model.fit(X, Y, epochs=5, verbose=0)
    assert history.history["loss"][-1] < history.history["loss"][0]
    assert model.predict(X, verbose=0).dtype.name == policy.removeprefix("mixed_")
    expected = "float32" if policy.startswith("mixed") else policy
    assert model.layers[0].kernel.dtype == expected


def test_dropout_in_a_graph_drops_while_training_only():
    inputs = hornbill.Input((50,))
    model = hornbill.Model(inputs, layers.Dropout(0.5)(inputs))
    ones = np.ones((4, 50), "float32")
    np.testing.assert_array_equal(model(ones), ones)
    assert float(np.mean(np.asarray(model(ones, training=True)) == 0)) > 0.2
    np.testing.assert_array_equal(model.predict(ones, verbose=0), ones)
    assert not np.array_equal(model(ones, training=True), model(ones, training=True))


def test_masks_reach_layers_in_a_graph():
    inputs = hornbill.Input((None,), dtype="int32")
    x = layers.Embedding(5, 3, mask_zero=True)(inputs)
    model = hornbill.Model(inputs, layers.LSTM(2)(x))
    short, padded = np.array([[1, 2]]), np.array([[1, 2, 0, 0]])
    assert_close(model.predict(short, verbose=0), model.predict(padded, verbose=0))


def test_weights_of_frozen_layers_say_so():
    def flags(library):
        layer = library.layers
        frozen = layer.Dense(3, trainable=False)
        model = library.Sequential([library.Input((4,)), layer.Dense(3), layer.BatchNormalization(), frozen])
        seen = [[w.trainable for w in model.weights]]
        for owner, value in ((model.layers[1], False), (frozen, True), (model, False), (model, True)):
            owner.trainable = value
            seen.append([w.trainable for w in model.weights])
        return seen

    assert flags(hornbill) == flags(keras)


def test_a_model_built_from_data_takes_other_lengths():
    def outputs(library):
        layer = library.layers
        model = library.Sequential([layer.Embedding(9, 3), layer.GlobalAveragePooling1D(), layer.Dense(1)])
        model(np.ones((2, 4)))
        model.set_weights([np.linspace(-1, 1, w.size).reshape(w.shape) for w in model.get_weights()])
        return model.predict(np.arange(14).reshape(2, 7) % 9, verbose=0)

    assert_close(outputs(hornbill), outputs(keras))


def test_a_model_runs_on_other_sizes_than_its_input_where_all_layers_do():
    def outputs(library):
        inputs = library.Input((8, 8, 1))
        x = library.layers.Conv2D(2, 3, kernel_initializer="ones")(inputs)
        model = library.Model(inputs, library.layers.GlobalMaxPooling2D()(x))
        return model.predict(np.arange(240.0).reshape(2, 12, 10, 1), verbose=0)

    with pytest.warns(UserWarning, match=r"width 10, channels 1\). All its layers accept that"):
        found = outputs(hornbill)
    assert_close(found, outputs(keras))


def test_other_sizes_that_a_layer_refuses_are_named_at_the_input():
    inputs = hornbill.Input((8, 8, 1))
    model = hornbill.Model(inputs, layers.Dense(2)(layers.Flatten()(inputs)))
    with pytest.raises(ValueError, match="wants its input"):
        model.predict(np.ones((2, 9, 8, 1)), verbose=0)
