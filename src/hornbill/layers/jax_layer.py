"""Layers around code of other kinds: JaxLayer and FlaxLayer; TFSMLayer and TorchModuleWrapper say why they do not work.

JaxLayer makes a pure JAX function a layer: its parameters become variables, which are saved, trained and counted.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from hornbill.engine.dtype import is_float_dtype
from hornbill.engine.errors import ArgumentError, StateError, did_you_mean
from hornbill.engine.layer import Layer
from hornbill.engine.op import Tensor
from hornbill.engine.random import SeedGenerator, jax_key
from hornbill.engine.registry import register_public
from hornbill.engine.serialization import serialize_keras_object
from hornbill.engine.variable import Variable

__all__ = ["FlaxLayer", "JaxLayer", "TFSMLayer", "TorchModuleWrapper"]


class JaxLayer(Layer):
    """Makes a JAX function a layer.

    Args:
        call_fn: The function; its parameters are named `params`, `state` (optional), `rng` (optional), `inputs` and
            `training` (optional). It returns the outputs, or `(outputs, state)` when it takes a state.
        init_fn: Makes the parameters from `rng`, `inputs` and optionally `training`; returns `params`, or
            `(params, state)` when `call_fn` takes a state. Not needed when `params` is given.
        params: Nested arrays of parameters; trained.
        state: Nested arrays of state; not trained.
        seed: Seed of `rng`.
        native_serialization_platforms: Kept for Keras' sake; it concerns TensorFlow only.

    Shapes:
        inputs: any
        outputs: any; what `call_fn` returns

    Example:
        >>> def apply(params, inputs):
        ...     return inputs @ params["kernel"]
        >>> def init(rng, inputs):
        ...     return {"kernel": jax.random.normal(rng, (inputs.shape[-1], 3))}
        >>> JaxLayer(apply, init)(np.ones((2, 4), "float32")).shape
        (2, 3)
    """

    _call_names: ClassVar[tuple[str, ...]] = ("params", "state", "rng", "inputs", "training")
    _init_names: ClassVar[tuple[str, ...]] = ("rng", "inputs", "training")

    def __init__(
        self,
        call_fn: Callable[..., Any],
        init_fn: Callable[..., Any] | None = None,
        params: Any = None,
        state: Any = None,
        seed: int | None = None,
        native_serialization_platforms: Any = None,
        **kwargs: Any,
    ) -> None:
        self._call_arguments = _named_arguments("call_fn", call_fn, self._call_names, ("params", "inputs"))
        self._init_arguments = (
            ()
            if init_fn is None
            else _named_arguments("init_fn", init_fn, self._init_names, ("rng", "inputs"))
        )
        if init_fn is None and params is None and state is None:
            raise ArgumentError(
                "JaxLayer needs the parameters, or a function that makes them.",
                got="init_fn=None, params=None.",
                fixes=("JaxLayer(call_fn, init_fn)", "JaxLayer(call_fn, params={...})"),
            )
        super().__init__(**kwargs)
        self.call_fn, self.init_fn = call_fn, init_fn
        self.seed, self.native_serialization_platforms = seed, native_serialization_platforms
        self.seed_generator = SeedGenerator(seed=seed)
        self.params, self.state = None, None
        self._leaves: dict[str, list[Variable]] = {"params": [], "state": []}
        self._trees: dict[str, Any] = {}
        if params is not None or state is not None:
            with_state = "state" in self._call_arguments
            if with_state and state is None:
                raise ArgumentError(
                    "JaxLayer: call_fn takes a state, so its first value is needed too.",
                    got="params given, state=None.",
                    fixes="JaxLayer(call_fn, params=params, state=state)",
                )
            self._keep(params, state)
            self.built = True

    def get_config(self) -> dict[str, Any]:
        """Returns the functions as objects to be registered, and the base configuration."""
        base = {"name": self.name, "trainable": self.trainable, "dtype": self.dtype_policy.serialized()}
        return {
            **base,
            "call_fn": serialize_keras_object(self.call_fn),
            "init_fn": serialize_keras_object(self.init_fn),
        }

    def _keep(self, params: Any, state: Any) -> None:
        self.params = self._as_variables("params", params, trainable=True)
        self.state = self._as_variables("state", state, trainable=False)

    def _as_variables(self, kind: str, structure: Any, trainable: bool) -> Any:
        """Returns the structure with each array as a variable, named after its place."""
        if structure is None:
            return None
        leaves, treedef = jax.tree_util.tree_flatten_with_path(structure)
        for path, leaf in leaves:
            name = "_".join(
                str(getattr(key, "key", getattr(key, "idx", getattr(key, "name", key)))) for key in path
            )
            host = np.asarray(leaf)
            variable = self.add_weight(
                host.shape, lambda _, dtype, host=host: host.astype(dtype), dtype=host.dtype,
                trainable=trainable and is_float_dtype(host.dtype), name=(name or kind).replace("/", "_"),
            )  # fmt: skip
            self._leaves[kind].append(variable)
        self._trees[kind] = treedef
        return jax.tree_util.tree_unflatten(treedef, self._leaves[kind])

    def build(self, input_shape: Any) -> None:
        """Makes the parameters with `init_fn`, on inputs of ones in which unknown sizes are 1."""
        if self.params is not None or self.state is not None:
            return
        is_shape = isinstance(input_shape, tuple) and all(
            n is None or isinstance(n, int) for n in input_shape
        )
        inputs = _ones(input_shape, self.compute_dtype) if is_shape else jax.tree.map(
            lambda shape: _ones(shape, self.compute_dtype), input_shape, is_leaf=lambda s: isinstance(s, tuple)
        )  # fmt: skip
        given = {"rng": jax_key(self.seed_generator), "inputs": inputs, "training": True}
        with jax.ensure_compile_time_eval():
            made = self.init_fn(**{name: given[name] for name in self._init_arguments})  # type: ignore[misc]
        if "state" in self._call_arguments:
            if not isinstance(made, tuple) or len(made) != 2:
                raise ArgumentError(
                    "JaxLayer: call_fn takes a state, so init_fn returns (params, state).",
                    got=f"{type(made).__name__}.",
                )
            self._keep(*made)
        else:
            self._keep(made, None)

    def call(self, inputs: Tensor, training: bool | None = False) -> Any:
        """Runs the function on the current values of the variables."""
        given = {
            "params": self._values("params"),
            "state": self._values("state"),
            "inputs": inputs,
            "training": bool(training),
        }
        if "rng" in self._call_arguments:
            given["rng"] = jax_key(self.seed_generator)
        result = self.call_fn(**{name: given[name] for name in self._call_arguments})
        if "state" not in self._call_arguments:
            return result
        outputs, state = result
        for variable, value in zip(self._leaves["state"], jax.tree.leaves(state), strict=True):
            variable.assign(value)
        return outputs

    def _values(self, kind: str) -> Any:
        if kind not in self._trees:
            return None
        return jax.tree_util.tree_unflatten(self._trees[kind], [v.value for v in self._leaves[kind]])


def _ones(shape: Any, dtype: Any) -> Any:
    return jnp.ones([1 if size is None else size for size in shape], dtype)


def _named_arguments(owner: str, fn: Any, known: tuple[str, ...], needed: tuple[str, ...]) -> tuple[str, ...]:
    """Returns the names of a function's parameters after checking them."""
    names = tuple(
        name
        for name, p in inspect.signature(fn).parameters.items()
        if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
    )
    for name in names:
        if name not in known:
            raise ArgumentError(
                f"JaxLayer: {owner} may have the parameters {', '.join(known)}.{did_you_mean(name, known)}",
                got=f"{owner}({', '.join(names)}).",
            )
    for name in needed:
        if name not in names:
            raise ArgumentError(
                f"JaxLayer: {owner} needs the parameter {name!r}.", got=f"{owner}({', '.join(names)})."
            )
    return names


