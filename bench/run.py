"""Measures Hornbill side by side with its peers: `python bench/run.py --peers keras-jax torch`.

Each measurement runs in a process of its own, with no compiled programs from earlier ones; the libraries take turns,
and medians count. Each peer may live in a virtual environment of its own: `--python torch=/path/to/bin/python`.
Everything is written to bench/results/. Nothing else should run meanwhile: the load of the machine is noted. `--quick`
only shows that it works, and writes no file.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import platform
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).parent
LIBRARIES: dict[str, tuple[str, str, dict[str, str]]] = {
    "hornbill": ("tasks.py", "hornbill", {}),
    "hornbill-plain": ("tasks.py", "hornbill", {"HORNBILL_NATIVE": "off"}),
    "jax": ("tasks.py", "jax", {}),
    "keras-jax": ("tasks.py", "keras", {"KERAS_BACKEND": "jax"}),
    "keras-tf": ("tasks.py", "keras", {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"}),
    "keras-torch": ("tasks.py", "keras", {"KERAS_BACKEND": "torch"}),
    "torch": ("torch_tasks.py", "torch", {}),
}
"""Name: script, module that it imports, environment. "hornbill-plain" is Hornbill without hornbill-native."""


class Task(NamedTuple):
    """How often a task runs.

    Attributes:
        count: Repetitions within a process.
        quick: The same with `--quick`.
        rounds: Processes of each library.
        without: Libraries that have no such task.
    """

    count: int
    quick: int
    rounds: int
    without: tuple[str, ...] = ("jax",)


TASKS = {
    "import": Task(1, 1, 7, ()),
    "build_unet": Task(1, 1, 3, ("jax", "torch", "keras-tf", "keras-torch")),
    "unet": Task(3, 1, 3),
    "corner_fit": Task(200, 4, 5),
    "corner_evaluate": Task(100, 1, 5),
    "predict_one": Task(500, 20, 5, ("jax", "keras-tf", "keras-torch")),
    "memory": Task(500, 6, 1, ("jax", "torch", "keras-tf", "keras-torch")),
}


class Row(NamedTuple):
    """A line of the table: figure `figure` of `task`, times `scale`, in `unit`."""

    task: str
    figure: str
    what: str
    scale: float
    unit: str
    goal: str


ROWS = [
    Row("import", "seconds", "import", 1, "s", "0.15 s over jax"),
    Row("build_unet", "seconds", "U-Net: building", 1, "s", "0.5 s"),
    Row("unet", "step", "U-Net: training step", 1e3, "ms", "0.55 of the fastest peer, 0.25 of keras-jax"),
    Row("unet", "predicted", "U-Net: batch predicted", 1e3, "ms", "0.65 of the fastest peer"),
    Row("unet", "to_8_steps", "U-Net: building and 8 steps", 1, "s", "the fastest peer"),
    Row("unet", "peak_megabytes", "U-Net: peak memory", 1, "MB", "the leanest peer"),
    Row("corner_fit", "seconds", "corner detector: fit step", 1e6, "us", "60 us, 1/5 of keras-jax, 1/20 of keras-tf"),
    Row("corner_fit", "first_20_epochs", "corner detector: first 20 epochs", 1, "s", ""),
    Row("corner_evaluate", "seconds", "corner detector: evaluate step", 1e6, "us", "25 us"),
    Row("predict_one", "seconds", "predict of one", 1e6, "us", "150 us, twice bare"),
    Row("predict_one", "over_bare", "the same over the bare call", 1, "", "2"),
    Row("memory", "kilobytes_per_round", "memory kept per round", 1, "kB", "flat"),
]  # fmt: skip


def measure(task: str, library: str, count: int, python: str) -> dict[str, float]:
    """Runs one task in a new process and returns what it measured."""
    script, module, settings = LIBRARIES[library]
    if task == "import":
        script = "tasks.py"  # which has imported nothing of it yet
    environment = {**os.environ, "HORNBILL_CACHE": "off", "PYTHONHASHSEED": "0", **settings}
    environment.pop("JAX_COMPILATION_CACHE_DIR", None)
    command = [python, str(HERE / script), task, module, str(count)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{task} with {library} failed:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def run(tasks: list[str], libraries: list[str], options: argparse.Namespace) -> dict[str, Any]:
    """Runs the tasks in turns and returns all results: task, library, list of runs."""
    pythons = dict(pair.split("=", 1) for pair in options.python)
    results: dict[str, Any] = {}
    for task in tasks:
        plan = TASKS[task]
        names = [name for name in libraries if name not in plan.without]
        found: dict[str, list[dict[str, float]]] = {name: [] for name in names}
        for turn in range(1 if options.quick else options.rounds or plan.rounds):
            for name in names if turn % 2 == 0 else reversed(names):
                count = plan.quick if options.quick else plan.count
                if task == "memory" and not name.startswith("hornbill"):
                    count = min(count, options.peer_rounds)
                found[name].append(measure(task, name, count, pythons.get(name, sys.executable)))
                print(f"  {task:<16}{name:<16}{found[name][-1]}", file=sys.stderr, flush=True)
        results[task] = found
    return results


def table(results: dict[str, Any], libraries: list[str]) -> list[list[str]]:
    """Returns the table: each figure's median, with its ratio to Hornbill's and its least and largest value."""
    rows = [["median (least to largest)", "goal", *libraries]]
    for row in ROWS:
        found = results.get(row.task, {})
        values = {
            name: sorted(row.scale * run[row.figure] for run in runs)
            for name, runs in found.items()
            if row.figure in runs[0]
        }
        if not values:
            continue
        own = statistics.median(values[libraries[0]])
        cells = []
        for name in libraries:
            if name not in values:
                cells.append("-")
                continue
            each, middle = values[name], statistics.median(values[name])
            ratio = f", x {middle / own:.2f}" if name != libraries[0] and own > 0 else ""
            spread = f" ({each[0]:.3g} to {each[-1]:.3g})" if len(each) > 1 else ""
            cells.append(f"{middle:.3g} {row.unit}{spread}{ratio}".replace("  ", " "))
        rows.append([row.what, row.goal, *cells])
    return rows


def machine() -> dict[str, Any]:
    """Returns what the figures depend on."""
    names = [
        line
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        if "model name" in line
    ]
    return {
        "python": platform.python_version(), "system": platform.platform(), "cores": os.cpu_count(),
        "processor": names[0].split(":")[1].strip() if names else platform.processor(), "load_before": os.getloadavg(),
    }  # fmt: skip


def packages(python: str) -> dict[str, str]:
    """Returns the versions of the libraries that an interpreter has."""
    code = (
        "import importlib.metadata as m, json;"
        "print(json.dumps({d.metadata['Name']: d.version for d in m.distributions() if d.metadata['Name'] in "
        "('hornbill', 'hornbill-native', 'keras', 'jax', 'jaxlib', 'numpy', 'torch', 'tensorflow-cpu')}))"
    )
    return json.loads(subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout)


def main() -> None:
    """Measures, prints the table and writes the file."""
    parser = argparse.ArgumentParser(description="Measures Hornbill side by side with its peers.")
    peers = [name for name in LIBRARIES if name != "hornbill"]
    parser.add_argument(
        "--peers", nargs="*", default=["keras-jax"], choices=peers, help="libraries beside Hornbill"
    )
    parser.add_argument(
        "--only", nargs="*", default=list(TASKS), choices=list(TASKS), help="these measurements"
    )
    parser.add_argument(
        "--python", nargs="*", default=[], metavar="NAME=PATH", help="a library's own interpreter"
    )
    parser.add_argument("--rounds", type=int, help="processes of each library for each task")
    parser.add_argument(
        "--quick", action="store_true", help="few repetitions: shows that it works, not how fast"
    )
    parser.add_argument("--peer-rounds", type=int, default=50, help="rounds of the peers' memory measurement")
    options = parser.parse_args()
    libraries, state = ["hornbill", *options.peers], machine()
    results = run(options.only, libraries, options)
    rows = table(results, libraries)
    text = "\n".join("| " + " | ".join(row) + " |" for row in [rows[0], ["---"] * len(rows[0]), *rows[1:]])
    print(text)
    if options.quick:
        return
    state["load_after"] = os.getloadavg()
    pythons = {sys.executable, *(pair.split("=", 1)[1] for pair in options.python)}
    state["packages"] = [packages(python) for python in sorted(pythons)]
    target = HERE / "results" / f"{dt.datetime.now(dt.UTC):%Y-%m-%d-%H%M%S}.json"
    target.parent.mkdir(exist_ok=True)
    content = {"machine": state, "results": results}
    target.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    target.with_suffix(".md").write_text(
        f"{state['processor']}, {state['cores']} cores\n\n{text}\n", encoding="utf-8"
    )
    print(
        f"\nload before and after: {state['load_before'][0]:.1f}, {state['load_after'][0]:.1f}; written: {target}"
    )


if __name__ == "__main__":
    main()
