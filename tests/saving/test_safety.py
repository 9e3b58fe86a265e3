"""A file is data: nothing in it is run, imported, followed or believed (the table of known holes, one test each)."""

from __future__ import annotations

import base64
import builtins
import io
import json
import marshal
import os
import pickle
import sys
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import hornbill
from hornbill import saving
from hornbill.engine.errors import FileError, HornbillError


@pytest.fixture
def model() -> Any:
    return hornbill.Sequential([hornbill.Input((3,)), hornbill.layers.Dense(2)])


@pytest.fixture(autouse=True)
def _traps(monkeypatch):
    """Fails when code is unpickled, unmarshalled, evaluated or started."""

    def trapped(real: Any) -> Any:
        def trap(*args: Any, **kwargs: Any) -> Any:
            if not sys._getframe(1).f_code.co_filename.startswith("<frozen importlib"):
                raise SystemExit("loading ran code")
            return real(*args, **kwargs)

        return trap

    for module, name in ((pickle, "loads"), (pickle, "load"), (marshal, "loads"), (os, "system")):
        monkeypatch.setattr(module, name, trapped(getattr(module, name)))


def _config(
    class_name: Any, module: Any = "keras.layers", registered: Any = None, **config: Any
) -> dict[str, Any]:
    layer = {"module": module, "class_name": class_name, "config": config, "registered_name": registered}
    source = {
        "module": "keras.layers",
        "class_name": "InputLayer",
        "config": {"batch_shape": [None, 3], "name": "i"},
    }
    inner = {"name": "m", "layers": [source, layer]}
    return {"module": "keras", "class_name": "Sequential", "config": inner, "registered_name": None}


def _write(folder: Path, config: Any, container: str) -> Path:
    """Puts a configuration into one of the containers that hold whole models."""
    empty = io.BytesIO()
    h5py.File(empty, "w").close()
    if container == "h5":
        path = folder / "m.h5"
        with h5py.File(path, "w") as file:
            file.attrs["model_config"] = json.dumps(config)
            file.create_group("model_weights").attrs["layer_names"] = np.zeros(0, "S1")
        return path
    if container == "folder":
        (folder / "m").mkdir()
        (folder / "m" / "config.json").write_text(json.dumps(config))
        (folder / "m" / "model.weights.h5").write_bytes(empty.getvalue())
        return folder / "m"
    with zipfile.ZipFile(folder / "m.keras", "w") as archive:
        archive.writestr("config.json", json.dumps(config))
        archive.writestr("model.weights.h5", empty.getvalue())
    return folder / "m.keras"


CODE = base64.b64encode(b"\xe3" + b"\0" * 60).decode()
HOSTILE = {
    "marshalled lambda": _config("Lambda", function=[CODE, None, None], function_type="lambda", name="l"),
    "keras 3 lambda": _config(
        "Lambda", function={"class_name": "__lambda__", "config": {"code": CODE}}, name="l"
    ),
    "any module": _config("system", module="os", command="true"),
    "a function as a class": _config("function", module="os", registered="system"),
    "a download": _config("function", module="keras.utils", registered="get_file"),
    "loading again": _config("load_model", module="keras.saving", filepath="/etc/passwd"),
    "a switch": _config("enable_unsafe_deserialization", module="keras.config"),
    "torch pickle": _config("TorchModuleWrapper", module="keras.utils", module_bytes="gASV"),
    "SavedModel": _config("TFSMLayer", filepath="/tmp/other"),
    "a Flax or JAX layer": _config(
        "JaxLayer", call_fn={"class_name": "function", "config": "system", "module": "os"}
    ),
    "a builtin": _config("function", module="builtins", registered="eval"),
    "a registered name": _config("Dense", registered="os>system", units=2),
    "config type": {"module": "keras", "class_name": "Sequential", "config": ["a"], "registered_name": None},
    "class type": {"class_name": 7, "config": {}},
    "no model": {
        "module": "keras.layers",
        "class_name": "Dense",
        "config": {"units": 1},
        "registered_name": None,
    },
    "deep": {"class_name": "Sequential", "config": json.loads("[" * 300 + "]" * 300)},
}


@pytest.mark.parametrize("container", ["keras", "h5", "folder"])
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_configuration(tmp_path, name: str, container: str):
    path = _write(tmp_path, HOSTILE[name], container)
    with pytest.raises((HornbillError, ValueError)):
        saving.load_model(path)
    with pytest.raises((HornbillError, ValueError)):
        hornbill.models.model_from_json(json.dumps(HOSTILE[name]))


def test_unsafe_mode_changes_nothing_and_says_so(tmp_path):
    path = _write(tmp_path, HOSTILE["keras 3 lambda"], "keras")
    with pytest.warns(UserWarning, match="changes nothing"), pytest.raises(FileError, match="never runs"):
        saving.load_model(path, safe_mode=False)


def test_no_import_by_name_and_no_other_file(tmp_path, model, monkeypatch):
    model.save(tmp_path / "m.keras")
    saving.load_model(tmp_path / "m.keras")  # what is imported once is there now
    path = _write(tmp_path, _config("Thing", module="antigravity"), "keras")
    real, opened, imported = builtins.open, [], []
    real_import = builtins.__import__
    with monkeypatch.context() as patch, pytest.raises(FileError):
        patch.setattr(builtins, "open", lambda f, *a, **k: opened.append(str(f)) or real(f, *a, **k))
        patch.setattr(
            builtins, "__import__", lambda n, *a, **k: imported.append(n) or real_import(n, *a, **k)
        )
        saving.load_model(path)
    assert "antigravity" not in imported
    assert all(name.startswith(str(tmp_path)) for name in opened)


