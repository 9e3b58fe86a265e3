"""One test per line of what broke between Keras 2 and 3: it runs here, or says exactly what to write."""

from __future__ import annotations

import warnings

import jax
import numpy as np
import pytest

import hornbill as keras
from hornbill import backend as K
from hornbill import layers, ops, optimizers, saving
from hornbill.compat import arguments

X = np.random.default_rng(0).normal(size=(12, 4)).astype("float32")
Y = np.eye(3, dtype="float32")[np.arange(12) % 3]


@pytest.fixture(autouse=True)
def _old_spellings():
    arguments.apply()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        yield
    arguments.remove()


def small(**kwargs):
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3, activation="softmax")])
    model.compile(**{"optimizer": "sgd", "loss": "categorical_crossentropy", "metrics": ["acc"], **kwargs})
    return model


class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 3

    def __getitem__(self, i):
        return X[4 * i : 4 * i + 4], Y[4 * i : 4 * i + 4]


def gives(text, message):
    """Checks that a spelling warns with a message."""
    with pytest.warns(UserWarning, match=message):
        return text()


# ---- optimizers


def test_optimizer_lr():
    optimizer = gives(lambda: optimizers.Adam(lr=0.5), "lr")
    assert float(optimizer.learning_rate) == 0.5


def test_optimizer_decay():
    optimizer = optimizers.SGD(learning_rate=1.0, decay=1.0)
    v = keras.Variable(np.zeros(1, "float32"))
    optimizer.build([v])
    for _ in range(2):
        optimizer.apply([np.ones(1, "float32")], [v])
    np.testing.assert_allclose(v.numpy(), -1.5)


def test_optimizer_lr_attribute():
    model = small()
    K.set_value(model.optimizer.lr, 0.125)
    assert float(K.get_value(model.optimizer.learning_rate)) == 0.125


def test_optimizers_legacy():
    assert float(optimizers.legacy.RMSprop(lr=0.1).learning_rate) == pytest.approx(0.1)


def test_learning_rate_by_position():
    assert float(optimizers.Adam(0.25).learning_rate) == 0.25


# ---- models


@pytest.mark.parametrize("generator", [Batches, lambda: iter([(X, Y)] * 9)])
def test_fit_generator(generator):
    history = small().fit_generator(generator(), steps_per_epoch=3, epochs=2, verbose=0)
    assert len(history.history["loss"]) == 2


def test_evaluate_generator():
    assert len(small().evaluate_generator(Batches(), steps=2)) == 2


def test_predict_generator():
    assert small().predict_generator(Batches()).shape == (12, 3)


def test_predict_classes():
    model = small()
    assert model.predict_classes(X).tolist() == model.predict(X, verbose=0).argmax(-1).tolist()


def test_predict_proba():
    model = small()
    np.testing.assert_array_equal(model.predict_proba(X), model.predict(X, verbose=0))


def test_fit_workers():
    model = small()
    gives(
        lambda: model.fit(Batches(), workers=2, use_multiprocessing=True, max_queue_size=5, verbose=0),
        "PyDataset",
    )


def test_nb_epoch_and_validation_split():
    history = small().fit(X, Y, nb_epoch=2, batch_size=4, validation_split=0.25, verbose=0).history
    assert len(history["val_acc"]) == len(history["val_accuracy"]) == 2


# ---- backend


@pytest.mark.parametrize("name", ["sum", "mean", "function", "learning_phase", "moments", "logsumexp"])
def test_backend_names(name):
    assert callable(getattr(K, name))


def test_backend_functions_in_a_custom_loss():
    def dice(y_true, y_pred):
        overlap = K.sum(K.flatten(y_true) * K.flatten(y_pred))
        return 1 - (2 * overlap + K.epsilon()) / (K.sum(y_true) + K.sum(y_pred) + K.epsilon())

    history = small(loss=dice).fit(X, Y, epochs=3, verbose=0).history
    assert history["loss"][-1] < history["loss"][0]


# ---- saving


def test_save_to_a_folder_or_savedmodel(tmp_path):
    with pytest.raises(ValueError, match=r"(?i)keras"):
        small().save(str(tmp_path / "folder"))


def test_load_of_a_savedmodel_says_why(tmp_path):
    (tmp_path / "saved_model.pb").write_bytes(b"")
    with pytest.raises((ValueError, OSError)):
        saving.load_model(str(tmp_path))


def test_save_format(tmp_path):
    model = small()
    model.save(tmp_path / "m.h5", save_format="h5")
    np.testing.assert_allclose(
        saving.load_model(tmp_path / "m.h5").predict(X, verbose=0), model.predict(X, verbose=0)
    )


def test_weights_file_names(tmp_path):
    model, other = small(), small()
    model.save_weights(tmp_path / "w.weights.h5")
    other.load_weights(tmp_path / "w.weights.h5")
    np.testing.assert_array_equal(other.get_weights()[0], model.get_weights()[0])


def test_include_optimizer(tmp_path):
    model = small()
    model.fit(X, Y, verbose=0)
    model.save(tmp_path / "m.h5", include_optimizer=False)
    assert saving.load_model(tmp_path / "m.h5").predict(X, verbose=0).shape == (12, 3)


@pytest.mark.parametrize("name", ["acc", "accuracy", "categorical_accuracy"])
def test_metric_names_of_old_compile_configurations(name):
    model = small(metrics=[name])
    model.fit(X, Y, verbose=0)
    config = model.get_compile_config()
    model.compile_from_config(config)
    assert len(model.evaluate(X, Y, verbose=0)) == 2


