"""KerasFileEditor: looking into a weights file, changing it, writing it again.

It holds arrays only; it makes no models.
"""

from __future__ import annotations

import io
import os
from typing import Any

import numpy as np

from hornbill.engine.errors import ArgumentError, FileError, did_you_mean
from hornbill.saving.archive import open_archive
from hornbill.saving.atomic import atomic_path
from hornbill.saving.h5 import open_h5
from hornbill.saving.weights import own_arrays, saveables
from hornbill.saving.weights_h5 import stored_arrays, write_tables

__all__ = ["KerasFileEditor"]


class KerasFileEditor:
    """The weights of a `.weights.h5` or `.keras` file, to look at, change and save again.

    Objects go by their path, `layers/dense_2`, or by its last part where no other has that.

    Args:
        filepath: The file.

    Raises:
        FileError: If it cannot be read.
    """

    def __init__(self, filepath: str | os.PathLike[str]) -> None:
        self.filepath = os.fspath(filepath)
        if self.filepath.endswith(".keras"):
            with (
                open_archive(filepath) as archive,
                open_h5(io.BytesIO(archive.read("model.weights.h5")), self.filepath) as root,
            ):
                stored = stored_arrays(root)
                self.weights_dict = {
                    path: {n: a.read() for n, a in arrays.items()} for path, arrays in stored.items()
                }
        elif self.filepath.endswith(".weights.h5"):
            with open_h5(filepath) as root:
                stored = stored_arrays(root)
                self.weights_dict = {
                    path: {n: a.read() for n, a in arrays.items()} for path, arrays in stored.items()
                }
        else:
            raise ArgumentError(
                "KerasFileEditor reads '.weights.h5' and '.keras' files.", got=f"{self.filepath!r}."
            )

    def summary(self) -> None:
        """Prints the objects of the file with the shape and dtype of each array."""
        print(f"Weights in {self.filepath!r}")
        for path, arrays in self.weights_dict.items():
            print(f"  {path or '(model)'}")
            for name, values in arrays.items():
                print(f"    {name}: {values.shape} {values.dtype.name}")

    def compare(self, reference_model: Any) -> dict[str, Any]:
        """Compares the file with a model and prints what differs.

        Args:
            reference_model: The model.

        Returns:
            Dict with "status" ("success" or "error"), "error_count" and "match_count".
        """
        wanted = {
            (path, name): values.shape
            for path, obj in saveables(reference_model).items()
            for name, values in own_arrays(obj).items()
            if not path.startswith("optimizer") and not path.endswith("seed_generator")
        }
        given = {
            (path, name): values.shape
            for path, arrays in self.weights_dict.items()
            for name, values in arrays.items()
            if not path.startswith("optimizer") and not path.endswith("seed_generator")
        }
        errors = 0
        for key in sorted(wanted.keys() | given.keys()):
            if wanted.get(key) != given.get(key):
                errors += 1
                here, there = given.get(key, "nothing"), wanted.get(key, "nothing")
                print(f"{'/'.join(key)}: {here} in the file, {there} in the model")
        matches = len(wanted.keys() & given.keys()) - sum(
            wanted[key] != given[key] for key in wanted.keys() & given.keys()
        )
        return {"status": "error" if errors else "success", "error_count": errors, "match_count": matches}

    def rename_object(self, object_name: str, new_name: str) -> None:
        """Gives an object another last part of its path.

        Args:
            object_name: Path, or its last part.
            new_name: The new last part.
        """
        path = self._find(object_name)
        parent = path.rpartition("/")[0]
        target = f"{parent}/{new_name}" if parent else new_name
        _check_name(new_name)
        if target in self.weights_dict:
            raise ArgumentError(f"The file already holds an object {target!r}.")
        self.weights_dict = {
            target + key[len(path) :] if key == path or key.startswith(path + "/") else key: value
            for key, value in self.weights_dict.items()
        }

    def delete_object(self, object_name: str) -> None:
        """Removes an object and all that is below it.

        Args:
            object_name: Path, or its last part.
        """
        path = self._find(object_name)
        kept = {k: v for k, v in self.weights_dict.items() if k != path and not k.startswith(path + "/")}
        self.weights_dict = kept

    def add_object(self, object_path: str, weights: dict[str, Any]) -> None:
        """Adds an object.

        Args:
            object_path: Its whole path.
            weights: Arrays by name: `{"0": kernel, "1": bias}`.
        """
        for part in object_path.split("/"):
            _check_name(part)
        if object_path in self.weights_dict:
            raise ArgumentError(
                f"The file already holds an object {object_path!r}.", fixes="add_weights(...)"
            )
        self.weights_dict[object_path] = {}
        self.add_weights(object_path, weights)

    def delete_weight(self, object_name: str, weight_name: str) -> None:
        """Removes one array of an object.

        Args:
            object_name: Path, or its last part.
            weight_name: Name of the array, such as "0".
        """
        arrays = self.weights_dict[self._find(object_name)]
        if weight_name not in arrays:
            raise ArgumentError(
                f"{object_name!r} has no array {weight_name!r}.", got=f"it has {', '.join(arrays)}."
            )
        del arrays[weight_name]

    def add_weights(self, object_name: str, weights: dict[str, Any]) -> None:
        """Adds arrays to an object.

        Args:
            object_name: Path, or its last part.
            weights: Arrays by name.
        """
        if not isinstance(weights, dict):
            raise ArgumentError("weights is a dict from name to array.", got=f"{type(weights).__name__}.")
        arrays = self.weights_dict[self._find(object_name)]
        for name, values in weights.items():
            _check_name(name)
            arrays[name] = np.asarray(values)

    def save(self, filepath: str | os.PathLike[str]) -> None:
        """Writes the weights to a new file.

        Args:
            filepath: Path ending in `.weights.h5`.
        """
        if not os.fspath(filepath).endswith(".weights.h5"):
            raise ArgumentError("The name must end in '.weights.h5'.", got=f"{os.fspath(filepath)!r}.")
        named = {path: (path.rpartition("/")[2], arrays) for path, arrays in self.weights_dict.items()}
        with atomic_path(filepath) as temporary:
            write_tables(temporary, named)

    def resave_weights(self, filepath: str | os.PathLike[str]) -> None:
        """The same as `save`.

        Args:
            filepath: Path ending in `.weights.h5`.
        """
        self.save(filepath)

    def _find(self, name: str) -> str:
        if name in self.weights_dict:
            return name
        paths = list(self.weights_dict)
        folders = {path.rsplit("/", i)[0] for path in paths for i in range(path.count("/") + 1)}
        found = sorted(path for path in folders if path == name or path.endswith("/" + name))
        if len(found) == 1:
            return found[0]
        if found:
            raise ArgumentError(f"Several objects are named {name!r}.", got=f"{', '.join(found)}.")
        raise ArgumentError(f"The file holds no object {name!r}.{did_you_mean(name, folders)}")


def _check_name(name: str) -> None:
    if (
        not isinstance(name, str)
        or not name
        or name in (".", "..")
        or set(name) & set("/\\\0")
        or len(name) > 255
    ):
        raise FileError("A name in a file holds no slash and is not '.' or '..'.", got=f"{name!r}.")
