"""Do these targets fit these predictions under this loss? Asked before anything is compiled.

`check_target_shapes` looks at shapes only, so the trainer can call it with unknown sizes; `check_labels`
looks at the values of integer labels where they are at hand. Both know the usual mistakes (one-hot labels
under a sparse loss, integer labels under a categorical one, labels without their last axis) and say how to
repair them. Losses that are not Keras' own are never checked.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.core
import numpy as np

from hornbill.engine.errors import ArgumentError, ShapeError
from hornbill.engine.naming import to_snake_case

__all__ = ["canonical_loss_name", "check_labels", "check_target_shapes"]

_SPARSE = ("sparse_categorical_crossentropy", "categorical_generalized_cross_entropy")
_ONE_HOT = ("categorical_crossentropy", "categorical_focal_crossentropy", "categorical_hinge")
_SAME_SHAPE = ("binary_crossentropy", "binary_focal_crossentropy")
_BROADCAST = (
    "mean_squared_error",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_logarithmic_error",
    "huber",
    "log_cosh",
    "cosine_similarity",
    "poisson",
    "kl_divergence",
    "hinge",
    "squared_hinge",
    "dice",
    "tversky",
)
ALIASES = {
    "mse": "mean_squared_error",
    "mae": "mean_absolute_error",
    "mape": "mean_absolute_percentage_error",
    "msle": "mean_squared_logarithmic_error",
    "bce": "binary_crossentropy",
    "kld": "kl_divergence",
    "kullback_leibler_divergence": "kl_divergence",
    "logcosh": "log_cosh",
    "huber_loss": "huber",
    "cosine_proximity": "cosine_similarity",
}
_SPARSE_OF = {"categorical_crossentropy": "sparse_categorical_crossentropy"}

Shape = Sequence[int | None]


def canonical_loss_name(name: str) -> str:
    """Returns the function name of a loss given by any spelling: `MSE`, `mse`, `MeanSquaredError`, ..."""
    if (lower := name.lower()) in ALIASES:
        return ALIASES[lower]
    snake = {"KLDivergence": "kl_divergence"}.get(name, to_snake_case(name))
    return ALIASES.get(snake, snake)


def check_target_shapes(
    loss_name: str,
    y_true_shape: Shape,
    y_pred_shape: Shape,
    axis: int = -1,
    batched: bool = True,
    owner: str | None = None,
) -> None:
    """Raises a ShapeError when targets of one shape cannot be compared with predictions of the other.

    Args:
        loss_name: The loss, under any of its spellings; other names are not checked.
        y_true_shape: Shape of the targets, None for unknown sizes.
        y_pred_shape: Shape of the predictions.
        axis: The class axis of the crossentropies.
        batched: Whether both shapes begin with the batch axis; if not, whatever broadcasts is accepted.
        owner: Who asks, for the message; the loss if None.

    Raises:
        ShapeError: With the axis that differs and the likeliest repair.
    """
    name = canonical_loss_name(loss_name)
    label = owner or f"Loss '{name}'"
    y_true, y_pred = tuple(y_true_shape), tuple(y_pred_shape)
    if not y_pred:
        return
    if name in _SPARSE:
        _check_sparse(name, label, y_true, y_pred, axis)
    elif name in _ONE_HOT:
        _check_one_hot(name, label, y_true, y_pred, axis)
    elif name in _SAME_SHAPE or name in _BROADCAST:
        _check_elementwise(name, label, y_true, y_pred, batched)


def _check_sparse(name: str, label: str, y_true: tuple, y_pred: tuple, axis: int) -> None:
    axis = axis % len(y_pred) if -len(y_pred) <= axis < len(y_pred) else len(y_pred) - 1
    classes = y_pred[axis]
    positions = y_pred[:axis] + y_pred[axis + 1 :]
    labels = y_true
    if len(y_true) == len(y_pred):
        if y_true[axis] == 1:
            labels = y_true[:axis] + y_true[axis + 1 :]
        elif y_true[-1] == 1:
            labels = y_true[:-1]
        elif y_true[axis] is None:
            return
        else:
            one_hot = y_true[axis] == classes
            dense = "CategoricalCrossentropy()" if name == _SPARSE[0] else "labels as integers"
            _fail(
                label,
                y_true,
                y_pred,
                why=f"This loss wants one integer label per position, shape {_show(positions)}; "
                + (
                    f"the targets look one-hot, with {classes} values per position."
                    if one_hot
                    else f"the targets have {y_true[axis]} values per position."
                ),
                fixes=(
                    f"Use {dense} for one-hot targets.",
                    f"Turn them into integers: y.argmax(axis={axis}).",
                ),
            )
    if len(labels) != len(positions):
        _fail(
            label,
            y_true,
            y_pred,
            why=f"One integer label per position means shape {_show(positions)}.",
            fixes=_rank_fixes(labels, positions, classes),
        )
    _compare(label, y_true, y_pred, labels, positions, broadcast=False)


def _rank_fixes(labels: tuple, positions: tuple, classes: int | None) -> tuple[str, ...]:
    if len(labels) < len(positions):
        return (
            "End the model with GlobalAveragePooling2D() or Flatten() before the last Dense layer.",
            "Or give one label per position.",
        )
    return (
        f"Let the model predict {classes} classes at each of the labels' positions.",
        f"Give labels of shape {_show(positions)}.",
    )


def _check_one_hot(name: str, label: str, y_true: tuple, y_pred: tuple, axis: int) -> None:
    if not -len(y_pred) <= axis < len(y_pred):
        return
    axis %= len(y_pred)
    classes = y_pred[axis]
    sparse = _SPARSE_OF.get(name)
    integers = (
        *((f"Use loss='{sparse}' for integer labels.",) if sparse else ()),
        f"Make them one-hot: keras.utils.to_categorical(y, {classes}).",
    )
    if len(y_true) == len(y_pred) - 1 and (classes != 1):
        _fail(
            label, y_true, y_pred, "The targets have no class axis; they look like integer labels.", integers
        )
    if len(y_true) != len(y_pred):
        if {len(y_true), len(y_pred)} == {len(y_true), len(y_true) + 1} and classes == 1:
            return
        if len(y_true) == len(y_pred) + 1 and y_true[-1] == 1:
            return
        _fail(
            label,
            y_true,
            y_pred,
            f"The targets have {len(y_true)} axes, the predictions {len(y_pred)}.",
            integers,
        )
    if y_true[axis] == 1 and classes not in (1, None):
        _fail(
            label,
            y_true,
            y_pred,
            "The class axis of the targets has size 1: these are integer labels.",
            integers,
        )
    if y_true[axis] is not None and classes is not None and y_true[axis] != classes:
        _fail(
            label,
            y_true,
            y_pred,
            why=f"The targets have {y_true[axis]} classes, the model predicts {classes}.",
            fixes=(
                f"Give the last layer {y_true[axis]} units.",
                f"Make the targets with keras.utils.to_categorical(y, {classes}).",
            ),
        )
    _compare(label, y_true, y_pred, y_true, y_pred, broadcast=name == "categorical_hinge")


def _check_elementwise(name: str, label: str, y_true: tuple, y_pred: tuple, batched: bool) -> None:
    broadcast = name in _BROADCAST
    if len(y_true) == len(y_pred) + 1 and y_true[-1] == 1:
        y_true_fit, y_pred_fit = y_true[:-1], y_pred
    elif len(y_pred) == len(y_true) + 1 and y_pred[-1] == 1:
        y_true_fit, y_pred_fit = y_true, y_pred[:-1]
    else:
        y_true_fit, y_pred_fit = y_true, y_pred
    if len(y_true_fit) == len(y_pred_fit):
        _compare(label, y_true, y_pred, y_true_fit, y_pred_fit, broadcast)
        return
    if broadcast and (not batched or not y_true_fit):
        rank = min(len(y_true_fit), len(y_pred_fit))
        aligned = zip(y_true_fit[len(y_true_fit) - rank :], y_pred_fit[len(y_pred_fit) - rank :], strict=True)
        if all(a == b or None in (a, b) or 1 in (a, b) for a, b in aligned):
            return
    _fail(
        label,
        y_true,
        y_pred,
        why=f"Values are compared one by one, but the targets have {len(y_true)} axes and the predictions "
        f"{len(y_pred)}.",
        fixes=_elementwise_fixes(name, y_true, y_pred),
    )


def _elementwise_fixes(name: str, y_true: tuple, y_pred: tuple) -> tuple[str, ...]:
    if len(y_true) == len(y_pred) - 1:
        size = y_pred[-1]
        fixes = (f"Give the last layer 1 unit instead of {size}, if there is one value per sample.",)
        if name in ("binary_crossentropy", "binary_focal_crossentropy", "hinge", "mean_squared_error"):
            fixes += (
                f"Integer labels of {size} classes: loss='sparse_categorical_crossentropy' with a softmax.",
            )
        if len(y_pred) > 2:
            fixes += ("LSTM, GRU: return_sequences=False gives one vector per sample.",)
        return fixes
    if len(y_true) < len(y_pred):
        return ("End the model with Flatten() or GlobalAveragePooling2D() before the last Dense layer.",)
    return (f"Reshape the targets to {_show(y_pred)}.",)


def _compare(label: str, y_true: tuple, y_pred: tuple, left: tuple, right: tuple, broadcast: bool) -> None:
    for axis, (size1, size2) in enumerate(zip(left, right, strict=True)):
        if size1 is None or size2 is None or size1 == size2 or (broadcast and 1 in (size1, size2)):
            continue
        fixes: tuple[str, ...] = (f"Give the targets shape {_show(right)}.",)
        if axis == 0:
            fixes = ("Give as many targets as inputs.",)
        elif axis == len(right) - 1 and len(right) == len(y_pred):
            fixes = (
                f"Give the last layer {size1} units.",
                f"Give the targets {size2} values in the last axis.",
            )
        elif len(y_pred) >= 3:
            fixes = (
                "Use padding='same', or Resizing / crop the targets to the size of the output.",
                "See where the size changes: model.summary().",
            )
        _fail(
            label,
            y_true,
            y_pred,
            why=f"Axis {axis} ({_axis_name(axis, y_pred)}) differs: {size1} in the targets, {size2} in the "
            "predictions.",
            fixes=fixes,
        )


def _axis_name(axis: int, y_pred: tuple) -> str:
    names = {
        2: ("batch", "features"),
        3: ("batch", "steps", "features"),
        4: ("batch", "height", "width", "channels"),
        5: ("batch", "depth", "height", "width", "channels"),
    }.get(len(y_pred), ())
    return names[axis] if axis < len(names) else ("batch" if axis == 0 else f"position {axis}")


def _show(shape: tuple) -> str:
    return str(tuple(shape))


def _fail(label: str, y_true: tuple, y_pred: tuple, why: str, fixes: Sequence[str]) -> None:
    raise ShapeError(
        f"{label}: the targets do not fit the model's output.",
        got=f"y_true {_show(y_true)}, y_pred {_show(y_pred)}.",
        why=why,
        fixes=fixes,
    )


def check_labels(
    loss_name: str, y_true: Any, y_pred_shape: Shape, axis: int = -1, ignore_class: int | None = None
) -> None:
    """Raises an ArgumentError when integer labels lie outside [0, classes); traced labels are not checked.

    Args:
        loss_name: The loss; only those with integer labels are checked.
        y_true: The labels, an array.
        y_pred_shape: Shape of the predictions.
        axis: The class axis.
        ignore_class: A label that is allowed in any case.
    """
    if canonical_loss_name(loss_name) not in _SPARSE or not -len(y_pred_shape) <= axis < len(y_pred_shape):
        return
    concrete = isinstance(y_true, np.ndarray) or (
        isinstance(y_true, jax.Array)
        and not isinstance(y_true, jax.core.Tracer)
        and y_true.is_fully_addressable
    )
    classes = y_pred_shape[axis]
    if not concrete or classes is None:
        return
    labels = np.asarray(y_true)
    if ignore_class is not None:
        labels = labels[labels != ignore_class]
    if labels.size == 0:
        return
    if labels.dtype.kind == "f" and not np.all(labels == np.round(labels)):
        raise ArgumentError(
            f"Loss '{loss_name}' wants whole numbers as labels, 0 ... {classes - 1}.",
            got=f"values such as {float(labels[labels != np.round(labels)].flat[0]):g}.",
            fixes=("For values that are measured: loss='mean_squared_error' and Dense(1).",
                   "For labels: y.astype('int32')."),
        )  # fmt: skip
    low, high = float(labels.min()), float(labels.max())
    if low >= 0 and high < classes:
        return
    if low >= 1 and high == classes:
        fixes: tuple[str, ...] = ("The labels seem to start at 1: use y - 1.",)
    elif low == -1 or high == 255:
        outlier = -1 if low == -1 else 255
        fixes = (f"If {outlier} means 'no label': SparseCategoricalCrossentropy(ignore_class={outlier}).",)
    else:
        fixes = (f"Give the last layer {int(high) + 1} units.", "Number the classes 0, 1, 2, ...")
    raise ArgumentError(
        f"Loss '{loss_name}': the model predicts {classes} classes; labels must lie in 0 ... {classes - 1}.",
        got=f"labels from {low:g} to {high:g}.",
        fixes=fixes,
    )
