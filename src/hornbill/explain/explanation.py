"""`explain`: one entry for every question about a model's numbers, and the Explanation that answers it.

The answer is a document and its telling; what is written here only chooses them and hands them to a layout.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from hornbill.engine.errors import ArgumentError, NotBuiltError, did_you_mean, one_of
from hornbill.engine.layer import Layer
from hornbill.engine.lazy import lazy_module
from hornbill.engine.naming import kept_names
from hornbill.explain.axis import axis_document, telling_of_axis
from hornbill.explain.change import difference, telling_of_difference
from hornbill.explain.document import build, build_layer
from hornbill.explain.html import to_fragment, to_html
from hornbill.explain.languages import chosen_language, words
from hornbill.explain.markdown import to_markdown
from hornbill.explain.telling import LEVELS, Telling, telling_of
from hornbill.explain.text import plain_text, styled_text

__all__ = ["Explanation", "explain"]

FORMS = ("text", "markdown", "json", "html")
_SUFFIXES = {
    ".txt": "text",
    ".md": "markdown",
    ".markdown": "markdown",
    ".json": "json",
    ".html": "html",
    ".htm": "html",
}
_LEAST_WIDTH, _USUAL_WIDTH, _MOST_WIDTH = 40, 100, 120

page = lazy_module("hornbill.explain.page")  # the interactive page; its `write_page(model, path, examples)`


class Explanation:
    """An explanation, which prints as text.

    Attributes:
        document: Everything it is made from, as plain data; see `to_json`.
        language: Code of its language.
        width: Columns of its text.
    """

    def __init__(
        self,
        document: dict[str, Any],
        telling: Telling,
        language: str,
        width: int | None = None,
        make: Any = None,
    ) -> None:
        self.document, self.language = document, language
        self.width = width or _terminal_width()
        self._telling, self._make = telling, make

    @property
    def text(self) -> str:
        """The text in its language, whatever the terminal can show."""
        return plain_text(self._telling, self.width, words(self.language))

    def to_json(self, indent: int | None = 2) -> str:
        """Returns the document as JSON; `schema` and `version` say what it holds.

        Args:
            indent: Spaces per level; None gives one line.
        """
        return json.dumps(self.document, ensure_ascii=False, indent=indent)

    def to_markdown(self) -> str:
        """Returns the explanation as Markdown."""
        return to_markdown(self._telling, words(self.language))

    def to_html(self) -> str:
        """Returns the explanation as one HTML file without scripts."""
        name = self.document.get("model", {}).get("name", "hornbill")
        return to_html(self._telling, words(self.language), str(name))

    def show(self, file: Any = None) -> None:
        """Prints the explanation, in colour on a terminal that has it and where NO_COLOR is not set.

        Args:
            file: Where to; standard output if None.
        """
        stream = file or sys.stdout
        if not _can_show(self.text, stream):
            print(_ascii(self.in_language("en").text, stream), file=stream)
            return
        console = Console(file=stream, width=max(self.width, 20), soft_wrap=True, highlight=False)
        if console.is_terminal and not os.environ.get("NO_COLOR"):
            console.print(styled_text(self._telling, self.width, words(self.language)))
        else:
            print(self.text, file=stream)

    def in_language(self, language: str) -> Explanation:
        """Returns the same explanation in another language.

        Args:
            language: Its code, such as "zh".
        """
        return self if self._make is None or language == self.language else self._make(language)

    def __str__(self) -> str:
        return (
            self.text if _can_show(self.text, sys.stdout) else _ascii(self.in_language("en").text, sys.stdout)
        )

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return to_fragment(self._telling, words(self.language))


def _terminal_width() -> int:
    return min(max(shutil.get_terminal_size((_USUAL_WIDTH, 24)).columns, _LEAST_WIDTH), _MOST_WIDTH)


def _can_show(text: str, stream: Any) -> bool:
    try:
        text.encode(getattr(stream, "encoding", None) or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _ascii(text: str, stream: Any) -> str:
    """Returns a text with the signs that a stream cannot show written as their codes."""
    encoding = getattr(stream, "encoding", None) or "ascii"
    return text.encode(encoding, "backslashreplace").decode(encoding)


def explain(
    target: Any,
    layer: Any = None,
    axis: str | int | None = None,
    level: str = "full",
    language: str | None = None,
    width: int | None = None,
    to: Any = None,
    input_shape: Any = None,
    change: Mapping[str, Mapping[str, Any]] | None = None,
    examples: Any = None,
) -> Any:
    """Explains every size and count of a model or layer.

    Args:
        target: A built model or layer.
        layer: Name of one layer to explain, or the layer itself; all of them if None.
        axis: Name or index of an output axis: where it comes from, back to the input.
        level: "short" (a line per layer), "full", or "teach" (says what each thing is, where it first occurs).
        language: "en" or "zh"; None takes that of the variable HORNBILL_LANGUAGE, else the locale's.
        width: Columns of the text; those of the terminal if None.
        to: "text", "markdown", "json" or "html" to get that form instead, or a path to write to, whose suffix says
            the form (.txt, .md, .json, .html). "page.html", or any .html with `examples`, gives the interactive page.
        input_shape: Another input shape, without the batch axis: what would differ with it.
        change: Other arguments by layer, such as `{"conv2d_1": {"strides": 2}}`: what would differ with them.
        examples: Inputs that the interactive page shows.

    Returns:
        An `Explanation`, which prints as text; the text of a form if `to` names one.

    Raises:
        NotBuiltError: If the model does not know its shapes yet.
        ArgumentError: If there is no such layer, axis, level, language or form, or the change cannot work.
    """
    _check(target, level, width, input_shape)
    form, path = _destination(to)
    if form == "json":
        level = "full"  # the document is the same at every level
    if examples is not None and not _is_page(path, examples):
        raise ArgumentError(
            "explain(examples=...) is for the interactive page.", got=f"to={to!r}.", fixes="to='page.html'"
        )
    if path is not None and _is_page(path, examples):
        page.write_page(target, path, examples, language=language)
        return _explanation(target, None, None, level, language, width, None, None)
    explanation = _explanation(target, layer, axis, level, language, width, input_shape, change)
    if form is None:
        return explanation
    text = _as_form(explanation, form)
    if path is None:
        return text
    path.write_text(text if text.endswith("\n") else text + "\n", encoding="utf-8")
    return explanation


def _explanation(
    target: Any,
    layer: Any,
    axis: Any,
    level: str,
    language: str | None,
    width: int | None,
    input_shape: Any,
    change: Any,
) -> Explanation:
    chosen = chosen_language(language)
    if (
        language is None
        and chosen != "en"
        and not _can_show(words(chosen).say("label.parameters"), sys.stdout)
    ):
        chosen = "en"

    def make(code: str) -> Explanation:
        with kept_names(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what layers warn of was said when the model was made
            document, telling = _answer(target, layer, axis, level, code, input_shape, change)
        return Explanation(document, telling, code, width, make)

    return make(chosen)


def _answer(
    target: Any, layer: Any, axis: Any, level: str, language: str, input_shape: Any, change: Any
) -> tuple[dict[str, Any], Telling]:
    """Returns the document and the telling that answer a question."""
    catalogue = words(language)
    alone = not hasattr(target, "get_layer")
    if axis is not None:
        if alone or change or input_shape is not None:
            raise ArgumentError(
                "explain(axis=...) follows an axis of a layer through a model as it is.",
                got=f"{type(target).__name__} {target.name!r} by itself." if alone else "a change besides.",
                fixes="model.explain(layer='flatten', axis='features')",
            )
        data = axis_document(target, layer, axis, language)
        return data, telling_of_axis(data)
    if change or (input_shape is not None and not alone):
        data = difference(target, input_shape, change, language)
        if layer is not None:
            only = _rows_named(data, target, layer)
            data = {**data, "layers": [row for row in data["layers"] if row["index"] in only]}
        return data, telling_of_difference(data, level)
    if alone:
        document = build_layer(target, language, input_shape)
        return document, telling_of(document, catalogue, level, {0})
    document = build(target, language, memory=layer is None and level != "short")
    only = None if layer is None else _rows_named(document, target, layer)
    if only is not None:
        document = {**document, "layers": [row for row in document["layers"] if row["index"] in only]}
    return document, telling_of(document, catalogue, level, only)


def _rows_named(document: dict[str, Any], target: Any, layer: Any) -> set[int]:
    """Returns the rows of a layer's name, or of a layer; those of inner models count too."""
    name = layer.name if isinstance(layer, Layer) else layer
    found = {row["index"] for row in document["layers"] if row["name"] == name}
    if not found:
        names = list(dict.fromkeys(row["name"] for row in document["layers"]))
        raise ArgumentError(
            f"Model {target.name!r} has no layer named {name!r}.{did_you_mean(name, names)}",
            why=f"Its layers: {', '.join(names[:30])}{', ...' if len(names) > 30 else ''}.",
        )
    return found


