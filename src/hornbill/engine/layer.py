"""Layer: `__init__` stores arguments, `build` makes weights, `call` is the mathematics. The rest is derived here.

Configuration comes from the constructor's signature, static shapes and explanations from tracing `call`, the count of
parameters from the named axes of the weights. A call converts and casts its inputs, builds the layer at its first use,
passes masks and the training flag on, and collects losses.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar, Self

import jax
import jax.numpy as jnp
import numpy as np

from hornbill.engine.axes import axis_names
from hornbill.engine.blame import raise_blamed
from hornbill.engine.config import check_unknown
from hornbill.engine.context import autocast_scope, context
from hornbill.engine.dtype import DTypePolicy, DTypePolicyMap, get_policy
from hornbill.engine.errors import (
    ArgumentError,
    ArgumentTypeError,
    NotBuiltError,
    NotWrittenError,
    StateError,
)
from hornbill.engine.graph import Node, Operation, make_outputs
from hornbill.engine.input_spec import InputSpec, check_input, check_one_tensor
from hornbill.engine.layer_weights import LayerWeights
from hornbill.engine.lazy import lazy_module
from hornbill.engine.masking import get_mask, set_mask
from hornbill.engine.naming import current_path, name_scope
from hornbill.engine.op import convert_to_tensor, to_record
from hornbill.engine.random import global_seed_generator
from hornbill.engine.record import Record
from hornbill.engine.serialization import serialize_keras_object
from hornbill.engine.shapes import (
    shape_as_list,
    shape_from_list,
    shapes_of,
    specs_from_shapes,
    tensors_from_shapes,
)
from hornbill.engine.symbolic import KerasTensor, Spec, any_symbolic, infer_spec, leaves_of, map_leaves
from hornbill.engine.trail import with_trail
from hornbill.engine.undo import unbuilt_on_error
from hornbill.engine.variable import Structure, Variable, functional_call, standardize_shape

__all__ = ["Layer"]

explanations = lazy_module("hornbill.explain")


@functools.cache
def _call_signature(call: Callable[..., Any]) -> inspect.Signature:
    """Returns the signature of a method without the layer itself, whatever its first parameter is called."""
    signature = inspect.signature(call)
    parameters = list(signature.parameters.values())
    own = 1 if parameters and parameters[0].kind <= inspect.Parameter.POSITIONAL_OR_KEYWORD else 0
    return signature.replace(parameters=parameters[own:])


class Layer(LayerWeights, Operation):
    """A function with weights.

    Args:
        activity_regularizer: Regulariser of the output.
        trainable: Whether training changes the weights.
        dtype: Dtype or policy; None means the global policy.
        autocast: Whether float inputs and variables are cast to the compute dtype.
        name: Name; automatic if None.

    Example:
        >>> class Scale(Layer):
        ...     def build(self, input_shape):
        ...         self.factor = self.add_weight((input_shape[-1],), "ones", name="factor", axes=("features",))
        ...     def call(self, inputs):
        ...         return inputs * self.factor
    """

    tracked_kind: ClassVar[str] = "layer"
    config_excluded: ClassVar[tuple[str, ...]] = (
        "input_shape", "input_dim", "batch_input_shape", "batch_shape", "batch_size", "weights", "input_dtype",
        "input_length",
        "activity_regularizer", "autocast", "name", "trainable", "dtype",
    )  # fmt: skip

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """Makes room for what a layer keeps, before a subclass' constructor runs."""
        instance = super().__new__(cls, *args, **kwargs)
        instance.__dict__.update(
            _own_variables=[],
            _losses=[],
            _touched=[],
            _trainable=True,
            _build_shapes=None,
            built=False,
            _building=0,
        )
        return instance

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "build" in cls.__dict__:
            cls.build = _wrapped_build(cls.__dict__["build"])  # type: ignore[method-assign]

    def __init__(
        self,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        Operation.__init__(self, name=name)
        self._set_dtype_policy(dtype if dtype is not None else kwargs.pop("input_dtype", None))
        self.autocast, self._trainable = autocast, bool(trainable)
        self.activity_regularizer = self._resolve_regularizer(activity_regularizer)
        self.supports_masking, self.input_spec = False, None
        self._losses, self._path = [], "/".join(part for part in (current_path(), self.name) if part)
        self._given_batch_shape = _batch_shape_from(kwargs)
        self._initial_weights = kwargs.pop("weights", None)
        kwargs.pop("implementation", None)
        check_unknown(type(self).__name__, kwargs, type(self), ("name", "dtype", "trainable"))

    # ---- names, dtypes, configuration

    @property
    def path(self) -> str:
        """The name with the scopes of the layers it was made in."""
        return self._path

    @property
    def dtype_policy(self) -> DTypePolicy:
        """The dtype policy."""
        return self._dtype_policy

    @dtype_policy.setter
    def dtype_policy(self, value: Any) -> None:
        self._set_dtype_policy(value)

    def _set_dtype_policy(self, value: Any) -> None:
        policy = get_policy(value)
        self._dtype_policy = policy[self.name] if isinstance(policy, DTypePolicyMap) else policy

    @property
    def dtype(self) -> str:
        """The dtype of the variables (Keras' alias of `variable_dtype`)."""
        return self.variable_dtype

    @property
    def variable_dtype(self) -> str:
        """The dtype of the variables."""
        return self._dtype_policy.variable_dtype

    @property
    def compute_dtype(self) -> str:
        """The dtype of the arithmetic."""
        return self._dtype_policy.compute_dtype

    @property
    def input_dtype(self) -> str:
        """The dtype to which float inputs are cast."""
        return self.compute_dtype

    @property
    def quantization_mode(self) -> str | None:
        """The mode in which the weights are quantised, or None."""
        return self._dtype_policy.quantization_mode

    def get_config(self) -> dict[str, Any]:
        """Returns name, trainable, dtype and the constructor's arguments, as plain data."""
        base = {"name": self.name, "trainable": self.trainable, "dtype": self._dtype_policy.serialized()}
        own = super().get_config()
        regularizer = self.activity_regularizer
        if "activity_regularizer" not in own and regularizer is not None:
            own["activity_regularizer"] = serialize_keras_object(regularizer)
        return {**base, **{key: value for key, value in own.items() if key not in base}}

    def get_build_config(self) -> dict[str, Any] | None:
        """Returns the shapes that the layer was built for, or None."""
        shapes = self._build_shapes
        if shapes is None:
            return None
        found = {name: shape_as_list(shape) for name, shape in shapes.items()}
        return found if list(found) == ["input_shape"] else {"shapes_dict": found}

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Builds the layer for shapes from `get_build_config`."""
        shapes = config.get("shapes_dict") or config
        values = {key: shape_from_list(value) for key, value in shapes.items()}
        if not self.built and values and not any(value is None for value in values.values()):
            if list(values) == ["input_shape"]:
                self.build(values["input_shape"])
            else:
                self.build(**values)

    # ---- calling

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Computes the output; written by subclasses."""
        raise NotWrittenError(
            f"{type(self).__name__} {self.name!r} has no call method.", why="It says what the layer computes.",
            fixes="def call(self, inputs): return ...",
        )  # fmt: skip

    def _check_set_up(self) -> None:
        if "_dtype_policy" not in self.__dict__:
            raise StateError(
                f"{type(self).__name__} was not set up before it was used.",
                why="Its __init__ does not call super().__init__().",
                fixes="Make super().__init__(**kwargs) the first line of __init__.",
            )

    @with_trail
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Calls the layer: builds it if needed, casts inputs, passes masks and the training flag on."""
        self._check_set_up()
        current = context()
        args = tuple(self._convert(arg, first=i == 0) for i, arg in enumerate(args))
        kwargs = {key: self._convert(value, first=False) for key, value in kwargs.items()}
        signature = _call_signature(type(self).call)
        arguments = self._bound_arguments(signature, args, kwargs)
        self._check_input_spec(arguments)
        self._build_for(arguments)
        parameters = signature.parameters
        outer_training = current.training
        training = self._training_flag(parameters, kwargs, arguments, outer_training)
        if "training" in kwargs and "training" not in parameters and not _takes_any(parameters):
            del kwargs["training"]
        if current.depth == 0:
            for layer in self._touched:
                layer._losses.clear()
            current.touched = []
        current.training, current.depth = training, current.depth + 1
        try:
            if any_symbolic((args, kwargs)):
                return self.symbolic_call(*args, **kwargs)  # the graph keeps what the user gave, no defaults
            self._fill_masks(parameters, arguments, args, kwargs)
            if "training" in parameters and "training" not in arguments and training is not None:
                kwargs["training"] = training
            return self._run(*args, **kwargs)
        finally:
            current.training, current.depth = outer_training, current.depth - 1
            if current.depth == 0:
                self._touched = current.touched

    def _run(self, *args: Any, **kwargs: Any) -> Any:
        """Runs `call` on arrays with the layer's dtype, recorder, losses and masks."""
        current = context()
        recorder = current.recorder
        record = None
        if recorder is not None:
            arguments = self._bound_arguments(_call_signature(type(self).call), args, kwargs)
            record = Record("layer", self.name, self, None, to_record(arguments))
            recorder.children.append(record)
            current.recorder = record
            if current.marker is not None:
                args, kwargs = current.marker(record, "in", (args, kwargs))
        try:
            with autocast_scope(self.compute_dtype if self.autocast else None), name_scope(self.name):
                outputs = self.call(*args, **kwargs)
        except Exception as error:  # noqa: BLE001  it is raised again, with the layer's name
            raise_blamed(error, f"{type(self).__name__} {self.name!r}", self._given(args, kwargs))
        finally:
            current.recorder = recorder
        if record is not None:
            record.output = to_record(outputs)
            outputs = outputs if current.marker is None else current.marker(record, "out", outputs)
        if self.activity_regularizer is not None:
            for leaf in leaves_of(outputs):
                if isinstance(leaf, jax.Array):
                    self.add_loss(self.activity_regularizer(leaf) / max(leaf.shape[0] if leaf.ndim else 1, 1))
        self._set_output_masks(args, kwargs, outputs)
        return outputs

    def symbolic_call(self, *args: Any, **kwargs: Any) -> Any:
        """Finds the output shapes by tracing `call` and records the call in the graph."""
        specs, record = self._infer(args, kwargs)
        outputs = make_outputs(specs)
        if outputs is None:
            raise ArgumentTypeError(f"{type(self).__name__} {self.name!r}: call returned nothing.", got="None.",
                                    fixes="return outputs, at the end of call")  # fmt: skip
        Node(self, args, kwargs, outputs, record)
        self._set_output_masks(args, kwargs, outputs)
        return outputs

    def _infer(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Record]:
        written = type(self).compute_output_shape is not Layer.compute_output_shape
        if not written:
            return infer_spec(self._run, args, kwargs)
        try:
            specs, record = infer_spec(self._run, args, kwargs)
        except Exception:  # noqa: BLE001  the user's own compute_output_shape says what tracing could not
            specs, record = None, Record.root()
        shape = self.compute_output_shape(*(shapes_of(arg) for arg in args[:1]))
        dtypes = iter([leaf.dtype for leaf in leaves_of(specs) if isinstance(leaf, Spec)])
        return specs_from_shapes(shape, dtypes, self.compute_dtype), record

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Returns KerasTensors with the shapes and dtypes that a call gives, without recording the call."""
        self._build_for(self._bound_arguments(_call_signature(type(self).call), args, kwargs))
        return make_outputs(self._infer(args, kwargs)[0])

    def compute_output_shape(self, *args: Any, **kwargs: Any) -> Any:
        """Returns the output shape for an input shape; the layer stays unbuilt if it was."""
        layer = self
        if not self.built:
            layer = type(self).from_config(self.get_config())
        tensors = [tensors_from_shapes(arg, self.compute_dtype) for arg in args]
        named = {
            key.removesuffix("_shape"): tensors_from_shapes(value, self.compute_dtype)
            for key, value in kwargs.items()
        }
        if "input" in named:
            tensors.insert(0, named.pop("input"))
        return map_leaves(
            lambda t: t.shape if isinstance(t, KerasTensor) else t,
            layer.compute_output_spec(*tensors, **named),
        )

    def _convert(self, value: Any, first: bool) -> Any:
        """Returns an argument with arrays as JAX arrays, floats cast to the compute dtype."""
        if isinstance(value, (jax.Array, KerasTensor, np.ndarray, Variable)):
            return self._cast(value)
        if first and isinstance(value, (bool, int, float)):
            return self._cast(value)
        if isinstance(value, dict):
            return {key: self._convert(item, first) for key, item in value.items()}
        if type(value) in (list, tuple):
            if first and value and isinstance(value, list) and _all_numbers(value):
                return self._cast(np.asarray(value))
            return type(value)(self._convert(item, first) for item in value)
        if first and hasattr(value, "__array__") and hasattr(value, "dtype"):
            return self._cast(np.asarray(value))
        return value

    def _cast(self, value: Any) -> Any:
        mask = get_mask(value)
        x = convert_to_tensor(value)
        if self.autocast and jnp.issubdtype(x.dtype, jnp.floating) and x.dtype != self.compute_dtype:
            x = convert_to_tensor(x, self.compute_dtype)
            if mask is not None:
                set_mask(x, mask)
        return x

    def _bound_arguments(self, signature: inspect.Signature, args: Any, kwargs: Any) -> dict[str, Any]:
        try:
            return signature.bind(*args, **kwargs).arguments | {}
        except TypeError as error:
            if "training" in kwargs and "training" not in signature.parameters:
                return self._bound_arguments(
                    signature, args, {k: v for k, v in kwargs.items() if k != "training"}
                )
            wanted = ", ".join(str(p.replace(annotation=p.empty)) for p in signature.parameters.values())
            raise ArgumentTypeError(
                f"{type(self).__name__} {self.name!r} is called as {self.name}({wanted}).", why=f"{error}.",
                fixes=f"{self.name}(x), with x = Input(...) or an array.",
            ) from None  # fmt: skip

    def _given(self, args: Any, kwargs: dict[str, Any]) -> dict[str, Any]:
        """Returns the arguments of a call that are worth a line in an error."""
        arguments = self._bound_arguments(_call_signature(type(self).call), args, kwargs)
        return {k: v for k, v in arguments.items() if k != "training" and v is not None}

    def _check_input_spec(self, arguments: dict[str, Any]) -> None:
        if self.input_spec is None:
            return
        inputs = next(iter(arguments.values()), None)
        specs: Any = self.input_spec
        if isinstance(specs, InputSpec):
            pairs: Iterable[Any] = [(specs, check_one_tensor(self, inputs))]
        elif isinstance(specs, dict) and isinstance(inputs, dict):
            pairs = [(specs[key], inputs.get(key)) for key in specs]
        else:
            tensors = inputs if isinstance(inputs, (list, tuple)) else [inputs]
            if len(tensors) != len(specs):
                raise ArgumentError(
                    f"{type(self).__name__} {self.name!r} wants {len(specs)} inputs.", got=f"{len(tensors)}."
                )
            pairs = zip(specs, tensors, strict=True)
        for spec, tensor in pairs:
            if spec is not None and hasattr(tensor, "shape"):
                check_input(self, spec, tuple(tensor.shape))

    def _fill_masks(
        self, parameters: Any, arguments: dict[str, Any], args: Any, kwargs: dict[str, Any]
    ) -> None:
        """Passes each tensor's mask on to a `mask` or `<name>_mask` parameter that was not given."""
        names = list(parameters)
        for position, name in enumerate(names):
            target = "mask" if position == 0 else f"{name}_mask"
            if position == 0 and "mask" not in parameters:
                target = f"{name}_mask"
            if target in parameters and arguments.get(target) is None and name in arguments:
                value = arguments[name]
                masks = map_leaves(lambda t: get_mask(t) if t is not None else None, value)
                if any(m is not None for m in leaves_of(masks)) and names.index(target) >= len(args):
                    kwargs[target] = masks

    def _training_flag(self, parameters: Any, kwargs: Any, arguments: Any, outer: bool | None) -> bool | None:
        given = arguments.get("training", kwargs.get("training"))
        if given is None:
            given = outer
        if given is None and "training" in parameters:
            default = parameters["training"].default
            given = default if default is not inspect.Parameter.empty else None
        return given

    def _set_output_masks(self, args: Any, kwargs: Any, outputs: Any) -> None:
        given = args[0] if args else next(iter(kwargs.values()), None)
        leaves = [leaf for leaf in leaves_of(given) if leaf is not None]
        masks = [get_mask(leaf) for leaf in leaves if isinstance(leaf, (jax.Array, KerasTensor))]
        overridden = type(self).compute_mask is not Layer.compute_mask
        if not overridden and all(mask is None for mask in masks):
            return
        if not self.supports_masking and not overridden:
            return
        previous = map_leaves(lambda t: get_mask(t) if t is not None else None, given)
        computed = self.compute_mask(given, previous)
        if computed is None:
            return
        targets = [leaf for leaf in leaves_of(outputs) if isinstance(leaf, (jax.Array, KerasTensor))]
        found = leaves_of(computed)
        for target, mask in zip(targets, found if len(found) == len(targets) else found[:1], strict=False):
            if get_mask(target) is None and mask is not None:
                set_mask(target, mask)

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """Returns the mask of the output; here that of the input, when the layer supports masking."""
        return previous_mask

    def explain(self, *args: Any, **kwargs: Any) -> Any:
        """Explains every size and count of the layer; see `hornbill.explain.explain`.

        Args:
            *args: `layer`, for a model: the name of one of its layers.
            **kwargs: `axis`, `level`, `language`, `width`, `to`, `input_shape`, `change`, `examples`.
        """
        return explanations.explain(self, *args, **kwargs)

    def input_axes(self, ndim: int) -> tuple[str, ...]:
        """Returns the names of the axes of an input with `ndim` axes, as explanations and errors call them."""
        return axis_names(ndim, getattr(self, "data_format", None))

    # ---- building

    def build(self, *args: Any, **kwargs: Any) -> None:
        """Makes the weights for an input shape; written by subclasses that have weights."""
        shape = args[0] if args else next(iter(kwargs.values()), None)
        if (
            shape is not None
            and self._sublayers()
            and type(self).call is not Layer.call
            and not self._building
        ):
            with name_scope(self.name):
                infer_spec(self.call, (tensors_from_shapes(shape, self.compute_dtype),), {})
        self.built = True

    def _build_for(self, arguments: dict[str, Any]) -> None:
        if self.built:
            return
        tensors = {k: v for k, v in arguments.items() if k not in ("training", "mask")}
        shapes = {f"{name}_shape": shapes_of(value) for name, value in tensors.items()}
        parameters = inspect.signature(self.build).parameters
        named = {name: shape for name, shape in shapes.items() if name in parameters}
        needed = [n for n, p in parameters.items() if p.default is p.empty and p.kind < p.VAR_POSITIONAL]
        if [n for n in needed if n not in named] if named else len(needed) > 1:
            raise _wrong_build(self, [n for n in needed if n not in named], tensors)
        self._building += 1
        try:
            if named:
                self.build(**named)
            else:
                self.build(*([next(iter(shapes.values()), None)] if parameters else []))
        except Exception as error:  # noqa: BLE001  it is raised again, with the layer's name
            raise_blamed(error, f"{type(self).__name__} {self.name!r}", tensors)
        finally:
            self._building -= 1
        self.built = True

    def _after_build(self, shapes: dict[str, Any]) -> None:
        """Notes the shapes the layer was built for and sets weights that were given to the constructor."""
        self.built = True
        self._build_shapes = {
            k: v for k, v in shapes.items() if k.endswith("shape") or k == "input_shape"
        } or None
        weights, self._initial_weights = self.__dict__.get("_initial_weights"), None
        if weights is not None:
            self.set_weights(weights)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.__dict__.get('name')}, built={self.__dict__.get('built')}>"

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, Variable) and all(value is not v for v in self._own_variables):
            self._own_variables.append(value)
        if isinstance(value, (list, tuple, dict)) or getattr(type(value), "tracked_kind", None) is not None:
            Structure.version += 1
        object.__setattr__(self, name, value)

    # ---- pure calls

    def stateless_call(
        self,
        trainable_variables: Sequence[Any],
        non_trainable_variables: Sequence[Any],
        *args: Any,
        return_losses: bool = False,
        **kwargs: Any,
    ) -> Any:
        """Calls the layer on given values of its variables and returns the new ones: a pure function.

        Returns:
            `(outputs, non_trainable_variables)`, and the losses as a third when `return_losses`.
        """
        if not self.built:
            raise NotBuiltError(
                f"{type(self).__name__} {self.name!r} has no weights yet.",
                fixes="Call it once on data, or build(shape).",
            )
        trainable, frozen = self.trainable_variables, self.non_trainable_variables
        if len(non_trainable_variables) == len(frozen) + 1:
            frozen = [*frozen, global_seed_generator().state]  # a training step's state carries it too

        def run() -> Any:
            outputs = self(*args, **kwargs)
            losses = list(self.losses) if return_losses else None
            self._clear_losses()
            return outputs, losses

        values = [*trainable_variables, *non_trainable_variables]
        (outputs, losses), new = functional_call([*trainable, *frozen], values, run)
        rest = new[len(trainable) :]
        return (outputs, rest, losses) if return_losses else (outputs, rest)


