"""The base class of learning-rate schedules: a function of the step number with a configuration.

The configuration follows from the constructor, so that a schedule of one's own is a constructor and a
`__call__`. Not here: the schedules themselves (`decays.py`).
"""

from __future__ import annotations

from typing import Any

from hornbill.engine.config import Configurable
from hornbill.engine.op import Tensor

__all__ = ["LearningRateSchedule"]


class LearningRateSchedule(Configurable):
    """Base of all schedules. A subclass defines `__call__(self, step)`.

    The step is a traced array in compiled training, so the formula is written with `keras.ops` or
    `jax.numpy`.

    Example:
        >>> class Halved(LearningRateSchedule):
        ...     def __init__(self, start):
        ...         self.start = start
        ...     def __call__(self, step):
        ...         return self.start / 2.0**step
        >>> Halved(0.5)(1)
        0.25
        >>> Halved(0.5).get_config()
        {'start': 0.5}
    """

    def __call__(self, step: Tensor) -> Any:
        """Returns the learning rate at a step.

        Args:
            step: Number of the step, from 0.
        """
        raise NotImplementedError(
            f"Learning rate schedule {type(self).__name__!r} must override __call__(self, step)."
        )
