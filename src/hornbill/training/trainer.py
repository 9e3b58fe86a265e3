"""Trainer: `compile`, the three steps that a model may override, and the state of training.

A mixin of `Model`. The loops over data stand in `loop.py`, the compiled steps in `step.py`, losses and metrics of the
outputs in `compile.py`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, ClassVar

import jax
import numpy as np

from hornbill.engine.blame import without_engine_notes
from hornbill.engine.compatibility import warn_once
from hornbill.engine.config import check_unknown
from hornbill.engine.context import fresh_context
from hornbill.engine.errors import ArgumentError, ArgumentTypeError, HornbillError, StateError
from hornbill.engine.lazy import lazy_module
from hornbill.engine.record import Record
from hornbill.engine.registry import is_own
from hornbill.engine.serialization import deserialize_keras_object, serialize_keras_object
from hornbill.engine.tracebacks import users_view
from hornbill.engine.tracking import attributes_of_kind, unique
from hornbill.engine.undo import unbuilt_on_error
from hornbill.engine.variable import Structure, discard_assignments, functional_call
from hornbill.training.frozen import as_compiled, trainable_flags
from hornbill.training.old_spellings import OldTrainerSpellings, third_as_metrics
from hornbill.training.resume import ResumableTraining
from hornbill.training.step import Steps, loss_and_gradients, masked_weight, unpacked

__all__ = ["Trainer"]

_OVERRIDABLE = ("train_step", "test_step", "compute_loss", "compute_metrics")

compilation = lazy_module("hornbill.training.compile")
loop = lazy_module("hornbill.training.loop")
metrics_module = lazy_module("hornbill.metrics")
optimizers_module = lazy_module("hornbill.optimizers")


class Trainer(ResumableTraining, OldTrainerSpellings):
    """What a model needs to be trained."""

    name: str
    built: bool
    own_steps: ClassVar[dict[str, Callable[..., Any]]] = {}

    def __init__(self) -> None:
        self.__dict__.update(
            optimizer=None, stop_training=False, history=None, compiled=False, loss=None, run_eagerly=False,
            jit_compile=True, steps_per_execution=1, _compile_loss=None, _compile_metrics=None, _loss_tracker=None,
            _compile_arguments=None, _training_cache=None, _initial_epoch=0, _initial_batch=0, _batches_state=None,
            auto_scale_loss=True, _checked_shapes=set(),
        )  # fmt: skip

    # Set by `compile` and the model, past the tracking of layers.
    optimizer: Any
    losses: list[Any]
    compiled: bool
    run_eagerly: bool
    jit_compile: bool
    _compile_loss: Any
    _compile_metrics: Any
    _compile_arguments: dict[str, Any]
    _loss_tracker: Any
    _training_cache: dict[Any, Any]
    _checked_shapes: Any
    _batches_state: Any

    # ---- compile

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: Any = "auto",
        auto_scale_loss: bool = True,
        **kwargs: Any,
    ) -> None:
        """Says how the model is trained.

        Args:
            optimizer: Name or Optimizer (or an optax transformation).
            loss: Name, function `(y_true, y_pred)` or Loss; with several outputs also a list, or a dict by output name.
            loss_weights: Factors of the losses of several outputs.
            metrics: List of names, functions or Metrics; with several outputs also a list of lists, or a dict.
            weighted_metrics: Metrics that take `sample_weight` and `class_weight` into account.
            run_eagerly: Whether steps run op by op, so that a debugger and print see values.
            steps_per_execution: Batches per call of batch-level callbacks.
            jit_compile: False runs without compilation, like `run_eagerly`.
            auto_scale_loss: Whether mixed_float16 gets a LossScaleOptimizer.
            **kwargs: Old arguments that mean nothing any more.

        Raises:
            ArgumentError: If a name is unknown.
        """
        self._check_set_up()  # type: ignore[attr-defined]
        loss_weights, metrics = third_as_metrics(loss_weights, metrics)
        for old in (
            "sample_weight_mode",
            "target_tensors",
            "experimental_run_tf_function",
            "distribute",
            "options",
        ):
            if kwargs.pop(old, None) is not None:
                warn_once(
                    f"compile {old}",
                    f"compile({old}=...) is an old argument without meaning here; remove it.",
                )
        if "loss_weight" in kwargs:
            raise ArgumentError(
                "compile has no argument 'loss_weight'.", fixes="Did you mean 'loss_weights'?"
            )
        if "learning_rate" in kwargs or "lr" in kwargs:
            raise ArgumentTypeError(
                "compile has no learning rate: it belongs to the optimizer.",
                got=", ".join(f"{name}={value!r}" for name, value in kwargs.items()) + ".",
                fixes="model.compile(optimizer=optimizers.Adam(learning_rate=0.001), ...)",
            )
        check_unknown("compile", kwargs, None, tuple(inspect.signature(Trainer.compile).parameters)[1:-1])
        if not isinstance(steps_per_execution, int) or steps_per_execution < 1:
            raise ArgumentError(
                "steps_per_execution is a whole number of at least 1.", got=f"{steps_per_execution!r}."
            )
        optimizer = optimizers_module.get(optimizer)
        policy = self.dtype_policy  # type: ignore[attr-defined]
        if auto_scale_loss and policy.name == "mixed_float16" and not hasattr(optimizer, "inner_optimizer"):
            optimizer = optimizers_module.LossScaleOptimizer(optimizer, name="loss_scale_optimizer")
        compile_loss = None if loss is None else compilation.CompileLoss(loss, loss_weights, self)
        compile_metrics = None
        if metrics is not None or weighted_metrics is not None:
            compile_metrics = compilation.CompileMetrics(metrics, weighted_metrics, compile_loss, self)
        compiled = jit_compile is None or bool(jit_compile)
        self.__dict__.update(
            optimizer=optimizer, loss=loss, _compile_loss=compile_loss, _compile_metrics=compile_metrics,
            _loss_tracker=metrics_module.Mean(name="loss"), run_eagerly=bool(run_eagerly),
            steps_per_execution=steps_per_execution, jit_compile=compiled, auto_scale_loss=auto_scale_loss,
            compiled=True, stop_training=False, _trainable_at_compile=trainable_flags(self),
            _compile_arguments={
                "optimizer": optimizer, "loss": loss, "loss_weights": loss_weights, "metrics": metrics,
                "weighted_metrics": weighted_metrics, "run_eagerly": run_eagerly,
                "steps_per_execution": steps_per_execution, "jit_compile": compiled,
            },
        )  # fmt: skip
        self._compiled_changed()

    def _compiled_changed(self) -> None:
        self.__dict__["_training_cache"] = None
        self.__dict__["_checked_shapes"] = set()

    @property
    def _runs_compiled(self) -> bool:
        return not self.run_eagerly and self.jit_compile

    @property
    def compiled_loss(self) -> Any:
        """The losses of the outputs (an old name)."""
        return self._compile_loss

    def get_compile_config(self) -> dict[str, Any]:
        """Returns what `compile` was given, as plain data; empty if the model is not compiled."""
        if self._compile_arguments is None:
            return {}
        return {key: serialize_keras_object(value) for key, value in self._compile_arguments.items()}

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compiles the model as `get_compile_config` says."""
        arguments = {key: deserialize_keras_object(value) for key, value in config.items()}
        known = inspect.signature(Trainer.compile).parameters
        self.compile(**{key: value for key, value in arguments.items() if key in known})
        if self.optimizer is not None and self.built:
            self.optimizer.build(self.trainable_variables)  # type: ignore[attr-defined]

    # ---- metrics

    @property
    def metrics(self) -> list[Any]:
        """The metrics: the mean loss, those of `compile`, and those held by the model and its layers."""
        own = [] if self._loss_tracker is None else [self._loss_tracker]
        compiled = (self._loss_tracker, self._compile_metrics)
        model: Any = self
        layers = [
            layer for layer in model._flatten_layers() if layer is self or not isinstance(layer, Trainer)
        ]
        found = unique(m for layer in layers for m in attributes_of_kind(layer, "metric"))
        held = [m for m in found if m not in compiled]
        if self._compile_loss is not None:
            own += self._compile_loss.trackers
        return [*own, *held, *([] if self._compile_metrics is None else [self._compile_metrics])]

    @property
    def metrics_names(self) -> list[str]:
        """The names of the metrics."""
        return [metric.name for metric in self.metrics]

    def reset_metrics(self) -> None:
        """Sets all metrics to their start."""
        for metric in self.metrics:
            metric.reset_state()

    def get_metrics_result(self) -> dict[str, Any]:
        """Returns the results of all metrics by name."""
        results: dict[str, Any] = {}
        for metric in self.metrics:
            value = metric._plain_result()
            results.update(value if isinstance(value, dict) else {metric.name: value})
        return {key: results[key] for key in sorted(results)}

    # ---- losses of one batch

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """Returns the total loss of a batch: losses of the outputs, plus those that layers and regularisers add.

        A subclass may override it.

        Args:
            x: Inputs.
            y: Targets.
            y_pred: What the model gave for `x`.
            sample_weight: Weights, or None.
            training: Whether the step trains.
        """
        return self._sum_losses(y, y_pred, sample_weight, None)

    def _sum_losses(self, y: Any, y_pred: Any, sample_weight: Any, rows: Any) -> Any:
        parts = []
        if self._compile_loss is not None:
            counts = None if rows is None else (rows.shape[0], rows.sum())
            value = self._compile_loss(y, y_pred, masked_weight(sample_weight, rows), counts)
            parts += [] if value is None else [value]
        parts += self.losses  # type: ignore[attr-defined]
        if not parts:
            raise StateError(
                f"Model {self.name!r} has no loss to train with.",
                got="compile without loss, and no layer adds one.",
                fixes="model.compile(optimizer='adam', loss='mse')",
            )
        total = parts[0]
        for part in parts[1:]:
            total = total + part
        return total

    def _total_loss(
        self, x: Any, y: Any, y_pred: Any, sample_weight: Any, rows: Any, training: bool = True
    ) -> Any:
        """Returns the loss of a batch from `compute_loss` where it is overridden, and notes it in the tracker."""
        if type(self).compute_loss is not Trainer.compute_loss:
            accepted = inspect.signature(self.compute_loss).parameters
            values = {"x": x, "y": y, "y_pred": y_pred, "sample_weight": sample_weight, "training": training}
            takes_any = any(p.kind is p.VAR_KEYWORD for p in accepted.values())
            loss = self.compute_loss(**{k: v for k, v in values.items() if k in accepted or takes_any})
        else:
            loss = self._sum_losses(y, y_pred, sample_weight, rows)
        count = rows.sum() if rows is not None else jax.tree_util.tree_leaves(x)[0].shape[0]
        if self._steps.carries(self._loss_tracker):
            self._loss_tracker.update_state(loss, sample_weight=count)
        return loss

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> dict[str, Any]:
        """Takes a batch into the metrics of `compile` and returns all results; a subclass may override it."""
        if self._compile_metrics is not None:
            self._compile_metrics.update_state(y, y_pred, sample_weight=sample_weight)
        return self.get_metrics_result()

    def _metrics_of(self, x: Any, y: Any, y_pred: Any, sample_weight: Any, rows: Any) -> dict[str, Any]:
        if type(self).compute_metrics is not Trainer.compute_metrics:
            return self.compute_metrics(x, y, y_pred, sample_weight)
        if self._steps.carries(self._compile_metrics):
            self._compile_metrics.update_state(
                y,
                y_pred,
                masked_weight(sample_weight, rows) if sample_weight is not None else None,
                row_mask=rows,
            )
        return self.get_metrics_result()

    def _call_for_training(self, x: Any, training: bool = True) -> Any:
        return self(x, training=training)  # type: ignore[operator]

    def stateless_compute_loss(
        self,
        trainable_variables: Any,
        non_trainable_variables: Any,
        metrics_variables: Any,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """Returns `(loss, (trainable, non_trainable, metrics))` for given values of the variables: a pure function."""
        steps = self._steps
        boxes = [*steps.trainable, *steps.non_trainable, *steps.metrics]
        values = [*trainable_variables, *non_trainable_variables, *metrics_variables]
        loss, new = functional_call(
            boxes, values, self._total_loss, x, y, y_pred, sample_weight, None, training
        )
        a, b = len(steps.trainable), len(steps.trainable) + len(steps.non_trainable)
        return loss, (new[:a], new[a:b], new[b:])

    # ---- the three steps

    def train_step(self, state: Any, data: Any) -> Any:
        """One training step: a pure function that a subclass may override.

        Args:
            state: `(trainable, non_trainable, optimizer, metrics)`: lists of arrays, in the order of the variables.
            data: `(x, y, sample_weight)`, shorter if parts are missing.

        Returns:
            `(logs, state)`.
        """
        x, y, sample_weight, rows = unpacked(data)
        _, grads, (tv, ntv, ov, mv), y_pred = loss_and_gradients(self, state, (x, y, sample_weight, rows))
        tv, ov = self._apply_gradients(tv, ov, grads)
        logs, mv = functional_call(
            self._steps.metrics, mv, self._metrics_of, x, y, y_pred, sample_weight, rows
        )
        return logs, (tv, ntv, ov, mv)

    def _apply_gradients(self, tv: Any, ov: Any, grads: Any) -> Any:
        optimizer, trainable = self.optimizer, self._steps.trainable
        known = optimizer._trainable_variables if hasattr(optimizer, "_trainable_variables") else trainable
        if len(known) == len(trainable) and all(a is b for a, b in zip(known, trainable, strict=True)):
            return optimizer.pure_apply(ov, grads, tv)
        boxes = [*optimizer.variables, *trainable]
        _, new = functional_call(boxes, [*ov, *tv], optimizer.apply, grads, trainable)
        return new[len(optimizer.variables) :], new[: len(optimizer.variables)]

    def test_step(self, state: Any, data: Any) -> Any:
        """One evaluation step; like `train_step`, with `state = (trainable, non_trainable, metrics)`."""
        tv, ntv, mv = state
        x, y, sample_weight, rows = unpacked(data)
        steps = self._steps

        def run() -> dict[str, Any]:
            y_pred = self._call_for_training(x, training=False)
            if (
                self._compile_loss is not None
                or self.losses
                or type(self).compute_loss is not Trainer.compute_loss
            ):  # type: ignore[attr-defined]
                self._total_loss(x, y, y_pred, sample_weight, rows, training=False)
            self._clear_losses()  # type: ignore[attr-defined]
            return self._metrics_of(x, y, y_pred, sample_weight, rows)

        boxes = [*steps.trainable, *steps.non_trainable, *steps.metrics]
        logs, new = functional_call(boxes, [*tv, *ntv, *mv], run)
        a, b = len(steps.trainable), len(steps.trainable) + len(steps.non_trainable)
        return logs, (tv, new[a:b], new[b:])

    def predict_step(self, state: Any, data: Any) -> Any:
        """One prediction step: `(trainable, non_trainable), data -> outputs, non_trainable`."""
        tv, ntv = state
        x = unpacked(data)[0]
        steps = self._steps
        boxes = [*steps.trainable, *steps.non_trainable]

        def run() -> Any:
            outputs = self._call_for_training(x, training=False)
            self._clear_losses()  # type: ignore[attr-defined]
            return outputs

        outputs, new = functional_call(boxes, [*tv, *ntv], run)
        return outputs, new[len(steps.trainable) :]

    # ---- preparing

    @property
    def _steps(self) -> Steps:
        cache = self._training_cache
        if cache is None or cache[0] != Structure.version:
            with as_compiled(self):
                steps = Steps(self)
            if cache is not None and steps.same_variables(cache[1]):
                steps = cache[1]
            cache = self.__dict__["_training_cache"] = (Structure.version, steps)
        return cache[1]

    def _prepare(self, kind: str, batch: Any) -> Steps:
        """Builds what is not built yet (model, losses, metrics, optimizer) for a batch, compiling nothing."""
        if kind != "predict" and not self.compiled:
            raise StateError(
                f"Model {self.name!r} must be compiled before {'fit' if kind == 'train' else 'evaluate'}.",
                fixes="model.compile(optimizer='adam', loss='sparse_categorical_crossentropy', metrics=['accuracy'])",
            )
        self._check_shapes(kind, batch[0], batch[1])
        if kind == "train" and not self.optimizer.built:
            with as_compiled(self):
                variables = self.trainable_variables  # type: ignore[attr-defined]
            if not variables:
                raise StateError(
                    f"Model {self.name!r} has no weights that training could change.",
                    why="All layers have trainable=False, or none has weights.",
                    fixes="layer.trainable = True for the layers to be trained, then compile again.",
                )
            self.optimizer.build(variables)
            self._compiled_changed()
        return self._steps

    def _check_shapes(self, kind: str, x: Any, y: Any) -> None:
        """Builds model, losses and metrics for data of new shapes and raises where they do not fit."""
        loss, metrics = self._compile_loss, self._compile_metrics
        key = None if kind == "predict" else _shapes_of_rows(x, y)
        known = kind == "predict" or (loss is None and metrics is None) or key in self._checked_shapes
        if self.built and known:
            return
        y_pred = self._predicted_specs(x)
        if known:
            return
        if loss is not None:
            if not loss.built:
                loss.build(y, y_pred)
            loss.check(y, y_pred)
        if metrics is not None and not metrics.built and y is not None:
            metrics.build(y, y_pred)
        self._checked_shapes.add(key)

    @property
    def _uses_own_loss(self) -> bool:
        """Whether the losses of `compile` are used as they are, and not by a step that a subclass wrote."""
        return all(
            getattr(type(self), name) is getattr(Trainer, name) for name in ("train_step", "compute_loss")
        )

    def _predicted_specs(self, x: Any) -> Any:
        """Traces the model on the shapes of a batch, which builds it, and returns the specs of its outputs."""
        specs = jax.tree_util.tree_map(lambda leaf: jax.ShapeDtypeStruct(np.shape(leaf), leaf.dtype), x)
        try:
            with unbuilt_on_error(self), fresh_context(Record.root(), probing=True), discard_assignments():
                outputs = jax.eval_shape(lambda value: self._call_for_training(value, training=False), specs)
        except HornbillError as error:
            without_engine_notes(error)
            raise
        if not jax.tree_util.tree_leaves(outputs):
            raise ArgumentTypeError(f"{type(self).__name__}.call returned nothing.", got="None.",
                                    fixes="return outputs, at the end of call")  # fmt: skip
        self.built = True
        return outputs

    def _can_pad(self, kind: str) -> bool:
        """Whether a short batch may be filled up and masked with exactly the same result."""
        layers = self._flatten_layers()  # type: ignore[attr-defined]
        if not all(is_own(type(layer)) for layer in layers):
            return False
        if kind == "predict":
            return True
        if any(getattr(type(self), name) is not getattr(Trainer, name) for name in _OVERRIDABLE):
            return False
        masks = any(
            getattr(layer, "mask_zero", False) or type(layer).__name__ == "Masking" for layer in layers
        )
        couples = any(layer.activity_regularizer is not None for layer in layers)
        couples = couples or (
            kind == "train" and any(getattr(layer, "couples_batch", False) for layer in layers)
        )
        if masks or couples or (kind == "train" and any(layer._losses for layer in layers)):
            return False
        loss, metrics = self._compile_loss, self._compile_metrics
        return (loss is None or loss.can_mask_rows) and (metrics is None or metrics.can_mask_rows)

    # ---- loops

    @users_view
    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Any = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool | str = True,
        class_weight: dict[int, float] | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: Any = 1,
        **kwargs: Any,
    ) -> Any:
        """Trains the model.

        Args:
            x: Inputs: array, or list or dict of them; or a data set, generator or loader that gives batches.
            y: Targets, if `x` holds none.
            batch_size: Rows per step; 32 if None. Not for data that comes in batches.
            epochs: Number of the last epoch (of rounds over the data, if `initial_epoch` is 0).
            verbose: 0 silent, 1 progress bar, 2 one line per epoch; "auto" is 1.
            callbacks: List of Callbacks.
            validation_split: Fraction of the data, at its end, kept for validation.
            validation_data: `(x, y)`, `(x, y, sample_weight)` or a data set to evaluate after each epoch.
            shuffle: Whether rows come in a new order each epoch; "batch" shuffles whole batches.
            class_weight: Dict from class to weight.
            sample_weight: Weight per row.
            initial_epoch: Epoch at which to start.
            steps_per_epoch: Batches per epoch, for data without end.
            validation_steps: Batches per validation.
            validation_batch_size: Rows per step of validation.
            validation_freq: Epochs between validations, or a list of epochs.
            **kwargs: Old arguments (`nb_epoch`, `workers`, `use_multiprocessing`, `max_queue_size`).

        Returns:
            A `History`: `history.history["loss"]` holds a value per epoch.

        Raises:
            DataError: If the data cannot be used.
            ShapeError: If shapes do not fit; raised before anything is compiled.
        """
        epochs = self._old_fit_arguments(kwargs, epochs)
        return loop.fit(
            self, x, y, batch_size, epochs, verbose, callbacks, validation_split, validation_data, shuffle,
            class_weight, sample_weight, initial_epoch, steps_per_epoch, validation_steps, validation_batch_size,
            validation_freq,
        )  # fmt: skip

    @users_view
    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: Any = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Any = None,
        return_dict: bool = False,
        **kwargs: Any,
    ) -> Any:
        """Returns the loss and the metrics over data: a number, a list (loss first), or a dict if `return_dict`."""
        self._old_data_arguments("evaluate", kwargs)
        return loop.evaluate(self, x, y, batch_size, verbose, sample_weight, steps, callbacks, return_dict)

    @users_view
    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: Any = "auto",
        steps: int | None = None,
        callbacks: Any = None,
        **kwargs: Any,
    ) -> Any:
        """Returns the outputs for data as NumPy arrays, in the structure of the model's outputs."""
        if kwargs:
            self._old_data_arguments("predict", kwargs)
        return loop.predict(self, x, batch_size, verbose, steps, callbacks)

    @users_view
    def train_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, class_weight: Any = None, return_dict: bool = False,
        reset_metrics: bool = True,
    ) -> Any:  # fmt: skip
        """Runs one training step on one batch and returns its loss and metrics."""
        return loop.on_batch(self, "train", x, y, sample_weight, class_weight, return_dict, reset_metrics)

    @users_view
    def test_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        return_dict: bool = False,
        reset_metrics: bool = True,
    ) -> Any:
        """Runs one evaluation step on one batch and returns its loss and metrics."""
        return loop.on_batch(self, "test", x, y, sample_weight, None, return_dict, reset_metrics)

    @users_view
    def predict_on_batch(self, x: Any) -> Any:
        """Returns the outputs for one batch as NumPy arrays."""
        return loop.on_batch(self, "predict", x, None, None, None, False, False)


Trainer.own_steps.update(train=Trainer.train_step, test=Trainer.test_step, predict=Trainer.predict_step)


def _shapes_of_rows(x: Any, y: Any) -> Any:
    """Returns the shapes of the parts of a batch without their first axis."""
    leaves, treedef = jax.tree_util.tree_flatten((x, y))
    return treedef, tuple(tuple(np.shape(leaf))[1:] for leaf in leaves)
