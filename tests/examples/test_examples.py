"""Each program of examples/ runs, and prints the numbers that it is about."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_example_has_a_test():
    names = {path.stem for path in EXAMPLES.glob("*.py")}
    text = Path(__file__).read_text(encoding="utf-8")
    assert names
    assert [name for name in names if f'load("{name}")' not in text] == []


@pytest.mark.long
def test_corner_detector(capsys):
    load("corner_detector").main(2)
    out = capsys.readouterr().out
    assert "5 input features x 1 units + 1 bias = 6" in out
    assert "Dense(1) and Conv2D(1, 1): 6 and 6 parameters" in out
    assert float(out.split("differ by at most ")[1].rstrip(".\n")) < 1e-6


def test_convolution_explained(capsys):
    load("convolution_explained").main()
    out = capsys.readouterr().out
    assert "0 0-1 0-1-2 1-2-3 2-3-4 3-4-5 4-5-6 5-6-7" in out  # causal
    assert "0-1-2 2-3-4 4-5-6 6-7" in out  # strides of 2
    assert "0 1 0-2 1-3 0-2-4 1-3-5 2-4-6 3-5-7" in out  # causal and dilated
    assert "padding='valid': a corner cell 1 times, the centre 9 times" in out
    assert (
        "Conv3D: (None, 10, 10, 10, 3) -> (None, 8, 8, 8, 4), kernel (3, 3, 3, 3, 4), 328 parameters" in out
    )


def test_unet_parameters(capsys):
    load("unet_parameters").main()
    out = capsys.readouterr().out
    assert "By hand: 7,759,521. By the model: 7,759,521." in out
    assert "3·3·32·32 + 32" in out


@pytest.mark.filterwarnings("ignore:.*old spelling:UserWarning")
def test_the_dice_coefficient_of_the_unet():
    module = load("unet_parameters")
    truth, found = [[[1.0], [0.0]]], [[[1.0], [1.0]]]
    assert float(module.dice(truth, found)) == pytest.approx(3 / 4)
    assert float(module.minus_dice(truth, found)) == pytest.approx(-3 / 4)


def test_which_axis_is_which(capsys):
    load("which_axis_is_which").main()
    out = capsys.readouterr().out
    for count in ("3,328", "2,788", "19,752", "2,172", "1,632", "1,090", "13,312", "6,176"):
        assert count in out
    assert "height 20, width 15, channels 15" in out


@pytest.mark.long
def test_custom_layer(capsys):
    assert load("custom_layer").main(3) > 0.8
    out = capsys.readouterr().out
    assert "32 input channels x 8 middle + 8 middle x 32 channels = 512" in out
    assert "'ratio': 4" in out


@pytest.mark.long
def test_custom_training_step(capsys):
    assert load("custom_training_step").main(3) > 0.7
    assert "accuracy" in capsys.readouterr().out


@pytest.mark.long
@pytest.mark.filterwarnings("ignore:No font of this machine:UserWarning")
def test_pictures(tmp_path, capsys):
    written = load("pictures").main(tmp_path / "new", 1)
    assert capsys.readouterr().out.split() == [str(path) for path in written]
    for path in written:
        assert path.read_bytes().startswith(b"\x89PNG")
        assert (EXAMPLES.parent / "docs" / "images" / path.name).stat().st_size < 150_000


@pytest.mark.long
def test_transfer_by_freezing(capsys):
    assert load("transfer_by_freezing").main(4) > 0.8
    assert "frozen weights unchanged: True" in capsys.readouterr().out
