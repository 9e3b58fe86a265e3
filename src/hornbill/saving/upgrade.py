"""Configurations of older Keras versions in the present form: one rule per thing that changed.

Rules run on each `{"class_name", "config"}` before anything is created, and leave present-day configurations as they
are. What an old file asks for and no longer exists is refused, not dropped.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hornbill.engine.errors import FileError
from hornbill.engine.serialization import public_object
from hornbill.saving.upgrade_ops import upgrade_op

__all__ = ["upgrade", "upgrade_training_config"]

Config = dict[str, Any]
_MAX_DEPTH = 200


def upgrade(data: Any, depth: int = 0) -> Any:
    """Returns data with every configuration in it in the present form.

    Args:
        data: A configuration, or any part of one.
        depth: How deep in the configuration it stands.
    """
    if depth > _MAX_DEPTH:
        raise FileError("The configuration is nested more deeply than any model.")
    if isinstance(data, list):
        return [upgrade(item, depth + 1) for item in data]
    if not isinstance(data, dict):
        return data
    data = {key: upgrade(value, depth + 1) for key, value in data.items()}
    name, config = data.get("class_name"), data.get("config")
    if not isinstance(name, str):
        return data
    if name in _POLICIES and isinstance(config, dict):
        return {
            "module": "keras",
            "class_name": "DTypePolicy",
            "config": {"name": config.get("name")},
            "registered_name": None,
        }
    if name in ("TFOpLambda", "SlicingOpLambda") and isinstance(config, dict):
        return upgrade_op(data)
    if not isinstance(config, dict):
        return data
    if _is_nameless_op(data, config):
        return {**data, "module": "keras.ops", "registered_name": name}
    if "module" not in data and _is_layer(config) and public_object(name, "keras.layers") is not None:
        data["module"] = "keras.layers"  # some names are those of an initializer too
    config = dict(config)
    for rule in _RULES.get(name, ()):
        rule(config)
    if name in _INITIALIZERS:
        config.pop("dtype", None)
    return {**data, "config": config}


def _is_nameless_op(data: Config, config: Config) -> bool:
    """Returns whether an entry of a graph is an op of Keras 3 in an `.h5` file, which does not say so."""
    nodes = data.get("inbound_nodes")
    calls = isinstance(nodes, list) and bool(nodes) and all(isinstance(node, dict) for node in nodes)
    return calls and "module" not in data and not _is_layer(config)


def _is_layer(config: Config) -> bool:
    """Returns whether a configuration is a layer's and not an op's: each of Keras' layers writes one of these."""
    return bool({"trainable", "batch_shape", "layers", "rate", "bin_boundaries"} & config.keys())


def upgrade_training_config(training: Config) -> Config:
    """Returns the arguments of `compile` from Keras 2's `training_config`, serialised.

    Args:
        training: The parsed attribute of the file.
    """
    config = dict(upgrade(training))
    config.pop("sample_weight_mode", None)
    optimizer = config.pop("optimizer_config", None)
    if isinstance(optimizer, dict) and isinstance(optimizer.get("config"), dict):
        optimizer = {**optimizer, "config": dict(optimizer["config"])}
        _optimizer(optimizer["config"])
        optimizer.setdefault("module", "keras.optimizers")
    known = (
        "loss",
        "loss_weights",
        "metrics",
        "weighted_metrics",
        "run_eagerly",
        "steps_per_execution",
        "jit_compile",
    )
    kept = {key: config[key] for key in known if config.get(key) is not None}
    for key in ("metrics", "weighted_metrics"):
        if key in kept:
            kept[key] = _metrics(kept[key])
    return {"optimizer": optimizer, **kept}


# ---- rules on the config of one class


def _drop(*names: str) -> Callable[[Config], None]:
    def rule(config: Config) -> None:
        for name in names:
            config.pop(name, None)

    return rule


def _drop_if(name: str, *values: Any) -> Callable[[Config], None]:
    """Drops an argument whose value asks for nothing; another value stays, and is refused by the constructor."""

    def rule(config: Config) -> None:
        if name in config and config[name] in values:
            del config[name]

    return rule


def _rename(old: str, new: str) -> Callable[[Config], None]:
    def rule(config: Config) -> None:
        if old in config:
            config.setdefault(new, config.pop(old))

    return rule


def _input_layer(config: Config) -> None:
    if "batch_input_shape" in config:
        config["batch_shape"] = config.pop("batch_input_shape")
    if isinstance(config.get("dtype"), dict):
        config["dtype"] = config["dtype"].get("config", {}).get("name")
    config.pop("type_spec", None)


def _batch_normalization(config: Config) -> None:
    axis = config.get("axis")
    if isinstance(axis, list) and len(axis) == 1:
        config["axis"] = axis[0]
    _drop("fused", "virtual_batch_size", "adjustment")(config)


def _time_major(config: Config) -> None:
    if config.pop("time_major", False):
        raise FileError(
            "The file holds a recurrent layer with time_major=True, which is gone.",
            fixes="Save the model again with time_major=False, and swap the first two axes of the data.",
        )


