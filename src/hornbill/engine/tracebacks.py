"""Tracebacks of users' mistakes: their own lines, without the frames of Hornbill and JAX in between.

`keras.config.disable_traceback_filtering()` shows all frames again.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

from hornbill.engine.blame import users_frames, without_engine_notes
from hornbill.engine.errors import HornbillError
from hornbill.engine.settings import is_traceback_filtering_enabled

__all__ = ["users_view"]

F = TypeVar("F", bound=Callable[..., Any])


def users_view(function: F) -> F:
    """Returns a function from which a HornbillError comes with the user's frames only."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except HornbillError as error:
            without_engine_notes(error)
            if not is_traceback_filtering_enabled():
                raise
            raise error.with_traceback(users_frames(error.__traceback__)) from error.__cause__

    return call  # type: ignore[return-value]
