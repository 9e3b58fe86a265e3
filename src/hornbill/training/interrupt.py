"""Ctrl-C between two steps, never inside one.

A step gives the old weights away and puts the new ones in their place; an interrupt in between would leave the model
without weights. While a loop runs, the first Ctrl-C is remembered and raised after the step; a second one is raised at
once.
"""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any, Self

__all__ = ["InterruptGuard"]


class InterruptGuard:
    """Holds Ctrl-C back until `check` is called; works in the main thread, elsewhere it does nothing."""

    def __init__(self) -> None:
        self._asked = False
        self._before: Any = None
        self._active = False

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            before = signal.getsignal(signal.SIGINT)
            if before is signal.default_int_handler:
                self._before, self._active = before, True
                signal.signal(signal.SIGINT, self._ask)
        return self

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self._asked:
            raise KeyboardInterrupt
        self._asked = True

    def check(self) -> None:
        """Raises the KeyboardInterrupt that was asked for meanwhile."""
        if self._asked:
            self._asked = False
            raise KeyboardInterrupt

    def __exit__(self, *exc: object) -> None:
        if self._active:
            signal.signal(signal.SIGINT, self._before)
            self._active = False
        if exc[0] is None:
            self.check()
