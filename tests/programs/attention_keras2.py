# ruff: noqa: E741, F401, I001, NPY002, UP008, UP032
"""An attention layer of Keras 2 with masks, weights by name, get_output_at and a third argument of metrics."""

from keras import backend as K
from keras.engine.topology import Layer, InputSpec
from keras import initializers, regularizers, constraints
from keras.layers import Input, Embedding, LSTM, Dense, Bidirectional, GRU, Dropout, TimeDistributed
from keras.models import Model, load_model
import numpy as np


def dot_product(x, kernel):
    if K.backend() == "tensorflow":
        return K.squeeze(K.dot(x, K.expand_dims(kernel)), axis=-1)
    return K.dot(x, kernel)


class AttentionWithContext(Layer):
    def __init__(
        self,
        W_regularizer=None,
        u_regularizer=None,
        b_regularizer=None,
        W_constraint=None,
        u_constraint=None,
        b_constraint=None,
        bias=True,
        **kwargs,
    ):
        self.supports_masking = True
        self.init = initializers.get("glorot_uniform")
        self.W_regularizer = regularizers.get(W_regularizer)
        self.bias = bias
        super(AttentionWithContext, self).__init__(**kwargs)

    def build(self, input_shape):
        assert len(input_shape) == 3
        self.W = self.add_weight(
            (
                input_shape[-1],
                input_shape[-1],
            ),
            initializer=self.init,
            name="{}_W".format(self.name),
            regularizer=self.W_regularizer,
        )
        if self.bias:
            self.b = self.add_weight((input_shape[-1],), initializer="zero", name="{}_b".format(self.name))
        self.u = self.add_weight((input_shape[-1],), initializer=self.init, name="{}_u".format(self.name))
        super(AttentionWithContext, self).build(input_shape)

    def compute_mask(self, input, input_mask=None):
        return None

    def call(self, x, mask=None):
        uit = dot_product(x, self.W) if False else K.dot(x, self.W)
        if self.bias:
            uit += self.b
        uit = K.tanh(uit)
        ait = K.squeeze(K.dot(uit, K.expand_dims(self.u)), axis=-1)
        a = K.exp(ait)
        if mask is not None:
            a *= K.cast(mask, K.floatx())
        a /= K.cast(K.sum(a, axis=1, keepdims=True) + K.epsilon(), K.floatx())
        a = K.expand_dims(a)
        return K.sum(x * a, axis=1)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], input_shape[-1])


s = Input(shape=(6,), dtype="int32")
e = Embedding(20, 5, mask_zero=True, input_length=6, weights=[np.random.rand(20, 5)], trainable=False)(s)
l = Bidirectional(GRU(4, return_sequences=True))(e)
l = TimeDistributed(Dense(6))(l)
a = AttentionWithContext()(l)
p = Dense(2, activation="softmax")(Dropout(0.5)(a))
m = Model(s, p)
m.compile(loss="categorical_crossentropy", optimizer="rmsprop", metrics=["acc"])
x = np.random.randint(0, 20, (16, 6))
y = np.eye(2)[np.random.randint(0, 2, 16)]
m.fit(x, y, validation_data=(x, y), epochs=1, batch_size=8)
m.save("att.h5")
m2 = load_model("att.h5", custom_objects={"AttentionWithContext": AttentionWithContext})
assert np.allclose(m.predict(x), m2.predict(x), atol=1e-6)


class MyOld(Layer):
    def __init__(self, output_dim, **kwargs):
        self.output_dim = output_dim
        super(MyOld, self).__init__(**kwargs)

    def build(self, input_shape):
        self.kernel = self.add_weight(
            name="kernel", shape=(input_shape[1], self.output_dim), initializer="uniform", trainable=True
        )
        super(MyOld, self).build(input_shape)

    def call(self, x):
        return K.dot(x, self.kernel)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.output_dim)


class Init1(Layer):
    def __init__(self, n, **kw):
        self.n = n
        super().__init__(**kw)

    def build(self, input_shape):
        self.gamma = K.variable(np.ones(input_shape[-1]), name="gamma")
        self.trainable_weights_ = [self.gamma]
        self.built = True

    def call(self, x, mask=None):
        return x * self.gamma

    def get_output_shape_for(self, s):
        return s


i = Input(shape=(4,))
o = Init1(3)(MyOld(3)(i))
q = Model(i, o)
q.compile("sgd", "mse", ["mae"])
q.fit(np.ones((8, 4)), np.ones((8, 3)), verbose=0)
q.summary()
assert (
    q.layers[1].output_shape
    == q.layers[1].get_output_at(0).shape
    == q.layers[1].get_output_shape_at(0)
    == (None, 3)
)
assert q.layers[1].input_shape == q.layers[1].get_input_shape_at(0) == (None, 4)
assert "mae" in q.history.history
