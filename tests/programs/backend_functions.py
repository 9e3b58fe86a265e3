# ruff: noqa: B007, C404, E402, E741, F401, F403, F405, I001, NPY002, PT018
"""Activations, gradients and values by keras.backend (Keras 2)."""

import numpy as np
import keras
import keras.backend as K
from keras.models import Model, Sequential
from keras.layers import *

m = Sequential(
    [
        Conv2D(4, (3, 3), activation="relu", input_shape=(8, 8, 3), name="block1_conv1"),
        MaxPool2D(),
        Flatten(),
        Dense(5, activation="softmax"),
    ]
)
x = np.random.rand(2, 8, 8, 3)
get_3rd = K.function([m.layers[0].input], [m.layers[2].output])
assert get_3rd([x])[0].shape == (2, 36)
layer_dict = dict([(layer.name, layer) for layer in m.layers[0:]])
outs = [layer.output for layer in m.layers]
functor = K.function([m.input], outs)
print([o.shape for o in functor([x])])
inp = m.input
loss = K.mean(m.output[:, 2])
grads = K.gradients(loss, m.input)[0]
grads = grads / (K.sqrt(K.mean(K.square(grads))) + 1e-5)
it = K.function([inp], [loss, grads])
l, g = it([x])
assert np.shape(l) == () and g.shape == (2, 8, 8, 3)
img = np.random.random((1, 8, 8, 3)) * 20 + 128.0
for i in range(3):
    l, g = it([img])
    img += g * 1.0
print(img.shape)
K.set_value(m.layers[0].kernel, K.get_value(m.layers[0].kernel) * 2)
print(K.int_shape(m.output), K.ndim(m.output), K.shape(m.output), K.is_keras_tensor(m.output))
m.compile("adam", "mse")
K.set_value(m.optimizer.lr, 0.01)
print(round(float(K.get_value(m.optimizer.lr)), 4))
K.clear_session()
print(K.floatx(), K.epsilon(), K.image_data_format(), K.backend())
v = K.variable(np.ones((2, 2)))
print(K.eval(v * 2), K.get_value(K.sum(v)))
K.update_add(v, np.ones((2, 2)))
print(K.eval(v))


def swish(t):
    return K.sigmoid(t) * t


from keras.utils.generic_utils import get_custom_objects

get_custom_objects().update({"swish2": Activation(swish)})
s = Sequential()
s.add(Dense(3, input_shape=(2,)))
s.add(Activation(swish))
s.add(Dense(2, activation=swish))
print(s.predict(np.ones((1, 2))).shape)
print(
    K.eval(K.dot(K.constant([[1.0, 2.0]]), K.constant([[3.0], [4.0]]))),
    K.eval(K.batch_dot(K.ones((2, 3)), K.ones((2, 3)), axes=1)).shape,
    K.eval(K.one_hot(K.constant([1], dtype="int32"), 3)),
    K.eval(K.clip(K.constant([5.0]), 0, 1)),
    K.eval(K.permute_dimensions(K.ones((2, 3, 4)), (0, 2, 1))).shape,
)
i = Input((4,))
a = Lambda(lambda t: t[:, :2])(i)
b = Lambda(lambda t: K.expand_dims(t, -1), output_shape=lambda s: (s[0], s[1], 1))(a)
c = Lambda(lambda t, k: t * k, arguments={"k": 3.0})(b)
mm = Model(i, c)
assert mm.predict(np.ones((1, 4))).ravel().tolist() == [3, 3] and mm.output_shape == (None, 2, 1)
print(
    m.get_layer("block1_conv1").output,
    type(m.layers[0].get_weights()[0]),
    m.layers[0].name,
    m.layers[-1].activation.__name__,
    m.layers[0].get_config()["filters"],
)
