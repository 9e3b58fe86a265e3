"""timeseries_dataset_from_array: batches of windows that slide over a series."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from hornbill.engine.errors import ArgumentError, one_of
from hornbill.engine.random import host_rng
from hornbill.utils.pydataset import PyDataset

__all__ = ["timeseries_dataset_from_array"]


class WindowBatches(PyDataset):
    """Batches of windows of a series, and their targets."""

    def __init__(
        self, data: np.ndarray, targets: np.ndarray | None, starts: np.ndarray, offsets: np.ndarray,
        batch_size: int | None, rng: np.random.Generator | None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.data, self.targets = data, targets
        self.starts, self.offsets = starts, offsets
        self.batch_size, self.rng = batch_size, rng
        self.order = np.arange(len(starts))
        self.on_epoch_end()

    def __len__(self) -> int:
        return math.ceil(len(self.starts) / (self.batch_size or 1))

    def __getitem__(self, index: int) -> Any:
        if not 0 <= index < len(self):
            raise IndexError(index)
        size = self.batch_size or 1
        chosen = self.order[index * size : (index + 1) * size]
        windows = self.data[self.starts[chosen][:, None] + self.offsets]  # (batch, time, ...)
        targets = None if self.targets is None else self.targets[self.starts[chosen]]
        if self.batch_size is None:
            windows, targets = windows[0], None if targets is None else targets[0]
        return windows if targets is None else (windows, targets)

    def on_epoch_end(self) -> None:
        """Draws the order of the next epoch."""
        if self.rng is not None:
            self.rng.shuffle(self.order)


def timeseries_dataset_from_array(
    data: Any,
    targets: Any,
    sequence_length: int,
    sequence_stride: int = 1,
    sampling_rate: int = 1,
    batch_size: int | None = 128,
    shuffle: bool = False,
    seed: int | None = None,
    start_index: int | None = None,
    end_index: int | None = None,
    format: str = "tf",
) -> PyDataset:
    """Makes batches of windows out of a series of equally spaced points.

    Args:
        data: The series; time is axis 0.
        targets: `targets[i]` belongs to the window that starts at point i; None for windows alone.
        sequence_length: Points in a window.
        sequence_stride: Points from the start of a window to that of the next.
        sampling_rate: Points from one point of a window to the next.
        batch_size: Windows in a batch; None gives single windows.
        shuffle: Whether to shuffle the windows, anew each epoch.
        seed: Seed of the shuffling.
        start_index: First point to use.
        end_index: Point before which to stop.
        format: "tf" or "grain", kept for Keras' sake; both give the same PyDataset.

    Returns:
        A `PyDataset` of `windows` or `(windows, targets)`.

    Raises:
        ArgumentError: If a number makes no sense or the series is shorter than a window.

    Shapes:
        `(time, ...)` -> `(batch, sequence_length, ...)`

    Example:
        >>> dataset = timeseries_dataset_from_array(np.arange(6), np.arange(6) * 10, sequence_length=3)
        >>> windows, targets = dataset[0]
        >>> windows[1].tolist(), int(targets[1])
        ([1, 2, 3], 10)
    """
    one_of("timeseries_dataset_from_array", "format", format, ("tf", "grain"))
    series = np.asarray(data)
    goals = None if targets is None else np.asarray(targets)
    for name, value in (
        ("sequence_length", sequence_length), ("sequence_stride", sequence_stride), ("sampling_rate",
        sampling_rate), ("batch_size", 1 if batch_size is None else batch_size),
    ):  # fmt: skip
        if not hasattr(value, "__index__") or not 1 <= value <= max(
            len(series), value if name == "batch_size" else 0
        ):
            raise ArgumentError(
                f"timeseries_dataset_from_array: {name} must be a whole number from 1"
                + ("." if name == "batch_size" else f" to the length of the series, {len(series)}."),
                got=f"{name}={value!r}.",
            )
    first, last = start_index or 0, len(series) if end_index is None else end_index
    if not (0 <= first < last <= len(series)):
        raise ArgumentError(
            "timeseries_dataset_from_array: start_index and end_index must mark a part of the series.",
            got=f"start_index={start_index!r}, end_index={end_index!r} with {len(series)} points.",
        )
    offsets = np.arange(sequence_length) * sampling_rate
    stop = last - offsets[-1]
    if goals is not None:
        stop = min(stop, len(goals))
    starts = np.arange(first, max(stop, first), sequence_stride)
    if not len(starts):
        raise ArgumentError(
            "timeseries_dataset_from_array: the series is shorter than one window.",
            got=f"{last - first} points; a window spans {offsets[-1] + 1}.",
        )
    rng = host_rng(seed) if shuffle else None
    return WindowBatches(series, goals, starts, offsets, batch_size, rng)
