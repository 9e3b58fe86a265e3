"""`.safetensors`: named arrays, one JSON header, nothing else.

The layout: eight bytes with the header's length, the header, the numbers. A file is read only if its header is
small enough, names nothing twice, and its arrays fill the rest exactly, one after the other, each with as many bytes
as its shape and dtype say. Names are the paths of `.weights.h5`: `layers/dense/vars/0`.

Source: https://github.com/huggingface/safetensors (format section of the README).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import Any, BinaryIO

import ml_dtypes
import numpy as np

from hornbill.engine.errors import FileError
from hornbill.saving.atomic import atomic_path
from hornbill.saving.matching import load_into
from hornbill.saving.weights_h5 import tables

__all__ = ["SafeArray", "open_safetensors", "read_weights", "write_safetensors", "write_weights"]

_MAX_HEADER = 100_000_000
_DTYPES: dict[str, np.dtype[Any]] = {
    "F64": np.dtype("<f8"), "F32": np.dtype("<f4"), "F16": np.dtype("<f2"), "I64": np.dtype("<i8"),
    "I32": np.dtype("<i4"), "I16": np.dtype("<i2"), "I8": np.dtype("i1"), "U64": np.dtype("<u8"),
    "U32": np.dtype("<u4"), "U16": np.dtype("<u2"), "U8": np.dtype("u1"), "BOOL": np.dtype("?"),
    "C64": np.dtype("<c8"), "BF16": np.dtype(ml_dtypes.bfloat16), "F8_E4M3": np.dtype(ml_dtypes.float8_e4m3fn),
    "F8_E5M2": np.dtype(ml_dtypes.float8_e5m2),
}  # fmt: skip
_CODES = {dtype.name: code for code, dtype in _DTYPES.items()}


class SafeArray:
    """An array in an open file, read when asked.

    Attributes:
        shape: Its sizes.
        dtype: Name of its dtype.
    """

    def __init__(self, file: BinaryIO, start: int, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        self._file, self._start, self._dtype = file, start, dtype
        self.shape, self.dtype = shape, dtype.name

    def read(self) -> np.ndarray:
        """Returns the numbers."""
        size = prod(self.shape) * self._dtype.itemsize
        self._file.seek(self._start)
        return np.frombuffer(self._file.read(size), self._dtype).reshape(self.shape)


def write_safetensors(
    path: str | os.PathLike[str], arrays: Mapping[str, Any], metadata: Mapping[str, str] | None = None
) -> None:
    """Writes named arrays.

    Args:
        path: The file.
        arrays: Dict from name to array.
        metadata: Texts by name, kept in the header.

    Raises:
        FileError: If an array has a dtype that the format does not know.
    """
    header: dict[str, Any] = {"__metadata__": dict(metadata)} if metadata else {}
    values, offset = [], 0
    for name, value in arrays.items():
        array = np.asarray(value)
        if array.dtype.name not in _CODES or name == "__metadata__":
            raise FileError(f"{name!r} cannot be stored as safetensors.", got=f"dtype {array.dtype.name}.")
        code = _CODES[array.dtype.name]
        # A zero-dimensional array stays one: ascontiguousarray would make it a row.
        array = np.ascontiguousarray(array.astype(_DTYPES[code], copy=False)).reshape(array.shape)
        header[name] = {
            "dtype": code,
            "shape": list(array.shape),
            "data_offsets": [offset, offset + array.nbytes],
        }
        offset += array.nbytes
        values.append(array)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    if len(text) > _MAX_HEADER:
        raise FileError(
            "There are too many names for one safetensors file.", got=f"{len(text):,} bytes of header."
        )
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        file.write(len(text).to_bytes(8, "little"))
        file.write(text)
        for array in values:
            file.write(array.tobytes())


@contextmanager
def open_safetensors(path: str | os.PathLike[str]) -> Iterator[dict[str, SafeArray]]:
    """Opens a file and gives its arrays by name; the numbers are read while it is open.

    Args:
        path: The file.

    Raises:
        FileError: If there is none, or it breaks a rule of the format.
    """
    label = os.fspath(path)
    try:
        file = Path(path).open("rb")  # noqa: SIM115  closed below
    except OSError as error:
        raise FileError(f"{label!r} cannot be opened.", got=f"{error.strerror}.") from None
    with file:
        total = os.fstat(file.fileno()).st_size
        length = int.from_bytes(file.read(8), "little")
        if total < 8 or length > _MAX_HEADER or 8 + length > total:
            raise _broken(label, f"a header of {length:,} bytes in a file of {total:,}")
        header = _header(file.read(length), label)
        yield _arrays(file, header, 8 + length, total, label)


def _broken(label: str, what: str) -> FileError:
    return FileError(f"{label!r} is no safetensors file, or it is damaged.", got=f"{what}.")


def _header(text: bytes, label: str) -> dict[str, Any]:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise _broken(label, "a name that stands twice in the header")
        return found

    if not text.startswith(b"{"):
        raise _broken(label, "a header that does not start with '{'")
    try:
        header = json.loads(text, object_pairs_hook=unique)
    except (ValueError, RecursionError) as error:
        if isinstance(error, FileError):
            raise
        raise _broken(label, f"a header that is no JSON ({error})") from None
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise _broken(label, "metadata that are no texts")
    return header


def _arrays(
    file: BinaryIO, header: dict[str, Any], start: int, total: int, label: str
) -> dict[str, SafeArray]:
    spans: list[tuple[int, int, str]] = []
    result: dict[str, SafeArray] = {}
    for name, entry in header.items():
        if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
            raise _broken(label, f"an entry {name[:80]!r} without dtype, shape and data_offsets")
        dtype = _DTYPES.get(entry["dtype"]) if isinstance(entry["dtype"], str) else None
        numbers = [entry["shape"], entry["data_offsets"]]
        whole = all(
            isinstance(row, list) and all(type(n) is int and 0 <= n < 2**63 for n in row) for row in numbers
        )
        if dtype is None or not whole or len(entry["data_offsets"]) != 2:
            raise _broken(label, f"an entry {name[:80]!r} with {str(entry)[:120]}")
        first, last = entry["data_offsets"]
        if prod(entry["shape"]) * dtype.itemsize != last - first:
            raise _broken(
                label,
                f"{name[:80]!r} with shape {entry['shape']} of {entry['dtype']} in {last - first:,} bytes",
            )
        spans.append((first, last, name))
        result[name] = SafeArray(file, start + first, tuple(entry["shape"]), dtype)
    position = 0
    for first, last, name in sorted(spans):
        if first != position:
            raise _broken(label, f"{name[:80]!r} starting at {first:,} where {position:,} is next")
        position = last
    if start + position != total:
        raise _broken(label, f"{total - start - position:,} bytes that belong to no array")
    return result


def write_weights(model: Any, path: str | os.PathLike[str], include_optimizer: bool = False) -> None:
    """Writes the weights of a model.

    Args:
        model: The model.
        path: The file.
        include_optimizer: Whether the state of the optimizer is written too.
    """
    named = {}
    for place, (_, arrays) in tables(model, include_optimizer).items():
        for key, values in arrays.items():
            named[f"{place}/vars/{key}" if place else f"vars/{key}"] = values
    write_safetensors(path, named, {"format": "keras"})


def read_weights(
    model: Any, path: str | os.PathLike[str], skip_mismatch: bool = False, by_name: bool = False
) -> None:
    """Reads the weights of a model.

    Args:
        model: The model.
        path: The file.
        skip_mismatch: Whether what does not fit is left out, with a warning.
        by_name: Refused: this format goes by the place of a layer in the model.
    """
    if by_name:
        raise FileError("by_name=True works for Keras 2's '.h5' files only.")
    with open_safetensors(path) as arrays:
        stored: dict[str, dict[str, SafeArray]] = {}
        for name, array in arrays.items():
            folder, _, key = name.rpartition("/")
            owner = "" if folder == "vars" else folder.removesuffix("/vars")
            stored.setdefault(owner, {})[key] = array
        load_into(model, stored, os.fspath(path), skip_mismatch)
