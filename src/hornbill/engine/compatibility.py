"""Old spellings: the one way in which Hornbill says that a spelling is old.

`warn_once(key, text)` warns the first time in a process and is silent afterwards. The table of old spellings and the
import alias live in `hornbill.compat`; this is the part that the lower layers need.
"""

from __future__ import annotations

import sys
import warnings

from hornbill.engine.frames import is_users

__all__ = ["forget_warnings", "warn_once"]

_said: set[str] = set()


def warn_once(key: str, text: str) -> None:
    """Issues `text` as a UserWarning the first time that `key` is met."""
    if key not in _said:
        _said.add(key)
        warnings.warn(text, UserWarning, stacklevel=_depth_of_user())


def _depth_of_user() -> int:
    """Returns the `stacklevel` of the first caller outside Hornbill and of the JAX that traces for it."""
    depth, frame = 1, sys._getframe(1)
    while frame is not None and not is_users(frame):
        depth, frame = depth + 1, frame.f_back
    return depth


def forget_warnings() -> None:
    """Lets every warning be given again (for tests)."""
    _said.clear()
