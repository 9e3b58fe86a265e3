"""What `compile` was given, resolved for the model's outputs: losses with their weights, metrics by name.

`CompileLoss` computes the total loss and the loss of each output. `CompileMetrics` is one metric that holds all
metrics of all outputs. Both are resolved when the shapes of the targets and predictions are first known, since
"accuracy" means three different things.
"""

from __future__ import annotations

import inspect
from typing import Any

import jax.numpy as jnp

from hornbill import losses as losses_module
from hornbill import metrics as metrics_module
from hornbill.engine.blame import raise_blamed
from hornbill.engine.errors import ArgumentError, ArgumentTypeError, DataError
from hornbill.engine.registry import is_own
from hornbill.engine.shapes import shapes_of
from hornbill.losses.base import FunctionLoss, Loss
from hornbill.losses.checks import check_labels, check_target_shapes
from hornbill.metrics.base import Metric
from hornbill.metrics.mean import Mean, MeanMetricWrapper
from hornbill.metrics.resolve import resolve_accuracy
from hornbill.training.outputs import flat_outputs, output_names, per_output, targets_per_output

__all__ = ["CompileLoss", "CompileMetrics"]

_ACCURACY = ("accuracy", "acc", "crossentropy", "ce")


class CompileLoss:
    """The losses of a model's outputs.

    Args:
        loss: As given to `compile`.
        loss_weights: As given to `compile`.
        model: The model, for its output names.
    """

    def __init__(self, loss: Any, loss_weights: Any, model: Any) -> None:
        self.given, self.given_weights, self._model = loss, loss_weights, model
        self.built = False
        self.trackers: list[Metric] = []
        self._prediction_shapes: list[Any] = []
        self._check_spelling(loss)

    def _check_spelling(self, loss: Any) -> None:
        """Resolves names at once, so that a misspelt one fails in `compile`."""
        items = (
            loss.values() if isinstance(loss, dict) else loss if isinstance(loss, (list, tuple)) else [loss]
        )
        for item in items:
            if isinstance(item, (list, tuple, dict)) and not isinstance(item, str):
                self._check_spelling(item)
            elif item is not None:
                as_loss(item)

    def build(self, y: Any, y_pred: Any) -> None:
        """Pairs losses with outputs; makes a tracker per output when there are several losses."""
        self.names = output_names(self._model, y_pred)
        self._prediction_shapes = [shapes_of(prediction) for prediction in flat_outputs(y_pred)]
        given = per_output("loss", self.given, self.names)
        self.losses = [None if item is None else as_loss(item) for item in given]
        weights = per_output("loss_weights", self.given_weights, self.names)
        self.weights = [1.0 if weight is None else float(weight) for weight in weights]
        several = len(self.names) > 1 and sum(loss is not None for loss in self.losses) > 1
        self.trackers = (
            [
                Mean(name=f"{name}_loss")
                for name, loss in zip(self.names, self.losses, strict=True)
                if loss is not None
            ]
            if several
            else []
        )
        self.built = True

    def check_values(self, y: Any) -> None:
        """Raises when integer labels in memory lie outside of the model's classes."""
        targets = targets_per_output(y, self.names)
        for loss, target, shape in zip(self.losses, targets, self._prediction_shapes, strict=True):
            if loss is not None and target is not None and isinstance(loss, FunctionLoss) and is_own(loss.fn):
                axis = getattr(loss, "axis", -1)
                check_labels(loss.fn.__name__, target, shape, axis if isinstance(axis, int) else -1,
                             getattr(loss, "ignore_class", None))  # fmt: skip

    def check(self, y: Any, y_pred: Any) -> None:
        """Raises when targets are missing or their shapes do not fit the predictions."""
        targets = targets_per_output(y, self.names)
        for name, loss, target, prediction in zip(
            self.names, self.losses, targets, flat_outputs(y_pred), strict=True
        ):
            if loss is None:
                continue
            if target is None:
                output = f" for output {name!r}" if len(self.names) > 1 else ""
                raise DataError(
                    f"The model is compiled with a loss{output}, so it needs targets.",
                    got="no y.",
                    fixes="model.fit(x, y): y holds what the model should give for x.",
                )
            label = (
                loss.fn.__name__ if isinstance(loss, FunctionLoss) and hasattr(loss.fn, "__name__") else None
            )
            if label is not None and is_own(loss):
                check_target_shapes(label, shapes_of(target), shapes_of(prediction))

    def __call__(self, y: Any, y_pred: Any, sample_weight: Any = None, rows: Any = None) -> Any:
        """Returns the total loss; notes the loss of each output in the trackers.

        Args:
            y: Targets.
            y_pred: Predictions.
            sample_weight: Weights, or None.
            rows: (rows in the batch, real rows) of a padded batch, or None.
        """
        if not self.built:
            self.build(y, y_pred)
        self.check(y, y_pred)
        targets = targets_per_output(y, self.names)
        weights = _weights_per_output(sample_weight, self.names)
        total: Any = None
        trackers = iter(self.trackers)
        predictions = flat_outputs(y_pred)
        for loss, factor, target, prediction, weight in zip(
            self.losses, self.weights, targets, predictions, weights, strict=True
        ):
            if loss is None:
                continue
            if rows is not None and jnp.ndim(weight) == 1 and prediction.ndim > 2:
                weight = jnp.reshape(
                    weight, (-1,) + (1,) * (prediction.ndim - 2)
                )  # (rows, 1, ...), as the losses
            try:
                value = loss(target, prediction, sample_weight=weight)
            except Exception as error:  # noqa: BLE001  it is raised again, with the loss' name
                raise_blamed(error, f"Loss {_loss_name(loss)!r}", {"y_true": target, "y_pred": prediction})
            if rows is not None and loss.reduction in ("sum_over_batch_size", "mean"):
                value = value * (rows[0] / rows[1])
            if jnp.ndim(value):
                value = jnp.mean(value)
            if self.trackers and self._model._steps.carries(self.trackers[0]):
                next(trackers).update_state(value, sample_weight=_rows(prediction, rows))
            value = value * factor if factor != 1.0 else value
            total = value if total is None else total + value
        return total

    @property
    def can_mask_rows(self) -> bool:
        """Whether padded rows can be taken out exactly: all losses are Hornbill's own and weigh by sample."""
        return all(
            loss is None
            or (is_own(type(loss)) and is_own(getattr(loss, "fn", loss)) and loss.reduction is not None)
            for loss in self.losses
        )


