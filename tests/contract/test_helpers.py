"""The small public helpers: names of registered objects, seeds, inputs and their specifications, wrappers."""

from __future__ import annotations

import numpy as np
import pytest

import hornbill
from hornbill import config, layers, saving, utils


class Mine:
    def __init__(self, n=1):
        self.n = n

    def get_config(self):
        return {"n": self.n}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


@pytest.mark.parametrize("scope", ["CustomObjectScope", "custom_object_scope"])
@pytest.mark.parametrize("module", [saving, utils], ids=["saving", "utils"])
def test_a_scope_lends_a_class(module, scope):
    data = module.serialize_keras_object(Mine(3))
    with pytest.raises(ValueError, match="Mine"):
        module.deserialize_keras_object(data)
    with getattr(module, scope)({"Mine": Mine}):
        assert module.deserialize_keras_object(data).n == 3
    assert module.deserialize_keras_object(data, custom_objects={"Mine": Mine}).n == 3
    assert "Mine" not in module.get_custom_objects()


@pytest.mark.parametrize("module", [saving, utils], ids=["saving", "utils"])
def test_registering_a_class(module):
    before = dict(module.get_custom_objects())

    @module.register_keras_serializable(package="here", name="Own")
    class Own(Mine):
        pass

    assert module.get_registered_name(Own) == "here>Own"
    assert module.get_registered_object("here>Own") is Own
    assert module.get_custom_objects()["here>Own"] is Own
    assert type(module.deserialize_keras_object(module.serialize_keras_object(Own(2)))) is Own
    module.get_custom_objects().clear()
    module.get_custom_objects().update(before)
    assert module.get_registered_object("here>Own") is None


def test_logging_is_the_one_setting():
    before = config.is_interactive_logging_enabled()
    try:
        utils.disable_interactive_logging()
        assert not utils.is_interactive_logging_enabled()
        utils.enable_interactive_logging()
        assert config.is_interactive_logging_enabled()
    finally:
        (utils.enable_interactive_logging if before else utils.disable_interactive_logging)()


def test_a_seed_makes_runs_equal():
    draws = []
    for _ in range(2):
        utils.set_random_seed(5)
        draws.append(np.asarray(layers.Dense(3)(np.ones((1, 4), "float32"))))
    np.testing.assert_array_equal(*draws)


def test_inputs_of_a_graph():
    inputs = [hornbill.Input((3,)), hornbill.Input((3,))]
    total = layers.Add()(inputs)
    assert utils.is_keras_tensor(total)
    assert not utils.is_keras_tensor(np.ones(3))
    assert [id(t) for t in utils.get_source_inputs(total)] == [id(t) for t in inputs]
    assert utils.standardize_dtype(np.dtype("float64")) == "float64"


def test_clearing_begins_names_again():
    layers.Dense(1)
    utils.clear_session()
    assert layers.Dense(1).name == "dense"


def test_an_input_layer():
    layer = layers.InputLayer(shape=(4, 3), name="data", dtype="int32")
    assert layer.output.shape == (None, 4, 3)
    assert layer.dtype == "int32"
    assert layers.InputLayer.from_config(layer.get_config()).get_config() == layer.get_config()


def test_an_input_specification_is_enforced():
    class Strict(layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.input_spec = layers.InputSpec(ndim=3, axes={-1: 4})

        def call(self, inputs):
            return inputs

    assert Strict()(hornbill.Input((2, 4))).shape == (None, 2, 4)
    for shape in ((4,), (2, 5)):
        with pytest.raises(ValueError, match=r"4|3"):
            Strict()(hornbill.Input(shape))


def test_a_wrapper_holds_its_layer():
    class Twice(layers.Wrapper):
        def call(self, inputs):
            return 2 * self.layer(inputs)

    wrapper = Twice(layers.Dense(3))
    x = np.ones((2, 4), "float32")
    np.testing.assert_allclose(wrapper(x), 2 * wrapper.layer(x), rtol=1e-6)
    assert wrapper.count_params() == wrapper.layer.count_params() == 15
    assert wrapper.get_config()["layer"]["config"]["units"] == 3
