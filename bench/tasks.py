"""One measurement of one library in its own process: `python bench/tasks.py TASK MODULE COUNT` prints JSON.

A task uses what Hornbill and Keras both have and nothing else, so that the same lines are timed; what PyTorch does
instead stands in `torch_tasks.py`. `bench/run.py` starts the processes, interleaves them and compares the results.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["TASKS", "main", "peak_megabytes", "seconds_of"]


def import_time(library: str, _count: int) -> dict[str, float]:
    """Seconds that the import takes in a fresh process (`jax`, or a library and JAX with it)."""
    start = time.perf_counter()
    importlib.import_module(library)
    return {"seconds": time.perf_counter() - start}


def build_unet(library: str, _count: int) -> dict[str, float]:
    """Seconds to build the U-Net of 7,759,521 parameters, first in its process, weights included."""
    keras = importlib.import_module(library)
    start = time.perf_counter()
    model = _unet(keras)
    _wait([variable.value for variable in model.variables])
    return {"seconds": time.perf_counter() - start}


def unet(library: str, count: int) -> dict[str, float]:
    """The same at batch 8: seconds from building to the end of 8 steps, per further step, per batch predicted."""
    keras = importlib.import_module(library)
    room = np.random.default_rng(0)
    images = room.random((64, 96, 96, 1), np.float32)
    truth = (images > 0.5).astype(np.float32)
    start = time.perf_counter()
    model = _unet(keras)
    model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
    model.fit(images, truth, batch_size=8, epochs=1, verbose=0)
    first = time.perf_counter() - start
    steps = [
        seconds_of(lambda: model.fit(images, truth, batch_size=8, epochs=1, verbose=0)) for _ in range(count)
    ]
    model.predict(images, batch_size=8, verbose=0)
    batches = [seconds_of(lambda: model.predict(images, batch_size=8, verbose=0)) for _ in range(count)]
    return {
        "to_8_steps": first,
        "step": statistics.median(steps) / 8,
        "predicted": statistics.median(batches) / 8,
        "peak_megabytes": peak_megabytes(),
    }


def _unet(keras: Any) -> Any:
    layers = keras.layers

    def block(x: Any, filters: int, rate: float) -> Any:
        x = layers.Conv2D(filters, 3, activation="relu", padding="same")(x)
        return layers.Conv2D(filters, 3, activation="relu", padding="same")(layers.Dropout(rate)(x))

    inputs = x = keras.Input((96, 96, 1))
    across = []
    for filters in (32, 64, 128, 256):
        x = block(x, filters, 0.2)
        across.append(x)
        x = layers.MaxPooling2D(2)(x)
    x = block(x, 512, 0.3)
    for filters in (256, 128, 64, 32):
        x = layers.Conv2DTranspose(filters, 2, strides=2, padding="same")(x)
        x = block(layers.concatenate([x, across.pop()], axis=3), filters, 0.3)
    model = keras.Model(inputs, layers.Conv2D(1, 1, activation="sigmoid")(x))
    assert model.count_params() == 7_759_521
    return model


def corner_fit(library: str, count: int) -> dict[str, float]:
    """Seconds per step of the corner detector's `fit`: 100 images, batch 4, after 20 epochs to warm up."""
    keras = importlib.import_module(library)
    model, images = _corner_detector(keras)
    start = time.perf_counter()
    model.fit(images, images, batch_size=4, epochs=20, verbose=0)
    first = time.perf_counter() - start
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        model.fit(images, images, batch_size=4, epochs=count, verbose=0)
        seconds.append((time.perf_counter() - start) / (25 * count))
    return {"seconds": statistics.median(seconds), "first_20_epochs": first}


def corner_evaluate(library: str, count: int) -> dict[str, float]:
    """Seconds per step of the corner detector's `evaluate`: 100,000 images, batch 4."""
    keras = importlib.import_module(library)
    model, images = _corner_detector(keras)
    images = np.tile(images, (10 * count, 1, 1, 1))
    model.evaluate(images, images, batch_size=4, verbose=0)
    seconds = [seconds_of(lambda: model.evaluate(images, images, batch_size=4, verbose=0)) for _ in range(3)]
    return {"seconds": statistics.median(seconds) / (250 * count)}


def predict_one(library: str, count: int) -> dict[str, float]:
    """Seconds of `predict` on one image, and of the bare jitted call on the same weights."""
    keras = importlib.import_module(library)
    jax = importlib.import_module("jax")
    model, images = _corner_detector(keras)
    one = images[:1].astype("float32")
    weights = [
        [jax.numpy.array(variable.value) for variable in group]  # copies: a library may donate its own
        for group in (model.trainable_variables, model.non_trainable_variables)
    ]
    bare = jax.jit(lambda weights, x: model.stateless_call(*weights, x, training=False)[0])
    calls = {"seconds": lambda: model.predict(one, verbose=0), "bare": lambda: np.asarray(bare(weights, one))}
    result = {}
    for name, call in calls.items():
        for _ in range(20):
            call()
        times = []
        for _ in range(count):
            start = time.perf_counter()
            call()
            times.append(time.perf_counter() - start)
        result[name] = statistics.median(times)
    return {**result, "over_bare": result["seconds"] / result["bare"]}


def memory(library: str, count: int) -> dict[str, float]:
    """Kilobytes that each round of create, fit, predict and delete leaves behind (in the second half)."""
    keras = importlib.import_module(library)
    rounds = []
    for _ in range(count):
        model, images = _corner_detector(keras)
        model.fit(images[:8], images[:8], batch_size=4, epochs=1, verbose=0)
        model.predict(images[:1], verbose=0)
        del model
        keras.utils.clear_session() if hasattr(
            keras.utils, "clear_session"
        ) else keras.backend.clear_session()
        gc.collect()
        rounds.append(_resident())
    half = rounds[len(rounds) // 2 :]
    slope = float(np.polyfit(np.arange(len(half)), half, 1)[0]) if len(half) > 1 else 0.0
    return {
        "kilobytes_per_round": slope,
        "first": rounds[0],
        "middle": half[0],
        "last": rounds[-1],
        "rounds": count,
    }


def _corner_detector(keras: Any) -> tuple[Any, np.ndarray]:
    layers = keras.layers
    inputs = x = keras.Input((5, 5, 1))
    for _ in range(2):
        x = layers.Conv2D(5, 3, activation="relu", padding="same")(x)
        x = layers.MaxPooling2D(2, strides=1, padding="same")(x)
    model = keras.Model(inputs, layers.Dense(1, activation="sigmoid")(x))
    model.compile(optimizer="rmsprop", loss="binary_crossentropy", metrics=["accuracy"])
    return model, np.random.default_rng(0).integers(0, 2, (100, 5, 5, 1))


def seconds_of(call: Callable[[], Any]) -> float:
    """Returns how long a call takes."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def peak_megabytes() -> float:
    """Returns the largest resident memory of this process (Linux: in kilobytes)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _resident() -> float:
    """Returns the resident memory of this process in kilobytes (Linux)."""
    with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123  a hot path without Path
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1024


def _wait(values: list[Any]) -> None:
    importlib.import_module("jax").block_until_ready(values)


TASKS: dict[str, Callable[[str, int], dict[str, float]]] = {
    "import": import_time,
    "build_unet": build_unet,
    "unet": unet,
    "corner_fit": corner_fit,
    "corner_evaluate": corner_evaluate,
    "predict_one": predict_one,
    "memory": memory,
}


def main() -> None:
    """Runs the task that the command line names and prints its result as the last line."""
    task, library, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    print(json.dumps(TASKS[task](library, count)))


if __name__ == "__main__":
    main()
