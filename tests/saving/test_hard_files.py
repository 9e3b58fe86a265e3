"""What is rare in files: own assets, odd names, folders, sizes that are not meant, old states of optimizers."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest

import hornbill
from hornbill import layers, saving
from hornbill.engine.errors import ArgumentError, FileError

BOTH = [(keras, hornbill), (hornbill, keras)]
IDS = ["theirs here", "ours there"]


def _net(k: Any = hornbill, name: str = "d") -> Any:
    return k.Sequential([k.Input((3,)), k.layers.Dense(2, name=name), k.layers.Dense(2, name="e")])


# ---- names


@pytest.mark.parametrize("name", ["..", ".", "top_level_model_weights"])
def test_names_that_only_some_formats_hold(tmp_path, name: str):
    model = _net(name=name)
    for file in ("m.keras", "m.weights.h5", "m.safetensors"):
        save = model.save if file == "m.keras" else model.save_weights
        save(tmp_path / file)
    np.testing.assert_array_equal(
        saving.load_model(tmp_path / "m.keras").get_weights()[0], model.get_weights()[0]
    )
    for save, file in ((model.save, "m.h5"), (model.save_weights, "w.h5")):
        with pytest.raises(FileError, match="cannot hold a layer of the name"):
            save(tmp_path / file)
        assert not (tmp_path / file).exists()


@pytest.mark.parametrize("name", ["x" * 300, " ", "é中", "a\\b", "vars", "layers", "optimizer", "a\nb"])
def test_odd_names_in_every_format(tmp_path, name: str):
    model = _net(name=name)
    for file in ("m.keras", "m.h5"):
        model.save(tmp_path / file)
        loaded = saving.load_model(tmp_path / file)
        assert loaded.layers[0].name == name
        np.testing.assert_array_equal(loaded.get_weights()[0], model.get_weights()[0])


@pytest.mark.parametrize("name", ["a/b", "a\0b", ""])
def test_names_that_no_format_holds(name: str):
    with pytest.raises(ArgumentError, match="non-empty"):
        layers.Dense(2, name=name)


# ---- folders, safe mode, sizes


def test_keras_reads_our_folder(tmp_path):
    model = _net()
    model.save(tmp_path / "m", zipped=False)
    x = np.ones((2, 3), "float32")
    np.testing.assert_allclose(
        np.asarray(keras.saving.load_model(tmp_path / "m")(x)), np.asarray(model(x)), atol=1e-6
    )


@pytest.mark.filterwarnings("ignore:load_model")
@pytest.mark.parametrize("safe_mode", [None, True, False])
def test_every_safe_mode(tmp_path, safe_mode: Any):
    _net().save(tmp_path / "m.keras")
    assert saving.load_model(tmp_path / "m.keras", safe_mode=safe_mode).count_params() == 14


def _with_config(path: Path, old: str, new: str) -> None:
    """Changes the configuration of a whole model in a file."""
    if path.suffix == ".h5":
        with h5py.File(path, "r+") as file:
            config = file.attrs["model_config"]
            assert old in config
            file.attrs["model_config"] = config.replace(old, new)
        return
    with zipfile.ZipFile(path) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    assert old in content["config.json"].decode()
    content["config.json"] = content["config.json"].decode().replace(old, new).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in content.items():
            archive.writestr(name, data)


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.parametrize("units", [50_000_000, 10**12, 10**30])
def test_weights_far_larger_than_the_file_are_not_made(tmp_path, suffix: str, units: int):
    path = tmp_path / f"m{suffix}"
    hornbill.Sequential([hornbill.Input((3,)), layers.Dense(2)]).save(path)
    _with_config(path, '"units": 2', f'"units": {units}')
    with pytest.raises(FileError, match="far more weights than the file holds"):
        saving.load_model(path)
    assert layers.Dense(2).units == 2  # the bound ends with the loading
    hornbill.Variable(np.ones, (2, 2))


# ---- assets


class _Texts(hornbill.Model):
    """Prepares words on the host beside its network."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.words = layers.TextVectorization(output_sequence_length=3)
        self.numbers, self.letters = layers.IntegerLookup(), layers.StringLookup(vocabulary=["a", "b"])
        self.scale, self.dense = layers.Normalization(), layers.Dense(2)

    def call(self, x: Any) -> Any:
        return self.dense(self.scale(x))


