"""A program in the spelling of Keras 3."""

import os

os.environ["KERAS_BACKEND"] = "jax"
import keras
import numpy as np
from keras import Sequential, layers, ops
from keras.utils import set_random_seed


@keras.saving.register_keras_serializable(package="demo")
class Mix(layers.Layer):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape):
        self.w = self.add_weight(shape=(input_shape[-1], self.units), initializer="glorot_normal", name="w")

    def call(self, x):
        return ops.nn.gelu(ops.matmul(x, self.w))

    def get_config(self):
        return {**super().get_config(), "units": self.units}


set_random_seed(3)
model = Sequential(
    [
        keras.Input((8, 8, 1)),
        layers.Conv2D(4, 3, 2, padding="same"),
        layers.Flatten(),
        Mix(5),
        layers.Dense(1),
    ]
)
model.compile(optimizer=keras.optimizers.AdamW(1e-2), loss="mse", metrics=[keras.metrics.MeanAbsoluteError()])
x = np.random.default_rng(0).normal(size=(24, 8, 8, 1)).astype("float32")
y = x.mean((1, 2, 3))
logs = model.fit(x, y, batch_size=8, epochs=3, verbose=0).history
assert logs["loss"][-1] < logs["loss"][0]
copy = keras.models.clone_model(model)
copy.set_weights(model.get_weights())
np.testing.assert_allclose(copy.predict(x, verbose=0), model.predict(x, verbose=0), rtol=1e-5, atol=1e-6)
assert type(keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(Mix(2)))) is Mix
print("keras 3 program done", keras.backend.backend())
