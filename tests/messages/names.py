"""Mistakes with names and arguments: misspelt strings, unknown arguments, numbers out of range."""

from __future__ import annotations

import numpy as np

import hornbill as keras
from hornbill import callbacks, layers, losses, metrics, optimizers
from tests.messages.mistakes import classifier, mistake, regressor


@mistake
def activation_misspelt():
    layers.Dense(3, activation="rellu")


@mistake
def activation_from_another_library():
    layers.Dense(3, activation="LeakyReLU6")


@mistake
def activation_as_number():
    layers.Dense(3, activation=3)


@mistake
def padding_misspelt():
    layers.Conv2D(3, 3, padding="sames")


@mistake
def padding_as_number():
    layers.Conv2D(3, 3, padding=1)


@mistake
def data_format_misspelt():
    layers.Conv2D(3, 3, data_format="channel_last")


@mistake
def initializer_misspelt():
    layers.Dense(3, kernel_initializer="he_norml")


@mistake
def regularizer_misspelt():
    layers.Dense(3, kernel_regularizer="L3")


@mistake
def regularizer_as_number():
    layers.Dense(3, kernel_regularizer=0.01)


@mistake
def constraint_misspelt():
    layers.Dense(3, kernel_constraint="maxnorm3")


@mistake
def dtype_misspelt():
    layers.Dense(3, dtype="float23")


@mistake
def loss_misspelt():
    regressor(loss="mean_square_error")


@mistake
def loss_sparse_misspelt():
    classifier(loss="sparse_crossentropy")


@mistake
def loss_as_number():
    regressor(loss=3)


@mistake
def metric_misspelt():
    classifier(metrics=["acuracy"])


@mistake
def metric_not_in_list():
    classifier(metrics=[3])


@mistake
def optimizer_misspelt():
    regressor(optimizer="addam")


@mistake
def optimizer_as_number():
    regressor(optimizer=0.01)


@mistake
def optimizer_class_without_brackets():
    regressor(optimizer=losses.MeanSquaredError)


@mistake
def compile_argument_misspelt():
    regressor(metric=["mae"])


@mistake
def compile_argument_lr():
    regressor(learning_rate=0.1)


@mistake
def layer_argument_misspelt():
    layers.Dense(3, activaton="relu")


@mistake
def layer_argument_misspelt_conv():
    layers.Conv2D(3, 3, stride=2)


@mistake
def layer_argument_of_pytorch():
    layers.Linear(3, 4)


@mistake
def layer_class_misspelt():
    layers.Conv2d(3, 3)


@mistake
def top_level_name_misspelt():
    keras.Sequental  # noqa: B018


@mistake
def required_argument_missing():
    layers.Dense()


@mistake
def required_argument_missing_conv():
    layers.Conv2D(8)


@mistake
def argument_given_twice():
    layers.Dense(3, units=4)


@mistake
def too_many_positional_arguments():
    layers.Dense(3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17)


@mistake
def fit_argument_misspelt():
    regressor().fit(np.zeros((4, 4)), np.zeros(4), epoch=3)


@mistake
def fit_epochs_as_float():
    regressor().fit(np.zeros((4, 4)), np.zeros(4), epochs=1.5, verbose=0)


@mistake
def fit_batch_size_zero():
    regressor().fit(np.zeros((4, 4)), np.zeros(4), batch_size=0, verbose=0)


@mistake
def fit_batch_size_in_place_of_targets():
    regressor().fit(np.zeros((4, 4)), 32, verbose=0)


@mistake
def fit_validation_split_too_large():
    regressor().fit(np.zeros((4, 4)), np.zeros(4), validation_split=1.5, verbose=0)


@mistake
def fit_verbose_unknown():
    regressor().fit(np.zeros((4, 4)), np.zeros(4), verbose=7)


@mistake
def units_zero():
    layers.Dense(0)


@mistake
def units_negative():
    layers.Dense(-3)


@mistake
def units_float():
    layers.Dense(3.5)


@mistake
def units_as_text():
    layers.Dense("10")


@mistake
def filters_zero():
    layers.Conv2D(0, 3)


@mistake
def kernel_size_zero():
    layers.Conv2D(4, 0)


@mistake
def strides_negative():
    layers.Conv2D(4, 3, strides=-1)


@mistake
def dropout_rate_above_one():
    layers.Dropout(20)


@mistake
def pool_size_float():
    layers.MaxPooling2D(2.5)


@mistake
def lstm_units_float():
    layers.LSTM(3.2)


@mistake
def embedding_dim_zero():
    layers.Embedding(10, 0)


@mistake
def batch_normalization_axis():
    layers.BatchNormalization(axis=5)(np.zeros((2, 4), "float32"))


@mistake
def learning_rate_as_text():
    optimizers.Adam(learning_rate="fast")


@mistake
def optimizer_argument_misspelt():
    optimizers.Adam(learning_rte=0.1)


@mistake
def clipnorm_and_clipvalue():
    optimizers.Adam(clipnorm=1.0, clipvalue=1.0)


@mistake
def loss_argument_misspelt():
    losses.SparseCategoricalCrossentropy(from_logit=True)


@mistake
def loss_reduction_misspelt():
    losses.MeanSquaredError(reduction="summ")


@mistake
def metric_argument_misspelt():
    metrics.SparseTopKCategoricalAccuracy(top_k=3)


@mistake
def callback_monitor_misspelt():
    stop = callbacks.EarlyStopping(monitor="val_los", patience=1)
    regressor().fit(np.zeros((4, 4)), np.zeros(4), validation_split=0.5, verbose=0, callbacks=[stop])


@mistake
def callback_monitor_without_validation():
    stop = callbacks.EarlyStopping(monitor="val_loss")
    regressor().fit(np.zeros((4, 4)), np.zeros(4), verbose=0, callbacks=[stop])


@mistake
def callback_class_without_brackets():
    regressor().fit(np.zeros((4, 4)), np.zeros(4), verbose=0, callbacks=[callbacks.EarlyStopping])


@mistake
def callback_a_function():
    regressor().fit(np.zeros((4, 4)), np.zeros(4), verbose=0, callbacks=[print])


@mistake
def callback_argument_misspelt():
    callbacks.EarlyStopping(patiance=3)


@mistake
def policy_misspelt():
    keras.mixed_precision.set_global_policy("mixed_float61")


@mistake
def image_data_format_misspelt():
    keras.backend.set_image_data_format("channels")
