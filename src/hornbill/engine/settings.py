"""Process-wide settings: float type, epsilon, image data format and switches.

The values start from Keras' documented defaults. Nothing is read from a file in the home folder: a script means
the same on every machine. `hornbill.config` is the public face of this module.
"""

from __future__ import annotations

import os
from typing import Any

from hornbill.engine.errors import ArgumentError, ArgumentTypeError, one_of

__all__ = [
    "backend",
    "disable_flash_attention",
    "disable_interactive_logging",
    "disable_traceback_filtering",
    "enable_flash_attention",
    "enable_interactive_logging",
    "enable_traceback_filtering",
    "enable_unsafe_deserialization",
    "epsilon",
    "floatx",
    "image_data_format",
    "is_flash_attention_enabled",
    "is_interactive_logging_enabled",
    "is_nnx_enabled",
    "is_traceback_filtering_enabled",
    "max_epochs",
    "max_steps_per_epoch",
    "random_generator",
    "set_backend",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
    "set_max_epochs",
    "set_max_steps_per_epoch",
    "set_random_generator",
    "standardize_data_format",
]

_settings: dict[str, Any] = {
    "floatx": "float32",
    "epsilon": 1e-7,
    "image_data_format": "channels_last",
    "interactive_logging": True,
    "traceback_filtering": True,
    "flash_attention": None,
    "max_epochs": None,
    "max_steps_per_epoch": None,
    "random_generator": "hash",
}


def floatx() -> str:
    """Returns the default float type, "float32" unless `set_floatx` changed it."""
    return _settings["floatx"]


def set_floatx(value: str) -> None:
    """Sets the default float type: "bfloat16", "float16", "float32" or "float64".

    Args:
        value: Name of the type.
    """
    _settings["floatx"] = one_of(
        "set_floatx", "value", str(value), ("bfloat16", "float16", "float32", "float64")
    )


def random_generator() -> str:
    """Returns what dropout, noise and other draws without a given seed come from: "hash" or "threefry"."""
    return _settings["random_generator"]


def set_random_generator(value: str) -> None:
    """Chooses where dropout, noise and other draws without a given seed come from.

    With a seed, as in `Dropout(0.5, seed=1)`, they are the numbers of Keras on JAX in any case. Set it before models
    are compiled: compiled steps keep the generator that they were made with.

    Args:
        value: "hash", cheap bits that are fused into what uses them; or "threefry", JAX's own generator, which gives
            the numbers of Keras on JAX and takes tens of times as long on a CPU.
    """
    _settings["random_generator"] = one_of("set_random_generator", "value", value, ("hash", "threefry"))


def epsilon() -> float:
    """Returns the small number that keeps divisions and logarithms finite, 1e-7 by default."""
    return _settings["epsilon"]


def set_epsilon(value: float) -> None:
    """Sets the small number that `epsilon()` returns.

    Args:
        value: The number.
    """
    _settings["epsilon"] = float(value)


def image_data_format() -> str:
    """Returns "channels_last" or "channels_first", the default order of image axes."""
    return _settings["image_data_format"]


def set_image_data_format(data_format: str) -> None:
    """Sets the default order of image axes: "channels_last" or "channels_first".

    Args:
        data_format: The order.
    """
    _settings["image_data_format"] = standardize_data_format(data_format)


def standardize_data_format(data_format: str | None) -> str:
    """Returns `data_format` in lower case, the default when it is None; raises on anything else."""
    if data_format is None:
        return image_data_format()
    return one_of("data_format", "data_format", str(data_format).lower(), ("channels_last", "channels_first"))


def backend() -> str:
    """Returns "jax", the only engine that Hornbill has."""
    return "jax"


def set_backend(backend: str) -> None:
    """Accepts "jax"; any other name is an error, since Hornbill has one engine.

    Args:
        backend: Name of the engine.
    """
    if backend != "jax":
        raise ArgumentError(
            f"set_backend({backend!r}): Hornbill runs on JAX only.",
            fixes="Remove the call, or use set_backend('jax').",
        )


def enable_unsafe_deserialization() -> None:
    """Refused: Hornbill never runs code that stands in a model file, so there is nothing to enable."""
    raise ArgumentError(
        "enable_unsafe_deserialization(): Hornbill never runs code from a model file.",
        why="A file could otherwise do anything that you can do on this machine.",
        fixes="Pass the functions and classes that the file names: load_model(path, custom_objects={'name': obj}).",
    )


def is_interactive_logging_enabled() -> bool:
    """Returns whether progress is drawn as a moving bar; if not, one line per epoch is logged."""
    return _settings["interactive_logging"]


def enable_interactive_logging() -> None:
    """Draws progress as a moving bar (the default)."""
    _settings["interactive_logging"] = True


def disable_interactive_logging() -> None:
    """Sends progress to Python's `logging` as plain lines."""
    _settings["interactive_logging"] = False


def is_traceback_filtering_enabled() -> bool:
    """Returns whether Hornbill's own frames are hidden from tracebacks of user errors."""
    return _settings["traceback_filtering"]


def enable_traceback_filtering() -> None:
    """Hides Hornbill's own frames from tracebacks of user errors (the default)."""
    _settings["traceback_filtering"] = True


def disable_traceback_filtering() -> None:
    """Shows every frame in tracebacks."""
    _settings["traceback_filtering"] = False


def is_flash_attention_enabled() -> bool | None:
    """Returns True, False, or None when the attention layers decide by themselves."""
    return _settings["flash_attention"]


def enable_flash_attention() -> None:
    """Lets attention layers use a fused attention kernel where one exists."""
    _settings["flash_attention"] = None


def disable_flash_attention() -> None:
    """Keeps attention layers from using a fused attention kernel."""
    _settings["flash_attention"] = False


def is_nnx_enabled() -> bool:
    """Returns False: Hornbill's layers are no Flax NNX modules."""
    return False


def _limit(name: str) -> int | None:
    value = _settings[name]
    if value is None and (text := os.environ.get(f"KERAS_{name.upper()}")):
        value = int(text)
    return value


def _set_limit(name: str, value: int | None) -> None:
    if value is not None and (not isinstance(value, int) or value < 0):
        raise ArgumentTypeError(f"set_{name} wants a non-negative whole number or None.", got=f"{value!r}.")
    _settings[name] = value


def max_epochs() -> int | None:
    """Returns the cap on epochs of any `fit`, or None."""
    return _limit("max_epochs")


def set_max_epochs(max_epochs: int | None) -> None:
    """Caps the epochs of any later `fit`; None takes the cap away.

    Args:
        max_epochs: The most epochs, or None.
    """
    _set_limit("max_epochs", max_epochs)


def max_steps_per_epoch() -> int | None:
    """Returns the cap on steps in any epoch, or None."""
    return _limit("max_steps_per_epoch")


def set_max_steps_per_epoch(max_steps_per_epoch: int | None) -> None:
    """Caps the steps of each later epoch; None takes the cap away.

    Args:
        max_steps_per_epoch: The most steps, or None.
    """
    _set_limit("max_steps_per_epoch", max_steps_per_epoch)
