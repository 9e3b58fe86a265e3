"""Variable, a box with one array, and `functional_call`, which runs a function on other values of the boxes.

A Variable is the only mutable thing a model has. Compiled steps see flat lists of arrays: `functional_call` puts the
values in, runs, takes the new values out and restores the old ones whatever happens. Assigning a traced value to a
Variable that is not part of the call is an error that names it; it would be lost silently otherwise.
"""

from __future__ import annotations

import math
import operator
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import jax
import jax.core
import jax.numpy as jnp
import numpy as np

from hornbill.engine.context import context
from hornbill.engine.dtype import is_float_dtype, standardize_dtype
from hornbill.engine.errors import ArgumentError, FileError, ShapeError, StateError
from hornbill.engine.naming import auto_name, check_name, current_path
from hornbill.engine.operators import TensorOperators

__all__ = [
    "Structure", "Variable", "discard_assignments", "functional_call", "hollow_weights", "limited_weights",
    "standardize_shape",
]  # fmt: skip

_swap_lock = threading.RLock()


class Structure:
    """Counts changes of what belongs to any model, so that a compiled step knows when to look again.

    Attributes:
        version: Rises when a variable is made, frozen or freed, or a layer gets a new attribute that may hold some.
    """

    version = 0


def _size_hint(size: Any) -> str:
    """Returns what was probably meant by an entry of a shape."""
    try:
        return str(size if size is None else int(size))
    except (TypeError, ValueError):
        return "None"


def standardize_shape(shape: Any, allow_none: bool = True) -> tuple[int | None, ...]:
    """Returns a shape as a tuple of ints (and None for unknown sizes, where allowed)."""
    if isinstance(shape, (int, np.integer)):
        shape = (shape,)
    try:
        items: tuple[Any, ...] = tuple(shape)
    except TypeError:
        raise ArgumentError("A shape is a tuple of whole numbers.", got=f"{shape!r}.") from None
    result: list[int | None] = []
    for size in items:
        if size is None and allow_none:
            result.append(None)
            continue
        try:
            number = -1 if size is None else operator.index(size)
        except TypeError:
            number = -1
        if number < 0:
            extra = " or None" if allow_none else ""
            fixes = [f"({', '.join(_size_hint(item) for item in items)}{',' * (len(items) == 1)})"]
            if allow_none and size == -1:
                fixes = [fixes[0].replace("-1", "None") + ": None stands for a size that is not known yet."]
            raise ArgumentError(
                f"A shape is a tuple of whole numbers{extra}, none of them negative.",
                got=f"{items!r}.",
                fixes=fixes,
            )
        result.append(number)
    return tuple(result)


