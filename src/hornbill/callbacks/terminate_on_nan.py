"""Ends training when the loss is no number any more.

Not for: finding the layer where it began (`jax.config.update("jax_debug_nans", True)` does that).
"""

from __future__ import annotations

import math
from typing import Any

from hornbill.callbacks.callback import Callback
from hornbill.engine.errors import StateError

__all__ = ["TerminateOnNaN"]


class TerminateOnNaN(Callback):
    """Stops training at the first batch whose loss is NaN or infinite, and names the batch.

    Args:
        raise_error: Raise a RuntimeError instead, so that no `on_train_end` runs and backups stay.

    Example:
        >>> TerminateOnNaN(raise_error=True).raise_error
        True
    """

    def __init__(self, raise_error: bool = False) -> None:
        super().__init__()
        self.raise_error = raise_error
        self._epoch = 0

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Remembers the epoch for the message."""
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Looks at the loss of this batch."""
        loss = (logs or {}).get("loss")
        if loss is None or math.isfinite(loss):
            return
        if self.raise_error:
            raise StateError(
                f"NaN or Inf loss encountered at batch {batch} of epoch {self._epoch + 1}.",
                got=f"loss={loss}.",
                fixes=(
                    "Lower the learning rate, or clip gradients: optimizer(clipnorm=1.0).",
                    "Look for NaN in the data: np.isnan(x).any().",
                ),
            )
        print(f"Batch {batch}: Invalid loss, terminating training (epoch {self._epoch + 1}, loss {loss})")
        self.model.stop_training = True
