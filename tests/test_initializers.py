"""Initializers: statistics, fans, configurations and names, against Keras and against their formulas."""

from __future__ import annotations

import inspect

import jax
import keras
import numpy as np
import pytest

from hornbill import initializers
from hornbill.engine.random import SeedGenerator, set_random_seed

NAMES = sorted(
    name
    for name in dir(keras.initializers)
    if inspect.isclass(getattr(keras.initializers, name)) and name != "Initializer"
)
RANDOM = ["RandomNormal", "RandomUniform", "TruncatedNormal", "VarianceScaling", "GlorotNormal"]
RANDOM += ["GlorotUniform"]
RANDOM += ["HeNormal", "HeUniform", "LecunNormal", "LecunUniform", "Orthogonal"]


def test_every_public_name():
    for name in dir(keras.initializers):
        if not name.startswith("_"):
            assert hasattr(initializers, name), name


@pytest.mark.parametrize("name", NAMES)
def test_signature_config_and_form_as_in_keras(name):
    ours, theirs = getattr(initializers, name), getattr(keras.initializers, name)
    assert list(inspect.signature(ours).parameters) == list(inspect.signature(theirs).parameters)
    assert ours().get_config() == theirs().get_config()
    data = initializers.serialize(ours())
    assert data == keras.initializers.serialize(theirs())
    assert type(initializers.deserialize(data)) is ours
    assert type(initializers.get(data)) is ours
    assert type(keras.initializers.deserialize(data)) is theirs
    assert initializers.deserialize(data).get_config() == ours().get_config()


@pytest.mark.parametrize(
    "name",
    [
        "zeros",
        "Zeros",
        "zero",
        "ones",
        "one",
        "constant",
        "identity",
        "Identity",
        "IdentityInitializer",
        "STFT",
        "orthogonal",
        "OrthogonalInitializer",
        "uniform",
        "normal",
        "random_normal",
        "RandomUniform",
        "stft",
        "truncated_normal",
        "he_normal",
        "HeNormal",
        "he_uniform",
        "glorot_uniform",
        "GlorotNormal",
        "LecunUniform",
        "lecun_normal",
        "variance_scaling",
        "VarianceScaling",
        "STFTInitializer",
        "random_uniform",
    ],
)
def test_get_by_name(name):
    ours = initializers.get(name)
    assert isinstance(ours, initializers.Initializer)
    if name != "constant":  # Keras cannot make it by name
        assert type(ours).__name__ == type(keras.initializers.get(name)).__name__


def test_get_other_things():
    assert initializers.get(None) is None
    instance = initializers.Zeros()
    assert initializers.get(instance) is instance
    assert isinstance(initializers.get(initializers.HeNormal), initializers.HeNormal)

    def function(shape, dtype=None):
        return np.zeros(shape)

    assert initializers.get(function) is function
    old_style = initializers.get({"class_name": "HeNormal", "config": {"seed": 1}})
    assert old_style.get_config()["seed"] == 1
    given = initializers.get(np.ones((2, 2)))
    assert given((2, 2), dtype="bfloat16").dtype == jax.numpy.bfloat16
    with pytest.raises(ValueError, match=r"shape \(2, 2\)"):
        given((3, 2))
    with pytest.raises(ValueError, match="Did you mean 'glorot_uniform'"):
        initializers.get("glorot_unifrom")
    for wrong in (3, 0.5, [1.0]):
        with pytest.raises(ValueError):
            initializers.get(wrong)


@pytest.mark.parametrize("name", RANDOM)
@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16", "float64", None])
def test_host_arrays_of_the_right_dtype(name, dtype):
    values = getattr(initializers, name)(seed=1)((4, 5), dtype=dtype)
    assert isinstance(values, np.ndarray)
    assert values.dtype == np.dtype(dtype or "float32")
    assert values.shape == (4, 5)


