# ruff: noqa: E401, I001, PT018
"""Text classification by a transformer block whose inner Sequential is built at its first call (Keras 3)."""

import numpy as np, keras
from keras import layers, ops


class TransformerBlock(layers.Layer):
    def __init__(self, embed_dim, num_heads, ff_dim, rate=0.1, **kw):
        super().__init__(**kw)
        self.att = layers.MultiHeadAttention(num_heads=num_heads, key_dim=embed_dim)
        self.ffn = keras.Sequential([layers.Dense(ff_dim, activation="relu"), layers.Dense(embed_dim)])
        self.layernorm1 = layers.LayerNormalization(epsilon=1e-6)
        self.layernorm2 = layers.LayerNormalization(epsilon=1e-6)
        self.dropout1 = layers.Dropout(rate)
        self.dropout2 = layers.Dropout(rate)

    def call(self, inputs, training=False):
        a = self.dropout1(self.att(inputs, inputs), training=training)
        o = self.layernorm1(inputs + a)
        return self.layernorm2(o + self.dropout2(self.ffn(o), training=training))


class TokenAndPositionEmbedding(layers.Layer):
    def __init__(self, maxlen, vocab, dim):
        super().__init__()
        self.t = layers.Embedding(vocab, dim)
        self.p = layers.Embedding(maxlen, dim)

    def call(self, x):
        maxlen = ops.shape(x)[-1]
        pos = ops.arange(start=0, stop=maxlen, step=1)
        return self.t(x) + self.p(pos)


inp = layers.Input(shape=(10,))
x = TokenAndPositionEmbedding(10, 30, 8)(inp)
x = TransformerBlock(8, 2, 16)(x)
x = layers.GlobalAveragePooling1D()(x)
x = layers.Dropout(0.1)(x)
o = layers.Dense(2, activation="softmax")(x)
m = keras.Model(inp, o)
m.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
r = np.random.RandomState(0)
print(
    sorted(
        m.fit(r.randint(0, 30, (32, 10)), r.randint(0, 2, 32), batch_size=16, epochs=1, verbose=0).history
    ),
    m.count_params(),
)
m.summary()
assert (
    m.layers[2].ffn.input_shape == (None, 10, 8)
    and len(m.weights) == 20
    and m.predict(np.zeros((5, 10)), verbose=0).shape == (5, 2)
)
