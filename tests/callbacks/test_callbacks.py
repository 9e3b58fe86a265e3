"""What our callbacks do beyond Keras': messages, wants, exact backups, event files."""

from __future__ import annotations

import http.server
import json
import struct
import threading
import types

import jax.numpy as jnp
import numpy as np
import pytest

import hornbill.callbacks as cb
from hornbill.callbacks.backup import read_state, write_state
from hornbill.callbacks.history import HistoryDict
from hornbill.callbacks.tensorboard import crc32c
from hornbill.engine.errors import ArgumentError, ArgumentTypeError, FileError, StateError
from hornbill.training.logs import Logs


class Model(types.SimpleNamespace):
    metrics = ()
    stop_training = False
    value = 0.0
    _initial_epoch = _initial_batch = 0

    def training_state(self):
        return {"w": np.float32([self.value]), "half": jnp.ones((2, 2), jnp.bfloat16)}, {
            "step": 3,
            "none": None,
        }

    def restore_training_state(self, state):
        self.restored = state
        self.value = float(state[0]["w"][0])

    def get_weights(self):
        return [np.float32([self.value])]

    def set_weights(self, weights):
        self.value = float(weights[0][0])


def test_unknown_monitor_warns_once():
    callback = cb.EarlyStopping(monitor="val_los", mode="min")
    callback.set_model(Model())
    with pytest.warns(UserWarning, match="Did you mean 'val_loss'"):
        callback.on_epoch_end(0, {"val_loss": 1.0})
    callback.on_epoch_end(1, {"val_loss": 1.0})
    with pytest.warns(UserWarning, match="validation_split"):
        cb.EarlyStopping().on_epoch_end(0, {"loss": 1.0})


def test_direction():
    metric = types.SimpleNamespace(name="quality", _direction="up")
    for monitor, op in (
        ("val_quality", np.greater),
        ("val_acc", np.greater),
        ("mse", np.less),
        ("val_x_loss", np.less),
    ):
        callback = cb.EarlyStopping(monitor=monitor)
        callback.set_model(Model(metrics=[metric]))
        callback.on_epoch_end(0, {monitor: 1.0})
        assert callback.monitor_op is op
    with pytest.raises(ArgumentError, match="mode='max'"):
        cb.EarlyStopping(monitor="own").on_epoch_end(0, {"own": 1.0})
    with pytest.warns(UserWarning, match="'auto' is used"):
        cb.EarlyStopping(mode="mim")
    spelled = cb.EarlyStopping(monitor="val_acc")
    spelled.on_epoch_end(0, {"val_accuracy": 0.5})
    assert spelled.best == 0.5


def test_history_answers_to_both_spellings():
    history = HistoryDict(accuracy=[1], val_accuracy=[2], learning_rate=[3], loss=[0])
    assert (history["acc"], history["val_acc"], history["lr"]) == ([1], [2], [3])
    assert "acc" in history
    assert "val_lr" not in history
    assert history.get("nothing") is None
    assert json.loads(json.dumps(history)) == {
        "accuracy": [1],
        "val_accuracy": [2],
        "learning_rate": [3],
        "loss": [0],
    }
    with pytest.raises(KeyError, match="Did you mean 'loss'"):
        history["los"]


def test_wants():
    class PerBatch(cb.Callback):
        def on_train_batch_end(self, batch, logs=None):
            pass

    class Older(cb.Callback):
        def on_batch_end(self, batch, logs=None):
            pass

    quiet = [
        cb.EarlyStopping(),
        cb.ModelCheckpoint("a.keras"),
        cb.BackupAndRestore("b"),
        cb.TensorBoard("l"),
        cb.CSVLogger("c"),
        cb.ReduceLROnPlateau(),
        cb.LambdaCallback(on_epoch_end=print),
    ]
    together = cb.CallbackList(quiet, add_history=True, add_progbar=True)
    assert not any(getattr(together, f"wants_{stage}_batches") for stage in ("train", "test", "predict"))
    for one in (
        PerBatch(),
        Older(),
        cb.ModelCheckpoint("a.keras", save_freq=3),
        cb.TerminateOnNaN(),
        cb.TensorBoard("l", update_freq=2),
        cb.BackupAndRestore("b", save_freq=2),
        cb.LambdaCallback(on_train_batch_end=print),
    ):
        assert cb.CallbackList(one).wants_train_batches, one
    assert cb.CallbackList(cb.LambdaCallback(on_test_batch_end=print)).wants_test_batches


