"""Writes the values of each epoch as a row of a CSV file.

Not for: reading it back (`pandas.read_csv`).
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from hornbill.callbacks.callback import Callback

__all__ = ["CSVLogger"]


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        return value
    if isinstance(value, np.ndarray) and value.ndim == 0:
        return value.item()
    if isinstance(value, Iterable):
        return f'"[{", ".join(map(str, value))}]"'
    return value


class CSVLogger(Callback):
    """Streams the values of each epoch to a CSV file.

    The first epoch fixes the columns; a value that an epoch does not have is written as NA.

    Args:
        filename: Path of the file.
        separator: Text between two columns.
        append: Whether to go on with an existing file instead of starting anew.

    Example:
        >>> CSVLogger("training.csv").sep
        ','
    """

    def __init__(self, filename: str | os.PathLike, separator: str = ",", append: bool = False) -> None:
        super().__init__()
        self.sep = separator
        self.filename = os.fspath(filename)
        self.append = append
        self.writer: csv.DictWriter | None = None
        self.keys: list[str] | None = None
        self.append_header = True
        self.csv_file: TextIO | None = None

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Opens the file."""
        path = Path(self.filename)
        if self.append:
            self.append_header = not path.exists() or path.stat().st_size == 0
        self.csv_file = path.open("a" if self.append else "w", newline="", encoding="utf-8")

    def _open_writer(self, names: list[str]) -> csv.DictWriter:
        self.keys = sorted(names)
        # With validation_freq above 1 the first epoch has no validation values; their columns are kept free.
        if not any(name.startswith("val_") for name in self.keys):
            self.keys += [f"val_{name}" for name in self.keys]
        writer = csv.DictWriter(
            self.csv_file,  # type: ignore[arg-type]
            fieldnames=["epoch", *self.keys],
            restval="NA",
            extrasaction="ignore",
            delimiter=self.sep,
            lineterminator="\n",
        )
        if self.append_header:
            writer.writeheader()
        return writer

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Writes one row."""
        logs = {} if logs is None else logs
        if self.writer is None:
            self.writer = self._open_writer(list(logs))
        self.writer.writerow({"epoch": epoch, **{name: _cell(value) for name, value in logs.items()}})
        if self.csv_file is not None:
            self.csv_file.flush()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Closes the file."""
        if self.csv_file is not None:
            self.csv_file.close()
        self.csv_file = None
        self.writer = None
