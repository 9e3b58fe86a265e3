"""What a benchmark's results are shown as: a table, a plot and a file."""

from __future__ import annotations

import importlib.util
import json
import math
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import hornbill
from hornbill.benchmark.processes import PROGRAMS
from hornbill.engine.lazy import lazy_module

__all__ = ["Row", "machine", "plot", "rows_of", "table"]

pyplot = lazy_module("matplotlib.pyplot")


class Row(NamedTuple):
    """A line of the table: figure `figure` of `task`, times `scale`, in `unit`.

    Attributes:
        work: Network of `programs/networks.py` and "forward" or "training": whose multiply-adds are done in that time.
    """

    task: str
    figure: str
    what: str
    scale: float
    unit: str
    goal: str = ""
    work: tuple[str, str] | None = None


_NETWORKS = {
    "mlp": "MLP of 2 x 512, batch 128",
    "resnet": "ResNet-18, 32 x 32 x 3, batch 32",
    "lstm": "LSTM of 64, 100 words, batch 32",
    "conv1d": "Conv1D text, 200 words, batch 32",
    "transformer": "vision transformer, batch 32",
    "separable": "separable convolutions, batch 32",
    "conv3d": "Conv3D, 16 x 32 x 32, batch 4",
}
_GROWTH = {"batch": (8, 32, 128), "size": (16, 32, 64), "depth": (2, 8, 32), "arrays": (1, 8, 64)}

ROWS = [
    Row("import", "seconds", "import", 1, "s", "0.15 s over jax"),
    Row("build_unet", "seconds", "U-Net: building", 1, "s", "0.5 s"),
    Row("unet", "step", "U-Net: training step", 1e3, "ms", "0.55 of the best, 0.25 of keras-jax", ("unet", "training")),
    Row("unet", "predicted", "U-Net: batch predicted", 1e3, "ms", "0.65 of the best peer", ("unet", "forward")),
    Row("unet", "to_8_steps", "U-Net: building and 8 steps, cold", 1, "s", "the best peer"),
    Row("unet_warm", "to_8_steps", "U-Net: the same, programs stored", 1, "s", "half of the best peer"),
    Row("unet", "peak_megabytes", "U-Net: peak memory of the process", 1, "MB", "the best peer"),
    Row("corner_fit", "seconds", "corner detector: fit step", 1e6, "us", "60 us, 1/5 of keras-jax, 1/20 of keras-tf"),
    Row("corner_fit", "first_20_epochs", "corner detector: first 20 epochs", 1, "s"),
    Row("corner_evaluate", "seconds", "corner detector: evaluate step", 1e6, "us", "25 us"),
    Row("predict_one", "seconds", "predict of one", 1e6, "us", "150 us, twice bare"),
    Row("predict_one", "over_bare", "the same over the bare call", 1, "", "2"),
    *(
        Row(name, figure, f"{title}: {what}", 1e3, "ms", "the best peer", (name, work))
        for name, title in _NETWORKS.items()
        for figure, what, work in (("step", "training step", "training"), ("predicted", "batch predicted", "forward"))
    ),
    *(
        Row("growth", f"{name}_{number}_{figure}", f"{name} {number}: {what}", 1e3, "ms")
        for name, numbers in _GROWTH.items()
        for number in numbers
        for figure, what in (("step", "training step"), ("predicted", "batch predicted"))
    ),
    Row("memory", "kilobytes_per_round", "memory kept per round of create, fit, predict", 1, "kB", "flat"),
]  # fmt: skip
"""All lines; those of tasks that did not run are left out."""

Results = Mapping[str, Mapping[str, Sequence[Mapping[str, float]]]]


def rows_of(results: Results) -> list[tuple[Row, dict[str, list[float]]]]:
    """Returns each line that was measured, with its values by library, sorted."""
    found = []
    for row in ROWS:
        values = {
            name: sorted(row.scale * run[row.figure] for run in runs)
            for name, runs in results.get(row.task, {}).items()
            if runs and row.figure in runs[0]
        }
        if values:
            found.append((row, values))
    return found


def table(results: Results, libraries: Sequence[str]) -> str:
    """Returns the table in Markdown: medians, least and largest values, the ratio to the first library's, GFLOP/s.

    Args:
        results: As `processes.run` returns them.
        libraries: Names of the columns.
    """
    lines = [["median (least to largest)", "goal", *libraries]]
    peak = (
        statistics.median(run["float32"] for run in results["peak"][libraries[0]]) if "peak" in results else 0
    )
    for row, values in rows_of(results):
        own = statistics.median(values[libraries[0]]) if libraries[0] in values else 0
        cells = [_cell(row, values.get(name), own if name != libraries[0] else 0) for name in libraries]
        if row.work and own:
            rate = 2 * _multiply_adds(*row.work) / (own / row.scale) / 1e9
            cells[0] += f", {rate:.3g} GFLOP/s" + (f", {rate / peak:.2f} of the peak" if peak else "")
        lines.append([row.what, row.goal, *cells])
    text = "\n".join(f"| {' | '.join(line)} |" for line in [lines[0], ["---"] * len(lines[0]), *lines[1:]])
    note = (
        f"\n\nThe peak: JAX's product of two large float32 matrices, {peak:.0f} GFLOP/s.\n" if peak else "\n"
    )
    return text + note


