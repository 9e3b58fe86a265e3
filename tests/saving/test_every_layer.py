"""Every layer in every format, from Keras to Hornbill and from Hornbill to Keras: same weights, same predictions."""

from __future__ import annotations

from typing import Any

import jax
import keras
import numpy as np
import pytest

import hornbill
from tests.saving.every_layer import FAMILIES, ROWS, data_of, model_of

pytestmark = pytest.mark.filterwarnings("ignore")
BOTH = [(keras, hornbill), (hornbill, keras)]
IDS = ["theirs here", "ours there"]


def _outputs(model: Any, family: str) -> list[np.ndarray]:
    return [np.asarray(leaf) for leaf in jax.tree_util.tree_leaves(model(data_of(family)))]


def _assert_same_weights(first: Any, second: Any) -> None:
    assert [w.name for w in first.weights] == [w.name for w in second.weights]
    for a, b in zip(first.weights, second.weights, strict=True):
        np.testing.assert_array_equal(np.asarray(a), np.asarray(b), err_msg=a.path)


@pytest.mark.parametrize(("writer", "reader"), BOTH, ids=IDS)
@pytest.mark.parametrize("family", FAMILIES)
def test_family(tmp_path, writer: Any, reader: Any, family: str):
    model = model_of(writer, family)
    expected = _outputs(model, family)
    for name in ("m.keras", "m.h5"):
        model.save(tmp_path / name)
        loaded = reader.saving.load_model(tmp_path / name)
        _assert_same_weights(model, loaded)
        for a, b in zip(expected, _outputs(loaded, family), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)
    model.save_weights(tmp_path / "m.weights.h5")
    other = model_of(reader, family)
    for weight in other.weights:
        if "float" in str(weight.dtype):
            weight.assign(np.zeros(weight.shape))
    other.load_weights(tmp_path / "m.weights.h5")
    _assert_same_weights(model, other)


def test_no_layer_is_forgotten():
    made = {row.name for row in ROWS}
    assert {name for names in FAMILIES.values() for name in names.split()} <= made
