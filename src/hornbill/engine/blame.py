"""Who is to blame: an error from inside a layer, a loss or a metric gets their name and the shapes they were given.

An error of Hornbill's gets the place as a line of its message. An error that JAX, NumPy or Hornbill's own arithmetic
raised becomes a Hornbill error, the first one staying its cause. An error that the user's own code raised keeps its
class and gets a note. Whatever is innermost is named, once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import TracebackType
from typing import Any, NoReturn

import jax

from hornbill.engine.axes import describe_shape
from hornbill.engine.errors import (
    ArgumentTypeError,
    HornbillError,
    MissingNameError,
    ShapeError,
    did_you_mean,
)
from hornbill.engine.frames import is_users
from hornbill.engine.operators import OPS
from hornbill.engine.settings import is_traceback_filtering_enabled

__all__ = ["blamed", "describe_values", "raise_blamed", "users_frames", "without_engine_notes"]

_ENGINE = ("jax", "jaxlib", "numpy", "hornbill", "ml_dtypes", "opt_einsum")
_WORDS = (("dot_general requires contracting dimensions to have the same shape, got",
           "A product sums over axes that must have one size; they have"),)  # fmt: skip
_ATTRIBUTE = re.compile(r"(?:\w*Tracer|'\S*ArrayImpl' object) has no attribute '?(\w+)'?$")
_VALUES_ASKED = ("numpy", "eval", "item", "tolist")
_LOCATION = re.compile(
    r"\s*(The error occurred while tracing|See https?://|This concrete value|-{10,}).*", re.DOTALL
)


def blamed(error: Exception, place: str, values: Mapping[str, Any]) -> Exception:
    """Returns the error to raise in place of `error`, which came out of the code that `place` names.

    Args:
        error: What was raised.
        place: What was running, such as "Dense 'dense'".
        values: What it was given, by parameter.

    Returns:
        `error` itself, with the place added, or a HornbillError to be raised from it.
    """
    if isinstance(error, HornbillError):
        if error.where is None and place.partition(" ")[2] not in error.asked:
            error.set_where(f"{place}, given {describe_values(values)}.")
        return error
    if "_hornbill_place" in error.__dict__:
        return error
    missing = _ATTRIBUTE.match(str(error)) if isinstance(error, AttributeError) else None
    if missing:
        return _missing_attribute(missing[1], "Tracer" in str(error), place, values)
    if not _from_engine(error):
        error.__dict__["_hornbill_place"] = place
        error.add_note(f"Raised in {place}, given {describe_values(values)}.")
        return error
    text = _LOCATION.sub("", str(error)).strip()
    for technical, plain in _WORDS:
        text = text.replace(technical, plain)
    given = f"{describe_values(values)}."
    if "__jax_array__" in text:
        return ArgumentTypeError(
            f"{place}: a jax.numpy function was given a Variable or a KerasTensor.",
            got=given,
            why="jax.numpy takes arrays only.",
            fixes=(
                "Use the function of the same name in keras.ops.",
                "Or give it the array: self.kernel.value.",
            ),
        )
    if type(error).__name__.startswith("Tracer") or "Concretization" in type(error).__name__:
        return ArgumentTypeError(
            f"{place} asks for the values of a tensor whose values are not known yet.",
            got=given,
            why="A model is traced once with shapes only and then compiled; " + _use(type(error).__name__),
            fixes=_VALUE_FIXES,
        )
    return ShapeError(
        f"{place} could not be computed.",
        got=given,
        why=f"{text or type(error).__name__}{'' if text.endswith('.') else '.'}",
        fixes=(
            "The error above this one shows the line.",
            "print(x.shape) in front of that line shows the shapes.",
        ),
    )


def _missing_attribute(name: str, traced: bool, place: str, values: Mapping[str, Any]) -> HornbillError:
    """Returns the error for `x.name` of a tensor, which has no such attribute."""
    given = f"x.{name}, given {describe_values(values)}."
    if traced and name in _VALUES_ASKED:
        return MissingNameError(
            f"{place} asks for the values of a tensor whose values are not known yet.", got=given,
            why="A model is traced once with shapes only and then compiled.", fixes=_VALUE_FIXES,
        )  # fmt: skip
    fix = "np.asarray(x)" if name in _VALUES_ASKED else f"keras.ops.{name}(x)" if name in OPS else None
    known = [*OPS, *(word for word in dir(jax.Array) if not word.startswith("_"))]
    hint = "" if fix else did_you_mean(name, known)
    return MissingNameError(
        f"{place}: a tensor has no attribute {name!r}.{hint}", got=given,
        fixes=fix or "Functions of tensors are in keras.ops.",
    )  # fmt: skip


def raise_blamed(error: Exception, place: str, values: Mapping[str, Any]) -> NoReturn:
    """Raises what `blamed` returns; to be called where `error` was caught."""
    named = blamed(error, place, values)
    if named is error:
        raise error
    if is_traceback_filtering_enabled():
        error = error.with_traceback(users_frames(error.__traceback__) or error.__traceback__)
        without_engine_notes(error)
    raise named from error


_VALUE_FIXES = (
    "Instead of numpy: the function of the same name in keras.ops.",
    "Instead of `if`: ops.where(condition, a, b) or ops.cond(condition, f, g).",
    "To look at values while searching for a mistake: compile(run_eagerly=True).",
)


def _use(name: str) -> str:
    use = {"TracerBoolConversionError": "`if`, `while` and `and` need values.",
           "TracerArrayConversionError": "NumPy needs values."}  # fmt: skip
    return use.get(name, "float(x), int(x) and indices need values.")


def _from_engine(error: Exception) -> bool:
    """Whether an error was raised by JAX, NumPy or Hornbill's arithmetic and not by the user's code."""
    if not isinstance(error, (TypeError, ValueError, IndexError, ZeroDivisionError)):
        return False
    if any("JAX" in note for note in getattr(error, "__notes__", ())):
        return True
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    module = "" if trace is None else trace.tb_frame.f_globals.get("__name__", "")
    return module.partition(".")[0] in _ENGINE


def describe_values(values: Mapping[str, Any]) -> str:
    """Returns what a function was given, with axes named: "inputs (batch None, features 4)"."""
    return ", ".join(f"{name} {_describe(value)}" for name, value in values.items()) or "nothing"


def _describe(value: Any) -> str:
    shape = getattr(value, "shape", None)
    if shape is not None and not isinstance(value, type):
        return describe_shape(tuple(shape)) if shape else "()"
    if isinstance(value, (list, tuple)):
        shown = ", ".join(_describe(item) for item in value[:4])
        return f"[{shown}{', ...' if len(value) > 4 else ''}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key!r}: {_describe(item)}" for key, item in list(value.items())[:4]) + "}"
    text = repr(value)
    return text if len(text) < 40 else type(value).__name__


def without_engine_notes(error: BaseException) -> None:
    """Takes away the notes that JAX puts under errors that pass through it."""
    notes = getattr(error, "__notes__", None)
    if notes:
        error.__notes__ = [note for note in notes if "JAX" not in note]


def users_frames(trace: TracebackType | None) -> TracebackType | None:
    """Returns a traceback without the frames of Hornbill and JAX."""
    kept = []
    while trace is not None:
        if is_users(trace.tb_frame):
            kept.append(trace)
        trace = trace.tb_next
    result = None
    for item in reversed(kept):
        result = TracebackType(result, item.tb_frame, item.tb_lasti, item.tb_lineno)
    return result
