"""Functional: a model made of the graph between some KerasTensors and others."""

from __future__ import annotations

import itertools
from typing import Any, Self

import jax
import jax.numpy as jnp

from hornbill.engine.axes import describe_shape
from hornbill.engine.compatibility import warn_once
from hornbill.engine.errors import ArgumentError, ShapeError, did_you_mean
from hornbill.engine.graph import Node, Operation, Program
from hornbill.engine.layer import Layer
from hornbill.engine.masking import set_mask
from hornbill.engine.op import convert_to_tensor
from hornbill.engine.serialization import add_public_object
from hornbill.engine.symbolic import KerasTensor, leaves_of
from hornbill.layers.input import Input
from hornbill.models.functional_config import functional_config, graph_from_config
from hornbill.models.model import FUNCTIONAL, Model

__all__ = ["Functional", "OtherSizes"]


class OtherSizes:
    """Lets a model run on sizes it was not made for, as Keras does, if all layers inside accept them.

    Args:
        name: The model's name.
        doubts: The errors that say how the inputs differ; the first is raised if a layer fails.
        quiet: Whether to say nothing where the layers accept the sizes.
    """

    def __init__(self, name: str, doubts: list[ShapeError], quiet: bool = False) -> None:
        self.name, self.doubts, self.quiet = name, doubts, quiet

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: BaseException | None, traceback: Any) -> None:
        if not self.doubts or (error is not None and not isinstance(error, Exception)):
            return
        first = self.doubts[0]
        if error is not None:
            raise first from None
        if not self.quiet:
            text = f"{first.asked} It got {first.got} All its layers accept that, so it runs."
            warn_once(f"sizes {self.name} {first.got}", text)


