# ruff: noqa: NPY002
"""A convolutional network as it was written for Keras 1."""

import sys

import numpy as np
from keras.engine.topology import Input
from keras.layers import merge
from keras.layers.convolutional import Convolution2D, MaxPooling2D, ZeroPadding2D
from keras.layers.core import Activation, Dense, Dropout, Flatten
from keras.layers.normalization import BatchNormalization
from keras.models import Model, Sequential
from keras.optimizers import SGD
from keras.regularizers import l2
from keras.utils import np_utils

np.random.seed(0)
x = np.random.rand(40, 8, 8, 1)
y = np_utils.to_categorical(np.random.randint(0, 3, 40), 3)

model = Sequential()
model.add(ZeroPadding2D((1, 1), input_shape=(8, 8, 1), dim_ordering="tf"))
model.add(Convolution2D(4, 3, 3, border_mode="valid", init="he_normal", W_regularizer=l2(0.001)))
model.add(BatchNormalization(mode=0))
model.add(Activation("relu"))
model.add(Convolution2D(4, 3, 3, subsample=(2, 2), border_mode="same", bias=False, activation="relu"))
model.add(MaxPooling2D(pool_size=(2, 2), border_mode="same"))
model.add(Dropout(p=0.25))
model.add(Flatten())
model.add(Dense(output_dim=8, init="uniform", activation="relu"))
model.add(Dense(3, activation="softmax"))
assert model.layers[1].kernel_size == (3, 3)
assert model.layers[4].strides == (2, 2)
assert model.output_shape == (None, 3)
model.compile(
    loss="categorical_crossentropy", optimizer=SGD(lr=0.1, decay=1e-6, momentum=0.9), metrics=["accuracy"]
)
history = model.fit(x, y, batch_size=20, nb_epoch=2, verbose=0, validation_split=0.2)
print(sorted(history.history))
assert len(history.history["val_acc"]) == 2
assert model.predict_classes(x[:5], verbose=0).shape == (5,)
score = model.evaluate(x, y, verbose=0)
assert len(score) == 2

a, b = Input(shape=(4,)), Input(shape=(4,))
both = merge([Dense(3)(a), Dense(3)(b)], mode="concat", concat_axis=-1)
total = Model(input=[a, b], output=merge([Dense(2)(both), Dense(2)(both)], mode="sum"))
assert total.predict([np.ones((2, 4)), np.ones((2, 4))]).shape == (2, 2)
assert total.get_config()
print("keras 1 program done", sys.argv[1:])
