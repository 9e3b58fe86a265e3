"""The table of the TensorFlow stand-in: each name it has, and advice for names that it does not have.

Keys are paths below `tf`. Values that are dicts are namespaces. Differences that remain: shapes are tuples
of numbers, tensors are JAX arrays (which answer to `x.numpy()`), means of whole numbers are floats.
"""

from __future__ import annotations

import logging
from typing import Any

import jax
import numpy as np

from hornbill import activations, ops, random, utils
from hornbill.compat.backend.arrays import l2_normalize
from hornbill.compat.tensorflow import functions
from hornbill.compat.tensorflow.adapt import row
from hornbill.engine.naming import name_scope

__all__ = ["ADVICE", "TREE"]

_REDUCE = "input_tensor>x axis keepdims"
_UNARY = {
    "abs": "abs", "ceil": "ceil", "cos": "cos", "erf": "erf", "exp": "exp", "floor": "floor", "log": "log",
    "log1p": "log1p", "negative": "negative", "reciprocal": "reciprocal", "round": "round", "rsqrt": "rsqrt",
    "sigmoid": "sigmoid", "sign": "sign", "sin": "sin", "softplus": "softplus", "sqrt": "sqrt",
    "square": "square",
    "tan": "tan", "tanh": "tanh", "is_nan": "isnan", "is_inf": "isinf", "is_finite": "isfinite",
    "logical_not": "logical_not", "expm1": "expm1", "cosh": "cosh", "sinh": "sinh",
}  # fmt: skip
_BINARY = {
    "add": "add", "divide": "divide", "equal": "equal", "floordiv": "floor_divide", "greater": "greater",
    "greater_equal": "greater_equal", "less": "less", "less_equal": "less_equal",
    "logical_and": "logical_and",
    "logical_or": "logical_or", "logical_xor": "logical_xor", "maximum": "maximum", "minimum": "minimum",
    "mod": "mod", "multiply": "multiply", "not_equal": "not_equal", "pow": "power", "subtract": "subtract",
}  # fmt: skip
_REDUCTIONS = {
    "reduce_all": "all", "reduce_any": "any", "reduce_logsumexp": "logsumexp", "reduce_max": "max",
    "reduce_mean": "mean", "reduce_min": "min", "reduce_prod": "prod", "reduce_std": "std",
    "reduce_sum": "sum",
    "reduce_variance": "var",
}  # fmt: skip

_math: dict[str, Any] = {
    **{name: row(getattr(ops, target), "x") for name, target in _UNARY.items()},
    **{name: row(getattr(ops, target), "x>x1 y>x2") for name, target in _BINARY.items()},
    **{name: row(getattr(ops, target), _REDUCE) for name, target in _REDUCTIONS.items()},
    "argmax": row(lambda x, axis=0: ops.argmax(x, axis=axis), "input>x axis"),
    "argmin": row(lambda x, axis=0: ops.argmin(x, axis=axis), "input>x axis"),
    "cumprod": row(lambda x, axis=0: ops.cumprod(x, axis=axis), "x axis"),
    "cumsum": row(lambda x, axis=0: ops.cumsum(x, axis=axis), "x axis"),
    "in_top_k": row(ops.in_top_k, "targets predictions k"),
    "l2_normalize": row(l2_normalize, "x axis"),
    "squared_difference": row(lambda x, y: ops.square(ops.subtract(x, y)), "x y"),
    "top_k": row(lambda x, k=1: ops.top_k(x, k), "input>x k"),
}
_DTYPES = (
    "bfloat16", "bool", "complex64", "float16", "float32", "float64", "int16", "int32", "int64", "int8",
    "uint16",
    "uint32", "uint64", "uint8",
)  # fmt: skip
_logging = {
    "DEBUG": logging.DEBUG, "ERROR": logging.ERROR, "FATAL": logging.CRITICAL, "INFO": logging.INFO,
    "WARN": logging.WARNING, "WARNING": logging.WARNING, "set_verbosity": functions.set_verbosity,
    "get_verbosity": functions.LOGGER.getEffectiveLevel, "error": functions.LOGGER.error,
    "info": functions.LOGGER.info, "warning": functions.LOGGER.warning, "warn": functions.LOGGER.warning,
}  # fmt: skip
_random = {
    "categorical": row(random.categorical, "logits num_samples dtype seed"),
    "normal": row(functions.random_normal, "shape mean stddev dtype seed"),
    "set_seed": row(utils.set_random_seed, "seed"),
    "shuffle": row(random.shuffle, "value>x seed"),
    "truncated_normal": row(random.truncated_normal, "shape mean stddev dtype seed"),
    "uniform": row(functions.random_uniform, "shape minval maxval dtype seed"),
}
_shared: dict[str, Any] = {
    name: _math[name]
    for name in (
        "abs", "add", "argmax", "argmin", "cos", "cumsum", "divide", "equal", "exp", "floor", "greater",
        "greater_equal", "less", "less_equal", "logical_and", "logical_not", "logical_or", "maximum",
        "minimum",
        "multiply", "negative", "not_equal", "pow", "reduce_all", "reduce_any", "reduce_logsumexp",
        "reduce_max",
        "reduce_mean", "reduce_min", "reduce_prod", "reduce_sum", "round", "sigmoid", "sign", "sin", "sqrt",
        "square",
        "subtract", "tan", "tanh",
    )
}  # fmt: skip
_linalg = {
    "cholesky": row(ops.cholesky, "input>x"),
    "det": row(ops.det, "input>x"),
    "diag": row(ops.diag, "diagonal>x"),
    "inv": row(ops.inv, "input>x"),
    "matmul": row(functions.matmul, "a b transpose_a transpose_b"),
    "norm": row(functions.norm, "tensor ord axis keepdims"),
    "solve": row(ops.solve, "matrix>a rhs>b"),
}
_v1 = {
    "logging": _logging, "set_random_seed": _random["set_seed"],
    "enable_eager_execution": lambda: None, "executing_eagerly": lambda: True,
}  # fmt: skip

