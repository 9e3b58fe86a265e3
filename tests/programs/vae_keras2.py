# ruff: noqa: F401, I001, NPY002, PT018
"""Variational autoencoders by Model.add_loss of a graph tensor, a loss function and a layer (Keras 2)."""

import numpy as np
from keras.layers import Lambda, Input, Dense
from keras.models import Model
from keras.losses import mse, binary_crossentropy
from keras import metrics, objectives
from keras import backend as K


def sampling(args):
    z_mean, z_log_var = args
    batch = K.shape(z_mean)[0]
    dim = K.int_shape(z_mean)[1]
    epsilon = K.random_normal(shape=(batch, dim), mean=0.0, stddev=1.0)
    return z_mean + K.exp(0.5 * z_log_var) * epsilon


D = 16
inputs = Input(shape=(D,), name="encoder_input")
x = Dense(8, activation="relu")(inputs)
z_mean = Dense(2, name="z_mean")(x)
z_log_var = Dense(2, name="z_log_var")(x)
z = Lambda(sampling, output_shape=(2,), name="z")([z_mean, z_log_var])
encoder = Model(inputs, [z_mean, z_log_var, z], name="encoder")
li = Input(shape=(2,), name="z_sampling")
x = Dense(8, activation="relu")(li)
outputs = Dense(D, activation="sigmoid")(x)
decoder = Model(li, outputs, name="decoder")
outputs = decoder(encoder(inputs)[2])
vae = Model(inputs, outputs, name="vae_mlp")
reconstruction_loss = binary_crossentropy(inputs, outputs)
reconstruction_loss *= D
kl_loss = 1 + z_log_var - K.square(z_mean) - K.exp(z_log_var)
kl_loss = K.sum(kl_loss, axis=-1)
kl_loss *= -0.5
vae_loss = K.mean(reconstruction_loss + kl_loss)
vae.add_loss(vae_loss)
vae.compile(optimizer="adam")
X = np.random.rand(64, D).astype("float32")
h = vae.fit(X, epochs=2, batch_size=16, validation_data=(X, None))
assert sorted(h.history) == ["loss", "val_loss"] and h.history["loss"][0] > 5
vae.summary()
vae.save_weights("vae.h5")


# loss closure form
def vae_loss2(x, x_d):
    xent = D * objectives.binary_crossentropy(x, x_d)
    kl = -0.5 * K.mean(1 + K.stop_gradient(K.zeros_like(x_d)), axis=-1)
    return xent + kl


v2 = Model(inputs, outputs)
v2.compile(optimizer="rmsprop", loss=vae_loss2)
v2.fit(X, X, shuffle=True, epochs=1, batch_size=16, verbose=2, validation_data=(X, X))


class CustomVariationalLayer(__import__("keras").layers.Layer):
    def __init__(self, **kwargs):
        self.is_placeholder = True
        super().__init__(**kwargs)

    def vae_loss(self, x, y, m, v):
        return K.mean(
            D * metrics.binary_crossentropy(x, y) - 0.5 * K.sum(1 + v - K.square(m) - K.exp(v), axis=-1)
        )

    def call(self, inputs):
        x, y, m, v = inputs
        loss = self.vae_loss(x, y, m, v)
        self.add_loss(loss, inputs=inputs)
        return y


y = CustomVariationalLayer()([inputs, outputs, z_mean, z_log_var])
v3 = Model(inputs, y)
v3.compile(optimizer="rmsprop", loss=None)
v3.fit(X, shuffle=True, epochs=1, batch_size=16, validation_data=(X, None), verbose=0)
print("ok")
