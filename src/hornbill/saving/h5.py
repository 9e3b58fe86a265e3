"""HDF5 files as data: the only place where Hornbill opens them.

The reader follows hard links inside the one file only. Soft and external links, external storage and virtual datasets
are refused wherever they stand, as are filters other than HDF5's own, and datasets that declare more bytes than are
stored. Sizes are known, and can be compared with what is expected, before anything is read.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, BinaryIO

import h5py
import ml_dtypes
import numpy as np

from hornbill.engine.errors import FileError

__all__ = ["H5Array", "H5Group", "open_h5", "write_array"]

_MAX_ATTRIBUTE_BYTES = 256 * 2**20
_MAX_OBJECTS = 1_000_000
_MAX_DEPTH = 64
_MAX_EXPANSION = 1100
"""Deflate makes data at most about 1,030 times smaller."""
_FILTERS = frozenset({h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_FLETCHER32, 32000})
_EXTRA_DTYPES = {"bfloat16", "float8_e4m3fn", "float8_e5m2", "int4", "uint4"}


class H5Array:
    """A dataset whose shape and dtype are known and whose numbers are not read yet.

    Attributes:
        path: Where it stands in the file.
        shape: Its sizes.
        dtype: Name of its dtype.
    """

    def __init__(self, dataset: h5py.Dataset, path: str) -> None:
        self._dataset, self.path = dataset, path
        self.shape: tuple[int, ...] = tuple(int(size) for size in dataset.shape or ())
        stored_as = dataset.attrs.get("dtype") if "dtype" in dataset.attrs else None
        stored_as = stored_as.decode() if isinstance(stored_as, bytes) else stored_as
        self._view = stored_as if isinstance(stored_as, str) and stored_as in _EXTRA_DTYPES else None
        self.dtype = self._view or dataset.dtype.name
        self._check()

    def _check(self) -> None:
        dataset, plist = self._dataset, self._dataset.id.get_create_plist()
        if dataset.is_virtual or plist.get_external_count() > 0:
            raise FileError(
                f"The dataset {self.path!r} takes its numbers from another file; that is not followed."
            )
        if dataset.shape is None or dataset.dtype.kind not in "fiubcSV" or dataset.dtype.hasobject:
            raise FileError(f"The dataset {self.path!r} holds no numbers.", got=f"{dataset.dtype}.")
        filters = [plist.get_filter(i)[0] for i in range(plist.get_nfilters())]
        if any(code not in _FILTERS for code in filters):
            raise FileError(
                f"The dataset {self.path!r} is packed with a filter that is not HDF5's own.",
                got=f"{filters}.",
            )
        stored = dataset.id.get_storage_size()
        declared = dataset.dtype.itemsize
        for size in self.shape:
            declared *= size
        allowed = stored * _MAX_EXPANSION if filters else stored
        if declared > allowed:
            raise FileError(
                f"The dataset {self.path!r} declares more than it holds.",
                got=f"shape {self.shape}, {declared:,} bytes; {stored:,} bytes are stored.",
                why="Reading it would fill the memory with nothing.",
            )

    @property
    def nbytes(self) -> int:
        """Size of the numbers when read."""
        return math.prod(self.shape) * self._dataset.dtype.itemsize

    def read(self) -> np.ndarray:
        """Returns the numbers."""
        values = np.asarray(self._dataset[()])
        if self._view is not None:
            wanted = np.dtype(getattr(ml_dtypes, self._view))
            if values.dtype.itemsize == wanted.itemsize:
                return values.view(wanted)
            return values.astype(wanted)
        return values


class H5Group:
    """A group of an HDF5 file, read without following any link.

    Attributes:
        path: Where it stands in the file.
    """

    def __init__(self, group: h5py.Group, path: str = "") -> None:
        self._group, self.path = group, path

    def names(self) -> list[str]:
        """Returns the names of what stands in the group."""
        names = list(self._group)
        if len(names) > _MAX_OBJECTS:
            raise FileError(
                f"The group {self.path or '/'!r} has more entries than any model.", got=f"{len(names):,}."
            )
        return names

    def get(self, name: str) -> H5Group | H5Array | None:
        """Returns the group or array of one name (not a path), or None.

        Raises:
            FileError: If it is a link, or an array that is not safe to read.
        """
        if "/" in name or name in ("", ".", ".."):
            raise FileError(
                "A name in an HDF5 group holds no slash and is not '.' or '..'.", got=f"{name!r}."
            )
        link = self._group.get(name, getlink=True)
        if link is None:
            return None
        path = f"{self.path}/{name}" if self.path else name
        if not isinstance(link, h5py.HardLink):
            kind = "an external link" if isinstance(link, h5py.ExternalLink) else "a soft link"
            raise FileError(f"{path!r} is {kind} in the HDF5 file; links are not followed.")
        found = self._group[name]
        if isinstance(found, h5py.Group):
            return H5Group(found, path)
        if isinstance(found, h5py.Dataset):
            return H5Array(found, path)
        raise FileError(f"{path!r} in the HDF5 file is neither a group nor an array.")

    def find(self, path: str) -> H5Group | H5Array | None:
        """Returns what stands at a path, each part of which is checked, or None."""
        here: H5Group | H5Array | None = self
        for part in path.split("/") if path else ():
            if not isinstance(here, H5Group):
                return None
            here = here.get(part)
        return here

    def group(self, path: str) -> H5Group | None:
        """Returns the group at a path, or None."""
        found = self.find(path)
        return found if isinstance(found, H5Group) else None

    def arrays(self) -> dict[str, H5Array]:
        """Returns the arrays directly in the group."""
        found = ((name, self.get(name)) for name in self.names())
        return {name: item for name, item in found if isinstance(item, H5Array)}

    def walk(self) -> Iterator[H5Group | H5Array]:
        """Yields all groups and arrays below this one, outermost first.

        Raises:
            FileError: If there is a link, a cycle, or more than any model has.
        """
        stack: list[tuple[H5Group, int]] = [(self, 0)]
        count = 0
        while stack:
            here, depth = stack.pop()
            if depth > _MAX_DEPTH:
                raise FileError(
                    "The HDF5 file is nested more deeply than any model.", got=f"{here.path[:200]!r}."
                )
            for name in here.names():
                item = here.get(name)
                count += 1
                if count > _MAX_OBJECTS:
                    raise FileError(
                        "The HDF5 file has more entries than any model.", got=f"more than {count - 1:,}."
                    )
                if item is not None:
                    yield item
                if isinstance(item, H5Group):
                    stack.append((item, depth + 1))

    def attribute(self, name: str) -> Any:
        """Returns an attribute, text as str, or None; `name0`, `name1`, ... are put together.

        Keras cuts lists of names that are too long for one attribute into such pieces.
        """
        attributes = self._group.attrs
        if name in attributes:
            return _plain(self._checked_attribute(name))
        pieces: list[Any] = []
        while f"{name}{len(pieces)}" in attributes:
            pieces.append(_plain(self._checked_attribute(f"{name}{len(pieces)}")))
        return [item for piece in pieces for item in piece] if pieces else None

    def _checked_attribute(self, name: str) -> Any:
        handle = self._group.attrs.get_id(name)
        size = handle.dtype.itemsize * int(np.prod(handle.shape or (1,), dtype=np.float64))
        if size > _MAX_ATTRIBUTE_BYTES:
            raise FileError(
                f"The attribute {name!r} of {self.path or '/'!r} is too large.", got=f"{size:,} bytes."
            )
        return self._group.attrs[name]


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="replace")
    if isinstance(value, np.ndarray):
        return [_plain(item) for item in value.tolist()]
    return value.item() if isinstance(value, np.generic) else value


@contextmanager
def open_h5(source: str | os.PathLike[str] | BinaryIO, label: str = "") -> Iterator[H5Group]:
    """Opens an HDF5 file for reading and gives its root.

    Args:
        source: Path, or a binary file object.
        label: What messages call the file; the path if empty.

    Raises:
        FileError: If it is no HDF5 file.
    """
    label = label or str(source)
    try:
        file = h5py.File(source, "r")
    except FileNotFoundError:
        raise FileError(f"There is no file {label!r}.") from None
    except (OSError, ValueError, RuntimeError) as error:
        raise FileError(f"{label!r} is no HDF5 file, or it is damaged.", got=f"{str(error)[:200]}.",
                        fixes="Write it again: model.save_weights(path).") from None  # fmt: skip
    with file:
        try:
            yield H5Group(file)
        except (OSError, RuntimeError, KeyError) as error:
            if isinstance(error, FileError) or type(error) not in (OSError, RuntimeError, KeyError):
                raise
            raise FileError(f"{label!r} is damaged.", got=f"{str(error)[:200]}.") from None


def write_array(group: h5py.Group, name: str, values: Any) -> None:
    """Writes an array as Keras does: dtypes that HDF5 does not know go as raw bytes with their name beside them.

    Args:
        group: An open group.
        name: Name of the dataset in it.
        values: The array.
    """
    array = np.asarray(values)
    if array.dtype.name in _EXTRA_DTYPES:
        dataset = group.create_dataset(name, data=array.view(f"V{array.dtype.itemsize}"))
        dataset.attrs["dtype"] = array.dtype.name
    else:
        group.create_dataset(name, data=array)


def put_attribute(group: h5py.Group, name: str, values: Mapping[str, Any] | list[str]) -> None:
    """Writes a list of texts as an attribute, in pieces where it is too long for one (HDF5 allows 64 kB)."""
    texts = np.asarray([text.encode() for text in values])
    pieces = 1
    while len(texts) and max(part.nbytes for part in np.array_split(texts, pieces)) > 64_512:
        if pieces > len(texts):
            raise FileError(
                "A name is too long to be stored in an HDF5 attribute.", got=f"{texts.itemsize:,} bytes."
            )
        pieces += 1
    if pieces == 1:
        group.attrs[name] = texts if len(texts) else np.zeros(0, "S1")
        return
    for i, part in enumerate(np.array_split(texts, pieces)):
        group.attrs[f"{name}{i}"] = part
