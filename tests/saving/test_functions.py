"""save_model and load_model as functions, under both of their public names."""

from __future__ import annotations

import numpy as np
import pytest

import hornbill
from hornbill import layers


@pytest.mark.parametrize("home", [hornbill.models, hornbill.saving])
def test_save_model_and_load_model(home, tmp_path):
    model = hornbill.Sequential([hornbill.Input((3,)), layers.Dense(2)])
    path = tmp_path / "model.keras"
    home.save_model(model, path)
    again = home.load_model(path)
    x = np.ones((1, 3), "float32")
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))
    with pytest.raises(ValueError, match="exists"):
        home.save_model(model, path, overwrite=False)
