"""The command `hornbill`: run a Keras script as it is, and look at a stored model.

    hornbill run script.py ARGS        hornbill summary model.keras
    hornbill run -m module ARGS        hornbill explain model.keras
    hornbill run -c "code"             hornbill plot model.keras -o model.svg
    hornbill demo ...                  hornbill convert model.h5 model.keras
    hornbill doctor                    hornbill view model.keras
    hornbill bench --peers torch

What the demo does stands in `hornbill.demo`; this module only reads arguments and starts things.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import runpy
import sys
import types
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import hornbill
from hornbill.compat.alias import install
from hornbill.engine.errors import ArgumentError
from hornbill.engine.lazy import lazy_module

__all__ = ["build_parser", "main", "run"]

page = lazy_module("hornbill.explain.page.command")
benchmark = lazy_module("hornbill.benchmark.command")
_RUN_USAGE = "usage: hornbill run [-m MODULE | -c CODE | SCRIPT] [ARGS ...]"


def build_parser() -> argparse.ArgumentParser:
    """Returns the parser of all commands; `run` and `demo` take the rest of the line as it is."""
    parser = argparse.ArgumentParser(prog="hornbill", description="Keras, written from scratch on JAX.")
    parser.add_argument("--version", action="version", version=f"hornbill {hornbill.__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("run", help="run a script in which keras and tensorflow.keras mean Hornbill")
    commands.add_parser("demo", help="train a small network and show what it does")
    explain = commands.add_parser("explain", help="say where every shape and number of parameters comes from")
    explain.add_argument("model", help="a .keras or .h5 file")
    _add_explain_options(explain)
    page.add_page_options(explain)
    page.add_view(commands)
    summary = commands.add_parser("summary", help="print the table of layers")
    summary.add_argument("model", help="a .keras or .h5 file")
    summary.add_argument("--width", dest="line_length", type=int, help="columns of the table")
    summary.add_argument("--expand-nested", action="store_true", help="list the layers of inner models")
    summary.add_argument(
        "--trainable", dest="show_trainable", action="store_true", help="say what is trained"
    )
    plot = commands.add_parser("plot", help="draw the network")
    plot.add_argument("model", help="a .keras or .h5 file")
    _add_plot_options(plot)
    convert = commands.add_parser("convert", help="write a stored model in another format")
    convert.add_argument("model", help="file to read")
    convert.add_argument("output", help="file to write; its suffix says the format")
    commands.add_parser("doctor", help="say what runs here: devices, CPU kernels, caches, and why not more")
    bench = commands.add_parser("bench", help="measure speed side by side with other libraries")
    benchmark.add_options(bench)
    return parser


def _add_explain_options(explain: argparse.ArgumentParser) -> None:
    """Adds the options of `hornbill explain`: the arguments of `Model.explain`."""
    explain.add_argument("--layer", help="name of one layer; all of them if left out")
    explain.add_argument("--axis", help="where an axis of the output comes from: its name or its number")
    explain.add_argument("--level", default="full", help="short, full or teach")
    explain.add_argument(
        "--language", help="en or zh; that of HORNBILL_LANGUAGE or of the locale if left out"
    )
    explain.add_argument("--width", type=int, help="columns of the text; those of the terminal if left out")
    explain.add_argument("--to", help="text, markdown, json or html to print that form, or a file to write")
    explain.add_argument(
        "--input-shape",
        metavar="64,64,3",
        help="what would differ with another input shape (without the batch)",
    )
    explain.add_argument(
        "--change",
        action="append",
        default=[],
        metavar="conv2d_1.strides=2",
        help="what would differ with another argument of a layer; may be given several times",
    )


def _add_plot_options(plot: argparse.ArgumentParser) -> None:
    """Adds the options of `hornbill plot`: the arguments of `plot_model`."""
    plot.add_argument(
        "-o", "--output", help="picture to write (.png, .svg, .pdf, .dot); beside the model if left out"
    )
    for flag, name, text in (
        ("--shapes", "show_shapes", "show input and output shapes"),
        ("--axes", "show_axes", "name the axes of shapes: batch None, height 28, ..."),
        ("--dtype", "show_dtype", "show dtypes"),
        ("--names", "show_layer_names", "show names besides classes"),
        ("--activations", "show_layer_activations", "show activations"),
        ("--trainable", "show_trainable", "show what is trained"),
        ("--expand-nested", "expand_nested", "draw inner models in full"),
    ):
        plot.add_argument(flag, dest=name, action="store_true", help=text)
    plot.add_argument(
        "--no-params", dest="show_params", action="store_false", help="leave out parameter counts"
    )
    plot.add_argument(
        "--rankdir", choices=("TB", "LR"), default="TB", help="from top to bottom, or left to right"
    )
    plot.add_argument("--splines", default="ortho", help="how lines run: ortho, line or curved")
    plot.add_argument("--dpi", type=float, default=200, help="dots per inch of a PNG (200)")
    plot.add_argument(
        "--layers",
        dest="layer_range",
        nargs=2,
        metavar=("FIRST", "LAST"),
        help="draw only from one layer to another",
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command.

    Args:
        argv: The words after `hornbill`; those of the process if None.

    Returns:
        The exit code.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    if words and words[0] == "run":
        return run(words[1:])
    if words and words[0] == "demo":
        return importlib.import_module("hornbill.demo").main(words[1:]) or 0
    options = build_parser().parse_args(words)
    try:
        _COMMANDS[options.command](options)
    except (hornbill.engine.errors.HornbillError, OSError) as error:
        print(f"hornbill {options.command}: {error}", file=sys.stderr)
        return 1
    return 0


# ---- looking at stored models


def _explain(options: argparse.Namespace) -> None:
    if options.page or options.examples:
        options.page = options.page or str(Path(options.model).with_suffix(".html"))
        page.page(_load(options.model), options)
        return
    axis = options.axis
    answer = _load(options.model).explain(
        options.layer,
        axis=int(axis) if axis is not None and axis.lstrip("-").isdigit() else axis,
        level=options.level,
        language=options.language,
        width=options.width,
        to=options.to,
        input_shape=_shape(options.input_shape),
        change=_changes(options.change) or None,
    )
    if isinstance(answer, str):
        print(answer)
    elif options.to is not None:
        print(options.to)
    else:
        answer.show()


def _shape(words: str | None) -> tuple[int | None, ...] | None:
    """Returns the shape that `64,64,3` stands for."""
    if words is None:
        return None
    sizes = words.strip("() ,").replace(" ", "").split(",")
    if not all(size.isdigit() or size == "None" for size in sizes):
        raise ArgumentError(
            "--input-shape takes whole numbers with commas, without the batch.",
            got=words,
            fixes="--input-shape 64,64,3",
        )
    return tuple(None if size == "None" else int(size) for size in sizes)


def _changes(words: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Returns the arguments by layer that `conv2d_1.strides=2` and the like stand for."""
    found: dict[str, dict[str, Any]] = {}
    for word in words:
        place, equals, text = word.partition("=")
        layer, dot, argument = place.rpartition(".")
        if not (equals and dot and layer and argument):
            raise ArgumentError(
                "--change takes LAYER.ARGUMENT=VALUE.", got=word, fixes="--change conv2d_1.strides=2"
            )
        try:
            value = ast.literal_eval(text)
        except (ValueError, SyntaxError):
            value = text  # a word, such as same
        found.setdefault(layer, {})[argument] = value
    return found


