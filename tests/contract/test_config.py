"""`keras.config` and `keras.backend`: each setting is read back, and both namespaces are one."""

from __future__ import annotations

import numpy as np
import pytest

import hornbill
from hornbill import backend, config


@pytest.mark.parametrize(
    ("setter", "getter", "value"),
    [
        ("set_floatx", "floatx", "float16"),
        ("set_epsilon", "epsilon", 1e-3),
        ("set_image_data_format", "image_data_format", "channels_first"),
        ("set_max_epochs", "max_epochs", 3),
        ("set_max_steps_per_epoch", "max_steps_per_epoch", 4),
    ],
)
def test_a_setting_is_read_back(setter, getter, value):
    before = getattr(config, getter)()
    try:
        getattr(config, setter)(value)
        assert getattr(config, getter)() == value
        if hasattr(backend, getter):
            assert getattr(backend, getter)() == value
    finally:
        getattr(config, setter)(before)
    assert getattr(config, getter)() == before


def test_the_dtype_policy():
    before = config.dtype_policy()
    try:
        config.set_dtype_policy("mixed_bfloat16")
        assert config.dtype_policy().name == "mixed_bfloat16"
        assert hornbill.layers.Dense(1).compute_dtype == "bfloat16"
    finally:
        config.set_dtype_policy(before)


@pytest.mark.parametrize(
    ("off", "on", "asked"),
    [
        ("disable_interactive_logging", "enable_interactive_logging", "is_interactive_logging_enabled"),
        ("disable_traceback_filtering", "enable_traceback_filtering", "is_traceback_filtering_enabled"),
    ],
)
def test_a_switch(off, on, asked):
    before = getattr(config, asked)()
    try:
        getattr(config, off)()
        assert getattr(config, asked)() is False
        getattr(config, on)()
        assert getattr(config, asked)() is True
    finally:
        getattr(config, on if before else off)()


def test_flash_attention_is_left_to_jax_or_off():
    before = config.is_flash_attention_enabled()
    try:
        config.disable_flash_attention()
        assert config.is_flash_attention_enabled() is False
        config.enable_flash_attention()
        assert config.is_flash_attention_enabled() is not False
    finally:
        (config.disable_flash_attention if before is False else config.enable_flash_attention)()


def test_the_engine_is_jax():
    assert config.backend() == backend.backend() == "jax"
    assert config.is_nnx_enabled() is False
    config.set_backend("jax")
    with pytest.raises(ValueError, match="jax"):
        config.set_backend("torch")


def test_the_functions_of_backend():
    assert backend.standardize_dtype(np.float32) == "float32"
    assert backend.result_type("int32", "float16") == "float16"
    assert backend.is_float_dtype("bfloat16")
    assert not backend.is_float_dtype("int8")
    assert backend.is_int_dtype("uint8")
    assert backend.is_keras_tensor(hornbill.Input((2,)))
    assert not backend.is_keras_tensor(np.ones(2))
    backend.clear_session()
    assert backend.get_uid("conv") == 1
    assert backend.get_uid("conv") == 2
    backend.set_epsilon(backend.epsilon())
    backend.set_floatx(backend.floatx())
    backend.set_image_data_format(backend.image_data_format())


def test_the_locks_that_stay_closed():
    """Nothing that a file says is executed, whatever is asked for."""
    with pytest.raises(ValueError, match="file"):
        config.enable_unsafe_deserialization()
