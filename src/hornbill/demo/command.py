"""The command line of `hornbill demo [segmentation]`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from hornbill.demo import digits, segmentation
from hornbill.engine.errors import ArgumentError, FileError, HornbillError, did_you_mean

__all__ = ["main"]

_DEMOS = {"digits": digits, "segmentation": segmentation}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a demo as its arguments say.

    Args:
        argv: `[digits | segmentation] [--output DIR] [--epochs N] [--quiet]`; those of the process if None.

    Returns:
        The exit status: 0, 1 after a mistake, which is printed, or 130 if Ctrl-C stopped it.
    """
    options = _parser().parse_args(argv)
    try:
        demo = _demo(options.demo)
        _check_folder(options.output)
        demo.run(options.output, options.epochs or demo.EPOCHS, options.quiet)
    except (HornbillError, OSError) as error:
        print(f"hornbill demo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nhornbill demo: stopped before the end, so nothing more is written.", file=sys.stderr)
        return 130
    return 0


def _demo(name: str) -> ModuleType:
    if name not in _DEMOS:
        raise ArgumentError(
            f"There is no demo {name!r}.{did_you_mean(name, _DEMOS)}",
            fixes=[f"hornbill demo {name}" for name in _DEMOS],
        )
    return _DEMOS[name]


def _check_folder(folder: Path) -> None:
    """Makes the folder and tries to write there, so that nobody trains first and loses it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".hornbill-demo"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise FileError(
            f"The demo cannot write to the folder {str(folder)!r}.",
            got=f"{error.strerror or error}.",
            fixes="hornbill demo --output some/folder/of/yours",
        ) from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="hornbill demo",
        description="Trains a small network on real pictures that come with Hornbill.",
        epilog="Demos: digits (some ten seconds, the usual one), segmentation (about a minute).",
    )
    parser.add_argument("demo", nargs="?", default="digits", metavar="DEMO", help="digits or segmentation")
    parser.add_argument(
        "--output", type=Path, default=Path(), metavar="DIR", help="folder for the files (here)"
    )
    parser.add_argument(
        "--epochs", type=_positive, metavar="N", help="times that the network sees all the data"
    )
    parser.add_argument("--quiet", action="store_true", help="print the result and the files only")
    return parser


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"wants a whole number of at least 1, got {text!r}")
    return int(text)
