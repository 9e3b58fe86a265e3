# ruff: noqa: B007, B905, F401, I001, NPY002, UP031
"""A generative adversarial network: one network in two compiled models, frozen in one of them (Keras 2)."""

import numpy as np
from keras.datasets import mnist
from keras.layers import Input, Dense, Reshape, Flatten, Dropout, BatchNormalization, LeakyReLU
from keras.layers.advanced_activations import LeakyReLU as L2
from keras.models import Sequential, Model
from keras.optimizers import Adam


class GAN:
    def __init__(self):
        self.img_shape = (8, 8, 1)
        opt = Adam(0.0002, 0.5)
        self.discriminator = self.build_discriminator()
        self.discriminator.compile(loss="binary_crossentropy", optimizer=opt, metrics=["accuracy"])
        self.generator = self.build_generator()
        z = Input(shape=(10,))
        img = self.generator(z)
        self.discriminator.trainable = False
        valid = self.discriminator(img)
        self.combined = Model(z, valid)
        self.combined.compile(loss="binary_crossentropy", optimizer=Adam(0.0002, 0.5))

    def build_generator(self):
        m = Sequential()
        m.add(Dense(16, input_dim=10))
        m.add(LeakyReLU(alpha=0.2))
        m.add(BatchNormalization(momentum=0.8))
        m.add(Dense(int(np.prod(self.img_shape)), activation="tanh"))
        m.add(Reshape(self.img_shape))
        m.summary()
        n = Input(shape=(10,))
        return Model(n, m(n))

    def build_discriminator(self):
        m = Sequential()
        m.add(Flatten(input_shape=self.img_shape))
        m.add(Dense(16))
        m.add(L2(alpha=0.2))
        m.add(Dropout(0.2))
        m.add(Dense(1, activation="sigmoid"))
        m.summary()
        i = Input(shape=self.img_shape)
        return Model(i, m(i))

    def train(self, epochs, bs=8):
        X = np.random.rand(64, 8, 8, 1) * 2 - 1
        valid = np.ones((bs, 1))
        fake = np.zeros((bs, 1))
        for e in range(epochs):
            imgs = X[np.random.randint(0, 64, bs)]
            noise = np.random.normal(0, 1, (bs, 10))
            gen = self.generator.predict(noise)
            dw = [w.copy() for w in self.discriminator.get_weights()]
            lr_, lf = (
                self.discriminator.train_on_batch(imgs, valid),
                self.discriminator.train_on_batch(gen, fake),
            )
            d = 0.5 * np.add(lr_, lf)
            dw2 = [w.copy() for w in self.discriminator.get_weights()]
            gw = self.generator.get_weights()
            noise = np.random.normal(0, 1, (bs, 10))
            g = self.combined.train_on_batch(noise, valid)
            dw3 = self.discriminator.get_weights()
            assert any((a != b).any() for a, b in zip(dw, dw2)), "D must learn in its own step"
            assert all((a == b).all() for a, b in zip(dw2, dw3)), "D frozen in combined"
            assert any((a != b).any() for a, b in zip(gw, self.generator.get_weights()))
            print("%d [D loss: %f, acc.: %.2f%%] [G loss: %f]" % (e, d[0], 100 * d[1], g))


g = GAN()
g.train(3)
D = g.discriminator
# toggling loop
for step in range(3):
    D.trainable = True
    D.train_on_batch(np.random.rand(4, 8, 8, 1), np.ones((4, 1)))
    D.trainable = False
    g.combined.train_on_batch(np.random.rand(4, 10), np.ones((4, 1)))
assert np.ndim(g.combined.test_on_batch(np.random.rand(4, 10), np.ones((4, 1)))) == 0
print(
    "done",
    g.combined.test_on_batch(np.random.rand(4, 10), np.ones((4, 1))),
    D.metrics_names,
    g.combined.predict_on_batch(np.random.rand(4, 10)).shape,
)
