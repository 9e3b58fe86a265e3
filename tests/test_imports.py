"""Imports go one way, and stand at the top of the file: checked on the syntax trees, nothing is imported."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "hornbill"

RANKS = (
    ("version", "_cache"),
    ("engine", "tree"),
    ("ops", "utils", "config", "dtype_policies"),
    ("activations", "initializers", "regularizers", "constraints", "random"),
    ("layers",),
    ("losses", "metrics", "optimizers", "mixed_precision"),
    ("callbacks", "training", "saving", "explain", "datasets", "preprocessing"),
    ("models",),
    ("transforms", "export", "applications", "testing", "visualization", "distribution", "quantizers"),
    ("legacy", "wrappers", "estimator"),
    ("compat", "backend", "cli", "demo", "doctor", "benchmark", "__main__"),
)
"""From the foundation up; a part imports from parts above it in this list and from those in its own row."""

OPTIONAL = {
    "torch",
    "pandas",
    "tensorflow",
    "matplotlib",
    "PIL",
    "optax",
    "orbax",
    "grain",
    "scipy",
    "safetensors",
    "sklearn",
}
"""Optional packages, which may be imported inside functions."""

KNOWN: dict[tuple[str, str], str] = {}
"""Imports against the direction that are allowed, as (module, imported part), with the reason."""

FILES = sorted(SOURCE.rglob("*.py"))
RANK = {part: rank for rank, parts in enumerate(RANKS) for part in parts}


def part_of(path: Path) -> str:
    relative = path.relative_to(SOURCE)
    return relative.parts[0].removesuffix(".py")


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(SOURCE).with_suffix("").parts)


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def for_type_checkers(tree: ast.Module) -> set[ast.AST]:
    """Imports under `if TYPE_CHECKING:` never run."""
    found: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            found.update(inner for statement in node.body for inner in ast.walk(statement))
    return found


def modules_of(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        if node.module == "hornbill":
            return [f"hornbill.{alias.name}" for alias in node.names]
        return [node.module or ""]
    return []


def inside_functions(tree: ast.Module) -> set[ast.AST]:
    return {
        inner
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for inner in ast.walk(function)
    }


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_imports_go_one_way(path):
    part = part_of(path)
    if part == "__init__":
        return  # the package itself gathers the public names of all parts
    assert part in RANK, f"{part!r} is new: give it its place in RANKS"
    hidden = for_type_checkers(tree_of(path))
    wrong = []
    for node in ast.walk(tree_of(path)):
        for module in modules_of(node) if node not in hidden else ():
            pieces = module.split(".")
            if pieces[0] != "hornbill" or len(pieces) == 1:
                continue
            other = pieces[1]
            if RANK.get(other, -1) > RANK[part] and (name_of(path), other) not in KNOWN:
                wrong.append(f"line {node.lineno}: {part} imports {module}")
    assert wrong == []


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_imports_stand_at_the_top(path):
    found = [(node.lineno, name) for node in inside_functions(tree_of(path)) for name in modules_of(node)]
    assert [f"line {line}: {name}" for line, name in found if name.split(".")[0] not in OPTIONAL] == []


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_only_the_public_parts_of_jax_are_used(path):
    names = [module for node in ast.walk(tree_of(path)) for module in modules_of(node)]
    assert [name for name in names if name.startswith(("jax._src", "jaxlib", "keras"))] == []


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_modules_say_what_they_are_for(path):
    assert ast.get_docstring(tree_of(path))
    text = path.read_text(encoding="utf-8")
    assert path.name == "__init__.py" or "__all__" in text or "import *" in text


def test_every_known_exception_is_still_needed():
    names = {name_of(path) for path in FILES}
    assert [module for module, _ in KNOWN if module not in names] == []
