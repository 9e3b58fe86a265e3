"""The table of old argument spellings of layers and models: Keras 1's `nb_filter`, `border_mode`, and so on.

`translate` turns the arguments of one constructor call into today's and warns once per spelling. `apply`
makes the constructors of the classes in the table do so by themselves. The old spellings of fit,
compile and optimizers stand with these.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

from hornbill import layers, models
from hornbill.engine.compatibility import warn_once
from hornbill.engine.errors import ArgumentError
from hornbill.models.model import FUNCTIONAL

__all__ = ["RENAMED", "apply", "remove", "translate"]

Converter = Callable[[str, str, Any], dict[str, Any]]


# ---- what becomes of one argument: a name, or a function (class, argument, value) -> new arguments


def _data_format(owner: str, name: str, value: Any) -> dict[str, Any]:  # noqa: ARG001
    formats = {"tf": "channels_last", "th": "channels_first", "default": None}
    if value not in formats:
        raise ArgumentError(f"{owner}: dim_ordering is 'tf', 'th' or 'default'.", got=f"{value!r}.")
    return {"data_format": formats[value]}


def _padding(owner: str, name: str, value: Any) -> dict[str, Any]:  # noqa: ARG001
    if value == "full":
        raise ArgumentError(
            f"{owner}: border_mode='full' is gone since Keras 2.",
            fixes="ZeroPadding layer before it, padding='valid'",
        )
    return {"padding": value}


def _only(*allowed: Any) -> Converter:
    """Returns a rule for an argument that is left out if it has one of these values, else refused."""

    def rule(owner: str, name: str, value: Any) -> dict[str, Any]:
        if value not in allowed:
            raise ArgumentError(
                f"{owner}: {name}={value!r} is gone.",
                why=f"Only {name}={' or '.join(repr(a) for a in allowed)} has a meaning, as the default.",
                fixes=f"Leave {name} out.",
            )
        return {}

    return rule


def _any_value(owner: str, name: str, value: Any) -> dict[str, Any]:  # noqa: ARG001
    return {}


def _forget_bias(owner: str, name: str, value: Any) -> dict[str, Any]:  # noqa: ARG001
    if value not in ("one", "ones", "zero", "zeros"):
        raise ArgumentError(f"{owner}: forget_bias_init is 'one' or 'zero'.", got=f"{value!r}.")
    return {"unit_forget_bias": value in ("one", "ones")}


_WEIGHTS: dict[str, Any] = {
    "init": "kernel_initializer", "W_regularizer": "kernel_regularizer", "b_regularizer": "bias_regularizer",
    "W_constraint": "kernel_constraint", "b_constraint": "bias_constraint", "bias": "use_bias",
}  # fmt: skip
_WINDOW: dict[str, Any] = {
    "border_mode": _padding, "dim_ordering": _data_format, "subsample": "strides",
    "subsample_length": "strides",
}  # fmt: skip
_CONV: dict[str, Any] = {
    **_WEIGHTS, **_WINDOW, "nb_filter": "filters", "filter_length": "kernel_size",
    "atrous_rate": "dilation_rate",
}  # fmt: skip
_POOL: dict[str, Any] = {**_WINDOW, "pool_length": "pool_size", "stride": "strides"}
_RECURRENT: dict[str, Any] = {
    **_WEIGHTS, "output_dim": "units", "inner_init": "recurrent_initializer",
    "inner_activation": "recurrent_activation", "U_regularizer": "recurrent_regularizer",
    "dropout_W": "dropout",
    "dropout_U": "recurrent_dropout", "forget_bias_init": _forget_bias, "consume_less": _any_value,
    "time_major": _only(False),
}  # fmt: skip

_FAMILIES: dict[tuple[str, ...], dict[str, Any]] = {
    ("Conv1D", "Conv2D", "Conv3D", "Conv2DTranspose", "Conv3DTranspose", "SeparableConv1D",
    "SeparableConv2D"): _CONV,
    ("ConvLSTM2D",): {**_CONV, **_RECURRENT},
    ("MaxPooling1D", "MaxPooling2D", "MaxPooling3D", "AveragePooling1D", "AveragePooling2D",
    "AveragePooling3D"): _POOL,
    ("GlobalMaxPooling2D", "GlobalAveragePooling2D", "GlobalMaxPooling3D", "GlobalAveragePooling3D"): _WINDOW,
    ("ZeroPadding2D", "ZeroPadding3D", "Cropping2D", "Cropping3D", "UpSampling2D", "UpSampling3D",
    "Flatten"): {
        "dim_ordering": _data_format,
    },
    ("ZeroPadding1D",): {"length": "padding"},
    ("UpSampling1D",): {"length": "size"},
    ("Dense",): {**_WEIGHTS, "output_dim": "units"},
    ("SimpleRNN", "LSTM", "GRU"): _RECURRENT,
    ("Embedding",): {
        "init": "embeddings_initializer", "W_regularizer": "embeddings_regularizer",
        "W_constraint": "embeddings_constraint", "dropout": _only(0, 0.0, None),
    },
    ("Dropout", "GaussianDropout", "AlphaDropout", "SpatialDropout1D"): {"p": "rate"},
    ("SpatialDropout2D", "SpatialDropout3D"): {"p": "rate", "dim_ordering": _data_format},
    ("GaussianNoise",): {"sigma": "stddev"},
    ("BatchNormalization",): {
        "mode": _only(0), "beta_init": "beta_initializer", "gamma_init": "gamma_initializer",
        "fused": _any_value,
        "renorm": _only(False, None), "virtual_batch_size": _only(None), "adjustment": _only(None),
    },
    ("DepthwiseConv1D", "DepthwiseConv2D"): {**_WINDOW, "groups": _only(1)},
    ("LeakyReLU",): {"alpha": "negative_slope"},
    ("PReLU",): {"init": "alpha_initializer"},
    ("Concatenate",): {"concat_axis": "axis"},
    ("Reshape",): {"dims": "target_shape"},
    ("RepeatVector",): {"repeat": "n"},
    ("Model",): {"input": "inputs", "output": "outputs"},
}  # fmt: skip

RENAMED: dict[str, dict[str, Any]] = {name: rules for names, rules in _FAMILIES.items() for name in names}
"""Class name -> old argument -> today's name, or a function that gives today's arguments."""

_KERNEL_PARTS = {
    "Conv2D": ("nb_row", "nb_col"), "Conv2DTranspose": ("nb_row", "nb_col"), "SeparableConv2D": ("nb_row",
    "nb_col"),
    "ConvLSTM2D": ("nb_row", "nb_col"), "Conv3D": ("kernel_dim1", "kernel_dim2", "kernel_dim3"),
}  # fmt: skip


def translate(
    class_name: str, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Returns the arguments of a constructor in today's spelling.

    A kernel size given as one number per axis (`Conv2D(32, 3, 3, ...)`) is recognised by another old
    spelling in the same call; without one, the third number means strides as in Keras 3; a warning says so
    where Keras 1 is likely.

    Args:
        class_name: Name of the class, such as "Conv2D".
        args: Positional arguments.
        kwargs: Keyword arguments.

    Example:
        >>> import warnings
        >>> with warnings.catch_warnings():
        ...     warnings.simplefilter("ignore")
        ...     translate("Conv2D", (32, 3, 5), {"border_mode": "same"})
        ((32, (3, 5)), {'padding': 'same'})
    """
    rules = RENAMED.get(class_name, {})
    parts = _KERNEL_PARTS.get(class_name, ())
    old = {name for name in kwargs if name in rules or name in parts}
    numbers = len(parts) > 0 and len(args) == 1 + len(parts) and all(type(a) is int for a in args)
    if not old and not (numbers and len(parts) == 3):
        if numbers and args[1] == args[2] and args[1] in (3, 5, 7, 9, 11):
            _warn_about_numbers(class_name, args)
        return args, kwargs
    if numbers:
        args = (args[0], tuple(args[1:]))
    new = {name: value for name, value in kwargs.items() if name not in old}
    if parts and any(name in old for name in parts):
        new["kernel_size"] = _kernel_size(class_name, parts, args, kwargs)
        args = args[:1]
        warn_once(f"{class_name} {parts[0]}", f"{class_name}({', '.join(parts)}) is now kernel_size=(...).")
    for name in sorted(old - set(parts)):
        rule = rules[name]
        given = {rule: kwargs[name]} if isinstance(rule, str) else rule(class_name, name, kwargs[name])
        if twice := new.keys() & given.keys():
            raise ArgumentError(f"{class_name} got {twice.pop()!r} in two spellings, one of them {name!r}.")
        new.update(given)
        meant = ", ".join(f"{key}={_short(value)}" for key, value in given.items())
        meant = f"is now {meant}" if meant else "means nothing now"
        text = f"{class_name}({name}={_short(kwargs[name])}) is an old spelling; it {meant}."
        warn_once(f"{class_name} {name}", text)
    return args, new


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 30 else "..."


