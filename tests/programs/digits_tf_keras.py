# ruff: noqa: E402, F401, I001, NPY002, PT018
"""A convolutional network for digits, as written for tf.keras 2: h5 files, predict_classes, K.function."""

import numpy as np
import tensorflow as tf
from tensorflow.keras.datasets import mnist
from tensorflow.keras.models import Sequential, load_model
from tensorflow.keras.layers import Dense, Dropout, Flatten, Conv2D, MaxPooling2D
from tensorflow.keras.utils import to_categorical
from tensorflow.keras import backend as K

tf.random.set_seed(1)
np.random.seed(1)
import hornbill.datasets.digits as d

(x, y), (xt, yt) = d.load_data()
x = x[:300]
y = y[:300]
if K.image_data_format() == "channels_first":
    x = x.reshape(x.shape[0], 1, 8, 8)
    input_shape = (1, 8, 8)
else:
    x = x.reshape(x.shape[0], 8, 8, 1)
    input_shape = (8, 8, 1)
xt = xt.reshape(-1, *input_shape)
x = x.astype("float32") / 16
xt = xt.astype("float32") / 16
y = to_categorical(y, 10)
yt = to_categorical(yt, 10)
model = Sequential()
model.add(Conv2D(8, kernel_size=(3, 3), activation="relu", input_shape=input_shape))
model.add(MaxPooling2D(pool_size=(2, 2)))
model.add(Dropout(0.25))
model.add(Flatten())
model.add(Dense(16, activation="relu"))
model.add(Dense(10, activation="softmax"))
model.compile(
    loss=tf.keras.losses.categorical_crossentropy,
    optimizer=tf.keras.optimizers.Adadelta(lr=1.0),
    metrics=["acc"],
)
h = model.fit(x, y, batch_size=32, epochs=2, verbose=1, validation_data=(xt, yt))
assert sorted(h.history) == ["acc", "loss", "val_acc", "val_loss"] and len(h.history["acc"]) == 2
score = model.evaluate(xt, yt, verbose=0)
print("Test loss:", score[0])
print("Test accuracy:", score[1])
assert model.predict_classes(xt[:5]).shape == (5,) and model.predict_proba(xt[:2]).shape == (2, 10)
model.save("cnn.h5")
m2 = load_model("cnn.h5")
np.testing.assert_allclose(m2.predict(xt[:3]), model.predict(xt[:3]), rtol=1e-5)
assert model.layers[0].output_shape == (None, 6, 6, 8) and model.layers[0].input_shape == (None, 8, 8, 1)
inter = tf.keras.Model(inputs=model.input, outputs=model.layers[1].output)
assert inter.predict(xt[:2]).shape == (2, 3, 3, 8)
f = K.function([model.input], [model.layers[0].output])
print(f([xt[:2]])[0].shape)
f2 = K.function([model.layers[0].input, K.learning_phase()], [model.layers[-1].output])
print(f2([xt[:2], 0])[0].shape, f2([xt[:2], 1])[0].shape)
print("%.0f%%" % (score[1] * 0))
