"""The error of imports that the alias cannot serve; `try ... except ImportError` catches it."""

from __future__ import annotations

from hornbill.engine.errors import HornbillError

__all__ = ["MissingModuleError"]


class MissingModuleError(HornbillError, ModuleNotFoundError):
    """A module or name that a script imports does not exist in Hornbill."""
