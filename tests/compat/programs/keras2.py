# ruff: noqa: NPY002
"""A variational autoencoder, an activation map and a custom layer as they were written for tf.keras 2."""

import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import backend as K
from tensorflow.keras import layers
from tensorflow.keras.callbacks import EarlyStopping, ReduceLROnPlateau
from tensorflow.keras.layers import Conv2D, Dense, Flatten, Input, Lambda, LeakyReLU
from tensorflow.keras.losses import mse
from tensorflow.keras.models import Model
from tensorflow.keras.optimizers.legacy import Adam
from tensorflow.python.keras.utils.generic_utils import get_custom_objects

tf.get_logger().setLevel("ERROR")
tf.compat.v1.logging.set_verbosity(tf.compat.v1.logging.ERROR)
tf.random.set_seed(1)
for gpu in tf.config.list_physical_devices("GPU"):
    tf.config.experimental.set_memory_growth(gpu, True)


def sampling(args):
    z_mean, z_log_var = args
    batch, dim = K.shape(z_mean)[0], K.int_shape(z_mean)[1]
    return z_mean + K.exp(0.5 * z_log_var) * K.random_normal(shape=(batch, dim))


class Scale(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.factor = tf.Variable(1.0, trainable=True, name="factor")

    def build(self, input_shape):
        self.shift = self.add_weight(name="shift", shape=(input_shape[-1],), initializer="zeros")

    @tf.function
    def call(self, x):
        return tf.math.multiply(x, self.factor) + self.shift


inputs = Input(shape=(6,), name="inputs")
hidden = Dense(8)(inputs)
hidden = LeakyReLU(alpha=0.2)(hidden)
z_mean, z_log_var = Dense(2, name="z_mean")(hidden), Dense(2, name="z_log_var")(hidden)
z = Lambda(sampling, output_shape=(2,))([z_mean, z_log_var])
outputs = Dense(6, activation="sigmoid")(Scale()(z))
vae = Model(inputs, outputs)


def reconstruction(y_true, y_pred):
    return mse(y_true, y_pred) * 6 + tf.reduce_mean(tf.abs(y_true - y_pred))


def pearson(y_true, y_pred):
    return K.sum(y_true * y_pred) / (K.sqrt(K.sum(K.square(y_true)) * K.sum(K.square(y_pred))) + K.epsilon())


x = np.random.rand(32, 6).astype("float32")
vae.compile(optimizer=Adam(lr=1e-2), loss=reconstruction, metrics=[pearson])
result = vae.fit(
    x,
    x,
    epochs=2,
    batch_size=16,
    verbose=0,
    workers=2,
    use_multiprocessing=False,
    callbacks=[EarlyStopping(monitor="loss", patience=5), ReduceLROnPlateau(monitor="loss")],
)
assert "pearson" in result.history
assert float(vae.optimizer.lr) > 0
assert any(v is vae.layers[-2].factor for v in vae.trainable_weights)

image = Input((6, 6, 1))
maps = Conv2D(3, 3, activation="relu", name="last")(image)
classes = Dense(4, activation="softmax")(Flatten()(maps))
cnn = keras.Model(image, classes)
loss = cnn.output[:, 1]
grads = K.gradients(loss, cnn.get_layer("last").output)[0]
pooled = K.mean(grads, axis=(0, 1, 2))
iterate = K.function([cnn.input], [pooled, cnn.get_layer("last").output[0]])
weights, first = iterate([np.random.rand(1, 6, 6, 1)])
assert weights.shape == (3,)
assert first.shape == (4, 4, 3)
doubled = tf.nn.relu(tf.reshape(cnn.output, (-1, 2, 2)))
assert keras.Model(cnn.input, doubled).predict(np.zeros((2, 6, 6, 1)), verbose=0).shape == (2, 2, 2)
assert get_custom_objects() is not None
print("keras 2 program done")
