"""Unpacking tar and zip files that may have been made to do harm.

Only plain files and folders inside the target are written. A member that is absolute, climbs out with `..`,
is a link or a device, or that unpacks to more than a bound, is an error; nothing is then left behind.
"""

from __future__ import annotations

import pathlib
import shutil
import stat
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from typing import IO, Any

from hornbill.engine.errors import FileError

__all__ = ["extract_archive"]

_MAX_RATIO = 1000
_FREE_BYTES = 64 * 2**20
_MAX_MEMBERS = 5_000_000
_BLOCK = 2**20


def extract_archive(
    path: Any, target: Any = ".", archive_format: str | Sequence[str] | None = "auto"
) -> bool:
    """Unpacks an archive into a folder.

    Args:
        path: The archive.
        target: Folder that gets the contents; made if it is not there.
        archive_format: "tar" (also compressed), "zip", "auto" for both, or None for neither.

    Returns:
        Whether the file was an archive of that kind.

    Raises:
        FileError: If a member is not a plain file or folder inside the target, or the archive is too large.
    """
    if not archive_format:
        return False
    kinds = [archive_format] if isinstance(archive_format, str) else list(archive_format)
    kinds = ["tar", "zip"] if kinds == ["auto"] else kinds
    unknown = set(kinds) - {"tar", "zip"}
    if unknown:
        raise FileError(f"There is no archive format {min(unknown)!r}.", fixes="'tar', 'zip' or 'auto'.")
    if "tar" in kinds and tarfile.is_tarfile(path):
        with tarfile.open(path) as archive:
            _extract(path, pathlib.Path(target), _tar_members(archive))
        return True
    if "zip" in kinds and zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            _extract(path, pathlib.Path(target), _zip_members(archive))
        return True
    return False


# A member: its name, its size, and a function that opens it (None for a folder).
_Member = tuple[str, int, Any]


def _tar_members(archive: tarfile.TarFile) -> Iterator[_Member]:
    for info in archive:
        if info.isdir():
            yield info.name, 0, None
        elif info.isreg():
            yield info.name, info.size, lambda info=info: archive.extractfile(info)
        else:
            raise FileError(
                f"The archive holds {info.name!r}, which is neither a file nor a folder.",
                why="Links and devices in an archive can lead outside the folder it is unpacked into.",
            )


def _zip_members(archive: zipfile.ZipFile) -> Iterator[_Member]:
    for info in archive.infolist():
        kind = stat.S_IFMT(info.external_attr >> 16)
        if info.is_dir():
            yield info.filename, 0, None
        elif kind in (0, stat.S_IFREG):
            yield info.filename, info.file_size, lambda info=info: archive.open(info)
        else:
            raise FileError(
                f"The archive holds {info.filename!r}, which is neither a file nor a folder.",
                why="Links and devices in an archive can lead outside the folder it is unpacked into.",
            )


def _extract(path: Any, target: pathlib.Path, members: Iterator[_Member]) -> None:
    limit = pathlib.Path(path).stat().st_size * _MAX_RATIO + _FREE_BYTES
    target.parent.mkdir(parents=True, exist_ok=True)
    limit = min(limit, shutil.disk_usage(target.parent).free)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".unpacking-") as folder:
        root = pathlib.Path(folder) / "content"
        root.mkdir()
        total = 0
        for number, (name, size, opener) in enumerate(members):
            total += size
            if number >= _MAX_MEMBERS or total > limit:
                raise FileError(
                    f"The archive {pathlib.Path(path).name!r} unpacks to more than {limit:,} bytes.",
                    why="That is more than the disk holds, or a thousand times the archive's own size.",
                )
            place = _safe_place(root, name)
            if opener is None:
                place.mkdir(parents=True, exist_ok=True)
                continue
            place.parent.mkdir(parents=True, exist_ok=True)
            with opener() as source, place.open("wb") as sink:
                _copy(source, sink, size)
        shutil.copytree(root, target, dirs_exist_ok=True)


def _safe_place(root: pathlib.Path, name: str) -> pathlib.Path:
    parts = pathlib.PurePosixPath(name.replace("\\", "/")).parts
    if name in (".", "./"):
        return root
    if not parts or parts[0] == "/" or ".." in parts or ":" in parts[0] or "\0" in name:
        raise FileError(
            f"The archive holds {name!r}, which lies outside the folder it is unpacked into.",
            why="Names in an archive must be relative and must not contain '..'.",
        )
    return root.joinpath(*parts)


def _copy(source: IO[bytes], sink: IO[bytes], size: int) -> None:
    """Copies a member; one that is longer than it says is an error."""
    left = size
    while block := source.read(_BLOCK):
        left -= len(block)
        if left < 0:
            raise FileError("A member of the archive is longer than the archive says.")
        sink.write(block)
