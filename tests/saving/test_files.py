"""Writing is all or nothing, reading changes all or nothing; old files, safetensors, the file editor."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import hornbill
from hornbill import layers, saving
from hornbill.engine.errors import ArgumentError, FileError
from hornbill.saving import safetensors
from hornbill.saving.atomic import atomic_path


def _net(units: int = 2, name: str = "m") -> Any:
    return hornbill.Sequential(
        [hornbill.Input((3,)), layers.Dense(units, name="a"), layers.Dense(2, name="b")], name=name
    )


@pytest.mark.parametrize("suffix", [".keras", ".h5", ".weights.h5", ".safetensors", ".weights.json"])
def test_a_full_disk_leaves_the_old_file(tmp_path, monkeypatch, suffix: str):
    path = tmp_path / f"m{suffix}"
    model = _net()
    save = model.save if suffix in (".keras", ".h5") else model.save_weights
    save(path)
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    model.layers[0].kernel.assign(np.zeros((3, 2)))
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        save(path)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


@pytest.mark.skipif(os.name == "nt", reason="no signals")
@pytest.mark.parametrize("point", ["write", "fsync", "replace"])
def test_a_kill_leaves_the_old_file(tmp_path, point: str):
    path = tmp_path / "m"
    path.write_text("old")
    code = f"""
import os, signal
from hornbill.saving.atomic import atomic_path
def die(*a): os.kill(os.getpid(), signal.SIGKILL)
if {point!r} == "replace": import pathlib; pathlib.Path.replace = die
if {point!r} == "fsync": os.fsync = die
with atomic_path({str(path)!r}) as temporary, temporary.open("w") as file:
    file.write("new" * 100000)
    if {point!r} == "write": file.flush(); die()
