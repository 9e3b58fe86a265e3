"""Keras 2's backend functions for networks: convolution, pooling, activations, losses, recurrence.

The argument names and meanings are Keras 2's (`pool_mode=`, TensorFlow's explicit output shape of a
transposed convolution, CTC with the blank as the last class); the arithmetic is that of `hornbill.ops`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax.numpy as jnp

from hornbill import losses, ops, random
from hornbill.engine.context import context
from hornbill.engine.errors import ArgumentError, ShapeError, one_of
from hornbill.engine.settings import epsilon as fuzz
from hornbill.engine.settings import standardize_data_format
from hornbill.engine.symbolic import any_symbolic
from hornbill.layers.recurrent_loop import run_steps

__all__ = [
    "batch_normalization", "bias_add", "binary_focal_crossentropy", "categorical_focal_crossentropy",
    "conv1d",
    "conv2d", "conv2d_transpose", "conv3d", "ctc_batch_cost", "ctc_decode", "depthwise_conv2d", "dropout",
    "hard_sigmoid", "in_test_phase", "in_top_k", "in_train_phase", "local_conv1d", "local_conv2d",
    "normalize_batch_in_training", "pool2d", "pool3d", "relu", "rnn", "separable_conv1d", "separable_conv2d",
    "sparse_categorical_crossentropy", "switch",
]  # fmt: skip


# ---- activations and normalisation


def relu(x: Any, alpha: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Any:
    """Returns `x` above the threshold, `alpha * (x - threshold)` below, at most `max_value`."""
    result = ops.where(ops.greater_equal(x, threshold), x, ops.multiply(alpha, ops.subtract(x, threshold)))
    return result if max_value is None else ops.minimum(result, max_value)


def hard_sigmoid(x: Any) -> Any:
    """Returns `0.2 * x + 0.5`, from 0 to 1: Keras 2's slope; that of Keras 3 is 1/6."""
    return ops.clip(ops.add(ops.multiply(x, 0.2), 0.5), 0.0, 1.0)


def bias_add(x: Any, bias: Any, data_format: str | None = None) -> Any:
    """Adds one number per channel (or one per cell, when the bias has all axes but the batch)."""
    ndim, axes = len(ops.shape(x)), len(ops.shape(bias))
    if axes not in (1, ndim - 1):
        raise ShapeError(
            "K.bias_add: the bias has one axis, or all axes of x but the batch.",
            got=f"bias {ops.shape(bias)} for x {ops.shape(x)}.",
        )
    if standardize_data_format(data_format) == "channels_first" and ndim > 2:
        sizes = ops.shape(bias)
        shape = (sizes[0], *[1] * (ndim - 2)) if axes == 1 else (sizes[-1], *sizes[:-1])
        bias = ops.reshape(bias, shape) if axes == 1 else ops.transpose(bias, (axes - 1, *range(axes - 1)))
    return ops.add(x, bias)


def batch_normalization(
    x: Any, mean: Any, var: Any, beta: Any, gamma: Any, axis: int = -1, epsilon: float = 1e-3
) -> Any:
    """Returns `gamma * (x - mean) / sqrt(var + epsilon) + beta`; statistics of one axis lie along `axis`."""
    ndim = len(ops.shape(x))

    def along(value: Any) -> Any:
        if value is None or len(ops.shape(value)) != 1 or axis in (-1, ndim - 1):
            return value
        return ops.reshape(value, [-1 if i == axis % ndim else 1 for i in range(ndim)])

    scale = ops.rsqrt(ops.add(along(var), epsilon))
    if gamma is not None:
        scale = ops.multiply(scale, along(gamma))
    result = ops.multiply(ops.subtract(x, along(mean)), scale)
    return result if beta is None else ops.add(result, along(beta))


def normalize_batch_in_training(
    x: Any, gamma: Any, beta: Any, reduction_axes: Sequence[int], epsilon: float = 1e-3
) -> tuple[Any, Any, Any]:
    """Normalises with the mean and variance of the batch and returns `(normalised, mean, variance)`."""
    mean, variance = ops.moments(x, list(reduction_axes))
    kept, spread = ops.moments(x, list(reduction_axes), keepdims=True)
    sizes = ops.shape(kept)

    def fit(value: Any) -> Any:
        return None if value is None else ops.reshape(value, sizes)

    return batch_normalization(x, kept, spread, fit(beta), fit(gamma), epsilon=epsilon), mean, variance


def dropout(x: Any, level: float, noise_shape: Any = None, seed: int | None = None) -> Any:
    """Sets a share `level` of the elements to 0 and enlarges the rest, in training and out of it."""
    return random.dropout(x, level, noise_shape=noise_shape, seed=seed)


# ---- windows


