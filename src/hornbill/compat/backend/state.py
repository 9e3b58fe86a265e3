"""Keras 2's backend functions with state: variables, `K.function`, `K.gradients`, the learning phase.

Keras 2 built a TensorFlow graph; here a graph of KerasTensors serves: `K.function` runs a part of it and
`K.gradients` adds a node that differentiates a part of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hornbill import ops
from hornbill.engine.context import context
from hornbill.engine.errors import ArgumentError, MissingNameError
from hornbill.engine.graph import OpOperation
from hornbill.engine.op import Tensor, op
from hornbill.engine.scopes import Function
from hornbill.engine.settings import image_data_format, set_image_data_format
from hornbill.engine.symbolic import KerasTensor, leaves_of
from hornbill.engine.variable import Variable, functional_call
from hornbill.layers.input import Input

__all__ = [
    "LearningPhase", "batch_get_value", "batch_set_value", "ctc_label_dense_to_sparse", "eval", "function",
    "get_session", "get_value", "gradients", "image_dim_ordering", "is_sparse", "learning_phase",
    "learning_phase_scope", "manual_variable_initialization", "moving_average_update", "placeholder",
    "print_tensor",
    "set_image_dim_ordering", "set_learning_phase", "set_session", "set_value", "to_dense", "update",
    "update_add",
    "update_sub", "variable",
]  # fmt: skip


# ---- variables


def variable(value: Any, dtype: Any = None, name: str | None = None, constraint: Any = None) -> Variable:
    """Returns a Variable with a first value."""
    made = Variable(value, dtype=dtype, name=name)
    made.constraint = constraint
    return made


def _check_variable(owner: str, x: Any) -> Variable:
    if not isinstance(x, Variable):
        raise ArgumentError(
            f"K.{owner} changes a Variable.", got=f"{type(x).__name__}.", fixes="x = K.variable(value)"
        )
    return x


def update(x: Variable, new_x: Any) -> Variable:
    """Sets a Variable and returns it."""
    _check_variable("update", x).assign(new_x)
    return x


def update_add(x: Variable, increment: Any) -> Variable:
    """Adds to a Variable and returns it."""
    _check_variable("update_add", x).assign_add(ops.convert_to_tensor(increment, x.dtype))
    return x


def update_sub(x: Variable, decrement: Any) -> Variable:
    """Subtracts from a Variable and returns it."""
    _check_variable("update_sub", x).assign_sub(ops.convert_to_tensor(decrement, x.dtype))
    return x


def moving_average_update(x: Variable, value: Any, momentum: float) -> Variable:
    """Sets a Variable to `momentum * x + (1 - momentum) * value` and returns it."""
    momentum = ops.cast(momentum, x.dtype)
    _check_variable("moving_average_update", x).assign(
        x * momentum + ops.cast(value, x.dtype) * (1.0 - momentum)
    )
    return x


def get_value(x: Any) -> np.ndarray:
    """Returns a tensor's value as a NumPy array."""
    if isinstance(x, KerasTensor):
        raise ArgumentError(
            "A KerasTensor has no value: it stands for one that comes when the model runs.",
            got=f"{x!r}.",
            fixes=("model.predict(x)", "K.function([model.input], [tensor])([x])"),
        )
    return ops.convert_to_numpy(x)


def eval(x: Any) -> np.ndarray:
    """Returns a tensor's value as a NumPy array."""
    return get_value(x)


def set_value(x: Variable, value: Any) -> None:
    """Sets a Variable from a NumPy array."""
    _check_variable("set_value", x).assign(value)


def batch_get_value(tensors: Iterable[Any]) -> list[np.ndarray]:
    """Returns the values of several tensors."""
    return [get_value(tensor) for tensor in tensors]


def batch_set_value(tuples: Iterable[tuple[Variable, Any]]) -> None:
    """Sets several Variables from pairs of Variable and value."""
    for x, value in tuples:
        set_value(x, value)


# ---- the learning phase


class LearningPhase(int):
    """0 outside of training, 1 in it; `K.function` accepts it among its inputs."""


def learning_phase() -> LearningPhase:
    """Returns whether training is going on, as 0 or 1."""
    return LearningPhase(bool(context().training))


def set_learning_phase(value: bool | int) -> None:
    """Makes layers behave as in training (1) or not (0), wherever a call does not say."""
    if value not in (0, 1):
        raise ArgumentError("set_learning_phase wants 0 or 1.", got=f"{value!r}.")
    context().training = bool(value)


