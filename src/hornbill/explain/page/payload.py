"""What a page carries of a model: the document in each language, and as many of its numbers as the budget allows.

Small models are carried whole: weights and the float32 outputs of every layer for every example shown, so that the
page can add up any number and run the network. Of large ones the page gets feature maps as bytes, and of each layer a
piece in float32: some output cells, what they read, and their weights. What is left out is named, with the reason.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from hornbill.engine.symbolic import leaves_of, map_leaves
from hornbill.explain import document as documents
from hornbill.explain.languages import words
from hornbill.explain.page.capture import capture, entries
from hornbill.explain.page.packing import Packer
from hornbill.explain.page.parts import part_of
from hornbill.explain.rows import Row, rows_of

__all__ = ["BUDGET", "LANGUAGES", "payload_of"]

BUDGET = 8_000_000
"""Characters that the data of a page may take."""

LANGUAGES = ("en", "zh")
_GIVEN, _SHOWN = 64, 12  # examples that statistics are taken over, and that are shown
_WEIGHTS, _VALUES = 0.35, 0.45  # shares of the budget for all weights and for all outputs in float32
_SMALL = 48_000  # bytes of weights or outputs of one layer that are carried although the whole does not fit
_MAPS = [(8, 64), (4, 64), (2, 64), (1, 64), (1, 32), (1, 16), (1, 8), (1, 4)]  # examples, channels
_PACKED = 1.25  # characters for a byte of float32, compressed and in base64
_FINEST = 128  # cells along a side of a feature map; larger ones are thinned


def payload_of(model: Any, examples: Any, language: str, budget: int) -> tuple[dict[str, Any], Packer]:
    """Returns the page's data and its arrays.

    Args:
        model: A built model.
        examples: A batch of inputs, or None.
        language: The language that the page opens in.
        budget: Characters that data may take.
    """
    versions = {code: documents.build(model, language=code) for code in LANGUAGES}
    document = versions["en"]
    rows = rows_of(model, expand_nested=True)
    packer = Packer()
    chooser = _Chooser(document, rows, entries(model, rows), packer, budget)
    if examples is not None:
        chooser.run(model, examples)
    chooser.weights()
    chooser.outputs()
    return {
        "document": document,
        "language": language,
        "texts": {code: _texts(version) for code, version in versions.items()},
        "examples": chooser.examples,
        "arrays": packer.entries,
        "carried": chooser.carried,
        "budget": budget,
        "notes": chooser.notes,
    }, packer


def _texts(document: dict[str, Any]) -> dict[str, Any]:
    """Returns the sentences of a document; the rest of it is the same in every language."""
    return {
        "sentences": [[sentence["text"] for sentence in layer["sentences"]] for layer in document["layers"]],
        "parameters": [layer["parameters"]["sentence"] for layer in document["layers"]],
        "axes": dict(words(document["language"]).axes),
        "warnings": [warning["text"] for warning in document["warnings"]],
    }


class _Chooser:
    """Decides, in a fixed order, what is carried.

    Args:
        document: The document.
        rows: Its rows.
        places: Which input of its model each InputLayer is.
        packer: Takes the arrays.
        budget: Characters in all.
    """

    def __init__(
        self, document: dict[str, Any], rows: list[Row], places: list[int | None], packer: Packer, budget: int
    ) -> None:
        self.layers, self.rows, self.packer, self.budget = document["layers"], rows, packer, budget
        self.captured: list[np.ndarray | None] = [None] * len(rows)
        self.examples: dict[str, Any] = {"count": 0, "given": 0, "names": [], "inputs": []}
        self.notes: list[dict[str, Any]] = []
        self.shown = 0
        self.carried: list[dict[str, Any]] = [
            {"same": None, "values": None, "maps": None, "weights": None, "part": None, "stats": None,
             "entry": place, "left_out": []}
            for place in places
        ]  # fmt: skip

    def run(self, model: Any, examples: Any) -> None:
        """Runs the examples, and decides how many are shown."""
        batches = [np.asarray(leaf) for leaf in leaves_of(examples)]
        given = min(len(batch) for batch in batches)
        first = map_leaves(lambda leaf: np.asarray(leaf)[:_GIVEN], examples)
        self.captured = capture(model, self.rows, first)
        total = sum(a[:1].nbytes for a in self.captured if a is not None)
        room = self.budget * _VALUES
        self.shown = int(min(given, _SHOWN, room // (total * _PACKED)))
        if self.shown == 0:  # bytes then; several examples may fit, which the maps decide
            one = sum(batch[:1].nbytes for batch in batches)
            self.shown = int(max(1, min(given, 4, 0.1 * self.budget // (one * _PACKED))))
        inputs = [self.packer.floats(batch[: self.shown]) for batch in batches]
        self.examples = {"count": self.shown, "given": given, "names": [], "inputs": inputs}
        self._aliases()

    def _aliases(self) -> None:
        """Finds the layers that pass their input on as it is, whose numbers need not be carried twice."""
        for index, layer in enumerate(self.layers):
            mine = self.captured[index]
            for parent in layer["parents"][:1] if len(layer["parents"]) == 1 else []:
                other = self.captured[parent]
                if (
                    mine is not None
                    and other is not None
                    and mine.shape == other.shape
                    and np.array_equal(mine, other)
                ):
                    self.carried[index]["same"] = parent

    # ---- weights

    def weights(self) -> None:
        """Packs all weights if they fit their share, else those of small layers."""
        owners = [
            (i, row) for i, row in enumerate(self.rows)
            if self.layers[i]["parameters"]["weights"] and self.layers[i]["parameters"]["shared_with"] is None
            and not hasattr(row.layer, "get_layer")
        ]  # fmt: skip
        total = sum(v.size * 4 for _, row in owners for v in row.layer.weights)
        everything = total * _PACKED <= self.budget * _WEIGHTS
        left = 0
        for index, row in owners:
            own = sum(v.size * 4 for v in row.layer.weights)
            if everything or (own <= _SMALL and self.packer.used + own * _PACKED < self.budget * _WEIGHTS):
                self.carried[index]["weights"] = {
                    name: self.packer.floats(array) for name, array in named_weights(row)
                }
            else:
                left += own
                self.carried[index]["left_out"].append({"what": "weights", "why": "budget", "bytes": own})
        if left:
            self.notes.append({"what": "weights", "why": "budget", "bytes": left})

    # ---- outputs

    def outputs(self) -> None:
        """Packs what the layers gave: float32 where it fits, else bytes and a float32 piece."""
        mine = [i for i, a in enumerate(self.captured) if a is not None and self.carried[i]["same"] is None]
        for index in mine:
            self.carried[index]["stats"] = self._stats(index)
        total = sum(self._captured(i)[: self.shown].nbytes for i in mine)
        everything = total * _PACKED <= self.budget * _VALUES
        large = []
        for index in mine:
            array = self._captured(index)[: self.shown]
            entry = self.carried[index]["entry"]
            if entry is not None and self.layers[index]["depth"] == 0:
                self.carried[index]["values"] = self.examples["inputs"][entry]
            elif everything or (array.nbytes <= _SMALL and self._room(array.nbytes, 0.6)):
                self.carried[index]["values"] = self.packer.floats(array)
            else:
                large.append(index)
                self.carried[index]["left_out"].append(
                    {"what": "values", "why": "budget", "bytes": array.nbytes}
                )
        for index in large:
            room = int((0.8 * self.budget - self.packer.used) / (4 * _PACKED))
            self.carried[index]["part"] = part_of(
                self.layers[index], self.rows[index], self.captured, self.packer, room
            )
        self._maps(large)

    def _room(self, size: int, share: float) -> bool:
        """Returns whether so many bytes of float32 stay within a share of the budget."""
        return self.packer.used + size * _PACKED <= share * self.budget

    def _captured(self, index: int) -> np.ndarray:
        array = self.captured[index]
        return np.zeros(0) if array is None else array

    def _maps(self, large: list[int]) -> None:
        """Packs feature maps as bytes: as many examples and channels as fit what is left."""
        room = self.budget - self.packer.used
        for count, channels in _MAPS:
            chosen = [(i, *self._thinned(i, min(count, self.shown), channels)) for i in large]
            if sum(maps.size for _, maps, _, _ in chosen) <= room or (count, channels) == _MAPS[-1]:
                break
        else:
            return
        for index, maps, which, step in chosen:
            if self.packer.used + maps.size > self.budget:
                self.carried[index]["left_out"].append({"what": "maps", "why": "budget", "bytes": maps.size})
                continue
            self.carried[index]["maps"] = {
                "array": self.packer.bytes(maps), "channels": which, "examples": len(maps), "step": step,
            }  # fmt: skip

    def _thinned(self, index: int, count: int, channels: int) -> tuple[np.ndarray, list[int], int]:
        """Returns some examples and channels of an output, every `step`-th cell, with the channels' numbers."""
        array, axis = self._captured(index)[:count], self._channel_axis(index)
        which = list(range(min(array.shape[axis], channels)))
        array = np.take(array, which, axis=axis)
        spatial = [i for i in range(1, array.ndim) if i != axis]
        step = max([1, *(-(-array.shape[i] // _FINEST) for i in spatial)])
        cut = tuple(slice(None, None, step if i in spatial else 1) for i in range(array.ndim))
        return array[cut], which, step

    def _channel_axis(self, index: int) -> int:
        window = self.layers[index]["window"]
        first = (
            window["channels_first"]
            if window
            else self.layers[index]["config"].get("data_format") == "channels_first"
        )
        return 1 if first else self._captured(index).ndim - 1

    def _stats(self, index: int) -> dict[str, Any] | None:
        """Returns the share of zeros of each channel and which channels are zero throughout, over all examples."""
        array = self._captured(index)
        if array.ndim < 2 or array.size == 0:
            return None
        axis = self._channel_axis(index)
        if array.shape[axis] > 4096:
            return None
        others = tuple(i for i in range(array.ndim) if i != axis)
        zero = (array == 0).mean(axis=others)
        return {
            "zero": [round(float(z), 4) for z in zero],
            "dead": [int(i) for i in np.flatnonzero(zero == 1)],
            "low": float(np.nanmin(array)),
            "high": float(np.nanmax(array)),
        }


def named_weights(row: Row) -> Iterator[tuple[str, np.ndarray]]:
    """Yields the weights of a row's layer, a number added to names that come again."""
    seen: dict[str, int] = {}
    for variable in row.layer.weights:
        times = seen[variable.name] = seen.get(variable.name, 0) + 1
        yield (
            variable.name if times == 1 else f"{variable.name}_{times}",
            np.asarray(variable.value, dtype=np.float32),
        )
