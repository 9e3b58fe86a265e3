"""The optimizer base class: its arguments, its Variables, its learning rate, its configuration.

A built-in optimizer adds `slots` and a pure `update`; a user's optimizer may override `update_step` as in
Keras. How one step is put together from these (accumulation, clipping, decay, averages, constraints) is in
`step.py`.

Not here: the formulas (one file per family) and `get`, `serialize`, `deserialize` (`lookup.py`).
"""

from __future__ import annotations

import inspect
import re
import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hornbill import initializers
from hornbill.engine.errors import ArgumentError, ArgumentTypeError, NotBuiltError
from hornbill.engine.naming import auto_name, check_name, name_scope
from hornbill.engine.op import Tensor
from hornbill.engine.serialization import deserialize_keras_object, serialize_keras_object
from hornbill.engine.settings import floatx
from hornbill.engine.variable import Variable
from hornbill.optimizers.arguments import checked_rate, old_spellings
from hornbill.optimizers.schedules.base import LearningRateSchedule
from hornbill.optimizers.step import StepMixin

__all__ = ["Optimizer"]

_COMMON = (
    "name", "learning_rate", "weight_decay", "clipnorm", "global_clipnorm", "clipvalue", "use_ema",
    "ema_momentum", "ema_overwrite_frequency", "loss_scale_factor", "gradient_accumulation_steps",
)  # fmt: skip
_NOT_TRACKED = ("_excluded_variables", "_slot_variables", "_trainable_variables", "_variables")
_CONSTANTS: dict[str, Callable[..., np.ndarray]] = {"zeros": np.zeros, "ones": np.ones}


