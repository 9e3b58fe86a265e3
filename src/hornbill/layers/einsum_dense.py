"""EinsumDense: a dense layer whose sums are written as an equation, so that it works on any axes."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from typing import Any

from hornbill import activations, constraints, initializers, ops, regularizers
from hornbill.engine.errors import ArgumentError, ShapeError
from hornbill.engine.input_spec import InputSpec
from hornbill.engine.registry import register_public
from hornbill.layers.low_rank import LowRank
from hornbill.layers.shared import BASE_KEYS, refuse_quantization
from hornbill.ops.native_dense import dense

__all__ = ["EinsumDense"]

_EQUATION = re.compile(r"(\.\.\.)?([a-zA-Z]+)(\.\.\.)?,([a-zA-Z]+)->(\.\.\.)?([a-zA-Z]+)(\.\.\.)?")


class EinsumDense(LowRank):
    """Computes `activation(einsum(equation, inputs, kernel) + bias)`.

    Args:
        equation: Letters for the axes: "ab,bc->ac" is `Dense`; "..." before or after the letters of inputs
            and outputs stands for any further axes.
        output_shape: Sizes of the output's axes without the batch; None for those that come from the inputs.
        activation: Name or function; None means none.
        bias_axes: Letters of the output's axes along which the bias lies; None means no bias.
        kernel_initializer: First values of the kernel.
        bias_initializer: First values of the bias.
        kernel_regularizer: Penalty on the kernel.
        bias_regularizer: Penalty on the bias.
        kernel_constraint: Applied to the kernel after each step of training.
        bias_constraint: Applied to the bias after each step of training.
        lora_rank: If given, the kernel is frozen and adapted by two weights of this rank.
        lora_alpha: The adaptation is multiplied by `lora_alpha / lora_rank`.
        gptq_unpacked_column_size: Not supported; only None.
        quantization_config: Not supported; only None.
        **kwargs: `name`, `dtype`, `trainable`, `activity_regularizer`.

    Shapes:
        inputs: any; the letters before the comma name their axes
        outputs: any; the axes that the letters after the arrow name
        Params: product(kernel.shape) + (0 if bias is None else product(bias.shape))

    Example:
        >>> EinsumDense("abc,cd->abd", output_shape=(None, 64), bias_axes="d")(ops.ones((2, 32, 128))).shape
        (2, 32, 64)
    """

    config_omitted = ("lora_rank", "lora_alpha", "gptq_unpacked_column_size")
    config_order = (
        *BASE_KEYS, "output_shape", "equation", "activation", "bias_axes", "kernel_initializer",
        "bias_initializer", "kernel_regularizer", "bias_regularizer", "activity_regularizer",
        "kernel_constraint", "bias_constraint", "quantization_config",
    )  # fmt: skip

    def __init__(
        self,
        equation: str,
        output_shape: int | Sequence[int | None],
        activation: Any = None,
        bias_axes: str | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        gptq_unpacked_column_size: int | None = None,
        quantization_config: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        refuse_quantization("EinsumDense", quantization_config or gptq_unpacked_column_size)
        self.equation, self.bias_axes = equation, bias_axes
        self.output_shape: Any = (
            tuple(output_shape) if isinstance(output_shape, (tuple, list)) else (output_shape,)
        )
        self.activation = activations.get(activation)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self._store_lora(lora_rank, lora_alpha)

    def build(self, input_shape: Any) -> None:
        """Makes the kernel, and the bias if there is one."""
        kernel, bias = einsum_weights(self.equation, tuple(input_shape), self.output_shape, self.bias_axes)
        self.kernel = self.add_weight(
            tuple(kernel.values()),
            self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
            name="kernel",
            axes=tuple(kernel),
        )
        self.bias = None
        if bias is not None:
            self.bias = self.add_weight(
                tuple(bias.values()), self.bias_initializer, regularizer=self.bias_regularizer,
                constraint=self.bias_constraint, name="bias", axes=tuple(bias),
            )  # fmt: skip
        self.input_spec = InputSpec(ndim=len(input_shape))
        if self.lora_rank:
            self._add_low_rank()

    def call(self, inputs: Any) -> Any:
        """Returns the sums."""
        kernel, relu = self._adapted(), self.activation is activations.relu
        axes = _summed_last(self.equation)
        outputs = dense(inputs, kernel, self.bias, relu, axes) if axes else None
        if outputs is not None:
            return outputs if relu else self.activate(outputs)
        outputs = ops.einsum(self.equation, inputs, kernel)
        if self.bias is not None:
            outputs = ops.add(outputs, self.bias)
        return self.activate(outputs)


Sizes = dict[str, int | None]
"""Size of each axis of a weight by the axis' name."""


