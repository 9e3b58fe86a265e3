"""Every layer's Case through `check_layer`, and `check_layer` itself against layers that break one promise each.

Parity of the numbers with Keras stands in tests/layers; this is what holds for any layer, whatever it computes.
"""

from __future__ import annotations

import importlib
import pkgutil

import jax
import numpy as np
import pytest

import hornbill
import tests.cases
from hornbill import layers, ops
from hornbill.testing import CHECKS, ContractError, check_layer

CASES = [
    case
    for module in pkgutil.iter_modules(tests.cases.__path__)
    if module.name.startswith("layers")
    for case in importlib.import_module(f"tests.cases.{module.name}").CASES
]
QUICK = {"Dense", "Conv2D", "Dropout"}

# Layers whose gradients are not the derivative of what they compute, and why.
NOT_THE_DERIVATIVE = {
    "layers.BatchNormalization-renorm": "r and d count as constants",
    "layers.BatchNormalization-clipped": "r and d count as constants",
    "layers.SpectralNormalization-training": "the singular vectors count as constants",
    "layers.Attention-use_scale=True": "rows with every step masked are flat in float32",
    "layers.AdditiveAttention-use_scale=True": "rows with every step masked are flat in float32",
}
# Checks that a layer cannot be put to, and why.
LEFT_OUT = {
    "layers.Lambda": {"config": "a file never stores a Python function"},
    "layers.Softmax-axis=(1,2)": {"masks": "its mask has the shape of its input"},
}


def _table(table, case):
    return next((value for start, value in table.items() if str(case).startswith(start)), None)


def _matters(case):
    """Whether the training flag must change the output: it must where something is drawn or batch moments are used."""
    if "training" in case.call:
        return None
    name = case.public_name.removeprefix("layers.")
    if name in ("Dropout", "AlphaDropout", "GaussianDropout", "BatchNormalization"):
        return True
    return None if name == "SpectralNormalization" or (case.config or {}).get("dropout") else False


def _marked(case):
    quick = case.public_name.split(".")[1] in QUICK and case is next(
        c for c in CASES if c.public_name == case.public_name
    )
    return pytest.param(case, id=str(case), marks=() if quick else pytest.mark.long)


@pytest.mark.parametrize("case", [_marked(case) for case in CASES])
def test_contract(case):
    arrays = case.arrays()
    check_layer(
        lambda: case.make(hornbill),
        list(arrays) if len(arrays) > 1 else arrays[0],
        call=case.call,
        unknown_axes=case.variable,
        gradients="finite" if _table(NOT_THE_DERIVATIVE, case) else "difference",
        training_matters=_matters(case),
        skip=tuple(_table(LEFT_OUT, case) or ()),
    )


# ---- check_layer finds what is wrong


class Scaled(layers.Layer):
    """A good layer, from which the bad ones are made."""

    def __init__(self, factor=2.0, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def build(self, input_shape):
        self.kernel = self.add_weight((input_shape[-1],), "ones", name="kernel", axes=("features",))

    def call(self, inputs):
        return inputs * self.kernel * self.factor


class ForgetsConfig(Scaled):
    def get_config(self):
        return {**super().get_config(), "factor": 1.0 if self.factor == 3.0 else 3.0}


class UnstorableConfig(Scaled):
    def get_config(self):
        return {**super().get_config(), "factor": object()}


class SaysWrongShape(Scaled):
    def compute_output_shape(self, input_shape):
        return (*input_shape, 1)


class NeedsBatch(Scaled):
    def call(self, inputs):
        if inputs.shape[0] > 100:
            raise RuntimeError("too many rows")
        return super().call(inputs)


class SaysWrongUnknown(Scaled):
    def compute_output_shape(self, input_shape):
        return tuple(7 if size is None else size for size in input_shape)


class ComputesInFloat32(Scaled):
    def call(self, inputs):
        return super().call(inputs) * np.ones((1,), "float32")


class KeepsFloat32(Scaled):
    def build(self, input_shape):
        self.kernel = self.add_weight((input_shape[-1],), "ones", dtype="float32", name="kernel")


class DependsOnTracing(Scaled):
    def call(self, inputs):
        return super().call(inputs) + float(isinstance(inputs, jax.core.Tracer))


class StopsGradient(Scaled):
    def call(self, inputs):
        return super().call(inputs) * ops.stop_gradient(ops.mean(inputs))


class NotFinite(Scaled):
    def call(self, inputs):
        return super().call(inputs) + ops.sqrt(inputs - inputs)


class NoisyInTraining(Scaled):
    def call(self, inputs, training=False):
        return super().call(inputs) + (1.0 if training else 0.0)


class BadMask(Scaled):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def compute_mask(self, inputs, previous_mask):
        return None if previous_mask is None else previous_mask[:, :-1]


class MiscountsWeights(Scaled):
    def count_params(self):
        return 5


class StoresNothing(Scaled):
    def build(self, input_shape):
        self.kernel = self.add_weight((input_shape[-1],), "glorot_uniform", name="kernel")

    def save_own_variables(self, store):
        pass

    def load_own_variables(self, store):
        pass


BAD = [
    (ForgetsConfig, "config", {}),
    (UnstorableConfig, "config", {}),
    (SaysWrongShape, "shapes", {}),
    (NeedsBatch, "unknown_sizes", {}),
    (SaysWrongUnknown, "unknown_sizes", {}),
    (ComputesInFloat32, "dtypes", {}),
    (KeepsFloat32, "dtypes", {}),
    (DependsOnTracing, "compiled", {}),
    (StopsGradient, "gradients", {}),
    (NotFinite, "gradients", {}),
    (NoisyInTraining, "training", {"training_matters": False}),
    (Scaled, "training", {"training_matters": True}),
    (BadMask, "masks", {}),
    (MiscountsWeights, "counts", {}),
    (StoresNothing, "storing", {}),
]


def test_a_good_layer_passes():
    check_layer(Scaled, (2, 3, 4), unknown_axes=(0, 1))


@pytest.mark.parametrize(("layer", "check", "arguments"), BAD, ids=lambda v: getattr(v, "__name__", ""))
def test_a_bad_layer_is_found(layer, check, arguments):
    with pytest.raises(ContractError, match=f"check_layer, '{check}'") as caught:
        check_layer(layer, (2, 3, 4), **arguments)
    assert caught.value.got


def test_wrong_calls_are_refused():
    with pytest.raises(ValueError, match="Did you mean 'config'"):
        check_layer(Scaled, (2, 3), skip=("confg",))
    with pytest.raises(ValueError, match="gradients must be one of"):
        check_layer(Scaled, (2, 3), gradients="exact")
    with pytest.raises(ValueError, match="makes a new layer each time"):
        check_layer(lambda: 3, (2, 3))
    assert next(iter(CHECKS)) == "config"
