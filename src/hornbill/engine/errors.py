"""The one place where Hornbill's errors are made.

Every error a user can cause says, in this order: what was asked, what came, why the two do not fit, and the one to
three likeliest repairs as code. The same four parts are fields of the exception. Each class is also the built-in
exception that Keras raises in that place, so `except ValueError` keeps working.

Not for: programming errors inside Hornbill, which stay ordinary exceptions.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

__all__ = [
    "ArgumentError",
    "ArgumentTypeError",
    "DataError",
    "FileError",
    "HornbillError",
    "MissingNameError",
    "NotBuiltError",
    "NotWrittenError",
    "ShapeError",
    "SourceLine",
    "StateError",
    "Step",
    "did_you_mean",
    "one_of",
]


_MOST_STEPS = 8


class Step(NamedTuple):
    """A layer that ran before the one that stopped.

    Attributes:
        name: The layer's name.
        class_name: Its class.
        shape: Shape of its output.
        text: The shape with its axes named, and the arithmetic of the sizes that the layer changed.
    """

    name: str
    class_name: str
    shape: tuple[int | None, ...]
    text: str

    def rewritten(self, change: Callable[[str], str]) -> Step:
        """Returns the step with its text changed by a function, and the shape likewise."""
        shape = tuple(None if change(str(size)) == "None" else size for size in self.shape)
        return self._replace(shape=shape, text=change(self.text))


class SourceLine(NamedTuple):
    """A line of the user's program.

    Attributes:
        file: Path of the file.
        number: Number of the line, from 1.
        text: The line itself.
    """

    file: str
    number: int
    text: str

    def __str__(self) -> str:
        return f"{Path(self.file).name}, line {self.number}: {self.text}"


class HornbillError(Exception):
    """Base of every error that Hornbill raises for a user's mistake.

    Args:
        asked: What was asked for; the first sentence of the message.
        got: What came instead, with axes named where it is a shape.
        why: The rule that does not hold, with numbers.
        fixes: The likeliest repairs, most likely first, each as code or one sentence.

    Attributes:
        where: What was running when it happened, where the first sentence does not say so.
        trail: The layers that ran before, the earliest first.
        stopped_at: Name of the layer that stopped; None if none was called.
        line: The line of the user's program that made that layer; None if unknown.
    """

    where: str | None = None
    trail: tuple[Step, ...] = ()
    stopped_at: str | None = None
    line: SourceLine | None = None

    def __init__(
        self, asked: str, got: str | None = None, why: str | None = None, fixes: Sequence[str] | str = ()
    ) -> None:
        self.asked = asked
        self.got = got
        self.why = why
        self.fixes = (fixes,) if isinstance(fixes, str) else tuple(fixes)
        super().__init__(self._message())

    def set_where(self, where: str) -> None:
        """Says what was running."""
        self.where = where
        self.args = (self._message(),)

    def add_way(self, stopped_at: str, steps: Sequence[Step], line: SourceLine | None) -> None:
        """Adds what ran before; called from the layer that stopped outwards."""
        self.stopped_at = self.stopped_at or stopped_at
        self.line = self.line or line
        self.trail = (*steps, *self.trail)
        self.args = (self._message(),)

    def complete(self, why: str, fixes: Sequence[str]) -> None:
        """Adds a reason, and fixes that are likelier than those there are; three stay."""
        self.why = f"{self.why} {why}" if self.why else why
        self.fixes = (*fixes, *self.fixes)[:3]
        self.args = (self._message(),)

    @property
    def parts(self) -> tuple[str, str | None, str | None, tuple[str, ...]]:
        """What was asked, what came, why, and the fixes: the arguments of an equal error."""
        return self.asked, self.got, self.why, self.fixes

    def rewrite(self, change: Callable[[str], str]) -> None:
        """Changes the text of every part by a function."""
        self.asked = change(self.asked)
        self.where = None if self.where is None else change(self.where)
        self.got = None if self.got is None else change(self.got)
        self.why = None if self.why is None else change(self.why)
        self.fixes = tuple(change(fix) for fix in self.fixes)
        self.trail = tuple(step.rewritten(change) for step in self.trail)
        self.args = (self._message(),)

    def _message(self) -> str:
        lines = [self.asked]
        if self.where:
            lines.append(f"  In:  {self.where}")
        if self.got:
            lines.append(f"  Got: {self.got}")
        if self.why:
            lines.append(f"  Why: {self.why}")
        lines += self._way()
        if self.fixes:
            label = "Fix: " if len(self.fixes) == 1 else "Fixes: "
            pad = "\n" + " " * (2 + len(label))
            lines.append("  " + label + pad.join(self.fixes))
        if self.line is not None:
            lines.append(f"  Line: {self.line}")
        return "\n".join(lines)

    def _way(self) -> list[str]:
        """Returns the lines that show the layers that ran before; nothing if that is the input alone."""
        return []


class ArgumentError(HornbillError, ValueError):
    """An argument has a value outside what its parameter allows."""


class ArgumentTypeError(HornbillError, TypeError):
    """An argument has the wrong type, or a name that the function does not have."""


class ShapeError(HornbillError, ValueError):
    """Shapes do not fit each other or the layer they are given to."""

    def _way(self) -> list[str]:
        if len(self.trail) < 2:
            return []
        shown = [(step.name, step.text) for step in self.trail]
        if len(shown) > _MOST_STEPS:
            left_out = len(shown) - _MOST_STEPS + 1
            shown = [shown[0], ("...", f"{left_out} more layers"), *shown[left_out + 1 :]]
        shown.append((self.stopped_at or "", "stops here"))
        width = max(len(name) for name, _ in shown)
        lines = [f"{name.ljust(width)}  {text}" for name, text in shown]
        return ["  Way: " + ("\n" + " " * 7).join(lines)]


class DataError(HornbillError, ValueError):
    """A data set given to fit, evaluate or predict cannot be used."""


class FileError(HornbillError, ValueError):
    """A file cannot be read or written as asked, or is not safe to read."""


class StateError(HornbillError, RuntimeError):
    """An object is used in a state that does not allow it (not compiled, being traced, locked)."""


class NotBuiltError(HornbillError, ValueError):
    """A layer or model has no weights yet because it does not know its input shape."""


class NotWrittenError(HornbillError, NotImplementedError):
    """A class lacks a method that it must have, such as a layer without `call`."""


class MissingNameError(HornbillError, AttributeError):
    """A name was asked of an object or module that does not have it."""


def did_you_mean(word: object, options: Iterable[str]) -> str:
    """Returns " Did you mean 'x'?" for the option closest to `word`, or an empty string."""
    close = difflib.get_close_matches(str(word), [str(option) for option in options], n=1, cutoff=0.6)
    return f" Did you mean {close[0]!r}?" if close else ""


def one_of(owner: str, name: str, value: Any, options: Sequence[Any]) -> Any:
    """Returns `value` if it is among `options`; raises an ArgumentError that lists them otherwise."""
    if value in options:
        return value
    listed = ", ".join(repr(option) for option in options)
    hint = did_you_mean(value, [option for option in options if isinstance(option, str)])
    raise ArgumentError(
        f"{owner}: {name} must be one of {listed}.",
        got=f"{name}={value!r}.",
        fixes=hint.strip() or f"{name}={options[0]!r}",
    )
