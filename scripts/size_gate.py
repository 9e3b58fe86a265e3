"""Keeps the house small: files of 600 lines, functions of 50, and all of src within its budget.

Lines of code are those that are neither blank, nor a comment, nor a docstring; the budget counts them too.
Signatures do not count, for many of them are Keras'. A function that must be longer stands in `LONGER` with
its reason. Run as `python scripts/size_gate.py`; it prints the totals and exits with 1 if a limit is passed.
"""

from __future__ import annotations

import ast
import io
import statistics
import sys
import tokenize
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDERS = ("src", "tests", "examples", "scripts")
MOST_LINES, MOST_CODE, BUDGET = 600, 50, 45_000
LONGER: dict[str, str] = {}
"""Longer functions that are allowed, as `path::name`, with the reason."""

_NO_CODE = {
    tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING,
    tokenize.ENDMARKER,
}  # fmt: skip


def code_lines(text: str, tree: ast.AST) -> set[int]:
    """Returns the numbers of the lines that hold code."""
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in _NO_CODE:
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, str)
        ):
            lines.difference_update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return lines


def functions(tree: ast.AST) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Returns all functions and methods, those inside others included."""
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def check(path: Path) -> tuple[int, int, list[str]]:
    """Returns the lines and lines of code of a file, and what is too long in it."""
    name = path.relative_to(ROOT).as_posix()
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    count, code = len(text.splitlines()), code_lines(text, tree)
    problems = [f"{name}: {count} lines; at most {MOST_LINES}"] if count > MOST_LINES else []
    for function in functions(tree):
        last = function.end_lineno or function.lineno
        length = len(code.intersection(range(function.body[0].lineno, last + 1)))
        if length > MOST_CODE and f"{name}::{function.name}" not in LONGER:
            problems.append(
                f"{name}:{function.lineno}: {function.name} has {length} lines of code; at most {MOST_CODE}"
            )
    return count, len(code), problems


def main() -> int:
    """Prints the totals and what is too long; returns the exit status."""
    problems: list[str] = []
    print(f"{'folder':<10}{'files':>7}{'lines':>9}{'code':>9}{'median':>8}{'longest':>9}")
    for folder in FOLDERS:
        results = [check(path) for path in sorted((ROOT / folder).rglob("*.py"))]
        if not results:
            continue
        counts = [count for count, _, _ in results]
        total = sum(counts)
        code = sum(number for _, number, _ in results)
        median = statistics.median(counts)
        print(f"{folder:<10}{len(counts):>7}{total:>9,}{code:>9,}{median:>8.0f}{max(counts):>9}")
        problems += [problem for _, _, found in results for problem in found]
        if folder == "src" and code > BUDGET:
            problems.append(f"src: {code:,} lines of code; the budget is {BUDGET:,}")
    print(*problems, sep="\n")
    print(f"size gate: {len(problems)} too long" if problems else "size gate: all within the limits")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
