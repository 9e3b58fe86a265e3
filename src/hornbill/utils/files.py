"""get_file: a file from the network, kept in a cache folder, checked by its hash, unpacked if asked.

A file appears in the cache only when it is complete and its hash is right. Not for: reading what is in it.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import pathlib
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Sequence
from typing import Any

from hornbill.engine.errors import ArgumentError, FileError, one_of
from hornbill.utils.archives import extract_archive
from hornbill.utils.progbar import Progbar, say

__all__ = ["get_file"]

_BLOCK = 2**16
_TIMEOUT_SECONDS = 60


def get_file(
    fname: str | os.PathLike[str] | None = None,
    origin: str | None = None,
    untar: bool = False,
    md5_hash: str | None = None,
    file_hash: str | None = None,
    cache_subdir: str = "datasets",
    hash_algorithm: str = "auto",
    extract: bool = False,
    archive_format: str | Sequence[str] | None = "auto",
    cache_dir: str | os.PathLike[str] | None = None,
    force_download: bool = False,
) -> str:
    """Returns the path of a file, downloading it if it is not in the cache.

    Args:
        fname: Name in the cache, without folders; the name in `origin` if None. With `extract`, a name
            without suffix is that of the folder unpacked into.
        origin: Address: http, https or file.
        untar: Old spelling of `extract=True`.
        md5_hash: Old spelling of `file_hash`.
        file_hash: SHA-256 or MD5 hash that the file must have, in hexadecimal.
        cache_subdir: Folder below the cache folder; an absolute path is taken as it is.
        hash_algorithm: "sha256", "md5" or "auto", which tells them by their length.
        extract: Whether to unpack the file, a tar or zip archive.
        archive_format: "tar", "zip", "auto" or None.
        cache_dir: Cache folder; `$KERAS_HOME` or `~/.keras` if None.
        force_download: Whether to download a file that is in the cache.

    Returns:
        The path of the file, or of the folder it was unpacked into.

    Raises:
        ArgumentError: If an argument does not make sense.
        FileError: If the file cannot be downloaded, has another hash, or is an archive that is not safe to
            unpack.
    """
    if not origin:
        raise ArgumentError(
            "get_file: origin, the address of the file, is missing.", fixes="get_file(origin='https://...')"
        )
    file_hash, hash_algorithm = file_hash or md5_hash, "md5" if md5_hash and not file_hash else hash_algorithm
    one_of("get_file", "hash_algorithm", hash_algorithm, ("auto", "sha256", "md5"))
    extract = extract or untar
    folder = _cache_folder(cache_dir) / cache_subdir
    folder.mkdir(parents=True, exist_ok=True)
    name = _file_name(fname, origin)
    download, unpacked = folder / name, None
    if extract:
        if fname is not None and pathlib.PurePath(name).suffix:
            unpacked = folder / f"{pathlib.PurePath(name).stem}_extracted"
        else:
            download, unpacked = folder / f"{name}_archive", folder / name
    if force_download or not _is_there(download, file_hash, hash_algorithm):
        _download(origin, download, file_hash, hash_algorithm)
        fresh = True
    else:
        fresh = False
    if unpacked is None:
        return str(download)
    if (fresh or not unpacked.exists()) and not extract_archive(download, unpacked, archive_format):
        raise FileError(
            f"get_file: {name!r} is no archive that could be unpacked.",
            got=f"archive_format={archive_format!r}.",
            fixes="extract=False",
        )
    return str(unpacked)


def _cache_folder(cache_dir: str | os.PathLike[str] | None) -> pathlib.Path:
    if cache_dir is not None:
        return pathlib.Path(cache_dir).expanduser()
    chosen = pathlib.Path(os.environ.get("KERAS_HOME") or pathlib.Path.home() / ".keras")
    with contextlib.suppress(OSError):
        chosen.mkdir(parents=True, exist_ok=True)
    return chosen if os.access(chosen, os.W_OK) else pathlib.Path(tempfile.gettempdir()) / ".keras"


def _file_name(fname: str | os.PathLike[str] | None, origin: str) -> str:
    name = (
        os.fspath(fname)
        if fname is not None
        else pathlib.PurePosixPath(urllib.parse.urlparse(origin).path).name
    )
    if fname is None and (not name or urllib.parse.urlparse(origin).path.endswith("/")):
        raise ArgumentError(
            "get_file: the address does not end in a file name, so fname must be given.", got=f"{origin!r}."
        )
    if name in ("", ".", "..") or "/" in name or "\\" in name:
        raise ArgumentError(
            "get_file: fname is a name without folders.",
            got=f"fname={name!r}.",
            fixes="Choose the folder with cache_dir and cache_subdir.",
        )
    return name


def _is_there(path: pathlib.Path, file_hash: str | None, algorithm: str) -> bool:
    return path.is_file() and (file_hash is None or _hash(path, file_hash, algorithm) == file_hash.lower())


def _hash(path: pathlib.Path, expected: str, algorithm: str) -> str:
    if algorithm == "auto":
        algorithm = "sha256" if len(expected) == 64 else "md5"
    digest = hashlib.sha256() if algorithm == "sha256" else hashlib.md5(usedforsecurity=False)
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _download(origin: str, path: pathlib.Path, file_hash: str | None, algorithm: str) -> None:
    scheme = urllib.parse.urlparse(origin).scheme
    one_of("get_file", "the kind of address", scheme, ("https", "http", "file"))
    say(f"Downloading data from {origin}")
    handle, partial = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-", suffix=".part")
    os.close(handle)
    partial_path = pathlib.Path(partial)
    try:
        _fetch(origin, partial_path)
        if (
            file_hash is not None
            and (found := _hash(partial_path, file_hash, algorithm)) != file_hash.lower()
        ):
            raise FileError(
                f"get_file: the file from {origin} is not the one expected.",
                got=f"hash {found}.",
                why=f"The hash must be {file_hash}: the download is incomplete, or the file was changed.",
            )
        partial_path.replace(path)
    finally:
        partial_path.unlink(missing_ok=True)


def _fetch(origin: str, path: pathlib.Path) -> None:
    try:
        with urllib.request.urlopen(origin, timeout=_TIMEOUT_SECONDS) as response, path.open("wb") as file:  # noqa: S310
            size = int(response.headers.get("Content-Length") or 0) or None
            bar: Any = Progbar(size, unit_name="byte")
            done = 0
            while block := response.read(_BLOCK):
                file.write(block)
                done += len(block)
                bar.update(done, finalize=False)
    except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
        raise FileError(
            f"get_file: {origin} cannot be downloaded.",
            got=f"{getattr(error, 'reason', error)}.",
            fixes="Download it elsewhere and put it where this call would: fname, cache_dir, cache_subdir.",
        ) from error
    if size is not None and done < size:
        raise FileError(f"get_file: the download of {origin} broke off.", got=f"{done:,} of {size:,} bytes.")
    bar.update(done, finalize=True)
