"""Several optimizers for one model: which weight goes to which is said by patterns or by a function.

Not here: different rates within one optimizer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, MutableMapping, Sequence
from typing import Any

from hornbill.engine.errors import ArgumentError, ArgumentTypeError, MissingNameError
from hornbill.engine.serialization import deserialize_keras_object, serialize_keras_object
from hornbill.engine.variable import Variable
from hornbill.optimizers.base import Optimizer

__all__ = ["MultiOptimizer", "OptimizerMap"]


class OptimizerMap(MutableMapping[str, Optimizer]):
    """A dictionary from paths of weights, or patterns of them, to optimizers.

    Args:
        default_optimizer: Optimizer of all weights that no key matches.
        optimizer_map: Dictionary of the first entries, or None.

    Example:
        >>> from hornbill.optimizers import SGD, Adam
        >>> optimizers = OptimizerMap(Adam(), {"encoder/.*": SGD()})
        >>> type(optimizers["encoder/dense/kernel"]).__name__, type(optimizers["head/kernel"]).__name__
        ('SGD', 'Adam')
    """

    def __init__(
        self, default_optimizer: Optimizer, optimizer_map: MutableMapping[str, Optimizer] | None = None
    ) -> None:
        self._default = _checked("OptimizerMap", "default_optimizer", default_optimizer)
        self._entries: dict[str, Optimizer] = {}
        for key, optimizer in (optimizer_map or {}).items():
            self[key] = optimizer

    @property
    def default_optimizer(self) -> Optimizer:
        """The optimizer of all weights that no key matches."""
        return self._default

    def __getitem__(self, key: str) -> Optimizer:
        """Returns the optimizer for a path: an exact key, or else the one pattern that matches it."""
        if key in self._entries:
            return self._entries[key]
        matches = [pattern for pattern in self._entries if re.fullmatch(pattern, key)]
        if len(matches) > 1:
            raise ArgumentError(
                f"Multiple optimizers assigned to variable {key}.",
                got=f"patterns {', '.join(map(repr, matches))}.",
                fixes="Make the patterns exclude each other, or add the exact path as a key.",
            )
        return self._entries[matches[0]] if matches else self._default

    def __setitem__(self, key: str, optimizer: Optimizer) -> None:
        """Sets the optimizer for a path or pattern."""
        if not isinstance(key, str):
            raise ArgumentError("OptimizerMap: a key must be a string.", got=f"{key!r}.")
        if key in self._entries:
            raise ArgumentError(
                f"{key!r} already exists in the OptimizerMap.",
                got=f"{self._entries[key]!r} is there.",
                fixes=f"del optimizer_map[{key!r}]",
            )
        self._entries[key] = _checked("OptimizerMap", "optimizer", optimizer)

    def __delitem__(self, key: str) -> None:
        """Removes a key."""
        del self._entries[key]

    def __contains__(self, key: object) -> bool:
        return key in self._entries

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __call__(self, variable: Variable) -> Optimizer:
        """Returns the optimizer of a weight.

        Args:
            variable: The weight.
        """
        return self[variable.path]

    def get_config(self) -> dict[str, Any]:
        """Returns the default and the entries as plain data."""
        return {
            "default_optimizer": serialize_keras_object(self._default),
            "optimizer_map": {key: serialize_keras_object(value) for key, value in self._entries.items()},
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> OptimizerMap:
        """Creates a map from what `get_config` returned.

        Args:
            config: The default and the entries.
        """
        entries = {
            key: deserialize_keras_object(value) for key, value in (config.get("optimizer_map") or {}).items()
        }
        return cls(deserialize_keras_object(config["default_optimizer"]), entries)


class MultiOptimizer(Optimizer):
    """Gives each weight to one of several optimizers. It has no learning rate of its own.

    Args:
        optimizer_map: An `OptimizerMap`, or a function from a weight to its optimizer.
        loss_scale_factor: Factor of the loss, for all optimizers; None takes the one that they have.
        name: A name; automatic if None.

    Raises:
        ArgumentTypeError: If `optimizer_map` is neither.
    """

    def __init__(
        self,
        optimizer_map: OptimizerMap | Callable[[Variable], Optimizer],
        loss_scale_factor: float | None = None,
        name: str | None = None,
    ) -> None:
        if not callable(optimizer_map):
            raise ArgumentTypeError(
                "MultiOptimizer takes an OptimizerMap or a function from a weight to its optimizer.",
                got=f"optimizer_map={optimizer_map!r}.",
            )
        super().__init__(learning_rate=0.0, loss_scale_factor=loss_scale_factor, name=name)
        self.optimizer_map = optimizer_map
        self._parts: list[Optimizer] = []
        if isinstance(optimizer_map, OptimizerMap):
            self._parts = _unique([*optimizer_map.values(), optimizer_map.default_optimizer])
        self._place_of: list[tuple[int, int]] = []

    def build(self, variables: Sequence[Variable]) -> None:
        """Gives the weights out and builds each optimizer on its own.

        Args:
            variables: The weights, in the order in which gradients will come.
        """
        if self.built:
            return
        owners = [
            _checked("MultiOptimizer", "optimizer", self.optimizer_map(variable)) for variable in variables
        ]
        self._parts = _unique([*self._parts, *owners])
        self._share_loss_scale()
        self._place_of = []
        groups: list[list[Variable]] = [[] for _ in self._parts]
        for variable, owner in zip(variables, owners, strict=True):
            part = next(n for n, candidate in enumerate(self._parts) if candidate is owner)
            self._place_of.append((part, len(groups[part])))
            groups[part].append(variable)
        for part, group in zip(self._parts, groups, strict=True):
            part.build(group)
        super().build(variables)

    def _share_loss_scale(self) -> None:
        factors = {part.loss_scale_factor for part in self._parts}
        if self.loss_scale_factor is None:
            if len(factors) > 1:
                raise ArgumentError(
                    "MultiOptimizer: there is one loss, so all optimizers must have the same "
                    "`loss_scale_factor`.",
                    got=f"{sorted(map(str, factors))}.",
                    fixes="MultiOptimizer(optimizer_map, loss_scale_factor=1024.0)",
                )
            self.loss_scale_factor = next(iter(factors), None)
        for part in self._parts:
            part.loss_scale_factor = self.loss_scale_factor

    @property
    def optimizers(self) -> list[Optimizer]:
        """The optimizers that weights are given to."""
        return list(self._parts)

    @property
    def variables(self) -> list[Variable]:
        """Its own variables, then those of each optimizer."""
        return [*self._variables, *(variable for part in self._parts for variable in part.variables)]

    @property
    def learning_rate(self) -> Any:
        """Not available: each optimizer has its own."""
        raise MissingNameError(
            "A MultiOptimizer has no learning rate.", fixes="optimizer.optimizers[0].learning_rate"
        )

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        raise MissingNameError(
            "The learning rate of a MultiOptimizer cannot be set.",
            got=f"learning_rate={value!r}.",
            fixes=f"optimizer.optimizers[0].learning_rate = {value!r}",
        )

    def finalize_variable_values(self, var_list: Sequence[Variable]) -> None:
        """Lets each optimizer replace its weights by their averages.

        Args:
            var_list: The weights.
        """
        for n, part in enumerate(self._parts):
            part.finalize_variable_values(
                [
                    variable
                    for variable in var_list
                    if self._place_of[self._get_variable_index(variable)][0] == n
                ]
            )

    def _trace_key(self) -> Any:
        keys = [part._trace_key() for part in self._parts]
        return None if None in keys else (super()._trace_key(), *keys)

    def _pure(
        self, state: list[Any], grads: list[Any], params: list[Any], indices: tuple[int, ...]
    ) -> tuple[list[Any], list[Any]]:
        start = len(self._variables)
        new_state, params = list(state[:start]), list(params)
        here = self._positions()[id(self._iterations)]
        new_state[here] = state[here] + 1
        for n, part in enumerate(self._parts):
            stop = start + len(part.variables)
            own = [k for k, index in enumerate(indices) if self._place_of[index][0] == n]
            part_state = list(state[start:stop])
            if own:
                inner = tuple(self._place_of[indices[k]][1] for k in own)
                values, part_state = part._pure(
                    part_state, [grads[k] for k in own], [params[k] for k in own], inner
                )
                for k, value in zip(own, values, strict=True):
                    params[k] = value
            new_state += part_state
            start = stop
        return params, new_state

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments that create this optimizer anew, as plain data."""
        return {
            "optimizer_map": serialize_keras_object(self.optimizer_map),
            "loss_scale_factor": self.loss_scale_factor,
            "name": self.name,
        }

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None
    ) -> MultiOptimizer:
        """Creates an optimizer from what `get_config` returned.

        Args:
            config: The arguments.
            custom_objects: Classes and functions of your own, by name.
        """
        chosen = deserialize_keras_object(config["optimizer_map"], custom_objects=custom_objects)
        return cls(**{**config, "optimizer_map": chosen})


def _unique(optimizers: Sequence[Optimizer]) -> list[Optimizer]:
    return list({id(optimizer): optimizer for optimizer in optimizers}.values())


def _checked(owner: str, word: str, optimizer: Any) -> Optimizer:
    if not isinstance(optimizer, Optimizer):
        raise ArgumentTypeError(f"{owner}: {word} must be a Keras optimizer.", got=f"{optimizer!r}.")
    return optimizer
