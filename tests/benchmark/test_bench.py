"""`hornbill bench`: what it runs is what it says, and its table, plot and files hold what the processes measured."""

from __future__ import annotations

import importlib.util
import json
import math
import statistics
import sys

import keras
import numpy as np
import pytest

import hornbill
from hornbill.benchmark import processes, report
from hornbill.cli import main


def program(name: str):
    sys.path.insert(0, str(processes.PROGRAMS))
    try:
        spec = importlib.util.spec_from_file_location(name, processes.PROGRAMS / f"{name}.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module
    finally:
        sys.path.pop(0)


networks = program("networks")


@pytest.mark.parametrize("name", ["unet", *networks.NETWORKS])
def test_networks_are_the_same_in_keras(name):
    build = networks.unet if name == "unet" else networks.NETWORKS[name]
    own, theirs = build(hornbill), build(keras)
    assert own.count_params() == theirs.count_params()
    assert [tuple(w.shape) for w in own.weights] == [tuple(w.shape) for w in theirs.weights]
    if name != "unet":
        x, y, rows = networks.data(name, 2)
        assert len(x) == len(y) == 2 * rows
        assert own.compute_output_shape((rows, *x.shape[1:])) == (rows, networks.CLASSES)


@pytest.mark.parametrize("name", networks.GROWTH)
def test_growing_networks_take_their_data(name):
    number = networks.GROWTH[name][0]
    x, y, rows = networks.growth_data(name, number, 1)
    answers = networks.grown(hornbill, name, number).predict(x, verbose=0)
    assert answers.shape == (rows, networks.CLASSES)
    assert len(y) == rows


def test_every_task_has_its_program_and_every_row_its_task():
    assert set(program("tasks").TASKS) == set(processes.TASKS)
    assert {row.task for row in report.ROWS} == set(processes.TASKS) - {"peak"}


def test_quick_run_prints_the_table_and_writes_nothing(tmp_path, capsys):
    words = ["bench", "--quick", "--only", "peak", "corner_fit", "--peers", "keras-jax"]
    assert main([*words, "--output", str(tmp_path / "kept")]) == 0
    printed = capsys.readouterr()
    header, _, fit, *_ = printed.out.splitlines()
    assert header == "| median (least to largest) | goal | hornbill | keras-jax |"
    assert fit.startswith("| corner detector: fit step | 60 us")
    assert " us, x " in fit
    assert printed.err.count("corner_fit") == 2
    assert not (tmp_path / "kept").exists()


def test_files_hold_what_was_measured(tmp_path, capsys):
    assert (
        main(["bench", "--only", "import", "--rounds", "3", "--peers", "jax", "--output", str(tmp_path)]) == 0
    )
    files = {path.suffix: path for path in tmp_path.iterdir()}
    assert set(files) == {".json", ".md", ".svg"}
    content = json.loads(files[".json"].read_text())
    seconds = [run["seconds"] for run in content["results"]["import"]["hornbill"]]
    assert len(seconds) == 3
    assert f"| {statistics.median(seconds):.3g} s (" in files[".md"].read_text()
    assert content["machine"]["doctor"][0].startswith("hornbill ")


def test_table_tells_rates_and_ratios():
    results = {
        "peak": {"hornbill": [{"float32": 100.0}]},
        "mlp": {"hornbill": [{"step": 0.002}, {"step": 0.004}, {"step": 0.001}], "torch": [{"step": 0.003}]},
    }
    line = report.table(results, ["hornbill", "torch", "jax"]).splitlines()[2]
    # 128 rows; a gradient by the weights for every product, one by the inputs for all but the first.
    products = [784 * 512, 512 * 512, 512 * 10]
    rate = 2 * 128 * (3 * sum(products) - products[0]) / 0.002 / 1e9
    own, torch, jax = (cell.strip() for cell in line.split("|")[3:6])
    assert own == f"2 ms (1 to 4), {rate:.3g} GFLOP/s, {rate / 100:.2f} of the peak"
    assert torch == "3 ms, x 1.50"
    assert jax == "-"


def test_plot_is_drawn(tmp_path):
    room = np.random.default_rng(0)
    results = {
        name: {
            library: [{"step": room.random() + 0.1, "predicted": 0.1}] for library in ("hornbill", "torch")
        }
        for name in networks.NETWORKS
    }
    report.plot(results, ["hornbill", "torch"], tmp_path / "plot.svg")
    assert (
        "training step" in (tmp_path / "plot.svg").read_text()
        or (tmp_path / "plot.svg").stat().st_size > 5000
    )


@pytest.mark.parametrize("option", ["--peers", "--only", "--without"])
def test_unknown_names_are_told(option, capsys):
    assert main(["bench", "--quick", option, "tensorflaw"]) == 1
    told = capsys.readouterr().err
    assert f"{option} does not know 'tensorflaw'" in told
    assert "One of " in told


def test_what_fails_is_told_and_loses_nothing(tmp_path, capsys):
    words = ["bench", "--only", "import", "--rounds", "1", "--peers", "keras-tf", "jax"]
    assert main([*words, "--output", str(tmp_path)]) == 1  # there is no TensorFlow here
    told = capsys.readouterr().err
    assert "hornbill bench: not everything could be measured." in told
    assert "import with keras-tf: ModuleNotFoundError: No module named 'tensorflow'" in told
    assert "--python keras-tf=PATH" in told
    measured = json.loads(next(tmp_path.glob("*.json")).read_text())["results"]["import"]
    assert {name: len(runs) for name, runs in measured.items()} == {"hornbill": 1, "keras-tf": 0, "jax": 1}


def test_missing_interpreters_are_told_before_anything_runs(tmp_path, capsys):
    place = str(tmp_path / "nowhere")
    assert main(["bench", "--only", "import", "--peers", "jax", "--python", f"jax={place}"]) == 1
    assert capsys.readouterr().err == (
        f"hornbill bench: --python: there is no interpreter for jax.\n  Got: {place}\n"
    )


def test_seconds_are_of_one_time(monkeypatch):
    tasks = program("tasks")
    clock = [0.0]
    monkeypatch.setattr(tasks.time, "perf_counter", lambda: clock[0])

    def call(times):
        clock[0] += 0.001 * times

    assert math.isclose(tasks.repeated(call), 0.001)