def test_logs_stay_on_the_device_until_read():
    logs = Logs({"loss": jnp.float32(0.5)})

    class Quiet(cb.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.logs = logs

    quiet = Quiet()
    cb.CallbackList([quiet]).on_epoch_end(0, logs)
    assert logs.pending
    assert quiet.logs["loss"] == 0.5


def test_list_refuses():
    with pytest.raises(ArgumentTypeError, match=r"EarlyStopping\(\)"):
        cb.CallbackList([cb.EarlyStopping])
    with pytest.raises(ArgumentTypeError, match="Callback"):
        cb.CallbackList([3])
    with pytest.raises(ArgumentTypeError, match="on_epoch_end"):
        cb.LambdaCallback(on_epoch_ends=print)
    nested = cb.CallbackList([[cb.EarlyStopping()], cb.CSVLogger("a")])
    assert len(nested.callbacks) == 2


def test_terminate_on_nan(capsys):
    model = Model()
    callback = cb.TerminateOnNaN()
    callback.set_model(model)
    callback.on_epoch_begin(1)
    callback.on_train_batch_end(4, {"loss": float("nan")})
    assert model.stop_training
    assert "Batch 4" in capsys.readouterr().out
    with pytest.raises(StateError, match="batch 2"):
        cb.TerminateOnNaN(raise_error=True).on_train_batch_end(2, {"loss": float("inf")})


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: cb.ModelCheckpoint("m.tf"), "m.keras"),
        (lambda: cb.ModelCheckpoint("m.keras", save_weights_only=True), "weights.h5"),
        (lambda: cb.ModelCheckpoint("m.keras", save_freq="x"), "save_freq"),
        (lambda: cb.ReduceLROnPlateau(factor=1.0), "below 1.0"),
        (lambda: cb.ReduceLROnPlateau(cooldwn=1), "cooldown"),
        (lambda: cb.BackupAndRestore(""), "folder"),
        (lambda: cb.BackupAndRestore("a", save_freq="x"), "save_freq"),
        (lambda: cb.TensorBoard(embeddings_freq=1), "embeddings_freq"),
        (lambda: cb.TensorBoard(profile_batch=(3, 1)), "profile_batch"),
        (lambda: cb.OrbaxCheckpoint("d"), "BackupAndRestore"),
        (lambda: cb.RemoteMonitor("ftp://x"), "http"),
        (lambda: cb.SwapEMAWeights().set_model(Model()), "use_ema"),
        (
            lambda: cb.ModelCheckpoint("{val_los}.keras").on_epoch_end(0, {"val_loss": 1}),
            "Did you mean 'val_loss'",
        ),
    ],
)
def test_mistakes(make, text):
    with pytest.raises((ArgumentError, ArgumentTypeError), match=text):
        make()


def test_backup_and_restore(tmp_path):
    def start(folder, **options):
        model = Model()
        early = cb.EarlyStopping("loss", patience=9, restore_best_weights=True)
        together = cb.CallbackList([cb.BackupAndRestore(folder, **options), early], model=model)
        together.on_train_begin()
        return model, early, together

    model, _, together = start(tmp_path / "b")
    for epoch, value in enumerate((2.0, 1.0, 3.0)):
        model.value = value
        together.on_epoch_begin(epoch)
        together.on_epoch_end(epoch, {"loss": value})
    again, early_again, together = start(tmp_path / "b")
    assert (again.value, again._initial_epoch, again._initial_batch) == (3.0, 3, 0)
    assert again.restored[1] == {"step": 3, "none": None}
    assert again.restored[0]["half"].dtype == jnp.bfloat16
    assert (early_again.wait, early_again.best, early_again.best_weights[0].tolist()) == (1, 1.0, [1.0])
    together.on_train_end()
    assert not (tmp_path / "b").exists()