TREE: dict[str, Any] = {
    **_shared,
    **{name: np.dtype(jax.numpy.dtype(name)) for name in _DTYPES},
    "Tensor": jax.Array,
    "TensorShape": functions.TensorShape,
    "Variable": functions.Variable,
    "__version__": "2.20.0-hornbill-stand-in",
    "as_dtype": np.dtype,
    "broadcast_to": row(ops.broadcast_to, "input>x shape"),
    "cast": row(ops.cast, "x dtype"),
    "clip_by_value": row(ops.clip, "t>x clip_value_min>x_min clip_value_max>x_max"),
    "compat": {"v1": _v1},
    "concat": row(ops.concatenate, "values>xs axis"),
    "cond": row(ops.cond, "pred true_fn false_fn"),
    "config": {
        "experimental": {
            "list_physical_devices": functions.device_list,
            "set_memory_growth": functions.memory_growth,
        },
        "list_logical_devices": functions.device_list,
        "list_physical_devices": functions.device_list,
        "threading": {
            "set_inter_op_parallelism_threads": functions.set_threads,
            "set_intra_op_parallelism_threads": functions.set_threads,
        },
    },
    "constant": row(functions.constant, "value dtype shape"),
    "contrib": {},
    "convert_to_tensor": row(ops.convert_to_tensor, "value>x dtype"),
    "device": functions.device,
    "einsum": ops.einsum,
    "executing_eagerly": lambda: True,
    "expand_dims": row(ops.expand_dims, "input>x axis"),
    "eye": row(ops.eye, "num_rows>N num_columns>M dtype"),
    "fill": row(functions.fill, "dims value"),
    "function": functions.function,
    "gather": row(lambda x, indices, axis=0: ops.take(x, indices, axis=axis), "params>x indices axis"),
    "get_logger": lambda: functions.LOGGER,
    "identity": row(functions.identity, "input"),
    "image": {
        "psnr": row(ops.psnr, "a>x1 b>x2 max_val"),
        "resize": row(functions.resize, "images size method antialias"),
        "rgb_to_grayscale": row(lambda images: ops.image.rgb_to_grayscale(images, "channels_last"), "images"),
    },
    "is_tensor": ops.is_tensor,
    "linalg": _linalg,
    "linspace": row(ops.linspace, "start stop num"),
    "logging": _logging,
    "map_fn": row(functions.map_fn, "fn elems"),
    "math": _math,
    "matmul": _linalg["matmul"],
    "name_scope": name_scope,
    "newaxis": None,
    "nn": {
        **{
            name: row(getattr(activations, name), "features>x")
            for name in ("elu", "relu", "relu6", "selu", "softsign")
        },
        **{name: row(getattr(activations, name), "logits>x axis") for name in ("softmax", "log_softmax")},
        **{
            name: row(getattr(activations, name), "x")
            for name in ("sigmoid", "silu", "softplus", "swish", "tanh")
        },
        "bias_add": row(ops.add, "value>x1 bias>x2"),
        "dropout": row(random.dropout, "x>inputs rate noise_shape seed"),
        "gelu": row(
            lambda x, approximate=False: ops.gelu(x, approximate=approximate), "features>x approximate"
        ),
        "l2_loss": row(functions.l2_loss, "t"),
        "l2_normalize": _math["l2_normalize"],
        "leaky_relu": row(lambda x, alpha=0.2: ops.leaky_relu(x, alpha), "features>x alpha"),
        "moments": row(functions.moments, "x axes shift keepdims"),
        "sigmoid_cross_entropy_with_logits": row(
            lambda labels, logits: ops.binary_crossentropy(labels, logits, from_logits=True), "labels logits"
        ),
        "softmax_cross_entropy_with_logits": row(functions.softmax_loss, "labels logits axis"),
        "sparse_softmax_cross_entropy_with_logits": row(functions.sparse_softmax_loss, "labels logits"),
        "top_k": _math["top_k"],
    },
    "norm": _linalg["norm"],
    "one_hot": row(ops.one_hot, "indices>x depth>num_classes axis dtype"),
    "ones": row(ops.ones, "shape dtype"),
    "ones_like": row(ops.ones_like, "input>x dtype"),
    "pad": row(functions.pad, "tensor paddings mode constant_values"),
    "print": print,
    "python": {},
    "random": _random,
    "range": row(functions.range_, "start limit delta dtype"),
    "rank": row(functions.rank, "input"),
    "repeat": row(ops.repeat, "input>x repeats axis"),
    "reshape": row(ops.reshape, "tensor>x shape>newshape"),
    "reverse": row(ops.flip, "tensor>x axis"),
    "set_random_seed": _random["set_seed"],
    "shape": row(functions.shape, "input out_type"),
    "size": row(ops.size, "input>x"),
    "slice": row(ops.slice, "input_>inputs begin>start_indices size>shape"),
    "split": row(functions.split, "value num_or_size_splits axis"),
    "squeeze": row(ops.squeeze, "input>x axis"),
    "stack": row(ops.stack, "values>x axis"),
    "stop_gradient": row(ops.stop_gradient, "input>variable"),
    "string": "string",
    "tensordot": row(ops.tensordot, "a>x1 b>x2 axes"),
    "test": {
        "gpu_device_name": lambda: "/device:GPU:0" if functions.is_gpu_available() else "",
        "is_built_with_cuda": functions.is_gpu_available,
        "is_gpu_available": functions.is_gpu_available,
    },
    "tile": row(ops.tile, "input>x multiples>repeats"),
    "transpose": row(ops.transpose, "a>x perm>axes"),
    "unstack": row(ops.unstack, "value>x num axis"),
    "version": {"VERSION": "2.20.0-hornbill-stand-in"},
    "where": row(functions.where, "condition x y"),
    "zeros": row(ops.zeros, "shape dtype"),
    "zeros_like": row(ops.zeros_like, "input>x dtype"),
}

