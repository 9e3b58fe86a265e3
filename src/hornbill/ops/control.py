"""Control flow that can be compiled: conditions, loops, scans, maps, and gradients written by hand.

Functions passed in may read Variables. With a condition that is known, only the branch in question runs;
inside a compiled step both are compiled.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.core import Tracer

from hornbill.engine.errors import ArgumentError, ArgumentTypeError, ShapeError
from hornbill.engine.graph import OpOperation
from hornbill.engine.op import Tensor, convert_to_tensor
from hornbill.engine.operators import OPS
from hornbill.engine.symbolic import any_symbolic
from hornbill.engine.variable import Variable

__all__ = [
    "associative_scan",
    "cond",
    "custom_gradient",
    "fori_loop",
    "map",
    "scan",
    "switch",
    "vectorized_map",
    "while_loop",
]

F = TypeVar("F", bound=Callable[..., Any])


def _structural(fn: F) -> F:
    """Makes a function of nested structures of tensors an op: on KerasTensors it is noted in the graph."""

    @functools.wraps(fn)
    def call(*args: Any, **kwargs: Any) -> Any:
        if any_symbolic((args, kwargs)):
            return OpOperation(call).symbolic_call(*args, **kwargs)
        return fn(*args, **kwargs)

    OPS.setdefault(fn.__name__, call)
    return call  # type: ignore[return-value]


def _arrays(structure: Any) -> Any:
    """Returns a nested structure with Variables and NumPy arrays as JAX arrays.

    Numbers keep their weak type.
    """

    def convert(leaf: Any) -> Any:
        return convert_to_tensor(leaf) if isinstance(leaf, (Variable, np.ndarray, np.generic)) else leaf

    return jax.tree.map(convert, structure, is_leaf=lambda leaf: isinstance(leaf, Variable))


def _check_functions(name: str, **functions: Any) -> None:
    for argument, function in functions.items():
        if not callable(function):
            raise ArgumentTypeError(f"{name}: {argument} must be a function.", got=f"{function!r}.")


@_structural
def cond(pred: Any, true_fn: Callable[[], Any], false_fn: Callable[[], Any]) -> Any:
    """Returns what one of two functions gives.

    Args:
        pred: A boolean, or a boolean scalar tensor.
        true_fn: Function without arguments, run if `pred` holds.
        false_fn: Function without arguments, run otherwise; must give the same shapes and dtypes.

    Returns:
        The result of the function that was chosen.

    Raises:
        ArgumentTypeError: If one of the two is no function.

    Example:
        >>> int(cond(True, lambda: 1, lambda: 2))
        1
    """
    _check_functions("cond", true_fn=true_fn, false_fn=false_fn)
    pred = _arrays(pred)
    if isinstance(pred, Tracer):
        return lax.cond(pred, lambda: _arrays(true_fn()), lambda: _arrays(false_fn()))
    return jax.tree.map(jnp.asarray, _arrays(true_fn() if bool(pred) else false_fn()))


@_structural
def switch(index: Any, branches: Sequence[Callable[..., Any]], *operands: Any) -> Any:
    """Returns what one of several functions gives.

    Args:
        index: Which function, a whole number; numbers out of range mean the first or last.
        branches: The functions; all must give the same shapes and dtypes.
        *operands: What the function is called with.

    Returns:
        The result of the function that was chosen.

    Raises:
        ArgumentError: If there are no branches.
    """
    if not branches:
        raise ArgumentError("switch: at least one branch is wanted.", got="none.")
    _check_functions("switch", **{f"branches[{i}]": branch for i, branch in enumerate(branches)})
    index, operands = _arrays(index), _arrays(operands)
    if isinstance(index, Tracer):
        return lax.switch(index, branches, *operands)
    return branches[min(max(int(index), 0), len(branches) - 1)](*operands)


@_structural
def scan(
    f: Callable[[Any, Any], tuple[Any, Any]],
    init: Any,
    xs: Any = None,
    length: int | None = None,
    reverse: bool = False,
    unroll: int | bool = 1,
) -> tuple[Any, Any]:
    """Runs a function over the first axis of tensors and carries a state along.

    Args:
        f: `(state, x) -> (state, y)`; the state keeps its shapes and dtypes.
        init: The first state.
        xs: Tensors whose first axis is run over; None calls `f` with None, `length` times.
        length: Number of steps, where `xs` does not say it.
        reverse: Whether to run from the end.
        unroll: How many steps are compiled as one (True: all of them).

    Returns:
        `(last state, all y joined along a new first axis)`.

    Raises:
        ArgumentError: If neither `xs` nor `length` gives the number of steps, or they differ.

    Example:
        >>> total, partial = scan(lambda s, x: (s + x, s + x), 0, jnp.arange(4))
        >>> int(total), partial.tolist()
        (6, [0, 1, 3, 6])
    """
    _check_functions("scan", f=f)
    xs = _arrays(xs)
    sizes = {np.shape(leaf)[0] if np.ndim(leaf) else None for leaf in jax.tree.leaves(xs)}
    if length is not None:
        sizes.add(int(length))
    if len(sizes) != 1 or None in sizes:
        raise ArgumentError(
            "scan: xs, or length, must give one number of steps.",
            got=f"{sorted(size for size in sizes if size is not None) or 'neither'}.",
            fixes="ops.scan(f, init, xs=None, length=10)",
        )
    return lax.scan(lambda state, x: _arrays(f(state, x)), _arrays(init), xs, length, reverse, unroll)


@_structural
def associative_scan(f: Callable[[Any, Any], Any], elems: Any, reverse: bool = False, axis: int = 0) -> Any:
    """Returns running combinations along an axis, computed in parallel.

    Args:
        f: `(a, b) -> c`, with `f(a, f(b, c)) == f(f(a, b), c)`, on structures like `elems`.
        elems: A tensor or structure of tensors.
        reverse: Whether to run from the end.
        axis: The axis.

    Returns:
        A structure like `elems`: `[a, f(a, b), f(f(a, b), c), ...]`.

    Example:
        >>> associative_scan(lambda a, b: a + b, jnp.arange(5)).tolist()
        [0, 1, 3, 6, 10]
    """
    _check_functions("associative_scan", f=f)
    return lax.associative_scan(f, _arrays(elems), reverse, axis)


@_structural
def while_loop(
    cond: Callable[..., Any], body: Callable[..., Any], loop_vars: Any, maximum_iterations: int | None = None
) -> Any:
    """Repeats a function while a condition holds.

    Args:
        cond: Function of the loop variables that returns a boolean.
        body: Function of the loop variables that returns their new values, in the same structure.
        loop_vars: First values; those in a tuple or list are passed one by one.
        maximum_iterations: The most repetitions, or None.

    Returns:
        The last values, in the structure of `loop_vars`.

    Example:
        >>> int(while_loop(lambda i: i < 10, lambda i: i + 1, 0))
        10
    """
    _check_functions("while_loop", cond=cond, body=body)
    many = isinstance(loop_vars, (tuple, list))
    first = tuple(loop_vars) if many else (loop_vars,)

    def holds(state: tuple[Any, tuple[Any, ...]]) -> Any:
        count, values = state
        go_on = jnp.asarray(_arrays(cond(*values))).astype(bool).reshape(())
        return go_on if maximum_iterations is None else go_on & (count < maximum_iterations)

    def step(state: tuple[Any, tuple[Any, ...]]) -> tuple[Any, tuple[Any, ...]]:
        count, values = state
        result = _arrays(body(*values))
        result = tuple(result) if many and isinstance(result, (tuple, list)) else (result,)
        if len(result) != len(values):
            raise ArgumentError(
                "while_loop: body must return one value per loop variable.",
                got=f"{len(result)} values for {len(values)} loop variables.",
            )
        return count + 1, result

    last = lax.while_loop(holds, step, (jnp.asarray(0, "int32"), _arrays(first)))[1]
    return type(loop_vars)(last) if type(loop_vars) in (tuple, list) else last if many else last[0]


@_structural
def fori_loop(lower: Any, upper: Any, body_fun: Callable[[Any, Any], Any], init_val: Any) -> Any:
    """Calls `value = body_fun(i, value)` for `i` from `lower` up to, not including, `upper`.

    Args:
        lower: First number.
        upper: The limit.
        body_fun: `(i, value) -> value`, keeping shapes and dtypes.
        init_val: The first value.

    Returns:
        The last value.

    Example:
        >>> int(fori_loop(0, 10, lambda i, s: s + i, 0))
        45
    """
    _check_functions("fori_loop", body_fun=body_fun)
    lower, upper = _arrays((lower, upper))
    return lax.fori_loop(lower, upper, lambda i, value: _arrays(body_fun(i, value)), _arrays(init_val))


@_structural
def map(f: Callable[[Any], Any], xs: Any) -> Any:
    """Applies a function to the slices along the first axis, one after the other.

    Args:
        f: Function of one slice, or of a structure of slices.
        xs: A tensor or structure of tensors.

    Returns:
        The results joined along a new first axis.
    """
    _check_functions("map", f=f)
    return lax.map(lambda x: _arrays(f(x)), _batched("map", xs))


@_structural
def vectorized_map(function: Callable[[Any], Any], elements: Any) -> Any:
    """Applies a function to the slices along the first axis, all at once.

    Args:
        function: Function of one slice, or of a structure of slices.
        elements: A tensor or structure of tensors.

    Returns:
        The results joined along a new first axis.
    """
    _check_functions("vectorized_map", function=function)
    return jax.vmap(lambda x: _arrays(function(x)))(_batched("vectorized_map", elements))


def _batched(name: str, structure: Any) -> Any:
    arrays = jax.tree.map(convert_to_tensor, structure, is_leaf=lambda leaf: isinstance(leaf, Variable))
    sizes = [leaf.shape[0] if leaf.ndim else None for leaf in jax.tree.leaves(arrays)]
    if not sizes or None in sizes or len(set(sizes)) > 1:
        raise ShapeError(
            f"{name}: all tensors must have a first axis, of one size.",
            got=f"shapes {', '.join(str(leaf.shape) for leaf in jax.tree.leaves(arrays)) or 'none'}.",
        )
    return arrays


def custom_gradient(f: Callable[..., Any]) -> Callable[..., Tensor]:
    """Gives a function a gradient written by hand.

    Args:
        f: Function of tensors that returns `(output, grad)`, where `grad(upstream)` returns one gradient per
            argument.

    Returns:
        The function of the same arguments that returns `output` alone.

    Example:
        >>> double = custom_gradient(lambda x: (2 * x, lambda upstream: 5 * upstream))
        >>> float(jax.grad(double)(1.0))
        5.0
    """
    _check_functions("custom_gradient", f=f)
    inner = jax.custom_gradient(f)

    @functools.wraps(f)
    def call(*args: Any, **kwargs: Any) -> Any:
        if any_symbolic((args, kwargs)):
            return OpOperation(call).symbolic_call(*args, **kwargs)
        return inner(*_arrays(args), **kwargs)

    return call
