"""The dictionary of losses and metrics that callbacks receive.

A step leaves its results on the device. Reading them makes the host wait for the device, so `Logs` waits
until something reads a value, and then fetches all values at once. After that it is an ordinary dict of
Python floats.

Not for: computing metrics (the step does that) or averaging them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import jax
import numpy as np

__all__ = ["Logs"]


def _plain(value: Any) -> Any:
    """Turns a fetched array into a float where it holds one number, and leaves other values alone."""
    if isinstance(value, np.ndarray | np.generic):
        return float(value) if value.ndim == 0 and value.dtype.kind in "fiubV" else value
    return value


class Logs(dict):
    """A dict whose device values become Python floats on the first read.

    Args:
        source: A mapping of names to values (device scalars, arrays, numbers), or a function without
            arguments that returns one; the function is called on the first read and never otherwise.

    Example:
        >>> import jax.numpy as jnp
        >>> logs = Logs({"loss": jnp.ones(())})
        >>> logs["loss"], dict(logs)
        (1.0, {'loss': 1.0})
    """

    def __init__(self, source: Mapping[str, Any] | Callable[[], Mapping[str, Any]] | None = None) -> None:
        super().__init__()
        self._source: Any = source if callable(source) else None
        self._pending = True
        if source is not None and not callable(source):
            dict.update(self, source)

    @property
    def pending(self) -> bool:
        """True while nothing has been read, so no wait for the device has happened."""
        return self._pending

    def _settle(self) -> None:
        if not self._pending:
            return
        written = {name: dict.__getitem__(self, name) for name in dict.keys(self)}
        if self._source is not None:
            written = {**dict(self._source()), **written}
            self._source = None
        self._pending = False
        for name, value in jax.device_get(written).items():
            dict.__setitem__(self, name, _plain(value))

    def __getitem__(self, name: str) -> Any:
        self._settle()
        return super().__getitem__(name)

    def __iter__(self) -> Iterator[str]:
        # Overridden so that dict(logs) and {**logs} use keys() and [] and not the raw table.
        self._settle()
        return super().__iter__()

    def __contains__(self, name: object) -> bool:
        if self._source is not None:
            self._settle()
        return super().__contains__(name)

    def __len__(self) -> int:
        if self._source is not None:
            self._settle()
        return super().__len__()

    def __bool__(self) -> bool:
        return self._source is not None or super().__len__() > 0

    def __repr__(self) -> str:
        self._settle()
        return super().__repr__()

    def __eq__(self, other: object) -> bool:
        self._settle()
        return super().__eq__(other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = None  # type: ignore[assignment]

    def __or__(self, other: Any) -> dict[str, Any]:
        return {**dict(self), **other}

    def __ror__(self, other: Any) -> dict[str, Any]:
        return {**other, **dict(self)}

    def __reduce__(self) -> tuple[Any, ...]:
        return (dict, (dict(self),))

    def keys(self) -> Any:
        """Returns the names; does not wait for the device."""
        if self._source is not None:
            self._settle()
        return super().keys()

    def values(self) -> Any:
        """Returns the values as Python floats."""
        self._settle()
        return super().values()

    def items(self) -> Any:
        """Returns pairs of name and Python float."""
        self._settle()
        return super().items()

    def get(self, name: str, default: Any = None) -> Any:
        """Returns the value called `name`, or `default`."""
        self._settle()
        return super().get(name, default)

    def pop(self, *args: Any) -> Any:
        """Removes a name and returns its value."""
        self._settle()
        return super().pop(*args)

    def popitem(self) -> tuple[str, Any]:
        """Removes the newest name and returns it with its value."""
        self._settle()
        return super().popitem()

    def setdefault(self, name: str, default: Any = None) -> Any:
        """Returns the value called `name`, after setting it to `default` if it was missing."""
        self._settle()
        return super().setdefault(name, default)

    def copy(self) -> dict[str, Any]:
        """Returns an ordinary dict with the same names and values."""
        return dict(self)
