"""Writing a file or folder so that a crash, a kill or a full disk leaves the previous one whole.

The new content is written beside the old, brought to the disk, and then takes its place in one step. Everything that
Hornbill saves goes through here.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hornbill.engine.errors import FileError

__all__ = ["atomic_folder", "atomic_path"]


@contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Gives the path of a temporary file, which takes the place of `path` when the block ends without an error.

    Args:
        path: File to write. Its folder must exist.

    Raises:
        FileError: If the folder does not exist, or `path` is a folder.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with atomic_path(folder + "/notes.txt") as temporary:
        ...         _ = temporary.write_text("whole or not at all")
        ...     Path(folder, "notes.txt").read_text()
        'whole or not at all'
    """
    target = Path(path)
    _check_parent(target)
    if target.is_dir():
        raise FileError(f"{str(target)!r} is a folder; a file was to be written there.")
    temporary = _beside(target)
    try:
        yield temporary
        _sync(temporary)
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(target.parent)


@contextmanager
def atomic_folder(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Gives a temporary folder, which takes the place of the folder `path` when the block ends without an error.

    A folder cannot be exchanged in one step everywhere: the old one is renamed first, and deleted at the very end.

    Args:
        path: Folder to write. The one above it must exist.

    Raises:
        FileError: If the folder above does not exist, or `path` is a file or a link.
    """
    target = Path(path)
    _check_parent(target)
    if target.is_symlink() or (target.exists() and not target.is_dir()):
        raise FileError(f"{str(target)!r} is no folder, so no folder can take its place.")
    temporary, previous = _beside(target), _beside(target)
    temporary.mkdir()
    try:
        yield temporary
        for folder, _, files in os.walk(temporary):
            for name in files:
                _sync(Path(folder, name))
            _sync_folder(Path(folder))
        if target.exists():
            target.rename(previous)
        temporary.rename(target)
    except BaseException:
        if previous.exists() and not target.exists():
            previous.rename(target)
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    _sync_folder(target.parent)
    shutil.rmtree(previous, ignore_errors=True)


def _check_parent(target: Path) -> None:
    if not target.parent.is_dir():
        raise FileError(
            f"{str(target)!r} cannot be written.",
            got=f"no folder {str(target.parent)!r}.",
            fixes=f"pathlib.Path({str(target.parent)!r}).mkdir(parents=True)",
        )


def _beside(target: Path) -> Path:
    return target.with_name(f".{target.name[:100]}.{os.getpid()}-{secrets.token_hex(4)}.writing")


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _sync_folder(folder: Path) -> None:
    # Renaming is on the disk only once the folder is; Windows cannot open folders and needs no such step.
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