class Optimizer(StepMixin):
    """Base of all optimizers.

    An optimizer of your own is one class in one of two ways. The short one: name the slots (arrays of the
    shape of each weight) and write the pure rule; everything else follows from the base class.

    The way of Keras works too: override `build` (with `add_variable_from_reference`) and `update_step`.

    Args:
        learning_rate: A number, a `LearningRateSchedule`, or a callable without arguments. `lr` is the old
            spelling.
        weight_decay: Share of each weight, times the learning rate, that is taken away at each step, or None.
        clipnorm: Largest norm of the gradient of each weight, or None.
        clipvalue: Largest absolute value in a gradient, or None.
        global_clipnorm: Largest norm of all gradients together, or None. At most one of the three may be set.
        use_ema: Whether to keep a moving average of the weights.
        ema_momentum: Momentum of that average, in [0, 1].
        ema_overwrite_frequency: Every so many steps the weights are replaced by their average; None means
            only at the end of training, by `finalize_variable_values`.
        loss_scale_factor: The loss is multiplied, and each gradient divided, by this number, or None.
        gradient_accumulation_steps: Gradients are averaged over so many calls before one step is made (2 or
            more), or None.
        name: Its name; automatic if None.
        **kwargs: Old spellings: `lr`, and `decay` (the rate is divided by `1 + decay * iterations`).

    Raises:
        ArgumentError: If an argument is out of range or unknown, or two ways of clipping are asked for.

    Example:
        >>> class Plain(Optimizer):
        ...     slots = ("last",)
        ...     def update(self, p, g, slots, lr, step):
        ...         return p - lr * g, (g,)
        >>> weight = Variable([1.0, 2.0], name="w")
        >>> Plain(0.5).apply([[1.0, 1.0]], [weight])
        >>> weight.numpy().tolist()
        [0.5, 1.5]
    """

    slots: Sequence[str] | Sequence[Sequence[str]] = ()

    def __init__(
        self,
        learning_rate: Any,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        owner = type(self).__name__
        learning_rate, self.decay = old_spellings(owner, learning_rate, kwargs, type(self))
        self.name = auto_name(owner) if name is None else check_name(owner, name)
        self.weight_decay = weight_decay
        self.clipnorm, self.clipvalue, self.global_clipnorm = clipnorm, clipvalue, global_clipnorm
        self.use_ema, self.ema_momentum = bool(use_ema), ema_momentum
        self.ema_overwrite_frequency = ema_overwrite_frequency
        self.loss_scale_factor = loss_scale_factor
        self.gradient_accumulation_steps = gradient_accumulation_steps
        self._check_common()
        self.built = False
        self._variables: list[Variable] = []
        self._trainable_variables: list[Variable] = []
        self._index_of: dict[int, int] = {}
        self._averages: list[Variable | None] = []
        self._accumulated_gradients: list[Variable | None] = []
        self._slot_variables: list[list[Variable]] = []
        self._shared_variables: list[Variable] = []
        self._excluded_variables: list[Variable] = []
        self._excluded_names: tuple[str, ...] = ()
        self._compiled: dict[Any, Callable[..., Any]] = {}
        with name_scope(self.name):
            self._iterations = Variable(np.zeros((), "int32"), trainable=False, name="iteration")
        self._set_learning_rate(learning_rate)

    def _check_common(self) -> None:
        owner = type(self).__name__
        clips = {
            "clipnorm": self.clipnorm,
            "clipvalue": self.clipvalue,
            "global_clipnorm": self.global_clipnorm,
        }
        if sum(value is not None for value in clips.values()) > 1:
            raise ArgumentError(
                f"{owner}: only one of `clipnorm`, `clipvalue` and `global_clipnorm` can be set.",
                got=", ".join(f"{key}={value}" for key, value in clips.items()) + ".",
                fixes=f"{owner}(clipnorm=1.0) limits the length of each gradient; leave the others out.",
            )
        if self.use_ema and not 0 <= self.ema_momentum <= 1:
            raise ArgumentError(
                f"{owner}: `ema_momentum` must be in the range [0, 1].",
                got=f"ema_momentum={self.ema_momentum}.",
            )
        frequency = self.ema_overwrite_frequency
        if self.use_ema and frequency and (not isinstance(frequency, int) or frequency < 1):
            raise ArgumentError(
                f"{owner}: `ema_overwrite_frequency` must be an integer >= 1 or None.",
                got=f"ema_overwrite_frequency={frequency!r}.",
            )
        steps = self.gradient_accumulation_steps
        if steps and (not isinstance(steps, int) or steps < 2):
            raise ArgumentError(
                f"{owner}: `gradient_accumulation_steps` must be an integer >= 2.",
                got=f"gradient_accumulation_steps={steps!r}.",
                fixes="Leave it out to make a step with every gradient.",
            )

    # Variables

    def __setattr__(self, name: str, value: Any) -> None:
        """Tracks Variables that a subclass keeps as attributes."""
        if name not in _NOT_TRACKED:
            for item in value if isinstance(value, (list, tuple)) else (value,):
                if isinstance(item, Variable) and "_variables" in self.__dict__:
                    self._track(item)
        super().__setattr__(name, value)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_compiled": {}, "_index_of": {}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._index_of = {id(variable): index for index, variable in enumerate(self._trainable_variables)}

    def _track(self, variable: Variable) -> Variable:
        if not self._knows(variable):
            self._variables.append(variable)
        return variable

    def _knows(self, variable: Variable) -> bool:
        return id(variable) in self._index_of or any(variable is known for known in self._variables)

    @property
    def variables(self) -> list[Variable]:
        """Everything the optimizer remembers: iteration, learning rate, then the slots, in Keras' order."""
        return list(self._variables)

    @property
    def iterations(self) -> Any:
        """How many steps were made; with gradient accumulation, whole rounds only."""
        if self.gradient_accumulation_steps:
            return self._iterations.value // self.gradient_accumulation_steps
        return self._iterations

    def build(self, variables: Sequence[Variable]) -> None:
        """Creates the slots for the weights to train.

        Args:
            variables: The weights, in the order in which gradients will come.
        """
        if self.built:
            return
        variables = list(variables)
        self._trainable_variables = variables
        self._index_of = {id(variable): index for index, variable in enumerate(variables)}
        if self.use_ema:
            self._averages = self.add_optimizer_variables(variables, "average")
        if self.gradient_accumulation_steps:
            self._accumulated_gradients = [
                self.add_variable_from_reference(variable, name="gradient_accumulator")
                for variable in variables
            ]
        self._build_slots(variables)
        self.built = True

    def _build_slots(self, variables: Sequence[Variable]) -> None:
        self._slot_variables = [[] for _ in variables]
        group_count = max((len(self.slot_groups(variable)) for variable in variables), default=0)
        for group in range(group_count):
            for variable, kept in zip(variables, self._slot_variables, strict=True):
                groups = self.slot_groups(variable)
                if variable.overwrite_with_gradient or group >= len(groups):
                    continue
                for name in groups[group]:
                    slot = self.make_slot(variable, name)
                    kept.append(self._track(slot))
                    # Lists that subclasses of Keras' optimizers use: self._momentums[index]
                    plural = "_" + (f"{name[:-1]}ies" if name.endswith("y") else f"{name}s")
                    self.__dict__.setdefault(plural, [None] * len(variables))[
                        self._get_variable_index(variable)
                    ] = slot

    def slot_groups(self, variable: Variable) -> Sequence[Sequence[str]]:
        """Returns the names of the slots of one weight, in groups.

        All weights' slots of the first group come first in `variables`, then those of the second; that is the
        order in which Keras saves them.

        Args:
            variable: The weight.
        """
        if self.slots and isinstance(self.slots[0], str):
            return (tuple(str(name) for name in self.slots),)
        return tuple(tuple(group) for group in self.slots)

    def make_slot(self, variable: Variable, name: str) -> Variable:
        """Creates one slot of one weight; zeros of its shape unless overridden.

        Args:
            variable: The weight.
            name: The slot's name.
        """
        return self.add_variable_from_reference(variable, name=name)

    def add_variable(
        self,
        shape: Sequence[int],
        initializer: Any = "zeros",
        dtype: Any = None,
        aggregation: str = "none",
        layout: Any = None,
        name: str | None = None,
    ) -> Variable:
        """Adds a Variable to what the optimizer remembers.

        Args:
            shape: Its shape.
            initializer: Name or object of an initializer.
            dtype: Its dtype; None means the float type.
            aggregation: How replicas combine it.
            layout: Its sharding, or None.
            name: Its name; automatic if None.

        Returns:
            The Variable.
        """
        dtype = floatx() if dtype is None else dtype
        if isinstance(initializer, str) and initializer in _CONSTANTS:
            first, shape_argument = _CONSTANTS[initializer](tuple(shape), jnp.dtype(dtype)), None
        else:
            first, shape_argument = initializers.get(initializer), tuple(shape)
        with name_scope(self.name):
            variable = Variable(
                first,
                shape_argument,
                dtype,
                trainable=False,
                aggregation=aggregation,
                layout=layout,
                name=name,
            )
        return self._track(variable)

    def add_variable_from_reference(
        self, reference_variable: Variable, name: str | None = None, initializer: Any = "zeros"
    ) -> Variable:
        """Adds a Variable of the shape and dtype of a weight, named after it.

        Args:
            reference_variable: The weight.
            name: End of the name; "var" if None.
            initializer: Name or object of an initializer.

        Returns:
            The Variable, called `<path of the weight>_<name>`.
        """
        path = reference_variable.path.replace("/", "_")
        return self.add_variable(
            reference_variable.shape,
            initializer,
            reference_variable.dtype,
            layout=getattr(reference_variable, "_layout", None),
            name=f"{path}_{name or 'var'}",
        )

    def add_optimizer_variables(
        self, trainable_variables: Iterable[Variable], name: Any, initializer: Any = "zeros"
    ) -> list[Any]:
        """Adds one Variable for each weight; None stands for weights that are overwritten by their gradient.

        Args:
            trainable_variables: The weights.
            name: End of the names, or several of them.
            initializer: Name or object of an initializer, or one for each name.

        Returns:
            A list as long as `trainable_variables`; with several names, a list of such lists.
        """
        names = [name] if isinstance(name, str) else list(name)
        several = isinstance(initializer, (list, tuple))
        starts = list(initializer) if several else [initializer] * len(names)
        if len(starts) != len(names):
            raise ArgumentError(
                "add_optimizer_variables takes one initializer, or one for each name.",
                got=f"{len(names)} names and {len(starts)} initializers.",
            )
        rows: list[list[Any]] = [[] for _ in names]
        for variable in trainable_variables:
            for row, ending, start in zip(rows, names, starts, strict=True):
                row.append(
                    None
                    if variable.overwrite_with_gradient
                    else self.add_variable_from_reference(variable, name=ending, initializer=start)
                )
        return rows[0] if isinstance(name, str) else rows

    def _get_variable_index(self, variable: Variable) -> int:
        return self._index_of[id(variable)]

    # Learning rate

    @property
    def learning_rate(self) -> Any:
        """The rate: a Variable, or what the schedule or callable gives at this step."""
        rate = self._learning_rate
        if isinstance(rate, LearningRateSchedule):
            return rate(self._iterations.value)
        return rate if isinstance(rate, Variable) else rate()

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        rate = self._learning_rate
        if isinstance(rate, Variable) and not callable(value):
            rate.assign(checked_rate(type(self).__name__, value))
            return
        if isinstance(rate, LearningRateSchedule) and not callable(value):
            raise ArgumentTypeError(
                f"{type(self).__name__}: the learning rate follows a schedule, so it is not set to a number.",
                got=f"learning_rate={value!r}; the schedule is {type(rate).__name__}.",
                fixes=f"Create the optimizer with a number: {type(self).__name__}(learning_rate={value!r}).",
            )
        self._set_learning_rate(value)

    @property
    def lr(self) -> Any:
        """The old spelling of `learning_rate`."""
        return self.learning_rate

    @lr.setter
    def lr(self, value: Any) -> None:
        self.learning_rate = value

    def _set_learning_rate(self, value: Any) -> None:
        if isinstance(value, dict) and "class_name" in value:
            value = deserialize_keras_object(value)
        old = self.__dict__.get("_learning_rate")
        if isinstance(old, Variable):
            self._variables = [variable for variable in self._variables if variable is not old]
        if callable(value) and not isinstance(value, (jax.Array, Variable)):
            self._learning_rate = value
            return
        rate = np.asarray(checked_rate(type(self).__name__, value), jnp.dtype(floatx()))
        with name_scope(self.name):
            created = Variable(rate, trainable=False, name="learning_rate")
        self._variables.insert(1, created)
        self._learning_rate = created

    # Keras' methods

    def exclude_from_weight_decay(
        self, var_list: Iterable[Variable] | None = None, var_names: Iterable[str] | None = None
    ) -> None:
        """Leaves some weights out of the weight decay. Call it before training.

        Args:
            var_list: Weights to leave out.
            var_names: Patterns; a weight whose name contains one of them is left out.
        """
        self._excluded_variables = list(var_list or ())
        self._excluded_names = tuple(var_names or ())

    def decay_rate_of(self, variable: Variable) -> float | None:
        """Returns the weight decay of one weight, or None if it has none.

        Args:
            variable: The weight.
        """
        return None if self._excluded(variable) else self.weight_decay

    def _excluded(self, variable: Variable) -> bool:
        by_name = any(re.search(pattern, variable.name) for pattern in self._excluded_names)
        return by_name or any(variable is excluded for excluded in self._excluded_variables)

    def scale_loss(self, loss: Tensor) -> Tensor:
        """Multiplies the loss by `loss_scale_factor`, where there is one.

        Args:
            loss: The loss.

        Returns:
            What gradients are to be taken of.
        """
        return loss if self.loss_scale_factor is None else loss * self.loss_scale_factor

    def finalize_variable_values(self, var_list: Sequence[Variable]) -> None:
        """Replaces weights by their moving average at the end of training, with `use_ema`.

        Args:
            var_list: The weights.
        """
        if not self.use_ema:
            return
        if len(var_list) != len(self._averages):
            raise ArgumentError(
                f"{type(self).__name__}.finalize_variable_values takes the weights of build().",
                got=f"{len(var_list)} weights, {len(self._averages)} averages.",
            )
        for variable, average in zip(var_list, self._averages, strict=True):
            if average is not None:
                variable.assign(average.numpy())

    def assign(self, variable: Variable, value: Any) -> None:
        """Sets a Variable; for overridden `update_step`s.

        Args:
            variable: The Variable.
            value: Its new value.
        """
        variable.assign(value)

    def assign_add(self, variable: Variable, value: Any) -> None:
        """Adds to a Variable; for overridden `update_step`s.

        Args:
            variable: The Variable.
            value: What to add.
        """
        variable.assign_add(value)

    def assign_sub(self, variable: Variable, value: Any) -> None:
        """Subtracts from a Variable; for overridden `update_step`s.

        Args:
            variable: The Variable.
            value: What to subtract.
        """
        variable.assign_sub(value)

    # Saving

    def get_weights(self) -> list[np.ndarray]:
        """Returns the values of `variables` on the host."""
        return [variable.numpy() for variable in self.variables]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Sets the values of `variables`.

        Args:
            weights: One array for each, as from `get_weights`.

        Raises:
            NotBuiltError: If the slots do not exist yet.
            ArgumentError: If the number of arrays differs.
        """
        if not self.built:
            raise NotBuiltError(
                f"{type(self).__name__}.set_weights needs a built optimizer.",
                fixes="optimizer.build(model.trainable_variables)",
            )
        variables = self.variables
        if len(weights) != len(variables):
            raise ArgumentError(
                f"{type(self).__name__}.set_weights takes one array for each of {len(variables)} variables.",
                got=f"{len(weights)} arrays.",
            )
        for variable, weight in zip(variables, weights, strict=True):
            variable.assign(weight)

    def save_own_variables(self, store: Any) -> None:
        """Writes the variables into `store` under "0", "1", ...

        Args:
            store: A dictionary or HDF5 group.
        """
        for index, variable in enumerate(self.variables):
            store[str(index)] = variable.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Reads the variables from `store`; warns and leaves all as it is if their number differs.

        Args:
            store: A dictionary or HDF5 group written by `save_own_variables`.
        """
        variables = self.variables
        if len(store) != len(variables):
            warnings.warn(
                f"Skipping variable loading for optimizer {self.name!r}, because it has {len(variables)} "
                f"variables whereas the saved optimizer has {len(store)} variables.",
                stacklevel=2,
            )
            return
        for index, variable in enumerate(variables):
            variable.assign(np.asarray(store[str(index)]))

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments that create this optimizer anew, as plain data."""
        config: dict[str, Any] = {key: getattr(self, key) for key in _COMMON if key != "learning_rate"}
        rate = self._learning_rate
        serialized = float(rate.numpy()) if isinstance(rate, Variable) else serialize_keras_object(rate)
        config = {"name": config.pop("name"), "learning_rate": serialized, **config}
        if self.decay:
            config["decay"] = self.decay
        for name, parameter in inspect.signature(type(self).__init__).parameters.items():
            named = parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
            if named and name not in ("self", *_COMMON) and name in self.__dict__:
                config[name] = getattr(self, name)
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Optimizer:
        """Creates an optimizer from what `get_config` returned.

        Args:
            config: The arguments.
            custom_objects: Classes and functions of your own, by name.

        Returns:
            A new optimizer, not built.
        """
        config = dict(config)
        if isinstance(config.get("learning_rate"), dict):
            config["learning_rate"] = deserialize_keras_object(
                config["learning_rate"], custom_objects=custom_objects
            )
        return cls(**config)