ADVICE: dict[str, str] = {
    "ConfigProto": "Remove it: there are no sessions. For memory: XLA_PYTHON_CLIENT_PREALLOCATE=false.",
    "GradientTape": "model.fit; or jax.value_and_grad of a function that calls model.stateless_call",
    "InteractiveSession": "Remove it: everything runs when it is called. K.function runs a part of a model.",
    "Session": "Remove it: everything runs when it is called. K.function runs a part of a model.",
    "autodiff": "jax.grad, jax.jvp",
    "compat.v1.Session": "Remove it: everything runs when it is called.",
    "compat.v1.disable_eager_execution": "Remove it: KerasTensors make the graph, arrays compute at once.",
    "compat.v1.disable_v2_behavior": "Remove it: KerasTensors make the graph, arrays compute at once.",
    "contrib": "tf.contrib ended with TensorFlow 1.",
    "data": "NumPy arrays, a generator, keras.utils.PyDataset or a torch DataLoader, straight into fit.",
    "distribute": "keras.distribution.DataParallel()",
    "estimator": "model.fit",
    "get_default_graph": "Remove it: there is no default graph.",
    "global_variables_initializer": "Remove it: variables have values from the start.",
    "io": "Python's open, keras.utils.load_img, keras.utils.get_file",
    "lite": "model.export",
    "placeholder": "keras.Input(shape)",
    "saved_model": "model.save('model.keras'), model.export",
    "summary": "keras.callbacks.TensorBoard",
    "train": "keras.optimizers, keras.callbacks.ModelCheckpoint",
    "train.Checkpoint": "model.save_weights('x.weights.h5')",
}
"""Paths that scripts use and the stand-in does not have: what to write instead."""
