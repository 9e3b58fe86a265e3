"""Old spellings of the trainer: `fit_generator`, `predict_classes`, `nb_epoch`, `workers`, ... Each warns once."""

from __future__ import annotations

import inspect
import itertools
from typing import Any

import numpy as np

from hornbill.engine.compatibility import warn_once
from hornbill.engine.config import check_unknown
from hornbill.engine.errors import ArgumentError

__all__ = ["OldTrainerSpellings", "third_as_metrics"]

_LOADER_ARGUMENTS = (
    "workers", "use_multiprocessing", "max_queue_size", "nb_worker", "pickle_safe", "max_q_size", "wait_time",
)  # fmt: skip


def third_as_metrics(loss_weights: Any, metrics: Any) -> tuple[Any, Any]:
    """Returns `loss_weights` and `metrics` of `compile`, whose third argument was `metrics` in Keras 1 and 2."""
    given = loss_weights.values() if isinstance(loss_weights, dict) else loss_weights
    words = isinstance(given, str) or (
        metrics is None and np.iterable(given) and any(isinstance(i, str) or callable(i) for i in given)
    )
    if not words or metrics is not None:
        return loss_weights, metrics
    warn_once("compile third", "compile(optimizer, loss, [...]) is an old spelling; write metrics=[...].")
    return None, loss_weights


def _steps_for_samples(generator: Any, samples: int) -> tuple[Any, int]:
    """Returns the generator, and the batches that hold a number of samples: Keras 1 counted samples."""
    if hasattr(generator, "__getitem__"):
        first = generator[0]
    else:
        first = next(generator)
        generator = itertools.chain([first], generator)
    size = len(_first_array(first))
    return generator, -(-samples // max(size, 1))


def _first_array(batch: Any) -> Any:
    while isinstance(batch, (tuple, list, dict)):
        batch = next(iter(batch.values() if isinstance(batch, dict) else batch))
    return batch


def _pop_samples(kwargs: dict[str, Any], *names: str) -> int | None:
    return next((value for name in names if (value := kwargs.pop(name, None)) is not None), None)


def _samples_or_steps(generator: Any, steps: int | None, kwargs: dict[str, Any]) -> tuple[Any, int | None]:
    samples = _pop_samples(kwargs, "val_samples")
    return (generator, steps) if samples is None else _steps_for_samples(generator, samples)


class OldTrainerSpellings:
    """Methods and arguments that Keras 1 and 2 had."""

    fit: Any
    evaluate: Any
    predict: Any

    def _old_data_arguments(self, method: str, kwargs: dict[str, Any]) -> None:
        for name in _LOADER_ARGUMENTS:
            if kwargs.pop(name, None) is not None:
                warn_once(
                    f"{method} {name}",
                    f"{method}({name}=...) moved: give it to the PyDataset that reads the data. It changes no result.",
                )
        names = inspect.signature(getattr(type(self), method)).parameters
        check_unknown(method, kwargs, None, tuple(name for name in names if name not in ("self", "kwargs")))

    def _old_fit_arguments(self, kwargs: dict[str, Any], epochs: int) -> int:
        for old in ("nb_epoch", "nb_epochs"):
            if old in kwargs:
                warn_once(f"fit {old}", f"fit({old}=...) is now fit(epochs=...).")
                epochs = kwargs.pop(old)
        if "show_accuracy" in kwargs:
            raise ArgumentError(
                "fit has no argument 'show_accuracy'.", fixes="model.compile(..., metrics=['accuracy'])"
            )
        self._old_data_arguments("fit", kwargs)
        return epochs

    def fit_generator(
        self, generator: Any, steps_per_epoch: int | None = None, epochs: int = 1, **kwargs: Any
    ) -> Any:
        """Old name of `fit` for generators."""
        warn_once(
            "fit_generator",
            "fit_generator is now fit: model.fit(generator, steps_per_epoch=..., epochs=...).",
        )
        samples = _pop_samples(kwargs, "samples_per_epoch")
        if samples is not None:
            generator, steps_per_epoch = _steps_for_samples(generator, samples)
        samples, validation = _pop_samples(kwargs, "nb_val_samples"), kwargs.get("validation_data")
        if samples is not None and validation is not None and not isinstance(validation, (tuple, list)):
            kwargs["validation_data"], kwargs["validation_steps"] = _steps_for_samples(validation, samples)
        return self.fit(generator, steps_per_epoch=steps_per_epoch, epochs=epochs, **kwargs)

    def evaluate_generator(self, generator: Any, steps: int | None = None, **kwargs: Any) -> Any:
        """Old name of `evaluate` for generators."""
        warn_once(
            "evaluate_generator", "evaluate_generator is now evaluate: model.evaluate(generator, steps=...)."
        )
        generator, steps = _samples_or_steps(generator, steps, kwargs)
        return self.evaluate(generator, steps=steps, **{"verbose": 0, **kwargs})

    def predict_generator(self, generator: Any, steps: int | None = None, **kwargs: Any) -> Any:
        """Old name of `predict` for generators."""
        warn_once(
            "predict_generator", "predict_generator is now predict: model.predict(generator, steps=...)."
        )
        generator, steps = _samples_or_steps(generator, steps, kwargs)
        return self.predict(generator, steps=steps, **{"verbose": 0, **kwargs})

    def predict_classes(self, x: Any, batch_size: int | None = None, verbose: Any = 0) -> np.ndarray:
        """Returns the class of each sample: the largest output, or whether a single output is above 0.5."""
        warn_once(
            "predict_classes", "predict_classes is now model.predict(x).argmax(axis=-1), or (... > 0.5)."
        )
        outputs = self.predict(x, batch_size=batch_size, verbose=verbose)
        if outputs.shape[-1] > 1:
            return outputs.argmax(axis=-1)
        return (outputs > 0.5).astype("int32")

    def predict_proba(self, x: Any, batch_size: int | None = None, verbose: Any = 0) -> np.ndarray:
        """Returns the outputs; an old name of `predict`."""
        warn_once("predict_proba", "predict_proba is now predict.")
        return self.predict(x, batch_size=batch_size, verbose=verbose)