class Functional(Model):
    """A model made of the graph between `inputs` and `outputs`; made by `Model(inputs, outputs)`.

    Args:
        inputs: KerasTensor, or list or dict of them. A tensor in the middle of another model is allowed.
        outputs: KerasTensor, or nested structure of them.
        name: Name; automatic if None.
    """

    def __init__(self, inputs: Any, outputs: Any, name: str | None = None, **kwargs: Any) -> None:
        trainable = kwargs.pop("trainable", None)
        Model.__init__(self, name=name, **kwargs)
        for label, structure in (("inputs", inputs), ("outputs", outputs)):
            for leaf in leaves_of(structure):
                if not isinstance(leaf, KerasTensor):
                    raise ArgumentError(
                        f"Model(inputs, outputs): {label} must be made of Input(...) and layers called on it.",
                        got=f"a {type(leaf).__name__} among the {label}.",
                        fixes="inputs = Input((28, 28, 1)); outputs = layer(inputs); Model(inputs, outputs)",
                    )
        inputs = _with_input_layers(inputs)
        self._inputs_structure, self._outputs_structure = inputs, outputs
        self._program = self._program_with_losses = Program(leaves_of(inputs), leaves_of(outputs))
        self._loss_tensors: list[KerasTensor] = []
        self._layers = [operation for operation in self._program.operations if isinstance(operation, Layer)]
        self._check_names()
        self.built = True
        self._build_shapes = None
        if trainable is not None:
            self.trainable = trainable

    def _check_names(self) -> None:
        seen: dict[str, Layer] = {}
        for layer in self._layers:
            other = seen.setdefault(layer.name, layer)
            if other is not layer:
                raise ArgumentError(
                    f"Two layers of model {self.name!r} are named {layer.name!r}; names must differ.",
                    got=f"a {type(other).__name__} and a {type(layer).__name__}.",
                    fixes=f"Give one of them another name: {type(layer).__name__}(..., name='{layer.name}_2').",
                )

    def _sublayers(self) -> list[Any]:
        own = self.__dict__.get("_layers", [])
        known = {id(layer) for layer in own}
        return [*own, *(layer for layer in super()._sublayers() if id(layer) not in known)]

    @property
    def inputs(self) -> list[KerasTensor]:
        """The input KerasTensors as a flat list."""
        return leaves_of(self._inputs_structure)

    def _inner_graph(self) -> Functional | None:
        return self if "_program" in self.__dict__ else None

    @property
    def outputs(self) -> list[KerasTensor]:
        """The output KerasTensors as a flat list."""
        return leaves_of(self._outputs_structure)

    @property
    def input(self) -> Any:
        """The input KerasTensor, or structure of them."""
        return self._inputs_structure

    @property
    def output(self) -> Any:
        """The output KerasTensor, or structure of them."""
        return self._outputs_structure

    @property
    def input_names(self) -> list[str]:
        """The names of the inputs."""
        return [t._keras_history[0].name for t in self.inputs]  # type: ignore[index]

    @property
    def output_names(self) -> list[str]:
        """The names of the operations that give the outputs."""
        return [t._keras_history[0].name for t in self.outputs]  # type: ignore[index]

    @property
    def operations(self) -> list[Operation]:
        """All operations of the graph, in the order in which they run."""
        return self._program.operations

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Runs the graph.

        Args:
            inputs: In the structure of the model's inputs; a dict by input name and a list in order work too.
            training: Whether layers behave as in training.
            mask: Mask of the input, or list of them.
        """
        doubts: list[ShapeError] = []
        values = self._flat_inputs(inputs, doubts)
        masks = [None] * len(values) if mask is None else list(leaves_of(mask))
        for value, one in zip(values, masks, strict=False):
            if one is not None:
                set_mask(value, one)
        with OtherSizes(self.name, doubts):
            results = self._program_with_losses.run(values, self._call_node)
        count = len(self.outputs)
        for loss in results[count:]:
            super().add_loss(jnp.mean(loss))
        results = results[:count]
        if len(results) == 1 and isinstance(self._outputs_structure, (list, tuple)):
            return results[0]  # Model(inputs, outputs=[x]) gives the tensor itself, as in Keras
        treedef = jax.tree_util.tree_structure(self._outputs_structure, is_leaf=_is_tensor)
        return jax.tree_util.tree_unflatten(treedef, results)

    def add_loss(self, loss: Any, **kwargs: Any) -> None:
        """Adds a loss: a number while `call` runs, or a tensor of the graph, whose mean every call then adds."""
        losses = list(loss) if isinstance(loss, (list, tuple)) else [loss]
        tensors = [item for item in losses if isinstance(item, KerasTensor)]
        if tensors:
            self._loss_tensors = [*self._loss_tensors, *tensors]
            self._program_with_losses = Program(self.inputs, [*self.outputs, *self._loss_tensors])
            known = {id(layer) for layer in self._layers}
            self._layers += [
                operation
                for operation in self._program_with_losses.operations
                if isinstance(operation, Layer) and id(operation) not in known
            ]
            self._compiled_changed()
        super().add_loss([item for item in losses if not isinstance(item, KerasTensor)], **kwargs)

    @staticmethod
    def _call_node(node: Node, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return node.operation(*args, **kwargs)

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """Returns None: the masks of the outputs are set by the layers that make them."""
        return None

    def _flat_inputs(self, inputs: Any, doubts: list[ShapeError]) -> list[Any]:
        """Returns the values in the order of `inputs`, with a missing or extra axis of size 1 mended."""
        structure, tensors = self._inputs_structure, self.inputs
        if isinstance(inputs, dict):
            names = sorted(structure) if isinstance(structure, dict) else self.input_names
            missing = [name for name in names if name not in inputs]
            if missing:
                hint = did_you_mean(missing[0], inputs)
                raise ArgumentError(
                    f"Model {self.name!r} wants the inputs {', '.join(names)}.",
                    got=f"a dict with {', '.join(map(str, inputs))}; {', '.join(missing)} is missing.",
                    fixes=hint.replace("Did you mean", f"For {missing[0]!r}: did you mean").strip()
                    or "{" + ", ".join(f"{name!r}: ..." for name in names) + "}",
                )
            values = [inputs[name] for name in names]
        else:
            values = leaves_of(inputs)
        if len(values) != len(tensors):
            names = self.input_names
            count = "1 array" if len(values) == 1 else f"{len(values)} arrays"
            raise ArgumentError(
                f"Model {self.name!r} has {len(tensors)} input{'s' * (len(tensors) > 1)}: {', '.join(names)}.",
                got=f"{count}: {'; '.join(str(getattr(value, 'shape', value)) for value in values)}.",
                fixes=(
                    f"A list in this order: [{', '.join(names)}].",
                    "Or a dict: {" + ", ".join(f"{name!r}: ..." for name in names) + "}.",
                ),
            )
        return [self._fit_input(value, tensor, doubts) for value, tensor in zip(values, tensors, strict=True)]

    def _fit_input(self, value: Any, tensor: KerasTensor, doubts: list[ShapeError]) -> Any:
        """Returns a value as the model takes it; sizes other than the input's go to `doubts`."""
        if value is None or (isinstance(value, KerasTensor) and value.shape == tensor.shape):
            return value
        x = convert_to_tensor(value)
        if (
            not isinstance(x, KerasTensor)
            and x.dtype != tensor.dtype
            and not jnp.issubdtype(x.dtype, jnp.floating)
        ):
            x = convert_to_tensor(x, tensor.dtype)
        shape, wanted = tuple(x.shape), tensor.shape
        if len(shape) == len(wanted) + 1 and shape[-1] == 1:
            x = x[..., 0]
        elif len(shape) == len(wanted) - 1 and wanted[-1] == 1:
            x = x[..., None]
        shape = tuple(x.shape)
        if len(shape) != len(wanted):
            raise self._wrong_shape(tensor, tuple(value.shape))
        if any(w is not None and s is not None and s != w for s, w in zip(shape, wanted, strict=True)):
            doubts.append(self._wrong_shape(tensor, tuple(value.shape)))
        return x

    def _wrong_shape(self, tensor: KerasTensor, shape: tuple[int | None, ...]) -> ShapeError:
        wanted = tensor.shape
        name = tensor._keras_history[0].name if tensor._keras_history else tensor.name
        return ShapeError(
            f"Model {self.name!r} wants its input {name!r} as {describe_shape(wanted)}.",
            got=f"{describe_shape(shape) if len(shape) == len(wanted) else shape}.",
            fixes=_shape_fixes(wanted, shape),
        )

    def get_config(self) -> dict[str, Any]:
        """Returns the layers with their connections, in Keras' form."""
        own_class = type(self)
        written = next(c for c in own_class.__mro__ if "__init__" in c.__dict__)
        if written is not Functional and written is not Model:
            return Layer.get_config(self)
        return functional_config(self)

    def get_build_config(self) -> dict[str, Any] | None:
        """Returns Keras' form of the build configuration of a graph: nothing is left to build."""
        return {"input_shape": None}

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Does nothing: a graph is built when it is made."""

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Self:
        """Creates the model from its configuration."""
        if "layers" not in config:
            return super().from_config(config, custom_objects)
        inputs, outputs = graph_from_config(config, custom_objects)
        kwargs = {"trainable": config["trainable"]} if not config.get("trainable", True) else {}
        return cls(inputs=inputs, outputs=outputs, name=config.get("name"), **kwargs)


FUNCTIONAL.append(Functional)
add_public_object("keras.src.models.functional", "Functional", Functional)


def _shape_fixes(wanted: tuple[int | None, ...], shape: tuple[int | None, ...]) -> list[str]:
    """Returns what to do with data of another shape than a model's input."""
    channels = wanted[-1]
    picture = len(wanted) == 4 and channels in (1, 3, 4)
    if len(shape) == len(wanted) - 1:
        if _same_sizes(shape, wanted[1:]):
            return ["One sample without a batch axis: x[None] makes it a batch of one."]
        if picture and channels != 1 and _same_sizes(shape, wanted[:-1]):
            return [
                f"Grey images for a model of {channels} channels: numpy.repeat(x[..., None], {channels}, axis=-1).",
                f"Or build the model with Input({(*wanted[1:-1], 1)}) and give it x[..., None].",
            ]
        return ["An axis is missing: x[..., None] adds one of size 1 at the end.", _rebuild(wanted, shape)]
    if len(shape) != len(wanted):
        return [_rebuild(wanted, shape)]
    for axes in itertools.permutations(range(1, len(shape))):
        if _same_sizes([shape[axis] for axis in axes], wanted[1:]):
            first = shape[1] == channels and len(wanted) > 3
            what = "The data looks channels_first" if first else "The axes come in another order"
            return [f"{what}: numpy.transpose(x, {(0, *axes)}) puts them right."]
    if picture and shape[-1] != channels and _same_sizes(shape[:-1], wanted[:-1]):
        change = (
            "x.mean(axis=-1, keepdims=True)"
            if channels == 1
            else f"numpy.repeat(x[..., :1], {channels}, axis=-1)"
        )
        if (channels, shape[-1]) == (3, 4):
            change = "x[..., :3]"
        return [
            f"Images of {shape[-1]} channels for a model of {channels}: {change}.",
            _rebuild(wanted, shape),
        ]
    if picture and shape[-1] == channels and None not in wanted[1:]:
        return [
            f"Resize the images: keras.ops.image.resize(x, {tuple(wanted[1:3])}).",
            _rebuild(wanted, shape),
        ]
    return [_rebuild(wanted, shape)]


def _same_sizes(shape: Any, wanted: Any) -> bool:
    return len(shape) == len(wanted) and all(w is None or s == w for s, w in zip(shape, wanted, strict=True))


def _rebuild(wanted: tuple[int | None, ...], shape: tuple[int | None, ...]) -> str:
    return f"Build the model with Input({tuple(shape[1:])}), or bring the data to {tuple(wanted[1:])} per sample."


def _is_tensor(x: Any) -> bool:
    return isinstance(x, KerasTensor)


def _with_input_layers(inputs: Any) -> Any:
    """Gives a bare KerasTensor among the inputs an input layer; tensors made by layers stay (cut-outs)."""

    def prepare(tensor: KerasTensor) -> KerasTensor:
        if tensor._keras_history is None:
            return Input(tensor=tensor)
        return tensor

    return jax.tree_util.tree_map(prepare, inputs, is_leaf=_is_tensor)
