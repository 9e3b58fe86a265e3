"""The kernels without Python and XLA, built with sanitizers: right numbers, bad calls refused, no crash."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
COMPILER = os.environ.get("CXX") or shutil.which("g++") or shutil.which("clang++")
SETS = {
    "avx512": (16, 32, ["-mavx512f", "-mavx512dq", "-mavx512bw", "-mavx512vl", "-mavx2", "-mfma"]),
    "avx2": (8, 16, ["-mavx2", "-mfma"]),
    "baseline": (4, 16, []),
}
AMX = [*SETS["avx512"][2], "-mavx512bf16", "-mamx-tile", "-mamx-bf16", "-Wno-maybe-uninitialized"]

NONE_AT_FIRST = "malloc_fill_byte=255:max_malloc_fill_size=1000000000"
"""New memory holds what is no number, which also shows where tiles of AMX read too far: their loads are not watched."""


def build(folder: Path, flags: list[str]) -> Path:
    if COMPILER is None:
        pytest.skip("there is no C++ compiler")
    if platform.machine() not in ("x86_64", "AMD64"):
        pytest.skip("the three instruction sets are those of x86-64")
    common = [COMPILER, "-std=c++17", "-O1", "-g", "-Wall", "-Wextra", "-Wno-psabi", *flags]
    jobs, objects = [], []
    for name, (width, registers, own) in SETS.items():
        macros = [
            f"-DHB_WIDTH={width}", f"-DHB_REGISTERS={registers}", f'-DHB_NAME="{name}"', f"-DHB_TABLE={name}_kernels",
        ]  # fmt: skip
        objects.append(folder / f"{name}.o")
        source = ROOT / "cpp" / "kernels.cpp"
        command = [*common, "-ffp-contract=fast", *own, *macros, "-c", str(source), "-o", str(objects[-1])]
        jobs.append(subprocess.Popen(command))
    objects.append(folder / "tiles.o")
    command = [*common, *AMX, "-c", str(ROOT / "cpp" / "tiles.cpp"), "-o", str(objects[-1])]
    jobs.append(subprocess.Popen(command))
    assert [job.wait() for job in jobs] == [0] * len(jobs)
    sources = [
        ROOT / "cpp" / name
        for name in (
            "activation.cpp",
            "checks.cpp",
            "attention.cpp",
            "choice.cpp",
            "depthwise.cpp",
            "driver.cpp",
            "half.cpp",
            "moments.cpp",
            "pool.cpp",
            "product.cpp",
            "winograd.cpp",
            "optimizer.cpp",
            "recurrent.cpp",
        )
    ] + [ROOT / "tests" / "check.cpp"]
    program = folder / "check"
    subprocess.run([*common, *map(str, sources + objects), "-o", str(program), "-lpthread"], check=True)
    return program


@pytest.mark.parametrize(
    "flags", [["-fsanitize=address,undefined", "-fno-sanitize-recover=all"], ["-fsanitize=thread"]]
)
def test_kernels_under_sanitizers(tmp_path, flags):
    program = build(tmp_path, flags)
    for seed, algorithm in enumerate(("", "winograd")):
        done = subprocess.run(
            [str(program), str(seed), "30"], check=False, capture_output=True, text=True, timeout=900,
            env={**os.environ, "HORNBILL_NATIVE_ALGORITHM": algorithm, "ASAN_OPTIONS": NONE_AT_FIRST},
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
