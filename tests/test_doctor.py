"""`hornbill doctor`: every subject has its line, and it says why the CPU kernels are not active."""

from __future__ import annotations

import jax
import pytest

from hornbill import cli, doctor
from hornbill.ops import native


def test_every_subject_has_a_line(capsys):
    assert cli.main(["doctor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[0] for line in lines] == list(doctor.findings())
    assert jax.__version__ in lines[1]


def test_says_which_kernels_are_active_or_why_none():
    found = doctor.findings()
    reason = native.reason_inactive()
    assert found["native kernels"].startswith(
        f"not active: {reason}" if reason else "active: hornbill-native"
    )
    assert ("float32" in found["served by them"]) == (not reason)


def test_names_the_setting_that_switches_off(monkeypatch):
    native._load.cache_clear()
    monkeypatch.setenv("HORNBILL_NATIVE", "off")
    try:
        assert "HORNBILL_NATIVE switches it off" in doctor.findings()["native kernels"]
    finally:
        monkeypatch.undo()
        native._load.cache_clear()


@pytest.mark.parametrize(("setting", "words"), [("off", "off"), ("/somewhere", "off")])
def test_compilation_cache(monkeypatch, setting, words):
    monkeypatch.setenv("HORNBILL_CACHE", setting)
    used = jax.config.jax_compilation_cache_dir
    assert (used or words) in doctor.findings()["compilation cache"]
