"""Every mistake of the table ends in one Hornbill error (or a warning) with exactly the golden text."""

from __future__ import annotations

import inspect
import pathlib
import re
import warnings

import pytest

from hornbill.engine.errors import HornbillError
from tests.messages import models, names, shapes, training  # noqa: F401  they fill the table
from tests.messages.mistakes import MISTAKES

# Mistakes inside the user's own code keep their class and traceback, with a note that names the layer.
USERS_OWN = {"custom_layer_attribute_missing", "custom_layer_call_raises"}
GOLDEN = pathlib.Path(__file__).parent / "golden"


def _outcome(name: str, tmp_path: pathlib.Path) -> tuple[str, BaseException | None]:
    """Returns what a user sees: warnings, then the error with its classes."""
    mistake = MISTAKES[name]
    arguments = {"tmp_path": tmp_path} if "tmp_path" in inspect.signature(mistake).parameters else {}
    error: BaseException | None = None
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            mistake(**arguments)
        except Exception as raised:
            error = raised
    lines = [
        f"{type(w.message).__name__ if hasattr(w, 'message') else 'Warning'}: {w.message}" for w in caught
    ]
    if error is not None:
        builtin = next(cls.__name__ for cls in type(error).__mro__ if cls.__module__ == "builtins")
        lines.append(f"{type(error).__name__} ({builtin}): {error}")
        lines += getattr(error, "__notes__", [])
    text = "\n".join(lines).replace(str(tmp_path), "TMP")
    text = re.sub(r"(?m)^(  Line: .*, line )\d+:", r"\1N:", text)
    return re.sub(r"0x[0-9a-f]{6,}", "0x...", text) + "\n", error


@pytest.mark.parametrize("name", sorted(MISTAKES))
def test_message(name: str, request: pytest.FixtureRequest, tmp_path: pathlib.Path) -> None:
    text, error = _outcome(name, tmp_path)
    path = GOLDEN / f"{name}.txt"
    if request.config.getoption("--overwrite"):
        path.write_text(text)
    assert error is None or isinstance(error, HornbillError) or name in USERS_OWN, text
    assert text.strip(), "nothing was raised"
    assert path.exists(), f"run `pytest tests/messages --overwrite` and read {path.name}"
    assert text == path.read_text()


@pytest.mark.parametrize("name", sorted(MISTAKES))
def test_message_says_what_to_do(name: str) -> None:
    text = (GOLDEN / f"{name}.txt").read_text()
    assert name in USERS_OWN or "Warning: " in text or "Fix" in text or "Did you mean" in text


def test_each_golden_file_has_its_mistake() -> None:
    assert {path.stem for path in GOLDEN.glob("*.txt")} == set(MISTAKES)


@pytest.mark.parametrize("name", sorted(MISTAKES))
def test_message_is_in_the_house_form(name: str) -> None:
    text = (GOLDEN / f"{name}.txt").read_text()
    for jargon in ("Traceback", "ShapedArray", "JitTracer", "dot_general", "lax.", "site-packages"):
        assert jargon not in text