def _loss_name(loss: Loss) -> str:
    return getattr(getattr(loss, "fn", None), "__name__", None) or loss.name


def _check_two_arguments(kind: str, function: Any) -> None:
    """Raises unless a user's function can be called with targets and predictions."""
    try:
        signature = inspect.signature(function)
        signature.bind(None, None)
    except TypeError:
        name = getattr(function, "__name__", type(function).__name__)
        raise ArgumentTypeError(
            f"A {kind} is a function of two arguments, (y_true, y_pred).",
            got=f"{name}{inspect.signature(function)}.",
            fixes=f"def my_{kind}(y_true, y_pred): return ops.mean(ops.square(y_true - y_pred), axis=-1)",
        ) from None
    except ValueError:  # a function in C does not say what it takes
        return


def _rows(prediction: Any, rows: Any) -> Any:
    return rows[1] if rows is not None else prediction.shape[0]


def _weights_per_output(sample_weight: Any, names: list[str]) -> list[Any]:
    if sample_weight is None:
        return [None] * len(names)
    if isinstance(sample_weight, (dict, list, tuple)):
        return per_output("sample_weight", sample_weight, names)
    return [sample_weight] * len(names)


def as_loss(identifier: Any) -> Loss:
    """Returns a loss for a name, function, class or object."""
    found = losses_module.get(identifier)
    if isinstance(found, type) and issubclass(found, Loss):
        found = found()
    if isinstance(found, Loss):
        return found
    if not callable(found):
        raise ArgumentError(
            "A loss is a name, a function (y_true, y_pred) or a Loss.", got=f"{identifier!r}."
        )
    _check_two_arguments("loss", found)
    return FunctionLoss(found, name=getattr(found, "__name__", type(found).__name__))


