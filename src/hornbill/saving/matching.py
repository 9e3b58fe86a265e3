"""Stored arrays into a model: everything is compared first, then everything is assigned, or nothing.

Whatever the format, arrays come as `{object path: {name: array}}`, where an array knows its `shape` and `dtype` and
gives its numbers by `read()`.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from hornbill import optimizers
from hornbill.engine.errors import FileError, HornbillError
from hornbill.engine.layer import Layer
from hornbill.engine.random import SeedGenerator
from hornbill.engine.variable import Variable
from hornbill.saving.weights import own_arrays, saveables

__all__ = ["Held", "Stored", "StoredArray", "load_into", "variables_of"]

_SHOWN = 12


class StoredArray(Protocol):
    """An array in a file: what it is, known before it is read."""

    shape: tuple[int, ...]
    dtype: str

    def read(self) -> np.ndarray:
        """Returns the numbers."""
        ...


Stored = Mapping[str, Mapping[str, StoredArray]]


class Held:
    """An array in memory as a `StoredArray`."""

    def __init__(self, values: Any) -> None:
        self.values = np.asarray(values)
        self.shape, self.dtype = self.values.shape, self.values.dtype.name

    def read(self) -> np.ndarray:
        """Returns the numbers."""
        return self.values


def variables_of(obj: Any) -> list[Variable]:
    """Returns all variables below an object, for putting them back as they were."""
    return [obj.state] if isinstance(obj, SeedGenerator) else list(obj.variables)


def load_into(model: Any, stored: Stored, label: str, skip_mismatch: bool = False) -> None:
    """Sets the variables of a model from stored arrays.

    Args:
        model: The model.
        stored: The arrays.
        label: What messages call the file.
        skip_mismatch: Whether objects that do not fit are left as they are, with a warning, instead of an error.

    Raises:
        FileError: If entries are missing, left over or of another shape; the model is unchanged then.
    """
    objects = saveables(model)
    problems = _Problems()
    fitting: list[tuple[str, Any]] = []
    for path, obj in objects.items():
        if isinstance(obj, (optimizers.Optimizer, SeedGenerator)) or _below_optimizer(path, objects):
            continue
        if problems.compare(path, obj, stored.get(path, {})):
            fitting.append((path, obj))
    for path, entries in stored.items():
        if path not in objects and not _of_optimizer(path) and not _of_seed(entries):
            problems.extra += [_entry(path, name, entries[name].shape) for name in entries]
    if problems and not skip_mismatch:
        raise problems.error(model, label)
    _assign(model, objects, fitting, stored)
    if problems:
        warnings.warn(f"{label!r}: {problems.text()}These entries were skipped.", stacklevel=4)


def _assign(model: Any, objects: Mapping[str, Any], fitting: list[tuple[str, Any]], stored: Stored) -> None:
    """Assigns everything, or puts everything back as it was."""
    before = [(variable, variable._value) for variable in variables_of(model)]
    try:
        for path, obj in fitting:
            _load_own(obj, stored.get(path, {}))
        for path, obj in objects.items():
            if isinstance(obj, SeedGenerator):
                _load_seed(obj, stored.get(path, {}))
            elif isinstance(obj, optimizers.Optimizer):
                _load_optimizer(path, obj, model, stored.get(path, {}))
    except BaseException:
        for variable, value in before:
            variable._value = value
        raise


class _Problems:
    """What does not fit, as lines of text."""

    def __init__(self) -> None:
        self.missing: list[str] = []
        self.extra: list[str] = []
        self.shapes: list[str] = []
        self.unbuilt = False

    def __bool__(self) -> bool:
        return bool(self.missing or self.extra or self.shapes)

    def compare(self, path: str, obj: Any, given: Mapping[str, StoredArray]) -> bool:
        """Notes how stored arrays differ from what an object has; returns whether they fit."""
        wanted = own_arrays(obj)
        own_reader = isinstance(obj, Layer) and type(obj).load_own_variables is not Layer.load_own_variables
        before = len(self.missing) + len(self.extra) + len(self.shapes)
        if not wanted and given and not obj.built:
            self.unbuilt = True
        if not own_reader:
            self.missing += [_entry(path, name, wanted[name].shape) for name in wanted if name not in given]
            self.extra += [_entry(path, name, given[name].shape) for name in given if name not in wanted]
        if not own_reader or wanted.keys() == given.keys():
            for name in wanted:
                if name in given and given[name].shape != wanted[name].shape:
                    self.shapes.append(
                        f"{_entry(path, name, given[name].shape)}, the model {wanted[name].shape}"
                    )
        return before == len(self.missing) + len(self.extra) + len(self.shapes)

    def text(self) -> str:
        """Returns the lists, shortened where they are long."""
        parts = []
        for title, lines in (
            ("missing in the file", self.missing),
            ("not in the model", self.extra),
            ("of another shape", self.shapes),
        ):
            if lines:
                more = f"; and {len(lines) - _SHOWN} more" if len(lines) > _SHOWN else ""
                parts.append(f"{title}: {'; '.join(lines[:_SHOWN])}{more}. ")
        return "".join(parts)

    def error(self, model: Any, label: str) -> FileError:
        """Returns the error that says everything."""
        fixes = [
            "Load into a model made of the same layers.",
            "model.load_weights(path, skip_mismatch=True) takes what fits.",
        ]
        if self.unbuilt:
            fixes.insert(0, "Build the model first: call it on data once, or model.build(input_shape).")
        return FileError(
            f"The weights in {label!r} do not fit model {model.name!r}; nothing was changed.",
            got=self.text().rstrip(),
            fixes=fixes,
        )


def _entry(path: str, name: str, shape: tuple[int, ...]) -> str:
    return f"{path}/{name} {tuple(shape)}" if path else f"{name} {tuple(shape)}"


def _of_optimizer(path: str) -> bool:
    return path == "optimizer" or path.startswith("optimizer/")


def _below_optimizer(path: str, objects: Mapping[str, Any]) -> bool:
    parts = path.split("/")
    return any(
        isinstance(objects.get("/".join(parts[:end])), optimizers.Optimizer) for end in range(1, len(parts))
    )


def _of_seed(entries: Mapping[str, StoredArray]) -> bool:
    only = entries.get("0")
    return len(entries) == 1 and only is not None and only.dtype == "uint32" and only.shape == (2,)


def fitted(values: np.ndarray, dtype: str) -> np.ndarray:
    """Returns the numbers of raw bytes that an old file holds in place of a dtype that HDF5 does not know."""
    wanted = np.dtype(dtype) if values.dtype.kind == "V" else None
    return values.view(wanted) if wanted is not None and wanted.itemsize == values.dtype.itemsize else values


def _load_own(obj: Any, given: Mapping[str, StoredArray]) -> None:
    custom = type(obj).load_own_variables is not Layer.load_own_variables
    if not given and not custom:
        return
    try:
        obj.load_own_variables({name: array.read() for name, array in given.items()})
    except HornbillError:
        raise
    except (ValueError, KeyError, TypeError) as error:
        raise FileError(
            f"{type(obj).__name__} {obj.name!r} cannot take what the file holds for it; nothing was changed.",
            got=f"{error}",
        ) from error


def _load_seed(seed: SeedGenerator, given: Mapping[str, StoredArray]) -> None:
    if "0" in given and given["0"].shape == seed.state.shape:
        seed.state.assign(given["0"].read())


def _load_optimizer(
    path: str, optimizer: optimizers.Optimizer, model: Any, given: Mapping[str, StoredArray]
) -> None:
    """Takes over the state of an optimizer; one that does not fit starts anew, with a warning."""
    if not given:
        return
    if not optimizer.built and path == "optimizer" and model.built and len(given) > len(optimizer.variables):
        optimizer.build(model.trainable_variables)
    variables = optimizer.variables
    stored = [given.get(str(index)) for index in range(len(given))]
    complete = len(given) in (len(variables), _start_count(optimizer))
    fits = complete and all(
        array is not None and array.shape == variable.shape
        for array, variable in zip(stored, variables, strict=False)
    )
    if not fits:
        warnings.warn(
            f"Skipping variable loading for optimizer {optimizer.name!r}: it has {len(variables)} variables, the file "
            f"{len(given)}, or their shapes differ. It starts anew.",
            stacklevel=5,
        )
        return
    for array, variable in zip(stored, variables, strict=False):
        variable.assign(array.read())  # type: ignore[union-attr]


def _start_count(optimizer: optimizers.Optimizer) -> int:
    """Returns the number of variables that an optimizer has before it is built: the step and, often, the rate."""
    return len([v for v in optimizer.variables[:2] if v.shape == ()])
