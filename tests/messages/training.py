"""Mistakes with data, targets and the order of things in training."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np

import hornbill as keras
from hornbill import callbacks, layers, ops
from tests.messages.mistakes import classifier, mistake, regressor

X = np.ones((8, 4), "float32")
Y = np.arange(8) % 3


@mistake
def one_hot_labels_with_sparse_loss():
    classifier().fit(X, np.eye(3)[Y], verbose=0)


@mistake
def integer_labels_with_categorical_loss():
    classifier(loss="categorical_crossentropy").fit(X, Y, verbose=0)


@mistake
def integer_labels_with_a_column_and_categorical_loss():
    classifier(loss="categorical_crossentropy").fit(X, Y[:, None], verbose=0)


@mistake
def integer_labels_with_binary_loss():
    classifier(loss="binary_crossentropy").fit(X, Y, verbose=0)


@mistake
def integer_labels_with_mse():
    regressor(units=3).fit(X, Y, verbose=0)


@mistake
def wrong_class_count_one_hot():
    classifier(classes=5, loss="categorical_crossentropy").fit(X, np.eye(3)[Y], verbose=0)


@mistake
def labels_out_of_range():
    classifier(classes=2).fit(X, Y, verbose=0)


@mistake
def labels_start_at_one():
    classifier().fit(X, Y + 1, verbose=0)


@mistake
def labels_negative():
    classifier().fit(X, Y - 1, verbose=0)


@mistake
def labels_out_of_range_in_validation():
    classifier().fit(X, Y, validation_data=(X, Y + 4), verbose=0)


@mistake
def labels_out_of_range_in_evaluate():
    classifier().evaluate(X, Y + 4, verbose=0)


@mistake
def labels_out_of_range_on_batch():
    classifier().train_on_batch(X, Y + 4)


@mistake
def labels_out_of_range_after_a_first_fit():
    model = classifier()
    model.fit(X, Y, verbose=0)
    model.fit(X, Y + 4, verbose=0)


@mistake
def labels_float_with_sparse_loss():
    classifier().fit(X, Y + 0.5, verbose=0)


@mistake
def labels_as_text():
    classifier().fit(X, np.array(["cat", "dog"] * 4), verbose=0)


@mistake
def targets_of_another_spatial_size():
    model = keras.Sequential([keras.Input((16, 16, 1)), layers.Conv2D(1, 3, activation="sigmoid")])
    model.compile(loss="binary_crossentropy")
    model.fit(np.zeros((2, 16, 16, 1)), np.zeros((2, 16, 16, 1)), verbose=0)


@mistake
def targets_of_another_spatial_size_sparse():
    model = keras.Sequential([keras.Input((16, 16, 1)), layers.Conv2D(3, 3), layers.Softmax()])
    model.compile(loss="sparse_categorical_crossentropy")
    model.fit(np.zeros((2, 16, 16, 1)), np.zeros((2, 16, 16, 1), int), verbose=0)


@mistake
def targets_of_another_length_of_sequence():
    model = keras.Sequential([keras.Input((6, 2)), layers.LSTM(3, return_sequences=True)])
    model.compile(loss="mse")
    model.fit(np.zeros((2, 6, 2)), np.zeros((2, 5, 3)), verbose=0)


@mistake
def picture_output_for_labels():
    model = keras.Sequential(
        [keras.Input((8, 8, 1)), layers.Conv2D(4, 3), layers.Dense(3, activation="softmax")]
    )
    model.compile(loss="sparse_categorical_crossentropy")
    model.fit(np.zeros((2, 8, 8, 1)), np.array([0, 1]), verbose=0)


@mistake
def targets_missing():
    classifier().fit(X, verbose=0)


@mistake
def empty_data():
    regressor().fit(np.zeros((0, 4)), np.zeros(0), verbose=0)


@mistake
def empty_list():
    regressor().fit([], [], verbose=0)


@mistake
def empty_data_in_predict():
    regressor().predict(np.zeros((0, 4)), verbose=0)


@mistake
def data_none():
    regressor().fit(None, np.zeros(4), verbose=0)


@mistake
def unequal_lengths():
    regressor().fit(np.zeros((8, 4)), np.zeros(7), verbose=0)


@mistake
def unequal_lengths_of_inputs():
    regressor().fit([np.zeros((8, 4)), np.zeros((7, 4))], np.zeros(8), verbose=0)


@mistake
def unequal_lengths_of_sample_weight():
    regressor().fit(X, np.zeros(8), sample_weight=np.ones(7), verbose=0)


@mistake
def sample_weight_of_two_axes():
    regressor().fit(X, np.zeros(8), sample_weight=np.ones((8, 3)), verbose=0)


@mistake
def class_weight_as_list():
    classifier().fit(X, Y, class_weight=[1.0, 2.0, 3.0], verbose=0)


@mistake
def class_weight_incomplete():
    classifier().fit(X, Y, class_weight={"cat": 1.0}, verbose=0)


@mistake
def data_of_strings():
    regressor().fit(np.array([["a", "b", "c", "d"]] * 4), np.zeros(4), verbose=0)


@mistake
def data_of_objects():
    x = np.empty(4, object)
    x[:] = [np.zeros(3), np.zeros(4), np.zeros(4), np.zeros(4)]
    regressor().fit(x, np.zeros(4), verbose=0)


@mistake
def data_of_rows_of_unequal_length():
    regressor().fit([[1.0, 2.0], [3.0]], [0.0, 1.0], verbose=0)


@mistake
def data_with_none():
    regressor().fit(np.array([[1.0, None, 2.0, 3.0]] * 4), np.zeros(4), verbose=0)


@mistake
def data_of_dates():
    regressor().fit(np.zeros((4, 4), "datetime64[s]"), np.zeros(4), verbose=0)


@mistake
def data_as_a_file_name():
    regressor().fit("train.csv", verbose=0)


@mistake
def data_as_a_number():
    regressor().predict(3.0, verbose=0)


@mistake
def dict_with_misspelt_input():
    a, b = keras.Input((4,), name="left"), keras.Input((4,), name="right")
    model = keras.Model([a, b], layers.Dense(1)(layers.add([a, b])))
    model.compile(loss="mse")
    model.fit({"left": X, "rigth": X}, np.zeros(8), verbose=0)


@mistake
def one_array_for_two_inputs():
    a, b = keras.Input((4,), name="left"), keras.Input((4,), name="right")
    model = keras.Model([a, b], layers.Dense(1)(layers.add([a, b])))
    model.compile(loss="mse")
    model.fit(X, np.zeros(8), verbose=0)


@mistake
def one_array_of_targets_for_two_outputs():
    _two_outputs(loss="mse").fit(X, np.zeros(8), verbose=0)


@mistake
def targets_dict_with_misspelt_output():
    _two_outputs(loss="mse").fit(X, {"agee": np.zeros(8), "size": np.zeros(8)}, verbose=0)


@mistake
def loss_dict_with_misspelt_output():
    _two_outputs(loss={"agee": "mse", "size": "mse"}).fit(X, [np.zeros(8)] * 2, verbose=0)


@mistake
def loss_list_of_wrong_length():
    _two_outputs(loss=["mse"]).fit(X, [np.zeros(8)] * 2, verbose=0)


@mistake
def metrics_dict_with_misspelt_output():
    _two_outputs(loss="mse", metrics={"siz": ["mae"]}).fit(X, [np.zeros(8)] * 2, verbose=0)


def _two_outputs(**compile_arguments):
    x = keras.Input((4,))
    model = keras.Model(x, [layers.Dense(1, name="age")(x), layers.Dense(1, name="size")(x)])
    model.compile(**compile_arguments)
    return model


@mistake
def generator_ends_early():
    def batches():
        for _ in range(3):
            yield X, np.zeros((8, 1))

    regressor().fit(batches(), steps_per_epoch=2, epochs=3, verbose=0)


@mistake
def generator_without_batches():
    regressor().fit(iter(()), verbose=0)


@mistake
def generator_of_bare_arrays():
    def batches():
        while True:
            yield X

    regressor().fit(batches(), steps_per_epoch=2, verbose=0)


@mistake
def generator_function_not_called():
    def batches():
        yield X, np.zeros(8)

    regressor().fit(batches, verbose=0)


@mistake
def generator_with_targets_apart():
    regressor().fit(iter([(X, np.zeros(8))]), np.zeros(8), verbose=0)


@mistake
def generator_of_unequal_batches():
    regressor().fit(iter([(X, np.zeros((8, 1))), (X, np.zeros((7, 1)))]), verbose=0)


@mistake
def generator_changes_its_shape():
    regressor().fit(iter([(X, np.zeros((8, 1))), (X[:, :3], np.zeros((8, 1)))]), verbose=0)


@mistake
def validation_data_of_x_only():
    regressor().fit(X, np.zeros(8), validation_data=X, verbose=0)


@mistake
def validation_data_of_another_shape():
    regressor().fit(X, np.zeros(8), validation_data=(X[:, :3], np.zeros(8)), verbose=0)


@mistake
def validation_split_of_a_generator():
    regressor().fit(iter([(X, np.zeros(8))]), validation_split=0.2, verbose=0)


@mistake
def fit_before_compile():
    keras.Sequential([keras.Input((4,)), layers.Dense(1)]).fit(X, np.zeros(8))


@mistake
def evaluate_before_compile():
    keras.Sequential([keras.Input((4,)), layers.Dense(1)]).evaluate(X, np.zeros(8))


@mistake
def fit_without_loss():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(1)])
    model.compile(optimizer="sgd")
    model.fit(X, np.zeros(8), verbose=0)


@mistake
def fit_of_frozen_model():
    model = regressor()
    model.trainable = False
    model.compile(loss="mse")
    model.fit(X, np.zeros(8), verbose=0)


@mistake
def loss_function_returns_nothing():
    def loss(y_true, y_pred):
        ops.mean(y_true - y_pred)

    regressor(loss=loss).fit(X, np.zeros((8, 1)), verbose=0)


@mistake
def loss_function_returns_wrong_shape():
    def loss(y_true, y_pred):
        return ops.stack([ops.mean(y_true - y_pred)] * 3)

    regressor(loss=loss).fit(X, np.zeros((8, 1)), sample_weight=np.ones(8), verbose=0)


@mistake
def loss_function_of_one_argument():
    regressor(loss=lambda y_pred: ops.mean(y_pred)).fit(X, np.zeros((8, 1)), verbose=0)


@mistake
def loss_function_with_jax_error():
    def my_loss(y_true, y_pred):
        return jnp.dot(y_true, y_pred)

    regressor(loss=my_loss).fit(X, np.zeros((8, 1)), verbose=0)


@mistake
def loss_function_in_numpy():
    def my_loss(y_true, y_pred):
        return np.mean((np.asarray(y_true) - np.asarray(y_pred)) ** 2)

    regressor(loss=my_loss).fit(X, np.zeros((8, 1)), verbose=0)


@mistake
def loss_function_asks_for_numpy():
    def my_loss(y_true, y_pred):
        return np.mean((y_true.numpy() - y_pred.numpy()) ** 2)

    regressor(loss=my_loss).fit(X, np.zeros((8, 1)), verbose=0)


@mistake
def loss_function_calls_a_method_that_tensors_lack():
    def my_loss(y_true, y_pred):
        return (y_true - y_pred).square().means()

    regressor(loss=my_loss).fit(X, np.zeros((8, 1)), verbose=0)


@mistake
def metric_function_with_jax_error():
    def my_metric(y_true, y_pred):
        return jnp.dot(y_true, y_pred)

    regressor(metrics=[my_metric]).fit(X, np.zeros((8, 1)), verbose=0)


@mistake
def train_step_of_tensorflow():
    class Net(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(1)

        def call(self, inputs):
            return self.dense(inputs)

        def train_step(self, data):
            return {}

    model = Net()
    model.compile(loss="mse")
    model.fit(X, np.zeros((8, 1)), verbose=0)


@mistake
def loss_becomes_nan():
    model = regressor(optimizer=keras.optimizers.SGD(1e30))
    model.fit(
        1e30 * np.ones((64, 4), "float32"),
        np.zeros((64, 1)),
        batch_size=8,
        epochs=2,
        verbose=0,
        shuffle=False,
    )


@mistake
def loss_is_nan_with_terminate_on_nan():
    model = regressor(optimizer=keras.optimizers.SGD(1e30))
    stop = callbacks.TerminateOnNaN(raise_error=True)
    model.fit(
        1e30 * np.ones((64, 4), "float32"), np.zeros((64, 1)), batch_size=8, verbose=0, callbacks=[stop]
    )


@mistake
def nan_in_the_data():
    x = X.copy()
    x[3, 1] = np.nan
    regressor().fit(x, np.zeros(8), verbose=0)


@mistake
def steps_per_epoch_more_than_there_is():
    regressor().fit(X, np.zeros(8), batch_size=4, steps_per_epoch=10, epochs=2, verbose=0)


@mistake
def embedding_index_too_large():
    model = keras.Sequential([keras.Input((5,)), layers.Embedding(10, 2), layers.Flatten(), layers.Dense(1)])
    model.compile(loss="mse")
    model.fit(np.arange(20).reshape(4, 5), np.zeros(4), verbose=0)


@mistake
def embedding_index_negative():
    model = keras.Sequential([keras.Input((5,)), layers.Embedding(10, 2), layers.Flatten(), layers.Dense(1)])
    model.compile(loss="mse")
    model.fit(np.arange(20).reshape(4, 5) % 9 - 2, np.zeros(4), verbose=0)
