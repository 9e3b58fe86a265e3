"""Public names, parameter names and defaults are Keras'."""

import inspect
import json
from pathlib import Path

import pytest

import hornbill.ops

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "keras_ops_signatures.json").read_text())
FAMILIES = ("numpy", "nn", "linalg", "image")
ELSEWHERE = {
    name.split(".")[3] for name in GOLDEN if name.split(".")[2] in FAMILIES[1:] and name.count(".") == 3
}
MINE = sorted(
    name
    for name in GOLDEN
    if name.startswith("keras.ops.numpy.")
    or (name.count(".") == 2 and name.split(".")[2] not in (*FAMILIES, *ELSEWHERE))
)


def bare(function):
    parameters = inspect.signature(function).parameters.values()
    return "(" + str(inspect.Signature([p.replace(annotation=p.empty) for p in parameters]))[1:]


@pytest.mark.parametrize("name", MINE)
def test_signature(name):
    target = hornbill.ops
    for part in name.split(".")[2:]:
        target = getattr(target, part)
    assert bare(target) == GOLDEN[name]
    assert target.__doc__
