"""The words of an explanation: one catalogue per language, from which every rendering takes its sentences.

A catalogue is a table of templates by key. Values are plain JSON; a reference to an axis is `{"axis": "height"}`, or
`{"axis": "height", "size": 28}`, and is written in the catalogue's own word. Nothing is computed here.
"""

from __future__ import annotations

import importlib
import locale
import os
import pkgutil
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from hornbill.engine.errors import ArgumentError

__all__ = ["Catalogue", "chosen_language", "languages", "words"]


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
        """Returns the word for the name of an axis or weight given in English; an unknown one stays as it is.

        A number in front ("4 gates x units") and a letter or number behind ("input b", "axis 1") stay too.
        """
        if name in self.axes:
            return self.axes[name]
        first, _, rest = name.partition(" ")
        if first.isdigit() and rest:
            return f"{first} {self.axis(rest)}"
        rest, _, last = name.rpartition(" ")
        return f"{self.axes[rest]} {last}" if len(last) == 1 and rest in self.axes else name

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
            return self.templates["comma"].join(self.show(item) for item in value)
        if isinstance(value, int) and not isinstance(value, bool):
            return f"{value}"
        return str(value)


def languages() -> list[str]:
    """Returns the codes of all languages: the names of the catalogue files in this folder."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


@cache
def words(language: str = "en") -> Catalogue:
    """Returns the catalogue of a language.

    Args:
        language: Its code: "en", "zh", or a longer one that begins so, such as "zh_CN" or "zh-Hans".

    Raises:
        ArgumentError: If there is no catalogue of it.
    """
    code = re.split(r"[-_.]", language.lower())[0] if isinstance(language, str) else language
    if code not in languages():
        raise ArgumentError(
            f"Explanations are written in {', '.join(languages())}.",
            got=f"language={language!r}.",
            fixes="language='en'",
        )
    module = importlib.import_module(f"{__name__}.{code}")
    return Catalogue(code, module.TEMPLATES, module.AXES)


def chosen_language(language: str | None = None) -> str:
    """Returns the code of the language to use: the one given, else that of HORNBILL_LANGUAGE, else the locale's."""
    if language is not None:
        return words(language).language
    asked = os.environ.get("HORNBILL_LANGUAGE")
    if asked:
        return words(asked).language
    named = (os.environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    found = next((value for value in named if value), "") or locale.getlocale()[0] or ""
    code = re.split(r"[-_. ]", found.lower())[0]
    code = {"chinese": "zh"}.get(code, code)  # as Windows calls it
    return code if code in languages() else "en"
