"""`hornbill explain --page`, `hornbill view`, the demo's page, and examples out of files and folders."""

from __future__ import annotations

import json
import re
import webbrowser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import hornbill as keras
from hornbill import layers
from hornbill.cli import main
from hornbill.engine.errors import FileError
from hornbill.explain.page.examples import read_examples


@pytest.fixture(scope="module")
def model() -> Any:
    return keras.Sequential(
        [keras.Input((6, 5, 1)), layers.Conv2D(2, 3, name="look"), layers.Flatten(), layers.Dense(2)],
        name="tiny",
    )


@pytest.fixture
def stored(model, tmp_path) -> Path:
    model.save(tmp_path / "tiny.keras")
    return tmp_path / "tiny.keras"


def examples_of(page: Path) -> dict[str, Any]:
    text = page.read_text(encoding="utf-8")
    return json.loads(re.search(r'id="hornbill-data">(.*?)</script>', text, re.DOTALL)[1])["examples"]


def test_explain_writes_a_page(stored, tmp_path, capsys):
    np.savez(tmp_path / "x.npz", y=np.arange(3), x=np.zeros((3, 6, 5), "uint8"))
    page = tmp_path / "out" / "page.html"
    assert (
        main(
            [
                "explain",
                str(stored),
                "--page",
                str(page),
                "--examples",
                str(tmp_path / "x.npz"),
                "--language",
                "zh",
            ]
        )
        == 0
    )
    assert page.resolve().as_uri() in capsys.readouterr().out
    assert examples_of(page)["count"] == 3


def test_view_opens_the_browser(stored, monkeypatch, capsys):
    opened = []
    monkeypatch.setattr(webbrowser, "open", lambda uri: opened.append(uri) or True)
    assert main(["view", str(stored)]) == 0
    assert opened[0].startswith("file://")
    assert opened[0].endswith("/tiny.html")
    assert Path(capsys.readouterr().out.strip()).exists()


def test_view_without_a_browser_says_how_to_open_it(stored, tmp_path, capsys):
    assert main(["view", str(stored), "--no-open", "-o", str(tmp_path / "mine.html")]) == 0
    assert "Open it in a browser: file://" in capsys.readouterr().out
    assert (tmp_path / "mine.html").exists()


def test_examples_that_are_not_there_are_said(stored, capsys):
    assert main(["view", str(stored), "--no-open", "--examples", "nowhere.npz"]) == 1
    assert "There is no file 'nowhere.npz'" in capsys.readouterr().err


def test_a_folder_of_pictures_becomes_a_batch(model, tmp_path):
    Image.new("RGB", (50, 60), (255, 255, 255)).save(tmp_path / "b.png")
    Image.new("L", (5, 6), 51).save(tmp_path / "a.jpg", quality=100)
    (tmp_path / "notes.txt").write_text("not a picture")
    batch = read_examples(tmp_path, model)
    assert batch.shape == (2, 6, 5, 1)
    assert batch.dtype == np.float32
    np.testing.assert_allclose(batch[0], 0.2, atol=0.01)  # a.jpg comes first
    np.testing.assert_allclose(batch[1], 1.0)


def test_a_picture_for_three_channels(tmp_path):
    rgb = keras.Sequential([keras.Input((4, 4, 3)), layers.Flatten()])
    Image.new("RGB", (8, 8), (255, 0, 51)).save(tmp_path / "c.png")
    np.testing.assert_allclose(read_examples(tmp_path / "c.png", rgb)[0, 0, 0], [1, 0, 0.2], atol=1e-6)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda p: np.save(p / "x.npy", np.zeros((3, 7, 7))), "No array in"),
        (
            lambda p: np.save(p / "x.npy", np.array([{}], dtype=object), allow_pickle=True),
            "cannot be read as arrays",
        ),
        (lambda p: (p / "x.npy").write_bytes(b"\x93NUMPY broken"), "cannot be read as arrays"),
        (lambda p: (p / "x.npy").write_text("text"), "cannot be read as arrays"),
    ],
)
def test_files_that_hold_no_examples_say_so(model, tmp_path, make, words):
    make(tmp_path)
    with pytest.raises(FileError, match=words):
        read_examples(tmp_path / "x.npy", model)


def test_no_pictures_and_broken_pictures_say_so(model, tmp_path):
    with pytest.raises(FileError, match="no pictures in the folder"):
        read_examples(tmp_path, model)
    (tmp_path / "a.png").write_bytes(b"no picture")
    with pytest.raises(FileError, match="cannot be read as a picture"):
        read_examples(tmp_path, model)
