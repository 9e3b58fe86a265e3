"""The document: everything that is known about a model's numbers, as plain JSON data.

Every rendering (text, Markdown, HTML, page, summary) takes its numbers from here. Nothing is computed in this module:
it gathers what rows, sentences, counts, costs, receptive fields and memory say.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hornbill.engine.axes import axis_names
from hornbill.engine.graph import OpOperation
from hornbill.engine.layer import Layer
from hornbill.engine.record import Record
from hornbill.explain.counts import count_formula, weight_document
from hornbill.explain.languages import Catalogue, words
from hornbill.explain.numbers import Numbers
from hornbill.explain.pitfalls import pitfalls
from hornbill.explain.rows import Row, call_of, rows_of
from hornbill.explain.sizes import weight_bytes, weight_count
from hornbill.explain.spelling import code_of, config_of, plain
from hornbill.explain.window import window_of
from hornbill.explain.wording import count_sentence_of

__all__ = ["SCHEMA", "VERSION", "build", "build_layer"]

SCHEMA, VERSION = "hornbill.explanation", 1


def build(model: Any, language: str = "en", memory: bool = True) -> dict[str, Any]:
    """Returns the document of a model.

    Args:
        model: A built model.
        language: Code of the language of its sentences.
        memory: Whether the memory of a training step is predicted, for which the gradients are traced.
    """
    return _document(model, rows_of(model, expand_nested=True), words(language), memory)


def build_layer(layer: Any, language: str = "en", input_shape: Any = None) -> dict[str, Any]:
    """Returns the document of one layer by itself.

    Args:
        layer: A layer; it must have been called or built if no shape is given.
        language: Code of the language of its sentences.
        input_shape: Shape of the input, without the batch axis; that of its last call if None.

    Raises:
        NotBuiltError: If the shape of its input is not known.
    """
    row = call_of(layer, input_shape)
    return _document(row.layer, [row], words(language))


def _document(target: Any, rows: list[Row], catalogue: Catalogue, memory: bool = True) -> dict[str, Any]:
    numbers, models = Numbers(target, rows), _enclosing(rows)
    layers = [_layer(i, numbers, models[i], catalogue) for i in range(len(rows))]
    _name_channels_first(layers, rows)
    document = {
        "schema": SCHEMA,
        "version": VERSION,
        "language": catalogue.language,
        "model": _model(target, layers),
        "layers": layers,
        "totals": {**_totals(target, numbers), "memory": _memory(target, numbers) if memory else None},
    }
    document["warnings"] = pitfalls(document, catalogue)
    return document


def _model(target: Any, layers: list[dict[str, Any]]) -> dict[str, Any]:
    """Returns the model's part; without a graph, its ends are the rows where data enters and the last one."""
    outer = [layer for layer in layers if layer["depth"] == 0]
    ends = _ends(target)
    known = {tuple(t["shape"]): t["axes"] for layer in outer for t in (*layer["inputs"], *layer["outputs"])}
    for tensor in (*ends[0], *ends[1]) if ends is not None else ():
        tensor["axes"] = known.get(tuple(tensor["shape"]), tensor["axes"])
    if ends is None:
        entries = [layer["outputs"] for layer in outer if layer["class"] == "InputLayer"]
        first = entries or [layer["inputs"] for layer in outer[:1]]
        ends = (
            [t for tensors in first for t in tensors],
            [t for layer in outer[-1:] for t in layer["outputs"]],
        )
    return {"name": target.name, "class": type(target).__name__, "inputs": ends[0], "outputs": ends[1]}


def _ends(target: Any) -> tuple[list[Any], list[Any]] | None:
    """Returns the inputs and outputs of a graph model."""
    graph = target._inner_graph()
    if graph is None:
        return None
    return [_tensor(t, None) for t in graph.inputs], [_tensor(t, None) for t in graph.outputs]


def _name_channels_first(layers: list[dict[str, Any]], rows: list[Row]) -> None:
    """Names the axes of rows that have no order of their own (inputs, activations) after those around them."""
    orders = [getattr(row.layer, "data_format", None) for row in rows]
    if "channels_first" not in orders:
        return
    for layer in reversed(layers):  # an input is what the first layer with an order takes it for
        for parent in layer["parents"]:
            orders[parent] = orders[parent] or orders[layer["index"]]
    for layer in layers:
        order = orders[layer["index"]] or next((orders[p] for p in layer["parents"] if orders[p]), None)
        orders[layer["index"]] = order
        for tensor in (*layer["inputs"], *layer["outputs"]):
            if order == "channels_first" and len(tensor["shape"]) > 2 and tensor["axes"][-1] == "channels":
                tensor["axes"] = list(axis_names(len(tensor["shape"]), order))


