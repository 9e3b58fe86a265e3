"""What docs/explain.md shows is what comes out, and every test that it names exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "explain.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


def test_what_is_shown_comes_out(capsys, monkeypatch):
    monkeypatch.setenv("HORNBILL_LANGUAGE", "en")
    names: dict = {}
    waiting = ""
    for kind, text in BLOCKS:
        if kind == "python":
            exec(compile(text, "explain.md", "exec"), names)
            waiting = capsys.readouterr().out
        elif waiting:
            assert waiting.startswith(text.rstrip("\n"))
            waiting = ""


def test_links_lead_somewhere():
    targets = re.findall(r"\]\(([^)#]+)\)", TEXT)
    assert [target for target in targets if not (ROOT / "docs" / target).exists()] == []


@pytest.mark.parametrize("path", sorted(set(re.findall(r"(?<=[` ])tests/[\w/]+(?:\.py)?", TEXT))))
def test_every_test_that_proves_an_entry_exists(path):
    place = ROOT / path
    assert place.exists()
    assert place.suffix == ".py" or list(place.glob("test_*.py"))


@pytest.mark.parametrize(("path", "word"), re.findall(r"(tests/[\w/]+\.py) -k (\w+)", TEXT))
def test_every_selection_selects_something(path, word):
    assert re.search(rf"def test_\w*{word.removeprefix('test_')}", (ROOT / path).read_text(encoding="utf-8"))
