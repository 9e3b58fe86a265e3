"""Old spellings of the trainer: `fit_generator`, `predict_classes`, `nb_epoch`, `workers`, ... Each warns once."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np

from hornbill.engine.compatibility import warn_once
from hornbill.engine.config import check_unknown
from hornbill.engine.errors import ArgumentError

__all__ = ["OldTrainerSpellings"]

_LOADER_ARGUMENTS = ("workers", "use_multiprocessing", "max_queue_size")


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
        steps_per_epoch = kwargs.pop("samples_per_epoch", steps_per_epoch)
        return self.fit(generator, steps_per_epoch=steps_per_epoch, epochs=epochs, **kwargs)

    def evaluate_generator(self, generator: Any, steps: int | None = None, **kwargs: Any) -> Any:
        """Old name of `evaluate` for generators."""
        warn_once(
            "evaluate_generator", "evaluate_generator is now evaluate: model.evaluate(generator, steps=...)."
        )
        return self.evaluate(generator, steps=steps, **kwargs)

    def predict_generator(self, generator: Any, steps: int | None = None, **kwargs: Any) -> Any:
        """Old name of `predict` for generators."""
        warn_once(
            "predict_generator", "predict_generator is now predict: model.predict(generator, steps=...)."
        )
        return self.predict(generator, steps=steps, **kwargs)

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
