"""Mistakes are told before JAX sees them: which op, which axis, which numbers, what to do."""

import re

import jax
import jax.numpy as jnp
import pytest

import hornbill.ops as ops
from hornbill.engine.errors import ArgumentError, ArgumentTypeError, ShapeError, StateError
from hornbill.engine.symbolic import KerasTensor

X = jnp.ones((2, 3))
CASES = [
    (lambda: ops.reshape(X, (4, 2)), ShapeError, "2 x 3 = 6 elements.*4 x 2 = 8"),
    (lambda: ops.reshape(X, (4, -1)), ShapeError, "6 is no multiple of 4 = 4"),
    (lambda: ops.reshape(X, (-1, -1)), ShapeError, "only one size"),
    (lambda: ops.concatenate([X, X[:, :2]]), ShapeError, "Axis 1 has sizes 3, 2"),
    (lambda: ops.concatenate([X, X[0]]), ShapeError, "same number of axes"),
    (lambda: ops.concatenate([]), ArgumentError, "empty list"),
    (lambda: ops.stack([X, X[:1]]), ShapeError, "Axis 0 has sizes 2, 1"),
    (lambda: ops.matmul(X, X), ShapeError, "Axis -1 of the first has 3, axis -2 of the second 2"),
    (lambda: ops.matmul(2.0, X), ShapeError, "axis to sum over"),
    (lambda: ops.add(X, jnp.ones(2)), ShapeError, "axis -1 has sizes 2 and 3"),
    (lambda: ops.where(X > 0, jnp.ones(2), 0), ShapeError, "axis -1"),
    (lambda: ops.where(X > 0, X), ArgumentError, "only x1"),
    (lambda: ops.sum(X, axis=2), ArgumentError, "axis 2 does not exist.*2 axes.*-2 to 1"),
    (lambda: ops.sum(X, axis=(0, 0)), ArgumentError, "once"),
    (lambda: ops.squeeze(X, 1), ShapeError, "axis 1 has size 3"),
    (lambda: ops.transpose(X, (0, 0)), ShapeError, "each of the 2 axes"),
    (lambda: ops.split(X, 2, axis=1), ShapeError, "3 / 2"),
    (lambda: ops.broadcast_to(X, (2, 4)), ShapeError, "cannot become"),
    (lambda: ops.einsum("ij,jk->ik", X, X), ShapeError, "'j' stands for two sizes"),
    (lambda: ops.einsum("ij->i", X, X), ArgumentError, "1 terms"),
    (lambda: ops.einsum("ijk->i", X), ShapeError, "names 3 axes"),
    (lambda: ops.tensordot(X, X, 1), ShapeError, "Axis 1 of the first"),
    (lambda: ops.pad(X, 1, mode="reflct"), ArgumentError, "Did you mean 'reflect'"),
    (lambda: ops.pad(X, 1, mode="edge", constant_values=1), ArgumentError, "constant_values"),
    (lambda: ops.quantile(X, 0.5, method="liner"), ArgumentError, "Did you mean 'linear'"),
    (lambda: ops.zeros(2, dtype="flaot32"), ArgumentError, "Did you mean 'float32'"),
    (lambda: ops.power(jnp.arange(3), -1), ArgumentError, "no integer"),
    (lambda: ops.ldexp(X, 1.5), ArgumentTypeError, "integer dtype"),
    (lambda: ops.eye(2.5), ArgumentTypeError, "whole number"),
    (lambda: ops.get_item(X, (0, 0, 0)), ArgumentError, "3 indices for a tensor of 2 axes"),
    (lambda: ops.take_along_axis(X, jnp.zeros(2, int), 1), ShapeError, "same number of axes"),
    (lambda: ops.slogdet(X), ShapeError, "square"),
    (lambda: ops.max(jnp.zeros((0, 2)), axis=0), ArgumentError, "nothing to reduce"),
    (lambda: ops.scatter_update(X, [[0]], [1.0, 2.0]), ShapeError, "want values"),
    (lambda: ops.nonzero(KerasTensor((None, 3))), StateError, "depends on values"),
    (lambda: jax.jit(ops.unique)(X), StateError, "size=10"),
    (lambda: ops.arange(KerasTensor(())), ArgumentTypeError, "known numbers"),
    (lambda: ops.bincount([1, 2], sparse=True), ArgumentError, "dense"),
]


@pytest.mark.parametrize(("call", "error", "words"), CASES)
def test_message(call, error, words):
    with pytest.raises(error) as caught:
        call()
    assert re.search(words, str(caught.value), re.DOTALL), str(caught.value)


def test_unknown_batch_and_an_open_size():
    x = KerasTensor((None, 5, 5, 3))
    assert ops.reshape(x, (ops.shape(x)[0], -1)).shape == (None, 75)
