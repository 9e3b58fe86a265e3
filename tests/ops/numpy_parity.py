"""How the parity tests call both libraries and compare what comes out."""

import jax
import keras
import numpy as np

import hornbill.ops
from hornbill.engine.symbolic import KerasTensor
from tests.ops.numpy_rows import T


def row_id(row):
    return (
        f"{row[0]}-{'-'.join(str(getattr(a, 'shape', a)) for a in row[1])}-{row[2] if len(row) > 2 else ''}"[
            :90
        ]
    )


def fill(value, make):
    """Replaces each `T` and array in a structure."""
    if type(value) in (list, tuple):
        return type(value)(fill(item, make) for item in value)
    return make(value)


def arrays(value):
    return jax.numpy.asarray(value) if isinstance(value, np.ndarray) and value.dtype != np.float64 else value


def ours(value):
    return KerasTensor(value.shape, value.dtype) if isinstance(value, T) else value


def theirs(value):
    return keras.KerasTensor(value.shape, value.dtype) if isinstance(value, T) else arrays(value)


def call_both(row):
    name, args, kwargs = row if len(row) == 3 else (*row, {})
    wanted = getattr(keras.ops, name)(*fill(args, theirs), **{k: fill(v, theirs) for k, v in kwargs.items()})
    result = getattr(hornbill.ops, name)(*fill(args, ours), **{k: fill(v, ours) for k, v in kwargs.items()})
    return result, wanted


def assert_same(result, wanted, rtol=2e-5, atol=2e-6):
    """Values, dtypes and shapes are equal; containers have the same lengths."""
    if isinstance(wanted, dict):
        assert result.keys() == wanted.keys()
        wanted, result = list(wanted.values()), list(result.values())
    if isinstance(wanted, (list, tuple)):
        assert isinstance(result, (list, tuple))
        assert len(result) == len(wanted)
        for ours_, theirs_ in zip(result, wanted, strict=True):
            assert_same(ours_, theirs_, rtol, atol)
        return
    if not hasattr(wanted, "dtype"):
        assert result == wanted
        return
    assert str(result.dtype) == str(wanted.dtype)
    assert tuple(result.shape) == tuple(wanted.shape)
    if not isinstance(wanted, keras.KerasTensor):
        kind = "complex64" if np.iscomplexobj(wanted) else "float64"
        if str(wanted.dtype) == "bfloat16":
            rtol = 1e-2
        np.testing.assert_allclose(
            np.asarray(result).astype(kind), np.asarray(wanted).astype(kind), rtol, atol
        )
