"""What docstrings say is true: examples run, parameters are listed, shapes and counts are those that are traced.

The grammar of `Shapes:` stands in tests/shape_grammar.py; whether they are also Keras' is for tests/layers.
"""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from importlib.util import find_spec
from types import ModuleType
from typing import Any

import keras
import numpy as np
import pytest

import hornbill
import tests.cases
from hornbill.engine.layer import Layer
from hornbill.engine.symbolic import KerasTensor, leaves_of
from tests.cases import Case
from tests.shape_grammar import Section, section_of

MODULES = [
    importlib.import_module(module.name)
    for module in pkgutil.walk_packages(hornbill.__path__, "hornbill.")
    if not module.name.endswith("__main__")
]

# ---- examples


APART = {"hornbill.compat.alias.install"}
"""Examples that want a process without Keras; tests/compat runs them in one."""


def _examples() -> list[doctest.DocTest]:
    finder = doctest.DocTestFinder()
    names = {"np": np, "keras": hornbill}
    found = {e.name: e for m in MODULES for e in finder.find(m, m.__name__, extraglobs=names) if e.examples}
    return [example for name, example in found.items() if name not in APART]


@pytest.mark.long
@pytest.mark.parametrize("example", _examples(), ids=lambda example: example.name.removeprefix("hornbill."))
def test_examples_run(example, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    report: list[str] = []
    doctest.DocTestRunner(verbose=False).run(example, out=report.append, clear_globs=False)
    assert not report, "".join(report)


# ---- arguments


SELF_EVIDENT = {"self", "cls", "x", "x1", "x2", "inputs"}
"""Parameters that need no words where they are the only thing that a function is about."""


def _public(theirs: ModuleType, ours: Any) -> Iterator[tuple[str, Any]]:
    """Yields the classes and functions of Keras' namespace as they stand in ours."""
    for name in sorted(set(dir(theirs)) & set(dir(ours))):
        theirs_is_module = isinstance(getattr(theirs, name), ModuleType)
        if name.startswith("_") or (theirs_is_module and find_spec(f"{ours.__name__}.{name}") is None):
            continue
        value = getattr(ours, name)
        if theirs_is_module:
            yield from _public(getattr(theirs, name), value)
        elif inspect.isclass(value) or inspect.isroutine(value):
            value = inspect.unwrap(value)
            if value.__module__.startswith("hornbill."):
                yield f"{value.__module__}.{value.__qualname__}", value


def _parameters(value: Any) -> list[str]:
    """Returns the names of the parameters that a class or function has itself."""
    if inspect.isclass(value) and "__init__" not in vars(value):
        return []
    signature = inspect.signature(value.__init__ if inspect.isclass(value) else value)
    kinds = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    return [name for name, p in signature.parameters.items() if p.kind not in kinds]


PUBLIC = dict(_public(keras, hornbill))


def test_public_names_are_documented():
    names = {
        f"{module.__name__}.{name}": value
        for module in MODULES
        for name in getattr(module, "__all__", ())
        if inspect.isclass(value := getattr(module, name)) or inspect.isroutine(value)
    }
    assert not [name for name, value in {**names, **PUBLIC}.items() if not value.__doc__]


def test_parameters_are_documented():
    missing = {
        f"{name}: {parameter}"
        for name, value in PUBLIC.items()
        for parameter in _parameters(value)
        if parameter not in SELF_EVIDENT and not re.search(rf"\b{parameter}\b", value.__doc__ or "")
    }
    assert not missing, "\n".join(sorted(missing))


# ---- shapes

CASES = [
    case
    for module in pkgutil.iter_modules(tests.cases.__path__)
    if module.name.startswith("layers")
    for case in importlib.import_module(f"tests.cases.{module.name}").CASES
]
LAYERS = {
    name: value
    for module in MODULES
    if module.__name__.startswith("hornbill.layers.")
    for name in getattr(module, "__all__", ())
    if inspect.isclass(value := getattr(module, name)) and issubclass(value, Layer) and value.__name__ == name
}
BASES = {
    "ConfigLayer",
    "HostLayer",
    "ImageLayer",
    "Layer",
    "LowRank",
    "Lookup",
    "Merge",
    "ProjectedAttention",
}
"""Bases of layers, which state no shape of their own."""
REFUSING = {"TFSMLayer", "TorchModuleWrapper"}
"""Layers that only say why they do not exist here."""
OPEN = {"EinsumDense", "FlaxLayer", "JaxLayer", "Lambda", "Wrapper"}
"""Layers whose outputs are what a function, an equation or a subclass makes of them."""
NO_CASE = {"FlaxLayer", "JaxLayer", "InputLayer", "Wrapper"}
"""Layers without a Case: they need another library, a function, a subclass, or have no inputs."""


def _sections() -> dict[str, Section | None]:
    return {name: section_of(value) for name, value in LAYERS.items() if name not in BASES | REFUSING}


def test_each_layer_states_its_shapes():
    sections = _sections()
    assert not [name for name, section in sections.items() if section is None]
    assert {n for n, s in sections.items() if s is not None and s.entries["outputs"] == "any"} == OPEN
    assert set(sections) - {case.public_name.split(".")[1] for case in CASES + MORE} == NO_CASE


def _more(
    name: str, *inputs: Any, label: str = "", call: dict[str, Any] | None = None, **arguments: Any
) -> Case:
    """Returns a Case of a layer that has none elsewhere."""
    arrays = tuple(np.ones(x, "float32") if isinstance(x, tuple) else np.array(x) for x in inputs)
    return Case(
        f"layers.{name}",
        lambda keras: getattr(keras.layers, name)(**arguments),
        lambda rng: arrays,
        call=call or {},
        label=label,
    )


def _preparing() -> list[Case]:
    numbers, words = [[0, 2], [1, 1]], [["a", "b"], ["b", "z"]]
    image = (2, 6, 8, 3)
    cases = [
        _more("Rescaling", (2, 3), scale=2.0),
        _more("Normalization", (2, 3), mean=1.0, variance=2.0),
        _more("TextVectorization", ["a b", "c"], vocabulary=["a", "b"], output_sequence_length=4),
        _more("TextVectorization", ["a b", "c"], vocabulary=["a", "b"], output_mode="count", label="count"),
        _more("HashedCrossing", ["a", "b"], [1, 2], num_bins=5),
        _more("HashedCrossing", ["a", "b"], [1, 2], num_bins=5, output_mode="one_hot", label="one_hot"),
        *(_more(name, image, height=4, width=5) for name in ("Resizing", "CenterCrop", "RandomCrop")),
        _more("Resizing", (2, 3, 6, 8), height=4, width=5, data_format="channels_first", label="first"),
        _more("RandomFlip", image, call={"training": True}),
        _more("RandomTranslation", image, height_factor=0.1, width_factor=0.1, call={"training": True}),
        _more("RandomZoom", image, height_factor=0.1, call={"training": True}),
        *(
            _more(name, image, factor=0.1, call={"training": True})
            for name in ("RandomRotation", "RandomContrast", "RandomBrightness")
        ),
    ]
    for mode in ("int", "one_hot", "multi_hot", "count"):
        cases += [
            _more("Discretization", (2, 3), bin_boundaries=[0.0, 0.5], output_mode=mode, label=mode),
            _more("Hashing", numbers, num_bins=4, output_mode=mode, label=mode),
            _more("IntegerLookup", numbers, vocabulary=[1, 2], output_mode=mode, label=mode),
            _more("StringLookup", words, vocabulary=["a", "b"], output_mode=mode, label=mode),
        ]
        if mode != "int":
            cases.append(_more("CategoryEncoding", numbers, num_tokens=4, output_mode=mode, label=mode))
    return cases


MORE = [
    *_preparing(),
    _more("MultiHeadAttention", (2, 4, 6), (2, 5, 3), num_heads=2, key_dim=3),
    _more(
        "GroupedQueryAttention", (2, 4, 6), (2, 5, 3), head_dim=3, num_query_heads=4, num_key_value_heads=2
    ),
]
ARGUMENTS_APART = {"MultiHeadAttention", "GroupedQueryAttention"}
"""Layers called on (query, value), not on a list."""


@pytest.mark.long
@pytest.mark.parametrize("case", CASES + MORE, ids=str)
def test_shapes_and_counts_are_as_stated(case):
    name = case.public_name.split(".")[1]
    section = section_of(LAYERS[name])
    assert section is not None
    arrays, layer = case.arrays(), case.make(hornbill)
    in_numbers = all(np.issubdtype(a.dtype, np.number) for a in arrays) and "states" not in case.call
    given = [KerasTensor(a.shape, str(a.dtype)) if in_numbers else a for a in arrays]
    args = given if name in ARGUMENTS_APART or len(given) == 1 else [given]
    outputs = layer(*args, **case.call)
    traced = [tuple(leaf.shape) for leaf in leaves_of(outputs)]
    inputs = arrays[0].shape if len(arrays) == 1 else [a.shape for a in arrays]
    if section.entries["outputs"] != "any":
        stated = section.evaluate("outputs", layer, inputs, **case.call)
        assert tuple(stated) == traced[0]
    if "Params" in section.entries:
        assert section.evaluate("Params", layer, inputs) == layer.count_params()
