"""One measurement of one library in its own process: `python tasks.py TASK MODULE COUNT` prints JSON.

A task uses what Hornbill and Keras both have and nothing else, so that the same lines are timed; what PyTorch does
instead stands in `torch_tasks.py`. `hornbill.benchmark.processes` starts the processes. With `BENCH_PRECISION` set,
the layers compute under that policy (`mixed_bfloat16`).
"""

from __future__ import annotations

import functools
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

import networks

__all__ = ["TASKS", "main", "peak_megabytes", "repeated", "seconds_of"]

REPEATED_SECONDS = 0.5


def import_time(library: str, _count: int) -> dict[str, float]:
    """Seconds that the import takes in a fresh process (`jax`, or a library and JAX with it)."""
    start = time.perf_counter()
    importlib.import_module(library)
    return {"seconds": time.perf_counter() - start}


def peak(_library: str, size: int) -> dict[str, float]:
    """GFLOP/s of JAX's products of two square matrices: what counts as the machine's peak, by dtype."""
    jax = importlib.import_module("jax")
    found = {}
    for dtype in ("float32", "bfloat16"):
        x = jax.random.normal(jax.random.key(0), (size, size), dtype)
        product = jax.jit(lambda x: x @ x)
        seconds = repeated(
            lambda times, product=product, x=x: [product(x) for _ in range(times)][-1].block_until_ready()
        )
        found[dtype] = 2 * size**3 / seconds / 1e9
    return found


def build_unet(library: str, _count: int) -> dict[str, float]:
    """Seconds to build the U-Net of 7,759,521 parameters, first in its process, weights included."""
    keras = importlib.import_module(library)
    start = time.perf_counter()
    model = networks.unet(keras)
    _wait([variable.value for variable in model.variables])
    return {"seconds": time.perf_counter() - start}


def unet(library: str, _count: int) -> dict[str, float]:
    """The same at batch 8: seconds from building to the end of 8 steps, per further step, per batch predicted."""
    keras = _keras(library)
    model, images, truth, first = _begun_unet(keras)
    step, predicted = _step_and_predicted(model, images, truth, 8).values()
    return {
        "to_8_steps": first,
        "step": step,
        "predicted": predicted,
        "peak_megabytes": peak_megabytes(),
    }


def unet_warm(library: str, _count: int) -> dict[str, float]:
    """Seconds from building the U-Net to the end of 8 steps; the process may find programs stored by an earlier one."""
    return {"to_8_steps": _begun_unet(_keras(library))[3]}


def _begun_unet(keras: Any) -> tuple[Any, np.ndarray, np.ndarray, float]:
    images = np.random.default_rng(0).random((64, 96, 96, 1), np.float32)
    truth = (images > 0.5).astype(np.float32)
    start = time.perf_counter()
    model = networks.unet(keras)
    assert model.count_params() == 7_759_521
    model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
    model.fit(images, truth, batch_size=8, epochs=1, verbose=0)
    return model, images, truth, time.perf_counter() - start


def network(name: str, library: str, batches: int) -> dict[str, float]:
    """Seconds per training step and per batch predicted of one of `networks.NETWORKS`, over so many batches."""
    model = networks.NETWORKS[name](_keras(library))
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
    return _step_and_predicted(model, *networks.data(name, batches))


def growth(library: str, batches: int) -> dict[str, float]:
    """Seconds per training step and per batch predicted as one size of a small network grows."""
    keras, found = _keras(library), {}
    for name, sizes in networks.GROWTH.items():
        for number in sizes:
            model = networks.grown(keras, name, number)
            model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
            times = _step_and_predicted(model, *networks.growth_data(name, number, batches))
            found |= {f"{name}_{number}_{kind}": seconds for kind, seconds in times.items()}
    return found


def _step_and_predicted(model: Any, x: Any, y: Any, size: int) -> dict[str, float]:
    fitted = repeated(lambda epochs: model.fit(x, y, batch_size=size, epochs=epochs, verbose=0))
    predicted = repeated(
        lambda times: [model.predict(x, batch_size=size, verbose=0) for _ in range(times)],
    )
    return {"step": fitted / (len(y) // size), "predicted": predicted / (len(y) // size)}


def repeated(call: Callable[[int], Any]) -> float:
    """Returns the seconds of one of the `times` that `call(times)` does: the median of three calls.

    After one to warm up, and with so many times that a call lasts about half a second.
    """
    call(1)
    times = max(1, int(REPEATED_SECONDS / seconds_of(lambda: call(1))))
    return statistics.median(seconds_of(lambda: call(times)) / times for _ in range(3))


def corner_fit(library: str, count: int) -> dict[str, float]:
    """Seconds per step of the corner detector's `fit`: 100 images, batch 4, after 20 epochs to warm up."""
    keras = _keras(library)
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
    keras = _keras(library)
    model, images = _corner_detector(keras)
    images = np.tile(images, (10 * count, 1, 1, 1))
    model.evaluate(images, images, batch_size=4, verbose=0)
    seconds = [seconds_of(lambda: model.evaluate(images, images, batch_size=4, verbose=0)) for _ in range(3)]
    return {"seconds": statistics.median(seconds) / (250 * count)}


def predict_one(library: str, count: int) -> dict[str, float]:
    """Seconds of `predict` on one image, and of the bare jitted call on the same weights."""
    keras = _keras(library)
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


def _keras(library: str) -> Any:
    keras = importlib.import_module(library)
    if "BENCH_PRECISION" in os.environ:
        keras.mixed_precision.set_global_policy(os.environ["BENCH_PRECISION"])
    return keras


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
    for value in values:
        np.asarray(value)


TASKS: dict[str, Callable[[str, int], dict[str, float]]] = {
    "import": import_time,
    "peak": peak,
    "build_unet": build_unet,
    "unet": unet,
    "unet_warm": unet_warm,
    "corner_fit": corner_fit,
    "corner_evaluate": corner_evaluate,
    "predict_one": predict_one,
    "memory": memory,
    "growth": growth,
    **{name: functools.partial(network, name) for name in networks.NETWORKS},
}


def main() -> None:
    """Runs the task that the command line names and prints its result as the last line."""
    task, library, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    print(json.dumps(TASKS[task](library, count)))


if __name__ == "__main__":
    main()
