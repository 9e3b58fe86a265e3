"""Names: automatic ones (`conv2d_1`), the name scope that makes paths, and `clear_session`.

Only counters are global. No table keeps layers or models alive.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from hornbill.engine.errors import ArgumentError

__all__ = ["auto_name", "check_name", "current_path", "get_uid", "kept_names", "name_scope", "reset_names",
           "scope_of", "to_snake_case"]  # fmt: skip

_counters: dict[str, int] = {}
_scopes = threading.local()


def to_snake_case(name: str) -> str:
    """Returns a class name in lower case with underscores: `Conv2DTranspose` -> `conv2d_transpose`."""
    name = re.sub(r"\W+", "", name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


def get_uid(prefix: str = "") -> int:
    """Returns 1, 2, 3, ... for successive calls with the same prefix."""
    _counters[prefix] = _counters.get(prefix, 0) + 1
    return _counters[prefix]


def auto_name(class_name: str) -> str:
    """Returns the next free automatic name for a class: `dense`, `dense_1`, ..."""
    prefix = to_snake_case(class_name)
    count = get_uid(prefix) - 1
    return prefix if count == 0 else f"{prefix}_{count}"


def reset_names() -> None:
    """Starts the automatic names anew."""
    _counters.clear()


@contextmanager
def kept_names() -> Iterator[None]:
    """Lets automatic names go on, after the code inside, as if it had made nothing."""
    before = dict(_counters)
    try:
        yield
    finally:
        _counters.clear()
        _counters.update(before)


def check_name(owner: str, name: object) -> str:
    """Returns `name` if it may name a layer or weight; raises an ArgumentError otherwise."""
    if not isinstance(name, str) or not name or "/" in name or "\0" in name:
        raise ArgumentError(
            f"{owner}: a name is a non-empty string without '/'.",
            got=f"name={name!r}.",
            why="No file could hold it." if "\0" in str(name) else None,
            fixes=f"name={str(name).replace('/', '_').replace(chr(0), '_')!r}"
            if name
            else "Leave the name out to get an automatic one.",
        )
    return name


@contextmanager
def name_scope(name: str) -> Iterator[None]:
    """Puts `name/` before the paths of variables created inside."""
    stack = _stack()
    stack.append(name)
    try:
        yield
    finally:
        stack.pop()


def scope_of(name: str) -> AbstractContextManager[None]:
    """Returns the name scope of a layer, or nothing more to open where it is the innermost already."""
    stack = _stack()
    return nullcontext() if stack and stack[-1] == name else name_scope(name)


def current_path() -> str:
    """Returns the open name scopes joined by `/`."""
    return "/".join(_stack())


def _stack() -> list[str]:
    if not hasattr(_scopes, "stack"):
        _scopes.stack = []
    return _scopes.stack
