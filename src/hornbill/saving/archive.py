"""Zip archives read with bounds: the only place where Hornbill opens a zip file that came from elsewhere.

Names are checked, sizes are bounded before anything is unpacked, and nothing is written to the disk from here.
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager

from hornbill.engine.errors import FileError

__all__ = ["Archive", "check_member_name", "open_archive"]

_MAX_MEMBERS = 100_000
_MAX_RATIO = 200
_SMALL = 16 * 2**20
_MAX_NAME = 1024


def check_member_name(name: str) -> None:
    """Raises a FileError when a name could lead out of the folder it is meant for.

    Args:
        name: Name of a member, or a relative path in a model folder.
    """
    parts = name.rstrip("/").split("/")
    bad = (
        not name or len(name) > _MAX_NAME or "\\" in name or any(ord(letter) < 32 for letter in name)
        or name.startswith("/") or ":" in parts[0] or any(part in ("", ".", "..") or len(part) > 255 for part in parts)
    )  # fmt: skip
    if bad:
        raise FileError("The file holds a name that is not safe.", got=f"{name[:120]!r}.")


class Archive:
    """An open zip file.

    Attributes:
        label: What messages call it.
    """

    def __init__(self, file: zipfile.ZipFile, label: str) -> None:
        self._file, self.label = file, label
        self._members: dict[str, zipfile.ZipInfo] = {}
        infos = file.infolist()
        if len(infos) > _MAX_MEMBERS:
            raise FileError(f"{label!r} has more members than any model.", got=f"{len(infos):,}.")
        for info in infos:
            check_member_name(info.filename)
            if info.filename in self._members:
                raise FileError(f"{label!r} holds the member {info.filename!r} twice.")
            if info.flag_bits & 1:
                raise FileError(f"{label!r} holds an encrypted member, {info.filename!r}.")
            if (info.external_attr >> 16) & 0o170000 == 0o120000:
                raise FileError(f"{label!r} holds a link, {info.filename!r}; links are not followed.")
            if info.file_size > max(_SMALL, info.compress_size * _MAX_RATIO):
                raise FileError(
                    f"{label!r}: the member {info.filename!r} would unpack to far more than it holds.",
                    got=f"{info.file_size:,} bytes from {info.compress_size:,}.",
                )
            self._members[info.filename] = info

    def names(self) -> list[str]:
        """Returns the names of the members, folders not counted."""
        return [name for name in self._members if not name.endswith("/")]

    def read(self, name: str, limit: int | None = None) -> bytes:
        """Returns the content of a member.

        Args:
            name: Its name.
            limit: Most bytes it may have.

        Raises:
            FileError: If there is none, or it is too large or damaged.
        """
        info = self._members.get(name)
        if info is None:
            raise FileError(
                f"{self.label!r} is no model file: it holds no {name!r}.", got=f"{self.names()[:20]}."
            )
        if limit is not None and info.file_size > limit:
            raise FileError(f"{self.label!r}: {name!r} is too large.", got=f"{info.file_size:,} bytes.")
        try:
            with self._file.open(info) as member:
                content = member.read(info.file_size + 1)
        except (
            zipfile.BadZipFile,
            OSError,
            EOFError,
            ValueError,
            NotImplementedError,
            RuntimeError,
        ) as error:
            raise FileError(f"{self.label!r} is damaged.", got=f"{error}.") from None
        except Exception as error:  # noqa: BLE001  zlib.error, lzma.LZMAError and others have no common base
            raise FileError(f"{self.label!r} is damaged.", got=f"{type(error).__name__}: {error}.") from None
        if len(content) != info.file_size:
            raise FileError(f"{self.label!r}: {name!r} has another size than it says.")
        return content


@contextmanager
def open_archive(path: str | os.PathLike[str]) -> Iterator[Archive]:
    """Opens a zip file for reading.

    Args:
        path: The file.

    Raises:
        FileError: If there is none, or it is not safe or no zip file.
    """
    label = os.fspath(path)
    try:
        file = zipfile.ZipFile(path)
    except FileNotFoundError:
        raise FileError(f"There is no file {label!r}.") from None
    except (zipfile.BadZipFile, OSError, EOFError, ValueError, NotImplementedError) as error:
        raise FileError(f"{label!r} is no zip file, or it is damaged.", got=f"{error}.") from None
    with file:
        yield Archive(file, label)