def _plant(group: Any, name: str, kind: str, folder: Any) -> None:
    """Puts something into a group that is not only data."""
    secret = folder / "secret.h5"
    if kind == "soft":
        group[name] = h5py.SoftLink("/nowhere")
    elif kind == "external":
        group[name] = h5py.ExternalLink(str(secret), "x")
    elif kind == "outside":
        group.create_dataset(name, (3, 2), "float32", external=[(str(folder / "raw"), 0, 24)])
    elif kind == "virtual":
        layout = h5py.VirtualLayout((3, 2), "float32")
        layout[:] = h5py.VirtualSource(str(secret), "x", (3, 2))
        group.create_virtual_dataset(name, layout)
    elif kind == "huge":
        group.create_dataset(name, (2**40, 2**10), "float32", chunks=(1024, 1024))
    elif kind == "object":
        group.create_dataset(name, data=["a"], dtype=h5py.string_dtype())


@pytest.mark.parametrize("kind", ["soft", "external", "outside", "virtual", "huge", "object", "folder soft"])
@pytest.mark.parametrize("entry", ["weights", "keras", "h5", "editor"])
def test_hdf5_that_is_not_only_data(tmp_path, model, kind: str, entry: str):
    secret = tmp_path / "secret.h5"
    with h5py.File(secret, "w") as file:
        file["x"] = np.ones((3, 2), "float32")
    (tmp_path / "raw").write_bytes(b"\0" * 24)
    path = tmp_path / "w.weights.h5"
    model.save_weights(path)
    place = "layers/dense/vars"
    if entry == "h5":
        model.save(tmp_path / "m.h5")
        path, place = tmp_path / "m.h5", "model_weights/dense/dense"
    with h5py.File(path, "r+") as file:
        if entry == "h5":
            place = next(iter(_parents(file["model_weights/dense"])))
        group = file[place]
        name = sorted(group)[-1 if entry == "h5" else 0]
        if kind == "folder soft":
            parent, last = place.rsplit("/", 1)
            file.move(place, "elsewhere")
            file[parent][last] = h5py.SoftLink("/elsewhere")
        else:
            del group[name]
        _plant(group, name, kind, tmp_path)
    before = model.get_weights()
    if entry == "keras":
        model.save(tmp_path / "m.keras")
        content = {n: zipfile.ZipFile(tmp_path / "m.keras").read(n) for n in ("config.json",)}
        with zipfile.ZipFile(tmp_path / "m.keras", "w") as archive:
            archive.writestr("config.json", content["config.json"])
            archive.write(path, "model.weights.h5")
        path = tmp_path / "m.keras"
    with pytest.raises(HornbillError):
        if entry == "editor":
            saving.KerasFileEditor(path)
        elif entry == "weights":
            saving.load_weights(model, path)
        else:
            saving.load_model(path)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def _parents(group: Any) -> set[str]:
    found: set[str] = set()
    group.visititems(
        lambda name, item: found.add(item.parent.name) if isinstance(item, h5py.Dataset) else None
    )
    return found


@pytest.mark.parametrize("name", ["../x", "/x", "a/../x", "a\\x", "C:/x", "x" * 300, "a/\x01"])
def test_zip_names(tmp_path, name: str):
    path = tmp_path / "m.keras"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", "{}")
        archive.writestr(name, "x")
    with pytest.raises(FileError):
        saving.load_model(path)


def test_zip_with_a_member_twice_a_bomb_and_a_link(tmp_path):
    path = tmp_path / "m.keras"
    with zipfile.ZipFile(path, "w") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("config.json", "{}")
        archive.writestr("config.json", "{}")
    with pytest.raises(FileError, match="twice"):
        saving.load_model(path)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", b"0" * 40_000_000)
    with pytest.raises(FileError, match="far more"):
        saving.load_model(path)
    with zipfile.ZipFile(path, "w") as archive:
        info = zipfile.ZipInfo("config.json")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    with pytest.raises(FileError, match="link"):
        saving.load_model(path)


def test_folders(tmp_path, model):
    model.save(tmp_path / "m", zipped=False)
    (tmp_path / "m" / "assets").symlink_to("/etc")
    with pytest.raises(FileError, match="link"):
        saving.load_model(tmp_path / "m")
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved" / "saved_model.pb").write_bytes(b"")
    with pytest.raises(FileError, match="SavedModel"):
        saving.load_model(tmp_path / "saved")


def test_index_that_names_other_files(tmp_path, model):
    index = tmp_path / "m.weights.json"
    for name in ("../secret.weights.h5", "/etc/passwd", "a\\b.weights.h5", 7):
        index.write_text(json.dumps({"weight_map": {"/vars": [name]}}))
        with pytest.raises(FileError, match="beside"):
            saving.load_weights(model, index)


def test_files_cut_short(tmp_path, model):
    model.save(tmp_path / "m.keras")
    model.save(tmp_path / "m.h5")
    model.save_weights(tmp_path / "m.safetensors")
    for name in ("m.keras", "m.h5", "m.safetensors"):
        whole = (tmp_path / name).read_bytes()
        for size in (0, 4, 100, len(whole) // 2, len(whole) - 1):
            (tmp_path / ("cut" + name)).write_bytes(whole[:size])
            with pytest.raises(HornbillError):
                if name.endswith("safetensors"):
                    saving.load_weights(model, tmp_path / ("cut" + name))
                else:
                    saving.load_model(tmp_path / ("cut" + name))
