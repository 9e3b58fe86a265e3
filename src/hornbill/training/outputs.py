"""Pairing what the user wrote per output (losses, metrics, weights, targets) with the outputs of a model.

A model gives one tensor, a list or a dict. What belongs to the outputs may come as one thing for all, as a list in
order, or as a dict by output name. Everything becomes a flat list in the order of the outputs here, and nowhere else.
"""

from __future__ import annotations

from typing import Any

from hornbill.engine.errors import ArgumentError, DataError, did_you_mean
from hornbill.engine.symbolic import leaves_of

__all__ = ["flat_outputs", "output_names", "per_output", "targets_per_output"]


def flat_outputs(y_pred: Any) -> list[Any]:
    """Returns the outputs as a flat list."""
    return leaves_of(y_pred)


def output_names(model: Any, y_pred: Any) -> list[str]:
    """Returns a name per output: dict keys, else the names of the layers, else output_1, output_2, ..."""
    if isinstance(y_pred, dict):
        return [name for key in sorted(y_pred) for name in _names_under(str(key), y_pred[key])]
    count = len(flat_outputs(y_pred))
    given = getattr(model, "output_names", None)
    if given is not None and len(given) == count:
        return _distinct(list(given))
    return [f"output_{i + 1}" for i in range(count)]


def _names_under(key: str, value: Any) -> list[str]:
    count = len(leaves_of(value))
    return [key] if count == 1 else [f"{key}_{i}" for i in range(count)]


def _distinct(names: list[str]) -> list[str]:
    seen: dict[str, int] = {}
    result = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        result.append(name if seen[name] == 1 else f"{name}_{seen[name] - 1}")
    return result


def per_output(
    what: str, given: Any, names: list[str], broadcast: bool = True, lists_inside: bool = False
) -> list[Any]:
    """Returns one entry per output of what the user gave.

    Args:
        what: The argument's name, for errors.
        given: One thing, a list in the order of the outputs, or a dict by output name; None gives Nones.
        names: The output names.
        broadcast: Whether one thing counts for every output.
        lists_inside: Whether each output's entry may itself be a list (metrics).

    Raises:
        ArgumentError: If a name is unknown or the length differs.
    """
    if given is None:
        return [None] * len(names)
    if isinstance(given, dict):
        unknown = [key for key in given if key not in names]
        if unknown:
            raise ArgumentError(
                f"{what} names the output {unknown[0]!r}, which the model does not have."
                f"{did_you_mean(unknown[0], names)}",
                why=f"Its outputs: {', '.join(names)}.",
            )
        return [given.get(name) for name in names]
    if isinstance(given, (list, tuple)) and not (lists_inside and len(names) == 1 and not _nested(given)):
        if lists_inside and not _nested(given) and len(given) != len(names):
            return [list(given)] * len(names)
        if lists_inside and not _nested(given):
            return [[item] for item in given]
        if len(given) != len(names):
            raise ArgumentError(
                f"{what} as a list needs one entry per output: {', '.join(names)}.",
                got=f"{len(given)} {'entry' if len(given) == 1 else 'entries'}.",
                fixes="{"
                + ", ".join(f"{name!r}: ..." for name in names)
                + "}, with None or nothing where there is none.",
            )
        return list(given)
    if len(names) > 1 and not broadcast:
        raise ArgumentError(f"{what} needs one entry per output: {', '.join(names)}.", got=f"{given!r}.")
    return [given] * len(names)


def _nested(given: Any) -> bool:
    return any(isinstance(item, (list, tuple)) for item in given)


def targets_per_output(y: Any, names: list[str], what: str = "y") -> list[Any]:
    """Returns one target per output; None for outputs without one.

    Raises:
        DataError: If the number or the names of the targets do not fit the outputs.
    """
    if y is None:
        return [None] * len(names)
    if isinstance(y, dict):
        unknown = [key for key in y if key not in names]
        if unknown and len(names) == 1 and len(y) == 1:
            return list(y.values())
        if unknown:
            raise DataError(
                f"{what} names the output {unknown[0]!r}, which the model does not have."
                f"{did_you_mean(unknown[0], names)}",
                why=f"Its outputs: {', '.join(names)}.",
            )
        return [y.get(name) for name in names]
    flat = leaves_of(y)
    if len(flat) == 1 and len(names) > 1:
        raise DataError(f"The model has {len(names)} outputs: {', '.join(names)}.", got=f"one array as {what}.",
                        fixes=f"{what}=[...] in the order of the outputs, or a dict by their names.")  # fmt: skip
    if len(flat) != len(names):
        if len(names) == 1:
            raise DataError(
                f"The model has one output, so {what} must be one array.",
                got=f"{len(flat)} arrays.",
                fixes=f"{what} = numpy.asarray({what})",
            )
        raise DataError(
            f"The model has {len(names)} outputs: {', '.join(names)}.", got=f"{len(flat)} arrays as {what}."
        )
    return flat