def einsum_weights(
    equation: str,
    input_shape: tuple[int | None, ...],
    output_shape: tuple[int | None, ...],
    bias_axes: str | None,
) -> tuple[Sizes, Sizes | None]:
    """Returns the named sizes of the kernel and of the bias (None without one).

    Raises:
        ArgumentError: If the equation has another form or names an axis without size.
        ShapeError: If a letter gets two different sizes.
    """
    left, inputs, right, kernel, outputs = _parts(equation)
    if left:
        taken = input_shape[len(input_shape) - len(inputs) :]
        given = output_shape[len(output_shape) - len(outputs) :]
    else:
        taken = input_shape[: len(inputs)]
        given = (input_shape[0], *output_shape)[: len(outputs)]
    if len(taken) != len(inputs) or (not left and not right and len(input_shape) != len(inputs)):
        raise ShapeError(
            f"EinsumDense: the equation {equation!r} wants inputs with {len(inputs)} axes.",
            got=f"shape {input_shape}, which has {len(input_shape)}.",
        )
    if len(given) != len(outputs):
        raise ArgumentError(
            f"EinsumDense: output_shape must have a size for each of the letters {outputs!r} after the arrow"
            f"{'' if left else ' but the first, the batch'}.",
            got=f"output_shape={output_shape}.",
        )
    sizes = dict(zip(inputs, taken, strict=True))
    new = dict(zip(outputs, given, strict=True))
    for letter, size in new.items():
        known = sizes.get(letter)
        if known is not None and size is not None and size != known:
            raise ShapeError(
                f"EinsumDense: axis {letter!r} of the equation {equation!r} has two different sizes.",
                got=f"{known} in the inputs {input_shape}, {size} in output_shape {output_shape}.",
            )
        if letter not in inputs and letter not in kernel:
            raise ArgumentError(
                f"EinsumDense: axis {letter!r} of the output is neither in the inputs nor in the kernel.",
                got=f"equation={equation!r}.",
            )
    lost = [letter for letter in kernel if letter not in sizes and letter not in new]
    if lost:
        raise ArgumentError(
            f"EinsumDense: the kernel's axis {lost[0]!r} stands in neither inputs nor outputs.",
            got=f"equation={equation!r}.",
        )
    merged = {
        **new,
        **{letter: size for letter, size in sizes.items() if size is not None or letter not in new},
    }
    named = {f"{'input' if letter in inputs else 'output'} {letter}": merged[letter] for letter in kernel}
    trailing = len(input_shape) - len(inputs) if right else 0
    return named, _bias_sizes(outputs, merged, bias_axes, trailing)


def _parts(equation: str) -> tuple[bool, str, bool, str, str]:
    """Returns whether axes are elided on the left, the inputs, whether on the right, kernel and outputs."""
    match = _EQUATION.fullmatch(equation.replace(" ", ""))
    if match is None or match[1] != match[5] or match[3] != match[7] or (match[1] and match[3]):
        raise ArgumentError(
            "EinsumDense: an equation has the form 'ab,bc->ac', '...b,bc->...c' or 'ab...,bc->ac...'.",
            got=f"equation={equation!r}.",
        )
    return bool(match[1]), match[2], bool(match[3]), match[4], match[6]


@functools.cache
def _summed_last(equation: str) -> int:
    """Returns how many axes are summed over if they are the last of the inputs and the first of the kernel, else 0."""
    _, inputs, right, kernel, outputs = _parts(equation)
    summed = [letter for letter in inputs if letter not in outputs]
    count = len(summed)
    kept, units = inputs[: len(inputs) - count], kernel[count:]
    plain = inputs[len(kept) :] == kernel[:count] == "".join(summed) and outputs == kept + units and not right
    return count if plain and units else 0


def _bias_sizes(outputs: str, sizes: Sizes, bias_axes: str | None, trailing: int) -> Sizes | None:
    if not bias_axes:
        return None
    for letter in bias_axes:
        if letter not in outputs:
            raise ArgumentError(
                f"EinsumDense: bias_axes names {letter!r}, which is no axis of the output {outputs!r}.",
                got=f"bias_axes={bias_axes!r}.",
            )
    first = min(outputs.index(letter) for letter in bias_axes)
    result: Sizes = {f"output {x}": sizes[x] if x in bias_axes else 1 for x in outputs[first:]}
    return {**result, **{f"elided {i}": 1 for i in range(trailing)}}


register_public("keras.layers", [EinsumDense])
