"""fit, evaluate and predict against real Keras: same weights, same data, same order, same numbers."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from tests.numerics import assert_close

import hornbill

LIBRARIES = (keras, hornbill)
rng = np.random.default_rng(0)
X = rng.normal(size=(37, 6)).astype("float32")
LABELS = rng.integers(0, 3, size=(37,))
ONE_HOT = np.eye(3, dtype="float32")[LABELS]
IMAGES = rng.normal(size=(22, 8, 8, 2)).astype("float32")
TARGETS = rng.normal(size=(22, 1)).astype("float32")
WEIGHTS = rng.uniform(0.1, 2.0, size=(37,)).astype("float32")


def dense(k):
    inputs = k.Input((6,))
    x = k.layers.Dense(5, activation="tanh")(inputs)
    return k.Model(inputs, k.layers.Dense(3, activation="softmax")(x))


def regularised(k):
    inputs = k.Input((6,))
    x = k.layers.Dense(
        5, activation="tanh", kernel_regularizer="l2", activity_regularizer=k.regularizers.L1(0.01)
    )(inputs)
    return k.Model(inputs, k.layers.Dense(3, activation="softmax")(x))


def normalised(k):
    return k.Sequential([
        k.Input((6,)), k.layers.Dense(5), k.layers.BatchNormalization(), k.layers.Activation("relu"),
        k.layers.Dense(3, activation="softmax"),
    ])  # fmt: skip


def convolutional(k):
    return k.Sequential([
        k.Input((8, 8, 2)), k.layers.Conv2D(3, 3, activation="relu"), k.layers.MaxPooling2D(),
        k.layers.Flatten(), k.layers.Dense(1),
    ])  # fmt: skip


def recurrent(k):
    inputs = k.Input((6,))
    x = k.layers.Reshape((3, 2))(inputs)
    return k.Model(inputs, k.layers.Dense(3, activation="softmax")(k.layers.LSTM(4)(x)))


def pair(make):
    """The same model in both libraries with the same weights."""
    theirs, ours = make(keras), make(hornbill)
    ours.set_weights(theirs.get_weights())
    return theirs, ours


def compare_histories(theirs, ours, tolerance=2e-5):
    assert list(theirs) == list(ours)
    for name in theirs:
        np.testing.assert_allclose(ours[name], theirs[name], rtol=tolerance, atol=1e-6, err_msg=name)


CASES = {
    "sparse labels, accuracy": (dense, (X, LABELS), {"loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"]}, {}),
    "one-hot labels, adam, last batch short": (
        dense, (X, ONE_HOT), {"optimizer": "adam", "loss": "categorical_crossentropy", "metrics": ["acc", "mse"]}, {"batch_size": 16},
    ),
    "regularisers": (regularised, (X, ONE_HOT), {"loss": "categorical_crossentropy"}, {"batch_size": 8}),
    "batch normalisation, short last batch": (normalised, (X, LABELS), {"loss": "sparse_categorical_crossentropy"}, {"batch_size": 10}),
    "convolution": (convolutional, (IMAGES, TARGETS), {"loss": "mse", "metrics": ["mae"]}, {"batch_size": 5}),
    "recurrent": (recurrent, (X, LABELS), {"optimizer": "rmsprop", "loss": "sparse_categorical_crossentropy"}, {}),
    "sample weights": (
        dense, (X, LABELS),
        {"loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"], "weighted_metrics": ["accuracy"]},
        {"sample_weight": WEIGHTS, "batch_size": 16},
    ),
    "class weights": (dense, (X, LABELS), {"loss": "sparse_categorical_crossentropy"}, {"class_weight": {0: 1.0, 1: 2.0, 2: 0.5}}),
    "validation split": (
        dense, (X, LABELS), {"loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"]}, {"validation_split": 0.25, "batch_size": 8},
    ),
    "validation data": (
        dense, (X, ONE_HOT), {"loss": "mse"}, {"validation_data": (X[:11], ONE_HOT[:11]), "validation_freq": 2, "validation_batch_size": 4},
    ),
    "gradient clipping": (
        dense, (X, ONE_HOT), {"optimizer": ("SGD", {"learning_rate": 0.5, "clipnorm": 0.1}), "loss": "mse"}, {},
    ),
    "weight decay and average": (
        dense, (X, ONE_HOT),
        {"optimizer": ("AdamW", {"weight_decay": 0.1, "use_ema": True, "ema_momentum": 0.5}), "loss": "mse"}, {},
    ),
    "accumulated gradients": (
        dense, (X, ONE_HOT), {"optimizer": ("SGD", {"gradient_accumulation_steps": 2}), "loss": "mse"}, {"batch_size": 8},
    ),
}  # fmt: skip


def compiled(k, model, arguments):
    optimizer = arguments.get("optimizer", "sgd")
    if isinstance(optimizer, tuple):
        optimizer = getattr(k.optimizers, optimizer[0])(**optimizer[1])
    model.compile(**{**arguments, "optimizer": optimizer})
    return model


@pytest.mark.parametrize("name", CASES)
def test_fit_equals_keras(name):
    make, (x, y), compile_arguments, fit_arguments = CASES[name]
    models = pair(make)
    histories = [
        compiled(k, model, compile_arguments)
        .fit(x, y, epochs=3, shuffle=False, verbose=0, **fit_arguments)
        .history
        for k, model in zip(LIBRARIES, models, strict=True)
    ]
    compare_histories(*histories)
    for theirs, ours in zip(models[0].get_weights(), models[1].get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)
    results = [model.evaluate(x, y, verbose=0, batch_size=16, return_dict=True) for model in models]
    assert results[0].keys() == results[1].keys()
    np.testing.assert_allclose(list(results[1].values()), list(results[0].values()), rtol=2e-5)
    np.testing.assert_allclose(
        models[1].predict(x, verbose=0, batch_size=10),
        models[0].predict(x, verbose=0, batch_size=10),
        rtol=1e-4,
        atol=1e-5,
    )


def test_evaluate_lists_results_in_keras_order():
    models = pair(dense)
    for k, model in zip(LIBRARIES, models, strict=True):
        compiled(
            k, model, {"loss": "categorical_crossentropy", "metrics": ["mse", "categorical_accuracy", "mae"]}
        )
    results = [model.evaluate(X, ONE_HOT, verbose=0) for model in models]
    np.testing.assert_allclose(results[1], results[0], rtol=2e-5)


def two_outputs(k):
    a, b = k.Input((6,), name="a"), k.Input((6,), name="b")
    shared = k.layers.Dense(4, activation="tanh", name="shared")
    joined = k.layers.concatenate([shared(a), shared(b)])
    return k.Model(
        [a, b],
        [
            k.layers.Dense(3, activation="softmax", name="kind")(joined),
            k.layers.Dense(1, name="size")(joined),
        ],
    )


def two_named_outputs(k):
    model = two_outputs(k)
    return k.Model(
        dict(zip("ab", model.inputs, strict=True)), {"kind": model.outputs[0], "size": model.outputs[1]}
    )


SIZES = X[:, :1].copy()


@pytest.mark.parametrize(
    ("make", "x", "y", "arguments"),
    [
        (two_outputs, [X, X[::-1].copy()], [LABELS, SIZES], {"loss": ["sparse_categorical_crossentropy", "mse"]}),
        (
            two_outputs, [X, X[::-1].copy()], [LABELS, SIZES],
            {
                "loss": {"kind": "sparse_categorical_crossentropy", "size": "mse"}, "loss_weights": {"kind": 0.5, "size": 2.0},
                "metrics": {"kind": ["accuracy"], "size": ["mae"]},
            },
        ),
        (
            two_named_outputs, {"a": X, "b": X}, {"kind": LABELS, "size": SIZES},
            {"loss": {"kind": "sparse_categorical_crossentropy", "size": "mse"}, "metrics": {"size": "mae"}},
        ),
        (two_outputs, {"a": X, "b": X}, [LABELS, SIZES], {"loss": ["sparse_categorical_crossentropy", "mse"], "metrics": [["acc"], ["mae"]]}),
    ],
)  # fmt: skip
def test_several_outputs_equal_keras(make, x, y, arguments):
    models = pair(make)
    histories = [
        compiled(k, model, arguments).fit(x, y, epochs=2, shuffle=False, verbose=0).history
        for k, model in zip(LIBRARIES, models, strict=True)
    ]
    compare_histories(*histories)
    np.testing.assert_allclose(
        models[1].evaluate(x, y, verbose=0), models[0].evaluate(x, y, verbose=0), rtol=2e-5
    )
    results = [model.evaluate(x, y, verbose=0, return_dict=True) for model in models]
    assert results[0].keys() == results[1].keys()
    for key in results[0]:
        np.testing.assert_allclose(results[1][key], results[0][key], rtol=2e-5)
    outputs = [model.predict(x, verbose=0) for model in models]
    assert type(outputs[0]) is type(outputs[1])


def test_on_batch_forms_equal_keras():
    models = pair(dense)
    for k, model in zip(LIBRARIES, models, strict=True):
        compiled(k, model, {"loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"]})
    for _ in range(3):
        results = [model.train_on_batch(X[:8], LABELS[:8]) for model in models]
        np.testing.assert_allclose(results[1], results[0], rtol=2e-5)
    results = [model.test_on_batch(X[:8], LABELS[:8], return_dict=True) for model in models]
    assert results[0].keys() == results[1].keys()
    assert_close(models[1].predict_on_batch(X[:3]), models[0].predict_on_batch(X[:3]))


def test_losses_given_every_way():
    def own(y_true, y_pred):
        return hornbill.ops.mean(hornbill.ops.square(y_true - y_pred), axis=-1)

    values = []
    for loss in (
        "mse",
        "MSE",
        "mean_squared_error",
        hornbill.losses.MeanSquaredError(),
        hornbill.losses.mean_squared_error,
        own,
    ):
        hornbill.utils.set_random_seed(1)
        model = dense(hornbill)
        model.compile("sgd", loss)
        values.append(model.fit(X, ONE_HOT, epochs=1, verbose=0, shuffle=False).history["loss"][0])
    np.testing.assert_allclose(values, values[0], rtol=1e-6)
