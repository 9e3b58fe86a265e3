"""PyDataset: a data set whose batches have numbers, so that several workers can make them.

Not for: reading it in parallel; `fit`, `evaluate` and `predict` do that. Iterating by hand is one batch after
another.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hornbill.engine.errors import ArgumentError

__all__ = ["PyDataset", "Sequence"]


class PyDataset:
    """Base of data sets that make batch i on request.

    A subclass defines `__getitem__(self, index)`, which returns batch `index` as x, `(x, y)` or
    `(x, y, sample_weight)`, and `__len__(self)`, the number of batches (or the property `num_batches`, None
    for an endless data set). `on_epoch_begin` and `on_epoch_end` may be overridden, to shuffle for instance.

    Args:
        workers: How many workers make batches at the same time.
        use_multiprocessing: Whether they are processes instead of threads. The data set is then copied by
            pickling.
        max_queue_size: How many batches may be made ahead.

    Raises:
        ArgumentError: If workers or queue size are not whole numbers above 0.

    Example:
        >>> class Squares(PyDataset):
        ...     def __len__(self):
        ...         return 3
        ...
        ...     def __getitem__(self, index):
        ...         return index**2
        >>> list(Squares(workers=2))
        [0, 1, 4]
    """

    # On the class, so that a subclass that does not call super().__init__() works too.
    _workers = 1
    _use_multiprocessing = False
    _max_queue_size = 10

    def __init__(self, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10) -> None:
        self.workers = workers
        self.use_multiprocessing = use_multiprocessing
        self.max_queue_size = max_queue_size

    @property
    def workers(self) -> int:
        """How many workers make batches at the same time."""
        return self._workers

    @workers.setter
    def workers(self, value: int) -> None:
        self._workers = _count("workers", value, lowest=0)

    @property
    def use_multiprocessing(self) -> bool:
        """Whether the workers are processes."""
        return self._use_multiprocessing

    @use_multiprocessing.setter
    def use_multiprocessing(self, value: bool) -> None:
        self._use_multiprocessing = bool(value)

    @property
    def max_queue_size(self) -> int:
        """How many batches may be made ahead."""
        return self._max_queue_size

    @max_queue_size.setter
    def max_queue_size(self, value: int) -> None:
        self._max_queue_size = _count("max_queue_size", value, lowest=1)

    @property
    def num_batches(self) -> int | None:
        """The number of batches in an epoch, None if there is no end."""
        if hasattr(self, "__len__"):
            return len(self)  # type: ignore[arg-type]
        raise NotImplementedError(
            f"{type(self).__name__} must define __len__ or the property num_batches (None: endless)."
        )

    def __getitem__(self, index: int) -> Any:
        """Returns batch `index`."""
        raise NotImplementedError(f"{type(self).__name__} must define __getitem__(self, index).")

    def __iter__(self) -> Iterator[Any]:
        """Yields one epoch's batches in order."""
        count = self.num_batches
        index = 0
        while count is None or index < count:
            yield self[index]
            index += 1

    def on_epoch_begin(self) -> None:
        """Called before each epoch."""

    def on_epoch_end(self) -> None:
        """Called after each epoch."""


def _count(name: str, value: Any, lowest: int) -> int:
    if isinstance(value, bool) or not hasattr(value, "__index__") or value < lowest:
        raise ArgumentError(
            f"PyDataset: {name} must be a whole number of at least {lowest}.", got=f"{name}={value!r}."
        )
    return int(value)


Sequence = PyDataset
