# ruff: noqa: B006, E401, F401, F403, F405, I001, PT018, PTH110, PTH123, PTH207, SIM115
"""Every callback at once, with file names made of the logs (Keras 3 spelling)."""

import os, glob, json, tempfile, numpy as np, keras
from keras.callbacks import *

keras.utils.set_random_seed(0)
r = np.random.RandomState(0)
x = r.rand(64, 4)
y = x.sum(1, keepdims=True)


def build():
    m = keras.Sequential([keras.Input((4,)), keras.layers.Dense(8, "relu"), keras.layers.Dense(1)])
    m.compile("adam", "mse", metrics=["mae"])
    return m


m = build()
seen = []


class Mine(Callback):
    def on_train_begin(self, logs=None):
        self.losses = []

    def on_batch_end(self, batch, logs={}):
        self.losses.append(logs.get("loss"))

    def on_epoch_end(self, epoch, logs=None):
        seen.append((epoch, sorted(logs)))


mine = Mine()


def sched(epoch, lr):
    return lr if epoch < 2 else float(lr * 0.5)


cbs = [
    EarlyStopping(monitor="val_loss", patience=2, restore_best_weights=True, verbose=1),
    ReduceLROnPlateau(monitor="val_loss", factor=0.2, patience=1, min_lr=1e-5, verbose=1),
    ModelCheckpoint("w-{epoch:02d}-{val_loss:.2f}.keras", save_best_only=True),
    ModelCheckpoint("e{epoch}.weights.h5", save_weights_only=True),
    ModelCheckpoint(
        "best.h5" if False else "best.keras", monitor="val_mae", mode="min", save_best_only=True, verbose=1
    ),
    CSVLogger("log.csv", separator=";"),
    LambdaCallback(
        on_epoch_begin=lambda epoch, logs: seen.append(epoch), on_train_end=lambda logs: seen.append("end")
    ),
    LearningRateScheduler(sched, verbose=1),
    TerminateOnNaN(),
    mine,
]
h = m.fit(x, y, epochs=4, batch_size=16, validation_split=0.25, callbacks=cbs, verbose=0)
print(sorted(h.history), seen, len(mine.losses), mine.params, type(mine.losses[0]).__name__)
print(open("log.csv").read().splitlines()[0], len(open("log.csv").read().splitlines()))
assert os.path.exists("best.keras") and os.path.exists("e1.weights.h5")
best = keras.models.load_model("best.keras")
print(best.predict(x[:2], verbose=0).shape)
m.load_weights("e4.weights.h5")
print(
    [round(float(v), 6) for v in h.history["learning_rate"]]
    if "learning_rate" in h.history
    else h.history.keys()
)
es = EarlyStopping(monitor="loss", min_delta=100, patience=0, start_from_epoch=1)
h = m.fit(x, y, epochs=9, callbacks=[es], verbose=0)
assert len(h.epoch) == es.stopped_epoch + 1


class Stop(Callback):
    def on_epoch_end(self, epoch, logs=None):
        if logs["loss"] < 1e9:
            self.model.stop_training = True


print(len(m.fit(x, y, epochs=5, callbacks=[Stop()], verbose=0).epoch))
print(float(m.optimizer.learning_rate) > 0)
m.fit(
    x,
    y,
    callbacks=[BackupAndRestore("bk"), ModelCheckpoint("s-{epoch}-{batch}.keras", save_freq=2), History()],
    verbose=0,
    batch_size=16,
)
assert sorted(glob.glob("s-*")) == ["s-1-2.keras", "s-1-4.keras"]
json.dumps(h.history)
