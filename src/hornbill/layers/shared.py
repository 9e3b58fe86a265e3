"""What several families of layers need: configurations in Keras' order, defaults by rank, checks of channels.

Not layers by themselves. `ConfigLayer` is the base of layers that have an activation or whose configuration
is written in another order than that of their constructor's arguments.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from hornbill import activations, ops
from hornbill.engine.axes import SPATIAL, describe_shape
from hornbill.engine.errors import ArgumentError, ShapeError
from hornbill.engine.layer import Layer
from hornbill.engine.serialization import serialize_keras_object

__all__ = ["ConfigLayer", "known_channels", "refuse_quantization", "spatial_names", "with_defaults"]

BASE_KEYS = ("name", "trainable", "dtype")
"""The keys that open every layer's configuration."""


class ConfigLayer(Layer):
    """A layer whose configuration has the keys of `config_order` first and its activation by name.

    Keys of `config_order` that are no arguments of the constructor are taken from the attributes of the same
    name.
    """

    config_order: ClassVar[tuple[str, ...]] = ()
    activation: Any = None

    def get_config(self) -> dict[str, Any]:
        """Returns name, trainable, dtype and the constructor's arguments, as plain data."""
        config = super().get_config()
        for key in self.config_order:
            if key not in config and key not in self.config_omitted and hasattr(self, key):
                config[key] = serialize_keras_object(getattr(self, key))
        if "activation" in config and callable(self.activation):
            name = activations.serialize(self.activation)
            config["activation"] = name if isinstance(name, str) else config["activation"]
        first = {key: config[key] for key in self.config_order if key in config}
        return {**first, **config}

    def activate(self, outputs: Any) -> Any:
        """Returns the outputs after the activation; the linear one is left out."""
        if self.activation is None or self.activation is activations.linear:
            return outputs
        return self.activation(outputs)


def with_defaults(function: Callable[..., Any], **defaults: Any) -> Any:
    """Returns a copy of a function with other default values for some of its parameters.

    Layers that exist for one, two and three spatial axes share one constructor; only their defaults differ.
    """
    code = function.__code__
    names = code.co_varnames[: code.co_argcount]
    given = dict(zip(names[::-1], (function.__defaults__ or ())[::-1], strict=False)) | defaults
    values = tuple(given[name] for name in names if name in given)
    copy = types.FunctionType(code, function.__globals__, function.__name__, values, function.__closure__)
    copy.__annotations__ = dict(function.__annotations__)
    copy.__kwdefaults__ = function.__kwdefaults__
    return copy


def spatial_names(rank: int, prefix: str = "") -> tuple[str, ...]:
    """Returns the names of the spatial axes, such as ("kernel height", "kernel width")."""
    return tuple(f"{prefix}{name}" for name in SPATIAL[rank])


def known_channels(layer: Layer, input_shape: Sequence[int | None], axis: int) -> int:
    """Returns the number of input channels.

    Raises:
        ShapeError: If it is not known.
    """
    names = layer.input_axes(len(input_shape))
    if not -len(input_shape) <= axis < len(input_shape):
        raise ArgumentError(
            f"{type(layer).__name__} {layer.name!r}: axis={axis} does not exist.",
            got=f"{describe_shape(input_shape, names)}, whose axes are 0 to {len(input_shape) - 1}.",
            fixes="axis=-1 is the last axis, that of the channels.",
        )
    size = input_shape[axis]
    if size is None:
        raise ShapeError(
            f"{type(layer).__name__} {layer.name!r} must know how many {names[axis]} come in.",
            got=f"{describe_shape(input_shape, names)}.",
            why=f"Its weights have one row for each of the {names[axis]}.",
            fixes=(
                "Give all sizes in Input(...); only those that no layer needs may be None.",
                *(
                    ("For pictures of any size: GlobalAveragePooling2D() instead of Flatten().",)
                    if len(names) == 2
                    else ()
                ),
            ),
        )
    return size


def refuse_quantization(owner: str, config: Any) -> None:
    """Raises an ArgumentError when a layer is asked to quantise itself."""
    if config is not None:
        raise ArgumentError(
            f"{owner}: quantization_config is not supported by the layer itself.",
            got=f"quantization_config={config!r}.",
            fixes="Build the model first and quantise it as a whole: model.quantize('int8').",
        )


def add_bias(outputs: Any, bias: Any, channel_axis: int) -> Any:
    """Returns the outputs plus one number per channel."""
    if channel_axis == -1:
        return ops.add(outputs, bias)
    shape = [1] * len(outputs.shape)
    shape[channel_axis] = -1
    return ops.add(outputs, ops.reshape(bias, shape))
