"""Models and layers of people's own classes, nested and in containers, with the optimizer's state, both ways."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

import hornbill

pytestmark = pytest.mark.filterwarnings("ignore")
BOTH = [(keras, hornbill), (hornbill, keras), (hornbill, hornbill)]
IDS = ["theirs here", "ours there", "ours here"]


def _classes(k: Any) -> dict[str, Any]:
    """Returns the classes made with library `k`; none is registered."""

    class Gate(k.layers.Layer):
        def __init__(self, start: float = 0.5, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.start = start

        def build(self, shape: Any) -> None:
            self.gate = self.add_weight(
                shape=(shape[-1],), initializer=k.initializers.Constant(self.start), name="gate"
            )
            self.seen = self.add_weight(shape=(), initializer="zeros", trainable=False, name="seen")

        def call(self, x: Any) -> Any:
            return x * self.gate + self.seen

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "start": self.start}

    class Block(k.Model):
        def __init__(self, width: int = 3, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.width = width
            self.steps = [k.layers.Dense(width), [Gate(), {"b": k.layers.Dense(width), "a": Gate(0.2)}]]
            self.norm = k.layers.BatchNormalization()

        def call(self, x: Any, training: Any = None) -> Any:
            first, (gate, named) = self.steps[0], self.steps[1]
            x = gate(first(x))
            return self.norm(named["a"](named["b"](x)), training=training)

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "width": self.width}

    class Net(k.Model):
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.blocks = [Block(3, name="one"), Block(2, name="two")]
            self.shared = self.blocks[1].norm
            self.head = k.Sequential([k.layers.Dense(2), k.layers.Dropout(0.0)])
            self._last = k.layers.Dense(1)

        def call(self, x: Any, training: Any = None) -> Any:
            for block in self.blocks:
                x = block(x, training=training)
            return self._last(self.head(self.shared(x, training=training)))

    return {"Gate": Gate, "Block": Block, "Net": Net}


def _data() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.random((4, 3)).astype("float32"), rng.random((4, 1)).astype("float32")


def _trained(k: Any) -> Any:
    x, y = _data()
    model = _classes(k)["Net"]()
    model(x)
    model.compile("adam", "mse")
    model.train_on_batch(x, y)
    return model


def _go_on(model: Any) -> float:
    model.reset_metrics()
    return float(np.ravel(model.train_on_batch(*_data()))[0])


@pytest.mark.parametrize(("writer", "reader"), BOTH, ids=IDS)
def test_whole_model_with_custom_objects(tmp_path, writer: Any, reader: Any):
    model = _trained(writer)
    model.save(tmp_path / "m.keras")
    loaded = reader.saving.load_model(tmp_path / "m.keras", custom_objects=_classes(reader))
    np.testing.assert_allclose(np.asarray(loaded(_data()[0])), np.asarray(model(_data()[0])), atol=1e-5)
    assert [w.name for w in loaded.weights] == [w.name for w in model.weights]
    for _ in range(2):
        np.testing.assert_allclose(_go_on(loaded), _go_on(model), rtol=1e-5)


@pytest.mark.parametrize(("writer", "reader"), BOTH, ids=IDS)
def test_weights(tmp_path, writer: Any, reader: Any):
    model, other = _trained(writer), _classes(reader)["Net"]()
    other(_data()[0])
    other.compile("adam", "mse")
    other.optimizer.build(other.trainable_variables)
    model.save_weights(tmp_path / "m.weights.h5")
    other.load_weights(tmp_path / "m.weights.h5")
    for _ in range(2):
        np.testing.assert_allclose(_go_on(other), _go_on(model), rtol=1e-5)


@pytest.mark.parametrize(("writer", "reader"), BOTH, ids=IDS)
def test_own_layers_in_a_graph_and_in_old_files(tmp_path, writer: Any, reader: Any):
    own = _classes(writer)
    inputs = writer.Input((3,))
    inner = writer.Sequential([writer.Input((3,)), own["Gate"](0.3), writer.layers.Dense(2)])
    model = writer.Model(inputs, own["Gate"]()(inner(own["Gate"](0.7)(inputs))))
    x = _data()[0]
    for name in ("m.keras", "m.h5"):
        model.save(tmp_path / name)
        loaded = reader.saving.load_model(tmp_path / name, custom_objects=_classes(reader))
        np.testing.assert_allclose(np.asarray(loaded(x)), np.asarray(model(x)), atol=1e-6)
