"""A model as rows, one per call of a layer: what every rendering (summary, text, picture, page) is made from.

The rows come from the Records of the graph's nodes, or, for a model with a `call` method, from one trace of it.

How to use them: `rows = rows_of(model, expand_nested=True)`; `row.sentences()` says why its sizes are what they are;
`Numbers(model, rows)` (numbers.py) knows what follows from the whole: `numbers.layer(i)`, `numbers.totals()` give the
parts of the document (parents, multiply_adds, activation_bytes, receptive_field, memory), `receptive.box(numbers, i,
cell)` the cells that one cell depends on, `ancestry(numbers, i, axis)` where an axis comes from.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from hornbill.engine.errors import NotBuiltError
from hornbill.engine.graph import Node, OpOperation
from hornbill.engine.layer import Layer
from hornbill.engine.record import Record
from hornbill.engine.shapes import tensors_from_shapes
from hornbill.engine.symbolic import infer_spec
from hornbill.engine.variable import hollow_weights
from hornbill.explain.plain_code import plain_records
from hornbill.explain.rules.base import changed_axes
from hornbill.explain.rules.windows import causal_sentence
from hornbill.explain.sentences import Sentence, sentences_of
from hornbill.explain.sizes import weight_count

__all__ = ["Row", "call_of", "rows_of"]


@dataclass(slots=True)
class Row:
    """One call of a layer or op.

    Attributes:
        layer: The layer, or the op's graph operation.
        name: Its name.
        class_name: Its class, or the op's.
        inputs: Shapes that came in.
        outputs: Shapes that came out.
        parents: Names of the layers whose outputs it takes.
        record: What the call did.
        depth: How many models it stands inside.
        first: Whether this is the layer's first call; its weights count once.
        node: The call in the graph, or None in a model with a `call` of its own.
    """

    layer: Any
    name: str
    class_name: str
    inputs: list[tuple[int | None, ...]]
    outputs: list[tuple[int | None, ...]]
    parents: list[str] = field(default_factory=list)
    record: Record | None = None
    depth: int = 0
    first: bool = True
    node: Node | None = None

    @property
    def params(self) -> int:
        """The number of parameters of the layer."""
        return weight_count(self.layer.weights) if isinstance(self.layer, Layer) else 0

    def sentences(self) -> list[tuple[str, str | None, Sentence]]:
        """Returns `(op name, inner layer's name or None, sentence)` for each checked sentence about the call."""
        if self.record is None:
            return []
        told = list(_sentences(self.record, None))
        return told + _plain_code(self, told)


def _sentences(record: Record, inside: str | None) -> Iterator[tuple[str, str | None, Sentence]]:
    """Yields the sentences about a call, op by op; padding in front of a convolution is told along with it."""
    causal: Sentence | None = None
    calls = [record] if record.kind == "op" else record.children
    for place, call in enumerate(calls):
        if call.kind != "op":
            yield from _sentences(call, inside if record.kind == "root" else call.name)
            continue
        said = sentences_of(call) if call.data else []
        if causal is not None:
            said = [causal if s.axis == causal.axis else s for s in said]
            causal = None
        after = calls[place + 1] if place + 1 < len(calls) else None
        if call.rule == "pad" and after is not None and after.name == "conv":
            causal = causal_sentence(call, after)
        said = [s for s in said if causal is None or s.axis != causal.axis]
        yield from ((call.name, inside, sentence) for sentence in said)
        if call.kind == "op" and call is not record:
            for child in call.children:
                yield from _sentences(child, inside)


def _plain_code(
    row: Row, told: list[tuple[str, str | None, Sentence]]
) -> list[tuple[str, str | None, Sentence]]:
    """Returns sentences about what a layer does by operators or with JAX itself, where no op explains an axis."""
    if not row.inputs or not row.outputs or not isinstance(row.layer, Layer) or row.layer._sublayers():
        return []
    axes = changed_axes(row.inputs[0], row.outputs[0])
    known = {(sentence.axis, sentence.after) for *_, sentence in told}
    left = {axis for axis in axes if (axis, row.outputs[0][axis]) not in known}
    if not left or row.record is None:
        return []
    records = plain_records(row.layer, row.record)
    return [(r.name, None, s) for r in records for s in sentences_of(r) if s.axis is None or s.axis in left]


def rows_of(model: Any, expand_nested: bool = False) -> list[Row]:
    """Returns the rows of a model in the order in which it runs.

    Args:
        model: A model, built or not (then rows lack shapes), or a layer.
        expand_nested: Whether the layers of inner models get rows too.
    """
    rows = list(_rows(model, expand_nested, 0))
    seen: set[int] = set()
    for row in rows:
        row.first = id(row.layer) not in seen
        seen.add(id(row.layer))
    return rows


def call_of(layer: Any, input_shape: Any = None) -> Row:
    """Returns one call of a layer by itself.

    Args:
        layer: A layer.
        input_shape: Shape of its input, without the batch axis, which a twin of the layer gets; that of its last call
            if None.

    Raises:
        NotBuiltError: If the shape of its input is not known.
    """
    if input_shape is not None:
        with hollow_weights():
            layer = type(layer).from_config(layer.get_config())
            dtype = getattr(layer, "wanted_input_dtype", None) or layer.compute_dtype
            layer(tensors_from_shapes((None, *input_shape), dtype))
    if layer._inbound_nodes:
        return _row_of_node(layer._inbound_nodes[-1], 0)
    record = _traced(layer)
    if record is None:
        raise NotBuiltError(
            f"{type(layer).__name__} {layer.name!r} does not know the shape of its input.",
            fixes=("layer.explain(input_shape=(28, 28, 1))", "Call it on Input((28, 28, 1)) first."),
        )
    return _row_of_record(record, 0)


def _rows(model: Any, expand: bool, depth: int) -> Iterator[Row]:
    nodes = _nodes(model)
    if nodes is not None:
        for node in nodes:
            yield _row_of_node(node, depth)
            if expand and _is_model(node.operation):
                yield from _rows(node.operation, expand, depth + 1)
        return
    record = _traced(model)
    if record is None:
        for layer in model._sublayers():
            yield Row(layer, layer.name, type(layer).__name__, [], [], depth=depth)
        return
    called = set()
    for child in _layer_records(record):
        called.add(id(child.source))
        yield _row_of_record(child, depth)
        if expand and _is_model(child.source):
            yield from _rows(child.source, expand, depth + 1)
    for layer in model._sublayers():
        if id(layer) not in called:
            yield Row(layer, layer.name, type(layer).__name__, [], [], depth=depth)


def _is_model(operation: Any) -> bool:
    return isinstance(operation, Layer) and hasattr(operation, "get_layer")


def _nodes(model: Any) -> list[Node] | None:
    """Returns the nodes of a graph model, or None for one with a `call` of its own."""
    graph = model._inner_graph()
    return None if graph is None else graph._program.nodes


def _row_of_node(node: Node, depth: int) -> Row:
    operation: Any = node.operation
    parents = [t._keras_history[0].name for t in node.inputs if t._keras_history is not None]
    outputs = [t.shape for t in node.outputs]
    name = operation.fn.__name__ if isinstance(operation, OpOperation) else type(operation).__name__
    return Row(
        operation, operation.name, name, [t.shape for t in node.inputs], outputs, parents, node.record, depth,
        node=node,
    )  # fmt: skip


def _row_of_record(record: Record, depth: int) -> Row:
    return Row(
        record.source, record.name, type(record.source).__name__, [t.shape for t in record.tensors()],
        [t.shape for t in record.results()], [], record, depth,
    )  # fmt: skip


def _layer_records(record: Record) -> Iterator[Record]:
    for child in record.children:
        if child.kind == "layer":
            yield child


def _traced(model: Any) -> Record | None:
    """Traces a built model on the shapes it was built for and returns its record."""
    shapes = model._build_shapes
    if not model.built or not shapes:
        return None
    tensors = {
        key.removesuffix("_shape"): tensors_from_shapes(shape, model.compute_dtype)
        for key, shape in shapes.items()
    }
    first = tensors.pop("input", None)
    try:
        record = infer_spec(model._run, (first,) if first is not None else (), tensors)[1]
    except NotBuiltError:
        return None
    return record.children[0] if record.children else record