def _summary(options: argparse.Namespace) -> None:
    arguments = {k: v for k, v in vars(options).items() if k not in ("command", "model")}
    _load(options.model).summary(**arguments)


def _plot(options: argparse.Namespace) -> None:
    path = options.output or str(Path(options.model).with_suffix(".png"))
    arguments = {k: v for k, v in vars(options).items() if k not in ("command", "model", "output")}
    _load(options.model).plot(path, **arguments)
    print(path)


def _view(options: argparse.Namespace) -> None:
    page.view(_load(options.model), options)


def _convert(options: argparse.Namespace) -> None:
    _load(options.model).save(options.output)
    print(options.output)


def _load(path: str) -> Any:
    return hornbill.saving.load_model(path)


def _doctor(_: argparse.Namespace) -> None:
    print(importlib.import_module("hornbill.doctor").report())


def _bench(options: argparse.Namespace) -> None:
    benchmark.bench(options)


_COMMANDS: dict[str, Callable[[argparse.Namespace], None]] = {
    "bench": _bench,
    "convert": _convert,
    "doctor": _doctor,
    "explain": _explain,
    "plot": _plot,
    "summary": _summary,
    "view": _view,
}


# ---- running scripts


def run(words: Sequence[str]) -> int:
    """Runs a script, module or code in which `keras` and `tensorflow` mean Hornbill.

    Args:
        words: As after `python`: `script.py ARGS`, `-m module ARGS` or `-c code ARGS`.

    Returns:
        0, or 1 after an error, whose traceback shows the script's frames only. `sys.exit(n)` goes through.
    """
    if not words or words[0] in ("-h", "--help") or (words[0] in ("-m", "-c") and len(words) < 2):
        asked = bool(words) and words[0] in ("-h", "--help")
        print(
            f"{_RUN_USAGE}\n\nRuns it with keras, tf_keras and tensorflow.keras meaning Hornbill.",
            file=None if asked else sys.stderr,
        )
        return 0 if asked else 2
    install()
    try:
        if words[0] == "-m":
            sys.argv = [words[1], *words[2:]]
            sys.path.insert(0, str(Path.cwd()))
            runpy.run_module(words[1], run_name="__main__", alter_sys=True)
        elif words[0] == "-c":
            sys.argv = ["-c", *words[2:]]
            sys.path.insert(0, "")
            _run_code(compile(words[1], "<string>", "exec"), None)
        else:
            return _run_script(words)
    except Exception as error:  # noqa: BLE001  the script's own error, shown as Python would show it
        return _show(error)
    return 0


def _run_script(words: Sequence[str]) -> int:
    path = Path(words[0])
    if not path.exists():
        print(f"hornbill run: there is no file {words[0]!r}.", file=sys.stderr)
        return 2
    sys.argv = list(words)
    try:
        if path.is_dir() or path.suffix in (".zip", ".pyz"):
            runpy.run_path(str(path), run_name="__main__")
        else:
            sys.path.insert(0, str(path.resolve().parent))
            _run_code(compile(path.read_bytes(), str(path), "exec"), str(path))
    except Exception as error:  # noqa: BLE001  the script's own error, shown as Python would show it
        return _show(error)
    return 0


def _run_code(code: types.CodeType, file: str | None) -> None:
    """Runs code as the module `__main__`, which it stays, so that pickled classes are found."""
    module = types.ModuleType("__main__")
    module.__dict__["__builtins__"] = __builtins__
    if file is not None:
        module.__file__ = file
    sys.modules["__main__"] = module
    exec(code, module.__dict__)  # noqa: S102  running the user's script is what the command is for


def _show(error: Exception) -> int:
    """Prints an error as Python does, without the frames of this launcher; returns 1."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename in (
        __file__,
        runpy.__file__,
        "<frozen runpy>",
    ):
        trace = trace.tb_next
    sys.excepthook(type(error), error.with_traceback(trace), trace)
    return 1


if __name__ == "__main__":
    sys.exit(main())