def test_custom_objects_by_bare_name(tmp_path):
    class Twice(layers.Layer):
        def call(self, x):
            return x * 2

    model = keras.Sequential([keras.Input((4,)), Twice()])
    model.save(tmp_path / "m.keras")
    loaded = saving.load_model(tmp_path / "m.keras", custom_objects={"Twice": Twice})
    np.testing.assert_array_equal(loaded.predict(X, verbose=0), X * 2)


# ---- layers


@pytest.mark.parametrize(
    "given",
    [{"input_shape": (4,)}, {"input_dim": 4}, {"batch_input_shape": (None, 4)}],
    ids=lambda d: next(iter(d)),
)
def test_input_shapes_of_the_first_layer(given):
    model = keras.Sequential([layers.Dense(3, **given)])
    assert model.built
    assert model.output_shape == (None, 3)


def test_weights_argument():
    values = [np.ones((4, 3), "float32"), np.zeros(3, "float32")]
    layer = layers.Dense(3, weights=values)
    np.testing.assert_allclose(layer(X), np.repeat(X.sum(1, keepdims=True), 3, 1), rtol=1e-5, atol=1e-6)


def test_groups_in_old_depthwise_configurations():
    config = {**layers.DepthwiseConv2D(3).get_config(), "groups": 1}
    data = {
        "module": "keras.layers",
        "class_name": "DepthwiseConv2D",
        "config": config,
        "registered_name": None,
    }
    assert layers.deserialize(data).kernel_size == (3, 3)


def test_tf_functions_on_a_keras_tensor():
    from hornbill.compat import tensorflow as tf

    inputs = keras.Input((4,))
    model = keras.Model(inputs, tf.reduce_mean(tf.math.square(inputs), axis=-1))
    np.testing.assert_allclose(model.predict(X, verbose=0), (X**2).mean(-1), rtol=1e-5)


def test_tf_variables_of_a_layer_are_tracked():
    from hornbill.compat import tensorflow as tf

    class Scale(layers.Layer):
        def __init__(self):
            super().__init__()
            self.factor = tf.Variable(2.0)

        def call(self, x):
            return x * self.factor

    layer = Scale()
    np.testing.assert_array_equal(layer(X), X * 2)
    assert [v is layer.factor for v in layer.trainable_weights] == [True]


def test_branches_on_values_in_call():
    class Branch(layers.Layer):
        def call(self, x):
            return ops.where(ops.sum(x) > 0, x, -x)

    np.testing.assert_array_equal(jax.jit(Branch())(np.abs(X)), np.abs(X))


def test_weights_made_outside_build():
    class Late(layers.Layer):
        def __init__(self):
            super().__init__()
            self.w = self.add_weight(shape=(4, 2), initializer="ones")

        def call(self, x):
            return ops.matmul(x, self.w)

    model = keras.Sequential([keras.Input((4,)), Late()])
    assert model.count_params() == 8


def test_none_inside_nested_call_arguments():
    class First(layers.Layer):
        def call(self, xs):
            return xs[0] if xs[1] is None else xs[0] + xs[1]

    inputs = keras.Input((4,))
    model = keras.Model(inputs, First()([inputs, None]))
    np.testing.assert_array_equal(model.predict(X, verbose=0), X)


def test_inputs_nested_more_than_one_level():
    a, b, c = (keras.Input((4,), name=n) for n in "abc")
    model = keras.Model([a, [b, {"c": c}]], layers.Add()([a, b, c]))
    np.testing.assert_allclose(model([X, [X, {"c": X}]]), 3 * X, rtol=1e-6)


# ---- names


def test_weight_names_and_paths():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3, name="d")])
    assert [w.name for w in model.weights] == ["kernel", "bias"]
    assert [w.path for w in model.weights] == [f"{model.name}/d/kernel", f"{model.name}/d/bias"]


def test_order_of_weights():
    model = keras.Sequential(
        [keras.Input((4,)), layers.Dense(3), layers.BatchNormalization(), layers.Dense(2)]
    )
    assert [w.path.split("/")[-1] for w in model.weights] == [
        "kernel", "bias", "gamma", "beta", "moving_mean", "moving_variance", "kernel", "bias",
    ]  # fmt: skip


def test_scikit_learn_wrappers():
    from hornbill.compat.modules import OLD_MODULES, REFUSED_MODULES

    assert (
        "wrappers.scikit_learn" in OLD_MODULES
        or "SKLearnClassifier" in REFUSED_MODULES["keras.wrappers.scikit_learn"][1]
    )


@pytest.mark.parametrize("value", ["auto", True, False])
def test_jit_compile(value):
    assert small(jit_compile=value).fit(X, Y, verbose=0).history["loss"]


# ---- metrics


def test_reset_states_is_reset_state():
    class Count(keras.metrics.Metric):
        def __init__(self):
            super().__init__(name="count")
            self.total = self.add_weight(name="total", initializer="zeros")
            self.resets = 0

        def update_state(self, y_true, y_pred, sample_weight=None):
            self.total.assign_add(1.0)

        def result(self):
            return self.total

        def reset_states(self):
            self.resets += 1
            super().reset_states()

    metric, mean = Count(), keras.metrics.Mean()
    metric.update_state(X, X)
    metric.reset_state()
    assert (metric.resets, float(metric.result())) == (1, 0.0)
    model = keras.Sequential([keras.Input((X.shape[1],)), layers.Dense(1)])
    model.compile("sgd", "mse", metrics=[metric])
    assert model.fit(X, X[:, :1], batch_size=len(X), epochs=2, verbose=0).history["count"] == [1.0, 1.0]
    mean.update_state([1.0, 3.0])
    mean.reset_states()
    assert float(mean.result()) == 0
