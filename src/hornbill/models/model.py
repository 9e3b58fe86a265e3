"""Model: a layer that can be compiled, fitted, saved and explained.

`Model(inputs, outputs)` makes a `Functional`; a subclass writes `call`. What training, saving and explaining do stands
in their own packages; the methods here hand over to them.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Self

from hornbill.engine.compatibility import warn_once
from hornbill.engine.errors import ArgumentError, MissingNameError, NotWrittenError, did_you_mean
from hornbill.engine.layer import Layer
from hornbill.engine.lazy import lazy_module
from hornbill.engine.serialization import deserialize_keras_object, serialize_keras_object
from hornbill.engine.shapes import is_shape, tensors_from_shapes
from hornbill.engine.symbolic import KerasTensor, infer_spec, is_keras_tensor, leaves_of
from hornbill.training.trainer import Trainer

__all__ = ["Model"]

explanations = lazy_module("hornbill.explain")
files = lazy_module("hornbill.saving")
exports = lazy_module("hornbill.export")


def _is_functional_call(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    given = args[:2] if len(args) >= 2 else None
    if given is None and "outputs" in kwargs and ("inputs" in kwargs or args):
        given = (kwargs.get("inputs", args[0] if args else None), kwargs["outputs"])
    if given is None:
        return False
    leaves = leaves_of(given[1])
    return bool(leaves) and all(is_keras_tensor(leaf) for leaf in leaves)


class Model(Trainer, Layer):
    """A network with training, saving and explanation.

    Three ways to make one: `Model(inputs, outputs)` from KerasTensors, `Sequential([...])`, or a subclass with `call`.

    Args:
        inputs: KerasTensor, or list or dict of them.
        outputs: KerasTensor, or structure of them.
        name: Name; automatic if None.

    Example:
        >>> from hornbill import Input, Model, layers
        >>> inputs = Input((5, 5, 1))
        >>> model = Model(inputs, layers.Dense(1)(inputs))
        >>> model.count_params()
        2
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """Makes a functional model where inputs and outputs are given."""
        if cls is Model and _is_functional_call(args, kwargs):
            return FUNCTIONAL[0].__new__(FUNCTIONAL[0], *args, **kwargs)  # type: ignore[return-value]
        return super().__new__(cls, *args, **kwargs)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if _is_functional_call(args, kwargs) and not isinstance(self, FUNCTIONAL[0]):
            cls = type(self)
            self.__class__ = type(cls.__name__, (cls, FUNCTIONAL[0]), {"__module__": cls.__module__})  # type: ignore[assignment]
            FUNCTIONAL[0].__init__(self, *args, **kwargs)  # type: ignore[arg-type]
            return
        if args or kwargs.keys() & {"inputs", "outputs", "input", "output"}:
            raise _no_graph(type(self).__name__, args, kwargs)
        Layer.__init__(self, **kwargs)
        Trainer.__init__(self)

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Computes the output; written by subclasses."""
        raise NotWrittenError(
            f"Model {self.name!r} has no call method.",
            why="It says what the model computes.",
            fixes=(
                "def call(self, inputs): return self.dense(inputs)",
                "Or make the model of inputs and outputs.",
            ),
        )

    # ---- layers

    @property
    def layers(self) -> list[Layer]:
        """The layers held directly by this model."""
        return self._sublayers()

    @layers.setter
    def layers(self, value: Any) -> None:
        raise MissingNameError("model.layers cannot be set.", fixes="Keep your own list under another name.")

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """Returns the layer of a name or an index.

        Raises:
            ArgumentError: If there is none.
        """
        layers = self.layers
        if (index is not None and name is not None) or (index is None and name is None):
            raise ArgumentError(
                "get_layer wants a name or an index, one of the two.", got=f"{name=}, {index=}."
            )
        if index is not None:
            if not -len(layers) <= index < len(layers):
                raise ArgumentError(f"Model {self.name!r} has {len(layers)} layers.", got=f"index={index}.")
            return layers[index]
        for layer in layers:
            if layer.name == name:
                return layer
        names = [layer.name for layer in layers]
        raise ArgumentError(
            f"Model {self.name!r} has no layer named {name!r}.{did_you_mean(name, names)}",
            why=f"Its layers: {', '.join(names[:30])}{', ...' if len(names) > 30 else ''}.",
        )

    @property
    def input_shape(self) -> Any:
        """The shape of the input, or structure of them if there are several, batch first."""
        return _shapes_or_one(self.input)

    @property
    def output_shape(self) -> Any:
        """The shape of the output, or structure of them if there are several, batch first."""
        return _shapes_or_one(self.output)

    def build(self, *args: Any, **kwargs: Any) -> None:
        """Makes all weights for an input shape (batch axis included) by tracing a call.

        Args:
            *args: A shape, or list or dict of shapes.
            **kwargs: `input_shape`, or one `<argument>_shape` per argument of `call`.
        """
        if self.built:
            return
        shape = args[0] if args else kwargs.pop("input_shape", None)
        if shape is None and not kwargs:
            raise ArgumentError(
                "build wants the input shape, batch axis first.", fixes="model.build((None, 28, 28, 1))"
            )
        if self._building:
            return
        values = () if shape is None else (tensors_from_shapes(_as_tuples(shape), self.compute_dtype),)
        named = {
            k.removesuffix("_shape"): tensors_from_shapes(_as_tuples(v), self.compute_dtype)
            for k, v in kwargs.items()
        }
        self._building += 1
        try:
            infer_spec(self._run, values, named)
        finally:
            self._building -= 1
        self._after_build({"input_shape": shape} if shape is not None else kwargs)

    def _after_build(self, shapes: dict[str, Any]) -> None:
        """Notes the shapes, which `build` takes without names, so that files can say them."""
        given = shapes.get("args")
        super()._after_build({"input_shape": given[0]} if given else shapes.get("kwargs", shapes))

    # ---- seeing

    def summary(
        self,
        line_length: int | None = None,
        positions: list[float] | None = None,
        print_fn: Callable[[str], None] | None = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: list[str] | None = None,
    ) -> None:
        """Prints a table of the layers: output shape, number of parameters, and how each number comes about.

        Args:
            line_length: Width of the table; that of the terminal if None.
            positions: Widths of the columns, relative or absolute.
            print_fn: Called with the text instead of printing.
            expand_nested: Whether layers of inner models are listed.
            show_trainable: Whether a column says what is trained.
            layer_range: First and last layer name to list (regular expressions).
        """
        explanations.print_summary(
            self, line_length=line_length, positions=positions, print_fn=print_fn, expand_nested=expand_nested,
            show_trainable=show_trainable, layer_range=layer_range,
        )  # fmt: skip

    def plot(self, to_file: str = "model.png", **kwargs: Any) -> Any:
        """Draws the network into a file; see `plot_model`."""
        return explanations.plot_model(self, to_file=to_file, **kwargs)

    # ---- files

    def save(self, filepath: Any, overwrite: bool = True, zipped: bool | None = None, **kwargs: Any) -> None:
        """Writes the whole model to a `.keras` or `.h5` file (or a directory when `zipped=False`)."""
        files.save_model(self, filepath, overwrite=overwrite, zipped=zipped, **kwargs)

    def save_weights(
        self, filepath: Any, overwrite: bool = True, max_shard_size: float | None = None
    ) -> None:
        """Writes the weights to a `.weights.h5` file."""
        files.save_weights(self, filepath, overwrite=overwrite, max_shard_size=max_shard_size)

    def load_weights(self, filepath: Any, skip_mismatch: bool = False, **kwargs: Any) -> None:
        """Reads weights from a `.weights.h5`, `.keras` or `.h5` file into this model."""
        files.load_weights(self, filepath, skip_mismatch=skip_mismatch, **kwargs)

    def to_json(self, **kwargs: Any) -> str:
        """Returns the configuration as JSON; `model_from_json` makes an equal model of it."""
        return json.dumps(serialize_keras_object(self), **kwargs)

    def export(
        self, filepath: Any, format: str = "stablehlo", verbose: bool | None = None, **kwargs: Any
    ) -> None:
        """Writes the compiled inference function for use without Hornbill."""
        exports.export_model(self, filepath, format=format, verbose=verbose, **kwargs)

    def to_yaml(self, **kwargs: Any) -> str:
        """Refused: YAML can run code when read. Use `to_json`."""
        raise ArgumentError("to_yaml is gone: reading YAML can run code.", fixes="model.to_json()")

    def get_config(self) -> dict[str, Any]:
        """Returns name, trainable, dtype and the constructor's arguments, as plain data."""
        return super().get_config()

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Self:
        """Creates the model from its configuration."""
        if {"layers", "input_layers", "output_layers"} <= config.keys():
            functional: Any = FUNCTIONAL[0]
            return functional.from_config(config, custom_objects)
        base = ("name", "trainable", "dtype", "activity_regularizer")
        values = {k: deserialize_keras_object(v, custom_objects) for k, v in config.items()}
        try:
            return cls(**values)
        except TypeError:
            return cls(**{k: v for k, v in values.items() if k not in base})

    # ---- old spellings

    def reset_states(self) -> None:
        """Sets the states of stateful recurrent layers to zero."""
        for layer in self._flatten_layers(include_self=False):
            reset = getattr(layer, "reset_state", None) or getattr(layer, "reset_states", None)
            if reset is not None and getattr(layer, "stateful", False):
                reset()

    @property
    def state_updates(self) -> list[Any]:
        """An empty list (Keras 2 kept graph updates here)."""
        warn_once("state_updates", "model.state_updates is empty: layers update their state themselves.")
        return []


