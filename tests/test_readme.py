"""What the README shows runs, both languages show the same, and its links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
READMES = [ROOT / "README.md", ROOT / "README.zh-CN.md"]


def blocks(path: Path) -> list[tuple[str, str]]:
    return re.findall(r"^```(\w*)\n(.*?)^```$", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def without_comments(text: str) -> str:
    return re.sub(r" *#.*", "", text)


def test_both_languages_show_the_same_blocks():
    first, second = ([(kind, without_comments(text)) for kind, text in blocks(path)] for path in READMES)
    assert first == second


@pytest.mark.parametrize("path", READMES, ids=lambda path: path.name)
def test_links_lead_somewhere(path):
    targets = re.findall(r"\]\(([^)#]+)\)", path.read_text(encoding="utf-8"))
    assert [target for target in targets if "://" not in target and not (ROOT / target).exists()] == []


def test_the_two_commands_are_single_lines():
    text = READMES[0].read_text(encoding="utf-8")
    for name in ("demo", "test"):
        part = text.split(f"<!-- {name}-command -->")[1].split("<!-- end -->")[0]
        assert len(part.strip().splitlines()) == 3
        assert part.strip().splitlines()[1].startswith("python3 -m venv .venv && ")


@pytest.mark.long
def test_five_minutes_of_use(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    code = "\n".join(text for kind, text in blocks(READMES[0]) if kind == "python")
    exec(compile(code.replace("epochs=10", "epochs=1"), "README.md", "exec"), {})
    out = capsys.readouterr().out
    shown = [text for kind, text in blocks(READMES[0]) if kind == "" and "conv2d (Conv2D)" in text]
    assert len(shown) == 2
    for text in shown:
        for line in text.splitlines():
            words = " ".join(line.replace("│", " ").split())
            assert words.strip("┌─┬┐├┼┤└┴┘ ") in " ".join(out.replace("│", " ").split())
    assert (tmp_path / "model.png").stat().st_size > 1000
    assert (tmp_path / "model.keras").stat().st_size > 1000
