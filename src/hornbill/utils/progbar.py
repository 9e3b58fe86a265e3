"""Progbar: the line that shows how far an epoch is, how long a step takes and what the metrics are.

On a terminal the line is redrawn in place, at most once per `interval`, and never wider than the window.
Elsewhere (files, pipes) one line is written at the end. Values may be numbers or arrays still on a device:
they are read when a line is drawn, not when they are given, so that showing progress does not hold up
training.
"""

from __future__ import annotations

import logging
import shutil
import sys
import time
from collections.abc import Iterable
from typing import Any

import numpy as np

from hornbill.engine import settings
from hornbill.engine.errors import ArgumentError, one_of

__all__ = ["Progbar"]

_BOLD, _GREEN, _WHITE, _PLAIN, _CLEAR_LINE = "\033[1m", "\033[32m", "\033[37m", "\033[0m", "\033[K"
_logger = logging.getLogger("hornbill")


class Progbar:
    """Shows progress as a line such as `25/25 ━━━━━━━━━━━━━━━━━━━━ 1s 3ms/step - loss: 0.19`.

    Args:
        target: Number of steps expected, None if unknown.
        width: Length of the bar in characters.
        verbose: 0 shows nothing, 1 a bar, 2 one line at the end.
        stateful_metrics: Names of metrics shown as given; all others are averaged over the steps.
        stateless_metrics: Names of metrics averaged over the steps; all others are shown as given. Give one
            of both.
        interval: Shortest time between two drawings in seconds.
        unit_name: What one step is called.

    Raises:
        ArgumentError: If `verbose` is unknown or both lists of metrics are given.

    Example:
        >>> bar = Progbar(2, verbose=0)
        >>> bar.update(1, [("loss", 0.5)])
        >>> bar.update(2, [("loss", 0.25)])
    """

    def __init__(
        self,
        target: int | None,
        width: int = 20,
        verbose: int = 1,
        interval: float = 0.05,
        stateful_metrics: Iterable[str] | None = None,
        stateless_metrics: Iterable[str] | None = None,
        unit_name: str = "step",
    ) -> None:
        if stateful_metrics is not None and stateless_metrics is not None:
            raise ArgumentError("Progbar: give stateful_metrics or stateless_metrics, not both.")
        self.target = target
        self.width = width
        self.verbose = one_of("Progbar", "verbose", int(verbose), (0, 1, 2))
        self.interval = interval
        self.unit_name = unit_name
        self.stateful_metrics = set(stateful_metrics or ())
        self.stateless_metrics = None if stateless_metrics is None else set(stateless_metrics)
        self._values: dict[str, _Shown] = {}
        self._seen = 0
        self._start = time.perf_counter()
        self._last_draw = -float("inf")
        self._after_first: tuple[float, int] | None = None
        self._drawn = False

    def update(
        self,
        current: int,
        values: Iterable[tuple[str, Any]] | None = None,
        finalize: bool | None = None,
    ) -> None:
        """Notes a step, and draws if it is time to.

        Args:
            current: Number of steps done.
            values: Pairs of metric name and value at this step.
            finalize: Whether this is the end; if None, whether `current` has reached the target.
        """
        if finalize is None:
            finalize = self.target is not None and current >= self.target
        new_steps = max(current - self._seen, 1)
        for name, value in values or ():
            if name not in self._values:
                self._values[name] = _Shown(averaged=self._is_averaged(name))
            self._values[name].note(value, new_steps)
        self._seen = current
        now = time.perf_counter()
        if self._after_first is None:
            self._after_first = (now, current)
        if self.verbose == 0:
            return
        if self.verbose == 1 and _is_live():
            if finalize or now - self._last_draw >= self.interval:
                self._draw_live(current, now, finalize)
                self._last_draw = now
        elif finalize:
            _write(self._line(current, now, finalize, live=False) + "\n")

    def add(self, n: int, values: Iterable[tuple[str, Any]] | None = None) -> None:
        """Like `update`, with the number of steps since the last call."""
        self.update(self._seen + n, values)

    def _is_averaged(self, name: str) -> bool:
        if self.stateless_metrics is not None:
            return name in self.stateless_metrics
        return name not in self.stateful_metrics

    def _draw_live(self, current: int, now: float, finalize: bool) -> None:
        line = self._line(current, now, finalize, live=True)
        _write("\r" + line + _CLEAR_LINE + ("\n" if finalize else ""))

    def _line(self, current: int, now: float, finalize: bool, live: bool) -> str:
        counter = self._counter(current)
        times = self._times(current, now, finalize)
        metrics = "".join(f" - {name}: {shown.text()}" for name, shown in self._values.items())
        if self.verbose == 2:
            return f"{counter} - {times[0]} - {times[1]}{metrics}"
        width = self.width
        if live:
            room = shutil.get_terminal_size().columns - 1
            text_length = len(counter) + sum(map(len, times)) + 3 + len(metrics)
            width = min(width, max(room - text_length, 5))
            overhang = text_length + width - room
            if overhang > 0:
                metrics = metrics[: max(len(metrics) - overhang - 1, 0)] + "…"
        bar = self._bar(current, width, live)
        if live:
            counter, times = f"{_BOLD}{counter}{_PLAIN}", (f"{_BOLD}{times[0]}{_PLAIN}", times[1])
        return " ".join(part for part in (counter, bar, *times) if part) + metrics

    def _counter(self, current: int) -> str:
        if self.target is None:
            return f"{current:7d}/Unknown"
        total = str(self.target)
        return f"{current:{len(total)}d}/{total}"

    def _bar(self, current: int, width: int, live: bool) -> str:
        if self.target is None:
            return ""
        done = min(int(width * current / max(self.target, 1)), width)
        mark = "━" if _can_encode("━") else "="
        if not live:
            return mark * done + ("─" if mark == "━" else "-") * (width - done)
        return f"{_GREEN}{mark * done}{_PLAIN}{_WHITE}{mark * (width - done)}{_PLAIN}"

    def _times(self, current: int, now: float, finalize: bool) -> tuple[str, str]:
        """Returns the time to come (at the end: the time taken) and the time per step."""
        per_step = self._time_per_step(current, now)
        remaining = self.target is not None and not finalize
        seconds = per_step * max((self.target or 0) - current, 0) if remaining else now - self._start
        return _format_duration(seconds), f"{_format_step_time(per_step)}/{self.unit_name}"

    def _time_per_step(self, current: int, now: float) -> float:
        """Returns seconds per step, without the first one, in which the step is compiled."""
        if not current:
            return 0.0
        if self._after_first is not None and current > self._after_first[1]:
            return (now - self._after_first[0]) / (current - self._after_first[1])
        return (now - self._start) / current


