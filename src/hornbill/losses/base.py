"""The base class of losses, and how per-sample losses become one number.

A loss is `call(y_true, y_pred)`, which returns one value per sample (or per position). The base class
converts the inputs, applies sample weights and masks, and reduces. The formulas themselves stand in the
modules beside this one; the arithmetic of weights and masks in `reduction.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hornbill import ops, tree
from hornbill.engine.config import Configurable
from hornbill.engine.dtype import get_policy
from hornbill.engine.errors import ArgumentError, ArgumentTypeError, StateError
from hornbill.engine.masking import get_mask
from hornbill.engine.naming import auto_name
from hornbill.engine.serialization import public_object, serialize_keras_object
from hornbill.engine.settings import floatx
from hornbill.losses.checks import check_target_shapes
from hornbill.losses.reduction import (
    reduce_weighted_values,
    squeeze_or_expand_to_same_rank,
    standardize_reduction,
)

__all__ = ["Loss"]


class Loss(Configurable):
    """Base class of losses: subclass it and write `call(y_true, y_pred)`.

    Args:
        name: Name of the loss; automatic if None.
        reduction: How the values become one number. `"sum_over_batch_size"` and `"mean"` divide the sum by
            the number of values, `"mean_with_sample_weight"` divides it by the sum of the weights, `"sum"`
            does not divide, `"none"` and None return the values as they are. Keras 2's `"auto"` is
            `"sum_over_batch_size"`.
        dtype: Dtype of the computation, or a dtype policy, whose compute dtype is taken. None means the float
            type.

    Shapes:
        y_true: (batch, ...)
        y_pred: (batch, ...)
        output: ()

    Example:
        >>> class Squared(Loss):
        ...     def call(self, y_true, y_pred):
        ...         return ops.mean(ops.square(y_true - y_pred), axis=-1)
        >>> float(Squared()(np.array([[0.0, 2.0]]), np.zeros((1, 2))))
        2.0
    """

    def __init__(
        self, name: str | None = None, reduction: str | None = "sum_over_batch_size", dtype: Any = None
    ) -> None:
        self.name = name or auto_name(type(self).__name__)
        self.reduction = standardize_reduction(reduction)
        self._given_dtype = dtype
        self._dtype_policy = get_policy(floatx() if dtype is None else dtype)
        self._dtype = self._dtype_policy.compute_dtype

    @property
    def dtype(self) -> str:
        """The dtype of the computation."""
        return self._dtype

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Computes the loss.

        Args:
            y_true: The targets, a tensor or a structure of tensors.
            y_pred: The predictions, in the same form. A mask that travels with them is applied.
            sample_weight: None, a number, or a tensor that fits the values that `call` returns.

        Returns:
            One number, or the weighted values when the reduction is None.
        """
        mask = get_mask(y_pred)
        y_pred = tree.map_structure(self._convert, y_pred)
        y_true = tree.map_structure(self._convert, y_true)
        values = self.call(y_true, y_pred)
        if values is None:
            raise ArgumentTypeError(
                f"Loss {self.name!r} returned nothing.",
                got="None.",
                why="A loss gives one number, or one per sample.",
                fixes="return ops.mean(ops.square(y_true - y_pred), axis=-1), at the end of the function",
            )
        value_mask = get_mask(values)
        if mask is None:
            mask = value_mask
        elif value_mask is not None:
            mask = ops.logical_and(mask, value_mask)
        return reduce_weighted_values(
            values,
            sample_weight=sample_weight,
            mask=mask,
            reduction=self.reduction,
            dtype=self.dtype,
            owner=self.name,
        )

    def _convert(self, x: Any) -> Any:
        return ops.convert_to_tensor(x, dtype=self.dtype)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Returns one loss value per sample; every subclass writes it.

        Args:
            y_true: The targets.
            y_pred: The predictions.
        """
        raise StateError(
            f"{type(self).__name__} has no call(y_true, y_pred).",
            why="A Loss is defined by its call method.",
            fixes="def call(self, y_true, y_pred): return ops.mean(ops.square(y_true - y_pred), axis=-1)",
        )

    def get_config(self) -> dict[str, Any]:
        """Returns the name, the reduction, and the dtype if one was given."""
        config: dict[str, Any] = {"name": self.name, "reduction": self.reduction}
        if self._given_dtype is not None:
            config["dtype"] = self._dtype
        return config


class FunctionLoss(Loss):
    """A loss made from a function `fn(y_true, y_pred, **kwargs)`; the base of all built-in losses.

    Args:
        fn: The function; it returns one value per sample.
        reduction: As for `Loss`.
        name: Name of the loss; that of the class if None.
        dtype: As for `Loss`.
        **kwargs: Passed on to `fn`, and kept in the configuration.
    """

    # arguments that Keras leaves out of the configuration: written only when they differ from the default, so
    # that nothing is lost on reload and default configurations are equal
    _optional_config: dict[str, Any] = {}  # noqa: RUF012

    def __init__(
        self,
        fn: Callable[..., Any],
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.fn = fn
        self._fn_kwargs = kwargs
        if type(self) is not FunctionLoss:
            for key, value in kwargs.items():
                setattr(self, key, value)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Returns the function's values, after the last axes of size 1 have been made to agree."""
        if isinstance(y_pred, dict) or isinstance(y_true, dict):
            raise ArgumentError(
                f"Loss {self.name!r} compares one tensor with one tensor.",
                got=f"y_true {type(y_true).__name__}, y_pred {type(y_pred).__name__}.",
                fixes="compile(loss={'output name': loss, ...}) gives each output its own loss.",
            )
        if tree.is_nested(y_true) or tree.is_nested(y_pred):
            pairs = [
                squeeze_or_expand_to_same_rank(target, prediction)
                for target, prediction in zip(tree.flatten(y_true), tree.flatten(y_pred), strict=True)
            ]
            y_true, y_pred = (ops.stack([pair[side] for pair in pairs]) for side in (0, 1))
            return self.fn(y_true, y_pred, **self._fn_kwargs)
        name = getattr(self.fn, "__name__", "")
        axis = self._fn_kwargs.get("axis")
        axis = axis if isinstance(axis, int) else -1
        check_target_shapes(name, y_true.shape, y_pred.shape, axis=axis)
        y_true, y_pred = squeeze_or_expand_to_same_rank(y_true, y_pred)
        return self.fn(y_true, y_pred, **self._fn_kwargs)

    def get_config(self) -> dict[str, Any]:
        """Returns the configuration of `Loss` and the function's arguments."""
        config = super().get_config()
        dtype = {"dtype": config.pop("dtype")} if "dtype" in config else {}
        if type(self) is FunctionLoss:
            config["fn"] = serialize_function(self.fn)
        for key, value in self._fn_kwargs.items():
            if key in self._optional_config and value == self._optional_config[key]:
                continue
            config[key] = value
        return {**config, **dtype}

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"


def serialize_function(fn: Any) -> Any:
    """Returns a function as plain data, public ones in the form that Keras writes."""
    data = serialize_keras_object(fn)
    if isinstance(data, dict) and data.get("class_name") == "function" and public_object(fn.__name__) is fn:
        return {
            "module": "builtins",
            "class_name": "function",
            "config": fn.__name__,
            "registered_name": "function",
        }
    return data
