"""Sums of products and what goes place by place: contraction, broadcast, elementwise, attention, matrices, loops."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hornbill.engine.record import Record, TensorSpec
from hornbill.explain.rules.base import (
    Sentence,
    Size,
    axes_of,
    claim,
    first_spec,
    named,
    product,
    rule,
    said,
    show,
    whole,
)  # fmt: skip

__all__ = ["einsum_terms"]

_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def einsum_terms(record: Record) -> tuple[list[str], str, list[TensorSpec]] | None:
    """Returns a sum of products as `einsum` writes it: a term per tensor, the result's term, and the tensors.

    None for a product by a number alone.
    """
    tensors = record.tensors()
    if record.name == "einsum":
        return _spelled(record.arguments["subscripts"], tensors)
    if len(tensors) < 2 or not tensors[0].shape or not tensors[1].shape:
        return None
    a, b = len(tensors[0].shape), len(tensors[1].shape)
    if record.name == "matmul":
        return _matmul_terms(tensors)
    axes = record.arguments.get("axes", 2)
    if record.name == "inner":
        pairs = [(a - 1, b - 1)]
    elif record.name == "dot":
        pairs = [(a - 1, max(b - 2, 0))]
    elif record.name == "tensordot":
        if isinstance(axes, int):
            pairs = [(a - axes + i, i) for i in range(axes)]
        else:
            first, second = (axes_of(x, r) for x, r in zip(axes, (a, b), strict=True))
            pairs = list(zip(first, second, strict=True))
    elif record.name == "outer":
        pairs = []
    else:
        return None
    left, right = list(_LETTERS[:a]), list(_LETTERS[a : a + b])
    for i, j in pairs:
        right[j] = left[i]
    gone = {left[i] for i, _ in pairs}
    result = "".join(x for x in [*left, *right] if x not in gone)
    return ["".join(left), "".join(right)], result, tensors[:2]


def _matmul_terms(tensors: list[TensorSpec]) -> tuple[list[str], str, list[TensorSpec]]:
    a, b = len(tensors[0].shape), len(tensors[1].shape)
    stack = max(a, b, 2) - 2
    rows, summed, columns = _LETTERS[stack], _LETTERS[stack + 1], _LETTERS[stack + 2]
    left = _LETTERS[stack - max(a - 2, 0) : stack] + (rows if a > 1 else "") + summed
    right = _LETTERS[stack - max(b - 2, 0) : stack] + summed + (columns if b > 1 else "")
    result = _LETTERS[:stack] + (rows if a > 1 else "") + (columns if b > 1 else "")
    return [left, right], result, tensors[:2]


def _spelled(subscripts: str, tensors: list[TensorSpec]) -> tuple[list[str], str, list[TensorSpec]]:
    """Returns the terms of an einsum with letters of its own in place of `...` and of a missing result."""
    text = subscripts.replace(" ", "")
    left, arrow, result = text.partition("->")
    terms = left.split(",")
    widest = max(len(t.shape) - len(term.replace("...", "")) for t, term in zip(tensors, terms, strict=True))
    dots = "".join(x for x in reversed(_LETTERS) if x not in text)[:widest] if "..." in text else ""
    if not arrow:
        letters = sorted(set(left) - {",", "."})
        result = "..." * ("..." in left) + "".join(x for x in letters if left.count(x) == 1)
    filled = []
    for t, term in zip(tensors, terms, strict=True):
        own = len(t.shape) - len(term.replace("...", ""))
        filled.append(term.replace("...", dots[len(dots) - own :]))
    return filled, result.replace("...", dots), tensors


@rule("contraction")
def _contraction(record: Record) -> Iterator[Sentence]:
    """Products summed over shared axes: every other axis comes from one of the tensors."""
    if record.name == "outer":
        yield from _outer(record)
        return
    found = einsum_terms(record)
    if found is None:
        return
    terms, result, tensors = found
    names, first = named(record, len(result)), tensors[0].shape
    dense = (
        len(terms) == 2
        and len(terms[1]) == 2
        and result == terms[0][:-1] + terms[1][1]
        and terms[1][0] == terms[0][-1]
    )
    for axis, letter in enumerate(result):
        holders = [(i, term.index(letter)) for i, term in enumerate(terms) if letter in term]
        sizes = [tensors[i].shape[place] for i, place in holders]
        size = next((s for s in sizes if s != 1), 1)
        here = first[axis] if axis < len(first) else None
        if dense and axis == len(result) - 1:
            key = "contraction.last_axis.shared" if axis > 1 else "contraction.last_axis"
            yield claim(names, axis, first[-1], size, key, "", summed=first[-1])
            continue
        if holders[0] == (0, axis):
            continue  # the axis of the first tensor, at its place
        number, place = holders[0]
        yield claim(names, axis, here, size, "contraction.from", tensor=number + 1, place=place)
    summed = [x for x in dict.fromkeys("".join(terms)) if x not in result]
    if summed and not dense:
        sizes = [
            next(t.shape[m.index(x)] for t, m in zip(tensors, terms, strict=True) if x in m) for x in summed
        ]
        yield said("contraction.summed", sizes=sizes, letters=summed)


def _outer(record: Record) -> Iterator[Sentence]:
    tensors = record.tensors()
    for axis, tensor in enumerate(tensors[:2]):
        size = product(tensor.shape)
        yield claim(named(record, 2), axis, size, size, "contraction.from", tensor=axis + 1, place=0)


def _broadcast(sizes: Sequence[Size]) -> Size:
    """Returns the size that several stretch to; unknown ones win over 1."""
    larger = [size for size in sizes if size != 1]
    known = [size for size in larger if size is not None]
    return known[0] if known else (None if larger else 1)


@rule("broadcast")
def _broadcasting(record: Record) -> Iterator[Sentence]:
    """Place by place on several tensors: sizes of 1 are repeated."""
    output = whole(record)
    rank = len(output.shape)
    tensors, names = record.tensors(), named(record, rank)
    shapes = [t.shape for t in tensors]
    if record.name == "broadcast_to":
        wanted = record.arguments["shape"]
        shapes.append(tuple(wanted) if isinstance(wanted, (tuple, list)) else (wanted,))
    widened = False
    for axis in range(rank):
        sizes = [s[len(s) - rank + axis] for s in shapes if len(s) - rank + axis >= 0]
        if not sizes:
            continue
        before = sizes[0] if len(shapes[0]) - rank + axis >= 0 else None
        after = _broadcast(sizes)
        if len(shapes[0]) < rank and len(shapes[0]) - rank + axis < 0:
            widened = True
            yield claim(names, axis, None, after, "broadcast.new")
        elif before != after:
            widened = True
            yield claim(names, axis, before, after, "broadcast.repeated")
        elif rank > len(shapes[0]):
            place = len(shapes[0]) - rank + axis
            moved = {"axis": named(record, len(shapes[0]))[place], "size": before}
            yield claim(names, axis, before, after, "axis.moved", moved=moved, place=place, to=axis)
    if not widened and rank:
        yield said("elementwise", op=record.name)


@rule("elementwise")
def _elementwise(record: Record) -> Iterator[Sentence]:
    """Place by place: the shape stays."""
    inputs, output = record.tensors()[0], whole(record)
    if record.arguments.get("axis", 0) is None and len(inputs.shape) > 1 and len(output.shape) == 1:
        size = product(inputs.shape)
        yield claim(
            named(record, 1),
            0,
            size,
            size,
            "reshape.flat",
            f"{' * '.join(map(show, inputs.shape))} = {show(size)}",
        )
    elif record.name in ("rgb_to_grayscale", "sobel_edges"):
        axis = len(output.shape) - 1
        if record.name == "rgb_to_grayscale" and record.arguments.get("data_format") == "channels_first":
            axis = len(output.shape) - 3
        grey = record.name == "rgb_to_grayscale"
        before, after = (inputs.shape[axis], 1) if grey else (None, 2)
        key = "image.grey" if grey else "image.edges"
        yield claim(named(record, len(output.shape)), axis, before, after, key)
    elif len(output.shape) == len(inputs.shape):
        yield said("elementwise", op=record.name)


@rule("normalize")
def _normalize(record: Record) -> Iterator[Sentence]:
    """Values are brought to a common scale by statistics over some axes; the shape stays."""
    inputs = record.tensors()[0]
    rank = len(inputs.shape)
    names = named(record, rank)
    over = axes_of(record.arguments.get("axis", -1), rank)
    if record.name == "batch_normalization":  # there the axis is the one that is kept apart
        over = [a for a in range(rank) if a not in over]
    gone = [{"axis": names[a], "size": inputs.shape[a]} for a in over]
    key = "normalize.shares" if "softmax" in record.name or record.name == "sparsemax" else "normalize"
    yield said(key, gone=gone, op=record.name)


@rule("attention")
def _attention(record: Record) -> Iterator[Sentence]:
    """Attention: the queries decide the length, the values the features."""
    tensors = record.tensors()
    query, value = tensors[0], tensors[2]
    names = ("batch", "query steps", "heads", "features")
    yield claim(names, 1, query.shape[1], query.shape[1], "attention.queries", keys=tensors[1].shape[1])
    yield claim(names, 2, query.shape[2], query.shape[2], "attention.heads")
    yield claim(names, 3, query.shape[3], value.shape[3], "attention.values")


@rule("linalg")
def _linalg(record: Record) -> Iterator[Sentence]:
    """Matrices: what is left of their rows and columns."""
    inputs, output = record.tensors()[0], whole(record)
    *stack, rows, columns = inputs.shape if len(inputs.shape) > 1 else (None, None)
    count, name, arguments = len(stack), record.name, record.arguments
    sizes = [size for size in (rows, columns) if size is not None]
    small = min(sizes) if sizes else None  # a size not known stands for a large one
    names = (*named(record, count), "rows", "columns") if count else ("rows", "columns")
    after: list[Size] = []
    if name in ("cholesky", "cholesky_inverse", "inv", "lu_factor", "expm"):
        after = [rows, columns]
    elif name == "pinv":
        after = [columns, rows]
    elif name in ("eig", "eigh"):
        after = [rows]
    elif name == "qr":
        after = [rows, small if arguments.get("mode", "reduced") == "reduced" else rows]
    elif name == "svd":
        after = [rows, rows if arguments.get("full_matrices", True) else small]
        after = after if arguments.get("compute_uv", True) else [small]
    elif name in ("solve", "solve_triangular", "lstsq"):
        right = record.tensors()[1].shape
        after = [columns, right[-1]] if len(right) == len(inputs.shape) else [columns]
    if len(output.shape) != count + len(after):
        return
    if after:
        for i, size in enumerate(after):
            yield claim(names, count + i, inputs.shape[count + i], size, "linalg.size", op=name)
    else:
        yield said("linalg.number", op=name, rows=rows, columns=columns)


@rule("cross")
def _cross(record: Record) -> Iterator[Sentence]:
    """Two tensors that meet row by row: distances, Kronecker products, correlations."""
    first, second = (t.shape for t in record.tensors()[:2])
    if record.name == "kron":
        rank = max(len(first), len(second))
        left, right = ((1,) * (rank - len(s)) + tuple(s) for s in (first, second))
        for axis, (a, b) in enumerate(zip(left, right, strict=True)):
            after = product((a, b))
            yield claim(
                named(record, rank), axis, a, after, "upsample", f"{show(a)} * {show(b)} = {show(after)}"
            )
    elif record.name == "correlate":
        a, b, mode = first[0], second[0], record.arguments["mode"]
        if a is not None and b is not None:  # two sizes not known may be one and the same, so nothing follows
            long, short = max(a, b), min(a, b)
            after = {"valid": long - short + 1, "full": long + short - 1}.get(mode, long)
            formula = {"valid": f"{long} - {short} + 1 = {after}", "full": f"{long} + {short} - 1 = {after}"}
            yield claim(("steps",), 0, a, after, "window.valid", formula.get(mode, f"{after}"))
    elif record.name == "cdist":
        names = (*named(record, len(first) - 2), "rows of the first", "rows of the second")
        rank = len(first)
        yield claim(names, rank - 2, first[-2], first[-2], "contraction.from", tensor=1, place=rank - 2)
        yield claim(
            names, rank - 1, first[-1], second[-2], "contraction.from", tensor=2, place=len(second) - 2
        )


@rule("fourier")
def _fourier(record: Record) -> Iterator[Sentence]:
    """Fourier transforms along the last axes: of real numbers half the mirror image is left out."""
    inputs = record.tensors()[0]
    rank, before = len(inputs.shape), inputs.shape[-1]
    names, length = named(record, rank), record.arguments.get("fft_length")
    if record.name == "rfft":
        size = before if length is None else int(length)
        after = None if size is None else size // 2 + 1
        yield claim(
            names,
            rank - 1,
            before,
            after,
            "fourier.half",
            f"{show(size)} // 2 + 1" + ("" if after is None else f" = {after}"),
        )
    elif record.name == "irfft":
        after = (None if before is None else 2 * (before - 1)) if length is None else int(length)
        formula = (
            f"2 * ({show(before)} - 1)" + ("" if after is None else f" = {after}")
            if length is None
            else f"{after}"
        )
        yield claim(names, rank - 1, before, after, "fourier.full", formula)
    elif record.name == "istft":
        yield from _inverse_frames(record)
    else:
        yield said("elementwise", op=record.name)


def _inverse_frames(record: Record) -> Iterator[Sentence]:
    arguments, shape = record.arguments, record.tensors()[0].shape
    frames, length, step = shape[-2], int(arguments["fft_length"]), int(arguments["sequence_stride"])
    names = named(record, len(shape) - 1)
    if frames is None:
        after, formula = None, f"{length} + (n - 1) * {step}"
    else:
        whole_length = length + (frames - 1) * step
        start = length // 2 if arguments["center"] else 0
        wanted = arguments["length"]
        end = whole_length - start if wanted is None else min(whole_length, start + int(wanted))
        after = end - start
        formula = f"{length} + ({frames} - 1) * {step} = {whole_length}, {start} .. {end}"
    yield claim(names, len(shape) - 2, frames, after, "window.frames_joined", formula)


@rule("loop")
def _loop(record: Record) -> Iterator[Sentence]:
    """A loop over time: one output per step, or the last one; each as large as the cell's state."""
    inputs, output, arguments = record.tensors()[0], whole(record), record.arguments
    steps, state = inputs.shape[1], first_spec(arguments["states"])
    if arguments["collect"]:
        yield claim(named(record, len(output.shape)), 1, steps, steps, "loop.each_step")
    else:
        yield said("loop.last_step", steps=steps)
    if state is None or not arguments["output_is_state"]:
        return
    shift = int(arguments["collect"])
    names = named(record, len(output.shape))
    for axis in range(1, len(state.shape)):
        before = inputs.shape[axis + 1] if axis + 1 < len(inputs.shape) else None
        yield claim(names, axis + shift, before, state.shape[axis], "loop.state")


@rule("complex")
def _complex(record: Record) -> Iterator[Sentence]:
    """Pairs of real numbers as complex ones, and back."""
    inputs, output = record.tensors()[0], whole(record)
    if len(output.shape) > len(inputs.shape):
        yield claim(named(record, len(output.shape)), len(output.shape) - 1, None, 2, "complex.pair")
    else:
        yield said("complex.joined")
