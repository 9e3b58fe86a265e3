"""Every `keras.ops.numpy` function against Keras: values, dtypes, shapes, also with an unknown batch."""

import pytest

from hornbill.ops import numpy as namespace
from tests.ops import numpy_rows as rows
from tests.ops.numpy_parity import assert_same, call_both, row_id
from tests.ops.test_numpy_signatures import GOLDEN


@pytest.mark.parametrize("name", rows.UNARY)
def test_one_tensor(name):
    for dtype in rows.DTYPES:
        if (name, dtype) in ((("negative", "bool"), ("sign", "bool"))):
            continue
        result, wanted = call_both((name, (rows.typed(dtype),)))
        assert_same(result, wanted)


@pytest.mark.parametrize("name", rows.UNARY_INT)
def test_one_integer_tensor(name):
    for dtype in ("int32", "bool", "uint8"):
        assert_same(*call_both((name, (rows.typed(dtype),))))


@pytest.mark.parametrize("name", rows.UNARY_FLOAT)
def test_one_float_tensor(name):
    for dtype in ("float32", "bfloat16"):
        assert_same(*call_both((name, (rows.typed(dtype),))))


@pytest.mark.parametrize("name", rows.BINARY)
def test_two_tensors(name):
    for first, second in (("float32", "int32"), ("bool", "uint8"), ("bfloat16", "int32"), ("int32", "int32")):
        assert_same(*call_both((name, (rows.typed(first), rows.typed(second)))))
    for dtype in rows.DTYPES:
        if name != "power" or dtype != "bool":
            assert_same(*call_both((name, (rows.typed(dtype), 2))))
            assert_same(*call_both((name, (2.5, rows.typed(dtype)))))


@pytest.mark.parametrize("name", rows.BINARY_INT)
def test_two_integer_tensors(name):
    for first, second in (("int32", "int32"), ("uint8", "int32"), ("uint8", "uint8")):
        assert_same(*call_both((name, (rows.typed(first), rows.typed(second)))))
    assert_same(*call_both((name, (rows.typed("uint8"), 2))))


@pytest.mark.parametrize("row", rows.ROWS, ids=row_id)
def test_row(row):
    assert_same(*call_both(row))


@pytest.mark.parametrize("row", rows.SYMBOLIC_ROWS, ids=row_id)
def test_static_shape(row):
    assert_same(*call_both(row))


def test_python_numbers():
    for name in ("sin", "log", "floor", "square", "negative", "mean", "sum"):
        for value in (1, 2.5, True):
            if (name, value) != ("negative", True):
                assert_same(*call_both((name, (value,))))


def test_every_op_has_a_row():
    names = {name.split(".")[3] for name in GOLDEN if name.startswith("keras.ops.numpy.")}
    tested = set(rows.UNARY + rows.UNARY_INT + rows.UNARY_FLOAT + rows.BINARY + rows.BINARY_INT)
    tested |= {row[0] for row in rows.ROWS} | {"vectorize"}
    assert names - tested == set()
    assert all(hasattr(namespace, name) for name in names)