def _cell(row: Row, each: list[float] | None, own: float) -> str:
    if not each:
        return "-"
    middle = statistics.median(each)
    spread = f" ({each[0]:.3g} to {each[-1]:.3g})" if len(each) > 1 else ""
    ratio = f", x {middle / own:.2f}" if own > 0 else ""
    return f"{middle:.3g} {row.unit}".strip() + spread + ratio


def _multiply_adds(name: str, work: str) -> int:
    """Returns the multiply-adds of a batch of one of the benchmark's networks, as `explain` counts them."""
    place = importlib.util.spec_from_file_location("networks", PROGRAMS / "networks.py")
    networks = importlib.util.module_from_spec(place)  # type: ignore[arg-type]
    place.loader.exec_module(networks)  # type: ignore[union-attr]
    model = networks.unet(hornbill) if name == "unet" else networks.NETWORKS[name](hornbill)
    rows = 8 if name == "unet" else networks.BATCHES.get(name, 32)
    return rows * json.loads(model.explain(to="json"))["totals"]["multiply_adds"][work]


def plot(results: Results, libraries: Sequence[str], path: Path) -> None:
    """Draws how long each library takes, as a multiple of the first one's time, on a logarithmic axis.

    Args:
        results: As `processes.run` returns them.
        libraries: Names, the one of comparison first.
        path: Picture to write, unless there is nothing to compare; its suffix says the format.
    """
    shown = [
        (row, {name: statistics.median(each) for name, each in values.items()})
        for row, values in rows_of(results)
        if libraries[0] in values and len(values) > 1 and row.task != "memory"
    ]
    if not shown:
        return
    figure, axes = pyplot.subplots(figsize=(9, 1.2 + 0.32 * len(shown)), layout="constrained")
    places = range(len(shown))
    for place in places:
        axes.axhline(place, color="0.92", linewidth=1, zorder=0)
    for name, mark in zip(libraries, "o|sD^vP*XhdH<>" * 2, strict=False):
        points = [
            (values[name] / values[libraries[0]], place)
            for place, (_, values) in zip(places, shown, strict=True)
            if name in values
        ]
        if points:
            axes.scatter(*zip(*points, strict=True), label=name, marker=mark, s=36, zorder=3)
    axes.axvline(1, color="0.4", linewidth=1, zorder=1)
    labels = [f"{row.what}  ({values[libraries[0]]:.3g} {row.unit})" for row, values in shown]
    axes.set_yticks(places, [label.replace(" )", ")") for label in labels], fontsize=8)
    axes.invert_yaxis()
    axes.set_xscale("log")
    ratios = [value / values[libraries[0]] for _, values in shown for value in values.values()]
    decades = range(math.floor(math.log10(min(ratios))), math.ceil(math.log10(max(ratios))) + 1)
    ticks = [step * 10.0**decade for decade in decades for step in (1, 2, 5)]
    ticks = [tick for tick in ticks if min(ratios) / 1.5 <= tick <= 1.5 * max(ratios)]
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks], minor=False)
    axes.set_xticks([], minor=True)
    axes.set_xlabel(f"multiple of {libraries[0]} (its value in brackets); to the right is slower or larger")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(loc="lower center", bbox_to_anchor=(0.3, 1), ncols=4, frameon=False, fontsize=8)
    with pyplot.rc_context({"svg.fonttype": "none"}):  # text that can be read and searched
        figure.savefig(path)
    pyplot.close(figure)


def machine() -> dict[str, Any]:
    """Returns what the figures depend on: processor, cores, devices, load, versions of Python and the system."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    names = [line.split(":")[1].strip() for line in lines if "model name" in line]
    # In a process of its own: this one must not take an accelerator's memory from those that are measured.
    command = [sys.executable, "-m", "hornbill", "doctor"]
    doctor = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603
    return {
        "python": platform.python_version(), "system": platform.platform(), "cores": os.cpu_count(),
        "processor": names[0] if names else platform.processor(),
        "doctor": [line for line in doctor.splitlines() if "cache" not in line],
        "load_before": os.getloadavg(),
    }  # fmt: skip
