# ruff: noqa: E401, F401, I001, NPY002, PT018
"""Generators and Sequences through fit_generator and its relatives, counting samples (Keras 1) and steps (Keras 2)."""

import numpy as np, math, keras
from keras.utils import Sequence
from keras.models import Sequential
from keras.layers import Dense

x = np.random.rand(50, 4)
y = np.random.randint(0, 2, 50)


class Gen(Sequence):
    def __init__(self, x, y, batch_size=8, shuffle=True):
        self.x, self.y, self.bs, self.shuffle = x, y, batch_size, shuffle
        self.ends = 0
        self.on_epoch_end()

    def __len__(self):
        return int(np.ceil(len(self.x) / float(self.bs)))

    def __getitem__(self, i):
        idx = self.indexes[i * self.bs : (i + 1) * self.bs]
        return self.x[idx], self.y[idx]

    def on_epoch_end(self):
        self.ends += 1
        self.indexes = np.arange(len(self.x))
        if self.shuffle:
            np.random.shuffle(self.indexes)


def plain():
    while True:
        for i in range(0, 48, 8):
            yield x[i : i + 8], y[i : i + 8]


def weighted():
    while 1:
        yield (x[:8], y[:8], np.ones(8))


m = Sequential()
m.add(Dense(8, input_dim=4, init="uniform", activation="relu"))
m.add(Dense(1, activation="sigmoid"))
m.compile(loss="binary_crossentropy", optimizer="sgd", metrics=["accuracy"])
g = Gen(x, y)
h = m.fit_generator(
    g, epochs=2, validation_data=Gen(x, y), workers=2, use_multiprocessing=False, verbose=1, max_queue_size=4
)
print(h.history.keys(), g.ends)
h = m.fit_generator(plain(), steps_per_epoch=6, epochs=2, validation_data=plain(), validation_steps=2)
print(len(h.history["val_acc"]))
h = m.fit_generator(
    generator=plain(), samples_per_epoch=48, nb_epoch=1, nb_val_samples=16, validation_data=(x, y)
)
assert len(h.epoch) == 1
h = m.fit(plain(), steps_per_epoch=6, epochs=2)
m.fit(weighted(), steps_per_epoch=2)
assert m.predict_generator(Gen(x, y, shuffle=False)).shape == (50, 1) and m.predict(
    plain(), steps=2
).shape == m.predict_generator(plain(), 2).shape == m.predict_generator(plain(), val_samples=16).shape == (
    16,
    1,
)
assert len(m.evaluate_generator(Gen(x, y), steps=3)) == 2
m.fit(Gen(x, y), epochs=1, class_weight={0: 1.0, 1: 3.0})
m.fit(x, y, nb_epoch=1, class_weight="balanced") if False else None
h = m.fit(x, y, validation_split=0.2, epochs=1, verbose=2)
print(sorted(h.history))
