"""The import alias, in processes of their own: the real Keras is imported in this one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hornbill import compat

SOURCE = Path(__file__).parents[2] / "src"

SAME_MODULES = """
import sys
import hornbill, hornbill.compat
hornbill.compat.install()
hornbill.compat.install()
import keras
import keras.layers as L
import tensorflow as tf
from tensorflow import keras as tk
from tensorflow.keras import layers, backend as K
import tensorflow.python.keras.layers as P
import tf_keras
assert tf.reduce_mean([1.0, 3.0]).numpy() == 2 and keras.metrics.Mean()([1.0, 3.0]).numpy() == 2
assert keras is hornbill is tk is tf.keras is tf_keras
assert L is layers is hornbill.layers is P
assert sys.modules["keras.layers"].__spec__.name == "hornbill.layers"
from keras.layers.core import Dense, Conv2D
assert Dense is hornbill.layers.Dense
import keras.layers.core as core
assert core.Dense is Dense and keras.layers.core.Conv2D is Conv2D
from keras.layers.convolutional import Convolution2D, MaxPooling2D
from keras.layers.normalization import BatchNormalization
from keras.layers.merge import concatenate, add
from keras.layers.recurrent import LSTM
from keras.layers.embeddings import Embedding
from keras.layers.wrappers import TimeDistributed
from keras.layers.advanced_activations import LeakyReLU
from keras.layers.pooling import AveragePooling2D
from keras.layers.noise import GaussianNoise
from keras.layers import CuDNNLSTM, merge, Deconvolution2D
assert CuDNNLSTM is LSTM
from keras.utils.np_utils import to_categorical
from keras.utils import np_utils
assert np_utils.to_categorical is to_categorical is keras.utils.np_utils.to_categorical
from keras.utils.generic_utils import get_custom_objects
from keras.engine import Layer, InputSpec
from keras.engine.topology import Layer as Layer2
from keras.engine.training import Model
assert Layer is Layer2 is hornbill.Layer and Model is hornbill.Model
from keras.objectives import mean_squared_error, mse
from keras.initializations import get
from keras.losses import MSE, Reduction
assert MSE is mse is mean_squared_error
from keras.optimizers import SGD, schedules
from keras.optimizers.schedules import ExponentialDecay
from keras.optimizers.legacy import Adam
from tensorflow.keras.optimizers.experimental import AdamW
from tensorflow.keras.layers.experimental.preprocessing import Dense as D
from keras.preprocessing.image import img_to_array
from keras.preprocessing.sequence import pad_sequences
from tensorflow.keras.preprocessing.image import load_img
from keras.callbacks import ModelCheckpoint
from keras.models import Sequential
from keras import backend
assert backend is K
assert type(keras.optimizers.sgd(0.1)) is SGD
hornbill.compat.uninstall()
assert not [m for m in sys.modules if m.partition(".")[0] in ("keras", "tensorflow", "tf_keras")]
assert not hasattr(hornbill.layers, "CuDNNLSTM") and not hasattr(hornbill.utils, "np_utils")
assert type(hornbill.layers.merge).__name__ == "module"
"""

MESSAGES = r"""
import hornbill.compat
hornbill.compat.install()
import tensorflow as tf, keras
for code, kind, text in [
    ("from keras.layers import Dence", ImportError, "Did you mean 'Dense'"),
    ("from keras.layers import Merge", ImportError, "A Sequential model has one branch"),
    ("from keras.src.layers import Dense", ImportError, "not its API"),
    ("import keras.nothing", ImportError, "keras has no 'nothing'"),
    ("import tensorflow.data", ImportError, "straight into fit"),
    ("from tensorflow import data", ImportError, "straight into fit"),
    ("tf.data.Dataset", AttributeError, "straight into fit"),
    ("tf.GradientTape()", AttributeError, "jax.value_and_grad"),
    ("tf.compat.v1.Session()", AttributeError, "everything runs when it is called"),
    ("tf.reduce_men(1)", AttributeError, "Did you mean 'reduce_mean'"),
    ("tf.reduce_sum([1.0], axs=0)", TypeError, "Did you mean 'axis'"),
    ("keras.layers.LocallyConnected1D", AttributeError, "einsum over windows"),
]:
    try:
        exec(code)
    except kind as error:
        assert text in str(error), (code, str(error))
    else:
        raise SystemExit(code)
