# ruff: noqa: E401, I001, PT018, RUF005, UP008
"""A layer, a loss and a metric of one's own, saved and loaded in every format (Keras 3)."""

import numpy as np, keras
from keras import layers, ops, initializers, regularizers, constraints, activations


class Linear(layers.Layer):
    def __init__(self, units=4, activation=None, kernel_initializer="glorot_uniform", **kwargs):
        super(Linear, self).__init__(**kwargs)
        self.units = units
        self.activation = activations.get(activation)
        self.kernel_initializer = initializers.get(kernel_initializer)

    def build(self, input_shape):
        self.w = self.add_weight(
            shape=(input_shape[-1], self.units),
            initializer=self.kernel_initializer,
            trainable=True,
            name="w",
            regularizer=regularizers.l2(1e-3),
            constraint=constraints.MaxNorm(2),
        )
        self.b = self.add_weight(shape=(self.units,), initializer="zeros", name="b")
        super().build(input_shape)

    def call(self, inputs, training=None):
        return self.activation(ops.matmul(inputs, self.w) + self.b)

    def compute_output_shape(self, s):
        return s[:-1] + (self.units,)

    def get_config(self):
        c = super().get_config()
        c.update(
            {
                "units": self.units,
                "activation": activations.serialize(self.activation),
                "kernel_initializer": initializers.serialize(self.kernel_initializer),
            }
        )
        return c


class Counter(layers.Layer):
    def __init__(self, **kw):
        super().__init__(**kw)
        self.total = self.add_weight(shape=(), initializer="zeros", trainable=False)

    def call(self, x):
        self.total.assign_add(1.0)
        return x


class MyLoss(keras.losses.Loss):
    def __init__(self, delta=1.0, name="my_loss", **kw):
        super().__init__(name=name, **kw)
        self.delta = delta

    def call(self, y_true, y_pred):
        e = y_true - y_pred
        return ops.where(
            ops.abs(e) < self.delta, 0.5 * ops.square(e), self.delta * (ops.abs(e) - 0.5 * self.delta)
        )

    def get_config(self):
        return {**super().get_config(), "delta": self.delta}


class BinTP(keras.metrics.Metric):
    def __init__(self, name="btp", **kw):
        super().__init__(name=name, **kw)
        self.tp = self.add_variable(shape=(), initializer="zeros", name="tp")

    def update_state(self, y_true, y_pred, sample_weight=None):
        v = ops.cast(ops.logical_and(ops.cast(y_true, "bool"), y_pred > 0.5), self.dtype)
        if sample_weight is not None:
            v = v * ops.cast(sample_weight, self.dtype)
        self.tp.assign_add(ops.sum(v))

    def result(self):
        return self.tp

    def reset_state(self):
        self.tp.assign(0)


m = keras.Sequential(
    [
        keras.Input((3,)),
        Linear(4, "relu", name="lin"),
        Counter(),
        layers.Dense(
            1,
            activation="sigmoid",
            kernel_regularizer=regularizers.L1L2(1e-4, 1e-4),
            bias_constraint="non_neg",
            kernel_initializer=initializers.RandomNormal(stddev=0.1),
        ),
    ]
)
m.compile(
    optimizer=keras.optimizers.Adam(
        keras.optimizers.schedules.ExponentialDecay(1e-2, 10, 0.9, staircase=True), clipnorm=1.0
    ),
    loss=MyLoss(0.5),
    metrics=[BinTP(), "mse"],
)
r = np.random.RandomState(0)
x = r.rand(32, 3).astype("f")
y = r.randint(0, 2, (32, 1)).astype("f")
h = m.fit(x, y, epochs=2, batch_size=8, verbose=0, sample_weight=np.ones((32,)))
print(sorted(h.history), float(m.layers[1].total.value) if hasattr(m.layers[1].total, "value") else 0)
m.save("c.keras")
m2 = keras.models.load_model(
    "c.keras", custom_objects={"Linear": Linear, "Counter": Counter, "MyLoss": MyLoss, "BinTP": BinTP}
)
print(
    np.allclose(m2.predict(x, verbose=0), m.predict(x, verbose=0)),
    m2.loss.delta,
    [w.path for w in m2.weights],
)
with keras.utils.custom_object_scope(
    {"Linear": Linear, "Counter": Counter, "MyLoss": MyLoss, "BinTP": BinTP}
):
    m3 = keras.models.model_from_json(m.to_json())
    m4 = keras.Sequential.from_config(m.get_config())
    m5 = keras.models.clone_model(m)
m3.set_weights(m.get_weights())
m5.set_weights(m.get_weights())
assert np.allclose(m3(x), m(x), atol=1e-6) and np.allclose(m5(x), m(x), atol=1e-6) and len(m.losses) == 2
m.save("c.h5")
m6 = keras.models.load_model(
    "c.h5", custom_objects={"Linear": Linear, "Counter": Counter, "MyLoss": MyLoss, "BinTP": BinTP}
)
assert np.allclose(m6(x), m(x), atol=1e-6)
m.save_weights("c.weights.h5")
m5.load_weights("c.weights.h5")
print(m.get_layer("lin").get_config()["units"], keras.layers.serialize(m.layers[0])["class_name"])
print(float(m.optimizer.learning_rate), int(m.optimizer.iterations))
try:
    keras.models.load_model("c.keras")
except Exception as e:
    print(type(e).__name__)
