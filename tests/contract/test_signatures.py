"""Parameter names, order and defaults of every public callable are Keras'; what Hornbill adds stands in one table."""

from __future__ import annotations

import inspect

import pytest

from tests.contract.names import GOLDEN, MISSING, find

# Parameters that Hornbill's signatures have beyond Keras', and why.
ADDED = {
    "axes": "names the dimensions of a weight, for the explanation of its count",
    "**kwargs": "takes the spellings of Keras 2",
}
# Where the signature's text differs though the same calls work, and why.
OTHER = {
    "keras.callbacks.Callback": "has no __init__; its base takes any arguments to remember them",
    "keras.optimizers.schedules.LearningRateSchedule": "has no __init__; its base takes any arguments to remember them",
    "keras.optimizers.legacy.Optimizer": "is the Optimizer; Keras has an empty stand-in",
}


def _parameters(text: str) -> list[str]:
    """Returns the parameters of a signature's text, annotations removed: `name` or `name=default`."""
    parts, depth, quote, current = [], 0, "", ""
    for character in text.strip()[1:-1]:
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character in "([{":
            depth += 1
        elif character in ")]}":
            depth -= 1
        if character == "," and not depth and not quote:
            parts.append(current.strip())
            current = ""
        else:
            current += character
    parts.append(current.strip())
    return [_without_annotation(part) for part in parts if part not in ("", "/", "*")]


def _without_annotation(part: str) -> str:
    name, colon, rest = part.partition(":")
    if not colon or "=" in name:
        return part
    _, equals, default = rest.partition("=")
    return f"{name.strip()}={default.strip()}" if equals else name.strip()


def _ours(target: object) -> list[str]:
    parameters = [p.replace(annotation=p.empty) for p in inspect.signature(target).parameters.values()]  # type: ignore[arg-type]
    return [str(p) for p in parameters]


def _same(mine: list[str], theirs: list[str]) -> bool:
    """Equal, but for keyword parameters that Hornbill spells out where Keras has **kwargs."""
    if mine == theirs:
        return True
    open_ended = "**kwargs" in theirs
    named = [p for p in theirs if not p.startswith("*")]
    extra = [p for p in mine if p not in theirs]
    kept = [p for p in mine if p in named]
    return kept == named and all(
        p.split("=")[0] in ADDED or (open_ended and ("=" in p or p[0] == "*")) for p in extra
    )


@pytest.mark.parametrize("name", [name for name in GOLDEN if name not in MISSING])
def test_signature(name: str) -> None:
    if name in OTHER:
        pytest.skip(OTHER[name])
    mine, theirs = _ours(find(name)), _parameters(GOLDEN[name])
    assert _same(mine, theirs), f"{name}\n  ours:  {', '.join(mine)}\n  Keras: {', '.join(theirs)}"
