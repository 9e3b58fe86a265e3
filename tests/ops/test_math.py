"""Core and mathematical ops against Keras, and what only Hornbill does."""

import jax.numpy as jnp
import numpy as np
import pytest

import hornbill.ops as ops
from hornbill.engine.errors import ArgumentError, ShapeError
from hornbill.engine.symbolic import KerasTensor
from hornbill.engine.variable import Variable
from tests.ops import numpy_rows as rows
from tests.ops.numpy_parity import assert_same, call_both, row_id


@pytest.mark.parametrize("row", rows.MATH_ROWS, ids=row_id)
def test_row(row):
    assert_same(*call_both(row))


def test_top_k():
    for dtype in rows.DTYPES:
        result, wanted = call_both(("top_k", (rows.typed(dtype), 2)))
        assert_same(result, list(wanted))


@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize("lengths", [(4, 2, 6), (5, 2, 7), (4, 1, 4)])
def test_istft_undoes_stft(center, lengths):
    signal = np.linspace(1.0, 2.0, 16, dtype="float32")
    spectrum = [np.asarray(part) for part in ops.stft(signal, *lengths, center=center)]
    row = ("istft", (spectrum, *lengths), {"center": center})
    assert_same(*call_both(row))
    if center:
        back = ops.istft(spectrum, *lengths)
        np.testing.assert_allclose(back[:15], signal[:15], rtol=1e-5)


def test_convert():
    assert ops.convert_to_tensor([1.0, 2]).dtype == jnp.float32
    assert ops.convert_to_tensor([1], dtype="bfloat16").dtype == jnp.bfloat16
    copy = ops.convert_to_numpy(ops.ones(2))
    copy[0] = 5  # a copy of its own, writable
    assert ops.is_tensor(jnp.ones(1))
    assert not ops.is_tensor(Variable([1.0]))
    assert not ops.is_tensor(KerasTensor((1,)))
    assert ops.shape([[1, 2]]) == (1, 2)
    with pytest.raises(ArgumentError, match="ragged"):
        ops.convert_to_tensor([1], ragged=True)
    with pytest.raises(ArgumentError, match="Did you mean"):
        ops.cast([1], "float23")


def test_unstack_says_what_is_unknown():
    with pytest.raises(ShapeError, match="axis 0 is not known"):
        ops.unstack(KerasTensor((None, 3)))
    with pytest.raises(ShapeError, match="num=3"):
        ops.unstack(jnp.ones((2, 3)), num=3)


def test_segment_ids_of_two_axes():
    total = ops.segment_sum(jnp.arange(6).reshape(2, 3), jnp.asarray([[0, 2, 1], [0, 0, 0]]))
    assert total.tolist() == [0 + 3 + 4 + 5, 2, 1]


def test_rearrange():
    x = jnp.arange(24).reshape(2, 3, 4)
    assert ops.rearrange(x, "b ... -> ... b").shape == (3, 4, 2)
    assert ops.rearrange(x, "b h w -> b (h w)").shape == (2, 12)
    assert ops.rearrange(x, "b h w -> b h 1 w").shape == (2, 3, 1, 4)
    assert ops.rearrange(KerasTensor((None, 3, 4)), "b h w -> b (w h)").shape == (None, 12)
    assert ops.rearrange(x, "... (w two) -> two ... w", two=2).shape == (2, 2, 3, 2)
    with pytest.raises(ArgumentError, match="same axes"):
        ops.rearrange(x, "a b c -> a b")
    with pytest.raises(ShapeError, match="names 2 axes"):
        ops.rearrange(x, "a b -> b a")
    with pytest.raises(ShapeError, match="axis 1 does not fit"):
        ops.rearrange(x, "a (b c) d -> a b c d", b=2)