def _wrapped_build(build: Callable[..., Any]) -> Callable[..., Any]:
    """Returns `build` inside the layer's name scope; the outermost one notes the shapes."""

    @functools.wraps(build)
    def wrapped(self: Layer, *args: Any, **kwargs: Any) -> None:
        if self.__dict__.get("_inside_build"):
            build(self, *args, **kwargs)
            return
        self.__dict__["_inside_build"] = True
        try:
            with unbuilt_on_error(self), name_scope(self.name), autocast_scope(None):
                converted = tuple(shape_from_list(arg) for arg in args)
                build(self, *converted, **kwargs)
            self._after_build(dict(_call_signature(build).bind(*converted, **kwargs).arguments))
        finally:
            self.__dict__["_inside_build"] = False

    return wrapped


def _wrong_build(layer: Layer, asked: Iterable[str], given: Iterable[str]) -> ArgumentError:
    return ArgumentError(
        f"{type(layer).__name__}.build asks for {', '.join(asked)}, which call does not give.",
        got=f"call with {', '.join(given)}.",
        fixes="Name build's parameters after call's: call(self, query) -> build(self, query_shape).",
    )


def _takes_any(parameters: Any) -> bool:
    return any(p.kind is p.VAR_KEYWORD for p in parameters.values())


def _all_numbers(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return bool(value) and all(_all_numbers(item) for item in value)
    return isinstance(value, (bool, int, float, np.generic))


def _batch_shape_from(kwargs: dict[str, Any]) -> tuple[int | None, ...] | None:
    """Takes the old ways to give an input shape out of the arguments and returns it with the batch axis."""
    batch_shape = kwargs.pop("batch_input_shape", None) or kwargs.pop("batch_shape", None)
    batch_size = kwargs.pop("batch_size", None)
    shape, dim = kwargs.pop("input_shape", None), kwargs.pop("input_dim", None)
    length = kwargs.pop("input_length", None)
    if batch_shape is not None:
        return standardize_shape(batch_shape)
    if shape is None and dim is not None:
        shape = (dim,) if length is None else (length, dim)
    if shape is None:
        return None
    return (batch_size, *standardize_shape(shape))
