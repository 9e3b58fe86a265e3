"""The photograph of the coins: its mask, and that no test pixel is learnt from."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from hornbill.datasets import coins
from hornbill.engine.errors import ArgumentError


def test_the_mask_has_all_24_coins():
    image, mask = coins.photograph()
    assert image.shape == mask.shape == (303, 384)
    assert image.dtype == mask.dtype == np.uint8
    assert ndimage.label(mask)[1] == 24
    assert set(np.unique(mask)) == {0, 1}


def test_the_pieces():
    (x_train, y_train), (x_test, y_test) = coins.load_data(count=3)
    assert x_train.shape == y_train.shape == (3, 96, 96, 1)
    assert x_test.shape == y_test.shape == (4, 96, 96, 1)
    image, mask = coins.photograph()
    assert np.array_equal(np.concatenate(list(x_test[..., 0]), axis=1), image[-96:])
    assert np.array_equal(np.concatenate(list(y_test[..., 0]), axis=1), mask[-96:])


def test_pieces_repeat_and_follow_the_seed():
    first, again, other = (coins.load_data(count=2, seed=seed)[0][0] for seed in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_training_pieces_come_from_above_the_test_rows(monkeypatch):
    rows = np.repeat(np.arange(303, dtype=np.uint16)[:, None], 384, axis=1)
    monkeypatch.setattr("hornbill.datasets.coins.loading.photograph", lambda: (rows, rows))
    (x_train, _), (x_test, _) = coins.load_data(count=40)
    assert x_train.max() < x_test.min() == 207


def test_no_pieces_is_an_error():
    with pytest.raises(ArgumentError, match="at least 1"):
        coins.load_data(count=0)
