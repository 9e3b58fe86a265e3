"""The command line of `hornbill demo [segmentation]`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from hornbill.demo import digits, segmentation
from hornbill.engine.errors import ArgumentError, did_you_mean

__all__ = ["main"]

_DEMOS = {"digits": digits, "segmentation": segmentation}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a demo as its arguments say.

    Args:
        argv: `[digits | segmentation] [--output DIR] [--epochs N] [--quiet]`; those of the process if None.

    Returns:
        The exit status: 0.

    Raises:
        ArgumentError: If there is no demo of that name, or nothing can be written to the output folder.
    """
    options = _parser().parse_args(argv)
    if options.demo not in _DEMOS:
        raise ArgumentError(
            f"There is no demo {options.demo!r}.{did_you_mean(options.demo, _DEMOS)}",
            fixes=[f"hornbill demo {name}" for name in _DEMOS],
        )
    demo = _DEMOS[options.demo]
    try:
        options.output.mkdir(parents=True, exist_ok=True)
        probe = options.output / ".hornbill-demo"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise ArgumentError(
            f"The demo cannot write to the folder {str(options.output)!r}.",
            got=f"{error.strerror or error}.",
            fixes="hornbill demo --output some/folder/of/yours",
        ) from error
    demo.run(options.output, options.epochs or demo.EPOCHS, options.quiet)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="hornbill demo",
        description="Trains a small network on real pictures that come with Hornbill, and shows what it does.",
        epilog="Demos: digits (about 15 seconds), segmentation (about a minute). The digits are the usual one.",
    )
    parser.add_argument("demo", nargs="?", default="digits", metavar="DEMO", help="digits or segmentation")
    parser.add_argument("--output", type=Path, default=Path(), metavar="DIR", help="folder for the files (here)")
    parser.add_argument("--epochs", type=_positive, metavar="N", help="times that the network sees all the data")
    parser.add_argument("--quiet", action="store_true", help="print the result and the files only")
    return parser


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"wants a whole number of at least 1, got {text!r}")
    return int(text)
