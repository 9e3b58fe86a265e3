"""Input and InputLayer: where data enters a model."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from hornbill.engine.dtype import standardize_dtype
from hornbill.engine.errors import ArgumentError
from hornbill.engine.graph import Node
from hornbill.engine.layer import Layer
from hornbill.engine.registry import register_public
from hornbill.engine.symbolic import KerasTensor
from hornbill.engine.variable import standardize_shape

__all__ = ["Input", "InputLayer"]


class InputLayer(Layer):
    """The layer that stands for a model's input.

    Args:
        shape: Shape of one sample, without the batch axis; None for sizes not known yet.
        batch_size: Fixed batch size, or None.
        dtype: Dtype; None means the float type.
        sparse: Whether data may be sparse; it is made dense when used.
        ragged: Not supported by JAX; only False or None.
        batch_shape: Shape with the batch axis, instead of `shape` and `batch_size`.
        input_tensor: A KerasTensor to stand for.
        optional: Whether None may be given.
        name: Name; automatic if None.

    Shapes:
        outputs: batch_shape
        Params: 0
    """

    def __init__(
        self,
        shape: Sequence[int | None] | None = None,
        batch_size: int | None = None,
        dtype: Any = None,
        sparse: bool | None = None,
        ragged: bool | None = None,
        batch_shape: Sequence[int | None] | None = None,
        input_tensor: KerasTensor | None = None,
        optional: bool = False,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        batch_shape = kwargs.pop("batch_input_shape", batch_shape)
        shape = kwargs.pop("input_shape", shape)
        super().__init__(name=name, **kwargs)
        if input_tensor is not None:
            batch_shape, dtype = input_tensor.shape, input_tensor.dtype
        if batch_shape is None:
            if shape is None:
                raise ArgumentError(
                    "Input needs a shape.",
                    why="Layers size their weights by it.",
                    fixes="Input(shape=(28, 28, 1))",
                )
            if not isinstance(shape, Iterable):
                raise ArgumentError(
                    "A shape is a tuple, also with one axis.", got=f"{shape!r}.", fixes=f"Input(({shape},))"
                )
            batch_shape = (batch_size, *standardize_shape(shape))
        elif shape is not None:
            raise ArgumentError(
                "Give Input either shape or batch_shape, not both.", got=f"{shape} and {batch_shape}."
            )
        if ragged:
            raise ArgumentError(
                "Input(ragged=True): JAX has no ragged tensors.", fixes="Pad to one length and mask."
            )
        self.batch_shape = standardize_shape(batch_shape)
        self._input_dtype, self.sparse, self.ragged, self.optional = (
            standardize_dtype(dtype),
            bool(sparse),
            False,
            optional,
        )
        tensor = input_tensor or KerasTensor(
            self.batch_shape, self._input_dtype, sparse=self.sparse, name=self.name
        )
        Node(self, (), {}, tensor)
        self.built = True

    @property
    def dtype(self) -> str:
        """The dtype of the data."""
        return self._input_dtype

    @property
    def batch_size(self) -> int | None:
        """The fixed batch size, or None."""
        return self.batch_shape[0]

    def call(self) -> None:  # type: ignore[override]
        """Does nothing: data is put in by the model."""

    def get_config(self) -> dict[str, Any]:
        """Returns Keras' configuration of an input."""
        return {
            "batch_shape": self.batch_shape, "dtype": self.dtype, "sparse": self.sparse, "ragged": self.ragged,
            "name": self.name, "optional": self.optional,
        }  # fmt: skip


def Input(  # noqa: N802
    shape: Sequence[int | None] | None = None,
    batch_size: int | None = None,
    dtype: Any = None,
    sparse: bool | None = None,
    ragged: bool | None = None,
    batch_shape: Sequence[int | None] | None = None,
    name: str | None = None,
    tensor: KerasTensor | None = None,
    optional: bool = False,
    **kwargs: Any,
) -> KerasTensor:
    """Returns a KerasTensor for a model's input.

    Args:
        shape: Shape of one sample, without the batch axis; None for sizes not known yet.
        batch_size: Fixed batch size, or None.
        dtype: Dtype; None means the float type.
        sparse: Whether data may be sparse; it is made dense when used.
        ragged: Not supported by JAX; only False or None.
        batch_shape: Shape with the batch axis, instead of `shape` and `batch_size`.
        name: Name of the input.
        tensor: A KerasTensor to stand for.
        optional: Whether None may be given.
        **kwargs: `batch_input_shape`, as Keras 2 called `batch_shape`.

    Example:
        >>> Input((28, 28, 1), name="image").shape
        (None, 28, 28, 1)
    """
    layer = InputLayer(
        shape=shape, batch_size=batch_size, dtype=dtype, sparse=sparse, ragged=ragged, batch_shape=batch_shape,
        input_tensor=tensor, optional=optional, name=name, **kwargs,
    )  # fmt: skip
    return layer._inbound_nodes[0].outputs[0]


register_public("keras.layers", [InputLayer, Layer])
