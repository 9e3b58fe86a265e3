"""The one place where Hornbill's errors are made.

Every error a user can cause says, in this order: what was asked, what came, why the two do not fit, and the one to
three likeliest repairs as code. The same four parts are fields of the exception. Each class is also the built-in
exception that Keras raises in that place, so `except ValueError` keeps working.

Not for: programming errors inside Hornbill, which stay ordinary exceptions.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Sequence
from typing import Any

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
    "StateError",
    "did_you_mean",
    "one_of",
]


class HornbillError(Exception):
    """Base of every error that Hornbill raises for a user's mistake.

    Args:
        asked: What was asked for; the first sentence of the message.
        got: What came instead, with axes named where it is a shape.
        why: The rule that does not hold, with numbers.
        fixes: The likeliest repairs, most likely first, each as code or one sentence.

    Attributes:
        where: What was running when it happened, where the first sentence does not say so.
    """

    where: str | None = None

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
        self.args = (self._message(),)

    def _message(self) -> str:
        lines = [self.asked]
        if self.where:
            lines.append(f"  In:  {self.where}")
        if self.got:
            lines.append(f"  Got: {self.got}")
        if self.why:
            lines.append(f"  Why: {self.why}")
        if self.fixes:
            label = "Fix: " if len(self.fixes) == 1 else "Fixes: "
            pad = "\n" + " " * (2 + len(label))
            lines.append("  " + label + pad.join(self.fixes))
        return "\n".join(lines)


class ArgumentError(HornbillError, ValueError):
    """An argument has a value outside what its parameter allows."""


class ArgumentTypeError(HornbillError, TypeError):
    """An argument has the wrong type, or a name that the function does not have."""


class ShapeError(HornbillError, ValueError):
    """Shapes do not fit each other or the layer they are given to."""


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
