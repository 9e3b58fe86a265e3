"""The sentence rules: why an op's output has the size it has, with the numbers put in.

Each op names its rule (`@op(rule="window")`). A rule reads the record of one call and says, axis by axis, how the
output size follows from the input. What it says is checked: a rule computes the size itself, and a sentence whose
number differs from the traced one is never shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hornbill.engine.axes import SPATIAL, axis_names
from hornbill.engine.record import Record, TensorSpec
from hornbill.explain.languages import Catalogue, words

__all__ = ["RULES", "Sentence", "sentences_of"]


@dataclass(frozen=True, slots=True)
class Sentence:
    """Why one axis of an output has its size, free of any language.

    Attributes:
        axis: Index of the output axis the sentence is about, or None when it is about all of them.
        name: Name of the axis, in English.
        before: Size before, None if unknown or none.
        after: Size that the rule computes; None if unknown.
        key: Key of its template in the catalogues of `languages`.
        values: What the template needs besides `before`, `after` and `formula`; plain JSON values.
        formula: The arithmetic without words, `(28 - 3) // 1 + 1 = 26`; n stands for a size not known; "" if there is
            none.
    """

    axis: int | None
    name: str
    before: int | None
    after: int | None
    key: str
    values: dict[str, Any] = field(default_factory=dict)
    formula: str = ""

    def say(self, catalogue: Catalogue) -> str:
        """Returns the sentence in the words of a catalogue."""
        given = {
            "name": {"axis": self.name},
            "before": self.before,
            "after": self.after,
            "formula": self.formula,
        }
        return catalogue.say(self.key, **{**given, **self.values})

    @property
    def text(self) -> str:
        """The sentence in English."""
        return self.say(words("en"))


Rule = Callable[[Record], Iterator[Sentence]]
RULES: dict[str, Rule] = {}


def rule(name: str) -> Callable[[Rule], Rule]:
    """Returns a decorator that enters a rule under the name that ops give."""

    def enter(fn: Rule) -> Rule:
        RULES[name] = fn
        return fn

    return enter


def sentences_of(record: Record) -> list[Sentence]:
    """Returns the sentences about one op call that agree with the traced output."""
    found = RULES.get(record.rule or "")
    output = _first(record.output)
    if found is None or output is None:
        return []
    try:
        claims = list(found(record))
    except (KeyError, TypeError, ValueError, IndexError, ZeroDivisionError):
        return []
    return [
        s
        for s in claims
        if s.axis is None or (s.axis < len(output.shape) and output.shape[s.axis] == s.after)
    ]


def _first(value: Any) -> TensorSpec | None:
    if isinstance(value, TensorSpec):
        return value
    if isinstance(value, (list, tuple)):
        return next((found for item in value if (found := _first(item)) is not None), None)
    return None


def _tuple(value: Any, rank: int, default: int = 1) -> tuple[int, ...]:
    if value is None:
        return (default,) * rank
    return (int(value),) * rank if isinstance(value, int) else tuple(int(v) for v in value)


def _window_geometry(
    record: Record,
) -> tuple[TensorSpec, int, list[int], tuple[int, ...], tuple[int, ...], str, Any]:
    """Returns input, rank, spatial axes, window sizes, strides, data format and output of a window op."""
    inputs, arguments = record.tensors()[0], record.arguments
    rank = len(inputs.shape) - 2
    data_format = arguments.get("data_format") or "channels_last"
    first = 2 if data_format == "channels_first" else 1
    kernel = next(
        (arguments[k] for k in ("kernel", "depthwise_kernel") if isinstance(arguments.get(k), TensorSpec)),
        None,
    )
    sizes = kernel.shape[:rank] if kernel is not None else _tuple(arguments.get("pool_size"), rank)
    strides = arguments.get("strides")
    strides = _tuple(strides if strides is not None else (1 if kernel is not None else sizes), rank)
    return inputs, rank, list(range(first, first + rank)), sizes, strides, data_format, _first(record.output)  # type: ignore[return-value]


@rule("window")
def _window(record: Record) -> Iterator[Sentence]:
    """Convolution and pooling: valid: (in - reach) // stride + 1; same: ceil(in / stride)."""
    inputs, rank, axes, sizes, strides, data_format, _ = _window_geometry(record)
    dilation = _tuple(record.arguments.get("dilation_rate"), rank)
    padding = str(record.arguments.get("padding", "valid")).lower()
    names = SPATIAL.get(rank, tuple(f"axis {i}" for i in range(rank)))
    for i, axis in enumerate(axes):
        before, kernel, stride, step = inputs.shape[axis], sizes[i], strides[i], dilation[i]
        reach = step * (kernel - 1) + 1
        shown = f"{reach}" if step == 1 else f"({step} * ({kernel} - 1) + 1)"
        if before is None:
            known = {"n": {"axis": names[i]}}
            if padding == "same":
                yield Sentence(
                    axis, names[i], None, None, "window.same.unknown", known, f"ceil(n / {stride})"
                )
            else:
                yield Sentence(
                    axis, names[i], None, None, "window.valid", known, f"(n - {shown}) // {stride} + 1"
                )
        elif padding == "same":
            after = -(-before // stride)
            pad = max((after - 1) * stride + reach - before, 0)
            formula = (
                f"{before} + {pad} - ({reach} - 1) = {after}"
                if stride == 1
                else f"ceil({before} / {stride}) = {after}"
            )
            values = {"left": pad // 2, "right": pad - pad // 2} if pad else {}
            yield Sentence(
                axis,
                names[i],
                before,
                after,
                "window.same" if pad else "window.same.unpadded",
                values,
                formula,
            )
        else:
            after = (before - reach) // stride + 1
            yield Sentence(
                axis,
                names[i],
                before,
                after,
                "window.valid",
                {},
                f"({before} - {shown}) // {stride} + 1 = {after}",
            )
    kernel = next(
        (record.arguments[k] for k in ("kernel",) if isinstance(record.arguments.get(k), TensorSpec)), None
    )
    if kernel is not None and record.name == "conv":
        channel = 1 if data_format == "channels_first" else rank + 1
        filters = kernel.shape[-1]
        yield Sentence(
            channel, "channels", inputs.shape[channel], filters, "window.filters", {"filters": filters}
        )


@rule("transposed_window")
def _transposed_window(record: Record) -> Iterator[Sentence]:
    """Transposed convolution: same: in * stride; valid: in * stride + max(reach - stride, 0)."""
    inputs, rank, axes, sizes, strides, data_format, output = _window_geometry(record)
    dilation = _tuple(record.arguments.get("dilation_rate"), rank)
    padding = str(record.arguments.get("padding", "valid")).lower()
    extra = record.arguments.get("output_padding")
    names = SPATIAL.get(rank, tuple(f"axis {i}" for i in range(rank)))
    extras = None if extra is None else _tuple(extra, rank)
    for i, axis in enumerate(axes):
        before, stride = inputs.shape[axis], strides[i]
        reach = dilation[i] * (sizes[i] - 1) + 1
        if before is None:
            yield Sentence(
                axis, names[i], None, None, "transposed.same", {"n": {"axis": names[i]}}, f"n * {stride}"
            )
        elif extras is None and padding == "same":
            after = before * stride
            yield Sentence(
                axis, names[i], before, after, "transposed.same", {}, f"{before} * {stride} = {after}"
            )
        elif extras is None:
            after = before * stride + max(reach - stride, 0)
            formula = f"{before} * {stride} + max({reach} - {stride}, 0) = {after}"
            yield Sentence(axis, names[i], before, after, "transposed.valid", {}, formula)
        else:
            cut = 2 * (reach // 2) if padding == "same" else 0
            after = (before - 1) * stride + reach - cut + extras[i]
            formula = f"({before} - 1) * {stride} + {reach} - {cut} + {extras[i]} = {after}"
            yield Sentence(
                axis, names[i], before, after, "transposed.output_padding", {"extra": extras[i]}, formula
            )
    channel = 1 if data_format == "channels_first" else rank + 1
    if output is not None:
        filters = output.shape[channel]
        yield Sentence(
            channel, "channels", inputs.shape[channel], filters, "transposed.filters", {"filters": filters}
        )


@rule("contraction")
def _contraction(record: Record) -> Iterator[Sentence]:
    """Matrix products: the last axis of the first is summed against an axis of the second."""
    tensors, output = record.tensors(), _first(record.output)
    if len(tensors) < 2 or output is None or record.name not in ("matmul", "dot"):
        return
    first, second = tensors[0], tensors[1]
    if len(second.shape) == 2 and len(first.shape) >= 2:
        axis = len(first.shape) - 1
        before, after = first.shape[-1], second.shape[-1]
        yield Sentence(
            axis,
            "features",
            before,
            after,
            "contraction.last_axis.shared" if axis > 1 else "contraction.last_axis",
        )


@rule("concatenate")
def _concatenate(record: Record) -> Iterator[Sentence]:
    """Concatenation: sizes along the axis add up."""
    tensors, output = record.tensors(), _first(record.output)
    if record.name != "concatenate" or output is None:
        return
    axis = int(record.arguments.get("axis") or 0) % len(output.shape)
    sizes = [t.shape[axis] for t in tensors]
    if None in sizes:
        return
    total = sum(sizes)  # type: ignore[arg-type]
    yield Sentence(
        axis, axis_names(len(output.shape))[axis], sizes[0], total, "concatenate", {},
        f"{' + '.join(map(str, sizes))} = {total}",
    )  # fmt: skip


@rule("reshape")
def _reshape(record: Record) -> Iterator[Sentence]:
    """Reshaping keeps the number of elements."""
    inputs, output = record.tensors()[0], _first(record.output)
    if output is None or not inputs.shape:
        return
    before, after = inputs.shape[1:], output.shape[1:]
    if None in before or None in after or inputs.shape[0] != output.shape[0]:
        return
    count = int(np.prod(before, dtype=np.int64))  # type: ignore[arg-type]
    if int(np.prod(after, dtype=np.int64)) == count:  # type: ignore[arg-type]
        left = " * ".join(map(str, before)) or "1"
        right = " * ".join(map(str, after)) or "1"
        yield Sentence(
            len(output.shape) - 1,
            "elements",
            None,
            after[-1] if after else output.shape[-1],
            "reshape",
            {},
            f"{left} = {right}" if len(after) > 1 else f"{left} = {count}",
        )


@rule("reduction")
def _reduction(record: Record) -> Iterator[Sentence]:
    """Reductions take axes away."""
    inputs, output = record.tensors()[0], _first(record.output)
    axis = record.arguments.get("axis")
    if output is None or axis is None:
        return
    axes = [int(a) % len(inputs.shape) for a in (axis if isinstance(axis, (tuple, list)) else [axis])]
    names = axis_names(len(inputs.shape))
    gone = [{"axis": names[a], "size": inputs.shape[a]} for a in axes]
    name = ", ".join(names[a] for a in axes)
    yield Sentence(None, name, None, None, "reduction", {"op": record.name, "gone": gone})


@rule("upsample")
def _upsample(record: Record) -> Iterator[Sentence]:
    """Repetition: sizes are multiplied."""
    inputs, output = record.tensors()[0], _first(record.output)
    if output is None or len(inputs.shape) != len(output.shape):
        return
    names = axis_names(len(output.shape))
    for axis, (before, after) in enumerate(zip(inputs.shape, output.shape, strict=True)):
        if before and after and before != after and after % before == 0:
            formula = f"{before} * {after // before} = {after}"
            yield Sentence(axis, names[axis], before, after, "upsample", {}, formula)


@rule("pad")
def _pad(record: Record) -> Iterator[Sentence]:
    """Padding: sizes grow by what is put on both sides."""
    inputs, output, widths = record.tensors()[0], _first(record.output), record.arguments.get("pad_width")
    if output is None or not isinstance(widths, (tuple, list)) or len(widths) != len(output.shape):
        return
    names = axis_names(len(output.shape))
    for axis, width in enumerate(widths):
        before = inputs.shape[axis]
        left, right = width if isinstance(width, (tuple, list)) else (width, width)
        if (left or right) and before is not None:
            yield Sentence(
                axis,
                names[axis],
                before,
                before + left + right,
                "pad",
                {},
                f"{left} + {before} + {right} = {before + left + right}",
            )


@rule("transpose")
def _transpose(record: Record) -> Iterator[Sentence]:
    """Transposing moves axes."""
    order = record.arguments.get("axes")
    if order is not None:
        yield Sentence(None, "axes", None, None, "transpose", {"order": list(order)})


@rule("gather")
def _gather(record: Record) -> Iterator[Sentence]:
    """Looking rows up: each index becomes a row."""
    tensors, output = record.tensors(), _first(record.output)
    if output is None or len(tensors) < 2:
        return
    table = tensors[0]
    if len(table.shape) == 2 and output.shape and output.shape[-1] == table.shape[-1]:
        yield Sentence(
            len(output.shape) - 1,
            "features",
            None,
            table.shape[-1],
            "gather.row",
        )


@rule("attention")
def _attention(record: Record) -> Iterator[Sentence]:
    """Attention: the queries decide the length, the values the features."""
    tensors, output = record.tensors(), _first(record.output)
    if output is None or len(tensors) < 3:
        return
    query, value = tensors[0], tensors[2]
    yield Sentence(
        1,
        "query steps",
        query.shape[1],
        query.shape[1],
        "attention.queries",
    )
    last = len(output.shape) - 1
    yield Sentence(
        last,
        "features",
        query.shape[-1],
        value.shape[-1],
        "attention.values",
    )


@rule("split")
def _split(record: Record) -> Iterator[Sentence]:
    """Splitting divides an axis."""
    inputs, output, axis = record.tensors()[0], _first(record.output), record.arguments.get("axis", 0)
    sections = record.arguments.get("indices_or_sections")
    if output is None or not isinstance(axis, int) or not isinstance(sections, int):
        return
    axis %= len(inputs.shape)
    before = inputs.shape[axis]
    if before is not None:
        yield Sentence(
            axis,
            axis_names(len(inputs.shape))[axis],
            before,
            before // sections,
            "split",
            {},
            f"{before} / {sections} = {before // sections}",
        )
