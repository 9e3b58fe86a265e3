"""Backups from which an interrupted `fit` goes on exactly: same weights, random numbers and order of data.

One file holds everything (model, optimizer, random state, position in the data, states of the other
callbacks), so its parts cannot disagree. It is written beside the old one, brought to the disk, and then
takes its place: a crash at any moment leaves a whole file. It holds numbers and JSON only; reading it runs no
code.

Not for: keeping models for use (`ModelCheckpoint`).
"""

from __future__ import annotations

import json
import os
import warnings
import zipfile
from pathlib import Path
from typing import Any

import jax
import numpy as np

from hornbill.callbacks.callback import Callback
from hornbill.callbacks.checkpoint import BatchCounter
from hornbill.engine.errors import ArgumentError, FileError
from hornbill.saving.atomic import atomic_path

__all__ = ["BackupAndRestore", "read_state", "write_state"]

_FORMAT = "hornbill-training-state-1"


def _pack(value: Any, arrays: list[np.ndarray]) -> Any:
    """Returns `value` as JSON, with each array replaced by its number in `arrays`."""
    if isinstance(value, np.ndarray | np.generic | jax.Array):
        array = np.asarray(value)
        arrays.append(array)
        # Types that NumPy's file format does not know (bfloat16, float8) go as bytes.
        return {"array": len(arrays) - 1, "dtype": array.dtype.name, "shape": list(array.shape)}
    if isinstance(value, dict):
        return {"dict": [[_pack(key, arrays), _pack(item, arrays)] for key, item in value.items()]}
    if isinstance(value, list | tuple):
        kind = "list" if isinstance(value, list) else "tuple"
        return {kind: [_pack(item, arrays) for item in value]}
    if value is None or isinstance(value, bool | int | float | str):
        return {"value": value}
    raise ArgumentError(
        "A training state holds arrays, numbers, texts, lists and dicts.", got=f"{type(value).__name__}."
    )


def _unpack(node: dict[str, Any], arrays: dict[str, np.ndarray]) -> Any:
    if "array" in node:
        raw = arrays[f"a{node['array']}"]
        return raw.view(jax.numpy.dtype(node["dtype"])).reshape(node["shape"])
    if "dict" in node:
        return {_unpack(key, arrays): _unpack(item, arrays) for key, item in node["dict"]}
    for kind, build in (("list", list), ("tuple", tuple)):
        if kind in node:
            return build(_unpack(item, arrays) for item in node[kind])
    return node["value"]


def write_state(path: Path, state: Any) -> None:
    """Writes a nested state of arrays and plain values to `path`; a crash leaves the old file or the new one.

    Args:
        path: File to write.
        state: Nested dicts, lists and tuples of arrays, numbers and texts.
    """
    arrays: list[np.ndarray] = []
    tree = json.dumps({_FORMAT: _pack(state, arrays)})
    raw = {
        f"a{place}": np.ascontiguousarray(one).reshape(-1).view(np.uint8) for place, one in enumerate(arrays)
    }
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.savez(file, allow_pickle=False, tree=np.frombuffer(tree.encode(), np.uint8), **raw)  # type: ignore[arg-type]


def read_state(path: Path) -> Any:
    """Returns what `write_state` wrote.

    Raises:
        FileError: The file is damaged or is no training state.
    """
    try:
        with path.open("rb") as handle, np.load(handle, allow_pickle=False) as file:
            stored = {name: file[name] for name in file.files}
        top = json.loads(stored.pop("tree").tobytes())
        return _unpack(top[_FORMAT], stored)
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile, EOFError) as error:
        raise FileError(
            f"{str(path)!r} is no training state that Hornbill can read.",
            got=f"{type(error).__name__}: {error}",
            fixes="Delete the file to train from the beginning.",
        ) from error


class BackupAndRestore(Callback):
    """Saves the state of training, and takes it up again when `fit` is called after an interruption.

    A resumed run gives the same numbers as one that was never interrupted, also from the middle of an epoch.

    Args:
        backup_dir: Folder for the file; used by nothing else.
        save_freq: "epoch", a number of batches, or False for no saving.
        double_checkpoint: Whether to keep the file before as well, and to use it if the newest cannot be
            read.
        delete_checkpoint: Whether to delete the files when training has ended.

    Example:
        >>> BackupAndRestore("backup", save_freq=100).save_freq
        100
    """

    _runs_last = True

    def __init__(
        self,
        backup_dir: str | os.PathLike,
        save_freq: str | int | bool = "epoch",
        double_checkpoint: bool = False,
        delete_checkpoint: bool = True,
    ) -> None:
        super().__init__()
        if not os.fspath(backup_dir):
            raise ArgumentError("BackupAndRestore: backup_dir must name a folder.", got="an empty text.")
        counted = isinstance(save_freq, int) and not isinstance(save_freq, bool) and save_freq > 0
        if not (counted or save_freq == "epoch" or save_freq is False):
            raise ArgumentError(
                "BackupAndRestore: save_freq must be 'epoch' or a positive number of batches.",
                got=f"save_freq={save_freq!r}.",
                fixes=("save_freq='epoch'", "save_freq=1000"),
            )
        self.backup_dir = os.fspath(backup_dir)
        self.save_freq = save_freq
        self.double_checkpoint = double_checkpoint
        self.delete_checkpoint = delete_checkpoint
        folder = Path(self.backup_dir)
        self._newest, self._previous = folder / "state.npz", folder / "state.previous.npz"
        self._counter = BatchCounter(int(save_freq)) if counted else None
        self._epoch = 0
        self._callbacks: Any = None

    def _needs_batches(self, stage: str) -> bool:
        return stage == "train" and self._counter is not None

    def _join(self, callbacks: Any) -> None:
        self._callbacks = callbacks

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Takes up the state of an interrupted run, if there is one."""
        Path(self.backup_dir).mkdir(parents=True, exist_ok=True)
        found = self._load()
        if found is None:
            return
        self.model.restore_training_state(found["model"])
        self.model._initial_epoch = found["epoch"]
        self.model._initial_batch = found["batch"]
        if self._callbacks is not None:
            self._callbacks.restore(found["callbacks"])

    def _load(self) -> dict[str, Any] | None:
        candidates = [path for path in (self._newest, self._previous) if path.exists()]
        for place, path in enumerate(candidates):
            try:
                return read_state(path)
            except FileError as error:
                if place + 1 == len(candidates):
                    raise
                warnings.warn(f"{error.asked} The state before it is used.", stacklevel=4)
        return None

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Remembers the epoch."""
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Saves every `save_freq` batches."""
        if self._counter is not None and self._counter.due(batch):
            self._save(self._epoch, batch + 1)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Saves after the epoch."""
        if self.save_freq == "epoch":
            self._save(epoch + 1, 0)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Deletes the files of a run that has come to its end."""
        if self.delete_checkpoint:
            for path in (self._newest, self._previous):
                path.unlink(missing_ok=True)
            folder = Path(self.backup_dir)
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()

    def _save(self, epoch: int, batch: int) -> None:
        """Writes the state from which training goes on at `batch` of `epoch`."""
        state = {
            "epoch": epoch,
            "batch": batch,
            "model": self.model.training_state(),
            "callbacks": self._callbacks.state() if self._callbacks is not None else [],
        }
        if self.double_checkpoint and self._newest.exists():
            self._newest.replace(self._previous)
        write_state(self._newest, state)
