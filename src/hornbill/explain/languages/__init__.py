"""The words of an explanation: one catalogue per language, from which every rendering takes its sentences.

A catalogue is a table of templates by key. Values are plain JSON; a reference to an axis is `{"axis": "height"}`, or
`{"axis": "height", "size": 28}`, and is written in the catalogue's own word. Nothing is computed here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hornbill.explain.languages import en

__all__ = ["Catalogue", "words"]


class Catalogue:
    """The words of one language.

    Args:
        language: Its code, such as "en".
        templates: Format strings by key.
        axes: Its word for each axis name that differs from English.
    """

    def __init__(self, language: str, templates: Mapping[str, str], axes: Mapping[str, str]) -> None:
        self.language, self.templates, self.axes = language, templates, axes

    def axis(self, name: str) -> str:
        """Returns the word for an axis name given in English; an unknown name stays as it is."""
        return self.axes.get(name, name)

    def say(self, key: str, **values: Any) -> str:
        """Returns the sentence of a key with its values put in.

        The value `n` is the axis whose size is not known and stands as n in the arithmetic; what n is, is added.
        """
        said = self.templates[key].format(**{name: self.show(value) for name, value in values.items()})
        if "n" in values and key != "where":
            return self.templates["where"].format(said=said, n=self.show(values["n"]))
        return said

    def show(self, value: Any) -> str:
        """Returns one value as text: sizes not known as None, axes by their words, lists with commas."""
        if isinstance(value, Mapping) and "axis" in value:
            name = self.axis(value["axis"])
            return f"{name} {value['size']}" if "size" in value else name
        if isinstance(value, (list, tuple)):
            return ", ".join(self.show(item) for item in value)
        if isinstance(value, int) and not isinstance(value, bool):
            return f"{value}"
        return str(value)


_LANGUAGES = {"en": Catalogue("en", en.TEMPLATES, en.AXES)}


def words(language: str = "en") -> Catalogue:
    """Returns the catalogue of a language."""
    return _LANGUAGES[language]