class FlaxLayer(JaxLayer):
    """Makes a Flax (linen) module a layer.

    Args:
        module: The module.
        method: Name of, or the, method to call instead of `__call__`. It takes the inputs and optionally `training`.
        variables: The module's variables, `{"params": ..., other collections ...}`; made at the first call if None.
        **kwargs: `seed` and the arguments of every layer.

    Raises:
        StateError: If Flax is not installed.

    Shapes:
        inputs: any
        outputs: any; what the module returns
    """

    def __init__(self, module: Any, method: Any = None, variables: Any = None, **kwargs: Any) -> None:
        try:
            linen = importlib.import_module("flax.linen")
        except ImportError:
            raise StateError(
                "FlaxLayer needs Flax, which is not installed.", fixes="pip install flax"
            ) from None
        if not isinstance(module, linen.Module):
            raise ArgumentError("FlaxLayer takes a flax.linen module.", got=f"{type(module).__name__}.")
        self.module, self.method = module, method
        target = getattr(module, method) if isinstance(method, str) else method or module.__call__
        takes_training = "training" in inspect.signature(target).parameters
        params, state = None, None
        if variables is not None:
            variables = dict(variables)
            params, state = variables.pop("params", {}), variables

        def flags(training: bool) -> dict[str, Any]:
            return {"training": training} if takes_training else {}

        def call_fn(params: Any, state: Any, rng: Any, inputs: Any, training: bool) -> Any:
            mutable = list(state) if training else False
            result = module.apply(
                {"params": params, **state}, inputs, rngs={"dropout": rng}, method=method, mutable=mutable,
                **flags(training),
            )  # fmt: skip
            return (result[0], {**state, **result[1]}) if mutable is not False else (result, state)

        def init_fn(rng: Any, inputs: Any, training: bool) -> Any:
            first, second = jax.random.split(rng)
            made = dict(
                module.init({"params": first, "dropout": second}, inputs, method=method, **flags(training))
            )
            return made.pop("params", {}), made

        super().__init__(call_fn, init_fn, params, state, **kwargs)

    def get_config(self) -> dict[str, Any]:
        """Returns the base configuration and the method; the module itself must be given by the program."""
        base = {"name": self.name, "trainable": self.trainable, "dtype": self.dtype_policy.serialized()}
        return {**base, "module": serialize_keras_object(self.module), "method": self.method}


