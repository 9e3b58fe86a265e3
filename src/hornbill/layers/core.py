"""Identity, Masking, Lambda (a layer made of a function) and ActivityRegularization."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from hornbill import ops, regularizers
from hornbill.engine.errors import ArgumentTypeError
from hornbill.engine.layer import Layer
from hornbill.engine.record import Record
from hornbill.engine.registry import register_public
from hornbill.engine.shapes import shapes_of
from hornbill.engine.symbolic import Spec
from hornbill.engine.variable import standardize_shape
from hornbill.layers.shared import ConfigLayer

__all__ = ["ActivityRegularization", "Identity", "Lambda", "Masking"]


class Identity(Layer):
    """Returns its inputs unchanged.

    Args:
        **kwargs: `name`, `dtype`, `trainable`.

    Shapes:
        inputs: any
        outputs: inputs
        Params: 0

    Example:
        >>> Identity()([1.0, 2.0]).tolist()
        [1.0, 2.0]
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = self.built = True

    def call(self, inputs: Any) -> Any:
        """Returns the inputs."""
        return inputs


class Masking(Layer):
    """Leaves out the steps of a sequence in which every value equals `mask_value`.

    Args:
        mask_value: The value that stands for "nothing here".
        **kwargs: `name`, `dtype`, `trainable`.

    Shapes:
        inputs: (batch, steps, features)
        outputs: (batch, steps, features); 0 in the steps left out, with a mask (batch, steps)
        Params: 0

    Example:
        >>> Masking(9.0)([[[1.0, 2.0], [9.0, 9.0]]]).tolist()
        [[[1.0, 2.0], [0.0, 0.0]]]
    """

    def __init__(self, mask_value: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.mask_value = mask_value
        self.supports_masking = self.built = True

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """Returns which steps hold a value other than `mask_value`."""
        return ops.any(ops.not_equal(inputs, self.mask_value), axis=-1)

    def call(self, inputs: Any) -> Any:
        """Returns the inputs with 0 in the steps left out."""
        kept = ops.any(ops.not_equal(inputs, self.mask_value), axis=-1, keepdims=True)
        return ops.multiply(inputs, ops.cast(kept, inputs.dtype))


class Lambda(ConfigLayer):
    """Makes a layer of a function of tensors.

    A function that `keras.ops` and Python operators make up works on its own; a `Layer` subclass is better
    where weights are needed or the model is to be saved, for no file stores the code of a function.

    Args:
        function: Called with the inputs; also with `mask` and `training` if it has parameters of these names.
        output_shape: Shape of a sample of the output, or a function of the input shape. It is used where the
            function's result cannot be found out by tracing it.
        mask: The output's mask, or a function `(inputs, mask)` that makes it; None means none.
        arguments: Further keyword arguments for the function.
        **kwargs: `name`, `dtype`, `trainable`.

    Shapes:
        inputs: any
        outputs: any; what the function returns
        Params: 0

    Example:
        >>> Lambda(lambda x: x ** 2)([1.0, 2.0, 3.0]).tolist()
        [1.0, 4.0, 9.0]
    """

    config_omitted = ("output_shape", "mask")

    def __init__(
        self,
        function: Callable[..., Any],
        output_shape: Any = None,
        mask: Any = None,
        arguments: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not callable(function):
            raise ArgumentTypeError("Lambda: function must be a function.", got=f"{function!r}.")
        self.function, self.output_shape, self.mask = function, output_shape, mask
        self.arguments = arguments or {}
        self.supports_masking = mask is not None
        self._passed = _parameters(function) & {"mask", "training"}

    def call(self, inputs: Any, mask: Any = None, training: bool | None = None) -> Any:
        """Returns the function's result."""
        given = {"mask": mask, "training": training}
        extra = {name: given[name] for name in self._passed if name not in self.arguments}
        return self.function(inputs, **self.arguments, **extra)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """Returns the mask given to the constructor, called if it is a function."""
        return self.mask(inputs, previous_mask) if callable(self.mask) else self.mask

    def _infer(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Record]:
        try:
            return super()._infer(args, kwargs)
        except Exception:
            if self.output_shape is None:
                raise
        return self._given_spec(args[0] if args else kwargs["inputs"]), Record.root()

    def _given_spec(self, inputs: Any) -> Spec:
        shape = shapes_of(inputs)
        if callable(self.output_shape):
            return Spec(standardize_shape(self.output_shape(shape)), self.compute_dtype)
        first = shape[0] if isinstance(inputs, (list, tuple)) else shape
        return Spec((first[0] if first else None, *standardize_shape(self.output_shape)), self.compute_dtype)


def _parameters(function: Callable[..., Any]) -> set[str]:
    try:
        return set(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return set()


class ActivityRegularization(Layer):
    """Returns its inputs and adds a penalty on them to the loss.

    Args:
        l1: Factor on the sum of absolute values.
        l2: Factor on the sum of squares.
        **kwargs: `name`, `dtype`, `trainable`.

    Shapes:
        inputs: any
        outputs: inputs
        Params: 0

    Example:
        >>> ActivityRegularization(l2=0.01)([1.0, 2.0]).tolist()
        [1.0, 2.0]
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **kwargs: Any) -> None:
        super().__init__(activity_regularizer=regularizers.L1L2(l1, l2), **kwargs)
        self.l1, self.l2 = l1, l2
        self.supports_masking = self.built = True

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments; the regularizer follows from l1 and l2."""
        config = super().get_config()
        del config["activity_regularizer"]
        return config

    def call(self, inputs: Any) -> Any:
        """Returns the inputs."""
        return inputs


register_public("keras.layers", [Identity, Masking, Lambda, ActivityRegularization])