@contextmanager
def learning_phase_scope(value: bool | int) -> Iterator[None]:
    """Sets the learning phase for a `with` block."""
    outer = context().training
    set_learning_phase(value)
    try:
        yield
    finally:
        context().training = outer


# ---- the graph


def placeholder(
    shape: Sequence[int | None] | None = None,
    ndim: int | None = None,
    dtype: Any = None,
    sparse: bool = False,
    name: str | None = None,
    ragged: bool = False,
) -> KerasTensor:
    """Returns a KerasTensor that a value is put in for when `K.function` runs."""
    if shape is None:
        if ndim is None:
            raise ArgumentError(
                "K.placeholder wants a shape or a number of axes.", fixes="K.placeholder((None, 5))"
            )
        shape = (None,) * ndim
    return Input(batch_shape=tuple(shape), dtype=dtype, sparse=sparse, ragged=ragged, name=name)


class function:  # noqa: N801
    """Makes a part of a graph a function from arrays to arrays.

    Args:
        inputs: KerasTensors that values are put in for; `K.learning_phase()` may be among them.
        outputs: KerasTensor, or list of them, to compute; they may lie inside a model.
        updates: Not possible: there is no session in which they would run.
        name: Means nothing here.

    Example:
        >>> x = placeholder((None, 2))
        >>> function([x], [x * 2.0])([np.array([[1.0, 2.0]])])[0].tolist()
        [[2.0, 4.0]]
    """

    def __init__(
        self, inputs: Any, outputs: Any, updates: Any = None, name: str | None = None, **kwargs: Any
    ) -> None:
        if updates or kwargs:
            raise ArgumentError(
                "K.function cannot run updates or take session arguments.",
                got=", ".join(["updates"] * bool(updates) + list(kwargs)) + ".",
                fixes="Assign in your own Python function: v.assign(...), and call it.",
            )
        self.inputs = list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]
        self.outputs = outputs
        self._phase = next((i for i, item in enumerate(self.inputs) if isinstance(item, (bool, int))), None)
        tensors = [item for i, item in enumerate(self.inputs) if i != self._phase]
        wrong = [item for item in [*tensors, *leaves_of(outputs)] if not isinstance(item, KerasTensor)]
        if wrong:
            raise ArgumentError(
                "K.function is made of KerasTensors, such as model.input and model.layers[0].output.",
                got=f"{type(wrong[0]).__name__}.",
                fixes="Compute with arrays directly: without a graph no function is needed.",
            )
        self._run = Function(tensors, list(outputs) if isinstance(outputs, tuple) else outputs)

    def __call__(self, inputs: Any) -> Any:
        """Returns the outputs for values of the inputs, as NumPy arrays in the structure of `outputs`."""
        values = list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]
        wanted = len(self.inputs)
        if len(values) not in (wanted, wanted - (self._phase is not None)):
            raise ArgumentError(f"This K.function has {wanted} inputs.", got=f"{len(values)} values.")
        phase = False
        if self._phase is not None and len(values) == wanted:
            phase = bool(values.pop(self._phase))
        with learning_phase_scope(phase):
            return jax.tree.map(np.asarray, self._run(values))


def _roots(loss: KerasTensor, stop: Sequence[KerasTensor]) -> list[KerasTensor]:
    """Returns the inputs that a tensor is computed from, not looking beyond the tensors of `stop`."""
    found: dict[int, KerasTensor] = {}
    seen, stack, ends = set(), [loss], {id(tensor) for tensor in stop}
    while stack:
        tensor = stack.pop()
        if id(tensor) in seen or id(tensor) in ends:
            continue
        seen.add(id(tensor))
        if tensor._keras_history is None:
            found[id(tensor)] = tensor
            continue
        operation, node, _ = tensor._keras_history
        parents = operation._inbound_nodes[node].inputs
        stack.extend(parents)
        if not parents:
            found[id(tensor)] = tensor
    return list(found.values())


