"""Which layer lost the row: why two branches of a network do not meet again at a merge, read from the graph.

KerasTensors have the graph as their history. Arrays have none: there only the numbers tell, if one size is what halving
and doubling makes of the other.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from hornbill.engine.graph import Node
from hornbill.engine.symbolic import KerasTensor

__all__ = ["explain_difference"]


def explain_difference(tensors: Sequence[Any], axis: int, name: str) -> tuple[list[str], list[str]]:
    """Says which layers made the sizes of two branches differ on an axis.

    Args:
        tensors: What is merged.
        axis: The axis on which sizes differ, counted from the front.
        name: The axis' name, such as "height".

    Returns:
        Sentences about the layers, and fixes; both empty if the graph does not tell.
    """
    if not all(isinstance(tensor, KerasTensor) for tensor in tensors):
        return _guess([tensor.shape[axis] for tensor in tensors], name)
    families = [_ancestors(tensor) for tensor in tensors]
    shared = set.intersection(*map(set, families))
    reasons, fixes = [], []
    for family in families:
        for node in reversed(family):
            if node not in shared and (reason := _loss(node, axis, name)):
                reasons.append(reason)
                if _stride(node, axis) == 1 and (fix := _same_padding(node)) is not None:
                    fixes.append(fix)
    if reasons and (fix := _divisible(families, axis, name)) is not None:
        fixes.insert(0, fix)
    return list(dict.fromkeys(reasons))[:3], list(dict.fromkeys(fixes))[:2]


def _guess(sizes: Sequence[int], name: str) -> tuple[list[str], list[str]]:
    small, large = min(sizes), max(sizes)
    for halvings in range(1, 8):
        unit = 2**halvings
        if large // unit * unit == small and large - small < unit:
            odd = next(i for i in range(halvings) if (large >> i) % 2)
            size = large >> odd
            reason = f"Pooling by 2 turned {name} {size} into {size // 2} and lost one {_cell(name)}; doubling it again gives {small}, not {large}."  # noqa: E501
            return [reason], [
                f"An input {name} that can be halved every time: a multiple of 2**n for n poolings."
            ]
    return [], []


def _cell(name: str) -> str:
    return {"height": "row", "width": "column", "steps": "step", "depth": "slice"}.get(name, "cell")


def _ancestors(tensor: KerasTensor) -> list[Node]:
    """Returns the nodes that a tensor comes from, nearest first."""
    found: dict[Node, None] = {}
    stack = [tensor]
    while stack:
        history = stack.pop()._keras_history
        if history is None:
            continue
        node = history[0]._inbound_nodes[history[1]]
        if node not in found:
            found[node] = None
            stack.extend(node.inputs)
    return list(found)


def _sizes(node: Node, axis: int) -> tuple[int, int] | None:
    """Returns the sizes before and after a layer, where both are known and the rank stays."""
    if len(node.inputs) != 1 or len(node.outputs) != 1:
        return None
    before, after = node.inputs[0].shape, node.outputs[0].shape
    if len(before) != len(after) or before[axis] is None or after[axis] is None:
        return None
    return before[axis], after[axis]  # type: ignore[return-value]


def _stride(node: Node, axis: int) -> int:
    strides = getattr(node.operation, "strides", None)
    if isinstance(strides, int):
        return strides
    return strides[axis - 1] if isinstance(strides, (tuple, list)) and 1 <= axis <= len(strides) else 1


def _loss(node: Node, axis: int, name: str) -> str | None:
    sizes = _sizes(node, axis)
    if sizes is None or sizes[1] >= sizes[0]:
        return None
    before, after = sizes
    stride = _stride(node, axis)
    label = f"{type(node.operation).__name__} {node.operation.name!r}"
    cell = _cell(name)
    if stride > 1 and after * stride < before:
        lost = before - after * stride
        return f"{label} turned {name} {before} into {after} and lost {lost} {cell}{'s' * (lost > 1)} ({before} / {stride} is no whole number)."  # noqa: E501
    if stride > 1 and after * stride > before:
        return f"{label} turned {name} {before} into {after}, rounding up; times {stride} that is {after * stride}."
    if stride == 1:
        return f"{label} turned {name} {before} into {after}: its window must fit inside (padding='valid')."
    return None


def _same_padding(node: Node) -> str | None:
    operation: Any = node.operation
    if getattr(operation, "padding", None) != "valid":
        return None
    return f"padding='same' in {type(operation).__name__} {operation.name!r}."


def _divisible(families: list[list[Node]], axis: int, name: str) -> str | None:
    """Returns which input sizes can be divided by all strides on the way."""
    for family in families:
        factor = math.prod(
            _stride(node, axis)
            for node in family
            if (sizes := _sizes(node, axis)) is not None and sizes[1] < sizes[0]
        )
        inputs = [node for node in family if node.is_input and len(node.outputs[0].shape) > axis]
        size = inputs[0].outputs[0].shape[axis] if len(inputs) == 1 else None
        if factor > 1 and size is not None and size % factor:
            near = [n for n in (size // factor * factor, -(-size // factor) * factor) if n]
            return f"An input {name} that can be divided by {factor}: {' or '.join(map(str, near))} instead of {size}."
    return None