def conv1d(
    x: Any, kernel: Any, strides: int = 1, padding: str = "valid", data_format: str | None = None,
    dilation_rate: int = 1,
) -> Any:  # fmt: skip
    """Slides a kernel along steps; `padding` may be "causal"."""
    if padding == "causal":
        before = (kernel.shape[0] - 1) * dilation_rate
        last = standardize_data_format(data_format) == "channels_last"
        x = ops.pad(x, ((0, 0), (before, 0), (0, 0)) if last else ((0, 0), (0, 0), (before, 0)))
        padding = "valid"
    return ops.conv(x, kernel, strides, padding, data_format, dilation_rate)


def conv2d(
    x: Any, kernel: Any, strides: Any = (1, 1), padding: str = "valid", data_format: str | None = None,
    dilation_rate: Any = (1, 1),
) -> Any:  # fmt: skip
    """Slides a kernel over images."""
    return ops.conv(x, kernel, strides, padding, data_format, dilation_rate)


def conv3d(
    x: Any, kernel: Any, strides: Any = (1, 1, 1), padding: str = "valid", data_format: str | None = None,
    dilation_rate: Any = (1, 1, 1),
) -> Any:  # fmt: skip
    """Slides a kernel over volumes."""
    return ops.conv(x, kernel, strides, padding, data_format, dilation_rate)


def depthwise_conv2d(
    x: Any, depthwise_kernel: Any, strides: Any = (1, 1), padding: str = "valid", data_format: str | None =
    None, dilation_rate: Any = (1, 1),
) -> Any:  # fmt: skip
    """Slides kernels over each channel of images by itself."""
    return ops.depthwise_conv(x, depthwise_kernel, strides, padding, data_format, dilation_rate)


def separable_conv1d(
    x: Any, depthwise_kernel: Any, pointwise_kernel: Any, strides: Any = 1, padding: str = "valid",
    data_format: str | None = None, dilation_rate: Any = 1,
) -> Any:  # fmt: skip
    """Convolves each channel of sequences by itself, then mixes the channels."""
    return ops.separable_conv(
        x, depthwise_kernel, pointwise_kernel, strides, padding, data_format, dilation_rate
    )


def separable_conv2d(
    x: Any, depthwise_kernel: Any, pointwise_kernel: Any, strides: Any = (1, 1), padding: str = "valid",
    data_format: str | None = None, dilation_rate: Any = (1, 1),
) -> Any:  # fmt: skip
    """Convolves each channel of images by itself, then mixes the channels."""
    return ops.separable_conv(
        x, depthwise_kernel, pointwise_kernel, strides, padding, data_format, dilation_rate
    )


def conv2d_transpose(
    x: Any, kernel: Any, output_shape: Sequence[Any], strides: Any = (1, 1), padding: str = "valid",
    data_format: str | None = None, dilation_rate: Any = (1, 1),
) -> Any:  # fmt: skip
    """Returns the gradient of `conv2d` with respect to an input of `output_shape`.

    Shapes:
        kernel: (kernel height, kernel width, output channels, input channels).
        output_shape: (batch, height, width, channels), the channels second for "channels_first".
    """
    data_format = standardize_data_format(data_format)
    first = 1 if data_format == "channels_last" else 2
    strides = (strides, strides) if isinstance(strides, int) else tuple(strides)
    dilation = (dilation_rate, dilation_rate) if isinstance(dilation_rate, int) else tuple(dilation_rate)
    full = ops.conv_transpose(x, kernel, strides, "valid", None, data_format, dilation)
    widths, begins, ends = [(0, 0)] * 4, [0] * 4, list(ops.shape(full))
    for i in range(2):
        axis, wanted = first + i, output_shape[first + i]
        size = (x.shape[axis] - 1) * strides[i] + (kernel.shape[i] - 1) * dilation[i] + 1
        if wanted is None or wanted < 1:
            raise ArgumentError(
                "K.conv2d_transpose wants the whole output shape.", got=f"{tuple(output_shape)}."
            )
        before = max(size - wanted, 0) // 2 if padding == "same" else 0
        widths[axis] = (0, max(before + wanted - ends[axis], 0))
        begins[axis], ends[axis] = before, before + wanted
    padded = ops.pad(full, widths)
    return padded[tuple(slice(begin or None, end) for begin, end in zip(begins, ends, strict=True))]


def _pool(x: Any, size: Any, strides: Any, padding: str, data_format: str | None, mode: str) -> Any:
    pool = {"max": ops.max_pool, "avg": ops.average_pool}[one_of("pool", "pool_mode", mode, ("max", "avg"))]
    return pool(x, size, strides, padding, data_format)


def pool2d(
    x: Any, pool_size: Any, strides: Any = (1, 1), padding: str = "valid", data_format: str | None = None,
    pool_mode: str = "max",
) -> Any:  # fmt: skip
    """Takes the maximum ("max") or mean ("avg") of windows of images."""
    return _pool(x, pool_size, strides, padding, data_format, pool_mode)


