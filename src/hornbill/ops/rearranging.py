"""`rearrange`: reshape and transpose written as one sentence about axes.

The pattern names each axis on the left, and the order wanted on the right; brackets join or cut axes, as in
einops.
"""

from __future__ import annotations

import math
import re
from typing import Any

import jax.numpy as jnp

from hornbill.engine.errors import ArgumentError, ShapeError
from hornbill.engine.op import Tensor, op
from hornbill.ops.checks import as_tensor, show

__all__ = ["rearrange"]

_TOKEN = re.compile(r"\(([^()]*)\)|(\.\.\.)|([^\W\d]\w*|1)|(\S)")


@op(rule="reshape")
def rearrange(tensor: Tensor, pattern: str, **axes_lengths: int) -> Tensor:
    """Reorders, joins and cuts axes as a pattern says.

    Args:
        tensor: The tensor.
        pattern: `"batch (height two) width -> batch height (two width)"`: the axes on the left, the result on
            the right. Brackets hold axes that are one axis of the tensor; `...` stands for all axes not
            named; `1` for an axis of size 1.
        **axes_lengths: Sizes of axes in brackets, all but one of each pair of brackets.

    Returns:
        The tensor with its axes as on the right.

    Raises:
        ArgumentError: If the pattern is not well formed, or names differ between its sides.
        ShapeError: If the tensor does not fit the left side.

    Example:
        >>> rearrange(jnp.arange(6).reshape(2, 3), "a b -> (b a)").tolist()
        [0, 3, 1, 4, 2, 5]
    """
    x = as_tensor(tensor)
    left, right = _parse(pattern)
    groups = _spread(pattern, left, x.ndim)
    sizes = _sizes(pattern, groups, x.shape, axes_lengths)
    flat_left = [name for group in groups for name in group]
    spread = [name for group in groups for name in group if name.startswith("...")]
    target = [
        part for group in right for part in ([[name] for name in spread] if group == ["..."] else [group])
    ]
    target = [
        [inner for name in group for inner in (spread if name == "..." else [name])] for group in target
    ]
    flat_right = [name for group in target for name in group]
    named = {name for name in flat_left if name != "1"}
    if named != {name for name in flat_right if name != "1"} or len(set(flat_right) - {"1"}) != len(
        [name for name in flat_right if name != "1"]
    ):
        raise ArgumentError(
            f"rearrange({pattern!r}): both sides must name the same axes, each once.",
            got=f"left {sorted(named)}, right {sorted(set(flat_right))}.",
        )
    kept = [name for name in flat_left if name != "1"]
    x = jnp.reshape(x, [sizes[name] for name in kept])
    x = jnp.transpose(x, [kept.index(name) for name in flat_right if name != "1"])
    return jnp.reshape(x, [math.prod(sizes[name] for name in group if name != "1") for group in target])


def _parse(pattern: str) -> tuple[list[list[str]], list[list[str]]]:
    sides = pattern.split("->")
    if len(sides) != 2:
        raise ArgumentError(
            "rearrange: a pattern has one arrow.", got=f"{pattern!r}.", fixes="ops.rearrange(x, 'a b -> b a')"
        )
    return _parse_side(pattern, sides[0]), _parse_side(pattern, sides[1])


def _parse_side(pattern: str, side: str) -> list[list[str]]:
    groups = []
    for match in _TOKEN.finditer(side):
        inside, dots, name, wrong = match.groups()
        if wrong is not None:
            raise ArgumentError(f"rearrange({pattern!r}): {wrong!r} has no meaning in a pattern.")
        groups.append(inside.split() if inside is not None else [dots or name])
    return groups


def _spread(pattern: str, groups: list[list[str]], ndim: int) -> list[list[str]]:
    """Replaces `...` on the left by one name per axis it stands for."""
    count = groups.count(["..."])
    extra = ndim - (len(groups) - count)
    if count > 1 or extra < 0 or (not count and extra):
        raise ShapeError(
            f"rearrange({pattern!r}): the left side names {len(groups) - count} axes.",
            got=f"a tensor of {ndim} axes.",
        )
    result = []
    for group in groups:
        result.extend([[f"...{i}"] for i in range(extra)] if group == ["..."] else [group])
    return result


def _sizes(
    pattern: str, groups: list[list[str]], shape: tuple[int, ...], lengths: dict[str, Any]
) -> dict[str, int]:
    names = {name for group in groups for name in group}
    if unknown := sorted(set(lengths) - names):
        raise ArgumentError(
            f"rearrange({pattern!r}): a size is given for {unknown[0]!r}, which is not on the left."
        )
    sizes = {name: int(size) for name, size in lengths.items()} | {"1": 1}
    for axis, (group, size) in enumerate(zip(groups, shape, strict=True)):
        free = [name for name in group if name not in sizes]
        known = math.prod(sizes[name] for name in group if name in sizes)
        if len(free) > 1:
            raise ArgumentError(
                f"rearrange({pattern!r}): of the axes ({' '.join(group)}) only one may be without a size.",
                got=f"no size for {', '.join(free)}.",
                fixes=f"ops.rearrange(x, {pattern!r}, {free[-1]}=2)",
            )
        if known == 0 or size % known or (not free and size != known):
            raise ShapeError(
                f"rearrange({pattern!r}): axis {axis} does not fit ({' '.join(group)}).",
                got=f"shape {show(shape)}, with {size} there.",
                why=f"The known sizes multiply to {known}.",
            )
        if free:
            sizes[free[0]] = size // known
    return sizes
