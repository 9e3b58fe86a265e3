"""Data that arrives batch by batch: generators, loaders, data sets with numbered batches.

Streams are read one or two batches ahead by a thread; data sets with `workers` by a pool that keeps the
order. An epoch without `steps` is one pass over the data; with `steps` it takes that many and the next one
goes on there.

Not for: arrays in memory (`arrays`).
"""

from __future__ import annotations

import itertools
import multiprocessing
import warnings
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from hornbill.engine.errors import DataError
from hornbill.training.data.batches import Batch, Batches, batch_rows, epoch_order, spec_of
from hornbill.training.data.prefetch import Prefetcher, Pushback
from hornbill.training.data.sources import (
    IterableSource,
    check_batch,
    convert_parts,
    describe_source,
    unpack,
)
from hornbill.training.data.weights import with_class_weight

__all__ = ["DatasetBatches", "StreamBatches"]


class _Incoming(Batches):
    """What all batchwise sources share: taking items apart, their shape, the warning at a short epoch."""

    def __init__(
        self, value: Any, steps: int | None, class_weight: dict[int, float] | None, seed: int
    ) -> None:
        self.value = value
        self.steps = steps
        self.seed = seed
        self.class_weight = class_weight
        self.lists_are_batches = False
        self._spec: Any = None
        self._warned = False
        self._warned_classes: set[int] = set()

    def _prepare(self, item: Any) -> Batch:
        parts = convert_parts(*unpack(item, self.lists_are_batches))
        x, y, weight = check_batch(parts, f"from {describe_source(self.value)}")
        return x, y, with_class_weight(y, weight, self.class_weight, self._warned_classes)

    def _first(self) -> Any:
        raise NotImplementedError

    @property
    def spec(self) -> Any:  # type: ignore[override]
        """(x, y, sample_weight) of `jax.ShapeDtypeStruct`, from the first batch."""
        if self._spec is None:
            self._spec = spec_of(self._prepare(self._first()))
        return self._spec

    @property
    def batch_size(self) -> int:  # type: ignore[override]
        """Rows of the first batch."""
        return batch_rows(self.spec)

    def _warn_short(self, epoch: int, came: int, expected: int, why: str) -> None:
        if not self._warned:
            self._warned = True
            warnings.warn(
                f"The data ran out in epoch {epoch + 1}: {came} batches came, {expected} were expected. "
                f"{why}",
                stacklevel=3,
            )

    def _refuse_empty(self) -> None:
        raise DataError(
            f"{describe_source(self.value).capitalize()} given as data must yield at least one batch.",
            got="an empty one: it ended before its first batch.",
            fixes=(
                "Look whether it was read before: a generator can be read once.",
                "Make a fresh one, or give a PyDataset, which can be read again every epoch.",
            ),
        )


