"""Files of real Keras are read here, and ours there, in every format and with the optimizer's state."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

import hornbill
from tests.saving.models import NAMES, assert_same, network, trained

pytestmark = pytest.mark.filterwarnings("ignore")
BOTH = [(keras, hornbill), (hornbill, keras)]
IDS = ["theirs here", "ours there"]


@pytest.mark.parametrize(("writer", "reader"), BOTH, ids=IDS)
@pytest.mark.parametrize("name", NAMES)
def test_whole_model(tmp_path, writer: Any, reader: Any, name: str):
    model = trained(writer, name)
    model.save(tmp_path / "m.keras")
    assert_same(model, reader.saving.load_model(tmp_path / "m.keras"))


@pytest.mark.parametrize(("writer", "reader"), BOTH, ids=IDS)
@pytest.mark.parametrize("suffix", [".weights.h5", ".weights.json"])
def test_weights(tmp_path, writer: Any, reader: Any, suffix: str):
    model, other = trained(writer, "shared"), network(reader, "shared")
    other.compile("adam", "mse")
    other.optimizer.build(other.trainable_variables)
    model.save_weights(
        tmp_path / f"m{suffix}", **({"max_shard_size": 3e-7} if suffix == ".weights.json" else {})
    )
    assert suffix != ".weights.json" or len(list(tmp_path.iterdir())) > 2
    other.load_weights(tmp_path / f"m{suffix}")
    assert_same(model, other)


@pytest.mark.parametrize(("writer", "reader"), BOTH, ids=IDS)
@pytest.mark.parametrize("name", ["shared", "sequential", "recurrent"])
def test_keras_2_layout(tmp_path, writer: Any, reader: Any, name: str):
    model = trained(writer, name)
    model.save(tmp_path / "m.h5")
    # Keras does not take the optimizer's state from these files, not even from its own.
    assert_same(model, reader.saving.load_model(tmp_path / "m.h5"), optimizer=reader is hornbill)


@pytest.mark.parametrize(("writer", "reader"), BOTH, ids=IDS)
def test_folder(tmp_path, writer: Any, reader: Any):
    model = trained(writer, "nested")
    model.save(tmp_path / "m", zipped=False)
    if reader is hornbill:
        assert_same(model, reader.saving.load_model(tmp_path / "m"))
    assert {p.name for p in (tmp_path / "m").iterdir()} >= {
        "config.json",
        "metadata.json",
        "model.weights.h5",
    }


def _subclass(k: Any) -> Any:
    @k.saving.register_keras_serializable("test")
    class Cell(k.layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.dense = k.layers.Dense(2)

        def build(self, shape):
            self.factor = self.add_weight(shape=(2,), name="factor")
            self.dense.build(shape)

        def call(self, x):
            return self.dense(x) * self.factor

    @k.saving.register_keras_serializable("test")
    class Net(k.Model):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.blocks = [k.layers.Dense(2), [k.layers.Dense(2), Cell()]]
            self.named = {"b": k.layers.Dense(2), "a": k.layers.Dense(2)}
            self.zs = (k.layers.Dense(2), Cell())
            self._hidden = k.layers.Dense(2)
            self.inner = k.Sequential([k.layers.Dense(2), k.layers.BatchNormalization()])
            self.first = self.blocks[0]

        def call(self, x):
            x = self.blocks[1][1](self.blocks[1][0](self.blocks[0](x)))
            x = self._hidden(self.named["b"](x) + self.named["a"](x))
            return self.inner(self.zs[1](self.zs[0](x)))

    return Net()


@pytest.mark.parametrize(("writer", "reader"), BOTH, ids=IDS)
def test_subclass_with_containers(tmp_path, writer: Any, reader: Any):
    x = np.ones((2, 2), "float32")
    model, other = _subclass(writer), _subclass(reader)
    model(x)
    other(x)
    model.compile("sgd", "mse")
    model.train_on_batch(x, x)
    model.save_weights(tmp_path / "m.weights.h5")
    other.load_weights(tmp_path / "m.weights.h5")
    np.testing.assert_allclose(np.asarray(model(x)), np.asarray(other(x)), atol=1e-6)
    model.save(tmp_path / "m.keras")
    loaded = reader.saving.load_model(tmp_path / "m.keras")
    np.testing.assert_allclose(np.asarray(model(x)), np.asarray(loaded(x)), atol=1e-6)


OPS = {
    "arithmetic": lambda k, x: (2 * x - 1) / 3 + x**2 - (1 - x) + x @ x,
    "items": lambda k, x: x[..., None, 1:3],
    "first": lambda k, x: x[:, 0],
    "reshape": lambda k, x: k.ops.mean(k.ops.reshape(x, (-1, 16)), axis=1, keepdims=True),
    "concatenate": lambda k, x: k.ops.relu(k.ops.concatenate([x, x * 2], axis=-1) - 0.5),
    "clip": lambda k, x: k.ops.clip(x, 0.2, 0.6),
    "einsum": lambda k, x: k.ops.einsum("abc,acd->abd", x, x),
    "where": lambda k, x: k.ops.where((x > 0.2) & (x < 0.8), x, 0.0),
    "pad": lambda k, x: k.ops.split(k.ops.pad(x, ((0, 0), (1, 1), (0, 0))), 2, axis=1)[1],
    "norms": lambda k, x: k.ops.rms_normalization(k.ops.layer_normalization(x)),
    "constant": lambda k, x: x + np.arange(4, dtype="float32"),
    "unstack": lambda k, x: k.ops.unstack(x, num=4, axis=1)[2],
}


@pytest.mark.parametrize(("writer", "reader"), BOTH, ids=IDS)
@pytest.mark.parametrize("name", OPS)
def test_ops_in_a_graph(tmp_path, writer: Any, reader: Any, name: str):
    x = np.random.default_rng(0).random((2, 4, 4)).astype("float32")
    inputs = writer.Input((4, 4))
    model = writer.Model(inputs, OPS[name](writer, inputs))
    model.save(tmp_path / "m.keras")
    loaded = reader.saving.load_model(tmp_path / "m.keras")
    np.testing.assert_allclose(np.asarray(model(x)), np.asarray(loaded(x)), atol=1e-5)


def test_training_goes_on_as_if_never_interrupted(tmp_path):
    rng = np.random.default_rng(1)
    x, y = rng.random((8, 4)).astype("float32"), rng.random((8, 2)).astype("float32")

    def fresh() -> Any:
        layers = hornbill.layers
        model = hornbill.Sequential(
            [hornbill.Input((4,)), layers.Dense(3, "relu"), layers.Dropout(0.4, seed=3), layers.Dense(2)]
        )
        model.compile("adam", "mse")
        return model

    first = fresh()
    first.train_on_batch(x, y)
    first.save(tmp_path / "m.keras")
    second = hornbill.saving.load_model(tmp_path / "m.keras")
    first.reset_metrics()
    for _ in range(2):
        first_loss, second_loss = (float(np.ravel(m.train_on_batch(x, y))[0]) for m in (first, second))
        assert abs(first_loss - second_loss) < 1e-6
        for model in (first, second):
            model.reset_metrics()
    for a, b in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_keras_goes_on_with_our_optimizer(tmp_path):
    model = trained(hornbill, "named")
    model.save(tmp_path / "m.keras")
    other = keras.saving.load_model(tmp_path / "m.keras")
    x = {"a": np.ones((2, 4), "float32"), "b": np.ones((2, 4), "float32")}
    y = {"p": np.zeros((2, 2), "float32"), "q": np.zeros((2, 1), "float32")}
    model.train_on_batch(x, y)
    other.train_on_batch(x, y)
    assert_same(model, other)
