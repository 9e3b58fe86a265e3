"""`hornbill demo` and `hornbill demo segmentation`: what they print, write and reach."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from hornbill import demo
from hornbill.demo import digits, pictures, segmentation


@pytest.mark.long
def test_the_digits_are_read_as_well_as_promised(tmp_path, capsys):
    assert digits.run(tmp_path) >= 0.98
    out = capsys.readouterr().out
    assert "3·3·32·64 + 64" in out
    assert "(3 kernel height x 3 kernel width x 1 input channels) x 32 filters + 32 bias = 320" in out
    assert "accuracy" in out
    assert "hornbill demo segmentation" in out
    for name in ("digits.keras", "digits.html", "digits-network.png", "digits-predictions.png"):
        assert name in out
        assert (tmp_path / name).stat().st_size > 1000


@pytest.mark.long
def test_the_segmentation_writes_its_files(tmp_path, capsys):
    assert (
        demo.main(["segmentation", "--epochs", "1", "--output", str(tmp_path / "new" / "folder"), "--quiet"])
        == 0
    )
    out = capsys.readouterr().out
    assert "held-out pixels agree with the truth" in out
    assert "summary" not in out
    names = {path.name for path in (tmp_path / "new" / "folder").iterdir()}
    assert names == {"coins.keras", "coins-network.png", "coins-predictions.png"}


def test_the_small_unet_gives_masks_of_the_size_of_its_images():
    model = segmentation.small_unet()
    assert model.output_shape == (None, 96, 96, 1)
    assert model.count_params() == 120_681


def test_a_misspelt_demo_is_told_its_name(capsys):
    assert demo.main(["segmentatoin"]) == 1
    error = capsys.readouterr().err
    assert "no demo 'segmentatoin'" in error
    assert "Did you mean 'segmentation'?" in error


def test_a_folder_that_cannot_be_made_is_said_before_training(tmp_path, capsys):
    (tmp_path / "file").write_text("in the way")
    assert demo.main(["--output", str(tmp_path / "file")]) == 1
    out, error = capsys.readouterr()
    assert "cannot write to the folder" in error
    assert out == ""


@pytest.mark.parametrize("epochs", ["0", "-1", "two"])
def test_epochs_are_counted(epochs, capsys):
    with pytest.raises(SystemExit):
        demo.main(["--epochs", epochs])
    assert "whole number of at least 1" in capsys.readouterr().err


def test_right_and_wrong_digits_differ_by_more_than_colour():
    blank = np.zeros((1, 8, 8))
    right = pictures.digits_picture(blank, np.array([3]), np.array([3])).convert("L")
    wrong = pictures.digits_picture(blank, np.array([3]), np.array([5])).convert("L")
    dark = [np.asarray(image)[150:180] < 160 for image in (right, wrong)]
    assert dark[0].any()
    assert (dark[0] != dark[1]).any()


def test_the_coins_stand_side_by_side():
    shape = (2, 96, 96)
    image = pictures.coins_picture(np.zeros(shape), np.ones(shape), np.full(shape, 0.6), "title")
    assert isinstance(image, Image.Image)
    assert image.width > 4 * 192
    assert image.height > 2 * 192
