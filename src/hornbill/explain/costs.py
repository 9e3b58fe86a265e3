"""What a call costs: multiply-adds forward and in training, elementwise work, bytes of activations.

Counted from the records of one trace, batch of one: each product (convolution, matrix product, attention) by its own
formula, the ops of a loop as often as it runs. Training adds a product of the same size for each factor that needs a
gradient: the weights, when trained, and the input, unless nothing before it is trained.

Multiplications with the zeros of padding are left out, as XLA's own analysis does; `padding=True` counts them, as many
tables do: then a convolution costs its output cells times the weights of a filter.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from hornbill.engine.products import PRODUCTS, multiply_adds
from hornbill.engine.record import Record, TensorSpec
from hornbill.explain.rules.base import first_spec
from hornbill.explain.rules.products import einsum_terms
from hornbill.explain.rules.windows import Geometry, geometry_of
from hornbill.explain.sizes import bytes_of_dtype
from hornbill.explain.trace import Step, Trace

__all__ = ["Cost", "cost_of", "tensor_bytes"]

_PLACE_BY_PLACE = ("elementwise", "broadcast", "normalize")


@dataclass(frozen=True, slots=True)
class Cost:
    """What one call costs, per sample.

    Attributes:
        forward: Multiply-adds of products.
        training: Those of a training step: forward and gradients.
        elementwise: Numbers worked out one by one (activations, additions, normalisation, pooling), forward.
    """

    forward: int = 0
    training: int = 0
    elementwise: int = 0

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.forward + other.forward, self.training + other.training, self.elementwise + other.elementwise
        )

    def times(self, count: int) -> Cost:
        """Returns the cost of so many of these calls."""
        return Cost(self.forward * count, self.training * count, self.elementwise * count)


def cost_of(record: Record, trace: Trace, padding: bool = False, inside: bool | None = None) -> Cost:
    """Returns the cost of a recorded call.

    Args:
        record: The call; all its sizes are known.
        trace: The trace that it is from, which knows what is trained.
        padding: Whether multiplications with the zeros of padding count.
        inside: Within a loop, where the trace does not look: whether what goes round is trained.
    """
    total = Cost()
    if record.kind == "op":
        forward = _products(record, padding)
        training = forward + sum(forward for part in _factors(record, trace, inside) if part)
        total = Cost(forward, training, _elements(record))
    if record.rule == "loop":
        steps = record.tensors()[0].shape[1] or 0
        places = trace.places.get(id(record))
        inside = True if inside is None or places is None else inside
        return total + sum((cost_of(r, trace, padding, inside) for r in record.children), Cost()).times(steps)
    total += _outside_ops(record, trace)
    return total + sum((cost_of(r, trace, padding, inside) for r in record.children), Cost())


def _outside_ops(record: Record, trace: Trace) -> Cost:
    """Returns the cost of products that a layer does without an op: `x @ kernel`, or with JAX itself."""
    span = trace.spans.get(id(record))
    if record.kind == "op" or span is None:
        return Cost()
    inner = [trace.spans[id(r)] for r in record.children if id(r) in trace.spans]
    total = Cost()
    for place in range(*span):
        step = trace.steps[place]
        if step.name not in PRODUCTS or not all(map(trace.varies, step.inputs[:2])):
            continue
        if not any(first <= place <= last for first, last in inner):
            forward = _of_step(step, trace)
            total += Cost(
                forward, forward * (1 + sum(trace.trained[n] for n in step.inputs[:2] if n is not None))
            )
    return total


def _of_step(step: Step, trace: Trace) -> int:
    left, right = (trace.shapes[n] for n in step.inputs[:2] if n is not None)
    return multiply_adds(step.name, step.params, left, right, trace.shapes[step.outputs[0]])


def _factors(record: Record, trace: Trace, inside: bool | None) -> list[bool]:
    """Returns for each factor of a product whether training needs its gradient."""
    numbers = trace.places.get(id(record), {"in": []})["in"]
    count = {"separable_conv": 2, "attention": 2}.get(record.rule or "", 2)
    if len(numbers) < count:
        return [bool(inside)] * 2
    if (
        record.name == "separable_conv"
    ):  # two products: the inputs and the depthwise kernel, its result and the other
        first, depthwise, pointwise = (trace.trained[n] for n in numbers[:3])
        return [first or depthwise, depthwise or pointwise]
    if record.rule == "attention":
        return [True, True] if any(trace.trained[n] for n in numbers[:3]) else [False, False]
    return [trace.trained[n] for n in numbers]


def _products(record: Record, padding: bool) -> int:
    name = record.name
    if record.rule == "contraction":
        found = einsum_terms(record)
        if found is None:
            return 0
        terms, _, tensors = found
        sizes = {
            x: s
            for term, t in zip(terms, tensors, strict=True)
            for x, s in zip(term, t.shape, strict=True)
            if s != 1
        }
        return math.prod(sizes.values()) if len(tensors) > 1 else 0  # type: ignore[arg-type]
    if record.rule == "attention":
        query, key, value = record.tensors()[:3]
        batch, length, heads, size = query.shape
        return batch * length * heads * key.shape[1] * (size + value.shape[3])  # type: ignore[operator]
    if name not in ("conv", "depthwise_conv", "separable_conv", "conv_transpose"):
        return 0
    window = geometry_of(record)
    return 0 if window is None else _convolution(record, window, padding)


def _convolution(record: Record, window: Geometry, padding: bool) -> int:
    output = first_spec(record.output)
    kernel = window.kernel
    if output is None or kernel is None:
        return 0
    batch, channels = window.inputs.shape[0], window.inputs.shape[window.channel]
    taps = math.prod(_taps(record, window, i, padding) for i in range(window.rank))
    if record.name == "conv":
        return batch * taps * math.prod(kernel.shape[-2:])  # type: ignore[operator,arg-type]
    if record.name == "conv_transpose":
        return batch * taps * math.prod(kernel.shape[-2:])  # type: ignore[operator,arg-type]
    deep = (channels or 0) * (kernel.shape[-1] or 0)
    total = batch * taps * deep  # type: ignore[operator]
    if record.name == "separable_conv":
        places = math.prod(output.shape[a] for a in window.axes)  # type: ignore[misc]
        total += batch * places * deep * record.arguments["pointwise_kernel"].shape[-1]
    return total


def _taps(record: Record, window: Geometry, i: int, padding: bool) -> int:
    """Returns how many pairs of a kernel cell and an input cell meet along a spatial axis."""
    size, step, stride = window.sizes[i], window.dilation[i], window.strides[i]
    before = window.inputs.shape[window.axes[i]] or 0
    if record.name == "conv_transpose":
        return before * size
    count = window.output_size(i) or 0
    if padding:
        return count * size
    front = (window.pads(i) or (0, 0))[0]
    return sum(
        0 <= place * stride - front + cell * step < before for place in range(count) for cell in range(size)
    )


def _elements(record: Record) -> int:
    output = first_spec(record.output)
    pooling = record.rule in ("window", "adaptive_window") and _products(record, True) == 0
    if output is None or not (pooling or record.rule in _PLACE_BY_PLACE or record.rule == "reduction"):
        return 0
    tensor = record.tensors()[0] if record.rule == "reduction" and record.tensors() else output
    return math.prod(tensor.shape)  # type: ignore[arg-type]


def tensor_bytes(value: Any) -> int:
    """Returns the bytes of the tensors of a structure of which all sizes are known."""
    if isinstance(value, TensorSpec):
        return math.prod(value.shape) * bytes_of_dtype(value.dtype)  # type: ignore[arg-type]
    if isinstance(value, dict):
        value = list(value.values())
    return sum(map(tensor_bytes, value)) if isinstance(value, (list, tuple)) else 0
