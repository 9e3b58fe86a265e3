"""A training step of your own: a pure function from state and data to logs and new state.

The step adds noise to the images and trains on both forms at once. What fit does around it (compiling,
progress, callbacks, metrics) stays. Run it as `python examples/custom_training_step.py`.
"""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

import hornbill as keras
from hornbill import layers
from hornbill.datasets import digits


class NoisyTrainer(keras.Model):
    """A model that is trained on each image as it is and with noise."""

    noise = 0.2

    def compute_loss_and_updates(self, trainable: Any, non_trainable: Any, x: Any, noisy: Any, y: Any) -> Any:
        """Returns the mean loss of both forms, with what the gradient needs beside it."""
        y_pred, non_trainable = self.stateless_call(trainable, non_trainable, x, training=True)
        y_noisy, non_trainable = self.stateless_call(trainable, non_trainable, noisy, training=True)
        loss = 0.5 * (self.compute_loss(x, y, y_pred) + self.compute_loss(noisy, y, y_noisy))
        return loss, (y_pred, non_trainable)

    def train_step(self, state: Any, data: Any) -> Any:
        """Computes one step.

        Args:
            state: Values of the trainable and other variables, of the optimizer and of the metrics.
            data: `(x, y)`.
        """
        trainable, non_trainable, optimizer, metrics = state
        x, y = data[:2]
        count = optimizer[0]  # the optimizer's iterations: another noise in each step
        noisy = x + self.noise * jax.random.normal(jax.random.fold_in(jax.random.key(0), count), x.shape)
        gradient = jax.value_and_grad(self.compute_loss_and_updates, has_aux=True)
        (loss, (y_pred, non_trainable)), slopes = gradient(trainable, non_trainable, x, noisy, y)
        trainable, optimizer = self.optimizer.stateless_apply(optimizer, slopes, trainable)

        logs, new_metrics, start = {}, [], 0
        for metric in self.metrics:
            values = metrics[start : start + len(metric.variables)]
            start += len(metric.variables)
            what = (loss,) if metric.name == "loss" else (y, y_pred)
            values = metric.stateless_update_state(values, *what)
            result = metric.stateless_result(values)
            logs.update(result if isinstance(result, dict) else {metric.name: result})
            new_metrics += values
        return logs, (trainable, non_trainable, optimizer, new_metrics)


def main(epochs: int = 6) -> float:
    """Trains on digits and returns the accuracy on others, with noise.

    Args:
        epochs: Times that the model sees the digits.
    """
    keras.utils.set_random_seed(0)
    inputs = keras.Input((8, 8, 1))
    x = layers.Conv2D(24, 3, activation="relu")(inputs)
    outputs = layers.Dense(10, activation="softmax")(layers.Flatten()(x))
    model = NoisyTrainer(inputs, outputs)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    (x_train, y_train), (x_test, y_test) = digits.load_data()
    x_train, x_test = x_train[..., None] / np.float32(16), x_test[..., None] / np.float32(16)
    model.fit(x_train, y_train, epochs=epochs, verbose=2)
    noise = 0.2 * np.random.default_rng(1).normal(size=x_test.shape).astype("float32")
    accuracy = model.evaluate(x_test + noise, y_test, verbose=0)[1]
    print(f"noisy held-out digits read right: {accuracy:.1%}")
    return accuracy


if __name__ == "__main__":
    main()
