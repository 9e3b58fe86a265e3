"""Whole programs, written the way people write Keras 1, 2 and 3, run unchanged by `hornbill run`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAMS = sorted(path for path in Path(__file__).parent.glob("*.py") if not path.stem.startswith(("__", "test_")))


@pytest.mark.long
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.stem)
def test_program(program, tmp_path):
    # a process of its own: this one holds the real Keras
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "hornbill", "run", str(program)],
        cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