def test_vocabularies_travel(tmp_path):
    model, x = _Texts(), np.random.default_rng(0).random((8, 3)).astype("float32")
    model.words.adapt(np.array(["one two", "two three"]))
    model.numbers.adapt(np.array([5, 6, 6]))
    model.scale.adapt(x)
    expected = np.asarray(model(x))
    model.save(tmp_path / "m.keras")
    loaded = saving.load_model(tmp_path / "m.keras", custom_objects={"_Texts": _Texts})
    np.testing.assert_array_equal(np.asarray(loaded(x)), expected)
    for name in ("words", "numbers", "letters"):
        assert getattr(loaded, name).get_vocabulary() == getattr(model, name).get_vocabulary()
    assert (
        np.asarray(loaded.words(["two one none"])).tolist()
        == np.asarray(model.words(["two one none"])).tolist()
    )


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_a_lookup_in_a_graph(tmp_path, suffix: str):
    inputs = hornbill.Input((1,), dtype="int32")
    model = hornbill.Model(inputs, layers.IntegerLookup(vocabulary=[7, 9])(inputs))
    model.save(tmp_path / f"m{suffix}")
    loaded = saving.load_model(tmp_path / f"m{suffix}")
    assert np.asarray(loaded(np.array([[9], [1]], "int32"))).ravel().tolist() == [2, 0]


def test_a_vocabulary_that_is_not_there_yet(tmp_path):
    model = _Texts()
    model(np.ones((1, 3), "float32"))
    model.save(tmp_path / "m.keras")
    loaded = saving.load_model(tmp_path / "m.keras", custom_objects={"_Texts": _Texts})
    loaded.words.adapt(np.array(["one"]))
    assert loaded.words.get_vocabulary() == ["", "[UNK]", "one"]


def _with_assets(k: Any) -> Any:
    @k.saving.register_keras_serializable("assets")
    class Words(k.layers.Layer):
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.words: list[str] = []

        def call(self, x: Any) -> Any:
            return x

        def save_assets(self, folder: str) -> None:
            (Path(folder) / "words.txt").write_text("\n".join(self.words))

        def load_assets(self, folder: str) -> None:
            self.words = (Path(folder) / "words.txt").read_text().split("\n")

    return Words


@pytest.mark.parametrize(("writer", "reader"), BOTH, ids=IDS)
def test_assets(tmp_path, writer: Any, reader: Any):
    model = writer.Sequential([writer.Input((3,)), _with_assets(writer)(name="w")])
    model.layers[0].words = ["a", "b"]
    _with_assets(reader)
    model.save(tmp_path / "m.keras")
    assert list(reader.saving.load_model(tmp_path / "m.keras").layers[0].words) == ["a", "b"]


# ---- states of Keras 2's optimizers, as its versions up to 2.10 laid them out: all of a slot, then all of the next

OLD_SLOTS = {
    "Adam": ["m", "v"], "Adamax": ["m", "v"], "Nadam": ["m", "v"], "SGD": ["momentum"], "Adagrad": ["accumulator"],
    "RMSprop": ["rms", "momentum", "mg"], "Adadelta": ["accum_grad", "accum_var"], "Ftrl": ["accumulator", "linear"],
}  # fmt: skip
ARGUMENTS: dict[str, dict[str, Any]] = {
    "SGD": {"momentum": 0.9, "nesterov": False},
    "RMSprop": {"momentum": 0.5, "centered": True, "rho": 0.9, "epsilon": 1e-7},
}


@pytest.mark.parametrize("name", OLD_SLOTS)
def test_state_of_an_optimizer_of_keras_2(tmp_path, name: str):
    model = hornbill.Sequential([hornbill.Input((2,)), layers.Dense(2, name="d"), layers.Dense(2, name="e")])
    model.save(tmp_path / "m.h5")
    rng = np.random.default_rng(0)
    weights = [(path, tuple(w.shape)) for path, w in ((w.path, w) for w in model.trainable_weights)]
    state: dict[str, Any] = {f"{name}/iter:0": np.int64(7)}
    if name == "Nadam":
        state["Nadam/momentum_cache:0"] = np.float32(0.25)
    for slot in OLD_SLOTS[name]:
        state.update(
            {f"{name}/{path}/{slot}:0": rng.random(shape).astype("float32") for path, shape in weights}
        )
    config = {"name": name, "learning_rate": 0.5, "decay": 0.0, **ARGUMENTS.get(name, {})}
    training = {
        "loss": "mse", "metrics": None, "weighted_metrics": None, "loss_weights": None, "sample_weight_mode": None,
        "optimizer_config": {"class_name": name, "config": config},
    }  # fmt: skip
    with h5py.File(tmp_path / "m.h5", "r+") as file:
        file.attrs["training_config"] = json.dumps(training).encode()
        group = file.create_group("optimizer_weights")
        group.attrs["weight_names"] = np.asarray([key.encode() for key in state])
        for key, values in state.items():
            group[key] = values
    optimizer = saving.load_model(tmp_path / "m.h5").optimizer
    assert int(optimizer.iterations) == 7
    assert float(optimizer.learning_rate) == 0.5
    variables = iter(v for v in optimizer.variables if v.shape)
    found = {v.path.partition("/")[2]: v.numpy() for v in variables}
    assert len(found) == len(weights) * len(OLD_SLOTS[name])
    for path, _ in weights:
        mine = [values for key, values in found.items() if key.startswith(path.replace("/", "_") + "_")]
        for values, slot in zip(mine, OLD_SLOTS[name], strict=True):
            np.testing.assert_array_equal(values, state[f"{name}/{path}/{slot}:0"])
