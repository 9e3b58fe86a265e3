# ruff: noqa: E402, F401, I001, NPY002, PTH123, SIM115
"""Keras 1: old modules and arguments, merge, generators that count samples."""

import numpy as np

np.random.seed(1337)
from keras.datasets import mnist
from keras.models import Sequential, Model, model_from_json
from keras.layers.core import (
    Dense,
    Dropout,
    Activation,
    Flatten,
    Reshape,
    Permute,
    RepeatVector,
    Lambda,
    Masking,
    ActivityRegularization,
)
from keras.layers.convolutional import Convolution2D, MaxPooling2D, Convolution1D, MaxPooling1D, UpSampling2D
from keras.layers.recurrent import LSTM, SimpleRNN, GRU
from keras.layers.embeddings import Embedding
from keras.layers.noise import GaussianNoise
from keras.layers import merge, Input
from keras.optimizers import SGD, Adam, RMSprop, Adagrad
from keras.utils import np_utils
from keras.regularizers import l2, l1, activity_l2
from keras.callbacks import ModelCheckpoint, EarlyStopping

X = np.random.rand(64, 8, 8, 1).astype("float32")
y = np.random.randint(0, 4, 64)
Y = np_utils.to_categorical(y, 4)
m = Sequential()
m.add(Convolution2D(4, 3, 3, border_mode="valid", input_shape=(8, 8, 1), W_regularizer=l2(1e-4)))
m.add(Activation("relu"))
m.add(Convolution2D(4, 3, 3))
m.add(Activation("relu"))
m.add(MaxPooling2D(pool_size=(2, 2)))
m.add(Dropout(0.25))
m.add(Flatten())
m.add(Dense(8, init="he_normal", activity_regularizer=activity_l2(1e-4)))
m.add(Activation("relu"))
m.add(Dense(4))
m.add(Activation("softmax"))
sgd = SGD(lr=0.01, decay=1e-6, momentum=0.9, nesterov=True)
m.compile(loss="categorical_crossentropy", optimizer=sgd, metrics=["accuracy"])
h = m.fit(
    X,
    Y,
    batch_size=16,
    nb_epoch=2,
    verbose=1,
    validation_data=(X, Y),
    callbacks=[
        ModelCheckpoint(filepath="weights.{epoch:02d}-{val_loss:.2f}.hdf5", verbose=1, save_best_only=True),
        EarlyStopping(monitor="val_loss", patience=2, verbose=0),
    ],
)
print(h.history.keys())
open("a.json", "w").write(m.to_json())
m.save_weights("w.h5", overwrite=True)
m2 = model_from_json(open("a.json").read())
m2.load_weights("w.h5")
assert np.allclose(m.predict(X), m2.predict(X), atol=1e-6)
t = Sequential()
t.add(Embedding(20, 6, input_length=10, dropout=0.0))
t.add(Convolution1D(nb_filter=4, filter_length=3, border_mode="valid", activation="relu", subsample_length=1))
t.add(MaxPooling1D(pool_length=2))
t.add(LSTM(output_dim=5, activation="tanh", inner_activation="hard_sigmoid", dropout_W=0.0, dropout_U=0.0))
t.add(Dense(1))
t.add(Activation("sigmoid"))
t.compile("rmsprop", "binary_crossentropy", metrics=["accuracy"])
t.fit(np.random.randint(0, 20, (32, 10)), np.random.randint(0, 2, 32), nb_epoch=1, batch_size=8)
score, acc = t.evaluate(np.random.randint(0, 20, (8, 10)), np.random.randint(0, 2, 8))
print("ok")
a = Input(shape=(4,))
b = Input(shape=(4,))
z = merge([Dense(3)(a), Dense(3)(b)], mode="concat", concat_axis=-1)
z2 = merge([a, b], mode="mul")
mm = Model(input=[a, b], output=[Dense(1)(z), z2])
mm.compile(optimizer="adam", loss="mse", loss_weights=[1.0, 0.2])
mm.fit([np.ones((8, 4))] * 2, [np.ones((8, 1)), np.ones((8, 4))], nb_epoch=1, verbose=0)
print(mm.output_shape)


def g():
    while 1:
        yield X[:16], Y[:16]


m.fit_generator(
    g(),
    samples_per_epoch=64,
    nb_epoch=1,
    validation_data=g(),
    nb_val_samples=32,
    nb_worker=1,
    max_q_size=2,
    pickle_safe=False,
)
m.evaluate_generator(g(), val_samples=32)
assert m.predict_generator(g(), val_samples=32).shape == (32, 4)
