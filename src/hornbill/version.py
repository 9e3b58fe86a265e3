"""The version of the package."""

__all__ = ["__version__", "version"]

__version__ = "0.1.0"


def version() -> str:
    """Returns the version of Hornbill."""
    return __version__
