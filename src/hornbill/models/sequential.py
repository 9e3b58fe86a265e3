"""Sequential: a model that calls its layers one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from hornbill.engine.context import context
from hornbill.engine.errors import ArgumentError, NotBuiltError, StateError
from hornbill.engine.input_spec import check_one_tensor
from hornbill.engine.layer import Layer
from hornbill.engine.naming import scope_of
from hornbill.engine.registry import register_public
from hornbill.engine.serialization import deserialize_keras_object, serialize_keras_object
from hornbill.engine.symbolic import KerasTensor, without_probes
from hornbill.layers.input import Input, InputLayer
from hornbill.models.functional import Functional, OtherSizes
from hornbill.models.model import Model

__all__ = ["Sequential"]


class Sequential(Model):
    """A model that calls its layers one after the other.

    Args:
        layers: The layers, in order. The first may be `Input(shape)` or have `input_shape=`; then the model is built
            at once, otherwise when it meets the first data.
        name: Name; automatic if None.
        trainable: Whether training changes the weights.

    Example:
        >>> from hornbill import Input, Sequential, layers
        >>> model = Sequential([Input((4,)), layers.Dense(3)])
        >>> model.output_shape
        (None, 3)
    """

    def __init__(
        self,
        layers: Sequence[Any] | None = None,
        trainable: bool = True,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        self._layers: list[Layer] = []
        self._input_layer: InputLayer | None = None
        self._output_tensor: Any = None
        self._sizes_known, self._sizes_from_data = True, False
        if isinstance(layers, Layer):
            raise ArgumentError("Sequential takes a list of layers.", got=f"one layer, {layers.name!r}.",
                                fixes="Sequential([layer, ...])")  # fmt: skip
        for layer in layers or ():
            self.add(layer)
        if not trainable:
            self.trainable = False

    def _sublayers(self) -> list[Any]:
        own = self.__dict__.get("_layers", [])
        known = {id(layer) for layer in own} | {id(self.__dict__.get("_input_layer"))}
        return [*own, *(layer for layer in super()._sublayers() if id(layer) not in known)]

    @property
    def layers(self) -> list[Layer]:
        """The layers, without the input layer."""
        return list(self._layers)

    def add(self, layer: Any, rebuild: bool = True) -> None:
        """Puts a layer behind the last one.

        Raises:
            ArgumentError: If it is no layer, or its name is taken.
            ShapeError: If it does not accept what the last layer gives.
        """
        if isinstance(layer, KerasTensor) and layer._keras_history is not None:
            layer = layer._keras_history[0]  # Input(...) gives the tensor of its input layer
        if not isinstance(layer, Layer):
            if callable(layer) and not isinstance(layer, type):
                raise ArgumentError(
                    "Sequential takes layers only.", got=f"the function {getattr(layer, '__name__', layer)!r}.",
                    fixes="layers.Lambda(function), or a Layer whose call does it.",
                )  # fmt: skip
            hint = f"{layer.__name__}(...)" if isinstance(layer, type) else "layers.Dense(10)"
            raise ArgumentError("Sequential takes layers only.", got=f"{layer!r}.", fixes=hint)
        if isinstance(layer, InputLayer):
            if self._layers or self._input_layer is not None:
                raise ArgumentError(
                    f"Model {self.name!r} already starts with something; an Input must come first."
                )
            self._input_layer, self._output_tensor = layer, layer.output
            return
        taken = [other.name for other in self._layers]
        if layer.name in taken:
            raise ArgumentError(
                f"Model {self.name!r} already has a layer named {layer.name!r}; names must differ.",
                fixes=f"{type(layer).__name__}(..., name='{layer.name}_2')",
            )
        if not self._layers and self._input_layer is None:
            self._start_from(layer)
        if self._output_tensor is not None:
            with scope_of(self.name):
                self._output_tensor = layer(self._output_tensor)
        self._layers.append(layer)
        self._settle()

    def _start_from(self, layer: Layer) -> None:
        """Makes the input layer when the first layer says its input shape."""
        shape = layer._given_batch_shape
        if shape is not None:
            self._input_layer = Input(batch_shape=shape, dtype=_input_dtype(layer))._keras_history[0]  # type: ignore[index]
        elif isinstance(layer, (Functional, Sequential)) and layer.built and len(layer.inputs) == 1:
            first = layer.inputs[0]
            self._input_layer = Input(batch_shape=first.shape, dtype=first.dtype)._keras_history[0]  # type: ignore[index]
        if self._input_layer is not None:
            self._output_tensor = self._input_layer.output

    def _settle(self) -> None:
        self.built = self._output_tensor is not None and bool(self._layers)
        self._compiled_changed()

    def pop(self, rebuild: bool = True) -> Layer:
        """Takes the last layer away and returns it."""
        if not self._layers:
            raise StateError(f"Model {self.name!r} has no layers to take away.")
        layer = self._layers.pop()
        if self._input_layer is not None:
            if self._layers:
                node = self._output_tensor._keras_history[0]._inbound_nodes[
                    self._output_tensor._keras_history[1]
                ]
                self._output_tensor = node.inputs[0]
            else:
                self._output_tensor = self._input_layer.output
        self._settle()
        return layer

    def build(self, input_shape: Any = None) -> None:
        """Makes all weights for an input shape, batch axis included."""
        if self._output_tensor is not None or not self._layers:
            return
        if input_shape is None:
            raise ArgumentError(
                "build wants the input shape, batch axis first.", fixes="model.build((None, 28, 28, 1))"
            )
        if not isinstance(input_shape, (tuple, list)) or any(
            isinstance(size, (tuple, list)) for size in input_shape
        ):
            raise ArgumentError("A Sequential model has one input.", got=f"{input_shape!r}.")
        self._input_layer = Input(
            batch_shape=input_shape, dtype=_input_dtype(self._layers[0])
        )._keras_history[0]  # type: ignore[index]
        tensor = self._input_layer.output  # type: ignore[union-attr]
        for layer in self._layers:
            tensor = layer(tensor)
        self._output_tensor = tensor
        self._settle()

    def _build_for(self, arguments: dict[str, Any]) -> None:
        """Builds at the first call, for batches of any size.

        In a trace that only finds out shapes, numbers stand for sizes that are not known, and the layers check them.
        """
        x = arguments.get("inputs")
        shape: tuple[Any, ...] = tuple(getattr(x, "shape", ()))
        stateful = any(getattr(layer, "stateful", False) for layer in self._layers)
        if self.built or not shape or stateful or isinstance(x, KerasTensor):
            super()._build_for(arguments)
            return
        probing = context().probing
        free = without_probes(shape) if probing else (None, *shape[1:])
        super()._build_for({**arguments, "inputs": KerasTensor(free)})
        self._sizes_known, self._sizes_from_data = not probing, True

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Calls the layers one after the other."""
        x, doubts = inputs, []
        if self._input_layer is not None and self._sizes_known:
            x = check_one_tensor(self, x) if isinstance(x, (list, tuple)) and any(map(_has_shape, x)) else x
            x = self._graph()._fit_input(x, self._input_layer.output, doubts) if hasattr(x, "shape") else x
        with OtherSizes(self.name, doubts, quiet=self._sizes_from_data):
            for layer in self._layers:
                x = layer(x)
        return x

    def _graph(self) -> Functional:
        """The same model as a graph, for what graphs can do (input checks, explanations)."""
        graph = self.__dict__.get("_functional")
        if graph is None or graph.outputs[0] is not self._output_tensor:
            graph = Functional(self._input_layer.output, self._output_tensor, name=self.name)  # type: ignore[union-attr]
            self.__dict__["_functional"] = graph
        return graph

    def _inner_graph(self) -> Functional | None:
        known = self._output_tensor is not None and self._input_layer is not None
        return self._graph() if known else None

    @property
    def inputs(self) -> list[KerasTensor]:
        """The input KerasTensor in a list."""
        return [self.input]

    @property
    def outputs(self) -> list[KerasTensor]:
        """The output KerasTensor in a list."""
        return [self.output]

    @property
    def input(self) -> Any:
        """The input KerasTensor."""
        if self._input_layer is None:
            raise self._shapeless()
        return self._input_layer.output

    @property
    def output(self) -> Any:
        """The output KerasTensor."""
        if self._output_tensor is None:
            raise self._shapeless()
        return self._output_tensor

    def _shapeless(self) -> NotBuiltError:
        return NotBuiltError(
            f"Sequential model {self.name!r} does not know its input shape yet.",
            fixes=(
                "Make Input((28, 28, 1)) its first entry.",
                "model.build((None, 28, 28, 1))",
                "Call it on data once.",
            ),
        )

    def get_config(self) -> dict[str, Any]:
        """Returns the layers, in Keras' form."""
        layers = [self._input_layer, *self._layers] if self._input_layer is not None else self._layers
        config = {
            "name": self.name,
            "trainable": self.trainable,
            "dtype": self.dtype_policy.serialized(),
            "layers": [serialize_keras_object(layer) for layer in layers],
        }
        if self._input_layer is not None:
            config["build_input_shape"] = self._input_layer.batch_shape
        return config

    def get_build_config(self) -> dict[str, Any] | None:
        """Returns the input shape that the model was built for, or None."""
        return {"input_shape": self._input_layer.batch_shape} if self._input_layer is not None else None

    @classmethod
    def from_config(cls, config: Any, custom_objects: dict[str, Any] | None = None) -> Self:
        """Creates the model from its configuration, in Keras 3's, 2's or 1's form."""
        layers = config if isinstance(config, list) else config["layers"]
        name = None if isinstance(config, list) else config.get("name")
        model = cls(name=name)
        for data in layers:
            model.add(deserialize_keras_object(data, custom_objects))
        shape = None if isinstance(config, list) else config.get("build_input_shape")
        if shape and model._layers and model._output_tensor is None and not isinstance(shape, dict):
            model.build(tuple(shape))
        if isinstance(config, dict) and config.get("trainable") is False:
            model.trainable = False
        return model


def _has_shape(x: Any) -> bool:
    return hasattr(x, "shape")


def _input_dtype(layer: Layer) -> str | None:
    """Returns the dtype of data for a model that starts with `layer`."""
    return getattr(layer, "wanted_input_dtype", None) or layer.compute_dtype


register_public("keras", [Sequential])
register_public("keras", [Model])
