"""Says at which step the loss stopped being a number, without waiting for the device at every step.

The losses of the steps are kept on the device and looked at when an epoch ends, or when many have gathered. The loss in
the logs is a mean over the epoch so far: once it is no number it stays none until the epoch ends, so that the last
value tells whether there is anything to look for.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import jax
import numpy as np

__all__ = ["NanWatch"]

_MOST_KEPT = 512


class NanWatch:
    """Watches the loss of one `fit` and warns once.

    Args:
        arrays: The data in memory, looked through for NaN only after the loss has become one; or None.
        enabled: Whether to watch at all.
    """

    def __init__(self, arrays: Any = None, enabled: bool = True) -> None:
        self._arrays, self._enabled = arrays, enabled
        self._kept: list[tuple[int, int, Any]] = []
        self._finite_until = -1

    def note(self, epoch: int, step: int, logs: Any) -> None:
        """Keeps the loss after a step; it is not read yet."""
        if not self._enabled or not isinstance(logs, dict) or (loss := logs.get("loss")) is None:
            return
        self._kept.append((epoch, step, loss))
        if len(self._kept) >= _MOST_KEPT:
            half = _MOST_KEPT // 2  # the older half was computed long ago: reading it waits for nothing
            self._look(self._kept[:half])
            self._kept = self._kept[half:]

    def end_epoch(self) -> None:
        """Looks at what the epoch left."""
        if self._kept:
            self._look(self._kept)
        self._kept, self._finite_until = [], -1

    def _look(self, entries: list[tuple[int, int, Any]]) -> None:
        if not self._enabled:
            return
        if np.ndim(entries[-1][2]) or math.isfinite(float(entries[-1][2])):
            self._finite_until = entries[-1][1]
            return
        values = jax.device_get([loss for _, _, loss in entries])
        first = next(i for i, value in enumerate(values) if not math.isfinite(float(value)))
        epoch, step, _ = entries[first]
        last_good = entries[first - 1][1] if first else self._finite_until
        self._enabled = False
        self._warn(epoch, last_good + 1, step, float(values[first]))

    def _warn(self, epoch: int, earliest: int, step: int, value: float) -> None:
        when = f"step {step + 1}" if earliest == step else f"between steps {earliest + 1} and {step + 1}"
        lines = [f"The loss became {value} in epoch {epoch + 1}, {when}: from there on nothing is learnt."]
        found = self._nan_in_data()
        if found:
            lines += [f"  Why: {found}", "  Fix: Drop or fill those rows: x = numpy.nan_to_num(x)."]
        else:
            lines += [
                "  Fixes: Lower the learning rate, or clip gradients: optimizers.Adam(1e-4, clipnorm=1.0).",
                "         Bring the inputs to about -1 ... 1: layers.Rescaling(1 / 255) or layers.Normalization().",
                "         callbacks=[TerminateOnNaN()] stops at that step.",
            ]
        warnings.warn("\n".join(lines), stacklevel=5)

    def _nan_in_data(self) -> str | None:
        for name, part in zip(("x", "y", "sample_weight"), self._arrays or (), strict=False):
            for leaf in jax.tree_util.tree_leaves(part):
                array = leaf if isinstance(leaf, (np.ndarray, jax.Array)) else None
                if array is None or array.dtype.kind != "f":
                    continue
                rows = int(np.isnan(np.asarray(array)).reshape(len(array), -1).any(axis=1).sum())
                if rows:
                    return f"{name} holds NaN in {rows} of {len(array)} rows."
        return None
