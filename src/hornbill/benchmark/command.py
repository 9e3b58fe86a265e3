"""`hornbill bench`: reads the options, runs the benchmark and keeps what it found."""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hornbill.benchmark import report
from hornbill.benchmark.processes import LIBRARIES, TASKS, run, versions
from hornbill.engine.errors import ArgumentError

__all__ = ["add_options", "bench"]


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds the options of `hornbill bench`."""
    parser.add_argument(
        "--peers",
        nargs="*",
        default=[],
        metavar="NAME",
        help=f"beside Hornbill: {', '.join(list(LIBRARIES)[1:])}",
    )
    parser.add_argument(
        "--only",
        nargs="*",
        default=list(TASKS),
        metavar="TASK",
        help=f"these measurements: {', '.join(TASKS)}",
    )
    parser.add_argument("--without", nargs="*", default=[], metavar="TASK", help="all measurements but these")
    parser.add_argument(
        "--python",
        nargs="*",
        default=[],
        metavar="NAME=PATH",
        help="interpreter of a library, if not this one",
    )
    parser.add_argument("--rounds", type=int, help="processes of each library for each measurement")
    parser.add_argument(
        "--quick",
        action="store_true",
        help="few repetitions: shows that it works, not how fast; writes no file",
    )
    parser.add_argument(
        "--output", default="bench/results", help="folder for the table, the plot and the JSON file"
    )


def bench(options: argparse.Namespace) -> None:
    """Measures, prints the table and writes the files.

    Raises:
        ArgumentError: If a name is unknown; or, after all else is measured and written, if something failed.
    """
    _check("--peers", options.peers, list(LIBRARIES))
    _check("--only", options.only, list(TASKS))
    _check("--without", options.without, list(TASKS))
    pythons = dict(pair.partition("=")[::2] for pair in options.python)
    _check("--python", list(pythons), list(LIBRARIES))
    for name, path in pythons.items():
        if shutil.which(path) is None:
            raise ArgumentError(f"--python: there is no interpreter for {name}.", got=path)
    libraries = list(dict.fromkeys(["hornbill", *options.peers]))
    tasks = [task for task in options.only if task not in options.without]
    state = report.machine()
    results, failures = run(tasks, libraries, pythons, options.rounds, options.quick)
    text = report.table(results, libraries)
    print(text)
    if not options.quick:
        _write(options, libraries, results, text, state, pythons)
    if failures:
        raise ArgumentError("not everything could be measured.", why="; ".join(failures))


def _write(options: Any, libraries: list[str], results: Any, text: str, state: Any, pythons: Any) -> None:
    """Writes the JSON file, the table and the plot."""
    state["load_after"] = os.getloadavg()
    state["packages"] = [versions(python) for python in sorted({sys.executable, *pythons.values()})]
    target = Path(options.output) / f"{dt.datetime.now(dt.UTC):%Y-%m-%d-%H%M%S}.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    content = {"machine": state, "results": results}
    target.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    heading = "\n".join(state["doctor"])
    target.with_suffix(".md").write_text(
        f"{state['processor']}, {state['cores']} cores\n\n```\n{heading}\n```\n\n{text}", encoding="utf-8"
    )
    if len(libraries) > 1 and find_spec("matplotlib"):
        report.plot(results, libraries, target.with_suffix(".svg"))
    elif len(libraries) > 1:
        print("There is no plot: `pip install matplotlib` for one.")
    print(
        f"Load before and after: {state['load_before'][0]:.1f}, {state['load_after'][0]:.1f}. Written: {target}"
    )


def _check(option: str, names: list[str], allowed: list[str]) -> None:
    wrong = [name for name in names if name not in allowed]
    if wrong:
        raise ArgumentError(
            f"{option} does not know {wrong[0]!r}.", got=wrong[0], fixes=f"One of {', '.join(allowed)}."
        )
