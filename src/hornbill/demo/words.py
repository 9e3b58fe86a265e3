"""What both demos print at their end."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

__all__ = ["say_next", "say_written", "turn"]


def say_written(files: Iterable[tuple[Path, str]]) -> None:
    """Prints the files that were written, each with its size and what it is.

    Args:
        files: Paths, each with a few words.
    """
    rows = [(str(path), f"{path.stat().st_size / 1000:,.0f} kB", words) for path, words in files]
    _print_table("Written:", rows)


def say_next(*commands: tuple[str, str]) -> None:
    """Prints commands to try, each with what it does.

    Args:
        *commands: Commands, each with a few words.
    """
    _print_table("Try next:", list(commands))


def turn(count: int) -> str:
    """Returns `time` or `times`."""
    return "time" if count == 1 else "times"


def _print_table(title: str, rows: list[tuple[str, ...]]) -> None:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]) - 1)]
    print(f"\n{title}")
    for row in rows:
        cells = [
            text.rjust(width) if text.endswith("kB") else text.ljust(width)
            for text, width in zip(row, widths, strict=False)
        ]
        print(f"  {'  '.join([*cells, row[-1]])}")
