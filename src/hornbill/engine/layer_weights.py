"""The weights of a layer: adding them, listing them in Keras' order, freezing, losses, storing.

A mixin of `Layer`, apart from it so that each half can be read in one sitting.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hornbill.engine.compatibility import warn_once
from hornbill.engine.config import check_unknown
from hornbill.engine.context import context
from hornbill.engine.dtype import is_float_dtype
from hornbill.engine.errors import ArgumentError, MissingNameError, NotBuiltError, ShapeError
from hornbill.engine.naming import scope_of
from hornbill.engine.registry import FAMILIES
from hornbill.engine.tracking import attributes_of_kind, unique
from hornbill.engine.variable import Structure, Variable, standardize_shape

__all__ = ["LayerWeights"]


_WEIGHT_NAMES = frozenset({
    "kernel", "bias", "embeddings", "gamma", "beta", "moving_mean", "moving_variance", "recurrent_kernel",
    "depthwise_kernel", "pointwise_kernel", "alpha",
})  # fmt: skip


def resolve(family: str, identifier: Any) -> Any:
    """Returns the initialiser, regulariser or constraint for a name, configuration or object."""
    if identifier is None or (callable(identifier) and not isinstance(identifier, type)):
        return identifier
    return FAMILIES[family].get(identifier)


_OLD_SHAPES = {"input_shape": "input", "output_shape": "output"}  # what every layer had in Keras 1 and 2


_AT: dict[str, Any] = {
    "get_input_at": lambda node: _one_or_all(node.inputs),
    "get_output_at": lambda node: node.output_structure,
    "get_input_shape_at": lambda node: shapes_below(_one_or_all(node.inputs)),
    "get_output_shape_at": lambda node: shapes_below(node.output_structure),
}  # methods that took the number of a call


def _one_or_all(tensors: list[Any]) -> Any:
    return tensors[0] if len(tensors) == 1 else tensors


def shapes_below(structure: Any) -> Any:
    """Returns the shape of a tensor, or those of a structure of tensors."""
    return jax.tree_util.tree_map(lambda tensor: tensor.shape, structure)


class LayerWeights:
    """Weights, freezing and losses of a layer."""

    _own_variables: list[Variable]
    _losses: list[Any]
    _trainable: bool
    name: str
    built: bool

    def __getattr__(self, name: str) -> Any:
        if name in _WEIGHT_NAMES and not self.__dict__.get("built", True):
            raise MissingNameError(
                f"{type(self).__name__} {self.__dict__.get('name')!r} has no {name} yet.",
                why="Weights are made when the layer meets its first input, whose sizes they depend on.",
                fixes=("Call the layer on data or on Input(...) first.", "layer.build(input_shape)"),
            )
        if name in _AT:
            return lambda index: _AT[name](self._inbound_nodes[index])
        if name in _OLD_SHAPES and self.__dict__.get("built"):
            return shapes_below(getattr(self, _OLD_SHAPES[name]))
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}", name=name, obj=self)

    def add_weight(
        self,
        shape: Any = None,
        initializer: Any = None,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        aggregation: str = "none",
        overwrite_with_gradient: bool = False,
        name: str | None = None,
        *,
        axes: Sequence[str] | None = None,
        **kwargs: Any,
    ) -> Variable:
        """Makes a variable of this layer.

        Args:
            shape: Its shape; () for one number.
            initializer: Name or object; None means glorot_uniform for floats and zeros otherwise.
            dtype: Dtype; None means the layer's variable dtype.
            trainable: Whether training changes it.
            autocast: Whether it is cast to the compute dtype when read in `call`.
            regularizer: Adds to the model's loss.
            constraint: Applied after each step.
            aggregation: Kept for Keras' sake.
            overwrite_with_gradient: Whether the optimizer replaces it by its gradient.
            name: Its name.
            axes: Names of its dimensions, shown in the explanation of the parameter count.
            **kwargs: `layout`, kept for Keras' sake.

        Returns:
            The variable.
        """
        if isinstance(shape, str):  # Keras 2 put the name first
            shape, name = initializer if isinstance(initializer, (tuple, list)) else (), shape
            initializer = None
        shape = standardize_shape(() if shape is None else shape)
        if None in shape:
            raise ShapeError(
                f"{type(self).__name__} {self.name!r} cannot make the weight {name or 'weight'!r}.",
                got=f"shape {shape}, in which a size is unknown (None).",
                why="A weight needs every size; the one that is missing comes from the layer's input.",
                fixes="Give that size in Input(...): only the batch and, for most layers, the spatial sizes may be "
                "None.",
            )
        dtype = self.variable_dtype if dtype is None else dtype  # type: ignore[attr-defined]
        if initializer is None:
            initializer = "glorot_uniform" if is_float_dtype(dtype) and shape else "zeros"
        with scope_of(self.name):  # type: ignore[attr-defined]
            variable = Variable(
                resolve("initializers", initializer), shape, dtype, trainable=trainable, autocast=autocast,
                aggregation=aggregation, name=name, axes=axes if axes is not None else None,
            )  # fmt: skip
        variable.regularizer = self._resolve_regularizer(regularizer)
        variable.constraint = resolve("constraints", constraint)
        variable.overwrite_with_gradient = overwrite_with_gradient
        variable._frozen = trainable and not self._trainable
        self._own_variables.append(variable)
        return variable

    @staticmethod
    def _resolve_regularizer(identifier: Any) -> Any:
        return resolve("regularizers", identifier)

    # ---- lists

    def _sublayers(self) -> list[Any]:
        """Returns the layers held directly by this one."""
        return list(attributes_of_kind(self, "layer"))

    def _own(self) -> list[Variable]:
        return unique([*self._own_variables, *attributes_of_kind(self, "variable")])

    def _flatten_layers(self, include_self: bool = True, recursive: bool = True) -> list[Any]:
        """Returns the layers below this one, outermost first, each once."""
        found: dict[int, Any] = {}
        stack = [self] if include_self else list(reversed(self._sublayers()))
        while stack:
            layer = stack.pop()
            if id(layer) in found:
                continue
            found[id(layer)] = layer
            if recursive or layer is self:
                stack.extend(reversed(layer._sublayers()))
        return list(found.values())

    @property
    def variables(self) -> list[Variable]:
        """All variables: weights, and the state of seed generators."""
        return unique(self._walk(everything=True))

    @property
    def weights(self) -> list[Variable]:
        """The weights, trainable or not, in Keras' order."""
        return unique(self._walk(everything=False))

    def _walk(self, everything: bool) -> list[Variable]:
        result = self._stored_variables()
        if everything:
            result += [seed.state for seed in attributes_of_kind(self, "seed")]
        for layer in self._sublayers():
            result += layer._walk(everything)
        return result

    @property
    def trainable_variables(self) -> list[Variable]:
        """The variables that training changes."""
        return unique(self._walk_trainable())

    def _walk_trainable(self) -> list[Variable]:
        if not self._trainable:
            return []
        result = [v for v in self._own() if v._trainable]
        for layer in self._sublayers():
            result += layer._walk_trainable()
        return result

    @property
    def non_trainable_variables(self) -> list[Variable]:
        """The variables that training leaves alone, or that the layer itself changes."""
        trainable = {id(v) for v in self.trainable_variables}
        return [v for v in self.variables if id(v) not in trainable]

    @property
    def trainable_weights(self) -> list[Variable]:
        """The weights that training changes."""
        trainable = {id(v) for v in self.trainable_variables}
        return [v for v in self.weights if id(v) in trainable]

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """The weights that training leaves alone."""
        trainable = {id(v) for v in self.trainable_variables}
        return [v for v in self.weights if id(v) not in trainable]

    @property
    def metrics(self) -> list[Any]:
        """The metrics held by this layer and those below it."""
        return unique(m for layer in self._flatten_layers() for m in attributes_of_kind(layer, "metric"))

    @property
    def metrics_variables(self) -> list[Variable]:
        """The variables of the metrics."""
        return [v for metric in self.metrics for v in metric.variables]

    @property
    def trainable(self) -> bool:
        """Whether training changes the weights; setting it sets all layers below."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        Structure.version += 1
        for layer in self._flatten_layers():
            layer._trainable = bool(value)
            for variable in layer._own():
                variable._frozen = variable._made_trainable and not value

    def count_params(self) -> int:
        """Returns the number of weights, shared ones once.

        Raises:
            NotBuiltError: If the layer has no weights yet.
        """
        if not self.built:
            raise NotBuiltError(
                f"{type(self).__name__} {self.name!r} has no weights to count yet.",
                why="Their number depends on the input shape.",
                fixes="Call it on data, or build(input_shape) first.",
            )
        return sum(v.size for v in self.weights)

    # ---- values

    def get_weights(self) -> list[np.ndarray]:
        """Returns copies of the weights, in the order of `weights`."""
        return [v.numpy() for v in self.weights]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Sets the weights from a list in the order of `weights`; nothing is changed if one does not fit.

        Raises:
            ShapeError: If the number or a shape differs.
        """
        variables = self.weights
        if len(weights) != len(variables):
            wanted = ", ".join(f"{v.path} {v.shape}" for v in variables[:6])
            raise ShapeError(
                f"{type(self).__name__} {self.name!r} has {len(variables)} weights"
                + (f": {wanted}{', ...' if len(variables) > 6 else ''}." if variables else "."),
                got=f"{len(weights)} array{'s' * (len(weights) != 1)}.",
                fixes=(
                    "Take the arrays from get_weights() of a model with the same layers."
                    if variables
                    else "Build the model first: call it on data once."
                ),
            )
        for variable, value in zip(variables, weights, strict=True):
            if tuple(np.shape(value)) != variable.shape:
                raise ShapeError(
                    f"Weight {variable.path!r} has shape {variable.shape}.",
                    got=f"an array of shape {tuple(np.shape(value))}.",
                    fixes="Take the arrays from get_weights() of a model with the same layers.",
                )
        for variable, value in zip(variables, weights, strict=True):
            variable.assign(value)

    # ---- losses

    def add_loss(self, loss: Any, **kwargs: Any) -> None:
        """Adds a number, or several, to the loss of the training step in which `call` runs."""
        if kwargs.pop("inputs", None) is not None:
            warn_once(
                "add_loss inputs", "add_loss(inputs=...) is an old argument without meaning; remove it."
            )
        check_unknown("add_loss", kwargs, None, ("loss",))
        losses = list(loss) if isinstance(loss, (list, tuple)) else [loss]
        for item in losses:
            if not isinstance(item, (jax.Array, Variable, int, float, np.ndarray, np.generic)):
                raise ArgumentError(
                    "add_loss wants numbers computed inside call.",
                    got=f"{type(item).__name__}.",
                    fixes="Write a layer whose call computes the number and calls self.add_loss(number).",
                )
            self._losses.append(item)
        current = context()
        if all(layer is not self for layer in current.touched):
            current.touched.append(self)

    @property
    def losses(self) -> list[Any]:
        """The losses added in the last call, and those of the regularisers."""
        layers = self._flatten_layers()
        result = [loss for layer in layers for loss in layer._losses]
        regularised = (v for v in self.trainable_variables if v.regularizer is not None)
        result.extend(v.regularizer(v.value) for v in regularised)
        return [jnp.sum(jnp.asarray(getattr(loss, "value", loss))) for loss in result]

    def _clear_losses(self) -> None:
        for layer in self._flatten_layers():
            layer._losses.clear()

    # ---- storing

    def save_own_variables(self, store: Any) -> None:
        """Puts this layer's own variables into a dict-like store under "0", "1", ..."""
        for i, variable in enumerate(self._stored_variables()):
            store[f"{i}"] = np.asarray(variable._value)

    def load_own_variables(self, store: Any) -> None:
        """Sets this layer's own variables from a dict-like store.

        Raises:
            ShapeError: If the store holds another number of arrays, or another shape.
        """
        variables = self._stored_variables()
        if len(store.keys()) != len(variables):
            if not self.built and not variables:
                raise NotBuiltError(
                    f"{type(self).__name__} {self.name!r} has no weights yet, but the file holds {len(store.keys())}.",
                    fixes="Build the model (call it on data once) before loading weights.",
                )
            raise ShapeError(
                f"{type(self).__name__} {self.name!r} has {len(variables)} variables; "
                f"the file holds {len(store.keys())} for it.",
                fixes="Load weights into a model made of the same layers.",
            )
        for i, variable in enumerate(variables):
            variable.assign(store[f"{i}"])

    def _stored_variables(self) -> list[Variable]:
        """Returns this layer's own variables in Keras' order: those made trainable first."""
        own = self._own()
        return [v for v in own if v._made_trainable] + [v for v in own if not v._made_trainable]
