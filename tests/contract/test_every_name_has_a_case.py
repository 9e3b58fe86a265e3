"""Every public name of Keras' families exists here and has a Case, or a test of its own in its family's folder.

A name that is missing fails with the line to add.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
import re
from pathlib import Path

import pytest

import tests.cases
from tests.contract.names import GOLDEN, MISSING, find

TESTS = Path(__file__).parents[1]
CASES = [
    case
    for module in pkgutil.iter_modules(tests.cases.__path__)
    for case in getattr(importlib.import_module(f"tests.cases.{module.name}"), "CASES", ())
]
# Families of things that are not one function of arrays: what holds for them has tests of its own, in these places.
TESTED_IN = {
    "callbacks": ("callbacks",),
    "models": ("models", "saving", "training"),
    "saving": ("saving", "contract/test_helpers.py"),
    "utils": ("utils", "saving", "explain", "models", "contract/test_helpers.py"),
    "random": ("ops", "test_random.py"),
    "config": ("test_config.py", "engine", "utils", "contract/test_config.py"),
    "backend": ("contract/test_config.py", "compat", "engine"),
}
# Bases, look-ups and old names, which every family has, and where they are tested.
ALSO_TESTED_IN = {
    "layers": ("layers", "models", "engine", "contract/test_helpers.py"),
    "losses": ("losses",),
    "metrics": ("metrics",),
    "optimizers": ("optimizers",),
    "activations": ("ops", "test_activations.py"),
    "initializers": ("test_initializers.py",),
    "regularizers": ("test_regularizers.py",),
    "constraints": ("test_constraints.py",),
    "ops": (),
}
NAMES = [name for name in GOLDEN if name not in MISSING]


@functools.cache
def covered() -> dict[int, str]:
    """Returns the public objects that have a Case, by identity: an alias is covered with what it stands for."""
    return {id(find(f"keras.{case.public_name}")): case.public_name for case in CASES}


@functools.cache
def words(places: tuple[str, ...]) -> frozenset[str]:
    """Returns every word in the test files at some places."""
    found: set[str] = set()
    for place in places:
        path = TESTS / place
        for file in [path] if path.suffix else sorted(path.glob("*.py")):
            if file.exists():
                found |= set(re.findall(r"\w+", file.read_text()))
    return frozenset(found)


def line_to_add(name: str) -> str:
    """Returns the Case that would cover a name, for the module of its family."""
    short = name.removeprefix("keras.")
    family, _, last = short.rpartition(".")
    if family == "layers" and last[0].isupper():
        return f'tests/cases/layers_b.py: _case("{last}", (2, 5){", units=3" if "units" in GOLDEN[name] else ""}),'
    file = f"tests/cases/{family.partition('.')[0]}.py"
    if last[0].isupper():
        return f'{file}: Case("{short}", lambda keras: keras.{short}(), lambda rng: (...)),'
    return f'{file}: call_case("{short}", ({GOLDEN[name].strip("()")})),'


@pytest.mark.parametrize("name", NAMES)
def test_name_exists_and_is_tested(name: str) -> None:
    try:
        found = find(name)
    except AttributeError as error:
        pytest.fail(
            f"{name}{GOLDEN[name]} does not exist: write it, or put it on the list MISSING with the reason. {error}"
        )
    if id(found) in covered():
        return
    family, last = name.split(".")[1], name.rpartition(".")[2]
    places = TESTED_IN.get(family, ()) + ALSO_TESTED_IN.get(family, ())
    assert last in words(places), f"{name} has no Case. Add to {line_to_add(name)}"


@pytest.mark.parametrize("name", MISSING)
def test_what_is_missing_is_still_missing(name: str) -> None:
    with pytest.raises(AttributeError):
        find(name)


def test_every_case_names_a_public_object() -> None:
    ours = {"layers.GroupedQueryAttention"}
    for case in CASES:
        assert f"keras.{case.public_name}" in GOLDEN or case.public_name in ours, case.public_name
