"""The one entrance: what the user gave fit, evaluate or predict becomes `Batches`.

Decides between arrays and data sets, checks the arguments that only one of them allows, and draws the seed of
the orders. `split_validation` and `unpack_validation` serve `fit`.

Not for: reading the data (`arrays`, `streams`).
"""

from __future__ import annotations

from typing import Any

from hornbill.engine.errors import ArgumentError, DataError, one_of
from hornbill.engine.random import make_default_seed
from hornbill.training.data.arrays import ArrayBatches, split_arrays
from hornbill.training.data.batches import Batch, Batches
from hornbill.training.data.convert import refuse_leaf
from hornbill.training.data.sources import (
    convert_parts,
    describe_source,
    is_dataset,
    is_indexed_dataset,
    unpack,
)
from hornbill.training.data.streams import DatasetBatches, StreamBatches
from hornbill.training.data.weights import check_class_weight, with_class_weight

__all__ = ["make_batches", "split_validation", "unpack_validation"]


def _check_count(value: Any, name: str) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not hasattr(value, "__index__") or int(value) < 1:
        raise ArgumentError(
            f"{name} must be a positive integer or None.", got=f"{name}={value!r}.", fixes=f"{name}=32"
        )
    return int(value)


def _refuse_with_dataset(x: Any, **given: Any) -> None:
    parts = {"y": "targets", "sample_weight": "sample weights"}
    for name, value in given.items():
        if value is None:
            continue
        source = describe_source(x)
        if name in parts:
            raise DataError(
                f"x is {source}, which brings its own {parts[name]}; {name}= must not be given as well.",
                got=f"x as {source} and {name} as {type(value).__name__}.",
                fixes=f"Let it give (x, y{', sample_weight' if name != 'y' else ''}); leave out {name}=.",
            )
        raise DataError(
            f"x is {source}, which makes its own batches; {name} must not be given.",
            got=f"{name}={value!r}.",
            fixes=(f"Leave out {name}.", "Set the size where the data set is made, for example .batch(32)."),
        )


def make_batches(
    x: Any,
    y: Any = None,
    sample_weight: Any = None,
    batch_size: int | None = None,
    *,
    steps: int | None = None,
    shuffle: bool | str = False,
    class_weight: Any = None,
    seed: int | None = None,
    steps_name: str = "steps_per_epoch",
) -> Batches:
    """Turns user data into `Batches`.

    Args:
        x: Arrays (also in lists, tuples, dicts), or a data set, loader, generator or other iterable of
            batches.
        y: Targets; only with arrays.
        sample_weight: Weights of samples; only with arrays.
        batch_size: Rows per batch, 32 if None; only with arrays.
        steps: Batches per epoch, or None for one pass.
        shuffle: True for a new order each epoch, "batch" to move whole batches, False for none. Generators
            and loaders keep their own order.
        class_weight: Dict from class index to weight.
        seed: Number from which the orders follow; None draws one, which follows `set_random_seed`.
        steps_name: What to call `steps` in errors.

    Returns:
        `ArrayBatches`, `DatasetBatches` or `StreamBatches`.

    Raises:
        DataError: The data cannot be used.
        ShapeError: Parts have different numbers of rows.
        ArgumentError: Another argument is out of range.

    Example:
        >>> import numpy as np
        >>> batches = make_batches(np.arange(5.0), batch_size=2)
        >>> batches.num_batches, [len(x) for x, y, weight in batches]
        (3, [2, 2, 1])
    """
    steps = _check_count(steps, steps_name)
    batch_size = _check_count(batch_size, "batch_size")
    one_of("fit", "shuffle", shuffle, (True, False, "batch"))
    weights = check_class_weight(class_weight)
    if x is None:
        refuse_leaf(x, "x")
    seed = make_default_seed() if seed is None and shuffle else (seed or 0)
    if is_dataset(x):
        _refuse_with_dataset(x, y=y, sample_weight=sample_weight, batch_size=batch_size)
        if is_indexed_dataset(x):
            return DatasetBatches(x, steps, bool(shuffle), weights, seed)
        return StreamBatches(x, steps, weights, seed)
    x, y, sample_weight = convert_parts(x, y, sample_weight, lazy=True)
    plain = ArrayBatches((x, y, sample_weight), batch_size or 32, shuffle, steps, seed)
    if weights is None:
        return plain
    return ArrayBatches(
        (x, y, with_class_weight(y, sample_weight, weights)), batch_size or 32, shuffle, steps, seed
    )


def split_validation(x: Any, y: Any, sample_weight: Any, fraction: float) -> tuple[Batch, Batch]:
    """Splits arrays into training data and the last `fraction` for validation.

    Args:
        x: Inputs: arrays.
        y: Targets, or None.
        sample_weight: Weights, or None.
        fraction: Share of the samples for validation.

    Returns:
        (x, y, sample_weight) for training, and for validation.

    Raises:
        DataError: x is a data set, whose end is not known.
    """
    if is_dataset(x):
        raise DataError(
            "validation_split needs arrays.",
            got=f"x as {describe_source(x)}.",
            why="The last samples are split off before training; a data set shows them only as it goes.",
            fixes="Give validation_data=another_data_set.",
        )
    if x is None:
        refuse_leaf(x, "x")
    return split_arrays(convert_parts(x, y, sample_weight, lazy=True), fraction)


def unpack_validation(validation_data: Any) -> Batch:
    """Returns `validation_data` as (x, y, sample_weight); a data set is x.

    Args:
        validation_data: (x, y), (x, y, sample_weight), x alone, or a data set.
    """
    if is_dataset(validation_data):
        return validation_data, None, None
    return unpack(validation_data, lists_are_batches=isinstance(validation_data, list))
