"""KerasTensor, a tensor of which only shape and dtype are known, and `infer_spec`, which finds out both.

A shape may hold None for sizes not known yet. To find the shape that a function gives, it is traced (never run) by
`jax.eval_shape` twice, with two different numbers in place of each None: a size that differs between the two depends
on an unknown and is None again. The numbers divide well, so that halving five times and reshaping work. Numbers differ
by axis position at first; if the function does not accept that, all unknowns get the same number.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from hornbill.engine.blame import without_engine_notes
from hornbill.engine.context import context, fresh_context
from hornbill.engine.dtype import standardize_dtype
from hornbill.engine.errors import ArgumentTypeError, HornbillError, MissingNameError, StateError
from hornbill.engine.naming import auto_name
from hornbill.engine.operators import OPS, TensorOperators
from hornbill.engine.record import Record, merge_records
from hornbill.engine.variable import discard_assignments, standardize_shape

__all__ = ["KerasTensor", "Spec", "any_symbolic", "infer_spec", "is_keras_tensor", "leaves_of", "map_leaves",
           "may_be_unknown", "without_probes"]  # fmt: skip

# Sizes that stand for None in the two traces: multiples of 2^5, 3, 5 and 7, and for the batch of 2^2, 3, 5 and 7.
_PROBES = (3360, 6720)
_BATCH_PROBES = (840, 1260)
_SHOWN_PROBE = re.compile(r"\b(840|(?:3360|6720|10080|13440))\b")


@dataclass(frozen=True, slots=True)
class Spec:
    """Shape (with None for unknown sizes) and dtype."""

    shape: tuple[int | None, ...]
    dtype: str


class KerasTensor(TensorOperators):
    """A tensor whose values are not known yet, as `Input()` gives it.

    Args:
        shape: Shape with None for sizes not known yet; the batch axis comes first.
        dtype: Dtype name.
        sparse: Whether data for it may be sparse (it is made dense when used).
        ragged: Not supported by JAX; only False.
        record_history: Kept for Keras' sake.
        name: Name; automatic if None.
    """

    def __init__(
        self,
        shape: Sequence[int | None],
        dtype: Any = "float32",
        sparse: bool = False,
        ragged: bool = False,
        record_history: bool = True,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        if ragged:
            raise ArgumentTypeError(
                "KerasTensor: ragged tensors do not exist on JAX.", fixes="Pad to one length."
            )
        self._shape = standardize_shape(shape)
        self.dtype = standardize_dtype(dtype)
        self.sparse, self.ragged, self.record_history = bool(sparse), False, record_history
        self.name = name or auto_name(type(self).__name__)
        self._keras_history: tuple[Any, int, int] | None = None

    @property
    def shape(self) -> tuple[int | None, ...]:
        """The shape."""
        return self._shape

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return len(self._shape)

    @property
    def size(self) -> int | None:
        """The number of elements, None if not known."""
        return None if None in self._shape else int(np.prod(self._shape, dtype=np.int64))  # type: ignore[arg-type]

    @property
    def T(self) -> Any:  # noqa: N802
        """The transposed tensor."""
        return OPS["transpose"](self)

    def reshape(self, *newshape: Any) -> Any:
        """Returns the tensor in another shape."""
        shape = newshape[0] if len(newshape) == 1 and isinstance(newshape[0], (tuple, list)) else newshape
        return OPS["reshape"](self, shape)

    def squeeze(self, axis: Any = None) -> Any:
        """Returns the tensor without its axes of size 1."""
        return OPS["squeeze"](self, axis)

    def get_shape(self) -> tuple[int | None, ...]:
        """Returns the shape (an old spelling)."""
        return self._shape

    def __repr__(self) -> str:
        return (
            f"<KerasTensor shape={self._shape}, dtype={self.dtype}, sparse={self.sparse}, name={self.name}>"
        )

    def __len__(self) -> int:
        raise self._no_value("len(x)")

    def __iter__(self) -> Iterator[Any]:
        if not self._shape or self._shape[0] is None:
            raise self._no_value("a loop over it")
        return (self[i] for i in range(self._shape[0]))

    def __bool__(self) -> bool:
        raise self._no_value("a condition")

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        raise self._no_value("a NumPy function")

    @property
    def __jax_array__(
        self,
    ) -> Any:  # a property, since JAX only looks whether it is there and hides TypeErrors
        raise StateError(*self._no_value("a JAX function").parts)

    def __setitem__(self, key: Any, value: Any) -> None:
        raise ArgumentTypeError(
            "A tensor cannot be changed in place: x[...] = value.",
            got=f"{self!r}.",
            why="It stands for the data that the model will get; a changed tensor is a new one.",
            fixes=("x = ops.slice_update(x, start, value)", "x = ops.where(condition, value, x)"),
        )

    def __getattr__(self, name: str) -> Any:
        if name in ("numpy", "item", "tolist", "eval", "value", "at"):
            raise MissingNameError(
                f"A KerasTensor has no values yet, so there is no x.{name}.",
                got=f"{self!r}.",
                why="It stands for the data that the model will get.",
                fixes=("model.predict(data) gives the values of the outputs.",
                       "Model(model.input, x).predict(data) gives those of a tensor in the middle."),
            )  # fmt: skip
        raise AttributeError(f"'KerasTensor' object has no attribute {name!r}")

    def __float__(self) -> float:
        raise self._no_value("float(x)")

    def __int__(self) -> int:
        raise self._no_value("int(x)")

    def _no_value(self, use: str) -> ArgumentTypeError:
        return ArgumentTypeError(
            f"A KerasTensor has no values yet, so it cannot be used in {use}.",
            got=f"{self!r}.",
            why="It stands for the data that the model will get; only layers and keras.ops functions accept it.",
            fixes=(
                "Use the function of the same name in keras.ops.",
                "Wrap the code in a Layer with a call method, or in layers.Lambda.",
            ),
        )


def is_keras_tensor(x: Any) -> bool:
    """Returns whether `x` is a KerasTensor."""
    return isinstance(x, KerasTensor)


def _is_leaf(x: Any) -> bool:
    return isinstance(x, (KerasTensor, Spec)) or x is None


def leaves_of(structure: Any) -> list[Any]:
    """Returns the leaves of nested tuples, lists and dicts; a KerasTensor is a leaf."""
    return jax.tree_util.tree_leaves(structure, is_leaf=_is_leaf)


def map_leaves(fn: Callable[[Any], Any], structure: Any) -> Any:
    """Returns the structure with `fn` applied to each leaf (None included)."""
    return jax.tree_util.tree_map(fn, structure, is_leaf=_is_leaf)


def any_symbolic(structure: Any) -> bool:
    """Returns whether a KerasTensor is among the leaves."""
    return any(isinstance(leaf, KerasTensor) for leaf in leaves_of(structure))


def _probe_shape(shape: tuple[int | None, ...], trial: int, shared: bool) -> tuple[int, ...]:
    return tuple(
        size if size is not None else (_PROBES[trial] if shared else _axis_probe(axis, trial))
        for axis, size in enumerate(shape)
    )


def _axis_probe(axis: int, trial: int) -> int:
    return _BATCH_PROBES[trial] if axis == 0 else _PROBES[trial] * axis


def without_probes(shape: tuple[int, ...]) -> tuple[int | None, ...]:
    """Returns a shape seen while tracing, with None in place of numbers that stand for it; the last size stays."""
    middle = [None if size in (_axis_probe(axis, 0), _axis_probe(axis, 1), *_PROBES) else size
              for axis, size in enumerate(shape[1:-1], 1)]  # fmt: skip
    return (None, *middle, *shape[1:][-1:])


def may_be_unknown(shape: Sequence[int]) -> bool:
    """Returns whether a shape seen while sizes are being found out may hold a number that stands for None."""
    return context().probing and any(size and size % _BATCH_PROBES[0] == 0 for size in shape)


def infer_spec(fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Record]:
    """Finds the shapes and dtypes that `fn(*args, **kwargs)` gives, without running it.

    Args:
        fn: Function of tensors and other values.
        args: Positional arguments; KerasTensors stand for the unknown tensors.
        kwargs: Keyword arguments, likewise.

    Returns:
        `(structure of Spec, record)`: leaves of the result that are no tensors stay as they are; the record tells
        which ops and layers were called, with which shapes.
    """
    leaves, treedef = jax.tree_util.tree_flatten((args, kwargs), is_leaf=_is_leaf)
    places = [i for i, leaf in enumerate(leaves) if isinstance(leaf, KerasTensor)]
    tensors = [leaves[i] for i in places]

    def trace(trial: int, shared: bool) -> tuple[Any, Record]:
        record = Record.root()
        structs = [jax.ShapeDtypeStruct(_probe_shape(t.shape, trial, shared), t.dtype) for t in tensors]
        outcome: list[Any] = []

        def run(*values: Any) -> Any:
            filled = list(leaves)
            for place, value in zip(places, values, strict=True):
                filled[place] = value
            inner_args, inner_kwargs = jax.tree_util.tree_unflatten(treedef, filled)
            result_leaves, result_tree = jax.tree_util.tree_flatten(
                fn(*inner_args, **inner_kwargs), is_leaf=_is_leaf
            )
            arrays = [leaf for leaf in result_leaves if isinstance(leaf, jax.Array)]
            outcome[:] = [result_leaves, result_tree]
            return arrays

        with fresh_context(recorder=record, probing=True), discard_assignments():
            shapes = iter(jax.eval_shape(run, *structs))
        result_leaves, result_tree = outcome
        specs = [_to_spec(next(shapes)) if isinstance(leaf, jax.Array) else leaf for leaf in result_leaves]
        return jax.tree_util.tree_unflatten(result_tree, specs), record

    if all(None not in t.shape for t in tensors):
        try:
            return trace(0, True)
        except Exception as failure:
            without_engine_notes(failure)
            raise
    try:
        first, second = trace(0, False), trace(1, False)
    except Exception as failure:  # noqa: BLE001 (whatever the layer raises, raised again below)
        if sum(t.shape.count(None) for t in tensors) < 2:
            raise _with_none(failure) from failure.__cause__
        try:
            first, second = trace(0, True), trace(1, True)
        except Exception as second_failure:  # noqa: BLE001
            raise _with_none(second_failure) from second_failure.__cause__
    return jax.tree_util.tree_map(_merge, first[0], second[0], is_leaf=_is_leaf), merge_records(
        first[1], second[1]
    )


def _with_none(error: Exception) -> Exception:
    """Writes None again where an error's text shows a number that stood for it."""
    if isinstance(error, HornbillError):
        error.rewrite(lambda text: _SHOWN_PROBE.sub("None", text))
    elif notes := getattr(error, "__notes__", None):
        error.__notes__ = [_SHOWN_PROBE.sub("None", note) for note in notes]  # type: ignore[attr-defined]
    without_engine_notes(error)
    return error


def _to_spec(struct: Any) -> Spec:
    return Spec(tuple(struct.shape), standardize_dtype(struct.dtype))


def _merge(first: Any, second: Any) -> Any:
    if isinstance(first, Spec):
        shape = tuple(a if a == b else None for a, b in zip(first.shape, second.shape, strict=True))
        return Spec(shape, first.dtype)
    return first
