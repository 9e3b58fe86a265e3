"""Callbacks inside real training: exact resumption, averages of weights, files."""

from __future__ import annotations

import numpy as np
import pytest

import hornbill.callbacks as cb
from hornbill import layers, optimizers
from hornbill.engine.random import set_random_seed
from hornbill.models import Sequential

X = np.random.default_rng(0).normal(size=(50, 3)).astype("float32")
Y = (X.sum(axis=1, keepdims=True) > 0).astype("float32")


def make(**options):
    set_random_seed(1)
    hidden = layers.Dense(4, activation="relu")
    model = Sequential([hidden, layers.Dropout(0.3), layers.Dense(1, activation="sigmoid")])
    model.compile(optimizers.Adam(0.05, **options), "binary_crossentropy", metrics=["accuracy"])
    model.build((None, 3))
    return model


class Cut(cb.Callback):
    def __init__(self, epoch, batch):
        super().__init__()
        self.at, self.epoch = (epoch, batch), 0

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if (self.epoch, batch) == self.at:
            raise RuntimeError("cut")


@pytest.mark.parametrize(("save_freq", "cut"), [("epoch", (2, 3)), (2, (1, 4))])
def test_a_resumed_run_gives_the_same_numbers(save_freq, cut, tmp_path):
    whole = make()
    expected = whole.fit(X, Y, epochs=3, batch_size=8, verbose=0)
    broken = make()
    callbacks = [cb.BackupAndRestore(tmp_path / "b", save_freq=save_freq), Cut(*cut)]
    with pytest.raises(RuntimeError, match="cut"):
        broken.fit(X, Y, epochs=3, batch_size=8, verbose=0, callbacks=callbacks)
    set_random_seed(99)
    resumed = make()
    got = resumed.fit(
        X,
        Y,
        epochs=3,
        batch_size=8,
        verbose=0,
        callbacks=[cb.BackupAndRestore(tmp_path / "b", save_freq=save_freq)],
    )
    assert got.epoch == list(range(cut[0], 3))
    assert got.history["loss"][-1] == pytest.approx(expected.history["loss"][-1], rel=1e-6)
    for mine, other in zip(resumed.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-5, atol=1e-7)
    assert not (tmp_path / "b").exists()


def test_averages_of_weights():
    model = make(use_ema=True)
    seen = []
    look = cb.LambdaCallback(
        on_test_begin=lambda logs: seen.append(model.get_weights()[0]),
        on_epoch_begin=lambda epoch, logs: seen.append(model.get_weights()[0]),
    )
    model.fit(X, Y, epochs=2, verbose=0, validation_data=(X, Y), callbacks=[cb.SwapEMAWeights(), look])
    assert np.abs(seen[1] - seen[2]).max() > 0
    model.fit(X, Y, epochs=1, verbose=0)


def test_files_and_history(tmp_path):
    history = make().fit(
        X,
        Y,
        epochs=2,
        verbose=0,
        validation_split=0.2,
        callbacks=[
            cb.CSVLogger(tmp_path / "a.csv"),
            cb.TensorBoard(tmp_path / "board", histogram_freq=1),
            cb.ReduceLROnPlateau(patience=1),
            cb.ModelCheckpoint(tmp_path / "m{epoch}.weights.h5", save_weights_only=True),
        ],
    )
    assert list(history.history) == ["accuracy", "loss", "val_accuracy", "val_loss", "learning_rate"]
    assert history.history["val_acc"] == history.history["val_accuracy"]
    assert (tmp_path / "a.csv").read_text().count("\n") == 3
    assert (tmp_path / "m2.weights.h5").exists()
    assert {path.name for path in (tmp_path / "board").iterdir()} == {"train", "validation"}