def _kernel_size(
    class_name: str, parts: tuple[str, ...], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[int, ...]:
    sizes = list(args[1:])
    sizes += [kwargs[name] for name in parts[len(sizes) :] if name in kwargs]
    if len(sizes) != len(parts):
        raise ArgumentError(
            f"{class_name} wants all of {', '.join(parts)}.", got=f"{sizes}.", fixes="kernel_size=(3, 3)"
        )
    return tuple(sizes)


def _warn_about_numbers(class_name: str, args: tuple[Any, ...]) -> None:
    listed = ", ".join(str(a) for a in args)
    warn_once(
        f"{class_name} numbers",
        f"{class_name}({listed}) means kernel_size={args[1]}, strides={args[2]}, as in Keras 3. "
        f"Keras 1 meant kernel_size={args[1:]}: write that.",
    )


# ---- constructors that translate by themselves

_originals: list[tuple[type, str, Any]] = []


def _classes() -> Iterator[tuple[str, type]]:
    for name in RENAMED:
        yield name, models.Model if name == "Model" else getattr(layers, name)
    yield "Model", FUNCTIONAL[0]


def _translating_new(name: str, cls: type, method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def new(kind: type, *args: Any, **kwargs: Any) -> Any:
        if kind.__init__ is cls.__init__:  # type: ignore[misc]
            args, kwargs = translate(name, args, kwargs)
        return method(kind, *args, **kwargs)

    return new


def _translating_init(name: str, method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        args, kwargs = translate(name, args, kwargs)
        method(self, *args, **kwargs)

    return init


def apply() -> None:
    """Makes the constructors of the classes in the table take their old arguments."""
    if _originals:
        return
    for name, cls in _classes():
        _originals.extend((cls, method, cls.__dict__.get(method)) for method in ("__init__", "__new__"))
        new = _translating_new(name, cls, cls.__new__)
        cls.__init__ = _translating_init(name, cls.__init__)  # type: ignore[misc]
        cls.__new__ = new  # type: ignore[method-assign]


def remove() -> None:
    """Undoes `apply`."""
    while _originals:
        cls, name, original = _originals.pop()
        if original is None:
            delattr(cls, name)
        else:
            setattr(cls, name, original)
