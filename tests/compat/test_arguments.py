"""Old argument spellings of layers and models."""

from __future__ import annotations

import numpy as np
import pytest

import hornbill as keras
from hornbill.compat import arguments
from hornbill.compat.arguments import RENAMED, translate

pytestmark = pytest.mark.filterwarnings("ignore:.*(old spelling|is now kernel_size)")

ROWS = [
    ("Conv2D", (32, 3, 5), {"border_mode": "same"}, (32, (3, 5)), {"padding": "same"}),
    ("Conv2D", (32,), {"nb_row": 3, "nb_col": 5}, (32,), {"kernel_size": (3, 5)}),
    ("Conv2D", (), {"nb_filter": 8, "nb_row": 3, "nb_col": 3}, (), {"filters": 8, "kernel_size": (3, 3)}),
    ("Conv2D", (32, 3), {"subsample": (2, 2)}, (32, 3), {"strides": (2, 2)}),
    ("Conv2D", (32, 3, 2), {}, (32, 3, 2), {}),
    ("Conv3D", (8, 3, 3, 3), {}, (8, (3, 3, 3)), {}),
    ("Conv1D", (), {"nb_filter": 4, "filter_length": 3}, (), {"filters": 4, "kernel_size": 3}),
    ("Conv2D", (1, 2), {"dim_ordering": "th"}, (1, 2), {"data_format": "channels_first"}),
    ("Conv2D", (1, 2), {"bias": False, "init": "he_normal"}, (1, 2), {"use_bias": False,
    "kernel_initializer": "he_normal"}),
    ("Dense", (), {"output_dim": 3, "input_dim": 2}, (), {"units": 3, "input_dim": 2}),
    ("Dense", (3,), {"W_regularizer": "l2"}, (3,), {"kernel_regularizer": "l2"}),
    ("MaxPooling1D", (), {"pool_length": 2, "stride": 1}, (), {"pool_size": 2, "strides": 1}),
    ("Dropout", (), {"p": 0.5}, (), {"rate": 0.5}),
    ("GaussianNoise", (), {"sigma": 0.1}, (), {"stddev": 0.1}),
    ("LSTM", (4,), {"inner_activation": "hard_sigmoid"}, (4,), {"recurrent_activation": "hard_sigmoid"}),
    ("LSTM", (4,), {"forget_bias_init": "one", "consume_less": "cpu"}, (4,), {"unit_forget_bias": True}),
    ("LeakyReLU", (), {"alpha": 0.1}, (), {"negative_slope": 0.1}),
    ("Concatenate", (), {"concat_axis": 1}, (), {"axis": 1}),
    ("BatchNormalization", (), {"mode": 0, "fused": True}, (), {}),
    ("Softmax", (), {"init": 3}, (), {"init": 3}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "args", "kwargs", "new_args", "new_kwargs"), ROWS)
def test_translate(name, args, kwargs, new_args, new_kwargs):
    assert translate(name, args, kwargs) == (new_args, new_kwargs)


@pytest.mark.parametrize(
    ("name", "args", "kwargs", "message"),
    [
        ("Conv2D", (8, 3), {"border_mode": "full"}, "border_mode='full' is gone"),
        ("BatchNormalization", (), {"mode": 1}, "mode=1 is gone"),
        ("Conv2D", (8, 3), {"dim_ordering": "tensorflow"}, "'tf', 'th' or 'default'"),
        ("Dropout", (), {"p": 0.5, "rate": 0.5}, "in two spellings"),
        ("Conv2D", (8,), {"nb_row": 3}, "wants all of nb_row, nb_col"),
    ],
)
def test_messages(name, args, kwargs, message):
    with pytest.raises(ValueError, match=message):
        translate(name, args, kwargs)


def test_says_that_three_numbers_are_ambiguous():
    with pytest.warns(UserWarning, match=r"Conv2D\(32, 3, 3\) means kernel_size=3, strides=3, as in Keras 3"):
        assert translate("Conv2D", (32, 3, 3), {"activation": "relu"})[0] == (32, 3, 3)


@pytest.fixture
def applied():
    arguments.apply()
    yield
    arguments.remove()


def test_constructors_translate_and_configurations_are_of_today(applied):
    layer = keras.layers.Convolution2D(4, 3, 3, border_mode="same", init="ones", input_shape=(5, 5, 1))
    assert layer.get_config()["kernel_size"] == (3, 3)
    assert layer.get_config()["padding"] == "same"
    assert type(layer).from_config(layer.get_config()).kernel_size == (3, 3)
    with pytest.raises(ValueError, match="must be"):
        keras.layers.Dropout(p="half")


def test_models_by_input_and_output(applied):
    a = keras.Input((3,))
    model = keras.Model(input=a, output=keras.layers.Dense(output_dim=2)(a))
    assert model.predict(np.ones((1, 3)), verbose=0).shape == (1, 2)
    assert keras.Model.from_config(model.get_config()).output_shape == (None, 2)


def test_remove_brings_the_constructors_back():
    before = {name: getattr(keras.layers, name, keras.Model).__init__ for name in RENAMED}
    arguments.apply()
    arguments.remove()
    assert before == {name: getattr(keras.layers, name, keras.Model).__init__ for name in RENAMED}
    with pytest.raises(TypeError):
        keras.layers.Dense(output_dim=3)
