"""Control flow: same results as Keras, and functions that read and assign Variables."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import hornbill.ops as ops
from hornbill.engine.errors import ArgumentError, ArgumentTypeError, ShapeError
from hornbill.engine.symbolic import KerasTensor
from hornbill.engine.variable import Variable, functional_call
from tests.ops.numpy_parity import assert_same, call_both
from tests.ops.numpy_rows import F, I, T

ROWS = [
    ("cond", (True, lambda: I, lambda: I + 1)),
    ("cond", (False, lambda: (I, [F]), lambda: (I + 1, [F]))),
    ("switch", (9, [lambda a: a, lambda a: a + 1], I)),
    ("switch", (-3, [lambda a: a, lambda a: a + 1], I)),
    ("scan", (lambda c, t: (c + t, c * t), 0, np.arange(4, dtype="int32"))),
    ("scan", (lambda c, t: (c + 1, c), 0.0, None), {"length": 3}),
    ("scan", (lambda c, t: (c + t, c), np.zeros(3, "float32"), F), {"reverse": True, "unroll": 2}),
    ("associative_scan", (lambda a, b: a + b, I), {"axis": 1, "reverse": True}),
    ("associative_scan", (lambda a, b: [a[0] + b[0], a[1] * b[1]], [I, F])),
    ("while_loop", (lambda i: i < 10, lambda i: i + 1, 0)),
    ("while_loop", (lambda i, j: i < 10, lambda i, j: (i + 1, j * 2), (0, 1.0))),
    ("while_loop", (lambda i, j: i < 10, lambda i, j: (i + 1, j * 2), [0, 1.0]), {"maximum_iterations": 3}),
    ("while_loop", (lambda d: d["i"] < 10, lambda d: {"i": d["i"] + 1}, {"i": 0})),
    ("fori_loop", (0, 10, lambda i, s: s + i, 0)),
    ("fori_loop", (0, 3, lambda i, s: (s[0] + i, s[1]), (0, F))),
    ("map", (lambda t: t + 1, I)),
    ("map", (lambda t: t[0] + t[1], (I, F))),
    ("vectorized_map", (lambda t: t[0] + t[1], [I, F])),
    ("scan", (lambda c, t: (c + t, c), T(3), T(5, 3))),
    ("map", (lambda t: t + 1, T(None, 3))),
    ("vectorized_map", (lambda t: t * 2, T(None, 3))),
    ("while_loop", (lambda i: i.sum() < 10, lambda i: i + 1, T(None, 3))),
    ("fori_loop", (0, 10, lambda i, s: s + i, T(3))),
    ("associative_scan", (lambda a, b: a + b, T(None, 3)), {"axis": 1}),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_row(row):
    assert_same(*call_both(row))


def test_functions_may_read_variables():
    w = Variable([2.0, 3.0])

    def loss(value):
        def forward():
            total, _ = ops.scan(lambda s, x: (s + ops.sum(w * x), None), 0.0, jnp.ones((3, 2)))
            total += ops.fori_loop(0, 2, lambda i, s: s + w[0], jnp.asarray(0.0))
            total += ops.cond(total > 0, lambda: w[1], lambda: w[0])
            return total + ops.while_loop(lambda s: s < 1, lambda s: s + w[0], jnp.asarray(0.0))

        return functional_call([w], [value], forward)[0]

    assert float(jax.jit(loss)(w.value)) == 15 + 4 + 3 + 2
    assert (
        float(
            jax.jit(
                lambda v: functional_call([w], [v], lambda: ops.map(lambda x: x * w, jnp.ones((2, 2))))[
                    0
                ].sum()
            )(w.value)
        )
        == 10
    )


def test_gradient_through_scan_reaches_a_variable():
    w = Variable(2.0)

    def power_of_three(value):
        return functional_call(
            [w], [value], lambda: ops.scan(lambda s, _: (s * w, None), 1.0 * w, length=2)[0]
        )[0]

    assert float(jax.grad(power_of_three)(w.value)) == 12.0


def test_known_condition_may_assign():
    w = Variable(1.0)
    ops.cond(True, lambda: w.assign(5.0), lambda: w.value)
    assert float(w.value) == 5.0


def test_custom_gradient():
    @ops.custom_gradient
    def log1pexp(x):
        e = ops.exp(x)

        def grad(*args, upstream=None):
            (upstream,) = args
            return ops.multiply(upstream, 1.0 - 1.0 / ops.add(1, e))

        return ops.log(1 + e), grad

    assert float(jax.grad(log1pexp)(100.0)) == 1.0
    np.testing.assert_allclose(log1pexp(Variable([0.0])), np.log([2.0]), rtol=1e-6)
    assert log1pexp(KerasTensor((None, 3))).shape == (None, 3)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: ops.cond(True, 1, 2), ArgumentTypeError, "true_fn must be a function"),
        (lambda: ops.switch(0, []), ArgumentError, "at least one branch"),
        (lambda: ops.scan(lambda s, x: (s, x), 0), ArgumentError, "number of steps"),
        (lambda: ops.scan(lambda s, x: (s, x), 0, jnp.ones(3), length=2), ArgumentError, r"\[2, 3\]"),
        (lambda: ops.while_loop(lambda i: i < 1, lambda i: (i, i), (0,)), ArgumentError, "2 values for 1"),
        (lambda: ops.vectorized_map(lambda x: x, [jnp.ones(2), jnp.ones(3)]), ShapeError, "first axis"),
    ],
)
def test_errors(call, error, words):
    with pytest.raises(error, match=words):
        call()
