"""The graph behind KerasTensors: Operation, Node, and the flat program a Functional model runs.

A Node is one recorded call of an Operation (an op or a layer). A KerasTensor knows the Node that made it. `Program`
turns the Nodes between inputs and outputs into a flat list of calls on numbered registers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax

from hornbill.engine.config import Configurable
from hornbill.engine.errors import ArgumentError, StateError
from hornbill.engine.naming import auto_name, check_name
from hornbill.engine.record import Record
from hornbill.engine.symbolic import KerasTensor, Spec, any_symbolic, infer_spec, leaves_of, map_leaves
from hornbill.engine.trail import line_of_user, with_trail

__all__ = ["Node", "OpOperation", "Operation", "Program", "make_outputs"]


class Node:
    """One call of an operation on KerasTensors.

    Attributes:
        operation: What was called.
        args: Positional arguments with KerasTensors in their places.
        kwargs: Keyword arguments, likewise.
        inputs: The KerasTensors among the arguments.
        outputs: The KerasTensors that came out.
        output_structure: The result as the operation gave it.
        record: What the traced call did.
    """

    __slots__ = ("args", "index", "inputs", "kwargs", "operation", "output_structure", "outputs", "record")

    def __init__(
        self,
        operation: Operation,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        outputs: Any,
        record: Record | None = None,
    ) -> None:
        self.operation, self.args, self.kwargs, self.record = operation, args, kwargs, record
        self.inputs = [leaf for leaf in leaves_of((args, kwargs)) if isinstance(leaf, KerasTensor)]
        self.output_structure = outputs
        self.outputs = [leaf for leaf in leaves_of(outputs) if isinstance(leaf, KerasTensor)]
        self.index = len(operation._inbound_nodes)
        operation._inbound_nodes.append(self)
        for tensor in self.inputs:
            if tensor._keras_history is not None:
                tensor._keras_history[0]._outbound_nodes.append(self)
        for i, tensor in enumerate(self.outputs):
            tensor._keras_history = (operation, self.index, i)

    @property
    def is_input(self) -> bool:
        """Whether this node is where data enters."""
        return not self.inputs

    @property
    def input_tensors(self) -> list[KerasTensor]:
        """The KerasTensors among the arguments (Keras' name)."""
        return self.inputs

    @property
    def output_tensors(self) -> list[KerasTensor]:
        """The KerasTensors that came out (Keras' name)."""
        return self.outputs

    @property
    def parent_nodes(self) -> list[Node]:
        """The nodes whose outputs this one takes."""
        return [_node_of(t) for t in self.inputs if t._keras_history is not None]


def _node_of(tensor: KerasTensor) -> Node:
    operation, index, _ = tensor._keras_history  # type: ignore[misc]
    return operation._inbound_nodes[index]


def make_outputs(specs: Any) -> Any:
    """Returns a structure of `Spec` as one of new KerasTensors."""
    return map_leaves(lambda s: KerasTensor(s.shape, s.dtype) if isinstance(s, Spec) else s, specs)


class Operation(Configurable):
    """Base of everything that can stand in a graph: write `call`, and it works on arrays and KerasTensors.

    Args:
        name: Name; automatic if None.
    """

    def __init__(self, name: str | None = None) -> None:
        self.name = (
            check_name(type(self).__name__, name) if name is not None else auto_name(type(self).__name__)
        )

    _inbound_nodes: list[Node]
    _outbound_nodes: list[Node]

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        """Makes room for the nodes, before a subclass' constructor runs."""
        instance = super().__new__(cls, *args, **kwargs)
        instance._inbound_nodes = []
        instance._outbound_nodes = []
        instance.__dict__["_made_at"] = line_of_user()
        return instance

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Calls it on arrays, or adds a node for KerasTensors."""
        if any_symbolic((args, kwargs)):
            return self.symbolic_call(*args, **kwargs)
        return self.call(*args, **kwargs)

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Computes the result on arrays; written by subclasses."""
        raise NotImplementedError(f"{type(self).__name__} has no call method.")

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Returns KerasTensors with the shapes and dtypes that a call gives, without recording it."""
        return make_outputs(infer_spec(self.call, args, kwargs)[0])

    @with_trail
    def symbolic_call(self, *args: Any, **kwargs: Any) -> Any:
        """Finds the shapes of the result and records the call as a Node."""
        specs, record = infer_spec(self.call, args, kwargs)
        outputs = make_outputs(specs)
        Node(self, args, kwargs, outputs, record)
        return outputs

    @property
    def input(self) -> Any:
        """The KerasTensor, or list of them, that the operation was called on."""
        inputs = self._only_node("input").inputs
        return inputs[0] if len(inputs) == 1 else inputs

    @property
    def output(self) -> Any:
        """The KerasTensor, or structure of them, that the operation gave."""
        return self._only_node("output").output_structure

    def _inner_graph(self) -> Any:
        """The graph of calls that it runs, with `inputs`, `outputs` and `_program`; None if it has code of its own."""
        return None

    def _nodes(self) -> list[Node]:
        return self._inbound_nodes

    def _only_node(self, what: str) -> Node:
        nodes = self._nodes()
        if not nodes:
            raise StateError(
                f"{type(self).__name__} {self.name!r} has no {what} yet: it was not called on a KerasTensor.",
                fixes="Build the model with Input(...) first, or call it once.",
            )
        return nodes[0]


class OpOperation(Operation):
    """An op in a graph: the function, a name of its own, and arguments given beforehand.

    Args:
        fn: The op.
        name: Name; automatic if None.
        arguments: Arguments that every call gets, as a stored model's configuration gives them.
    """

    def __init__(
        self, fn: Callable[..., Any], name: str | None = None, arguments: dict[str, Any] | None = None
    ) -> None:
        super().__init__(name or auto_name(fn.__name__))
        self.fn, self.arguments = fn, arguments or {}

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Runs the op."""
        return self.fn(*args, **{**self.arguments, **kwargs})


class Program:
    """The calls between some inputs and outputs, in an order in which each finds its arguments ready.

    Args:
        inputs: KerasTensors that data is put in for.
        outputs: KerasTensors to compute.

    Attributes:
        nodes: All nodes in order, input nodes included.
        operations: Each operation once, in the order of its first node.
    """

    def __init__(self, inputs: Sequence[KerasTensor], outputs: Sequence[KerasTensor]) -> None:
        self.inputs, self.outputs = list(inputs), list(outputs)
        self.nodes = self._sorted_nodes()
        self.operations: list[Operation] = list(dict.fromkeys(node.operation for node in self.nodes))
        registers: dict[int, int] = {}

        def register(tensor: KerasTensor) -> int:
            return registers.setdefault(id(tensor), len(registers))

        self._input_registers = [register(t) for t in self.inputs]
        given = set(self._input_registers)
        self._calls = []
        for node in self.nodes:
            places = [register(t) for t in node.outputs]
            if node.is_input or all(place in given for place in places):
                continue
            leaves, treedef = jax.tree_util.tree_flatten(
                (node.args, node.kwargs), is_leaf=lambda x: isinstance(x, KerasTensor) or x is None
            )
            slots = [(i, register(leaf)) for i, leaf in enumerate(leaves) if isinstance(leaf, KerasTensor)]
            self._calls.append((node, leaves, treedef, slots, places))
        self._output_registers = [register(t) for t in self.outputs]
        self._size = len(registers)

    def _sorted_nodes(self) -> list[Node]:
        """Orders nodes by depth from the outputs, deepest first, ties in the order of first use (Keras' order)."""
        given = {id(t) for t in self.inputs}
        finished: list[Node] = []
        state: dict[Node, int] = {}
        for output in self.outputs:
            self._visit(output, given, state, finished)
        order = {node: i for i, node in enumerate(finished)}
        depth: dict[Node, int] = {}
        for node in reversed(finished):
            depth.setdefault(node, 0)
            for tensor in node.inputs if not all(id(t) in given for t in node.outputs) else []:
                parent = _node_of(tensor)
                depth[parent] = max(depth.get(parent, 0), depth[node] + 1)
        for tensor in self.inputs:
            if tensor._keras_history is not None and (node := _node_of(tensor)) not in depth:
                depth[node] = 0
                order[node] = -1  # unused inputs come first among the last, as in Keras
        return sorted(depth, key=lambda node: (-depth[node], order[node]))

    def _visit(
        self, output: KerasTensor, given: set[int], state: dict[Node, int], finished: list[Node]
    ) -> None:
        if output._keras_history is None:
            raise ArgumentError(
                "A model's output must come from its inputs through layers or keras.ops.",
                got=f"{output!r}, which no layer made.",
            )
        stack: list[tuple[Node, int]] = [(_node_of(output), 0)]
        while stack:
            node, step = stack.pop()
            if step == 0 and state.get(node):
                continue
            state[node] = 1
            cut = all(id(t) in given for t in node.outputs)
            if step < len(node.inputs) and not cut:
                stack.append((node, step + 1))
                tensor = node.inputs[step]
                if tensor._keras_history is None:
                    if id(tensor) not in given:
                        raise ArgumentError(
                            f"{tensor!r} is used, but it is neither an input nor made by a layer."
                        )
                elif not state.get(parent := _node_of(tensor)):
                    stack.append((parent, 0))
                continue
            if not cut and not node.inputs:
                names = ", ".join(repr(t.name) for t in node.outputs)
                raise ArgumentError(
                    f"The outputs depend on the input {names}, which is not among the model's inputs.",
                    fixes=f"Model(inputs=[..., {node.outputs[0].name}], outputs=...)",
                )
            finished.append(node)

    def run(
        self, values: Sequence[Any], call: Callable[[Node, tuple[Any, ...], dict[str, Any]], Any]
    ) -> list[Any]:
        """Runs the calls.

        Args:
            values: One value per input.
            call: `(node, args, kwargs) -> result`; runs one operation.

        Returns:
            One value per output.
        """
        registers: list[Any] = [None] * self._size
        for place, value in zip(self._input_registers, values, strict=True):
            registers[place] = value
        for node, leaves, treedef, slots, places in self._calls:
            filled = list(leaves)
            for i, register in slots:
                filled[i] = registers[register]
            args, kwargs = jax.tree_util.tree_unflatten(treedef, filled)
            result = call(node, args, kwargs)
            if len(places) == 1 and isinstance(node.output_structure, KerasTensor):
                registers[places[0]] = result
                continue
            outputs = [leaf for leaf in leaves_of(result) if leaf is not None]
            for place, value in zip(places, outputs, strict=True):
                registers[place] = value
        return [registers[place] for place in self._output_registers]
