"""A small stand-in for TensorFlow, for scripts that use a little of `tf` beside `tf.keras`.

`table.py` lists every name it has. Anything else is an error that says what to write instead. It is no
TensorFlow: there are no tapes, sessions, graphs, data sets or checkpoints.
"""

from __future__ import annotations

import importlib
import types
from typing import Any

from hornbill.compat.tensorflow.table import ADVICE, TREE
from hornbill.engine.errors import MissingNameError, did_you_mean

__all__ = ["Namespace", "missing"]


def missing(path: str, known: Any) -> MissingNameError:
    """Returns the error for a name that the stand-in does not have."""
    name = path.rpartition(".")[2]
    parts = path.split(".")
    advice = next((ADVICE[p] for n in range(len(parts), 0, -1) if (p := ".".join(parts[:n])) in ADVICE), None)
    advice = advice or ADVICE.get(name)
    return MissingNameError(
        f"tf.{path} is not in Hornbill's stand-in for TensorFlow.{did_you_mean(name, known)}",
        why="There is no TensorFlow here; the stand-in has the names that scripts use beside keras, "
        f"such as {', '.join(sorted(n for n in known if not n.startswith('_'))[:8])}." if known else None,
        fixes=advice or "keras.ops has the functions of tensors.",
    )  # fmt: skip


class Namespace(types.ModuleType):
    """A namespace of the stand-in, such as `tf.nn`."""

    def __init__(self, path: str, entries: dict[str, Any]) -> None:
        super().__init__(f"{__name__}.{path}", f"The part of tf.{path} that the stand-in has.")
        self.__path__: list[str] = []
        self._path = path
        _fill(self.__dict__, path, entries)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise missing(f"{self._path}.{name}", [known for known in self.__dict__ if not known.startswith("_")])


def _fill(space: dict[str, Any], path: str, entries: dict[str, Any]) -> None:
    for name, entry in entries.items():
        if isinstance(entry, dict):
            entry = Namespace(f"{path}.{name}" if path else name, entry)
        elif isinstance(entry, types.FunctionType) and entry.__name__ in ("call", "<lambda>"):
            entry.__name__ = entry.__qualname__ = name
        space[name] = entry


_fill(globals(), "", TREE)


def __getattr__(name: str) -> Any:
    if name == "keras":
        return importlib.import_module("hornbill")
    if name.startswith("__"):
        raise AttributeError(name)
    raise missing(name, TREE)
