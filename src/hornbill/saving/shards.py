"""`.weights.json`: weights in several HDF5 files and an index, in Keras' form.

The index `model.weights.json` says for each object in which files its arrays stand; the files lie beside it, with
names that Keras derives from that of the index. They are renamed only when all are complete, the index last.
"""

from __future__ import annotations

import json
import os
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from hornbill.engine.errors import ArgumentError, FileError
from hornbill.saving.atomic import atomic_path
from hornbill.saving.config import parse_json
from hornbill.saving.h5 import H5Array, open_h5
from hornbill.saving.matching import load_into
from hornbill.saving.weights_h5 import stored_arrays, tables, write_tables

__all__ = ["read_weights", "write_weights"]

_SUFFIX = ".weights.json"
_GIB = 1024**3
_MAX_INDEX = 64 * 2**20
Shard = dict[str, tuple[str, dict[str, np.ndarray]]]


def write_weights(model: Any, path: str | os.PathLike[str], max_shard_size: float | None = None) -> None:
    """Writes the weights of a model.

    Args:
        model: The model.
        path: The index file.
        max_shard_size: Largest size of one file in GiB; one file if None.

    Raises:
        ArgumentError: If an array is larger than that.
    """
    target = Path(path)
    entries = tables(model)
    limit = None if max_shard_size is None else max_shard_size * _GIB
    parts = _split(entries, limit)
    stem = target.name[: -len(_SUFFIX)]
    names = [_file_name(stem, i) for i in range(len(parts))]
    old = set(_named_files(target)) - set(names)
    places: dict[str, list[str]] = {}
    with ExitStack() as stack:
        # Left in the opposite order of entering: all files are complete before one is renamed, the index comes last.
        index = stack.enter_context(atomic_path(target))
        for name, part in zip(names, parts, strict=True):
            write_tables(stack.enter_context(atomic_path(target.parent / name)), part)
            for owner, (_, arrays) in part.items():
                if arrays:
                    places.setdefault(f"/{owner}/vars" if owner else "/vars", []).append(name)
        total = sum(values.nbytes for _, arrays in entries.values() for values in arrays.values())
        index.write_text(
            json.dumps({"metadata": {"total_size": float(total)}, "weight_map": places}, indent=4)
        )
    for name in old:
        (target.parent / name).unlink(missing_ok=True)


def _file_name(stem: str, index: int) -> str:
    return f"{stem}_{index:05}.weights.h5"


def _split(entries: Shard, limit: float | None) -> list[Shard]:
    parts: list[Shard] = [{}]
    size = 0
    for owner, (name, arrays) in entries.items():
        parts[-1].setdefault(owner, (name, {}))
        for key, values in arrays.items():
            if limit is not None and values.nbytes > limit:
                raise ArgumentError(
                    f"{owner}/{key} alone is larger than max_shard_size.",
                    got=f"{values.nbytes:,} bytes; the limit is {int(limit):,}.",
                    fixes=f"max_shard_size={values.nbytes / _GIB:.3g} or more (GiB).",
                )
            if limit is not None and size + values.nbytes > limit:
                parts.append({})
                size = 0
            parts[-1].setdefault(owner, (name, {}))[1][key] = values
            size += values.nbytes
    return parts


def _named_files(target: Path) -> list[str]:
    """Returns the files that an existing index names, if it can be read."""
    if not target.exists():
        return []
    try:
        return sorted({name for names in _index(target).values() for name in names})
    except FileError:
        return []


def _index(path: Path) -> dict[str, list[str]]:
    if path.stat().st_size > _MAX_INDEX:
        raise FileError(f"The index {str(path)!r} is too large.")
    places = parse_json(path.read_bytes(), str(path)).get("weight_map")
    if not isinstance(places, dict):
        raise FileError(f"{str(path)!r} is no index of weights: it has no 'weight_map'.")
    result = {}
    for owner, names in places.items():
        names = [names] if isinstance(names, str) else names
        if not isinstance(names, list) or not all(_is_safe(name) for name in names):
            raise FileError(
                f"{str(path)!r} names files that do not lie beside it.", got=f"{str(names)[:120]}."
            )
        result[owner] = names
    return result


def _is_safe(name: Any) -> bool:
    return isinstance(name, str) and name.endswith(".weights.h5") and not set(name) & set("/\\:\0")


def read_weights(
    model: Any, path: str | os.PathLike[str], skip_mismatch: bool = False, by_name: bool = False
) -> None:
    """Reads the weights of a model.

    Args:
        model: The model.
        path: The index file.
        skip_mismatch: Whether what does not fit is left out, with a warning.
        by_name: Refused: this format goes by the place of a layer in the model.

    Raises:
        FileError: If a file is missing, not safe, or does not fit; the model is unchanged then.
    """
    if by_name:
        raise FileError("by_name=True works for Keras 2's '.h5' files only.")
    index = Path(path)
    files = sorted({name for names in _index(index).values() for name in names})
    stored: dict[str, dict[str, H5Array]] = {}
    with ExitStack() as stack:
        for name in files:
            place = index.parent / name
            if place.is_symlink():
                raise FileError(f"{str(place)!r} is a link; links are not followed.")
            root = stack.enter_context(open_h5(place))
            for owner, arrays in stored_arrays(root).items():
                stored.setdefault(owner, {}).update(arrays)
        load_into(model, stored, str(index), skip_mismatch)
