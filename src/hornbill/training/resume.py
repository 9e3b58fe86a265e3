"""The state of training, for runs that go on exactly where another one stopped. A part of `Trainer`."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbill.engine.errors import ArgumentError

__all__ = ["ResumableTraining"]


class ResumableTraining:
    """Gives out and takes over everything that the next training step depends on."""

    name: str
    _steps: Any
    _batches_state: Any

    def training_state(self) -> dict[str, Any]:
        """Returns everything that the next training step depends on, as NumPy arrays and plain data."""
        steps = self._steps
        return {
            "variables": [np.asarray(v._value) for v in steps.variables],
            "paths": [v.path for v in steps.variables],
            "batches": self._batches_state,
        }

    def restore_training_state(self, state: dict[str, Any]) -> None:
        """Takes over what `training_state` returned in an earlier run.

        Raises:
            ArgumentError: If it is the state of another model; nothing is changed then.
        """
        variables = self._steps.variables
        wanted = [v.shape for v in variables]
        given = [tuple(np.shape(a)) for a in state["variables"]]
        if wanted != given:
            raise ArgumentError(
                f"The training state does not belong to model {self.name!r}.",
                got=f"{len(given)} arrays; the model has {len(wanted)} variables, or their shapes differ.",
                fixes="Delete the backup folder to train from the beginning.",
            )
        for variable, value in zip(variables, state["variables"], strict=True):
            variable.assign(value)
        self.__dict__["_batches_state"] = state["batches"]
