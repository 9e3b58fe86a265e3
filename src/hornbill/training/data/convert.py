"""From what users call an array to arrays the device can hold.

Accepts NumPy and JAX arrays, numbers and lists of numbers, pandas frames and series, torch and TensorFlow
tensors, scipy sparse matrices and HDF5-like stores (the last two stay where they are and are read batch by
batch), in lists, tuples and dicts. Refuses text, missing values and ragged rows, and says which part it was.

Not for: deciding what is x and what is y (`make`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from hornbill.engine.errors import DataError, ShapeError
from hornbill.engine.settings import floatx

__all__ = ["LazyRows", "array_dtype", "is_array_like", "to_array", "to_arrays"]


class LazyRows:
    """Rows of a store that is too large or too sparse to hold as one array; read by index, made dense.

    Args:
        source: A scipy sparse matrix, or an object with `shape`, `dtype` and row indexing such as an HDF5
            dataset.
        name: What the user called it, for errors.
    """

    def __init__(self, source: Any, name: str) -> None:
        self.name = name
        self.sparse = hasattr(source, "toarray")
        self.source = source.tocsr() if self.sparse else source
        self.shape = tuple(source.shape)
        self.dtype = array_dtype(np.dtype(source.dtype), name)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Any) -> np.ndarray:
        if isinstance(index, slice) or self.sparse:
            rows = self.source[index]
        else:
            # HDF5 wants rising indices without repeats.
            distinct, places = np.unique(np.asarray(index), return_inverse=True)
            rows = np.asarray(self.source[distinct])[places]
        dense: Any = rows
        return to_array(np.asarray(dense.toarray() if self.sparse else dense), self.name)


def array_dtype(dtype: np.dtype, name: str) -> np.dtype:
    """Returns the dtype in which the device will hold data of `dtype`.

    float64 becomes floatx, 64-bit integers become 32-bit ones unless JAX runs with 64 bits; the rest stays.

    Raises:
        DataError: `dtype` is text, dates or objects.
    """
    if dtype.kind in "OSUMmT" or (dtype.kind == "V" and dtype.names is not None):
        kind = {"S": "bytes", "U": "text", "T": "text", "M": "dates", "m": "durations"}.get(
            dtype.kind, "objects"
        )
        raise DataError(
            f"{name} must hold numbers.",
            got=f"an array of {kind} (dtype {dtype}).",
            fixes=(
                "For text: use a StringLookup or TextVectorization layer first, and pass its integers.",
                f"For numbers stored as {kind}: pass {name}.astype('float32').",
            ),
        )
    if dtype == np.float64:
        return np.dtype(jax.numpy.dtype(floatx()))
    return np.dtype(jax.dtypes.canonicalize_dtype(dtype))


def _cast(array: Any, name: str) -> Any:
    wanted = array_dtype(np.dtype(array.dtype), name)
    if wanted == array.dtype:
        return array
    if array.dtype.kind in "iu" and array.size:
        low, high = array.min(), array.max()
        limits = np.iinfo(wanted)
        if low < limits.min or high > limits.max:
            raise DataError(
                f"{name} holds integers that do not fit {wanted.name}, the widest integer on the device.",
                got=f"values from {low} to {high}.",
                why=f"{wanted.name} holds {limits.min} to {limits.max}.",
                fixes=(
                    "Map the values to 0..n-1: IntegerLookup, or np.unique(..., return_inverse=True).",
                    "Run with jax.config.update('jax_enable_x64', True).",
                ),
            )
    return array.astype(wanted)


def _from_objects(array: np.ndarray, name: str) -> np.ndarray:
    """Turns an object array of numbers or equal-shaped rows into a plain one."""
    flat = array.reshape(-1)
    missing = sum(value is None for value in flat)
    if missing:
        raise DataError(
            f"{name} must hold numbers.",
            got=f"{missing} of {flat.size} values are None.",
            fixes="Drop the rows without a value, or fill them in.",
        )
    texts = [value for value in flat if isinstance(value, str | bytes)]
    if texts:
        raise DataError(
            f"{name} must hold numbers.",
            got=f"an array of objects with text such as {texts[0]!r}.",
            fixes="Use a StringLookup or TextVectorization layer first, and pass its integers.",
        )
    try:
        rows = [np.asarray(value) for value in flat]
    except ValueError as ragged:
        raise ShapeError(f"{name} must hold rows of one shape.", got=f"ragged rows ({ragged}).") from None
    shapes = sorted({row.shape for row in rows}, key=lambda shape: (len(shape), shape))
    if len(shapes) > 1:
        raise ShapeError(
            f"{name} must hold rows of one shape.",
            got=f"rows of {len(shapes)} shapes, among them {shapes[0]} and {shapes[-1]}.",
            why="An array has one length along each axis.",
            fixes=("hornbill.utils.pad_sequences(rows) gives all rows the same length.",),
        )
    if not rows:
        return np.zeros(array.shape, np.float32)
    if rows[0].dtype == object:
        raise DataError(
            f"{name} must hold numbers.", got=f"an array of objects of type {type(flat[0]).__name__}."
        )
    return np.stack(rows).reshape(array.shape + shapes[0])


def _from_frame(frame: Any, name: str) -> np.ndarray:
    """Turns a pandas DataFrame or Series into an array; a Series becomes a column."""
    if frame.ndim == 1:
        columns = [(name, frame)]
    else:
        columns = [(f"{name}[{key!r}]", frame.iloc[:, place]) for place, key in enumerate(frame.columns)]
    if not columns:
        raise DataError(f"{name} has no columns.", got="an empty DataFrame.")
    return np.stack([_from_column(column, label) for label, column in columns], axis=1)  # (rows, columns)


def _from_column(column: Any, label: str) -> np.ndarray:
    if getattr(column.dtype, "kind", "O") not in "biufc":
        example = f", values such as {column.iloc[0]!r}" if len(column) else ""
        raise DataError(
            f"Column {label} of a pandas object must hold numbers.",
            got=f"dtype {column.dtype}{example}.",
            fixes=(
                f"Encode it: {label}.astype('category').cat.codes",
                "Leave it out: frame.drop(columns=[...])",
                "Give each column as its own input, with a StringLookup layer for this one.",
            ),
        )
    values = column.to_numpy()
    return column.to_numpy(dtype="float32", na_value=np.nan) if values.dtype == object else values


def _is_frame(value: Any) -> bool:
    return hasattr(value, "iloc") and hasattr(value, "ndim")


def _is_sparse(value: Any) -> bool:
    return hasattr(value, "toarray") and hasattr(value, "tocsr") and hasattr(value, "shape")


def _is_store(value: Any) -> bool:
    return (
        all(hasattr(value, name) for name in ("shape", "dtype", "__getitem__", "__len__"))
        and not isinstance(value, np.ndarray | np.generic | jax.Array)
        and type(value).__module__.split(".")[0] in {"h5py", "zarr"}
    )


def _is_number_list(value: Any) -> bool:
    """True for a list or tuple of numbers, or of such lists."""
    return (
        isinstance(value, list | tuple)
        and len(value) > 0
        and all(
            isinstance(item, int | float | complex | np.generic) or _is_number_list(item) for item in value
        )
    )


def is_array_like(value: Any) -> bool:
    """True for whatever `to_array` reads as one array (and not as a list of several)."""
    if isinstance(value, np.ndarray | np.generic | jax.Array | int | float | complex | LazyRows):
        return True
    if isinstance(value, list | tuple):
        return _is_number_list(value)
    return hasattr(value, "__array__") or _is_frame(value) or _is_sparse(value) or _is_store(value)


def _column(items: list[Any]) -> np.ndarray:
    """Returns an object array with one entry per item, also where the items have lengths of their own."""
    column = np.empty(len(items), dtype=object)
    for place, item in enumerate(items):
        column[place] = item
    return column


def _to_numpy(value: Any, name: str) -> Any:
    """Returns `value` as a NumPy or JAX array, in whatever dtype it has."""
    if isinstance(value, np.ndarray | jax.Array):
        return value
    if isinstance(value, float) or _is_number_list(value):
        try:
            return np.asarray(value)
        except ValueError:
            items: Any = value
            return _from_objects(_column(list(items)), name)
    if _is_frame(value):
        return _from_frame(value, name)
    if hasattr(value, "detach"):
        value = value.detach().cpu()
        if "bfloat16" in str(value.dtype):
            value = value.float()
        return value.numpy()
    return np.asarray(value)


def to_array(value: Any, name: str = "x", lazy: bool = False) -> Any:
    """Turns one array-like value into an array of a dtype that the device holds.

    Args:
        value: What the user gave.
        name: How to call it in errors, such as "x" or "y['mask']".
        lazy: Leave sparse matrices and HDF5 datasets where they are, as `LazyRows`.

    Returns:
        A NumPy array, a JAX array if it was one, or `LazyRows`.

    Raises:
        DataError: It holds text, None or something that is no number.
        ShapeError: Its rows have different shapes.
    """
    if isinstance(value, LazyRows):
        return value
    if _is_sparse(value) or _is_store(value):
        rows = LazyRows(value, name)
        return rows if lazy else rows[:]
    if isinstance(value, str | bytes) or value is None or not is_array_like(value):
        refuse_leaf(value, name)
    array = _to_numpy(value, name)
    if array.dtype == object:
        array = _from_objects(array, name)
    return _cast(array, name)


def refuse_leaf(value: Any, name: str) -> None:
    """Raises the error for a value that is no array."""
    if value is None:
        raise DataError(
            f"{name} must be an array.", got="None.", fixes=f"Leave {name} out of the list, or give an array."
        )
    if isinstance(value, str | bytes):
        raise DataError(
            f"{name} must be data.",
            got=f"the text {value[:80]!r}.",
            why="fit, evaluate and predict read arrays and data sets, no file names.",
            fixes=(
                "hornbill.utils.image_dataset_from_directory(path) reads a folder of images.",
                "np.load(path) or pandas.read_csv(path) reads a file.",
            ),
        )
    if isinstance(value, list | tuple):
        raise DataError(f"{name} is empty.", got=f"{value!r}.", fixes=f"Give {name} at least one value.")
    raise DataError(
        f"{name} must be an array, a data set, or lists, tuples or dicts of arrays.",
        got=f"an object of type {type(value).__name__}.",
        fixes="np.asarray(...) if it holds numbers.",
    )


def to_arrays(value: Any, name: str = "x", lazy: bool = False, allow_none: bool = False) -> Any:
    """Turns nested lists, tuples and dicts of array-like values into the same structure of arrays.

    Args:
        value: What the user gave.
        name: How to call it in errors; parts are called like "x[0]" and "x['left']".
        lazy: As in `to_array`.
        allow_none: Whether None may stand for a missing part.

    Returns:
        The structure with arrays as leaves.
    """
    if value is None and allow_none:
        return None
    if isinstance(value, Mapping):
        if not value:
            raise DataError(
                f"{name} is empty.", got="an empty dict.", fixes=f"Give {name} at least one array."
            )
        return {key: to_arrays(item, f"{name}[{key!r}]", lazy, allow_none) for key, item in value.items()}
    if isinstance(value, list | tuple) and value and not _is_number_list(value):
        if all(isinstance(item, str | bytes) for item in value):
            array_dtype(np.asarray(value).dtype, name)
        items = [to_arrays(item, f"{name}[{index}]", lazy, allow_none) for index, item in enumerate(value)]
        if hasattr(value, "_fields"):
            return type(value)(*items)
        return items if isinstance(value, list) else tuple(items)
    return to_array(value, name, lazy)
