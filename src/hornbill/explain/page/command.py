"""The page at the command line: `hornbill explain MODEL --page FILE` and `hornbill view MODEL`."""

from __future__ import annotations

import argparse
import tempfile
import webbrowser
from pathlib import Path
from typing import Any

from hornbill.explain.page.examples import read_examples
from hornbill.explain.page.write import write_page

__all__ = ["add_page_options", "add_view", "how_to_open", "page", "view"]


def add_page_options(parser: argparse.ArgumentParser) -> None:
    """Adds `--page` and `--examples` to a command."""
    parser.add_argument(
        "--page", metavar="FILE.html", help="write the interactive page, one file that needs no network"
    )
    _add_examples(parser)


def add_view(commands: Any) -> None:
    """Adds the command `view`."""
    parser = commands.add_parser("view", help="open the interactive page of a stored model in the browser")
    parser.add_argument("model", help="a .keras or .h5 file")
    parser.add_argument(
        "-o", "--output", metavar="FILE.html", help="page to write; a temporary file if left out"
    )
    parser.add_argument("--language", help="en or zh; the browser's own if left out")
    parser.add_argument("--no-open", action="store_true", help="only write the page")
    _add_examples(parser)


def _add_examples(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--examples",
        metavar="PATH",
        help="inputs that the page shows: .npz, .npy, a picture or a folder of pictures",
    )


def page(model: Any, options: argparse.Namespace) -> None:
    """Writes the page that `--page` asks for and says how to open it."""
    path = _write(model, options, Path(options.page))
    print(f"{path}\n{how_to_open(path)}")


def view(model: Any, options: argparse.Namespace) -> None:
    """Writes a page and opens it in the browser."""
    if options.output:
        path = Path(options.output)
    else:
        path = Path(tempfile.mkdtemp(prefix="hornbill-")) / f"{Path(options.model).stem}.html"
    path = _write(model, options, path)
    opened = not options.no_open and webbrowser.open(path.resolve().as_uri())
    print(f"{path}" if opened else f"{path}\n{how_to_open(path)}")


def how_to_open(path: Path) -> str:
    """Returns a line that says how a page is opened."""
    return f"Open it in a browser: {path.resolve().as_uri()}"


def _write(model: Any, options: argparse.Namespace, path: Path) -> Path:
    examples = read_examples(options.examples, model) if options.examples else None
    return write_page(model, path, examples, options.language)
