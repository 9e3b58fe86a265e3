"""Dense: a weighted sum over the last axis, the same for every position on the other axes."""

from __future__ import annotations

from typing import Any, ClassVar

from hornbill import activations, constraints, initializers, ops, regularizers
from hornbill.engine.config import boolean, positive_int
from hornbill.engine.input_spec import InputSpec
from hornbill.engine.registry import register_public
from hornbill.layers.low_rank import LowRank
from hornbill.layers.shared import BASE_KEYS, known_channels, refuse_quantization
from hornbill.ops.native_dense import dense

__all__ = ["Dense"]


class Dense(LowRank):
    """Computes `activation(inputs @ kernel + bias)` on the last axis.

    The other axes keep their sizes and share the weights: on (batch, 5, 5, 8), `Dense(1)` has 8 + 1
    parameters and gives (batch, 5, 5, 1), just as a 1 x 1 convolution does. To connect everything with
    everything, put `Flatten` before.

    Args:
        units: Size of the last axis of the output.
        activation: Name or function; None means none.
        use_bias: Whether to add one number per unit.
        kernel_initializer: First values of the kernel.
        bias_initializer: First values of the bias.
        kernel_regularizer: Penalty on the kernel.
        bias_regularizer: Penalty on the bias.
        activity_regularizer: Penalty on the output.
        kernel_constraint: Applied to the kernel after each step of training.
        bias_constraint: Applied to the bias after each step of training.
        lora_rank: If given, the kernel is frozen and adapted by two weights of this rank.
        lora_alpha: The adaptation is multiplied by `lora_alpha / lora_rank`.
        quantization_config: Not supported; only None.
        **kwargs: `name`, `dtype`, `trainable`.

    Shapes:
        inputs: (batch, ..., features)
        outputs: (batch, ..., units)
        Params: (features + use_bias) * units

    Example:
        >>> Dense(10, activation="softmax")(ops.ones((32, 784))).shape
        (32, 10)
    """

    checks: ClassVar[dict[str, Any]] = {"units": positive_int, "use_bias": boolean}
    config_omitted = ("activity_regularizer", "lora_rank", "lora_alpha")
    config_order = (
        *BASE_KEYS, "activity_regularizer", "units", "activation", "use_bias", "kernel_initializer",
        "bias_initializer", "kernel_regularizer", "bias_regularizer", "kernel_constraint", "bias_constraint",
        "quantization_config",
    )  # fmt: skip

    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        quantization_config: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        refuse_quantization("Dense", quantization_config)
        self.units, self.use_bias = units, use_bias
        self.activation = activations.get(activation)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self._store_lora(lora_rank, lora_alpha)
        self.input_spec = InputSpec(min_ndim=2)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        """Makes the kernel, and the bias if there is one."""
        features = known_channels(self, input_shape, -1)
        self.kernel = self.add_weight(
            (features, self.units),
            self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
            name="kernel",
            axes=("input features", "units"),
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                (self.units,), self.bias_initializer, regularizer=self.bias_regularizer,
                constraint=self.bias_constraint, name="bias", axes=("units",),
            )  # fmt: skip
        self.input_spec = InputSpec(min_ndim=2, axes={-1: features})
        if self.lora_rank:
            self._add_low_rank()

    def call(self, inputs: Any) -> Any:
        """Returns the weighted sums."""
        relu, kernel = self.activation is activations.relu, self._adapted()
        outputs = dense(inputs, kernel, self.bias, relu)
        if outputs is not None:
            return outputs if relu else self.activate(outputs)
        outputs = ops.matmul(inputs, kernel)
        if self.bias is not None:
            outputs = ops.add(outputs, self.bias)
        return self.activate(outputs)


register_public("keras.layers", [Dense])
