"""Losses on embeddings: Circle loss.

Pairs of samples are compared, so that equal labels come to lie together and others apart.
"""

from __future__ import annotations

from typing import Any

from hornbill import ops
from hornbill.engine.masking import set_mask
from hornbill.losses.base import FunctionLoss

__all__ = ["Circle", "circle"]


def circle(
    y_true: Any,
    y_pred: Any,
    ref_labels: Any = None,
    ref_embeddings: Any = None,
    remove_diagonal: bool = True,
    gamma: float = 80,
    margin: float = 0.4,
) -> Any:
    """Circle loss (Sun et al., 2020): pulls equal labels together, pushes others apart.

    With the cosine distance `d` of a pair, `log(1 + sum_p exp(gamma * (m + d)+ * (d - m)) * sum_n exp(gamma *
    (1 + m - d)+ * (1 - m - d)))` over the partners with the same label (p) and another label (n).

    Args:
        y_true: Integer labels.
        y_pred: Embeddings of length 1.
        ref_labels: Labels of the embeddings to compare with; `y_true` if None.
        ref_embeddings: Embeddings to compare with; `y_pred` if None.
        remove_diagonal: Whether a sample is no partner of itself.
        gamma: Scale of the similarities.
        margin: The relaxation `m`.

    Returns:
        One value per sample; 0, and masked, where it has no partner with the same label.

    Shapes:
        y_true: (batch,)
        y_pred: (batch, features)
        output: (batch,)
    """
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = ops.reshape(ops.cast(ops.convert_to_tensor(y_true), "int32"), (-1, 1))
    ref_labels = (
        y_true
        if ref_labels is None
        else ops.reshape(ops.cast(ops.convert_to_tensor(ref_labels), "int32"), (-1, 1))
    )
    ref_embeddings = (
        y_pred if ref_embeddings is None else ops.convert_to_tensor(ref_embeddings, dtype=y_pred.dtype)
    )
    same = ops.equal(y_true, ops.transpose(ref_labels))  # (batch, references)
    other = ops.logical_not(same)
    if remove_diagonal:
        rows = ops.expand_dims(ops.arange(y_true.shape[0]), 1)
        columns = ops.expand_dims(ops.arange(ref_labels.shape[0]), 0)
        same = ops.logical_and(same, ops.not_equal(rows, columns))
    distance = ops.subtract(1.0, ops.matmul(y_pred, ops.transpose(ref_embeddings)))
    near = ops.multiply(ops.relu(ops.add(distance, margin)), ops.subtract(distance, margin))
    far = ops.multiply(ops.relu(ops.subtract(1.0 + margin, distance)), ops.subtract(1.0 - margin, distance))
    has_partner = ops.any(same, axis=1)
    total = ops.add(_masked_logsumexp(near, same, gamma), _masked_logsumexp(far, other, gamma))
    loss = ops.where(has_partner, ops.softplus(total), 0.0)
    set_mask(loss, has_partner)
    return loss


def _masked_logsumexp(values: Any, mask: Any, gamma: float) -> Any:
    # a large negative number instead of -inf keeps gradients free of nan in rows that have nothing
    return ops.logsumexp(ops.where(mask, ops.multiply(values, gamma), -1e9), axis=1)


class Circle(FunctionLoss):
    """Circle loss between integer labels and embeddings of length 1.

    Args:
        gamma: Scale of the similarities.
        margin: The relaxation.
        remove_diagonal: Whether a sample is no partner of itself.
        reduction: How the values per sample become one number; see `Loss`.
        name: Name of the loss.
        dtype: Dtype of the computation.
    """

    def __init__(
        self,
        gamma: float = 80.0,
        margin: float = 0.4,
        remove_diagonal: bool = True,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "circle",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            circle,
            reduction=reduction,
            name=name,
            dtype=dtype,
            gamma=gamma,
            margin=margin,
            remove_diagonal=remove_diagonal,
        )