class Variable(TensorOperators):
    """A named array that can be assigned to.

    Args:
        initializer: The first value (array or number), or a callable `(shape, dtype) -> array`.
        shape: Shape for a callable initializer.
        dtype: Dtype name; None means the float type (for arrays, the array's own).
        trainable: Whether training changes it.
        autocast: Whether it is cast to the layer's compute dtype when read inside the layer.
        aggregation: How replicas combine it ("none", "mean", "sum", "only_first_replica"); kept for Keras' sake.
        synchronization: Kept for Keras' sake; only "auto" means anything on JAX.
        name: Its name; automatic if None.
        layout: How it is spread over devices; None means as the distribution says.
        axes: Names of its dimensions, from which parameter counts are explained.

    Example:
        >>> v = Variable([1.0, 2.0], name="v")
        >>> v.assign_add([1.0, 1.0]).tolist()
        [2.0, 3.0]
    """

    __slots__ = (
        "__weakref__", "_autocast", "_frozen", "_layout", "_made_trainable", "_name", "_path", "_shape", "_shared",
        "_trainable", "_value", "aggregation", "axes", "constraint", "dtype", "overwrite_with_gradient", "regularizer",
        "synchronization",
    )  # fmt: skip

    def __init__(
        self,
        initializer: Any,
        shape: Sequence[int] | None = None,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        aggregation: str = "none",
        synchronization: str = "auto",
        name: str | None = None,
        layout: Any = None,
        *,
        axes: Sequence[str] | None = None,
    ) -> None:
        name = check_name("Variable", name) if name is not None else auto_name("Variable")
        scope = current_path()
        self._name, self._path = name, f"{scope}/{name}" if scope else name
        self._trainable, self._autocast, self._layout = bool(trainable), autocast, layout
        self._frozen = False  # by its layer
        self._made_trainable = (
            self._trainable
        )  # decides the place among a layer's weights, whatever is frozen later
        Structure.version += 1
        self.aggregation, self.synchronization = aggregation, synchronization
        self.axes = tuple(axes) if axes is not None else None
        self.regularizer: Any = None
        self.constraint: Any = None
        self.overwrite_with_gradient = False
        with jax.ensure_compile_time_eval():
            self._value = self._initial_value(initializer, shape, dtype)
        self._shared = isinstance(initializer, (jax.Array, Variable)) or callable(initializer)
        self._shape = tuple(self._value.shape)
        self.dtype = standardize_dtype(self._value.dtype)
        if isinstance(self._value, jax.ShapeDtypeStruct):
            self.__class__ = _HollowVariable  # type: ignore[assignment]
        if self.axes is not None and len(self.axes) != len(self._shape):
            raise ArgumentError(
                f"Variable {name!r}: axes name each dimension once.",
                got=f"{len(self.axes)} names {self.axes} for shape {self._shape}.",
            )

    def _initial_value(self, initializer: Any, shape: Any, dtype: Any) -> jax.Array:
        if callable(initializer) and not isinstance(initializer, (jax.Array, np.ndarray, Variable)):
            if shape is None:
                raise ArgumentError(
                    f"Variable {self._name!r} has a callable initializer, so it needs a shape.",
                    fixes="Variable(initializer, shape=(3, 4))",
                )
            shape = standardize_shape(shape, allow_none=False)
            dtype = standardize_dtype(dtype)
            _scopes.spend(self._name, shape, dtype)
            if _scopes.hollow:
                return jax.ShapeDtypeStruct(shape, jax.dtypes.canonicalize_dtype(jnp.dtype(dtype)))  # type: ignore[return-value]
            value: Any = initializer(shape, dtype=dtype)
            value = value.value if isinstance(value, Variable) else value
            if tuple(np.shape(value)) != shape:
                raise ShapeError(
                    f"The initializer of Variable {self._name!r} must return shape {shape}.",
                    got=f"shape {tuple(np.shape(value))} from {initializer!r}.",
                )
            return as_device_array(value, dtype)
        value = initializer.value if isinstance(initializer, Variable) else initializer
        if dtype is None and not hasattr(value, "dtype"):
            kind = np.asarray(value).dtype
            dtype = None if kind.kind == "f" else kind
            dtype = standardize_dtype(None) if dtype is None else ("int32" if kind.kind == "i" else kind)
        array = as_device_array(value, dtype)
        if shape is not None and tuple(array.shape) != tuple(shape):
            asked = f"Variable {self._name!r} asks for shape {tuple(shape)}."
            raise ShapeError(asked, got=f"a value of {array.shape}.")
        return array

    @property
    def value(self) -> jax.Array:
        """The array, cast to the compute dtype inside a layer of a mixed policy."""
        cast = context().autocast
        if cast is not None and self._autocast and cast != self.dtype and is_float_dtype(self.dtype):
            return self._value.astype(cast)
        self._shared = self._shared or not isinstance(self._value, jax.core.Tracer)
        return self._value

    def give_away(self) -> jax.Array:
        """Returns the array for a compiled call that uses up its memory: a copy, if somebody else may hold it."""
        if self._shared:
            self._value = jax.device_put(self._value, may_alias=False)
            self._shared = False
        return self._value

    @property
    def name(self) -> str:
        """The name without scopes."""
        return self._name

    @property
    def path(self) -> str:
        """The name with its scopes: `conv2d/kernel`."""
        return self._path

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape."""
        return self._shape

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return len(self._shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return int(np.prod(self._shape, dtype=np.int64))

    @property
    def autocast(self) -> bool:
        """Whether it is cast to the layer's compute dtype when read inside the layer."""
        return self._autocast

    @property
    def trainable(self) -> bool:
        """Whether training changes it: neither it nor its layer is frozen."""
        return self._trainable and not self._frozen

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable, self._frozen = bool(value), False
        Structure.version += 1

    def assign(self, value: Any) -> Any:
        """Sets the value; returns the new array.

        Raises:
            ShapeError: If the shape differs.
            StateError: If a traced value would be lost because the Variable is not part of the compiled call.
        """
        array = value.value if isinstance(value, Variable) else value
        if not isinstance(array, jax.Array) or array.dtype != self._value.dtype:
            array = as_device_array(array, self.dtype)
        if tuple(array.shape) != self._shape:
            raise ShapeError(
                f"Variable {self._path!r} has shape {self._shape}; an assigned value must have the same.",
                got=f"shape {tuple(array.shape)}.",
                fixes="Reshape or transpose the value, or make a new layer for the other sizes.",
            )
        self.take(array)
        self._shared = True
        return array

    def take(self, array: jax.Array) -> None:
        """Sets the value to an array of the right shape and dtype that nobody else holds."""
        self._admit(array)
        self._value, self._shared = array, False

    def _admit(self, array: jax.Array) -> None:
        """Notes the assignment in the innermost scope, or refuses it where it would be lost."""
        frame = _scopes.frames[-1] if _scopes.frames else None
        if isinstance(frame, dict):
            frame.setdefault(self, self._value)
        elif isinstance(array, jax.core.Tracer) and (frame is None or id(self) not in frame):
            raise StateError(
                f"Variable {self._path!r} is assigned inside a compiled call that does not carry it.",
                why="The new value exists only while the call is compiled; it would be lost.",
                fixes=(
                    "Make it an attribute of the layer or model, so that it is part of its state.",
                    "model.compile(..., run_eagerly=True) to run without compilation.",
                ),
            )

    def _operand(self, value: Any) -> Any:
        value = value.value if isinstance(value, Variable) else value
        return value if isinstance(value, (jax.Array, int, float)) else as_device_array(value, self.dtype)

    def assign_add(self, value: Any) -> Any:
        """Adds `value`; returns the new array."""
        return self.assign(jnp.add(self._value, self._operand(value)))

    def assign_sub(self, value: Any) -> Any:
        """Subtracts `value`; returns the new array."""
        return self.assign(jnp.subtract(self._value, self._operand(value)))

    def numpy(self) -> np.ndarray:
        """Returns a copy of the value on the host."""
        return np.array(self._value)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self.value, dtype=dtype)

    def __jax_array__(self) -> jax.Array:
        return self.value

    def __float__(self) -> float:
        return float(self._value)

    def __int__(self) -> int:
        return int(self._value)

    def __bool__(self) -> bool:
        return bool(self._value)

    def __index__(self) -> int:
        return self._value.__index__()

    def __len__(self) -> int:
        return len(self._value)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.value)

    def __repr__(self) -> str:
        value = (
            ""
            if isinstance(self._value, jax.core.Tracer)
            else f", value={np.array2string(np.asarray(self._value), threshold=20)}"
        )
        return f"<Variable path={self._path}, shape={self._shape}, dtype={self.dtype}{value}>"

    def __deepcopy__(self, memo: dict[int, Any]) -> Variable:
        copy = Variable(
            np.array(self._value), trainable=self._trainable, autocast=self._autocast, name=self._name
        )
        copy._path, copy.axes, copy.aggregation = self._path, self.axes, self.aggregation
        copy._made_trainable, copy._frozen = self._made_trainable, self._frozen
        copy.regularizer, copy.constraint = self.regularizer, self.constraint
        copy.overwrite_with_gradient = self.overwrite_with_gradient
        memo[id(self)] = copy
        return copy

    def __reduce__(self) -> Any:
        state = {
            slot: getattr(self, slot) for slot in Variable.__slots__ if slot not in ("__weakref__", "_value")
        }
        return _rebuild, (np.array(self._value), state)


