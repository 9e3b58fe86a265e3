"""Losses on sequences: connectionist temporal classification (CTC).

Label 0 is the blank, and padding at the end of a label sequence.
"""

from __future__ import annotations

from typing import Any

from hornbill import ops
from hornbill.engine.errors import ShapeError
from hornbill.losses.base import FunctionLoss

__all__ = ["CTC", "ctc"]


def ctc(y_true: Any, y_pred: Any) -> Any:
    """CTC loss: minus the logarithm of the summed probability of all alignments of labels and time steps.

    Args:
        y_true: Integer labels; 0 is padding and must not be a class.
        y_pred: Logits for each time step; class 0 is the blank.

    Returns:
        One value per sequence.

    Shapes:
        y_true: (batch, labels)
        y_pred: (batch, steps, classes)
        output: (batch,)
    """
    y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
    if len(y_true.shape) != 2 or len(y_pred.shape) != 3:
        raise ShapeError(
            "Loss 'ctc' wants y_true (batch, labels) and y_pred (batch, steps, classes).",
            got=f"y_true {tuple(y_true.shape)}, y_pred {tuple(y_pred.shape)}.",
        )
    y_true = ops.cast(y_true, "int32")
    label_lengths = ops.sum(ops.cast(ops.not_equal(y_true, 0), "int32"), axis=-1)
    step_counts = ops.multiply(ops.ones_like(label_lengths), y_pred.shape[1])
    return ops.ctc_loss(y_true, y_pred, label_lengths, step_counts, mask_index=0)


class CTC(FunctionLoss):
    """CTC loss between label sequences and logits for each time step.

    Args:
        reduction: How the values per sequence become one number; see `Loss`.
        name: Name of the loss.
        dtype: Dtype of the computation.
    """

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = "ctc", dtype: Any = None
    ) -> None:
        super().__init__(ctc, reduction=reduction, name=name, dtype=dtype)