"""
    done = subprocess.run([sys.executable, "-c", code], env={**os.environ}, check=False, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert path.read_text() == "old"


def test_atomic_path_refuses_what_it_cannot_write(tmp_path):
    with pytest.raises(FileError, match="no folder"), atomic_path(tmp_path / "no" / "x"):
        pass
    with pytest.raises(FileError, match="is a folder"), atomic_path(tmp_path):
        pass


def test_overwrite_false_is_an_error_without_a_terminal(tmp_path):
    model = _net()
    model.save(tmp_path / "m.keras")
    with pytest.raises(FileError, match="exists already"):
        model.save(tmp_path / "m.keras", overwrite=False)
    path = _saved(model, tmp_path)
    with pytest.raises(FileError, match="exists already"):
        model.save_weights(path, overwrite=False)


def _saved(model: Any, folder: Path) -> Path:
    model.save_weights(folder / "m.weights.h5")
    return folder / "m.weights.h5"


@pytest.mark.parametrize("suffix", [".weights.h5", ".h5", ".safetensors", ".weights.json"])
def test_weights_of_another_model_change_nothing(tmp_path, suffix: str):
    other, model = _net(4), _net()
    other.save_weights(tmp_path / f"m{suffix}")
    before = model.get_weights()
    with pytest.raises(FileError, match="nothing was changed") as caught:
        model.load_weights(tmp_path / f"m{suffix}")
    assert "(3, 4)" in str(caught.value)
    assert "(3, 2)" in str(caught.value)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    with pytest.warns(UserWarning, match="skipped"):
        model.load_weights(tmp_path / f"m{suffix}", skip_mismatch=True)
    deeper = hornbill.Sequential([*_net().layers, layers.Dense(2)])
    deeper.build((None, 3))
    with pytest.raises(FileError):
        deeper.load_weights(tmp_path / f"m{suffix}")


def test_load_by_name(tmp_path):
    source = _net()
    source.save_weights(tmp_path / "w.h5")
    target = hornbill.Sequential(
        [hornbill.Input((3,)), layers.Dense(5, name="new"), layers.Dense(2, name="b")]
    )
    with pytest.warns(UserWarning, match="skipped"):
        target.load_weights(tmp_path / "w.h5", by_name=True, skip_mismatch=True)
    same = hornbill.Sequential([hornbill.Input((2,)), layers.Dense(2, name="b")])
    same.load_weights(tmp_path / "w.h5", by_name=True)
    np.testing.assert_array_equal(same.get_weights()[0], source.layers[1].get_weights()[0])


def _old_file(
    path: Path, config: dict[str, Any], weights: dict[str, dict[str, Any]], training: Any = None
) -> None:
    """Writes a file as Keras 2 did."""
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"] = b"2.9.0"
        file.attrs["model_config"] = json.dumps(config).encode()
        if training is not None:
            file.attrs["training_config"] = json.dumps(training).encode()
        top = file.create_group("model_weights")
        top.attrs["layer_names"] = np.asarray([name.encode() for name in weights])
        for layer, arrays in weights.items():
            group = top.create_group(layer)
            group.attrs["weight_names"] = np.asarray([name.encode() for name in arrays] or [], "S40")
            for name, values in arrays.items():
                group[name] = np.asarray(values, "float32")


def test_a_model_of_keras_2(tmp_path):
    policy = {"class_name": "Policy", "config": {"name": "float32"}}
    initializer = {"class_name": "VarianceScaling", "config": {"scale": 1.0, "mode": "fan_avg", "distribution": "uniform",
                                                               "seed": None, "dtype": "float32"}}  # fmt: skip
    config = {"class_name": "Functional", "config": {
        "name": "old", "layers": [
            {"class_name": "InputLayer", "config": {"batch_input_shape": [None, 4, 4, 2], "dtype": "float32",
             "sparse": False, "ragged": False, "name": "i"}, "name": "i", "inbound_nodes": []},
            {"class_name": "DepthwiseConv2D", "config": {"name": "d", "trainable": True, "dtype": policy,
             "kernel_size": [1, 1], "groups": 1, "use_bias": False, "depthwise_initializer": initializer},
             "name": "d", "inbound_nodes": [[["i", 0, 0, {}]]]},
            {"class_name": "BatchNormalization", "config": {"name": "n", "trainable": True, "axis": [3],
             "momentum": 0.9, "epsilon": 0.001, "fused": None}, "name": "n", "inbound_nodes": [[["d", 0, 0, {}]]]},
            {"class_name": "LeakyReLU", "config": {"name": "l", "alpha": 0.5}, "name": "l",
             "inbound_nodes": [[["n", 0, 0, {}]]]},
            {"class_name": "TFOpLambda", "config": {"name": "tf.math.reduce_mean", "function": "math.reduce_mean"},
             "name": "m", "inbound_nodes": [["l", 0, 0, {"axis": [1, 2], "name": None}]]},
            {"class_name": "TFOpLambda", "config": {"name": "tf.__operators__.add", "function": "__operators__.add"},
             "name": "p", "inbound_nodes": [["m", 0, 0, {"y": ["m", 0, 0], "name": None}]]},
            {"class_name": "SlicingOpLambda", "config": {"name": "s", "function": "__operators__.getitem"}, "name": "s",
             "inbound_nodes": [["p", 0, 0, {"slice_spec": [{"start": None, "stop": None, "step": None}, 0]}]]},
        ], "input_layers": [["i", 0, 0]], "output_layers": [["s", 0, 0]]}}  # fmt: skip
    weights = {"i": {}, "d": {"d/depthwise_kernel:0": np.full((1, 1, 2, 1), 2.0)}, "n": {
        "n/gamma:0": [1, 1], "n/beta:0": [0, 0], "n/moving_mean:0": [0, 0], "n/moving_variance:0": [1, 1]}}  # fmt: skip
    training = {"loss": "mse", "metrics": [{"class_name": "MeanMetricWrapper", "config": {"name": "mae", "fn": "mae"}}],
                "sample_weight_mode": None, "optimizer_config": {"class_name": "Adam", "config": {
                    "name": "Adam", "lr": 0.01, "decay": 0.0, "beta_1": 0.8}}}  # fmt: skip
    _old_file(tmp_path / "m.h5", config, weights, training)
    model = saving.load_model(tmp_path / "m.h5")
    x = -np.ones((1, 4, 4, 2), "float32")
    np.testing.assert_allclose(np.asarray(model(x)), [-2.0 / np.sqrt(1.001)], atol=1e-6)
    assert float(model.optimizer.learning_rate) == pytest.approx(0.01)
    assert model.optimizer.beta_1 == 0.8


def test_names_too_long_for_one_attribute(tmp_path):
    model = hornbill.Sequential(
        [hornbill.Input((1,)), *(layers.Dense(1, name=f"{'n' * 300}{i}") for i in range(250))]
    )
    model.save_weights(tmp_path / "w.h5")
    with h5py.File(tmp_path / "w.h5") as file:
        assert "layer_names1" in file.attrs
    model.load_weights(tmp_path / "w.h5")


def test_safetensors_round_trip_and_broken_headers(tmp_path):
    arrays = {"a": np.arange(6.0).reshape(2, 3), "b": np.float32(3), "c": np.zeros((0, 2), "int8")}
    path = tmp_path / "m.safetensors"
    safetensors.write_safetensors(path, arrays, {"k": "v"})
    with safetensors.open_safetensors(path) as found:
        for name, values in arrays.items():
            np.testing.assert_array_equal(found[name].read(), values)

    def entry(dtype: Any = "F32", shape: Any = (1,), offsets: Any = (0, 4)) -> dict[str, Any]:
        return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}

    good = json.dumps({"a": entry()})
    broken = [
        b"\xff" * 8 + b"{}",
        (2**40).to_bytes(8, "little") + b"{}",
        *(len(text).to_bytes(8, "little") + text.encode() + b"\0" * 4 for text in (
            "[]", " {}", "{", good[:-1] + "," + good[1:], json.dumps({"a": entry(shape=(2,))}),
            json.dumps({"a": entry(offsets=(4, 8))}), json.dumps({"a": entry(), "b": entry()}), "{}",
            json.dumps({"a": entry(dtype="X")}), json.dumps({"a": entry(shape=(-1,))}), json.dumps({"a": entry(shape=(True,))}),
            json.dumps({"a": entry(), "__metadata__": {"k": 1}}), json.dumps({"a": 1}), json.dumps({"a": entry(offsets=(0,))}),
        )),
    ]  # fmt: skip
    for content in broken:
        path.write_bytes(content)
        with pytest.raises(FileError), safetensors.open_safetensors(path):
            pass


def test_safetensors_of_a_model(tmp_path):
    model, other = _net(), _net()
    model.save_weights(tmp_path / "m.safetensors")
    other.load_weights(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(model.get_weights()[2], other.get_weights()[2])


def test_suffixes_and_old_arguments(tmp_path):
    model = _net()
    with pytest.raises(ArgumentError, match="suffix"):
        model.save(tmp_path / "m.kears")
    with pytest.raises(ArgumentError, match="SavedModel"):
        model.save(tmp_path / "m", save_format="tf")
    with pytest.raises(ArgumentError, match="contradicts"):
        model.save(tmp_path / "m.keras", save_format="h5")
    model.save(tmp_path / "m", save_format="h5")
    assert (tmp_path / "m.h5").exists()
    with pytest.raises(FileError, match="no file"):
        saving.load_model(tmp_path / "x.keras")
    model.save_weights(tmp_path / "w.safetensors")
    with pytest.raises(FileError, match="not a whole model"):
        saving.load_model(tmp_path / "w.safetensors")
    model.compile("sgd", "mse")
    model.save(tmp_path / "n.keras", include_optimizer=False)
    assert not saving.load_model(tmp_path / "n.keras").compiled
    model.save(tmp_path / "c.keras")
    assert not saving.load_model(tmp_path / "c.keras", compile=False).compiled
    assert saving.load_model(tmp_path / "c.keras").compiled


def test_custom_objects_by_name_only(tmp_path):
    class Own(layers.Layer):
        def call(self, x):
            return x * 2

    model = hornbill.Sequential([hornbill.Input((2,)), Own()])
    model.save(tmp_path / "m.keras")
    with pytest.raises(FileError, match="does not know"):
        saving.load_model(tmp_path / "m.keras")
    assert saving.load_model(tmp_path / "m.keras", custom_objects={"Own": Own}).layers[0].name == "own"


def test_file_editor(tmp_path, capsys):
    model = _net()
    editor = saving.KerasFileEditor(_saved(model, tmp_path))
    assert editor.compare(model) == {"status": "success", "error_count": 0, "match_count": 4}
    editor.summary()
    assert "layers/dense_1" in capsys.readouterr().out
    editor.rename_object("dense_1", "last")
    editor.add_object("layers/new", {"0": np.zeros(2)})
    editor.add_weights("new", {"1": np.ones(1)})
    editor.delete_weight("new", "0")
    assert editor.compare(model)["status"] == "error"
    editor.delete_object("new")
    editor.rename_object("layers/last", "dense_1")
    editor.save(tmp_path / "e.weights.h5")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.load_weights(tmp_path / "e.weights.h5")
    with pytest.raises(FileError):
        editor.add_object("../x", {})