FUNCTIONAL: list[type[Model]] = []
"""Holds `Functional`, which is built on Model and enters itself here."""


def _no_graph(owner: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> ArgumentError:
    """Returns the error for `Model(...)` with something else than KerasTensors."""
    given = {**dict(zip(("inputs", "outputs"), args, strict=False)), **kwargs}
    parts = [f"{name}={_kind(value)}" for name, value in given.items()]
    why = "Both must be KerasTensors: what Input(...) and calls of layers give."
    if {"inputs", "outputs"} - given.keys():
        why = "A model needs its inputs and its outputs."
    return ArgumentError(
        f"{owner}(inputs, outputs) makes a model of the graph between Input(...) and the outputs of layers.",
        got=f"{', '.join(parts)}.",
        why=why,
        fixes="x = Input((28, 28, 1)); y = layer(x); model = Model(inputs=x, outputs=y)",
    )


def _kind(value: Any) -> str:
    leaves = leaves_of(value)
    if (len(leaves) == 1 and leaves[0] is value) or not leaves:
        return "a KerasTensor" if is_keras_tensor(value) else f"{type(value).__name__}"
    return "[" + ", ".join(_kind(leaf) for leaf in leaves[:4]) + "]"


def _shapes(structure: Any) -> Any:
    if isinstance(structure, KerasTensor):
        return structure.shape
    if isinstance(structure, dict):
        return {key: _shapes(item) for key, item in structure.items()}
    return [_shapes(item) for item in structure]


def _shapes_or_one(structure: Any) -> Any:
    leaves = leaves_of(structure)
    return leaves[0].shape if len(leaves) == 1 else _shapes(structure)


def _as_tuples(shape: Any) -> Any:
    if isinstance(shape, dict):
        return {key: _as_tuples(item) for key, item in shape.items()}
    if is_shape(shape):
        return tuple(shape)
    return [_as_tuples(item) for item in shape]
