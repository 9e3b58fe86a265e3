"""Shows the progress of fit, evaluate and predict on the terminal.

Values are read from the device only when the bar is drawn anew, so watching costs little.

Not for: how the bar looks (`hornbill.utils.Progbar`).
"""

from __future__ import annotations

import time
from typing import Any

from hornbill.callbacks.callback import Callback
from hornbill.utils.progbar import Progbar

__all__ = ["ProgbarLogger"]

_INTERVAL = 0.05


class ProgbarLogger(Callback):
    """Prints a progress bar (verbose=1) or one line per epoch (verbose=2); `fit` adds one.

    Example:
        >>> ProgbarLogger().target is None
        True
    """

    def __init__(self) -> None:
        super().__init__()
        self.seen = 0
        self.progbar: Progbar | None = None
        self.target: int | None = None
        self.verbose: int = 1
        self.epochs: int = 1
        self._called_in_fit = False
        self._drawn = 0.0

    def _needs_batches(self, stage: str) -> bool:
        return False

    def set_params(self, params: dict[str, Any]) -> None:
        """Takes the length of the bar and the manner of printing from the run."""
        super().set_params(params)
        self.verbose = int(params.get("verbose") or 0)
        self.epochs = int(params.get("epochs") or 1)
        self.target = params.get("steps")

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Remembers that evaluations from now on belong to `fit`."""
        self._called_in_fit = True

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Starts a bar, unless the evaluation is the validation of `fit`."""
        if not self._called_in_fit:
            self._start()

    def on_predict_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Starts a bar."""
        self._start()

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Starts a bar under the line "Epoch 1/10"."""
        self._start()
        if self.verbose and self.epochs > 1:
            print(f"Epoch {epoch + 1}/{self.epochs}")

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Moves the bar."""
        self._move(batch, logs)

    def on_test_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Moves the bar, unless the evaluation is the validation of `fit`."""
        if not self._called_in_fit:
            self._move(batch, logs)

    def on_predict_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Moves the bar."""
        self._move(batch, None)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Ends the bar with the values of the epoch."""
        self._finish(logs)

    def on_test_end(self, logs: dict[str, Any] | None = None) -> None:
        """Ends the bar, unless the evaluation is the validation of `fit`."""
        if not self._called_in_fit:
            self._finish(logs)

    def on_predict_end(self, logs: dict[str, Any] | None = None) -> None:
        """Ends the bar."""
        self._finish(None)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Forgets that `fit` was running."""
        self._called_in_fit = False

    def _start(self) -> None:
        self.seen = 0
        self._drawn = 0.0
        self.progbar = (
            Progbar(target=self.target, verbose=self.verbose, unit_name="step") if self.verbose else None
        )

    def _move(self, batch: int, logs: dict[str, Any] | None) -> None:
        self.seen = batch + 1
        if self.progbar is None or self.verbose != 1:
            return
        now = time.perf_counter()
        if now - self._drawn < _INTERVAL and self.seen != self.target:
            return
        self._drawn = now
        self.progbar.update(self.seen, self._shown(logs), finalize=False)

    def _finish(self, logs: dict[str, Any] | None) -> None:
        if self.progbar is None:
            return
        if self.target is None:
            self.target = self.seen
            self.progbar.target = self.seen
        self.progbar.update(self.target, self._shown(logs), finalize=True)

    def _shown(self, logs: dict[str, Any] | None) -> list[tuple[str, Any]]:
        """Returns the values as they stand: the loop's metrics are means already, so the last line is the history's."""
        if self.progbar is not None:
            self.progbar.stateful_metrics.update(logs or ())
        return list((logs or {}).items())
