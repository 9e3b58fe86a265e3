"""Checkpoints in Orbax' format: refused, with what to use instead.

The name exists so that a program that asks for it gets a clear answer.

Not for: checkpoints; use `ModelCheckpoint` or `BackupAndRestore`.
"""

from __future__ import annotations

import importlib.util
import os

from hornbill.callbacks.callback import Callback
from hornbill.engine.errors import ArgumentError

__all__ = ["OrbaxCheckpoint"]


class OrbaxCheckpoint(Callback):
    """Not supported: raises an ArgumentError that names the callbacks to use instead.

    Args:
        directory: Folder of the checkpoints.
        monitor: Name of the value to watch.
        verbose: 1 prints each save.
        save_best_only: Whether to save only when the value improves.
        mode: "min", "max" or "auto".
        save_freq: "epoch" or a number of batches.
        initial_value_threshold: Value to beat from the start.
        max_to_keep: How many checkpoints to keep.
        save_on_background: Whether to write in the background.
        save_weights_only: Whether to leave out the optimizer.

    Raises:
        ArgumentError: Always.
    """

    def __init__(
        self,
        directory: str | os.PathLike,
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        mode: str = "auto",
        save_freq: str | int = "epoch",
        initial_value_threshold: float | None = None,
        max_to_keep: int | None = 1,
        save_on_background: bool = True,
        save_weights_only: bool = False,
    ) -> None:
        super().__init__()
        installed = importlib.util.find_spec("orbax") is not None
        raise ArgumentError(
            "OrbaxCheckpoint is not supported by Hornbill.",
            got=f"OrbaxCheckpoint({os.fspath(directory)!r}); the package orbax-checkpoint is "
            f"{'installed' if installed else 'not installed'}.",
            fixes=(
                "BackupAndRestore(directory) saves everything that a run needs to go on exactly.",
                "ModelCheckpoint('model.keras') saves the model.",
            ),
        )
