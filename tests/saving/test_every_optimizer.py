"""Training goes on from a file, here or in Keras, as if it had never stopped: every optimizer and schedule."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jax
import keras
import numpy as np
import pytest

import hornbill

pytestmark = pytest.mark.filterwarnings("ignore")
BOTH = [(keras, hornbill), (hornbill, keras)]
IDS = ["theirs here", "ours there"]

SCHEDULES: dict[str, dict[str, Any]] = {
    "ExponentialDecay": {
        "initial_learning_rate": 0.1,
        "decay_steps": 2,
        "decay_rate": 0.5,
        "staircase": True,
    },
    "InverseTimeDecay": {"initial_learning_rate": 0.1, "decay_steps": 2, "decay_rate": 0.5},
    "PolynomialDecay": {"initial_learning_rate": 0.1, "decay_steps": 4, "power": 2.0},
    "PiecewiseConstantDecay": {"boundaries": [1, 2], "values": [0.3, 0.2, 0.1]},
    "CosineDecay": {"initial_learning_rate": 0.1, "decay_steps": 4, "warmup_target": 0.2, "warmup_steps": 3},
    "CosineDecayRestarts": {"initial_learning_rate": 0.1, "first_decay_steps": 2},
}
NAMES = [
    "SGD",
    "RMSprop",
    "Adagrad",
    "Adadelta",
    "Adam",
    "AdamW",
    "Adamax",
    "Nadam",
    "Ftrl",
    "Lamb",
    "Lion",
    "Adafactor",
    "Muon",
    "ScheduleFreeAdamW",
]
KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    **{name: (name, {"learning_rate": 0.01}) for name in NAMES},
    "momentum": ("SGD", {"learning_rate": 0.05, "momentum": 0.9, "nesterov": True}),
    "centered": ("RMSprop", {"learning_rate": 0.01, "momentum": 0.5, "centered": True}),
    "amsgrad": ("Adam", {"amsgrad": True, "clipnorm": 0.1}),
    "average": ("Adam", {"use_ema": True, "ema_momentum": 0.5, "ema_overwrite_frequency": 3, "weight_decay": 0.1}),
    "accumulation": ("SGD", {"learning_rate": 0.05, "gradient_accumulation_steps": 3}),
    "loss scale": ("LossScaleOptimizer", {"initial_scale": 8.0, "dynamic_growth_steps": 3}),
    "scaled loss": ("Adam", {"loss_scale_factor": 4.0, "global_clipnorm": 0.5}),
    **{name: ("SGD", {"momentum": 0.5}) for name in SCHEDULES},
}  # fmt: skip


QUICK = ("Adam", "average", "loss scale")
ALL = [kind if kind in QUICK else pytest.param(kind, marks=pytest.mark.long) for kind in KINDS]


def _optimizer(k: Any, kind: str) -> Any:
    name, arguments = KINDS[kind]
    if kind in SCHEDULES:
        rate = getattr(k.optimizers.schedules, kind)(**SCHEDULES[kind])
        arguments = {**arguments, "learning_rate": rate}
    if kind == "loss scale":
        return k.optimizers.LossScaleOptimizer(k.optimizers.Adam(0.02), **arguments)
    return getattr(k.optimizers, name)(**arguments)


def _data() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    return rng.random((8, 4)).astype("float32"), rng.random((8, 2)).astype("float32")


def _model(k: Any, kind: str, dropout: float = 0.0) -> Any:
    layers = k.layers
    model = k.Sequential([
        k.Input((4,)), layers.Dense(3, "tanh"), *([layers.Dropout(dropout)] if dropout else []),
        layers.BatchNormalization(), layers.Dense(2),
    ])  # fmt: skip
    rng = np.random.default_rng(2)
    model.set_weights(
        [rng.uniform(0.2, 0.8, w.shape).astype("float32") for w in model.weights if "seed" not in w.name]
    )
    model.compile(_optimizer(k, kind), "mse")
    return model


def _train(model: Any) -> list[float]:
    """Returns the losses of two steps."""
    losses = []
    for part in (slice(0, 4), slice(4, 8)):
        x, y = (array[part] for array in _data())
        model.reset_metrics()
        losses.append(float(np.ravel(model.train_on_batch(x, y))[0]))
    return losses


def _numbers(model: Any) -> list[np.ndarray]:
    leaves = [*model.weights, *model.optimizer.variables]
    return [
        np.asarray(leaf.value if hasattr(leaf, "value") else leaf)
        for leaf in jax.tree_util.tree_leaves(leaves)
    ]


def _loaded(k: Any, path: Path, model: Any) -> Any:
    model.save(path)
    return k.saving.load_model(path)


@pytest.mark.parametrize(("writer", "reader"), BOTH, ids=IDS)
@pytest.mark.parametrize("kind", ALL)
def test_goes_on_in_the_other(tmp_path, writer: Any, reader: Any, kind: str):
    model = _model(writer, kind)
    _train(model)
    loaded = _loaded(reader, tmp_path / "m.keras", model)
    np.testing.assert_allclose(_train(loaded), _train(model), rtol=1e-5, atol=1e-6)
    for a, b in zip(_numbers(model), _numbers(loaded), strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("kind", ALL)
def test_goes_on_here_bit_for_bit(tmp_path, kind: str):
    model = _model(hornbill, kind, dropout=0.4)
    _train(model)
    loaded = [_loaded(hornbill, tmp_path / f"m{suffix}", model) for suffix in (".keras", ".h5")]
    expected, numbers = _train(model), _numbers(model)
    for other in loaded:
        assert _train(other) == expected
        for a, b in zip(numbers, _numbers(other), strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_fit_goes_on_bit_for_bit(tmp_path, suffix: str):
    x, y = _data()
    model = _model(hornbill, "average", dropout=0.4)
    model.fit(x, y, batch_size=4, shuffle=False, verbose=0)
    loaded = _loaded(hornbill, tmp_path / f"m{suffix}", model)
    first, second = (m.fit(x, y, batch_size=4, epochs=2, shuffle=False, verbose=0) for m in (model, loaded))
    assert first.history == second.history
