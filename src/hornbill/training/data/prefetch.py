"""A reader that fetches the next items in a thread while the device computes.

The thread lives for one epoch at most: it ends when the items are used up, when a given number has been read,
when reading fails, or when `close` is called. What it had read but nobody took goes back to the source, so a
generator keeps its position from epoch to epoch.

Not for: reading several items at the same time (`streams` does that for datasets with workers).
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

__all__ = ["Prefetcher", "Pushback"]


class Pushback:
    """An iterator that takes items back; they come out first, in their old order.

    Args:
        source: The iterator to read from.
    """

    def __init__(self, source: Iterator[Any]) -> None:
        self._source = source
        self._back: deque[Any] = deque()
        self.lock = threading.Lock()
        self.ended = False

    def __iter__(self) -> Pushback:
        return self

    def __next__(self) -> Any:
        if self._back:
            return self._back.popleft()
        if self.ended:
            raise StopIteration
        try:
            return next(self._source)
        except StopIteration:
            self.ended = True
            raise

    @property
    def empty(self) -> bool:
        """True when the source has ended and nothing was given back."""
        return self.ended and not self._back

    def give_back(self, items: list[Any]) -> None:
        """Puts `items` in front of what comes next."""
        self._back.extendleft(reversed(items))


class Prefetcher:
    """Iterates over at most `limit` items of `source`, read ahead by a daemon thread.

    Args:
        source: Where items come from; only the thread touches it until `close` has returned.
        limit: Items to read, or None for all.
        ahead: Items that may wait.
        prepare: Applied to each item in the thread, before it waits.

    Example:
        >>> with Prefetcher(Pushback(iter([1, 2, 3])), limit=2) as items:
        ...     list(items)
        [1, 2]
    """

    def __init__(
        self,
        source: Pushback,
        limit: int | None = None,
        ahead: int = 2,
        prepare: Callable[[Any], Any] | None = None,
    ) -> None:
        self._source = source
        self._limit = limit
        self._ahead = ahead
        self._prepare = prepare or (lambda item: item)
        self._ready: deque[tuple[Any, Any]] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._finished = False
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._read, name="hornbill-data", daemon=True)
        self._thread.start()

    def _read(self) -> None:
        # An older reader of the same source may still be inside a slow next(); wait for it.
        with self._source.lock:
            try:
                self._read_items()
            except BaseException as error:  # noqa: BLE001 - handed to the reader, which raises it
                self._error = error
            with self._changed:
                self._finished = True
                if self._closed:
                    self._return_unread()
                self._changed.notify_all()

    def _read_items(self) -> None:
        count = 0
        while self._limit is None or count < self._limit:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or len(self._ready) < self._ahead)
                if self._closed:
                    return
            try:
                item = next(self._source)
            except StopIteration:
                return
            count += 1
            prepared = self._prepare(item)
            with self._changed:
                self._ready.append((item, prepared))
                self._changed.notify_all()

    def _return_unread(self) -> None:
        self._source.give_back([item for item, _ in self._ready])
        self._ready.clear()

    def __iter__(self) -> Prefetcher:
        return self

    def __next__(self) -> Any:
        with self._changed:
            # With a timeout, so that Ctrl-C reaches the main thread on every system.
            while not (self._ready or self._finished or self._closed):
                self._changed.wait(1.0)
            if self._ready and not self._closed:
                _, prepared = self._ready.popleft()
                self._changed.notify_all()
                return prepared
        if self._error is not None:
            error, self._error = self._error, None
            raise error
        raise StopIteration

    def close(self) -> None:
        """Stops the thread; unread items go back to the source. Does not wait for a slow source."""
        with self._changed:
            if self._closed:
                return
            self._closed = True
            if self._finished:
                self._return_unread()
            self._changed.notify_all()
        if self._thread is not threading.current_thread():
            self._thread.join(timeout=0.2)

    def __enter__(self) -> Prefetcher:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
