"""`.keras`: a whole model as a zip archive (or a folder) with metadata.json, config.json, model.weights.h5, assets/.

This is Keras 3's own format, both ways.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import tempfile
import time
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from hornbill.engine.errors import FileError
from hornbill.engine.serialization import serialize_keras_object
from hornbill.saving.archive import check_member_name, open_archive
from hornbill.saving.atomic import atomic_folder, atomic_path
from hornbill.saving.config import KERAS_VERSION, MAX_CONFIG_BYTES, model_from_data, parse_json
from hornbill.saving.h5 import open_h5
from hornbill.saving.matching import load_into
from hornbill.saving.weights import saveables
from hornbill.saving.weights_h5 import stored_arrays, tables, write_tables
from hornbill.version import __version__

__all__ = ["read_folder", "read_model", "read_weights", "write_folder", "write_model"]

CONFIG, METADATA, WEIGHTS, ASSETS = "config.json", "metadata.json", "model.weights.h5", "assets"


# ---- writing


def write_model(model: Any, path: str | os.PathLike[str], include_optimizer: bool = True) -> None:
    """Writes a whole model to one file.

    Args:
        model: The model.
        path: The file.
        include_optimizer: Whether what `compile` was given and the optimizer's state are written too.
    """
    target = Path(path)
    with (
        atomic_path(target) as temporary,
        tempfile.TemporaryDirectory(dir=target.parent, prefix=".writing-") as folder,
    ):
        content = Path(folder)
        _write_content(model, content, include_optimizer)
        with zipfile.ZipFile(temporary, "w") as archive:
            for name in (METADATA, CONFIG, WEIGHTS):
                archive.write(content / name, name)
            for place in sorted((content / ASSETS).rglob("*")):
                if place.is_file():
                    archive.write(place, place.relative_to(content).as_posix())


def write_folder(model: Any, path: str | os.PathLike[str], include_optimizer: bool = True) -> None:
    """Writes a whole model to a folder, in place of a folder of that name.

    Args:
        model: The model.
        path: The folder.
        include_optimizer: Whether what `compile` was given and the optimizer's state are written too.
    """
    with atomic_folder(path) as temporary:
        _write_content(model, temporary, include_optimizer)


def _write_content(model: Any, folder: Path, include_optimizer: bool) -> None:
    data = serialize_keras_object(model)
    if not include_optimizer:
        data.pop("compile_config", None)
    stamp = time.strftime("%Y-%m-%d@%H:%M:%S")
    metadata = {"keras_version": KERAS_VERSION, "date_saved": stamp, "hornbill_version": __version__}
    (folder / METADATA).write_text(json.dumps(metadata))
    (folder / CONFIG).write_text(json.dumps(data))
    write_tables(folder / WEIGHTS, tables(model, include_optimizer))
    for path, obj in saveables(model).items():
        if hasattr(obj, "save_assets"):
            place = folder / ASSETS / path
            place.mkdir(parents=True)
            obj.save_assets(str(place))


# ---- reading


def read_model(path: str | os.PathLike[str], custom_objects: Mapping[str, Any] | None, compile: bool) -> Any:
    """Returns the whole model of a `.keras` file.

    Args:
        path: The file.
        custom_objects: Classes and functions by name.
        compile: Whether the model is compiled as it was.

    Raises:
        FileError: If the file is damaged, not safe, or names classes that this program does not know.
    """
    with open_archive(path) as archive:
        return _read(archive.read, archive.names(), archive.label, custom_objects, compile)


def read_folder(path: str | os.PathLike[str], custom_objects: Mapping[str, Any] | None, compile: bool) -> Any:
    """Returns the whole model of a folder.

    Args:
        path: The folder.
        custom_objects: Classes and functions by name.
        compile: Whether the model is compiled as it was.

    Raises:
        FileError: If it holds no model, or links.
    """
    root = Path(path)
    label = str(root)
    if (root / "saved_model.pb").exists() or (root / "keras_metadata.pb").exists():
        raise FileError(
            f"{label!r} is a SavedModel folder: a TensorFlow program, not a model that can be read as data.",
            fixes=(
                "Save the model with model.save('model.keras') where it was made, and load that file.",
                "Or only its weights: model.save_weights('model.weights.h5').",
            ),
        )
    if not (root / CONFIG).exists():
        raise FileError(f"The folder {label!r} holds no model: there is no config.json in it.")
    names = _names_in(root)

    def read(name: str, limit: int | None = None) -> bytes:
        place = root / name
        if name not in names:
            raise FileError(f"{label!r} is no model folder: it holds no {name!r}.")
        if limit is not None and place.stat().st_size > limit:
            raise FileError(f"{label!r}: {name!r} is too large.", got=f"{place.stat().st_size:,} bytes.")
        return place.read_bytes()

    return _read(read, names, label, custom_objects, compile)


def _names_in(root: Path) -> list[str]:
    """Returns the relative paths of the files in a folder; a link anywhere is refused."""
    names = []
    for folder, folders, files in os.walk(root, followlinks=False):
        for name in (*folders, *files):
            place = Path(folder, name)
            if place.is_symlink():
                raise FileError(f"The model folder holds a link, {str(place)!r}; links are not followed.")
        for name in files:
            relative = Path(folder, name).relative_to(root).as_posix()
            check_member_name(relative)
            names.append(relative)
    return names


def _read(
    read: Callable[..., bytes],
    names: list[str],
    label: str,
    custom_objects: Mapping[str, Any] | None,
    compile: bool,
) -> Any:
    data = parse_json(read(CONFIG, MAX_CONFIG_BYTES), label)
    with open_h5(io.BytesIO(read(WEIGHTS)), label) as root:
        stored = stored_arrays(root)
        size = sum(array.nbytes for arrays in stored.values() for array in arrays.values())
        model = model_from_data(data, custom_objects, compile, size)
        _read_assets(model, read, names)
        load_into(model, stored, label)
    return model


def _read_assets(model: Any, read: Callable[..., bytes], names: list[str]) -> None:
    """Gives each object that has assets a temporary folder with its own."""
    for path, obj in saveables(model).items():
        if not hasattr(obj, "load_assets"):
            continue
        prefix = f"{ASSETS}/{path}/" if path else f"{ASSETS}/"
        mine = [name for name in names if name.startswith(prefix)]
        with tempfile.TemporaryDirectory() as folder:
            for name in mine:
                check_member_name(name)
                place = Path(folder, name.removeprefix(prefix))
                place.parent.mkdir(parents=True, exist_ok=True)
                with place.open("wb") as file:
                    shutil.copyfileobj(io.BytesIO(read(name)), file)
            obj.load_assets(folder)


def read_weights(
    model: Any, path: str | os.PathLike[str], skip_mismatch: bool = False, by_name: bool = False
) -> None:
    """Reads the weights in a `.keras` file into a model that exists.

    Args:
        model: The model.
        path: The file.
        skip_mismatch: Whether what does not fit is left out, with a warning.
        by_name: Refused: this format goes by the place of a layer in the model.
    """
    if by_name:
        raise FileError("by_name=True works for Keras 2's '.h5' files only.")
    with open_archive(path) as archive, open_h5(io.BytesIO(archive.read(WEIGHTS)), archive.label) as root:
        load_into(model, stored_arrays(root), archive.label, skip_mismatch)
