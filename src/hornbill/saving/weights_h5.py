"""`.weights.h5`: the weights of a model in one HDF5 file, one group per object, in Keras' layout.

The variables of the object at `layers/dense` stand in `layers/dense/vars/0`, `layers/dense/vars/1`, ... Seed generators
are written too (Keras leaves them out and passes over them), so that random numbers go on where they stopped.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import h5py
import numpy as np

from hornbill.saving.atomic import atomic_path
from hornbill.saving.h5 import H5Array, H5Group, open_h5, write_array
from hornbill.saving.legacy import is_legacy, read_legacy_weights
from hornbill.saving.matching import load_into
from hornbill.saving.weights import own_arrays, saveables

__all__ = ["read_weights", "stored_arrays", "tables", "write_tables", "write_weights"]


def tables(model: Any, include_optimizer: bool = True) -> dict[str, tuple[str, dict[str, np.ndarray]]]:
    """Returns `{object path: (object name, its arrays)}` for all of a model's objects.

    Args:
        model: The model.
        include_optimizer: Whether the state of the optimizer is among them.
    """
    result = {}
    for path, obj in saveables(model).items():
        if not include_optimizer and (path == "optimizer" or path.startswith("optimizer/")):
            continue
        result[path] = (obj.name, own_arrays(obj))
    return result


def write_tables(
    path: str | os.PathLike[str], entries: Mapping[str, tuple[str, Mapping[str, np.ndarray]]]
) -> None:
    """Writes `tables` to a new HDF5 file.

    Args:
        path: The file, which is overwritten as it is written: give a temporary one.
        entries: What `tables` gives.
    """
    with h5py.File(path, "w") as file:
        for place, (name, arrays) in entries.items():
            group = file.create_group(f"{place}/vars" if place else "vars")
            group.attrs["name"] = name
            for key, values in arrays.items():
                write_array(group, key, values)
        file.flush()


def stored_arrays(root: H5Group) -> dict[str, dict[str, H5Array]]:
    """Returns the arrays of a file by object path and name; nothing is read yet.

    Args:
        root: Root of an open file in Keras 3's layout.
    """
    result: dict[str, dict[str, H5Array]] = {}
    for item in root.walk():
        if isinstance(item, H5Array):
            folder, _, name = item.path.rpartition("/")
            owner = "" if folder == "vars" else folder.removesuffix("/vars")
            result.setdefault(owner, {})[name] = item
    return result


def write_weights(model: Any, path: str | os.PathLike[str], include_optimizer: bool = True) -> None:
    """Writes the weights of a model.

    Args:
        model: The model.
        path: The file.
        include_optimizer: Whether the state of the optimizer is written too.
    """
    with atomic_path(path) as temporary:
        write_tables(temporary, tables(model, include_optimizer))


def read_weights(
    model: Any, path: str | os.PathLike[str], skip_mismatch: bool = False, by_name: bool = False
) -> None:
    """Reads the weights of a model; a file in Keras 2's layout is known by its content.

    Args:
        model: The model.
        path: The file.
        skip_mismatch: Whether what does not fit is left out, with a warning.
        by_name: Whether layers are found by name (Keras 2's layout only).

    Raises:
        FileError: If the file cannot be read or does not fit; the model is unchanged then.
    """
    with open_h5(path) as root:
        if is_legacy(root):
            read_legacy_weights(model, root, str(path), skip_mismatch, by_name)
        else:
            load_into(model, stored_arrays(root), str(path), skip_mismatch)
