"""The persistent compilation cache: a program compiled once is not compiled again in the next process.

Compiled programs are trusted code, so the folder must belong to the user and be closed to others. `HORNBILL_CACHE`
moves it to another folder; `HORNBILL_CACHE=off` stops it. A cache that the program or JAX's own settings already chose
is left alone.
"""

from __future__ import annotations

import os
import stat
import warnings
from pathlib import Path

import jax

__all__ = ["cache_folder", "enable"]


def cache_folder() -> Path | None:
    """Returns the folder of the cache as the environment says, or None if it is switched off."""
    setting = os.environ.get("HORNBILL_CACHE", "").strip()
    if setting.lower() in ("off", "0", "false", "no"):
        return None
    if setting:
        return Path(setting).expanduser()
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "hornbill" / "xla"


def enable() -> None:
    """Switches the cache on, unless the environment or JAX's settings say otherwise."""
    folder = cache_folder()
    if folder is None or jax.config.jax_compilation_cache_dir or "JAX_COMPILATION_CACHE_DIR" in os.environ:  # type: ignore[attr-defined]
        return
    if not _is_private(folder):
        return
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.3)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
    jax.config.update("jax_compilation_cache_max_size", 2 * 2**30)


def _is_private(folder: Path) -> bool:
    """Makes the folder if needed and returns whether only this user can write into it."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        state = folder.lstat()
        if not hasattr(os, "getuid"):
            return True
        if stat.S_ISLNK(state.st_mode) or state.st_uid != os.getuid():
            warnings.warn(
                f"The compilation cache {folder} belongs to somebody else or is a link, so it is not used. "
                "Set HORNBILL_CACHE to a folder of your own, or to 'off'.",
                stacklevel=3,
            )
            return False
        if stat.S_IMODE(state.st_mode) != 0o700:
            folder.chmod(0o700)
        return True
    except OSError:
        return False