def test_backup_inside_an_epoch_and_damage(tmp_path):
    def start():
        model = Model(value=5.0)
        options = {"save_freq": 2, "double_checkpoint": True, "delete_checkpoint": False}
        together = cb.CallbackList([cb.BackupAndRestore(tmp_path, **options)], model=model)
        together.on_train_begin()
        return model, together

    _, together = start()
    together.on_epoch_begin(1)
    for batch in range(5):
        together.on_train_batch_end(batch)
    assert (start()[0]._initial_epoch, start()[0]._initial_batch) == (1, 4)
    newest = tmp_path / "state.npz"
    newest.write_bytes(newest.read_bytes()[:-40])
    with pytest.warns(UserWarning, match="The state before it is used"):
        assert start()[0]._initial_batch == 2
    (tmp_path / "state.previous.npz").unlink()
    with pytest.raises(FileError, match="no training state"):
        start()


def test_state_file_at_every_length(tmp_path):
    path = tmp_path / "s.npz"
    state = {"a": [np.arange(3), (np.float32(2), "text")], 4: {"deep": np.zeros((0, 2))}, "flag": True}
    write_state(path, state)
    back = read_state(path)
    assert back[4]["deep"].shape == (0, 2)
    assert back["a"][1][1] == "text"
    assert isinstance(back["a"][1], tuple)
    assert back["flag"] is True
    whole = path.read_bytes()
    for length in range(0, len(whole), 37):
        path.write_bytes(whole[:length])
        with pytest.raises(FileError):
            read_state(path)


def records(path):
    data = path.read_bytes()
    while data:
        (length,) = struct.unpack("<Q", data[:8])
        body = data[12 : 12 + length]
        crc = crc32c(body)
        assert (
            struct.unpack("<I", data[12 + length : 16 + length])[0]
            == ((crc >> 15 | crc << 17) + 0xA282EAD8) % 2**32
        )
        yield body
        data = data[16 + length :]


def test_tensorboard(tmp_path):
    weight = types.SimpleNamespace(path="dense/kernel", value=jnp.arange(4.0))
    callback = cb.TensorBoard(tmp_path, histogram_freq=1, update_freq=2, write_steps_per_second=True)
    callback.set_model(
        Model(weights=[weight], optimizer=types.SimpleNamespace(learning_rate=0.5, iterations=7))
    )
    callback.on_train_begin()
    callback.on_epoch_begin(0)
    for batch in range(2):
        callback.on_train_batch_begin(batch)
        callback.on_train_batch_end(batch, {"loss": 0.5})
    callback.on_test_end({"loss": 1.5})
    callback.on_epoch_end(0, {"loss": 0.5, "val_loss": 1.5})
    callback.on_train_end()
    train = b"".join(records(next((tmp_path / "train").iterdir())))
    held = b"".join(records(next((tmp_path / "validation").iterdir())))
    for tag in (
        b"brain.Event:2",
        b"epoch_loss",
        b"batch_loss",
        b"epoch_learning_rate",
        b"epoch_steps_per_second",
        b"dense/kernel/histogram",
    ):
        assert tag in train
    assert b"epoch_loss" in held
    assert b"evaluation_loss_vs_iterations" in held
    assert struct.pack("<f", 1.5) in held


def test_remote_monitor():
    bodies = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            bodies.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *given):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        root = f"http://127.0.0.1:{server.server_port}"
        cb.RemoteMonitor(root, send_as_json=True).on_epoch_end(1, {"loss": np.float32(0.5)})
        server.shutdown()
        thread.join()
    assert bodies == [("/publish/epoch/end/", b'{"epoch": 1, "loss": 0.5}')]
    with pytest.warns(UserWarning, match="Could not reach"):
        cb.RemoteMonitor(root).on_epoch_end(0, {})


def test_progress(capsys):
    together = cb.CallbackList(add_progbar=True, epochs=2, steps=None, verbose=2)
    together.on_train_begin()
    together.on_epoch_begin(0)
    for batch in range(3):
        together.on_train_batch_end(batch, {"loss": 1.0})
    together.on_test_begin()
    together.on_test_end({"loss": 2.0})
    together.on_epoch_end(0, {"loss": 1.0, "val_loss": 2.0})
    text = capsys.readouterr().out
    assert text.startswith("Epoch 1/2\n3/3 - ")
    assert text.count("\n") == 2
    assert "val_loss: 2.0000" in text