class StreamBatches(_Incoming):
    """Batches from an iterator or from an iterable that can be started again.

    An iterator keeps its place from epoch to epoch; how far it had come cannot be saved, so a resumed run
    reads it from wherever the new iterator starts. An iterable is started again for each pass, and a resumed
    run skips what had been used of the pass.

    Args:
        value: The user's object.
        steps: Batches per epoch, or None for a whole pass.
        class_weight: Weights of classes, or None.
        seed: Kept for `state`; the order is the source's own.
    """

    def __init__(
        self,
        value: Any,
        steps: int | None = None,
        class_weight: dict[int, float] | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__(value, steps, class_weight, seed)
        self.source = IterableSource(value)
        self.lists_are_batches = self.source.lists_are_batches
        self._stream: Pushback | None = None
        self._resumed = False
        self._gave = False

    @property
    def num_batches(self) -> int | None:  # type: ignore[override]
        """Batches in one epoch, or None where the source does not say."""
        return self.steps if self.steps is not None else self.source.length

    @property
    def exhausted(self) -> bool:
        """True for an iterator that has ended."""
        return not self.source.restartable and self._stream is not None and self._stream.empty

    def _open(self) -> Pushback:
        if self._stream is None or (self.source.restartable and self._stream.empty):
            self._stream = Pushback(self.source.open())
        return self._stream

    def _first(self) -> Any:
        stream = self._open()
        item = next(stream, _NOTHING)
        if item is _NOTHING:
            self._refuse_empty()
        stream.give_back([item])
        return item

    def restore(self, state: dict[str, Any]) -> None:
        """Takes over what `state` returned; the next epoch skips what the earlier run had used."""
        super().restore(state)
        self._resumed = True

    def _skip(self, epoch: int, start: int) -> None:
        if not self.source.restartable:
            return
        used = start
        if self._resumed and self.steps is not None:
            used += epoch * self.steps
            used = used % self.source.length if self.source.length else used
        self._resumed = False
        for _ in itertools.islice(self._open(), used):
            pass

    def epoch(self, epoch: int = 0, start: int = 0) -> Iterator[Batch]:
        """Yields the batches of one epoch; an iterator goes on where it stands."""
        if start or self._resumed:
            self._skip(epoch, start)
        left = None if self.steps is None else self.steps - start
        came = 0
        try:
            for _ in range(2):
                with Prefetcher(self._open(), limit=left, prepare=self._prepare) as reader:
                    for batch in reader:
                        came += 1
                        self._gave = True
                        yield batch
                # The pass before ended exactly with its epoch: this one begins a new pass.
                if came or not self.source.restartable or not self._gave:
                    break
        finally:
            if self.steps is None and self.source.restartable:
                self._stream = None
        if not self._gave and not start:
            self._refuse_empty()
        if left is not None and came < left:
            self._warn_short(epoch, came, left, _ADVICE[self.source.restartable])
        elif came == 0:
            self._warn_short(epoch, 0, 1, _ADVICE[False])


_NOTHING = object()
_ADVICE = {
    True: "Make it longer, lower steps_per_epoch, or repeat it (tf.data: .repeat()).",
    False: "A generator can be read once; let it loop forever (while True) and set steps_per_epoch, "
    "or give a PyDataset.",
}
_process_dataset: Any = None


def _receive_dataset(dataset: Any) -> None:
    """Keeps the data set in a worker process, where it arrives once."""
    global _process_dataset
    _process_dataset = dataset


def _fetch_in_process(index: int) -> Any:
    return _process_dataset[index]


class DatasetBatches(_Incoming):
    """Batches from a data set with numbered batches: `PyDataset` and its older names.

    Args:
        value: The data set: `__getitem__` gives batch i; `num_batches` or `__len__` says how many.
        steps: Batches per epoch, or None for all.
        shuffle: Whether to give the batches in a new order each pass.
        class_weight: Weights of classes, or None.
        seed: Number from which the orders follow.
    """

    def __init__(
        self,
        value: Any,
        steps: int | None = None,
        shuffle: bool = False,
        class_weight: dict[int, float] | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__(value, steps, class_weight, seed)
        self.shuffle = bool(shuffle)
        self.workers = int(getattr(value, "workers", 1) or 1)
        self.processes = bool(getattr(value, "use_multiprocessing", False))
        self.ahead = max(1, int(getattr(value, "max_queue_size", 10) or 10))

    @property
    def length(self) -> int | None:
        """Batches in one pass; None for an endless data set."""
        count = self.value.num_batches if hasattr(self.value, "num_batches") else len(self.value)
        return None if count is None else int(count)

    @property
    def num_batches(self) -> int | None:  # type: ignore[override]
        """Batches in one epoch, or None for an endless data set without `steps`."""
        if self.steps is None:
            return self.length
        return self.steps if self.length is None else min(self.steps, self.length)

    def _window(self, epoch: int) -> Iterator[int] | list[int]:
        """Returns the numbers of the batches of one epoch, in order."""
        length = self.length
        if length is None:
            first = epoch * (self.steps or 0)
            return itertools.count() if self.steps is None else iter(range(first, first + self.steps))
        if length == 0:
            self._refuse_empty()
        count = min(self.steps or length, length)
        number, part = divmod(epoch, -(-length // count))
        order = epoch_order(self.seed, number, length) if self.shuffle else range(length)
        return [int(index) for index in order[part * count : (part + 1) * count]]

    def steps_in(self, epoch: int) -> int | None:
        """Returns the number of batches of this very epoch, or None for an endless one without `steps`."""
        return self.steps if self.length is None else len(list(self._window(epoch)))

    def _first(self) -> Any:
        return self._fetch(next(iter(self._window(0))))

    def _fetch(self, index: int) -> Any:
        try:
            return self.value[index]
        except Exception as error:
            if not (self.length is None and isinstance(error, IndexError)):
                error.add_note(f"while reading batch {index} of {describe_source(self.value)}")
            raise

    def _one_by_one(self, indices: Iterator[int]) -> Iterator[Any]:
        for index in indices:
            try:
                yield self._fetch(index)
            except IndexError:
                if self.length is not None:
                    raise
                return

    def _executor(self) -> tuple[Executor, Callable[[int], Any]]:
        if not self.processes:
            return ThreadPoolExecutor(self.workers, thread_name_prefix="hornbill-data"), self._fetch
        # spawn, not fork: a forked copy of a process with running JAX threads may hang.
        context = multiprocessing.get_context("spawn")
        pool = ProcessPoolExecutor(
            self.workers, context, initializer=_receive_dataset, initargs=(self.value,)
        )
        return pool, _fetch_in_process

    def _pooled(self, indices: Iterator[int]) -> Iterator[Any]:
        """Yields batches in order while workers fetch up to `max_queue_size` of them ahead."""
        pool, fetch = self._executor()
        waiting: deque[Any] = deque()
        try:
            waiting.extend(pool.submit(fetch, index) for index in itertools.islice(indices, self.ahead))
            while waiting:
                try:
                    item = waiting.popleft().result()
                except IndexError:
                    if self.length is not None:
                        raise
                    return
                yield item
                waiting.extend(pool.submit(fetch, index) for index in itertools.islice(indices, 1))
        except BrokenProcessPool as error:
            raise DataError(
                "The worker processes of a data set ended early.",
                got=f"{describe_source(self.value)} with use_multiprocessing=True, workers={self.workers}.",
                why="Each worker starts Python anew, imports the script and receives a copy of the data set.",
                fixes=(
                    "Put the training code of a script under: if __name__ == '__main__':",
                    "use_multiprocessing=False reads with threads.",
                ),
            ) from error
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def epoch(self, epoch: int = 0, start: int = 0) -> Iterator[Batch]:
        """Yields the batches of one epoch, and tells the data set when it begins and ends."""
        if hasattr(self.value, "on_epoch_begin"):
            self.value.on_epoch_begin()
        indices = itertools.islice(iter(self._window(epoch)), start, None)
        came = start
        if self.workers > 1 or self.processes:
            for item in self._pooled(indices):
                came += 1
                yield self._prepare(item)
        else:
            with Prefetcher(Pushback(self._one_by_one(indices)), prepare=self._prepare) as reader:
                for batch in reader:
                    came += 1
                    yield batch
        self.value.on_epoch_end()
        if came == 0:
            self._refuse_empty()
        if self.steps is not None and came < self.steps:
            self._warn_short(epoch, came, self.steps, f"The data set has {self.length} batches.")