@pytest.mark.parametrize("name", RANDOM)
def test_seeds(name):
    make = getattr(initializers, name)
    first = make(seed=3)
    assert np.array_equal(first((3, 4)), first((3, 4)))
    assert np.array_equal(first((3, 4)), make(seed=3)((3, 4)))
    assert not np.array_equal(first((3, 4)), make(seed=4)((3, 4)))
    unseeded = make()
    assert np.array_equal(unseeded((3, 4)), unseeded((3, 4)))
    assert not np.array_equal(unseeded((3, 4)), make()((3, 4)))
    moving = make(seed=SeedGenerator(5))
    values = moving((3, 4))
    assert not np.array_equal(values, moving((3, 4)))
    assert np.array_equal(values, make(seed=SeedGenerator(5))((3, 4)))
    again = initializers.deserialize(initializers.serialize(moving))
    assert np.array_equal(values, again((3, 4)))
    assert np.array_equal(first.clone()((3, 4)), first((3, 4)))
    make(seed=-1)((3, 4))
    with pytest.raises(ValueError, match="seed must be"):
        make(seed="a")


def test_set_random_seed_repeats_unseeded_draws():
    draws = []
    for _ in range(2):
        set_random_seed(7)
        draws.append(initializers.get("glorot_uniform")((3, 4)))
    assert np.array_equal(*draws)


def test_plain_distributions():
    shape = (400, 500)
    normal = initializers.RandomNormal(1.0, 0.5, seed=1)(shape)
    assert normal.mean() == pytest.approx(1.0, abs=0.005)
    assert normal.std() == pytest.approx(0.5, rel=0.01)
    truncated = initializers.TruncatedNormal(1.0, 0.5, seed=1)(shape)
    assert truncated.mean() == pytest.approx(1.0, abs=0.005)
    assert truncated.std() == pytest.approx(0.5 * 0.8796, rel=0.01)
    assert np.abs(truncated - 1.0).max() <= 1.0 + 1e-6
    assert np.mean(np.abs(truncated - 1.0) < 0.5) == pytest.approx(0.6827 / 0.9545, abs=0.005)
    uniform = initializers.RandomUniform(-1.0, 3.0, seed=1)(shape)
    assert uniform.min() >= -1.0
    assert uniform.max() < 3.0
    assert uniform.mean() == pytest.approx(1.0, abs=0.01)
    assert uniform.std() == pytest.approx(4 / np.sqrt(12), rel=0.01)


# shape -> fan-in and fan-out
FANS = [((100, 200), 100, 200), ((3, 3, 16, 32), 144, 288), ((5, 10, 20), 50, 100), ((300,), 300, 300)]
FANS += [((), 1, 1), ((2, 3, 4, 5, 6), 120, 144)]
RULES = {
    "GlorotUniform": (1.0, "avg", "uniform"),
    "GlorotNormal": (1.0, "avg", "normal"),
    "LecunUniform": (1.0, "in", "uniform"),
    "LecunNormal": (1.0, "in", "normal"),
    "HeUniform": (2.0, "in", "uniform"),
    "HeNormal": (2.0, "in", "normal"),
}


@pytest.mark.parametrize(("shape", "fan_in", "fan_out"), FANS)
@pytest.mark.parametrize("name", RULES)
def test_fans(name, shape, fan_in, fan_out):
    scale, mode, kind = RULES[name]
    n = fan_in if mode == "in" else (fan_in + fan_out) / 2
    seeds = range(20 if shape else 3000)
    values = np.concatenate([getattr(initializers, name)(seed=seed)(shape).ravel() for seed in seeds])
    stddev = np.sqrt(scale / n)
    assert values.std() == pytest.approx(stddev, rel=0.06)
    assert abs(values.mean()) < 0.1 * stddev
    bound = np.sqrt(3) * stddev if kind == "uniform" else 2 * stddev / 0.8796
    assert np.abs(values).max() <= bound * 1.0001
    assert np.abs(values).max() > bound * 0.9


