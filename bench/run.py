"""Measures Hornbill side by side with Keras on JAX: `python bench/run.py --peers keras`.

Each measurement runs in a process of its own, with no compiled programs from earlier ones; the libraries take
turns, and the median counts. The table says what is required; everything is written to bench/results/.
Nothing else should run meanwhile: the load of the machine is noted. `--quick` only shows that it works, and
writes no file.
"""

from __future__ import annotations

import argparse
import datetime as dt
import importlib.metadata
import json
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
COUNTS = {"import": 1, "build_unet": 1, "corner_fit": 200, "predict_one": 500, "memory": 500}
QUICK = {"import": 1, "build_unet": 1, "corner_fit": 4, "predict_one": 20, "memory": 6}
ROUNDS = {"import": 7, "build_unet": 3, "corner_fit": 5, "predict_one": 5, "memory": 1}
FIGURE = {"memory": "kilobytes_per_round"}
"""What is compared; seconds if not said otherwise."""


def measure(task: str, library: str, count: int) -> dict[str, float]:
    """Runs one task in a new process and returns what it measured."""
    environment = {**os.environ, "HORNBILL_CACHE": "off", "KERAS_BACKEND": "jax", "PYTHONHASHSEED": "0"}
    environment.pop("JAX_COMPILATION_CACHE_DIR", None)
    command = [sys.executable, str(HERE / "tasks.py"), task, library, str(count)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{task} with {library} failed:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def run(tasks: list[str], libraries: list[str], quick: bool, peer_rounds: int) -> dict[str, Any]:
    """Runs the tasks in turns and returns all results, with the median of each."""
    results: dict[str, Any] = {}
    for task in tasks:
        names = [*(["jax"] if task == "import" else []), *libraries]
        found: dict[str, list[dict[str, float]]] = {name: [] for name in names}
        for turn in range(1 if quick else ROUNDS[task]):
            for name in names if turn % 2 == 0 else reversed(names):
                count = (QUICK if quick else COUNTS)[task]
                count = min(count, peer_rounds) if task == "memory" and name != "hornbill" else count
                found[name].append(measure(task, name, count))
                print(f"  {task:<12}{name:<10}{found[name][-1]}", file=sys.stderr, flush=True)
        figure = FIGURE.get(task, "seconds")
        results[task] = {
            name: {"median": statistics.median(one[figure] for one in all_of_them), "runs": all_of_them}
            for name, all_of_them in found.items()
        }
    return results


def report(results: dict[str, Any], libraries: list[str]) -> list[tuple[str, str, str, str]]:
    """Returns the rows of the table: what, required, Hornbill, the others."""
    rows: list[tuple[str, str, str, str]] = []

    def add(task: str, what: str, required: str, form: Callable[[float], str], mine: str = "") -> None:
        own = results[task]["hornbill"]["median"]
        others = []
        for name in libraries[1:]:
            theirs = results[task][name]["median"]
            ratio = f" ({theirs / own:.1f} times)" if task != "memory" else ""
            others.append(f"{name}: {form(theirs)}{ratio}")
        rows.append((what, required, mine or form(own), ", ".join(others) or "-"))

    if "import" in results:
        total, jax = (results["import"][name]["median"] for name in ("hornbill", "jax"))
        mine = f"{total - jax:.3f} s ({total:.2f} s in all)"
        add("import", "import, over that of jax", "<= 0.15 s", "{:.2f} s in all".format, mine)
    if "build_unet" in results:
        add("build_unet", "building the U-Net", "<= 0.5 s", "{:.2f} s".format)
    if "corner_fit" in results:
        add("corner_fit", "fit per step, batch 4", "<= 1/3 of keras", _microseconds)
    if "predict_one" in results:
        found = results["predict_one"]["hornbill"]
        over = statistics.median(one["over_bare"] for one in found["runs"])
        mine = f"{over:.2f} x bare, {_microseconds(found['median'])}"
        add("predict_one", "predict of one sample", "<= 2 x bare", _microseconds, mine)
    if "memory" in results:
        add("memory", "memory kept, 500 rounds", "flat", "{:.1f} kB each round".format)
    return rows


def _microseconds(seconds: float) -> str:
    return f"{1e6 * seconds:.0f} us"


def machine() -> dict[str, Any]:
    """Returns what the figures depend on."""
    packages = {}
    for name in ("hornbill", "keras", "jax", "jaxlib", "numpy"):
        try:
            packages[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            packages[name] = "from the source folder"
    return {
        "python": platform.python_version(), "system": platform.platform(), "cores": os.cpu_count(),
        "load_before": os.getloadavg(), "packages": packages,
    }  # fmt: skip


def main() -> None:
    """Measures, prints the table and writes the file."""
    parser = argparse.ArgumentParser(description="Measures Hornbill side by side with its peers.")
    parser.add_argument(
        "--peers", nargs="*", default=["keras"], choices=["keras"], help="libraries beside Hornbill"
    )
    parser.add_argument(
        "--only", nargs="*", default=list(COUNTS), choices=list(COUNTS), help="these measurements"
    )
    parser.add_argument(
        "--quick", action="store_true", help="few repetitions: shows that it works, not how fast"
    )
    parser.add_argument("--peer-rounds", type=int, default=50, help="rounds of the peers' memory measurement")
    options = parser.parse_args()
    libraries, state = ["hornbill", *options.peers], machine()
    results = run(options.only, libraries, options.quick, options.peer_rounds)
    rows = [("", "required", "hornbill", "others"), *report(results, libraries)]
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    for row in rows:
        print("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())
    if options.quick:
        return
    now = dt.datetime.now(dt.UTC)
    target = HERE / "results" / f"{now:%Y-%m-%d-%H%M%S}.json"
    target.parent.mkdir(exist_ok=True)
    content = {
        "machine": {**state, "load_after": os.getloadavg()},
        "required_and_reached": rows[1:],
        "results": results,
    }
    target.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    print(
        f"\nload before and after: {state['load_before'][0]:.1f}, {os.getloadavg()[0]:.1f}; written: {target}"
    )


if __name__ == "__main__":
    main()
