"""Whole programs, written the way people write Keras 1, 2 and 3, run unchanged while the alias is installed."""

from __future__ import annotations

import runpy
import warnings
from pathlib import Path

import pytest

from hornbill.compat.alias import install, uninstall

PROGRAMS = sorted(
    path for path in Path(__file__).parent.glob("*.py") if path.stem not in ("__init__", Path(__file__).stem)
)


@pytest.mark.long
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.stem)
def test_program(program, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    install()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            runpy.run_path(str(program), run_name="__main__")
    finally:
        uninstall()