assert not hasattr(tf, "Session") and hasattr(tf, "constant")
"""

STAND_IN = """
import hornbill.compat
hornbill.compat.install()
import numpy as np, tensorflow as tf, hornbill
a = tf.constant([[1.0, -2.0], [3.0, 4.0]], dtype=tf.float32)
close = np.testing.assert_allclose
close(tf.reduce_mean(a, axis=1, name="m"), [-0.5, 3.5])
close(tf.math.reduce_std(input_tensor=a), np.std(a))
close(tf.matmul(a, a, transpose_b=True), np.asarray(a) @ np.asarray(a).T)
close(tf.nn.softmax(a), np.exp(a) / np.exp(a).sum(1, keepdims=True), rtol=1e-6)
close(tf.argmax(a), [1, 1])
close(tf.concat([a, a], axis=-1), np.concatenate([a, a], -1))
close(tf.pad(a, [[1, 0], [0, 1]]), np.pad(a, [[1, 0], [0, 1]]))
close(tf.clip_by_value(a, 0.0, 1.0), np.clip(a, 0, 1))
close(tf.transpose(a, perm=[1, 0]), np.asarray(a).T)
close(tf.one_hot([1, 0], 3), np.eye(3)[[1, 0]])
close(tf.linalg.norm(a), np.linalg.norm(a))
close(tf.nn.sigmoid_cross_entropy_with_logits(labels=[1.0], logits=[0.0]), [np.log(2)], rtol=1e-6)
assert [p.shape for p in tf.split(a, [1, 1], axis=1)] == [(2, 1), (2, 1)]
assert tf.shape(a) == (2, 2) and tf.cast(a, tf.int32).dtype == tf.int32 and tf.rank(a) == 2
assert tf.image.resize(np.ones((1, 4, 4, 3)), [2, 2]).shape == (1, 2, 2, 3)
v = tf.Variable(2, name="v")
assert v.dtype == "int32" and isinstance(v, tf.Variable) and isinstance(v, hornbill.Variable)
tf.random.set_seed(1)
first = tf.random.normal([3])
tf.random.set_seed(1)
close(first, tf.random.normal([3]))
assert tf.random.uniform((2, 2), 0, 5, dtype=tf.int32).dtype == tf.int32
assert isinstance(a, tf.Tensor) and tf.is_tensor(a)
tf.get_logger().setLevel("ERROR")
tf.compat.v1.logging.set_verbosity(tf.compat.v1.logging.ERROR)
assert tf.config.list_physical_devices("TPU") == [] and not tf.test.is_gpu_available() or True
with tf.device("/CPU:0"):
    tf.zeros([2])
@tf.function(jit_compile=True)
def double(x):
    return x * 2
close(double(a), np.asarray(a) * 2)
x = tf.keras.Input((4,))
model = tf.keras.Model(x, tf.reduce_sum(tf.nn.relu(x), axis=1))
assert model.predict(np.ones((2, 4)), verbose=0).tolist() == [4, 4]
"""


@pytest.mark.long
@pytest.mark.parametrize("code", [SAME_MODULES, MESSAGES, STAND_IN], ids=["modules", "messages", "stand-in"])
def test_in_a_process_of_its_own(code):
    result = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, timeout=300,
        check=False, env={**os.environ, "PYTHONPATH": str(SOURCE)},
    )  # fmt: skip
    assert result.returncode == 0, result.stderr


def test_refuses_beside_the_real_keras():
    import keras  # noqa: F401  the real one

    with pytest.raises(RuntimeError, match="keras is imported already"):
        compat.install()
    assert not compat.installed()


def test_arrays_answer_to_numpy_only_while_the_alias_is_on():
    program = """
import hornbill, hornbill.compat
assert not hasattr(hornbill.ops.ones(2), "numpy")
hornbill.compat.install()
assert hornbill.ops.ones(2).numpy().sum() == 2
hornbill.compat.uninstall()
assert not hasattr(hornbill.ops.ones(2), "numpy")
"""
    subprocess.run([sys.executable, "-c", program], check=True)
