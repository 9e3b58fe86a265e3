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
        self._kept: list[tuple[int, Any, Any]] = []

    def note(self, epoch: int, step: Any, logs: Any) -> None:
        """Keeps the loss after a step, or after several; it is not read yet.

        Args:
            epoch: The epoch.
            step: The step; for several in one call the first whose loss was no number, as the device found it.
            logs: What the last step returned.
        """
        if not self._enabled or not isinstance(logs, dict) or (loss := logs.get("loss")) is None:
            return
        self._kept.append((epoch, step, loss))
        if len(self._kept) >= _MOST_KEPT:
            half = _MOST_KEPT // 2  # the older half was computed long ago: reading it waits for nothing
            self._look(self._kept[:half], self._kept[half - 1][2])
            self._kept = self._kept[half:]

    def end_epoch(self, loss: Any) -> None:
        """Looks at what the epoch left.

        Args:
            loss: The loss after its last step, as the logs have it; None if they have none.
        """
        if self._kept:
            self._look(self._kept, loss)
        self._kept = []

    def _look(self, entries: list[tuple[int, Any, Any]], last: Any) -> None:
        if not self._enabled or np.ndim(last) or math.isfinite(float(last)):
            return
        values = jax.device_get([loss for _, _, loss in entries])
        first = next(i for i, value in enumerate(values) if not math.isfinite(float(value)))
        epoch, step, _ = entries[first]
        self._enabled = False
        self._warn(epoch, int(step))

    def _warn(self, epoch: int, step: int) -> None:
        lines = [
            f"The loss became inf or nan in epoch {epoch + 1}, step {step + 1}: from there on nothing is learnt."
        ]
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