class _HollowVariable(Variable):
    """A variable made inside `hollow_weights`: it has a shape and a dtype; zeros stand for its values in a trace."""

    __slots__ = ()

    @property
    def value(self) -> jax.Array:
        """Zeros, which a trace never makes; the array, once one was assigned."""
        if not isinstance(self._value, jax.ShapeDtypeStruct):
            return super().value
        cast = context().autocast
        wanted = cast is not None and self._autocast and is_float_dtype(self.dtype)
        return jnp.zeros(self._shape, cast if wanted else self.dtype)


def _rebuild(value: np.ndarray, state: dict[str, Any]) -> Variable:
    variable = object.__new__(Variable)
    for slot, content in state.items():
        setattr(variable, slot, content)
    variable._value, variable._shared = as_device_array(value, value.dtype), False
    return variable


def as_device_array(value: Any, dtype: Any) -> jax.Array:
    """Returns a value as a JAX array of a dtype, without compiling anything for host values."""
    if isinstance(value, jax.Array):
        return value if dtype is None or value.dtype == dtype else value.astype(dtype)
    host = np.asarray(value)
    wanted = jax.dtypes.canonicalize_dtype(host.dtype if dtype is None else jnp.dtype(dtype))
    # not jnp.asarray, which compiles a program for each shape; may_alias: the caller's array stays the caller's
    return jax.device_put(host.astype(wanted, copy=False), may_alias=False)


