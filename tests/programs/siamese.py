# ruff: noqa: E401, F401, I001, PT018, RUF059
"""Two inputs through one shared network, a Lambda distance and a loss made of backend functions (Keras 2)."""

import numpy as np, random
from keras.models import Model
from keras.layers import Input, Flatten, Dense, Dropout, Lambda
from keras.optimizers import RMSprop
from keras import backend as K


def euclidean_distance(vects):
    x, y = vects
    sum_square = K.sum(K.square(x - y), axis=1, keepdims=True)
    return K.sqrt(K.maximum(sum_square, K.epsilon()))


def eucl_dist_output_shape(shapes):
    shape1, shape2 = shapes
    return (shape1[0], 1)


def contrastive_loss(y_true, y_pred):
    margin = 1
    return K.mean(y_true * K.square(y_pred) + (1 - y_true) * K.square(K.maximum(margin - y_pred, 0)))


def accuracy(y_true, y_pred):
    return K.mean(K.equal(y_true, K.cast(y_pred < 0.5, y_true.dtype)))


def create_base_network(input_shape):
    input = Input(shape=input_shape)
    x = Flatten()(input)
    x = Dense(16, activation="relu")(x)
    x = Dropout(0.1)(x)
    x = Dense(16, activation="relu")(x)
    return Model(input, x)


r = np.random.RandomState(0)
pairs = r.rand(64, 2, 8, 8)
y = r.randint(0, 2, 64).astype("float32")
base_network = create_base_network((8, 8))
input_a = Input(shape=(8, 8))
input_b = Input(shape=(8, 8))
distance = Lambda(euclidean_distance, output_shape=eucl_dist_output_shape)(
    [base_network(input_a), base_network(input_b)]
)
model = Model([input_a, input_b], distance)
model.compile(loss=contrastive_loss, optimizer=RMSprop(), metrics=[accuracy])
h = model.fit(
    [pairs[:, 0], pairs[:, 1]], y, batch_size=16, epochs=2, validation_data=([pairs[:, 0], pairs[:, 1]], y)
)
y_pred = model.predict([pairs[:, 0], pairs[:, 1]])
assert y_pred.shape == (64, 1) and "val_accuracy" in h.history and model.count_params() == 1312
model.summary()