def gradients(loss: Any, variables: Any) -> list[Any]:
    """Returns the gradients of a tensor of a graph as tensors of the graph.

    Args:
        loss: KerasTensor; the sum of its elements is differentiated.
        variables: KerasTensors from which the loss is computed, or Variables used on the way; or a list of
        them.

    Returns:
        A list of KerasTensors, one per variable, to be evaluated by `K.function` or used in a model.
    """
    loss = loss[0] if isinstance(loss, (list, tuple)) and len(loss) == 1 else loss
    if not isinstance(loss, KerasTensor):
        raise ArgumentError(
            "K.gradients differentiates a tensor of a graph.",
            got=f"{type(loss).__name__}, which keeps no memory of how it came about.",
            fixes=(
                "jax.grad(function)(x), where function returns the loss",
                "loss from model.output, then K.function([model.input], K.gradients(loss, [x]))",
            ),
        )
    wanted = list(variables) if isinstance(variables, (list, tuple)) else [variables]
    tensors = [item for item in wanted if isinstance(item, KerasTensor)]
    boxes = [item for item in wanted if isinstance(item, Variable)]
    if len(tensors) + len(boxes) != len(wanted):
        raise ArgumentError(
            "K.gradients is taken with respect to KerasTensors or Variables.", got=f"{wanted!r}."
        )
    found = {id(tensor): _gradient(loss, [tensor], [])[0] for tensor in tensors}
    if boxes:
        found.update(zip(map(id, boxes), _gradient(loss, [], boxes), strict=True))
    return [found[id(item)] for item in wanted]


def _gradient(loss: KerasTensor, tensors: list[KerasTensor], boxes: list[Variable]) -> list[KerasTensor]:
    """Adds a node to the graph: the gradient of the loss with respect to the tensors or Variables."""
    roots = _roots(loss, tensors)
    part = Function([*tensors, *roots], loss)

    def gradient(*values: Any) -> list[Any]:
        def total(chosen: Sequence[Any], held: Sequence[Any]) -> Any:
            result, _ = functional_call(boxes, held, part.call, [*chosen, *values[len(tensors) :]])
            return jnp.sum(result)

        by_tensor, by_box = jax.grad(total, (0, 1))(
            list(values[: len(tensors)]), [box.value for box in boxes]
        )
        return [*by_tensor, *by_box]

    return list(OpOperation(gradient).symbolic_call(*tensors, *roots))


@op
def print_tensor(x: Tensor, message: str = "", summarize: int = 3) -> Any:  # noqa: ARG001
    """Prints a tensor whenever it is computed, and returns it."""
    jax.debug.print("{message} {x}", message=message, x=x)
    return x


# ---- settings and what cannot be


def image_dim_ordering() -> str:
    """Returns "tf" (channels last) or "th" (channels first), Keras 1's names."""
    return "tf" if image_data_format() == "channels_last" else "th"


def set_image_dim_ordering(dim_ordering: str) -> None:
    """Sets the order of image axes by Keras 1's names, "tf" or "th"."""
    formats = {"tf": "channels_last", "th": "channels_first"}
    if dim_ordering not in formats:
        raise ArgumentError("set_image_dim_ordering wants 'tf' or 'th'.", got=f"{dim_ordering!r}.")
    set_image_data_format(formats[dim_ordering])


def is_sparse(tensor: Any) -> bool:
    """Returns whether a tensor is sparse."""
    return bool(getattr(tensor, "sparse", False))


def to_dense(tensor: Any) -> Any:
    """Returns the tensor, made dense if it is not."""
    return tensor.todense() if hasattr(tensor, "todense") else tensor


def manual_variable_initialization(value: bool) -> None:
    """Does nothing: Variables have their first values from the start."""


def get_session(*args: Any, **kwargs: Any) -> Any:  # noqa: ARG001
    """Refused: there are no sessions."""
    raise MissingNameError(
        "K.get_session: there are no sessions; everything runs when it is called.",
        fixes=("model.predict(x)", "K.function([model.input], [tensor])([x])", "K.get_value(variable)"),
    )


def set_session(session: Any) -> Any:  # noqa: ARG001
    """Refused: there are no sessions."""
    raise MissingNameError(
        "K.set_session: there are no sessions.",
        fixes="Remove the call. For memory: XLA_PYTHON_CLIENT_PREALLOCATE=false in the environment.",
    )


def ctc_label_dense_to_sparse(labels: Any, label_lengths: Any) -> Any:  # noqa: ARG001
    """Refused: there are no sparse labels."""
    raise MissingNameError(
        "K.ctc_label_dense_to_sparse: there are no sparse labels.",
        fixes="keras.ops.ctc_loss(target, output, target_length, output_length) takes dense ones.",
    )