def test_variance_scaling():
    make = initializers.VarianceScaling
    values = make(1.0, "fan_out", "untruncated_normal", seed=1)((300, 1000))
    assert values.std() == pytest.approx(np.sqrt(1 / 1000), rel=0.01)
    assert np.abs(values).max() > 3 * values.std()
    for inputs, outputs, mode, n in (
        ([0, 1], [2], "fan_in", 600),
        ([0], [1, 2], "fan_out", 1000),
        (0, 2, "fan_in", 30),
    ):
        ours = make(1.0, mode, "uniform", 1, inputs, outputs)((30, 20, 50))
        assert np.abs(ours).max() == pytest.approx(np.sqrt(3 / n), rel=0.01)
    assert make(distribution="normal").get_config()["distribution"] == "truncated_normal"
    for wrong in ({"scale": 0}, {"mode": "fan_inn"}, {"distribution": "x"}, {"input_axes": [0]}):
        with pytest.raises(ValueError):
            make(**wrong)
    with pytest.raises(ValueError, match="Did you mean 'fan_in'"):
        make(mode="fan_inn")
    with pytest.raises(ValueError, match="not all axes"):
        make(input_axes=[5], output_axes=[0])((2, 3))


@pytest.mark.parametrize("shape", [(4, 4), (8, 3), (3, 8), (2, 3, 4), (3, 3, 2, 64)])
def test_orthogonal(shape):
    values = initializers.Orthogonal(gain=2.0, seed=1)(shape)
    matrix = values.reshape(-1, shape[-1])
    product = matrix.T @ matrix if matrix.shape[0] >= matrix.shape[1] else matrix @ matrix.T
    np.testing.assert_allclose(product, 4.0 * np.eye(len(product)), atol=1e-5)


def test_fixed_values():
    for name, arguments in (("Zeros", ()), ("Ones", ()), ("Constant", (2.5,)), ("Identity", (3.0,))):
        for shape, dtype in (((2, 3), "float32"), ((4, 4), "int32"), ((2, 2), "bfloat16")):
            ours = getattr(initializers, name)(*arguments)(shape, dtype=dtype)
            theirs = getattr(keras.initializers, name)(*arguments)(shape, dtype=dtype)
            assert ours.dtype == np.dtype(dtype)
            np.testing.assert_array_equal(ours.astype("float32"), np.asarray(theirs).astype("float32"))
    assert initializers.Zeros()((2,), dtype="bool").dtype == bool
    assert initializers.Constant([1, 2])((2, 2)).tolist() == [[1.0, 2.0], [1.0, 2.0]]
    array = initializers.Constant(np.array([1.0, 2.0]))
    again = initializers.deserialize(initializers.serialize(array))
    assert again((2,)).tolist() == [1.0, 2.0]
    assert initializers.Identity(3.0).clone()((1, 1)).item() == 3.0


WINDOWS = ["hann", "hamming", "blackman", "nuttall", "blackmanharris", "flattop", "boxcar", None]


@pytest.mark.parametrize("side", ["real", "imag"])
@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("scaling", ["density", "spectrum", None])
def test_stft(side, window, scaling):
    for periodic in (False, True):
        ours = initializers.STFT(side, window, scaling, periodic)((7, 1, 6))
        theirs = keras.initializers.STFT(side, window, scaling, periodic)((7, 1, 6))
        np.testing.assert_allclose(ours, np.asarray(theirs), atol=2e-6)


def test_wrong_shapes_and_dtypes():
    for call in (
        lambda: initializers.Identity()((2, 3, 3)),
        lambda: initializers.Orthogonal()((3,)),
        lambda: initializers.STFT()((4, 2, 3)),
        lambda: initializers.STFT(window=[1.0])((4, 1, 3)),
        lambda: initializers.STFT(window="hamn"),
        lambda: initializers.Constant([1, 2, 3])((2, 2)),
        lambda: initializers.GlorotUniform()((2, 2), dtype="int32"),
        lambda: initializers.Zeros()((2,), dtype="string"),
    ):
        with pytest.raises(ValueError):
            call()
    with pytest.raises(NotImplementedError):
        initializers.Initializer()((2,))


def test_own_initializer():
    class Filled(initializers.Initializer):
        def __init__(self, number):
            self.number = number

        def __call__(self, shape, dtype=None):
            return np.full(shape, self.number, dtype)

    assert Filled(3).get_config() == {"number": 3}
    assert Filled(3).clone()((2,), "float32").tolist() == [3.0, 3.0]
    assert repr(Filled(3)) == "Filled(number=3)"
