"""CategoryEncoding: category numbers to rows of ones and counts."""

from __future__ import annotations

from typing import Any

import jax
import jax.core
import numpy as np

from hornbill.engine.errors import ArgumentError, one_of
from hornbill.engine.layer import Layer
from hornbill.engine.op import Tensor
from hornbill.engine.registry import register_public
from hornbill.layers.preprocessing.encoding import MODES, dense_only, encode

__all__ = ["CategoryEncoding"]


class CategoryEncoding(Layer):
    """Turns category numbers into rows with a place for each category.

    Args:
        num_tokens: Number of categories; inputs are 0 to `num_tokens - 1`.
        output_mode: "one_hot" for a row per number, "multi_hot" for one row per sample with ones where a category
            occurs, "count" for how often.
        sparse: Only False.

    Shapes:
        inputs: (batch, n)
        outputs: (batch, n, num_tokens) if output_mode == "one_hot" else (batch, num_tokens); n is left out
            if 1
        Params: 0

    Example:
        >>> CategoryEncoding(4)(np.array([[0, 1], [3, 3]])).tolist()
        [[1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]]
    """

    def __init__(
        self,
        num_tokens: int | None = None,
        output_mode: str = "multi_hot",
        sparse: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.output_mode = one_of("CategoryEncoding", "output_mode", output_mode, MODES)
        dense_only("CategoryEncoding", sparse)
        if not isinstance(num_tokens, int) or num_tokens < 1:
            raise ArgumentError(
                "CategoryEncoding must know the number of categories.",
                got=f"num_tokens={num_tokens!r}.",
                fixes=("CategoryEncoding(num_tokens=10)", "IntegerLookup finds them in data with adapt."),
            )
        self.num_tokens, self.sparse = num_tokens, sparse

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments that make an equal layer, as plain data."""
        config = super().get_config()
        del config["sparse"]
        return config

    def call(self, inputs: Tensor, count_weights: Tensor | None = None) -> Tensor:
        """Encodes."""
        if count_weights is not None and self.output_mode != "count":
            raise ArgumentError(
                f"CategoryEncoding {self.name!r}: count_weights belong to output_mode='count'.",
                got=f"output_mode={self.output_mode!r}.",
            )
        if not isinstance(inputs, jax.core.Tracer):
            host = np.asarray(inputs)
            if host.size and (
                host.min() < 0 or (self.output_mode != "count" and host.max() >= self.num_tokens)
            ):
                raise ArgumentError(
                    f"CategoryEncoding {self.name!r} wants numbers from 0 to {self.num_tokens - 1}.",
                    got=f"numbers from {host.min()} to {host.max()}.",
                    fixes=f"num_tokens={int(host.max()) + 1}" if host.min() >= 0 else (),
                )
        return encode(inputs, self.num_tokens, self.output_mode, count_weights, self.compute_dtype)


register_public("keras.layers", [CategoryEncoding])
