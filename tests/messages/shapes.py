"""Mistakes with shapes: layers that do not fit their input, and networks whose parts do not fit each other."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np

import hornbill as keras
from hornbill import layers, ops
from tests.messages.mistakes import classifier, digits, mistake


@mistake
def channels_axis_missing():
    keras.Sequential([keras.Input((28, 28)), layers.Conv2D(32, 3)])


@mistake
def channels_axis_missing_in_data():
    model = keras.Sequential([keras.Input((28, 28, 3)), layers.Conv2D(2, 3)])
    model.predict(digits()[0], verbose=0)


@mistake
def channels_axis_missing_conv1d():
    layers.Conv1D(4, 3)(np.zeros((2, 100), "float32"))


@mistake
def channels_first_data_in_channels_last_layer():
    model = keras.Sequential([layers.Conv2D(4, 3), layers.Flatten()])
    model(np.zeros((1, 32, 32, 3), "float32"))
    model(np.zeros((1, 3, 32, 32), "float32"))


@mistake
def channels_first_input_to_channels_last_model():
    model = keras.Sequential([keras.Input((32, 32, 3)), layers.Conv2D(4, 3)])
    model.predict(np.zeros((2, 3, 32, 32), "float32"), verbose=0)


@mistake
def channels_first_shape_with_small_height():
    keras.Sequential([keras.Input((3, 64, 64)), layers.Conv2D(8, 5)])


@mistake
def batch_axis_in_input_shape():
    keras.Sequential([layers.Conv2D(8, 3, input_shape=(32, 28, 28, 1))])


@mistake
def batch_axis_in_input_shape_none():
    keras.Sequential([keras.Input((None, 28, 28, 1)), layers.Conv2D(8, 3)])


@mistake
def kernel_larger_than_input():
    keras.Sequential([keras.Input((4, 4, 1)), layers.Conv2D(8, 5)])


@mistake
def pooling_until_nothing_is_left():
    keras.Sequential([keras.Input((8, 8, 1)), *(layers.MaxPooling2D() for _ in range(4))])


@mistake
def pooling_larger_than_input():
    keras.Sequential([keras.Input((3, 3, 1)), layers.AveragePooling2D(4)])


@mistake
def convolutions_until_nothing_is_left():
    keras.Sequential([keras.Input((7, 7, 1)), *(layers.Conv2D(2, 3) for _ in range(4))])


@mistake
def cropping_more_than_there_is():
    keras.Sequential([keras.Input((8, 8, 1)), layers.Cropping2D(4)])


@mistake
def odd_sizes_do_not_meet_again():
    x = keras.Input((50, 50, 3))
    a = layers.Conv2D(4, 3, padding="same")(x)
    b = layers.MaxPooling2D(name="pool_1")(a)
    c = layers.MaxPooling2D(name="pool_2")(b)
    up = layers.UpSampling2D()(layers.Conv2D(8, 3, padding="same")(c))
    layers.concatenate([b, up])


@mistake
def odd_sizes_after_transposed_convolution():
    x = keras.Input((33, 33, 1))
    down = layers.Conv2D(4, 3, strides=2, padding="same", name="halve")(x)
    up = layers.Conv2DTranspose(4, 2, strides=2, name="double")(down)
    layers.Concatenate(name="join")([x, up])


@mistake
def valid_convolutions_before_a_skip_connection():
    x = keras.Input((16, 16, 1))
    layers.add([x, layers.Conv2D(1, 3, name="inner")(x)])


@mistake
def add_of_different_channels():
    x = keras.Input((16, 16, 8))
    layers.Add()([x, layers.Conv2D(16, 1)(x)])


@mistake
def merge_of_one_tensor():
    layers.Add()(keras.Input((4,)))


@mistake
def dot_of_different_lengths():
    layers.Dot(axes=1)([keras.Input((4,)), keras.Input((5,))])


@mistake
def reshape_to_another_size():
    keras.Sequential([keras.Input((10,)), layers.Reshape((3, 4))])


@mistake
def dense_on_a_vector():
    layers.Dense(3)(np.zeros(4, "float32"))


@mistake
def dense_with_other_features():
    layer = layers.Dense(3)
    layer(np.zeros((2, 4), "float32"))
    layer(np.zeros((2, 5), "float32"))


@mistake
def dense_of_unknown_features():
    keras.Sequential([keras.Input((None,)), layers.Dense(3)])


@mistake
def dense_behind_flatten_of_unknown_size():
    keras.Sequential([keras.Input((None, None, 3)), layers.Flatten(), layers.Dense(3)])


@mistake
def lstm_on_a_table():
    layers.LSTM(4)(np.zeros((8, 10), "float32"))


@mistake
def lstm_after_lstm_without_return_sequences():
    keras.Sequential([keras.Input((10, 3)), layers.LSTM(4), layers.LSTM(4)])


@mistake
def embedding_of_floats_in_a_picture():
    keras.Sequential([keras.Input((10,)), layers.Embedding(100, 8), layers.Conv2D(4, 3)])


@mistake
def conv2d_on_one_sample():
    layers.Conv2D(4, 3)(np.zeros((28, 28, 1), "float32"))


@mistake
def predict_one_sample_without_batch():
    model = keras.Sequential([keras.Input((28, 28, 1)), layers.Flatten(), layers.Dense(2)])
    model.predict(np.zeros((28, 28, 1), "float32"), verbose=0)


@mistake
def predict_other_features():
    classifier().predict(np.zeros((2, 5), "float32"), verbose=0)


@mistake
def predict_other_picture_size():
    model = keras.Sequential([keras.Input((28, 28, 1)), layers.Flatten(), layers.Dense(2)])
    model.predict(np.zeros((2, 32, 32, 1), "float32"), verbose=0)


@mistake
def predict_colour_for_grey():
    model = keras.Sequential([keras.Input((28, 28, 1)), layers.Conv2D(2, 3)])
    model.predict(np.zeros((2, 28, 28, 3), "float32"), verbose=0)


@mistake
def groups_do_not_divide_channels():
    layers.Conv2D(8, 3, groups=3)(np.zeros((1, 8, 8, 4), "float32"))


@mistake
def strides_and_dilation():
    layers.Conv2D(8, 3, strides=2, dilation_rate=2)


@mistake
def kernel_size_of_wrong_length():
    layers.Conv2D(8, (3, 3, 3))


@mistake
def group_norm_does_not_divide():
    layers.GroupNormalization(groups=3)(np.zeros((1, 4, 4, 8), "float32"))


@mistake
def attention_with_different_lengths():
    layers.Attention()([keras.Input((5, 8)), keras.Input((7, 6))])


@mistake
def model_called_on_list_of_one_too_many():
    model = classifier()
    model([np.zeros((2, 4), "float32"), np.zeros((2, 4), "float32")])


@mistake
def conv_called_on_list():
    layers.Conv2D(4, 3)([np.zeros((1, 8, 8, 1), "float32"), np.zeros((1, 8, 8, 1), "float32")])


@mistake
def dense_called_on_list():
    layers.Dense(4)([keras.Input((3,)), keras.Input((3,))])


@mistake
def layer_called_on_a_string():
    layers.Dense(4)("hello")


@mistake
def layer_called_on_none():
    layers.Dense(4)(None)


@mistake
def layer_called_on_a_layer():
    layers.Dense(4)(layers.Dense(3))


@mistake
def layer_called_without_input():
    layers.Dense(4)()


@mistake
def matmul_in_custom_layer():
    class Project(layers.Layer):
        def build(self, input_shape):
            self.kernel = self.add_weight((8, 4), "ones", name="kernel")

        def call(self, inputs):
            return jnp.dot(inputs, self.kernel)

    keras.Sequential([keras.Input((6,)), Project(name="project")])


@mistake
def matmul_in_custom_layer_with_ops():
    class Project(layers.Layer):
        def build(self, input_shape):
            self.kernel = self.add_weight((8, 4), "ones", name="kernel")

        def call(self, inputs):
            return ops.matmul(inputs, self.kernel)

    keras.Sequential([keras.Input((6,)), Project(name="project")])


@mistake
def broadcasting_in_lambda():
    x = keras.Input((4,))
    layers.Lambda(lambda t: t + jnp.ones(3), name="shift")(x)


@mistake
def mistake_in_an_inner_layer_of_a_block():
    class Block(layers.Layer):
        def __init__(self):
            super().__init__(name="block")
            self.conv = layers.Conv2D(4, 3, name="conv")

        def call(self, inputs):
            return self.conv(inputs)

    Block()(np.zeros((2, 8, 8), "float32"))


@mistake
def input_without_a_shape():
    keras.Input()


@mistake
def input_shape_as_number():
    keras.Input(28)


@mistake
def input_shape_with_text():
    keras.Input(("28", 28, 1))


@mistake
def input_shape_negative():
    keras.Input((-1, 28, 1))


@mistake
def input_shape_float():
    keras.Input((28.5, 28, 1))