def _check(target: Any, level: str, width: Any, input_shape: Any) -> None:
    if not isinstance(target, Layer):
        raise ArgumentError("explain wants a model or a layer.", got=f"{target!r}.")
    one_of("explain", "level", level, LEVELS)
    if width is not None and (isinstance(width, bool) or not isinstance(width, int) or width < _LEAST_WIDTH):
        raise ArgumentError(
            f"explain: width must be a whole number of at least {_LEAST_WIDTH}.",
            got=f"width={width!r}.",
            fixes="width=80",
        )
    if not target.built and (input_shape is None or hasattr(target, "get_layer")):
        what = "Model" if hasattr(target, "get_layer") else type(target).__name__
        raise NotBuiltError(
            f"{what} {target.name!r} has no shapes to explain yet.",
            fixes="Start it with Input((28, 28, 1)), call it on data, or model.build(shape)."
            if what == "Model"
            else "Call it on Input(...) or data, or give explain(input_shape=...).",
        )


def _destination(to: Any) -> tuple[str | None, Path | None]:
    """Returns the form that `to` asks for, and the path to write it to, if it is one."""
    if to is None or to in FORMS:
        return to, None
    if not isinstance(to, (str, os.PathLike)):
        raise ArgumentError("explain: to is a form or a path.", got=f"to={to!r}.", fixes="to='model.md'")
    path = Path(to)
    if path.suffix.lower() not in _SUFFIXES:
        hint = did_you_mean(str(to), FORMS).strip()
        raise ArgumentError(
            f"explain: to must be one of {', '.join(map(repr, FORMS))}, or a path that ends in "
            f"{', '.join(sorted(_SUFFIXES))}.",
            got=f"to={str(to)!r}.",
            fixes=hint or f"to='{path.name}.md'",
        )
    return _SUFFIXES[path.suffix.lower()], path


def _is_page(path: Path | None, examples: Any) -> bool:
    return (
        path is not None
        and path.suffix.lower() == ".html"
        and (examples is not None or path.name == "page.html")
    )


def _as_form(explanation: Explanation, form: str) -> str:
    makers = {
        "text": lambda: explanation.text,
        "markdown": explanation.to_markdown,
        "json": explanation.to_json,
        "html": explanation.to_html,
    }
    return makers[form]()
