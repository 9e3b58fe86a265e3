"""What a `Shapes:` section of a docstring says, evaluated for one layer.

    Shapes:
        inputs: (batch, ..., features); a note in words, to the end of the line
        outputs: (batch, ..., units)
        Params: (features + use_bias) * units

A name in `inputs` is bound to a size, `...` to the sizes that no name takes, and `inputs` itself to the whole shape, or to
the list of shapes. All else is Python: names not bound are attributes of the layer, `any` leaves the inputs open. A line
`new size: (size - pool_size) // strides + 1` says what `new height` and `new width` in the outputs are; in it, an attribute
with an entry per axis stands for the entry of the axis in question. 'channels second with "channels_first"' in the note of
the inputs moves the last size of both shapes to the second place if `data_format` says so.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import math
import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

__all__ = ["Section", "section_of"]

_ENTRY = re.compile(r"^(inputs|outputs|Params|new \w+): (.*)$")
_CHANNELS_SECOND = 'channels second with "channels_first"'
Shape = tuple[int, ...]


def _replace(shape: Shape, axis: int, size: int) -> Shape:
    """Returns the shape with another size on one axis."""
    return tuple(size if i == axis % len(shape) else s for i, s in enumerate(shape))


def _without(shape: Shape, *axes: int) -> Shape:
    """Returns the shape without some axes."""
    return tuple(s for i, s in enumerate(shape) if i not in {axis % len(shape) for axis in axes})


def _broadcast(shapes: Sequence[Shape]) -> Shape:
    """Returns the shape to which the shapes broadcast; lower ranks get axes of size 1 after the batch."""
    rank = max(map(len, shapes))
    return np.broadcast_shapes(*((s[0], *(1,) * (rank - len(s)), *s[1:]) for s in shapes))


def _several(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, list | tuple) else (value,)


FUNCTIONS: dict[str, Any] = {
    "ceil": math.ceil,
    "product": lambda values: math.prod(values),
    "replace": _replace,
    "without": _without,
    "broadcast": _broadcast,
    "several": _several,
    **{name: getattr(builtins, name) for name in ("abs", "enumerate", "len", "max", "min", "range", "sum", "tuple")},
}


class _Rest(ast.NodeTransformer):
    """Turns `...` in a tuple into `*rest`."""

    def visit_Tuple(self, node: ast.Tuple) -> ast.AST:
        self.generic_visit(node)
        node.elts = [
            ast.Starred(ast.Name("rest_", ast.Load()), ast.Load())
            if isinstance(item, ast.Constant) and item.value is ...
            else item
            for item in node.elts
        ]
        return node


def _parsed(text: str) -> ast.Expression:
    text = re.sub(r"\bnew (\w+)", r"new_(\1)", text)
    return ast.fix_missing_locations(_Rest().visit(ast.parse(text.strip(), mode="eval")))


class Section:
    """The entries of a `Shapes:` section.

    Args:
        lines: The lines of the section.
    """

    def __init__(self, lines: Iterable[str]) -> None:
        entries: list[list[str]] = []
        for line in lines:
            found = _ENTRY.match(line.strip())
            if found:
                entries.append([found[1], found[2]])
            elif entries:
                entries[-1][1] += f" {line.strip()}"
            else:
                raise ValueError(f"{line.strip()!r} stands before the first entry.")
        self.entries = {key: text.partition(";")[0].strip() for key, text in entries}
        self.notes = {key: text.partition(";")[2].strip() for key, text in entries}
        if "outputs" not in self.entries or len(self.entries) < len(entries):
            raise ValueError(f"A section has inputs, outputs and Params once each; here: {[key for key, _ in entries]}.")

    def evaluate(self, key: str, layer: Any, inputs: Any) -> Any:
        """Returns the shape, shapes or number that an entry gives for inputs of a shape, or of a list of shapes."""
        first = _CHANNELS_SECOND in self.notes.get("inputs", "") and layer.data_format == "channels_first"
        if first:
            inputs = (inputs[0], *inputs[2:], inputs[1])
        names = {"inputs": inputs, **self._bound(layer, inputs)}
        result = self._value(self.entries[key], layer, names)
        return (result[0], result[-1], *result[1:-1]) if first and key == "outputs" and len(result) > 2 else result

    def _bound(self, layer: Any, inputs: Any) -> dict[str, Any]:
        text = self.entries.get("inputs", "any")
        if text == "any":
            return {}
        pattern: Any = _parsed(text).body
        while isinstance(pattern, ast.IfExp):
            chosen = self._value(ast.unparse(pattern.test), layer, {})
            pattern = pattern.body if chosen else pattern.orelse
        names: dict[str, Any] = {}
        if isinstance(pattern, ast.List):
            for one, shape in zip(pattern.elts, inputs, strict=True):
                _bind(one, shape, names)
        else:
            _bind(pattern, inputs, names)
        return names

    def _value(self, text: str, layer: Any, names: dict[str, Any]) -> Any:
        tree = _parsed(text)
        count = sum(isinstance(node, ast.Name) and node.id == "new_" for node in ast.walk(tree))
        place = iter(range(count))

        def new(size: int) -> int:
            rule = next(key for key in self.entries if key.startswith("new "))
            here, axis = _parsed(self.entries[rule]), next(place)
            known = {**_known(here, layer, names, (axis, count)), rule.removeprefix("new "): size}
            return _run(here, known)

        return _run(tree, {**_known(tree, layer, names), "new_": new})


def _bind(pattern: ast.expr, shape: Shape, names: dict[str, Any]) -> None:
    """Gives each name in the pattern its size; a size that a name has already must be that size."""
    if not isinstance(pattern, ast.Tuple):
        raise ValueError(f"{ast.unparse(pattern)!r} is not a shape.")
    places: list[Any] = list(pattern.elts)
    stars = [i for i, item in enumerate(places) if isinstance(item, ast.Starred)]
    sizes: list[Any] = list(shape)
    if stars:
        taken = len(sizes) - len(places) + 1
        sizes[stars[0] : stars[0] + taken] = [tuple(sizes[stars[0] : stars[0] + taken])]
    for item, size in zip(places, sizes, strict=True):
        name = item.value.id if isinstance(item, ast.Starred) else getattr(item, "id", None)
        if name is None:
            if ast.literal_eval(item) != size:
                raise ValueError(f"{ast.unparse(pattern)} does not fit {shape}.")
        elif names.setdefault(name, size) != size:
            raise ValueError(f"{name} is {names[name]} and {size}.")


def _known(tree: ast.AST, layer: Any, names: dict[str, Any], at: tuple[int, int] | None = None) -> dict[str, Any]:
    """Returns the values of the names in an expression; `at` is (axis, number of axes) in a rule for one axis."""
    stored = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    known: dict[str, Any] = {}
    for name in {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} - stored:
        if name in names or name in FUNCTIONS:
            known[name] = names[name] if name in names else FUNCTIONS[name]
        elif hasattr(layer, name):
            value = getattr(layer, name)
            known[name] = value[at[0]] if at and isinstance(value, tuple | list) and len(value) == at[1] else value
    return known


def _run(tree: ast.Expression, names: dict[str, Any]) -> Any:
    return eval(compile(tree, "<Shapes>", "eval"), {"__builtins__": {}, **names})


def section_of(documented: type) -> Section | None:
    """Returns the `Shapes:` section of a class's own docstring, or None."""
    text = inspect.cleandoc(documented.__dict__.get("__doc__") or "")
    found = re.search(r"^Shapes:\n((?:    .*\n?)+)", text, re.MULTILINE)
    return Section(found[1].splitlines()) if found else None