class _Scopes(threading.local):
    """Open scopes of this thread, innermost last.

    A dict holds old values to be put back (`discard_assignments`); a set holds the identities of the variables that a
    `functional_call` carries.
    """

    def __init__(self) -> None:
        self.frames: list[dict[Variable, Any] | set[int]] = []
        self.room: int | None = None
        self.hollow = False

    def spend(self, name: str, shape: tuple[int, ...], dtype: str) -> None:
        """Takes the size of a new variable off the room that `limited_weights` gives."""
        if self.room is None:
            return
        size = math.prod(shape) * np.dtype(dtype).itemsize
        if size > self.room:
            raise FileError(
                "The configuration in the file asks for far more weights than the file holds.",
                got=f"{name!r} of shape {shape}, {size:,} bytes, where {self.room:,} are left.",
                why="Making them could fill the memory.",
            )
        self.room -= size


_scopes = _Scopes()


@contextmanager
def limited_weights(size: int) -> Iterator[None]:
    """Refuses, with a FileError, that variables made inside by this thread need more than `size` bytes together."""
    outer, _scopes.room = _scopes.room, size
    try:
        yield
    finally:
        _scopes.room = outer


@contextmanager
def hollow_weights() -> Iterator[None]:
    """Lets variables made inside by this thread take no memory and draw no numbers: shapes are all they are for."""
    outer, _scopes.hollow = _scopes.hollow, True
    try:
        yield
    finally:
        _scopes.hollow = outer


@contextmanager
def discard_assignments() -> Iterator[dict[Variable, Any]]:
    """Undoes, on leaving, every assignment made inside by this thread; gives the old values by variable."""
    changed: dict[Variable, Any] = {}
    _scopes.frames.append(changed)
    try:
        yield changed
    finally:
        _scopes.frames.pop()
        for variable, value in changed.items():
            variable._value = value


def functional_call(
    variables: Sequence[Variable], values: Sequence[Any], fn: Callable[..., Any], *args: Any, **kwargs: Any
) -> tuple[Any, list[Any]]:
    """Runs `fn` with other values in the variables and returns its result and the values it leaves in them.

    Args:
        variables: The boxes whose values are replaced for the time of the call.
        values: One array per box.
        fn: The function to run; it may read and assign the boxes.
        *args: Passed to `fn`.
        **kwargs: Passed to `fn`.

    Returns:
        `(result, new_values)`. The boxes themselves are as before, also after an exception.
    """
    with _swap_lock:
        before = [variable._value for variable in variables]
        _scopes.frames.append({id(variable) for variable in variables})
        try:
            for variable, value in zip(variables, values, strict=True):
                variable._value = value
            result = fn(*args, **kwargs)
            return result, [variable._value for variable in variables]
        finally:
            _scopes.frames.pop()
            for variable, value in zip(variables, before, strict=True):
                variable._value = value