class _Shown:
    """What one metric shows: the last value given, or the average over steps."""

    __slots__ = ("averaged", "pending", "total", "weight")

    def __init__(self, averaged: bool) -> None:
        self.averaged = averaged
        self.pending: list[tuple[Any, int]] = []
        self.total = 0.0
        self.weight = 0

    def note(self, value: Any, steps: int) -> None:
        """Keeps a value without reading it."""
        if not self.averaged:
            self.pending.clear()
        self.pending.append((value, steps))

    def text(self) -> str:
        """Reads the values kept and returns what to show."""
        if self.averaged:
            for value, steps in self.pending:
                if value is not None:
                    self.total += _number(value) * steps
                    self.weight += steps
            self.pending.clear()
            value = self.total / self.weight if self.weight else None
        else:
            value = self.pending[-1][0]
            value = value if value is None or isinstance(value, str) else _number(value)
        if value is None or isinstance(value, str):
            return str(value)
        return f"{value:.4f}" if abs(value) > 1e-3 or value == 0 else f"{value:.4e}"


def _number(value: Any) -> float:
    return float(value) if isinstance(value, (int, float)) else float(np.mean(np.asarray(value)))


def _format_duration(seconds: float) -> str:
    whole = int(seconds)
    if whole >= 3600:
        return f"{whole // 3600}:{whole % 3600 // 60:02d}:{whole % 60:02d}"
    return f"{whole // 60}:{whole % 60:02d}" if whole >= 60 else f"{whole}s"


def _format_step_time(seconds: float) -> str:
    if seconds >= 1:
        return f"{seconds:.0f}s"
    return f"{seconds * 1e3:.0f}ms" if seconds >= 1e-3 else f"{seconds * 1e6:.0f}us"


def _is_live() -> bool:
    """Returns whether a line written to the output can be redrawn: on a terminal or in a notebook."""
    if not settings.is_interactive_logging_enabled():
        return False
    isatty = getattr(sys.stdout, "isatty", None)
    return "ipykernel" in sys.modules or bool(isatty and isatty())


def _can_encode(text: str) -> bool:
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def say(text: str) -> None:
    """Writes a line where progress is written."""
    _write(text + "\n")


def _write(text: str) -> None:
    if not settings.is_interactive_logging_enabled():
        _logger.info(text.strip())
        return
    if not _can_encode(text):
        text = text.encode("ascii", "replace").decode()
    sys.stdout.write(text)
    sys.stdout.flush()