class CompileMetrics(Metric):
    """All metrics of all outputs as one metric, whose result is a dict.

    Args:
        metrics: As given to `compile`.
        weighted_metrics: As given to `compile`.
        compile_loss: The losses, which say what "accuracy" means.
        model: The model, for its output names.
    """

    _given: Any
    _given_weighted: Any
    _loss: CompileLoss | None
    _model: Any
    entries: list[tuple[str, int, Metric, bool]]

    def __init__(
        self, metrics: Any, weighted_metrics: Any, compile_loss: CompileLoss | None, model: Any
    ) -> None:
        super().__init__(name="compile_metrics")
        self.__dict__.update(
            _given=metrics, _given_weighted=weighted_metrics, _loss=compile_loss, _model=model
        )
        self.built = False
        self.__dict__["entries"] = []
        for item in _flat(metrics) + _flat(weighted_metrics):
            if (isinstance(item, str) and item in _ACCURACY) or item is None or isinstance(item, Metric):
                continue
            found = metrics_module.get(item) if isinstance(item, str) else item
            if not callable(found) and not isinstance(found, dict):
                raise ArgumentError("A metric is a name, a function (y_true, y_pred) or a Metric.", got=f"{item!r}.",
                                    fixes="metrics=['accuracy']")  # fmt: skip
            if inspect.isfunction(found) and not is_own(found):
                _check_two_arguments("metric", found)

    def build(self, y_true: Any, y_pred: Any) -> None:
        """Makes the metrics for the shapes of the targets and predictions."""
        names = output_names(self._model, y_pred)
        targets, predictions = targets_per_output(y_true, names), flat_outputs(y_pred)
        losses = self._loss.losses if self._loss is not None and self._loss.built else [None] * len(names)
        seen: set[str] = set()
        for given, weighted in ((self._given, False), (self._given_weighted, True)):
            per_name = per_output(
                "weighted_metrics" if weighted else "metrics", given, names, lists_inside=True
            )
            for i, entry in enumerate(per_name):
                for item in entry if isinstance(entry, (list, tuple)) else [entry]:
                    if item is None:
                        continue
                    metric = self._make(item, targets[i], predictions[i], losses[i])
                    label = item if isinstance(item, str) else metric.name
                    key = label if len(names) == 1 else f"{names[i]}_{label}"
                    while key in seen:
                        key = (
                            f"weighted_{key}" if weighted and not key.startswith("weighted_") else f"{key}_1"
                        )
                    seen.add(key)
                    self.entries.append((key, i, metric, weighted))
        self.__dict__["_metrics"] = [metric for _, _, metric, _ in self.entries]
        self.built = True

    @staticmethod
    def _make(item: Any, target: Any, prediction: Any, loss: Any) -> Metric:
        if isinstance(item, str) and item in _ACCURACY:
            return resolve_accuracy(item, shapes_of(target), shapes_of(prediction), loss)
        found = metrics_module.get(item)
        if isinstance(found, type):
            found = found()
        if isinstance(found, Metric):
            return found
        if not callable(found):
            raise ArgumentError(
                "A metric is a name, a function (y_true, y_pred) or a Metric.", got=f"{item!r}."
            )
        name = item if isinstance(item, str) else getattr(found, "__name__", type(found).__name__)
        return MeanMetricWrapper(found, name=name)

    @property
    def metrics(self) -> list[Metric]:
        """The metrics of all outputs."""
        return [metric for _, _, metric, _ in self.entries]

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None, row_mask: Any = None) -> None:
        """Takes one batch into account.

        Args:
            y_true: Targets.
            y_pred: Predictions.
            sample_weight: Used by the weighted metrics only.
            row_mask: 1 for real rows of a padded batch, used by all; or None.
        """
        if not self.built:
            self.build(y_true, y_pred)
        names = output_names(self._model, y_pred)
        targets, predictions = targets_per_output(y_true, names), flat_outputs(y_pred)
        weights = _weights_per_output(sample_weight, names)
        for _, i, metric, weighted in self.entries:
            if targets[i] is None:
                continue
            weight = weights[i] if weighted else None
            if row_mask is not None and weight is None:
                weight = row_mask
            try:
                if weight is None:
                    metric.update_state(targets[i], predictions[i])
                else:
                    metric.update_state(targets[i], predictions[i], sample_weight=weight)
            except Exception as error:  # noqa: BLE001  it is raised again, with the metric's name
                raise_blamed(
                    error, f"Metric {metric.name!r}", {"y_true": targets[i], "y_pred": predictions[i]}
                )

    def result(self) -> dict[str, Any]:
        """Returns the results by name."""
        results: dict[str, Any] = {}
        for key, _, metric, _ in self.entries:
            value = metric._plain_result()
            results.update(value if isinstance(value, dict) else {key: value})
        return results

    def reset_state(self) -> None:
        """Resets every metric."""
        for metric in self.metrics:
            metric.reset_state()

    @property
    def can_mask_rows(self) -> bool:
        """Whether padded rows can be taken out exactly: all metrics are Hornbill's own and take weights."""
        return all(
            is_own(type(metric))
            and is_own(getattr(metric, "_fn", metric))
            and "sample_weight" in inspect.signature(metric.update_state).parameters
            for metric in self.metrics
        )


def _flat(given: Any) -> list[Any]:
    if given is None:
        return []
    if isinstance(given, dict):
        return [item for value in given.values() for item in _flat(value)]
    if isinstance(given, (list, tuple)):
        return [item for value in given for item in _flat(value)]
    return [given]
