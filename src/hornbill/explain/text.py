"""`explain`: the whole arithmetic of a model or layer as text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hornbill.engine.axes import describe_shape
from hornbill.engine.errors import ArgumentError, NotBuiltError
from hornbill.engine.layer import Layer
from hornbill.explain.counts import count_sentence
from hornbill.explain.rows import Row, rows_of

__all__ = ["Explanation", "explain"]


class Explanation:
    """An explanation that prints as text.

    Attributes:
        rows: The rows it is made from.
        text: The text.
    """

    def __init__(self, rows: list[Row], text: str) -> None:
        self.rows, self.text = rows, text

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return self.text


def explain(target: Any, layer: str | None = None, to: str | None = None) -> Explanation:
    """Explains every output size and parameter count of a model.

    Args:
        target: A built model.
        layer: Name of one layer to explain; all if None.
        to: Path of a text file to write besides.

    Returns:
        An `Explanation`, which prints as text.

    Raises:
        NotBuiltError: If the model does not know its shapes yet.
        ArgumentError: If there is no layer of that name.
    """
    if not isinstance(target, Layer):
        raise ArgumentError("explain wants a model.", got=f"{target!r}.")
    if not target.built:
        raise NotBuiltError(
            f"Model {target.name!r} has no shapes to explain yet.",
            fixes="Start it with Input((28, 28, 1)), call it on data, or model.build(shape).",
        )
    rows = rows_of(target)
    if layer is not None:
        target.get_layer(layer)  # type: ignore[attr-defined]
        rows = [row for row in rows if row.name == layer]
    lines: list[str] = []
    for row in rows:
        lines += _lines(row)
    if layer is None:
        total = sum(v.size for v in target.weights)
        trainable = sum(v.size for v in target.trainable_weights)
        lines.append(
            f"Together: {total:,} parameters, {trainable:,} trainable, {total - trainable:,} not trainable."
        )
    text = "\n".join(lines)
    if to is not None:
        Path(to).write_text(text + "\n", encoding="utf-8")
    return Explanation(rows, text)


def _lines(row: Row) -> list[str]:
    before = " and ".join(_shape(shape, row.layer) for shape in row.inputs) or "data"
    after = " and ".join(_shape(shape, row.layer) for shape in row.outputs) or "?"
    lines = [f"{row.name} ({row.class_name})", f"  {before} -> {after}"]
    lines += [f"  {sentence.name}: {sentence.text}" for _, sentence in _telling(row)]
    if isinstance(row.layer, Layer) and row.layer.weights:
        if row.first and not row.layer._sublayers():
            lines.append(f"  parameters: {count_sentence(row.layer)}")
        elif row.first:
            lines.append(f"  parameters: {row.params:,}, in {len(row.layer._sublayers())} layers inside")
        else:
            lines.append("  parameters: those of its first call, shared")
    elif isinstance(row.layer, Layer):
        lines.append("  parameters: 0, it has no weights")
    return lines


def _telling(row: Row) -> list[Any]:
    """Returns the sentences that say something about the row's output: one per axis, the first that says so."""
    if not row.outputs:
        return []
    found: dict[Any, Any] = {}
    for op, sentence in row.sentences():
        found.setdefault((sentence.axis, sentence.name), (op, sentence))
    return list(found.values())[:6]


def _shape(shape: tuple[int | None, ...], layer: Any) -> str:
    return describe_shape(shape, layer.input_axes(len(shape)) if isinstance(layer, Layer) else None)
