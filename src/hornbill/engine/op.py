"""`@op`: one plain function on arrays becomes an op on arrays, on KerasTensors and in explanations.

The annotations say which parameters are tensors: `Tensor`, `Tensor | None` or `Sequence[Tensor]`. They are converted to
arrays; everything else is passed on as it is. On a KerasTensor the function is traced for its shape and noted as a
Node of the graph.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, overload

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from hornbill.engine.context import context
from hornbill.engine.dtype import standardize_dtype
from hornbill.engine.errors import ArgumentTypeError
from hornbill.engine.graph import OpOperation
from hornbill.engine.operators import OPS
from hornbill.engine.record import Record, TensorSpec
from hornbill.engine.symbolic import KerasTensor
from hornbill.engine.variable import Variable, as_device_array

__all__ = ["OPS", "Tensor", "convert_to_tensor", "op", "signature_of", "to_record"]

Tensor = Any
"""Whatever stands for a tensor: JAX or NumPy array, Variable, KerasTensor, nested list of numbers, number."""

F = TypeVar("F", bound=Callable[..., Any])
_SCALARS = (int, float, bool, complex)


def convert_to_tensor(x: Any, dtype: Any = None) -> Any:
    """Returns `x` as a JAX array (a KerasTensor stays one), in `dtype` if given."""
    if isinstance(x, KerasTensor):
        return x if dtype is None or x.dtype == standardize_dtype(dtype) else OPS["cast"](x, dtype)
    if isinstance(x, Variable):
        x = x.value
    if not isinstance(x, jax.Array):
        x = _from_host(x)
    if dtype is not None:
        name = jax.dtypes.canonicalize_dtype(jnp.dtype(standardize_dtype(dtype)))
        x = x if x.dtype == name else x.astype(name)
    return x


def _from_host(x: Any) -> jax.Array:
    """Converts a host value: NumPy array, number, nested list (which may hold arrays), torch tensor, frame."""
    if hasattr(x, "detach") and hasattr(x, "cpu"):
        x = x.detach().cpu().numpy()
    if isinstance(x, (list, tuple)) and any(
        isinstance(leaf, (jax.Array, Variable)) for leaf in jax.tree.leaves(x)
    ):
        return jnp.asarray(jax.tree.map(lambda leaf: leaf.value if isinstance(leaf, Variable) else leaf, x))
    try:
        if isinstance(x, _SCALARS):
            return jnp.asarray(x)
        host = np.asarray(x)
        if host.dtype.kind in "OUSMm":
            raise TypeError(f"dtype {host.dtype}")
        if not hasattr(x, "dtype") and host.dtype.kind == "f":
            host = host.astype(standardize_dtype(None))
        return as_device_array(host, None)
    except (TypeError, ValueError) as error:
        raise ArgumentTypeError(
            "A tensor is wanted: an array, a number or nested lists of numbers of equal lengths.",
            got=f"{type(x).__name__} {str(x)[:80]!r} ({error}).",
        ) from None


def _unwrap(x: Any) -> Any:
    """Converts one tensor argument; numbers keep their weak type, None stays None."""
    if isinstance(x, jax.Array) or x is None or type(x) in _SCALARS:
        return x
    return convert_to_tensor(x)


def _unwrapped(value: Any, many: bool) -> tuple[Any, bool]:
    """Converts one tensor argument, or a list of tensors if `many`; also returns whether it is symbolic."""
    if many and isinstance(value, (list, tuple)):
        items = [_unwrap(item) for item in value]
        return items, any(isinstance(item, KerasTensor) for item in items)
    value = _unwrap(value)
    return value, isinstance(value, KerasTensor)


def to_record(value: Any) -> Any:
    """Returns a value as a record keeps it: tensors as `TensorSpec`, containers rebuilt, the rest as it is."""
    if isinstance(value, (jax.Array, KerasTensor, Variable, np.ndarray)):
        return TensorSpec(tuple(value.shape), standardize_dtype(value.dtype))
    if type(value) in (list, tuple):
        return type(value)(to_record(item) for item in value)
    if isinstance(value, dict):
        return {key: to_record(item) for key, item in value.items()}
    return value


@functools.cache
def signature_of(call: Callable[..., Any]) -> inspect.Signature:
    """Returns the signature of an op."""
    return inspect.signature(call)


def _is_tensor(annotation: Any) -> bool:
    return str(annotation).startswith(("Tensor", "Sequence[Tensor"))


@overload
def op(fn: F) -> F: ...
@overload
def op(*, rule: str | None = None) -> Callable[[F], F]: ...
def op(fn: Any = None, *, rule: str | None = None) -> Any:
    """Makes a function on arrays an op.

    Args:
        fn: The function; parameters annotated `Tensor` or `Sequence[Tensor]` are tensors.
        rule: Name of the sentence rule that explains its output size.
    """
    if fn is None:
        return functools.partial(op, rule=rule)
    code = fn.__code__
    order = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    variadic = code.co_varnames[len(order)] if code.co_flags & inspect.CO_VARARGS else None
    annotations = fn.__annotations__
    tensors = {
        name: str(annotations[name]).startswith("Seq") for name in order if _is_tensor(annotations.get(name))
    }
    positions = [(i, tensors[name]) for i, name in enumerate(order[: code.co_argcount]) if name in tensors]
    needed = [(i, order[i]) for i, _ in positions if i < code.co_argcount - len(fn.__defaults__ or ())]
    first_variadic = code.co_argcount if variadic and _is_tensor(annotations.get(variadic)) else None

    @functools.wraps(fn)
    def call(*args: Any, **kwargs: Any) -> Any:
        values = list(args)
        symbolic = False
        for index, many in positions:
            if index >= len(values):
                break
            if not isinstance(values[index], jax.Array):
                values[index], found = _unwrapped(values[index], many)
                symbolic = symbolic or found
        if first_variadic is not None:
            for index in range(first_variadic, len(values)):
                values[index] = _unwrap(values[index])
                symbolic = symbolic or isinstance(values[index], KerasTensor)
        for name in kwargs.keys() & tensors.keys():
            kwargs[name], found = _unwrapped(kwargs[name], tensors[name])
            symbolic = symbolic or found
        if symbolic:
            return OpOperation(call).symbolic_call(*values, **kwargs)
        recorder = context().recorder
        try:
            if recorder is None:
                return fn(*values, **kwargs)
            return _recorded(fn, call, rule, recorder, values, kwargs)
        except (TypeError, ValueError, AttributeError) as error:
            _raise_if_none(fn.__name__, needed, values, kwargs, error)
            raise

    call.rule = rule  # type: ignore[attr-defined]
    OPS.setdefault(fn.__name__, call)
    return call


def _raise_if_none(
    op_name: str,
    needed: Sequence[tuple[int, str]],
    values: Sequence[Any],
    kwargs: dict[str, Any],
    error: Exception,
) -> None:
    """Raises an error that names the tensor which is None, if one is; called when an op has failed."""
    for index, name in needed:
        if (values[index] if index < len(values) else kwargs.get(name, 0)) is None:
            raise ArgumentTypeError(
                f"{op_name}: {name} must be a tensor.",
                got="None.",
                why="None is what a function gives that does not return anything.",
                fixes=f"Look where {name} comes from: a `return` may be missing.",
            ) from error


def _recorded(
    fn: Callable[..., Any],
    call: Callable[..., Any],
    rule: str | None,
    recorder: Record,
    values: Sequence[Any],
    kwargs: dict[str, Any],
) -> Any:
    """Runs an op body and appends its record; ops called inside the body are not recorded."""
    current = context()
    leaves = jax.tree_util.tree_leaves((values, kwargs))
    data = not leaves or any(isinstance(leaf, Tracer) for leaf in leaves)
    record, marker = Record("op", fn.__name__, call, rule, data=data), current.marker
    if marker is not None:
        values, kwargs = marker(record, "in", (list(values), kwargs))
    current.recorder = current.marker = None
    try:
        result = fn(*values, **kwargs)
    finally:
        current.recorder, current.marker = recorder, marker
    try:
        bound = signature_of(call).bind(*values, **kwargs)
    except TypeError:
        return result
    bound.apply_defaults()
    record.arguments = {name: to_record(value) for name, value in bound.arguments.items()}
    record.output = to_record(result)
    recorder.children.append(record)
    return result if marker is None else marker(record, "out", result)
