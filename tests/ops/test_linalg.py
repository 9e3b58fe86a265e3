"""Linear algebra against real Keras."""

from __future__ import annotations

import jax
import keras
import numpy as np
import pytest

from hornbill.engine.errors import ArgumentError, ArgumentTypeError, ShapeError
from hornbill.engine.symbolic import KerasTensor
from hornbill.ops import linalg

ROOM = np.random.default_rng(3)


def floats(*shape):
    return ROOM.random(shape, dtype=np.float32)


A = floats(3, 3) + 2 * np.eye(3, dtype="float32")
SYMMETRIC = A @ A.T + np.eye(3, dtype="float32")
LOWER = np.linalg.cholesky(SYMMETRIC)
ORDERS = (None, "fro", "nuc", np.inf, -np.inf, 1, -1, 2, -2)
VALUES = [
    ("cholesky", (SYMMETRIC,), {}),
    ("cholesky", (SYMMETRIC,), {"upper": True}),
    ("cholesky_inverse", (LOWER,), {}),
    ("cholesky_inverse", (LOWER.T,), {"upper": True}),
    ("det", (A,), {}),
    ("eig", (SYMMETRIC,), {}),
    ("eigh", (SYMMETRIC,), {}),
    ("inv", (A,), {}),
    ("lu_factor", (A,), {}),
    ("lstsq", (floats(4, 2), floats(4)), {}),
    ("lstsq", (floats(4, 2), floats(4, 3)), {"rcond": 0.1}),
    ("matrix_rank", (A,), {}),
    ("matrix_rank", (A,), {"tol": 2.0}),
    ("pinv", (floats(2, 3, 2),), {}),
    ("pinv", (floats(3, 2),), {"rcond": 0.5}),
    ("qr", (floats(3, 2),), {}),
    ("qr", (floats(3, 2),), {"mode": "complete"}),
    ("solve", (A, floats(3)), {}),
    ("solve", (np.stack([A, SYMMETRIC]), floats(2, 3, 4)), {}),
    ("solve_triangular", (A, floats(3)), {}),
    ("solve_triangular", (np.stack([A, SYMMETRIC]), floats(2, 3, 2)), {"lower": True}),
    ("svd", (floats(3, 2),), {}),
    ("svd", (floats(3, 2),), {"full_matrices": False}),
    ("svd", (floats(3, 2),), {"compute_uv": False}),
    *[("norm", (A,), {"ord": order}) for order in ORDERS],
    *[("norm", (floats(2, 3, 4),), {"ord": order, "axis": (0, 2)}) for order in ORDERS],
    *[
        ("norm", (floats(2, 3),), {"ord": order, "axis": 1, "keepdims": True})
        for order in (None, 0, 1, 3, np.inf)
    ],
    ("norm", (floats(2, 3, 4),), {"keepdims": True}),
]


@pytest.mark.parametrize(("name", "arguments", "keywords"), VALUES)
def test_values(name, arguments, keywords):
    ours, theirs = (getattr(module, name)(*arguments, **keywords) for module in (linalg, keras.ops.linalg))
    for mine, yours in zip(jax.tree.leaves(ours), jax.tree.leaves(theirs), strict=True):
        assert (mine.shape, mine.dtype) == (yours.shape, yours.dtype)
        np.testing.assert_allclose(mine, yours, rtol=1e-4, atol=1e-5)


def test_stacks_of_vectors():
    matrices, vectors = np.stack([A, SYMMETRIC]), floats(2, 3)
    np.testing.assert_allclose(
        np.einsum("bij,bj->bi", matrices, linalg.solve(matrices, vectors)), vectors, rtol=1e-3, atol=1e-4
    )


def test_jvp():
    assert [float(x) for x in linalg.jvp(lambda x: x * x, (3.0,), (1.0,))] == [9.0, 6.0]
    assert linalg.jvp(lambda x: (x * x, "aux"), [3.0], [1.0], has_aux=True)[2] == "aux"


def test_whole_numbers_and_unknown_sizes():
    assert linalg.det(np.eye(2, dtype="int32") * 2) == 4.0
    x = KerasTensor((None, 3, 2))
    assert [part.shape for part in linalg.svd(x)] == [(None, 3, 3), (None, 2), (None, 2, 2)]
    assert [part.shape for part in linalg.qr(x)] == [(None, 3, 2), (None, 2, 2)]
    assert linalg.pinv(x).shape == (None, 2, 3)
    assert linalg.norm(x, axis=-1).shape == (None, 3)


ERRORS = [
    (lambda: linalg.inv(floats(2, 3)), ShapeError, "2 rows, 3 columns"),
    (lambda: linalg.det(floats(2)), ShapeError, "two axes"),
    (lambda: linalg.cholesky(-SYMMETRIC), ArgumentError, "not positive definite"),
    (lambda: linalg.solve(A, floats(2)), ShapeError, "a row for each of the 3 rows"),
    (lambda: linalg.qr(A, "complet"), ArgumentError, "Did you mean 'complete'"),
    (lambda: linalg.norm(A, ord=3), ArgumentError, "ord of matrices"),
    (lambda: linalg.norm(A[0], ord="fro"), ArgumentError, "ord of vectors"),
    (lambda: linalg.norm(A, axis=5), ArgumentError, "axis"),
    (lambda: linalg.lstsq(A, floats(2)), ShapeError, "lstsq wants"),
    (lambda: linalg.jvp(lambda x: x, 1.0, 1.0), ArgumentTypeError, "tuples of one length"),
]


@pytest.mark.parametrize(("call", "error", "words"), ERRORS)
def test_errors(call, error, words):
    with pytest.raises(error) as caught:
        call()
    assert words in str(caught.value)
