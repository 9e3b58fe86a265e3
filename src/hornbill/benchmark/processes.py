"""The processes of a benchmark: which libraries run, which tasks, how often, and what each printed.

Each measurement runs in a process of its own and the libraries take turns. A process finds no compiled programs of
earlier ones, but for the tasks that measure just that.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

__all__ = ["LIBRARIES", "TASKS", "Task", "run", "versions"]

PROGRAMS = Path(__file__).parent / "programs"
_KERAS = {"TF_CPP_MIN_LOG_LEVEL": "3"}


class Library(NamedTuple):
    """How a library is run.

    Attributes:
        script: File in `programs`.
        module: What the script imports.
        settings: Environment variables.
    """

    script: str
    module: str
    settings: Mapping[str, str]


_FLOAT32 = {
    "hornbill": Library("tasks.py", "hornbill", {}),
    "hornbill-plain": Library("tasks.py", "hornbill", {"HORNBILL_NATIVE": "off"}),
    "jax": Library("tasks.py", "jax", {}),
    "keras-jax": Library("tasks.py", "keras", _KERAS | {"KERAS_BACKEND": "jax"}),
    "keras-tf": Library("tasks.py", "keras", _KERAS | {"KERAS_BACKEND": "tensorflow"}),
    "keras-torch": Library("tasks.py", "keras", _KERAS | {"KERAS_BACKEND": "torch"}),
    "torch": Library("torch_tasks.py", "torch", {}),
    "torch-compiled": Library("torch_tasks.py", "torch", {"BENCH_COMPILED": "1"}),
}

LIBRARIES = _FLOAT32 | {
    f"{name}-bfloat16": library._replace(settings={**library.settings, "BENCH_PRECISION": "mixed_bfloat16"})
    for name, library in _FLOAT32.items()
    if name != "jax"
}
"""All of them by name. "-plain" is without hornbill-native; "-bfloat16" computes in that and keeps float32 weights."""


class Task(NamedTuple):
    """How often a task runs.

    Attributes:
        count: Repetitions within a process.
        quick: The same with `--quick`.
        rounds: Processes of each library.
        only: The scripts or modules that have such a task.
        stored: Whether a process finds the compiled programs of an earlier one.
    """

    count: int
    quick: int
    rounds: int
    only: tuple[str, ...] = ("hornbill", "keras", "torch")
    stored: bool = False


TASKS = {
    "peak": Task(3072, 64, 3, ("hornbill",)),
    "import": Task(1, 1, 7, ("hornbill", "keras", "torch", "jax")),
    "build_unet": Task(1, 1, 3, ("hornbill", "keras")),
    "unet": Task(1, 1, 3),
    "unet_warm": Task(1, 1, 3, stored=True),
    "corner_fit": Task(200, 4, 3),
    "corner_evaluate": Task(100, 1, 3),
    "predict_one": Task(500, 20, 3),
    **{
        name: Task(16, 1, 3)
        for name in ("mlp", "resnet", "lstm", "conv1d", "transformer", "separable", "conv3d")
    },
    "growth": Task(8, 1, 1),
    "memory": Task(500, 6, 1, ("hornbill", "keras")),
}
"""Every task by its name in the scripts."""


def run(
    tasks: Sequence[str],
    libraries: Sequence[str],
    pythons: Mapping[str, str],
    rounds: int | None,
    quick: bool,
) -> tuple[dict[str, dict[str, list[dict[str, float]]]], list[str]]:
    """Runs the tasks, the libraries in turns, and says on standard error what came out.

    Args:
        tasks: Keys of `TASKS`.
        libraries: Keys of `LIBRARIES`.
        pythons: Interpreters of libraries that live in environments of their own.
        rounds: Processes of each library for each task; the task's own number if None.
        quick: Whether few repetitions and one round are enough.

    Returns:
        Task, library, list of what each process measured; and why processes failed, each reason once. What one library
        cannot do stops neither the others nor the tasks to come.
    """
    results, failures = {}, {}
    for task in tasks:
        plan = TASKS[task]
        names = [name for name in libraries if LIBRARIES[name].module in plan.only]
        found: dict[str, list[dict[str, float]]] = {name: [] for name in names}
        with tempfile.TemporaryDirectory() as folder:
            stores = {name: str(Path(folder) / name) if plan.stored else None for name in names}
            for turn in range(1 if quick else rounds or plan.rounds):
                for name in names if turn % 2 == 0 else reversed(names):
                    if (task, name) in failures:
                        continue
                    count, python, store = (
                        plan.quick if quick else plan.count,
                        _python(pythons, name),
                        stores[name],
                    )
                    try:
                        if turn == 0 and store:
                            _measure(task, name, count, python, store)  # fills it
                        run = _measure(task, name, count, python, store)
                    except _FailedError as error:
                        failures[task, name] = f"{task} with {name}: {error}"
                        print(f"  {failures[task, name]}", file=sys.stderr, flush=True)
                        continue
                    found[name].append(run)
                    shown = {figure: float(f"{value:.4g}") for figure, value in run.items()}
                    print(f"  {task:<16} {name:<20} {shown}", file=sys.stderr, flush=True)
        results[task] = found
    return results, list(failures.values())


class _FailedError(Exception):
    """A process did not measure what it was asked to."""


def _python(pythons: Mapping[str, str], name: str) -> str:
    """Returns the interpreter of a library: its own, that of its family, or this one."""
    return pythons.get(name) or pythons.get(name.removesuffix("-bfloat16")) or sys.executable


def _measure(task: str, name: str, count: int, python: str, store: str | None) -> dict[str, float]:
    """Runs one task in a new process and returns what it measured; compiled programs are kept in `store`, if any."""
    script, module, settings = LIBRARIES[name]
    if task == "import":
        script = "tasks.py"  # which has imported nothing of it yet
    environment = {**os.environ, "HORNBILL_CACHE": store or "off", "PYTHONHASHSEED": "0", **settings}
    environment.pop("JAX_COMPILATION_CACHE_DIR", None)
    if store and module == "keras":
        environment |= {
            "JAX_COMPILATION_CACHE_DIR": store,
            "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0.3",
        }
    command = [python, str(PROGRAMS / script), task, module, str(count)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        # JAX ends its tracebacks with a line and a sentence on what it left out of them
        lines = done.stderr.partition("\n-------")[0].strip().splitlines() or [f"exit code {done.returncode}"]
        missing = "ModuleNotFoundError" in lines[-1]
        raise _FailedError(
            lines[-1] + (f" (--python {name}=PATH names another interpreter)" if missing else "")
        )
    return json.loads(done.stdout.splitlines()[-1])


def versions(python: str) -> dict[str, str]:
    """Returns the versions of the libraries that an interpreter has."""
    code = (
        "import importlib.metadata as m, json;"
        "print(json.dumps({d.metadata['Name']: d.version for d in m.distributions() if d.metadata['Name'] in "
        "('hornbill', 'hornbill-native', 'keras', 'jax', 'jaxlib', 'numpy', 'torch', 'tensorflow-cpu', 'tensorflow')}))"
    )
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    return json.loads(done.stdout)
