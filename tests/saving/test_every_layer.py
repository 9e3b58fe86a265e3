"""Every layer in every format, from Keras to Hornbill and from Hornbill to Keras: same weights, same predictions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jax
import keras
import numpy as np
import pytest

import hornbill
from tests.saving.every_layer import FAMILIES, ROWS, data_of, model_of, rows_of

pytestmark = pytest.mark.filterwarnings("ignore")
BOTH = [(keras, hornbill), (hornbill, keras)]
IDS = ["theirs here", "ours there"]


def _outputs(model: Any, data: list[np.ndarray]) -> list[np.ndarray]:
    return [np.asarray(leaf) for leaf in jax.tree_util.tree_leaves(jax.jit(model)(data))]


def _assert_same_weights(first: Any, second: Any) -> None:
    assert [w.name for w in first.weights] == [w.name for w in second.weights]
    for a, b in zip(first.weights, second.weights, strict=True):
        np.testing.assert_array_equal(np.asarray(a), np.asarray(b), err_msg=a.path)


def _check_whole(model: Any, reader: Any, path: Path, data: list[np.ndarray]) -> None:
    model.save(path)
    loaded = reader.saving.load_model(path)
    _assert_same_weights(model, loaded)
    for a, b in zip(_outputs(model, data), _outputs(loaded, data), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)


@pytest.mark.long
@pytest.mark.parametrize(("writer", "reader"), BOTH, ids=IDS)
@pytest.mark.parametrize("family", FAMILIES)
def test_family(tmp_path, writer: Any, reader: Any, family: str):
    model = model_of(writer, family)
    _check_whole(model, reader, tmp_path / "m.keras", data_of(family))
    old = reader is keras and not all(row.in_old_files for row in rows_of(family))
    _check_whole(
        model_of(writer, family, old) if old else model, reader, tmp_path / "m.h5", data_of(family, old)
    )
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