def pool3d(
    x: Any, pool_size: Any, strides: Any = (1, 1, 1), padding: str = "valid", data_format: str | None = None,
    pool_mode: str = "max",
) -> Any:  # fmt: skip
    """Takes the maximum ("max") or mean ("avg") of windows of volumes."""
    return _pool(x, pool_size, strides, padding, data_format, pool_mode)


def local_conv1d(
    inputs: Any, kernel: Any, kernel_size: Any, strides: Any, data_format: str | None = None
) -> Any:
    """Convolves sequences with another kernel at each place.

    Shapes:
        kernel: (output length, kernel size * channels, filters).
    """
    last = standardize_data_format(data_format) == "channels_last"
    length, count = _single(kernel_size), kernel.shape[0]
    step = _single(strides)
    places = [slice(i * step, i * step + length) for i in range(count)]
    cuts = [inputs[:, p] if last else inputs[:, :, p] for p in places]
    windows = ops.stack([ops.reshape(cut, (-1, ops.shape(kernel)[1])) for cut in cuts])
    result = ops.einsum("pbk,pkf->bpf", windows, kernel)
    return result if last else ops.transpose(result, (0, 2, 1))


def local_conv2d(
    inputs: Any, kernel: Any, kernel_size: Sequence[int], strides: Sequence[int], output_shape: Sequence[int],
    data_format: str | None = None,
) -> Any:  # fmt: skip
    """Convolves images with another kernel at each place.

    Shapes:
        kernel: (output rows * output columns, kernel rows * kernel columns * channels, filters).
        output_shape: (output rows, output columns).
    """
    last = standardize_data_format(data_format) == "channels_last"
    rows, columns = output_shape
    cuts = []
    for row in range(rows):
        for column in range(columns):
            down = slice(row * strides[0], row * strides[0] + kernel_size[0])
            across = slice(column * strides[1], column * strides[1] + kernel_size[1])
            cuts.append(inputs[:, down, across] if last else inputs[:, :, down, across])
    windows = ops.stack([ops.reshape(cut, (-1, ops.shape(kernel)[1])) for cut in cuts])
    result = ops.reshape(
        ops.einsum("pbk,pkf->bpf", windows, kernel), (-1, rows, columns, ops.shape(kernel)[2])
    )
    return result if last else ops.transpose(result, (0, 3, 1, 2))


def _single(value: Any) -> int:
    return value[0] if isinstance(value, (tuple, list)) else value


# ---- losses


def sparse_categorical_crossentropy(
    target: Any, output: Any, from_logits: bool = False, axis: int = -1, ignore_class: int | None = None
) -> Any:
    """Returns the cross-entropy of integer classes, 0 where the class is `ignore_class`."""
    return losses.sparse_categorical_crossentropy(
        target, output, from_logits=from_logits, ignore_class=ignore_class, axis=axis
    )


def binary_focal_crossentropy(
    target: Any, output: Any, apply_class_balancing: bool = False, alpha: float = 0.25, gamma: float = 2.0,
    from_logits: bool = False,
) -> Any:  # fmt: skip
    """Returns the focal cross-entropy of each element."""
    entropy = ops.binary_crossentropy(target, output, from_logits=from_logits)
    p = ops.sigmoid(output) if from_logits else output
    hit = target * p + (1 - target) * (1 - p)
    result = ops.power(1.0 - hit, gamma) * entropy
    return result * (target * alpha + (1 - target) * (1 - alpha)) if apply_class_balancing else result


def categorical_focal_crossentropy(
    target: Any, output: Any, alpha: Any = 0.25, gamma: float = 2.0, from_logits: bool = False, axis: int = -1
) -> Any:
    """Returns the focal cross-entropy of rows of class probabilities."""
    return losses.categorical_focal_crossentropy(
        target, output, alpha=alpha, gamma=gamma, from_logits=from_logits, axis=axis
    )


def in_top_k(predictions: Any, targets: Any, k: int) -> Any:
    """Returns whether each target is among the `k` largest predictions."""
    return ops.in_top_k(targets, predictions, k)


def ctc_batch_cost(y_true: Any, y_pred: Any, input_length: Any, label_length: Any) -> Any:
    """Returns the CTC loss of each sample; the blank is the last class.

    Shapes:
        y_true: (samples, labels).
        y_pred: (samples, steps, classes), probabilities.
        input_length: (samples, 1).
        label_length: (samples, 1).
        returns: (samples, 1).
    """
    logits = ops.log(ops.add(y_pred, fuzz()))
    lengths = [ops.reshape(ops.cast(length, "int32"), (-1,)) for length in (label_length, input_length)]
    loss = ops.ctc_loss(ops.cast(y_true, "int32"), logits, *lengths, mask_index=y_pred.shape[-1] - 1)
    return ops.expand_dims(loss, 1)