# ---- rows


def _layer(index: int, numbers: Numbers, model: int | None, catalogue: Catalogue) -> dict[str, Any]:
    rows = numbers.rows
    row, of_the_whole = rows[index], plain(numbers.layer(index))
    if row.class_name == "InputLayer":
        of_the_whole["parents"] = []  # what enters an inner model is what its row takes
    weights = row.layer.weights if isinstance(row.layer, Layer) else []
    trainable = {id(v) for v in row.layer.trainable_weights} if weights else set()
    described = [weight_document(v, id(v) in trainable) for v in weights]
    config = config_of(row.layer)
    first = next(i for i, other in enumerate(rows) if other.layer is row.layer)
    return {
        "index": index,
        "name": row.name,
        "class": row.class_name,
        "depth": row.depth,
        "parent": model,
        "parents": of_the_whole["parents"],
        "inputs": [_tensor(t, row.layer) for t in _given(row)],
        "outputs": [_tensor(t, row.layer) for t in _results(row)],
        "sentences": _sentences(row, catalogue),
        "parameters": {
            "count": row.params,
            "trainable": sum(w["size"] for w in described if w["trainable"]),
            "shared_with": None if first == index else first,
            "formula": count_formula(row.layer) if weights else "",
            "sentence": count_sentence_of(described, catalogue),
            "weights": described,
        },
        "bytes": sum(w["bytes"] for w in described),
        "window": window_of(row, config),
        "config": config,
        "code": code_of(row.layer, row.node),
        "ops": _ops(row),
        **of_the_whole,
    }


def _enclosing(rows: list[Row]) -> list[int | None]:
    """Returns, for each row, the row of the model it stands inside."""
    found: list[int | None] = []
    open_rows: list[int] = []  # the row of each open depth
    for index, row in enumerate(rows):
        del open_rows[row.depth :]
        found.append(open_rows[-1] if open_rows else None)
        open_rows.append(index)
    return found


def _given(row: Row) -> list[Any]:
    if row.node is not None:
        return row.node.inputs
    return row.record.tensors() if row.record is not None else []


def _results(row: Row) -> list[Any]:
    if row.node is not None:
        return row.node.outputs
    return row.record.results() if row.record is not None else []


def _tensor(tensor: Any, layer: Any) -> dict[str, Any]:
    rank = len(tensor.shape)
    names = layer.input_axes(rank) if isinstance(layer, Layer) else axis_names(rank)
    if len(names) != rank:  # a layer that names the axes of its input, and gives fewer
        names = axis_names(rank, getattr(layer, "data_format", None))
    return {"shape": list(tensor.shape), "axes": list(names), "dtype": tensor.dtype}


def _sentences(row: Row, catalogue: Catalogue) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for op, inside, sentence in row.sentences():
        said = {
            "axis": sentence.axis,
            "name": sentence.name,
            "before": sentence.before,
            "after": sentence.after,
            "key": sentence.key,
            "values": sentence.values,
            "formula": sentence.formula,
            "text": sentence.say(catalogue),
            "op": op,
            "inside": inside,
        }
        found.append(said)
    return found


def _ops(row: Row) -> list[dict[str, Any]]:
    """Returns what the call did, op by op."""
    if row.record is None or isinstance(row.layer, OpOperation):
        records: Iterable[Record] = () if row.record is None else row.record.children
    else:
        records = (r for r in row.record.walk() if r.kind == "op")
    return [
        {
            "name": record.name,
            "rule": record.rule,
            "inputs": [_tensor(t, row.layer) for t in record.tensors()],
            "output": next((_tensor(t, row.layer) for t in record.results()), None),
        }
        for record in records
    ]


# ---- totals


def _memory(target: Any, numbers: Numbers) -> dict[str, Any] | None:
    """Returns the memory of a training step; without an optimizer, one that remembers two numbers is assumed."""
    found = plain(numbers.memory())
    return found and {**found, "compiled": getattr(target, "optimizer", None) is not None}


def _totals(target: Any, numbers: Numbers) -> dict[str, Any]:
    weights = target.weights
    trainable = {id(v) for v in target.trainable_weights}
    costs = plain(numbers.costs())
    counted = weight_count(weights)
    trained = weight_count(v for v in weights if id(v) in trainable)
    return {
        "parameters": counted,
        "trainable": trained,
        "non_trainable": counted - trained,
        "bytes": weight_bytes(weights),
        "multiply_adds": costs["multiply_adds"],
        "activation_bytes": costs["activation_bytes"],
    }
