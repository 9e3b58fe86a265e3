"""Record: what a traced call did, the one source of every explanation.

While shapes are found out, each op and each layer appends a Record: its name, the shapes that came in, the arguments,
the shape that came out, and what it called in turn. Nothing is computed here; `hornbill.explain` turns Records into
sentences, tables, pictures and pages.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

__all__ = ["Record", "TensorSpec", "merge_records", "specs_in"]


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """Stands for a tensor inside a record's arguments: shape with None for unknown sizes, and dtype."""

    shape: tuple[int | None, ...]
    dtype: str


@dataclass(slots=True)
class Record:
    """One call of an op or a layer.

    Attributes:
        kind: "op", "layer" or "root".
        name: The op's name, or the layer's.
        source: The op function or the layer object; None for the root.
        rule: Name of the sentence rule of an op, or None.
        arguments: Arguments by parameter name, tensors replaced by `TensorSpec`.
        output: The result, tensors replaced by `TensorSpec`.
        children: Records of the calls made inside a layer.
        data: Whether any of the model's data goes in; an op on weights alone shapes no output.
    """

    kind: str
    name: str
    source: Any = None
    rule: str | None = None
    arguments: dict[str, Any] = field(default_factory=dict)
    output: Any = None
    children: list[Record] = field(default_factory=list)
    data: bool = True

    @classmethod
    def root(cls) -> Record:
        """Returns an empty record for a call to be traced."""
        return cls("root", "")

    def walk(self) -> Any:
        """Yields this record and all below it, outermost first."""
        yield self
        for child in self.children:
            yield from child.walk()

    def tensors(self) -> list[TensorSpec]:
        """Returns the shapes that came in, in the order of the parameters."""
        return specs_in(self.arguments)

    def results(self) -> list[TensorSpec]:
        """Returns the shapes that came out."""
        return specs_in(self.output)


def specs_in(value: Any) -> list[TensorSpec]:
    """Returns the tensors of a recorded value, nested as it may be, in order."""
    if isinstance(value, TensorSpec):
        return [value]
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, (list, tuple)):
        return []
    return [spec for item in value for spec in specs_in(item)]


def merge_records(first: Record, second: Record) -> Record:
    """Returns the record of two traces with different probe sizes: what differs becomes None."""
    same = len(first.children) == len(second.children)
    return Record(
        first.kind,
        first.name,
        first.source,
        first.rule,
        _merge(first.arguments, second.arguments),
        _merge(first.output, second.output),
        [merge_records(a, b) for a, b in zip(first.children, second.children, strict=True)] if same else [],
        first.data,
    )


def _merge(a: Any, b: Any) -> Any:
    """Returns what both say; None where they differ."""
    if isinstance(a, TensorSpec) and isinstance(b, TensorSpec) and len(a.shape) == len(b.shape):
        return TensorSpec(
            tuple(x if x == y else None for x, y in zip(a.shape, b.shape, strict=True)), a.dtype
        )
    if isinstance(a, dict) and isinstance(b, dict) and a.keys() == b.keys():
        return {key: _merge(a[key], b[key]) for key in a}
    if (
        type(a) is type(b)
        and isinstance(a, (list, tuple))
        and isinstance(b, (list, tuple))
        and len(a) == len(b)
    ):
        items = [_merge(x, y) for x, y in zip(a, b, strict=True)]
        return type(a)(items) if type(a) in (list, tuple) else items
    if isinstance(a, int) and isinstance(b, int):
        return a if a == b else None
    return a