class TFSMLayer(Layer):
    """Refuses: a TensorFlow SavedModel runs in TensorFlow only.

    Args:
        filepath: Path of the SavedModel.
        call_endpoint: Its endpoint for inference.
        call_training_endpoint: Its endpoint for training.
        trainable: Whether its variables are trained.
        name: Name.
        dtype: Dtype.

    Raises:
        StateError: Always.
    """

    def __init__(
        self,
        filepath: Any,
        call_endpoint: str = "serve",
        call_training_endpoint: str | None = None,
        trainable: bool = True,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        raise StateError(
            "TFSMLayer runs a TensorFlow SavedModel, which needs TensorFlow; Hornbill runs on JAX alone.",
            got=f"filepath={str(filepath)!r}.",
            why="A SavedModel holds a program of TensorFlow, not the layers it came from.",
            fixes=(
                "Save the model as .keras or .weights.h5 where it was made, and load that.",
                "Rebuild the layers here and set their weights from NumPy arrays.",
            ),
        )


class TorchModuleWrapper(Layer):
    """Refuses: a torch module cannot be compiled or differentiated by JAX.

    Args:
        module: The torch module.
        name: Name.
        output_shape: Shape of its output.
        **kwargs: The arguments of every layer.

    Raises:
        StateError: Always.
    """

    def __init__(self, module: Any, name: str | None = None, output_shape: Any = None, **kwargs: Any) -> None:
        raise StateError(
            "TorchModuleWrapper runs a torch module inside a model; Hornbill runs on JAX alone.",
            got=f"{type(module).__name__}.",
            why="JAX can neither compile nor differentiate what torch does.",
            fixes="Write the layers with hornbill.layers and set their weights from module.state_dict().",
        )


register_public("keras.layers", [JaxLayer, FlaxLayer, TFSMLayer, TorchModuleWrapper])
