"""Ctrl-C between two steps, never inside one.

A step gives the old weights away and puts the new ones in their place; an interrupt in between would leave the model
without weights. While a loop runs, Ctrl-C is remembered and raised after the step; the third one is raised at once, for
a step or a data source that never ends.
"""

from __future__ import annotations

import signal
import sys
import threading
from types import FrameType
from typing import Any, Self

__all__ = ["InterruptGuard"]


class InterruptGuard:
    """Holds Ctrl-C back until `check` is called; works in the main thread, elsewhere it does nothing."""

    def __init__(self) -> None:
        self._asked = 0
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
        self._asked += 1
        if self._asked == 1:
            sys.stderr.write(
                "\nStopping after this step. (Twice more Ctrl-C stops at once; weights may be lost.)\n"
            )
        if self._asked >= 3:
            raise KeyboardInterrupt

    def check(self) -> None:
        """Raises the KeyboardInterrupt that was asked for meanwhile."""
        if self._asked:
            self._asked = 0
            raise KeyboardInterrupt

    def __exit__(self, *exc: object) -> None:
        if self._active:
            signal.signal(signal.SIGINT, self._before)
            self._active = False
        if exc[0] is None:
            self.check()
