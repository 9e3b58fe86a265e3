"""The table of Keras 2's backend functions: name, function, and what to write today.

`hornbill.backend` gives each name out as a function that warns at its first call. A row whose arguments only
have other names says so, instead of a function of its own.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hornbill import activations, ops
from hornbill.compat.backend import arrays, networks, state
from hornbill.engine.compatibility import warn_once
from hornbill.engine.naming import name_scope, reset_names

__all__ = ["TABLE", "Row", "old_function"]


@dataclass(frozen=True)
class Row:
    """One old function.

    Attributes:
        function: What runs.
        now: What to write today.
        renamed: Old argument name to that of `function`.
    """

    function: Callable[..., Any]
    now: str
    renamed: dict[str, str] = field(default_factory=dict)


_PAIR = {"x": "x1", "y": "x2"}

TABLE: dict[str, Row] = {
    # the same function in keras.ops
    **{
        name: Row(getattr(ops, name), f"keras.ops.{name}")
        for name in (
            "abs",
            "all",
            "any",
            "binary_crossentropy",
            "cast",
            "categorical_crossentropy",
            "cos",
            "dtype",
            "elu",
            "exp",
            "log",
            "logsumexp",
            "max",
            "min",
            "ones_like",
            "prod",
            "round",
            "sigmoid",
            "sign",
            "sin",
            "softmax",
            "softplus",
            "softsign",
            "square",
            "squeeze",
            "stack",
            "sum",
            "tanh",
            "zeros_like",
        )
    },
    # the same with other argument names
    **{
        name: Row(getattr(ops, name), f"keras.ops.{name}", _PAIR)
        for name in (
            "dot",
            "equal",
            "greater",
            "greater_equal",
            "less",
            "less_equal",
            "maximum",
            "minimum",
            "not_equal",
        )
    },
    "pow": Row(ops.power, "keras.ops.power", {"x": "x1", "a": "x2"}),
    "reshape": Row(ops.reshape, "keras.ops.reshape", {"shape": "newshape"}),
    "reverse": Row(ops.flip, "keras.ops.flip", {"axes": "axis"}),
    # the same with other meanings, in arrays.py and networks.py
    **{
        name: Row(getattr(arrays, name), now)
        for name, now in {
            "arange": "keras.ops.arange",
            "argmax": "keras.ops.argmax(x, axis=-1)",
            "argmin": "keras.ops.argmin(x, axis=-1)",
            "batch_dot": "keras.ops.einsum, or keras.layers.Dot",
            "batch_flatten": "keras.ops.reshape(x, (batch, -1)), or keras.layers.Flatten",
            "cast_to_floatx": "keras.ops.cast(x, keras.config.floatx())",
            "clip": "keras.ops.clip",
            "concatenate": "keras.ops.concatenate(xs, axis=-1)",
            "constant": "keras.ops.convert_to_tensor",
            "count_params": "keras.ops.size",
            "cumprod": "keras.ops.cumprod",
            "cumsum": "keras.ops.cumsum",
            "expand_dims": "keras.ops.expand_dims(x, -1)",
            "eye": "keras.ops.eye",
            "flatten": "keras.ops.reshape(x, (-1,))",
            "foldl": "keras.ops.scan",
            "foldr": "keras.ops.scan(..., reverse=True)",
            "gather": "keras.ops.take(x, indices, axis=0)",
            "int_shape": "x.shape",
            "l2_normalize": "keras.ops.normalize",
            "map_fn": "keras.ops.map",
            "mean": "keras.ops.mean",
            "moments": "keras.ops.moments",
            "ndim": "keras.ops.ndim",
            "one_hot": "keras.ops.one_hot",
            "ones": "keras.ops.ones, or keras.Variable",
            "permute_dimensions": "keras.ops.transpose(x, axes)",
            "random_bernoulli": "keras.random.binomial",
            "random_binomial": "keras.random.binomial",
            "random_normal": "keras.random.normal",
            "random_normal_variable": "keras.Variable(keras.random.normal(shape))",
            "random_uniform": "keras.random.uniform",
            "random_uniform_variable": "keras.Variable(keras.random.uniform(shape))",
            "repeat": "keras.layers.RepeatVector",
            "repeat_elements": "keras.ops.repeat",
            "resize_images": "keras.ops.image.resize, or keras.layers.UpSampling2D",
            "resize_volumes": "keras.layers.UpSampling3D",
            "shape": "keras.ops.shape",
            "spatial_2d_padding": "keras.ops.pad, or keras.layers.ZeroPadding2D",
            "spatial_3d_padding": "keras.ops.pad, or keras.layers.ZeroPadding3D",
            "sqrt": "keras.ops.sqrt",
            "std": "keras.ops.std",
            "stop_gradient": "keras.ops.stop_gradient",
            "temporal_padding": "keras.ops.pad, or keras.layers.ZeroPadding1D",
            "tile": "keras.ops.tile",
            "transpose": "keras.ops.transpose",
            "truncated_normal": "keras.random.truncated_normal",
            "var": "keras.ops.var",
            "zeros": "keras.ops.zeros, or keras.Variable",
        }.items()
    },
    **{
        name: Row(getattr(networks, name), now)
        for name, now in {
            "batch_normalization": "keras.ops.batch_normalization",
            "bias_add": "keras.ops.add",
            "binary_focal_crossentropy": "keras.losses.binary_focal_crossentropy",
            "categorical_focal_crossentropy": "keras.losses.categorical_focal_crossentropy",
            "conv1d": "keras.ops.conv",
            "conv2d": "keras.ops.conv",
            "conv2d_transpose": "keras.ops.conv_transpose",
            "conv3d": "keras.ops.conv",
            "ctc_batch_cost": "keras.ops.ctc_loss",
            "ctc_decode": "keras.ops.ctc_decode",
            "depthwise_conv2d": "keras.ops.depthwise_conv",
            "dropout": "keras.random.dropout",
            "hard_sigmoid": "keras.ops.hard_sigmoid, whose slope is 1/6 instead of 0.2",
            "in_test_phase": "the training argument of call",
            "in_top_k": "keras.ops.in_top_k(targets, predictions, k)",
            "in_train_phase": "the training argument of call",
            "local_conv1d": "keras.ops.einsum over windows",
            "local_conv2d": "keras.ops.einsum over windows",
            "normalize_batch_in_training": "keras.ops.moments and keras.ops.batch_normalization",
            "pool2d": "keras.ops.max_pool or average_pool",
            "pool3d": "keras.ops.max_pool or average_pool",
            "relu": "keras.ops.relu, or keras.activations.relu",
            "rnn": "keras.layers.RNN, or keras.ops.scan",
            "separable_conv1d": "keras.ops.separable_conv",
            "separable_conv2d": "keras.ops.separable_conv",
            "sparse_categorical_crossentropy": "keras.losses.sparse_categorical_crossentropy",
            "switch": "keras.ops.where, or keras.ops.cond",
        }.items()
    },
    **{
        name: Row(getattr(state, name), now)
        for name, now in {
            "batch_get_value": "[v.numpy() for v in variables]",
            "batch_set_value": "v.assign(value)",
            "ctc_label_dense_to_sparse": "keras.ops.ctc_loss, which takes dense labels",
            "eval": "keras.ops.convert_to_numpy",
            "function": "keras.Function, or keras.Model(inputs, outputs)",
            "get_session": "nothing: there are no sessions",
            "get_value": "variable.numpy()",
            "gradients": "jax.grad",
            "image_dim_ordering": "keras.config.image_data_format",
            "is_sparse": "nothing: tensors are dense",
            "learning_phase": "the training argument of call",
            "learning_phase_scope": "the training argument of call",
            "manual_variable_initialization": "nothing: Variables have values from the start",
            "moving_average_update": "v.assign(v * momentum + value * (1 - momentum))",
            "placeholder": "keras.Input",
            "print_tensor": "jax.debug.print",
            "set_image_dim_ordering": "keras.config.set_image_data_format",
            "set_learning_phase": "the training argument of call",
            "set_session": "nothing: there are no sessions",
            "set_value": "variable.assign(value)",
            "to_dense": "nothing: tensors are dense",
            "update": "variable.assign(value)",
            "update_add": "variable.assign_add(value)",
            "update_sub": "variable.assign_sub(value)",
            "variable": "keras.Variable",
        }.items()
    },
    "linear": Row(activations.linear, "keras.activations.linear"),
    "name_scope": Row(name_scope, "keras.name_scope"),
    "reset_uids": Row(reset_names, "keras.utils.clear_session"),
}
"""Every old function of `keras.backend`."""


def old_function(name: str) -> Callable[..., Any]:
    """Returns an old function, which warns at its first call."""
    row = TABLE[name]

    def call(*args: Any, **kwargs: Any) -> Any:
        warn_once(f"backend {name}", f"keras.backend.{name} is an old spelling; write {row.now}.")
        return row.function(*args, **{row.renamed.get(key, key): value for key, value in kwargs.items()})

    functools.update_wrapper(call, row.function)
    call.__name__, call.__qualname__, call.__module__ = name, name, "hornbill.backend"
    return call
