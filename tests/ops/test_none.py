"""What ops say of None, which a function without `return` gives, and of axes that are not there."""

from __future__ import annotations

import numpy as np
import pytest

from hornbill import ops
from hornbill.engine.errors import ArgumentError, ArgumentTypeError


@pytest.mark.parametrize(
    ("call", "parameter"),
    [
        (lambda: ops.add(None, 1), "add: x1"),
        (lambda: ops.matmul(np.ones((2, 2)), None), "matmul: x2"),
        (lambda: ops.mean(x=None), "mean: x"),
        (lambda: ops.concatenate(None), "concatenate: xs"),
    ],
)
def test_none_for_a_tensor_is_named(call, parameter):
    with pytest.raises(ArgumentTypeError, match=f"{parameter} must be a tensor"):
        call()


@pytest.mark.parametrize("op", [ops.softmax, ops.log_softmax, ops.sparsemax, ops.glu])
def test_an_axis_that_is_not_there_is_named(op):
    with pytest.raises(ArgumentError, match="axis 5 does not exist"):
        op(np.ones((2, 4)), axis=5)
