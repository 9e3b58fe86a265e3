"""Saving and loading: `save_model`, `load_model`, `save_weights`, `load_weights`. The suffix chooses the format.

`FORMATS` is the table of formats. Loading runs nothing that a file says; `docs` list what is refused.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from hornbill.engine.compatibility import warn_once
from hornbill.engine.config import check_unknown
from hornbill.engine.errors import ArgumentError, ArgumentTypeError, FileError, did_you_mean
from hornbill.saving import keras_file, legacy, safetensors, shards, weights_h5
from hornbill.saving.weights import is_model

__all__ = ["FORMATS", "load_model", "load_weights", "save_model", "save_weights"]

_FIND = "Give the full path, or look from where the program runs: os.getcwd()."

FORMATS: dict[str, ModuleType] = {
    ".weights.h5": weights_h5,
    ".weights.json": shards,
    ".keras": keras_file,
    ".h5": legacy,
    ".hdf5": legacy,
    ".safetensors": safetensors,
}
"""Suffix to module; a module has some of write_model, read_model, write_weights, read_weights."""

_OLD_FORMATS = {"h5": ".h5", "hdf5": ".h5", "keras": ".keras"}


def save_model(
    model: Any, filepath: Any, overwrite: bool = True, zipped: bool | None = None, **kwargs: Any
) -> None:
    """Writes a whole model: configuration, weights, what `compile` was given, the optimizer's state.

    The file takes its name only when it is complete: a crash or a full disk leaves an older one whole.

    Args:
        model: The model.
        filepath: Path ending in `.keras` (recommended) or `.h5`.
        overwrite: Whether an existing file is replaced; if not, one is asked on a terminal, and refused elsewhere.
        zipped: False writes a folder in place of one `.keras` file.
        **kwargs: `include_optimizer` (False leaves out training), and old arguments: `save_format` must agree with
            the suffix; `signatures`, `options` and `save_traces` are of SavedModel and refused.

    Raises:
        FileError: If the file exists and may not be replaced, or cannot be written.
        ArgumentError: If the suffix is not known or arguments contradict it.

    Example:
        >>> import tempfile
        >>> from hornbill import Input, Sequential, layers
        >>> model = Sequential([Input((2,)), layers.Dense(1)])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     save_model(model, folder + "/model.keras")
        ...     load_model(folder + "/model.keras").count_params()
        3
    """
    if not is_model(model):
        raise ArgumentTypeError("save_model wants a Model.", got=f"{type(model).__name__}.")
    include_optimizer = kwargs.pop("include_optimizer", True)
    save_format = kwargs.pop("save_format", None)
    for word in ("signatures", "options"):
        if kwargs.pop(word, None) is not None:
            raise ArgumentError(
                f"save_model: {word}= is of SavedModel, which is not written.", fixes="model.export(path)"
            )
    kwargs.pop("save_traces", None)
    check_unknown("save_model", kwargs, None, ("overwrite", "zipped", "include_optimizer", "save_format"))
    path = _with_old_format(_as_path(filepath), save_format)
    as_folder = zipped is False
    module = keras_file if as_folder else _format_of(path, "write_model", "saving a whole model")
    if zipped and module is not keras_file:
        raise ArgumentError("zipped=True is for '.keras' files.", got=f"{str(path)!r}.")
    if not _may_write(path, overwrite):
        return
    if as_folder:
        keras_file.write_folder(model, path, include_optimizer)
    else:
        module.write_model(model, path, include_optimizer)


def load_model(
    filepath: Any, custom_objects: Any = None, compile: bool = True, safe_mode: bool = True
) -> Any:
    """Returns the model that a file or folder holds.

    Nothing in the file is run, nothing is imported by name, and no other file is read.

    Args:
        filepath: `.keras` or `.h5` file, or model folder; files of Keras 2 and 3 are read.
        custom_objects: Your classes and functions by name, beyond those registered.
        compile: Whether the model is compiled as it was, with the optimizer's state.
        safe_mode: Kept for Keras' sake. False changes nothing, and says so.

    Raises:
        FileError: If the file is damaged, not safe, or names classes that this program does not know.
    """
    if not safe_mode:
        warn_once(
            "load_model safe_mode",
            "load_model(safe_mode=False) changes nothing: Hornbill never runs code from a file. "
            "Give your own functions with custom_objects.",
        )
    path = _as_path(filepath)
    if path.is_dir():
        return keras_file.read_folder(path, custom_objects, compile)
    if not path.exists():
        raise FileError(f"There is no file {str(path)!r}.{_similar(path)}", fixes=_FIND)
    module = FORMATS.get(_suffix(path)) or _by_content(path)
    if not hasattr(module, "read_model"):
        raise FileError(
            f"{str(path)!r} holds weights, not a whole model.",
            fixes="Build the model in your program, then model.load_weights(path).",
        )
    return module.read_model(path, custom_objects, compile)


def save_weights(
    model: Any, filepath: Any, overwrite: bool = True, max_shard_size: float | None = None, **kwargs: Any
) -> None:
    """Writes the weights of a model.

    Args:
        model: The model.
        filepath: Path ending in `.weights.h5`; `.weights.json` for several files, `.h5` for Keras 2's layout, or
            `.safetensors`.
        overwrite: Whether an existing file is replaced.
        max_shard_size: Largest size of one of several files, in GiB; for `.weights.json`.
        **kwargs: `save_format`: an old argument that must agree with the suffix.

    Raises:
        FileError: If the file exists and may not be replaced, or cannot be written.
        ArgumentError: If the suffix is not known.
    """
    save_format = kwargs.pop("save_format", None)
    check_unknown("save_weights", kwargs, None, ("overwrite", "max_shard_size", "save_format"))
    path = _with_old_format(_as_path(filepath), save_format)
    module = _format_of(path, "write_weights", "saving weights")
    if max_shard_size is not None and module is not shards:
        raise ArgumentError("max_shard_size is for '.weights.json' files.", got=f"{str(path)!r}.")
    if not _may_write(path, overwrite):
        return
    if not model.built:
        raise ArgumentError(
            f"Model {model.name!r} has no weights to save yet.",
            fixes="Call it on data once, or model.build(input_shape).",
        )
    if module is shards:
        shards.write_weights(model, path, max_shard_size)
    else:
        module.write_weights(model, path)


def load_weights(model: Any, filepath: Any, skip_mismatch: bool = False, **kwargs: Any) -> None:
    """Reads weights into a model; everything is compared first, and nothing is changed if something does not fit.

    Args:
        model: The model, built.
        filepath: File that `save_weights` or `save_model` wrote, here or in Keras 2 or 3.
        skip_mismatch: Whether what does not fit is left out, with a warning that lists it.
        **kwargs: `by_name` (Keras 2's `.h5` files only): whether layers are found by name instead of by their order.

    Raises:
        FileError: If the file cannot be read or does not fit.
    """
    by_name = kwargs.pop("by_name", False)
    if kwargs.pop("options", None) is not None:
        raise ArgumentError("load_weights: options= is of TensorFlow checkpoints, which are not read.")
    check_unknown("load_weights", kwargs, None, ("skip_mismatch", "by_name"))
    path = _as_path(filepath)
    if not path.exists():
        hint = (
            " It may be a TensorFlow checkpoint, which is not read."
            if path.with_name(path.name + ".index").exists()
            else ""
        )
        raise FileError(f"There is no file {str(path)!r}.{_similar(path)}{hint}", fixes=_FIND)
    if path.is_dir():
        raise FileError(
            f"{str(path)!r} is a folder; load_weights wants a file.",
            fixes=f"{str(path / 'model.weights.h5')!r}",
        )
    module = FORMATS.get(_suffix(path)) or _by_content(path)
    module.read_weights(model, path, skip_mismatch, by_name)


def _as_path(filepath: Any) -> Path:
    try:
        text = os.fspath(filepath)
    except TypeError:
        raise ArgumentTypeError("A file is given by its path.", got=f"{type(filepath).__name__}.") from None
    if not text or "\0" in text:
        raise ArgumentError("A file is given by its path.", got=f"{text!r}.")
    return Path(text)


def _suffix(path: Path) -> str:
    name = path.name.lower()
    return next((suffix for suffix in FORMATS if name.endswith(suffix)), "")


def _format_of(path: Path, wanted: str, doing: str) -> ModuleType:
    module = FORMATS.get(_suffix(path))
    if module is None or not hasattr(module, wanted):
        able = [suffix for suffix, candidate in FORMATS.items() if hasattr(candidate, wanted)]
        hint = did_you_mean(path.suffix, able) if path.suffix else ""
        raise ArgumentError(
            f"The suffix says the format; {doing} wants one of {', '.join(able)}.{hint}",
            got=f"{str(path)!r}.",
            fixes=f"{str(path.with_suffix('')) + able[0]!r}",
        )
    return module


def _with_old_format(path: Path, save_format: str | None) -> Path:
    """Returns the path with the suffix that Keras 2's `save_format` asks for, where it has none."""
    if save_format is None:
        return path
    if save_format in ("tf", "tensorflow"):
        raise ArgumentError(
            "save_format='tf' (SavedModel) is not written.",
            fixes=("model.save('model.keras')", "model.export(path)"),
        )
    suffix = _OLD_FORMATS.get(save_format)
    if suffix is None:
        raise ArgumentError(
            f"There is no save_format {save_format!r}.{did_you_mean(save_format, _OLD_FORMATS)}"
        )
    found = _suffix(path)
    if not found:
        return path.with_name(path.name + suffix)
    if (suffix == ".h5") != (found in (".h5", ".hdf5", ".weights.h5")):
        raise ArgumentError(
            f"save_format={save_format!r} contradicts the name {path.name!r}.", fixes="Leave it out."
        )
    return path


def _by_content(path: Path) -> ModuleType:
    """Returns the format of a file whose suffix says nothing, by its first bytes."""
    with path.open("rb") as file:
        start = file.read(8)
    if start.startswith(b"PK\x03\x04"):
        return keras_file
    if start == b"\x89HDF\r\n\x1a\n":
        return weights_h5 if _suffix(path) == ".weights.h5" else legacy
    raise FileError(
        f"{str(path)!r} is no model file that Hornbill can read.",
        why=f"Formats: {', '.join(FORMATS)}, and model folders.",
    )


def _may_write(path: Path, overwrite: bool) -> bool:
    if overwrite or not path.exists():
        return True
    if sys.stdin is not None and sys.stdin.isatty():
        return input(f"{str(path)!r} exists already. Replace it? [y/n] ").strip().lower() in ("y", "yes")
    raise FileError(
        f"{str(path)!r} exists already, and overwrite=False.", fixes="Choose another name, or overwrite=True."
    )


def _similar(path: Path) -> str:
    if not path.parent.is_dir():
        return f" There is no folder {str(path.parent)!r} either."
    return did_you_mean(path.name, [entry.name for entry in list(path.parent.iterdir())[:1000]])
