"""Axes that go away or come anew: reductions, diagonals, counts, sizes that are given."""

from __future__ import annotations

from collections.abc import Iterator

from hornbill.engine.record import Record, TensorSpec
from hornbill.explain.rules.base import (
    Sentence,
    Size,
    axes_of,
    claim,
    kept_axes,
    named,
    product,
    rule,
    said,
    show,
    whole,
)  # fmt: skip

__all__: list[str] = []


def _subject(record: Record) -> TensorSpec:
    """Returns the tensor that is reduced: the predictions of a loss, else the first."""
    output = record.arguments.get("output")
    return output if isinstance(output, TensorSpec) else record.tensors()[0]


def _axes(record: Record, rank: int) -> list[int]:
    arguments = record.arguments
    if record.name == "trace":
        return axes_of((arguments["axis1"], arguments["axis2"]), rank)
    if record.name in ("ctc_loss", "ssim"):
        return list(range(1, rank)) if record.name == "ctc_loss" or rank == 4 else list(range(rank))
    return axes_of(arguments.get("axes", arguments.get("axis")), rank)


@rule("reduction")
def _reduction(record: Record) -> Iterator[Sentence]:
    """Reductions take axes away, or leave them with size 1."""
    inputs = _subject(record)
    rank = len(inputs.shape)
    axes, names = _axes(record, rank), named(record, rank)
    gone = [{"axis": names[a], "size": inputs.shape[a]} for a in axes]
    yield said("reduction", ", ".join(names[a] for a in axes) or "axes", op=record.name, gone=gone)
    q = record.arguments.get("q")
    new = list(q.shape) if isinstance(q, TensorSpec) else [len(q)] if isinstance(q, (list, tuple)) else []
    output = named(record, len(whole(record).shape))
    for axis, size in enumerate(new):
        yield claim(output, axis, None, size, "gather.positions")
    if record.arguments.get("keepdims"):
        for axis in axes:
            yield claim(output, len(new) + axis, inputs.shape[axis], 1, "reduction.kept")
        return
    kept = [a for a in range(rank) if a not in axes]
    yield from kept_axes(record, inputs, [*[None] * len(new), *kept], "axis.moved")


@rule("diagonal")
def _diagonal(record: Record) -> Iterator[Sentence]:
    """Diagonals: matrices become their diagonal, vectors become matrices."""
    inputs, offset = record.tensors()[0], int(record.arguments.get("offset", record.arguments.get("k", 0)))
    shape = inputs.shape
    rank = len(whole(record).shape)
    names = named(record, rank)
    if record.name == "diagflat" or (record.name == "diag" and len(shape) == 1):
        size = product(shape)
        after = None if size is None else size + abs(offset)
        for axis in (0, 1):
            formula = f"{show(size)} + {abs(offset)}" if offset else show(size)
            yield claim(names, axis, size, after, "diagonal.matrix", formula)
        return
    a, b = axes_of((record.arguments.get("axis1", 0), record.arguments.get("axis2", 1)), len(shape))
    rows, columns = shape[a], shape[b]
    if rows is None or columns is None:
        after = None
    else:
        after = max(0, min(rows, columns - offset) if offset >= 0 else min(rows + offset, columns))
    kept = [i for i in range(len(shape)) if i not in (a, b)]
    yield from kept_axes(record, inputs, [*kept, None], "axis.moved")
    yield claim(names, rank - 1, rows, after, "diagonal", f"min({show(rows)}, {show(columns)})")


@rule("given")
def _given(record: Record) -> Iterator[Sentence]:
    """Sizes that an argument says: top_k, histogram, segments, vander, scatter, difference, coordinates."""
    inputs, arguments, name = record.tensors()[0], record.arguments, record.name
    shape, output = inputs.shape, whole(record)
    rank = len(output.shape)
    names = named(record, rank)
    if name == "top_k":
        yield claim(names, rank - 1, shape[-1], int(arguments["k"]), "given")
    elif name == "diff":
        axis, times = int(arguments["axis"]) % rank, int(arguments["n"])
        before = shape[axis]
        after = None if before is None else before - times
        yield claim(
            names,
            axis,
            before,
            after,
            "diff",
            f"{show(before)} - {times}" + ("" if after is None else f" = {after}"),
        )
    elif name == "histogram":
        yield claim(names, 0, product(shape), int(arguments["bins"]), "given")
    elif name.startswith("segment_") and arguments.get("num_segments") is not None:
        yield claim(names, 0, shape[0], int(arguments["num_segments"]), "given")
    elif name == "vander":
        count = arguments.get("N")
        yield claim(names, 1, None, shape[0] if count is None else int(count), "given")
    elif name == "scatter":
        for axis, size in enumerate(arguments["shape"]):
            yield claim(names, axis, None, int(size), "given")
    elif name in ("meshgrid", "corrcoef"):
        yield from _grids(record, shape, names)
    elif name in ("linspace", "logspace", "geomspace"):
        axis = int(arguments.get("axis", 0)) % rank
        yield claim(names, axis, None, int(arguments["num"]), "given")
    elif name == "in_top_k" or name in ("searchsorted", "digitize"):
        yield said("elementwise", op=name)


def _grids(record: Record, shape: tuple[Size, ...], names: tuple[str, ...]) -> Iterator[Sentence]:
    sizes: list[Size] = [product(t.shape) for t in record.tensors()]
    if record.name == "corrcoef":
        sizes = [shape[0] if len(shape) == 2 else 1] * len(names)
    elif record.arguments.get("indexing", "xy") == "xy" and len(sizes) > 1:
        sizes[:2] = sizes[1::-1]
    for axis, size in enumerate(sizes):
        yield claim(names, axis, None, size, "given")
