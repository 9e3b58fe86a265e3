"""What a `Shapes:` section of a docstring says, evaluated for one layer.

    Shapes:
        inputs: (batch, steps, channels); a note in words
        outputs: (batch, new steps, channels)
        new steps: (steps - span) // strides + 1
        where span: (pool_size - 1) * dilation_rate + 1
        Params: 0

In `inputs` a name is bound to a size and `...` to the sizes that no name takes; `inputs` itself is the whole shape, or
the list of shapes. All else is Python, in which a name that is not bound is an argument of the call or an attribute of
the layer. `any` leaves a shape open. `new NAME:` is the rule for each `new ...` in the outputs: an attribute with an
entry per axis stands for that of the axis in question. `channels second with "channels_first"` in the note of the
inputs (or third) is where `data_format` then puts the last size.
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

_ENTRY = re.compile(r"^(inputs|outputs|Params|new \w+|where \w+): (.*)$")
_CHANNELS = re.compile(r'channels (second|third) with "channels_first"')
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
    "product": math.prod,
    "replace": _replace,
    "without": _without,
    "broadcast": _broadcast,
    "several": _several,
    **{
        name: getattr(builtins, name)
        for name in ("abs", "enumerate", "len", "max", "min", "range", "sum", "tuple")
    },
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
            raise ValueError(
                f"A section has outputs, and each entry once; here: {[key for key, _ in entries]}."
            )

    def evaluate(self, key: str, layer: Any, inputs: Any, **call: Any) -> Any:
        """Returns the shape or number that an entry gives for inputs of a shape, or of a list of shapes.

        Args:
            key: The entry.
            layer: A built layer.
            inputs: Their shape, or a list of shapes.
            **call: Further arguments of the call.
        """
        parameters = inspect.signature(layer.call).parameters.items()
        call = {
            name: call.get(name, p.default)
            for name, p in parameters
            if p.default is not inspect.Parameter.empty
        }
        place = _CHANNELS.search(self.notes.get("inputs", ""))
        if place is None or layer.data_format != "channels_first":
            return _Evaluation(self.entries, layer, inputs, call).value(self.entries[key])
        axis = 1 if place[1] == "second" else 2
        rank = len(inputs)
        inputs = (*inputs[:axis], *inputs[axis + 1 :], inputs[axis])
        result = _Evaluation(self.entries, layer, inputs, call).value(self.entries[key])
        if key != "outputs":
            return result
        axis = max(1, axis - rank + len(result))
        return (*result[:axis], result[-1], *result[axis:-1])


class _Evaluation:
    """The names of a section, for one layer and its inputs."""

    def __init__(self, entries: dict[str, str], layer: Any, inputs: Any, call: dict[str, Any]) -> None:
        self.entries, self.layer, self.call = entries, layer, call
        self.names: dict[str, Any] = {"inputs": inputs}
        text = entries.get("inputs", "any")
        pattern: Any = None if text == "any" else _parsed(text).body
        if isinstance(pattern, ast.List):
            for one, shape in zip(pattern.elts, inputs, strict=True):
                _bind(one, shape, self.names)
        elif pattern is not None:
            _bind(pattern, inputs, self.names)

    def value(self, text: str) -> Any:
        """Returns the value of an expression, in which `new` calls the rule."""
        tree = _parsed(text)
        while isinstance(tree.body, ast.IfExp):
            tree = ast.Expression(
                tree.body.body if self._run(ast.Expression(tree.body.test)) else tree.body.orelse
            )
        count = sum(isinstance(node, ast.Name) and node.id == "new_" for node in ast.walk(tree))
        if not count:
            return self._run(tree)
        rule = next(key for key in self.entries if key.startswith("new "))
        axes = iter(range(count))

        def new(size: int) -> int:
            return self._run(
                _parsed(self.entries[rule]), {rule.removeprefix("new "): size}, (next(axes), count)
            )

        return self._run(tree, {"new_": new})

    def _run(
        self, tree: ast.Expression, own: dict[str, Any] | None = None, at: tuple[int, int] | None = None
    ) -> Any:
        """Evaluates; `own` are further names, `at` is (axis, number of axes) in a rule for one axis."""
        nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
        stored = {node.id for node in nodes if isinstance(node.ctx, ast.Store)}
        known = {"__builtins__": {}, **FUNCTIONS, **self.names, **(own or {})}
        for name in {node.id for node in nodes} - stored - set(known):
            if f"where {name}" in self.entries:
                known[name] = self._run(_parsed(self.entries[f"where {name}"]), own, at)
            elif name in self.call:
                known[name] = self.call[name]
            elif hasattr(self.layer, name):
                value = getattr(self.layer, name)
                here = at is not None and isinstance(value, tuple | list) and len(value) == at[1]
                known[name] = value[at[0]] if at is not None and here else value
        return eval(compile(tree, "<Shapes>", "eval"), known)


def _bind(pattern: ast.expr, shape: Shape, names: dict[str, Any]) -> None:
    """Gives each name in the pattern its size; a size that a name has already must be that size."""
    if not isinstance(pattern, ast.Tuple):
        raise TypeError(f"{ast.unparse(pattern)!r} is not a shape.")
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


def section_of(documented: type) -> Section | None:
    """Returns the `Shapes:` section of a class's own docstring, or None."""
    text = inspect.cleandoc(documented.__dict__.get("__doc__") or "")
    found = re.search(r"^Shapes:\n((?:    .*\n?)+)", text, re.MULTILINE)
    return Section(found[1].splitlines()) if found else None
