"""Looks into data in memory for values that no layer or loss of the model can use, before anything is compiled.

Labels outside of the classes and numbers outside of an Embedding's table give no error inside a compiled step; the
network would only learn nonsense. Data sets that come in batches are not looked into.
"""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from hornbill.engine.errors import DataError
from hornbill.layers.embedding import Embedding
from hornbill.training.data import ArrayBatches, Batches

__all__ = ["check_values"]


def check_values(model: Any, batches: Batches, targets: bool = True) -> None:
    """Raises when inputs or targets in memory cannot be right for the model.

    Args:
        model: The model; built, and compiled if `targets`.
        batches: The data.
        targets: Whether targets belong to the data.
    """
    if not isinstance(batches, ArrayBatches):
        return
    x, y, _ = batches.arrays
    _check_embeddings(model, x)
    loss = model._compile_loss
    if targets and loss is not None and loss.built and model._uses_own_loss:
        loss.check_values(y)


def _check_embeddings(model: Any, x: Any) -> None:
    """Raises where an input that goes straight into an Embedding has numbers that its table does not have."""
    graph = (
        model._graph()
        if hasattr(model, "_graph") and getattr(model, "_input_layer", None) is not None
        else model
    )
    inputs = graph.inputs if hasattr(graph, "_program") else []
    if isinstance(x, dict):
        values = [x.get(name) for name in graph.input_names] if inputs else []
    else:
        values = jax.tree_util.tree_leaves(x)
    if len(values) != len(inputs):
        return
    for tensor, value in zip(inputs, values, strict=True):
        history = tensor._keras_history
        nodes = history[0]._outbound_nodes if history is not None else []
        for node in nodes:
            if isinstance(node.operation, Embedding) and any(tensor is one for one in node.inputs):
                _check_range(node.operation, value)


def _check_range(layer: Any, value: Any) -> None:
    if not isinstance(value, (np.ndarray, jax.Array)) or not value.size or value.dtype.kind not in "iuf":
        return
    host = np.asarray(value)
    low, high = float(host.min()), float(host.max())
    if low >= 0 and high < layer.input_dim:
        return
    fixes = [f"Embedding({int(high) + 1}, {layer.output_dim}): input_dim is the largest number plus 1."]
    if low < 0:
        fixes = ["Number the words 0, 1, 2, ...; 0 usually stands for padding."]
    raise DataError(
        f"Embedding {layer.name!r} has rows for the numbers 0 ... {layer.input_dim - 1}.",
        got=f"numbers from {low:g} to {high:g} in the data.",
        why=f"There is no row {high if high >= layer.input_dim else low:g}.",
        fixes=fixes,
    )
