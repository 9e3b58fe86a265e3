"""Mistakes in making models: names, constructors, graphs, weights of another model."""

from __future__ import annotations

import pathlib

import numpy as np

import hornbill as keras
from hornbill import layers, ops
from tests.messages.mistakes import classifier, mistake


@mistake
def layer_name_taken_in_sequential():
    keras.Sequential([keras.Input((4,)), layers.Dense(3, name="fc"), layers.Dense(3, name="fc")])


@mistake
def layer_name_taken_in_graph():
    x = keras.Input((4,))
    keras.Model(x, layers.Dense(2, name="fc")(layers.Dense(2, name="fc")(x)))


@mistake
def layer_name_with_slash():
    layers.Dense(2, name="block/fc")


@mistake
def layer_name_no_string():
    layers.Dense(2, name=3)


@mistake
def get_layer_misspelt():
    classifier().get_layer("dens")


@mistake
def super_init_forgotten_in_layer():
    class Mine(layers.Layer):
        def __init__(self):
            self.dense = layers.Dense(3)

        def call(self, inputs):
            return self.dense(inputs)

    Mine()(np.zeros((2, 4), "float32"))


@mistake
def super_init_forgotten_in_model():
    class Net(keras.Model):
        def __init__(self):
            self.dense = layers.Dense(3)

        def call(self, inputs):
            return self.dense(inputs)

    Net().compile(loss="mse")


@mistake
def call_forgotten_in_model():
    class Net(keras.Model):
        pass

    Net()(np.zeros((2, 4), "float32"))


@mistake
def call_forgotten_in_layer():
    class Mine(layers.Layer):
        pass

    Mine()(np.zeros((2, 4), "float32"))


@mistake
def call_returns_nothing():
    class Net(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(3)

        def call(self, inputs):
            self.dense(inputs)

    model = Net()
    model.compile(loss="mse")
    model.fit(np.zeros((2, 4)), np.zeros((2, 3)), verbose=0)


@mistake
def custom_layer_call_raises():
    class Broken(layers.Layer):
        def call(self, inputs):
            return undefined_name * inputs  # noqa: F821

    keras.Sequential([keras.Input((4,)), Broken(name="broken")])


@mistake
def custom_layer_attribute_missing():
    class Broken(layers.Layer):
        def call(self, inputs):
            return self.dense(inputs)

    keras.Sequential([keras.Input((4,)), Broken(name="broken")])


@mistake
def custom_layer_condition_on_values():
    class Gate(layers.Layer):
        def call(self, inputs):
            return inputs if ops.sum(inputs) > 0 else -inputs

    keras.Sequential([keras.Input((4,)), Gate(name="gate")])


@mistake
def custom_layer_numpy_on_tracer():
    class Plain(layers.Layer):
        def call(self, inputs):
            return np.maximum(np.asarray(inputs), 0)

    keras.Sequential([keras.Input((4,)), Plain(name="plain")])


@mistake
def custom_build_argument_named_otherwise():
    class Mine(layers.Layer):
        def build(self, x_shape, y_shape):
            pass

        def call(self, inputs):
            return inputs

    Mine()(np.zeros((2, 4), "float32"))


@mistake
def add_weight_without_initializer_name():
    class Mine(layers.Layer):
        def build(self, input_shape):
            self.w = self.add_weight((2,), initializer="glorot", name="w")

        def call(self, inputs):
            return inputs

    Mine()(np.zeros((2, 4), "float32"))


@mistake
def model_of_arrays():
    keras.Model(np.zeros((2, 4)), np.zeros((2, 3)))


@mistake
def model_of_layers():
    keras.Model(inputs=layers.InputLayer(shape=(4,)), outputs=layers.Dense(3))


@mistake
def model_with_unconnected_graph():
    a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
    keras.Model(a, layers.Dense(3)(b))


@mistake
def model_with_input_left_out():
    a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
    keras.Model(a, layers.Add()([a, b]))


@mistake
def model_without_outputs():
    keras.Model(inputs=keras.Input((4,)))


@mistake
def model_with_misspelt_argument():
    x = keras.Input((4,))
    keras.Model(input=x, output=layers.Dense(2)(x), nam="m")


@mistake
def numpy_function_on_keras_tensor():
    np.exp(keras.Input((4,)))


@mistake
def numpy_sum_on_keras_tensor():
    np.sum(layers.Dense(3)(keras.Input((4,))))


@mistake
def jax_function_on_keras_tensor():
    import jax.numpy as jnp

    jnp.exp(keras.Input((4,)))


@mistake
def float_of_keras_tensor():
    float(keras.Input(()))


@mistake
def condition_on_keras_tensor():
    x = keras.Input((4,))
    if x > 0:
        pass


@mistake
def numpy_of_keras_tensor():
    keras.Input((4,)).numpy()


@mistake
def assignment_into_keras_tensor():
    x = keras.Input((4,))
    x[0] = 1


@mistake
def sequential_of_function():
    keras.Sequential([keras.Input((4,)), ops.relu])


@mistake
def sequential_of_class():
    keras.Sequential([layers.Dense])


@mistake
def sequential_of_string():
    keras.Sequential(["dense"])


@mistake
def sequential_not_in_a_list():
    keras.Sequential(layers.Dense(3), layers.Dense(4))


@mistake
def summary_of_unbuilt_model():
    keras.Sequential([layers.Dense(3)]).count_params()


@mistake
def count_params_of_unbuilt_layer():
    layers.Dense(3).count_params()


@mistake
def output_shape_of_unbuilt_model():
    keras.Sequential([layers.Dense(3)]).output_shape  # noqa: B018


@mistake
def input_of_subclassed_model():
    class Net(keras.Model):
        def call(self, inputs):
            return inputs

    Net().input  # noqa: B018


@mistake
def set_weights_too_few():
    model = classifier()
    model.set_weights(model.get_weights()[:1])


@mistake
def set_weights_of_other_shapes():
    classifier(classes=3).set_weights(classifier(classes=5).get_weights())


@mistake
def set_weights_of_unbuilt_layer():
    layers.Dense(3).set_weights([np.zeros((4, 3)), np.zeros(3)])


@mistake
def load_weights_of_another_model(tmp_path: pathlib.Path):
    path = tmp_path / "other.weights.h5"
    classifier(classes=5).save_weights(path)
    classifier(classes=3).load_weights(path)


@mistake
def load_weights_of_a_deeper_model(tmp_path: pathlib.Path):
    path = tmp_path / "other.weights.h5"
    keras.Sequential([keras.Input((4,)), layers.Dense(3), layers.Dense(3)]).save_weights(path)
    classifier(classes=3).load_weights(path)


@mistake
def load_weights_from_nowhere():
    classifier().load_weights("missing.weights.h5")


@mistake
def load_weights_from_a_text_file(tmp_path: pathlib.Path):
    path = tmp_path / "notes.weights.h5"
    path.write_text("hello")
    classifier().load_weights(path)


@mistake
def save_weights_with_wrong_ending(tmp_path: pathlib.Path):
    classifier().save_weights(tmp_path / "weights.txt")


@mistake
def save_with_wrong_ending(tmp_path: pathlib.Path):
    classifier().save(tmp_path / "model.pb")


@mistake
def load_model_from_nowhere():
    keras.models.load_model("missing.keras")


@mistake
def variable_of_wrong_shape():
    layer = layers.Dense(3)
    layer.build((None, 4))
    layer.kernel.assign(np.zeros((3, 4)))


@mistake
def kernel_of_unbuilt_layer():
    layers.Dense(3).kernel  # noqa: B018
