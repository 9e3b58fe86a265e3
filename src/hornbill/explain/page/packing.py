"""Arrays for a page: float32 or bytes, compressed, in base64, each in a script element that no browser runs."""

from __future__ import annotations

import base64
import gzip
import json
import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

__all__ = ["Packer", "json_text"]


@dataclass(slots=True)
class Packer:
    """Gathers arrays and counts what they take in the page.

    Attributes:
        entries: What the page is told of each array.
        blobs: The text of each.
        used: Characters so far.
    """

    entries: list[dict[str, Any]] = field(default_factory=list)
    blobs: list[str] = field(default_factory=list)
    used: int = 0

    def floats(self, array: np.ndarray) -> int:
        """Adds float32 numbers, byte planes apart, since that packs better; returns the array's number."""
        values = np.ascontiguousarray(array, dtype="<f4")
        planes = values.reshape(-1, 1).view(np.uint8).T
        return self._add(planes.tobytes(), array.shape, "f32", 1.0, 0.0)

    def bytes(self, array: np.ndarray) -> int:
        """Adds numbers as 256 steps between the smallest and the largest; returns the array's number."""
        finite = np.nan_to_num(array.astype(np.float64))
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
        scale = (high - low) / 255 or 1.0
        if low < 0.0 < high:  # zero stays exactly zero: it is what "off" and "dead" mean
            scale = (high - low) / 254
            low = -round(-low / scale) * scale
        steps = np.clip(np.rint((finite - low) / scale), 0, 255).astype(np.uint8)
        return self._add(steps.tobytes(), array.shape, "u8", scale, low)

    def _add(self, data: bytes, shape: tuple[int, ...], kind: str, scale: float, zero: float) -> int:
        text = base64.b64encode(gzip.compress(data, 6, mtime=0)).decode("ascii")
        number = len(self.entries)
        self.entries.append(
            {"blob": f"hb{number}", "shape": list(shape), "kind": kind, "scale": scale, "zero": zero}
        )
        self.blobs.append(text)
        self.used += len(text) + 60
        return number

    def elements(self) -> str:
        """Returns the script elements."""
        return "\n".join(
            f'<script type="text/plain" id="hb{i}">{text}</script>' for i, text in enumerate(self.blobs)
        )


def json_text(value: Any) -> str:
    """Returns JSON that may stand inside a script element, whatever names a model carries."""
    text = json.dumps(_plain(value), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for sign in ("<", ">", "&", "\u2028", "\u2029"):
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text.encode("utf-8", "replace").decode("utf-8")  # lone surrogates have no UTF-8


def _plain(value: Any) -> Any:
    """Returns a value as JSON allows it: numbers that are none as text, anything unknown by its name."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, (bool, int, str)) or value is None:
        return value
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    return str(value)