def _lambda(config: Config) -> None:
    """Marks stored code as such, for the one refusal of code in files."""
    function = config.get("function")
    stored = isinstance(function, list) or config.get("function_type") in ("lambda", "raw")
    if stored or (isinstance(function, dict) and function.get("class_name") == "__lambda__"):
        config["function"] = {"class_name": "__lambda__", "config": {}}
    for key in ("function_type", "module", "output_shape_type", "output_shape_module"):
        config.pop(key, None)


def _array_to_number(name: str) -> Callable[[Config], None]:
    def rule(config: Config) -> None:
        value = config.get(name)
        if isinstance(value, dict) and value.get("class_name") == "__numpy__":
            value = value.get("config", {}).get("value")
        if isinstance(value, dict) and value.get("type") == "ndarray":
            value = value.get("value")
        if name in config:
            config[name] = value

    return rule


def _reduction(config: Config) -> None:
    if config.get("reduction") == "auto":
        config["reduction"] = "sum_over_batch_size"
    config.pop("fn", None)


def _optimizer(config: Config) -> None:
    _rename("lr", "learning_rate")(config)
    _drop_if("decay", 0, 0.0, None)(config)
    _drop("is_legacy_optimizer", "jit_compile")(config)
    if config.get("dynamic") is True:
        del config["dynamic"]


def _variance_scaling(config: Config) -> None:
    if config.get("distribution") == "normal":
        config["distribution"] = "truncated_normal"


def _metrics(given: Any) -> Any:
    """Returns metrics with Keras 2's wrappers as what they wrap; a list for the only output as that output's list."""
    if isinstance(given, dict) and given.get("class_name") == "MeanMetricWrapper":
        config = given.get("config", {})
        function = config.get("fn")
        return function if isinstance(function, str) else given
    if isinstance(given, dict) and "class_name" not in given:
        return {key: _metrics(item) for key, item in given.items()}
    if isinstance(given, list):
        return [_metrics(item) for item in given]
    return given


_LOSSES = [
    "BinaryCrossentropy", "CategoricalCrossentropy", "SparseCategoricalCrossentropy", "MeanSquaredError",
    "MeanAbsoluteError", "MeanAbsolutePercentageError", "MeanSquaredLogarithmicError", "CosineSimilarity",
    "Hinge", "SquaredHinge", "CategoricalHinge", "KLDivergence", "Poisson", "Huber", "LogCosh",
    "BinaryFocalCrossentropy",
]  # fmt: skip
_OPTIMIZERS = [
    "SGD", "Adam", "AdamW", "Adamax", "Nadam", "Adagrad", "Adadelta", "RMSprop", "Ftrl", "Lion",
    "Adafactor", "LossScaleOptimizer",
]  # fmt: skip
_POLICIES = frozenset({"Policy", "PolicyV1", "FloatDTypePolicy"})
_INITIALIZERS = frozenset({
    "Constant", "GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform", "Identity", "LecunNormal", "LecunUniform",
    "Ones", "Orthogonal", "RandomNormal", "RandomUniform", "TruncatedNormal", "VarianceScaling", "Zeros",
})  # fmt: skip
_RECURRENT = (_drop("implementation"), _time_major)
_NO_GROUPS = (_drop_if("groups", 1),)
_RULES: dict[str, tuple[Callable[[Config], None], ...]] = {
    "InputLayer": (_input_layer,),
    "BatchNormalization": (_batch_normalization,),
    "DepthwiseConv1D": _NO_GROUPS, "DepthwiseConv2D": _NO_GROUPS,
    "Conv1DTranspose": _NO_GROUPS, "Conv2DTranspose": _NO_GROUPS, "Conv3DTranspose": _NO_GROUPS,
    "SeparableConv1D": _NO_GROUPS, "SeparableConv2D": _NO_GROUPS,
    "RNN": _RECURRENT, "SimpleRNN": _RECURRENT, "LSTM": _RECURRENT, "GRU": _RECURRENT, "ConvLSTM1D": _RECURRENT,
    "ConvLSTM2D": _RECURRENT, "ConvLSTM3D": _RECURRENT, "Bidirectional": _RECURRENT,
    "SimpleRNNCell": (_drop("implementation"),), "LSTMCell": (_drop("implementation"),),
    "GRUCell": (_drop("implementation"),),
    "Embedding": (_drop("input_length"),),
    "Lambda": (_lambda,),
    "LeakyReLU": (_rename("alpha", "negative_slope"), _array_to_number("negative_slope")),
    "ReLU": (_array_to_number("max_value"), _array_to_number("negative_slope"), _array_to_number("threshold")),
    "ELU": (_array_to_number("alpha"),), "ThresholdedReLU": (_array_to_number("theta"),),
    "MultiHeadAttention": (_drop("query_shape", "key_shape", "value_shape"),),
    "Attention": (_drop_if("causal", False),), "AdditiveAttention": (_drop_if("causal", False),),
    "VarianceScaling": (_variance_scaling,),
    **dict.fromkeys(_LOSSES, (_reduction,)),
    **dict.fromkeys(_OPTIMIZERS, (_optimizer,)),
}  # fmt: skip