def ctc_decode(
    y_pred: Any, input_length: Any, greedy: bool = True, beam_width: int = 100, top_paths: int = 1
) -> tuple[list[Any], Any]:
    """Finds the likeliest labels; the blank is the last class.

    Returns:
        A list of labels, -1 after their ends (one entry per path), and the scores.
    """
    logits = ops.log(ops.add(y_pred, fuzz()))
    decoded, scores = ops.ctc_decode(
        logits, ops.reshape(ops.cast(input_length, "int32"), (-1,)), strategy="greedy" if greedy else
        "beam_search", beam_width=beam_width, top_paths=top_paths, mask_index=y_pred.shape[-1] - 1,
    )  # fmt: skip
    return [decoded[i] for i in range(decoded.shape[0])], scores


# ---- branches and loops


def switch(condition: Any, then_expression: Any, else_expression: Any) -> Any:
    """Returns one of two values: by one condition, or by one per entry of the first axes."""
    ndim = len(ops.shape(condition))
    if ndim == 0 and callable(then_expression) and callable(else_expression):
        return ops.cond(condition, then_expression, else_expression)
    first = then_expression() if callable(then_expression) else then_expression
    second = else_expression() if callable(else_expression) else else_expression
    for _ in range(len(ops.shape(first)) - ndim if ndim else 0):
        condition = ops.expand_dims(condition, -1)
    return ops.where(ops.cast(condition, "bool"), first, second)


def in_train_phase(x: Any, alt: Any, training: Any = None) -> Any:
    """Returns `x` in training and `alt` otherwise; functions are called."""
    if training is None:
        training = bool(context().training)
    if isinstance(training, (bool, int)):
        chosen = x if training else alt
        return chosen() if callable(chosen) else chosen
    return switch(training, x, alt)


def in_test_phase(x: Any, alt: Any, training: Any = None) -> Any:
    """Returns `x` outside of training and `alt` in it; functions are called."""
    return in_train_phase(alt, x, training)


def rnn(
    step_function: Callable[[Any, Any], tuple[Any, Any]],
    inputs: Any,
    initial_states: Sequence[Any],
    go_backwards: bool = False,
    mask: Any = None,
    constants: Sequence[Any] | None = None,
    unroll: bool = False,
    input_length: int | None = None,  # noqa: ARG001
    time_major: bool = False,
    zero_output_for_mask: bool = False,
    return_all_outputs: bool = True,
) -> tuple[Any, Any, Any]:
    """Runs `step_function(input, states) -> (output, new_states)` over time.

    Args:
        step_function: The step; `constants` follow the states in its second argument.
        inputs: Array (samples, time, ...), or (time, samples, ...) when `time_major`.
        initial_states: The first states.
        go_backwards: Whether the last step comes first.
        mask: Which steps count, (samples, time), with any further axes of size 1.
        constants: Further values for each step.
        unroll: Whether the loop is written out.
        input_length: The number of steps, which the inputs have anyway.
        time_major: Whether time is the first axis.
        zero_output_for_mask: Whether outputs that do not count are 0; they repeat the one before otherwise.
        return_all_outputs: Whether the outputs of all steps are wanted, or only the last.

    Returns:
        `(last output, outputs, last states)`.
    """
    if any_symbolic(inputs):
        raise ArgumentError(
            "K.rnn runs on arrays.",
            got=f"{inputs!r}.",
            fixes="Call it inside a Layer's call, or use keras.layers.RNN.",
        )
    x = jnp.asarray(ops.convert_to_tensor(inputs))
    steps = x if time_major else jnp.swapaxes(x, 0, 1)
    if mask is not None:
        mask = jnp.asarray(ops.convert_to_tensor(mask)).astype(bool)
        mask = mask if time_major else jnp.swapaxes(mask, 0, 1)
        mask = mask[..., 0] if mask.ndim == 3 and mask.shape[-1] == 1 else mask
    if go_backwards:
        steps, mask = steps[::-1], None if mask is None else mask[::-1]
    extra = [ops.convert_to_tensor(value) for value in constants or ()]

    def step(item: Any, states: list[Any]) -> tuple[Any, list[Any]]:
        output, after = step_function(item, [*states, *extra])
        return output, list(after)

    states = [ops.convert_to_tensor(state) for state in initial_states]
    outputs: Any
    last, outputs, states = run_steps(
        step, steps, states, mask, zero_masked=zero_output_for_mask, unroll=unroll
    )
    if not return_all_outputs:
        outputs = last[None]
    return last, outputs if time_major else jnp.swapaxes(outputs, 0, 1), states
