"""The public names of Keras that Hornbill has by now, and the one list of those that it does not have yet."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import hornbill

__all__ = ["GOLDEN", "MISSING", "find"]

GOLDEN: dict[str, str] = json.loads((Path(__file__).parents[1] / "golden" / "keras_api.json").read_text())

MISSING: dict[str, str] = {}


def find(name: str) -> Any:
    """Returns Hornbill's object for a name that begins with `keras.`; raises AttributeError if there is none."""
    found: Any = hornbill
    for part in name.split(".")[1:]:
        found = getattr(found, part)
    return found
