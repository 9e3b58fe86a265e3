"""Writing a model's inference as a program for use without Hornbill: StableHLO, by `jax.export`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jax
import jax.export
import numpy as np

from hornbill.engine.errors import ArgumentError, NotBuiltError, did_you_mean
from hornbill.engine.symbolic import leaves_of, map_leaves
from hornbill.ops import native
from hornbill.saving.atomic import atomic_path

__all__ = ["export_model"]


def export_model(
    model: Any, filepath: Any, format: str = "stablehlo", verbose: bool | None = None, platforms: Any = None
) -> None:
    """Writes `model(x, training=False)` with its weights as a serialised StableHLO program.

    Read it with `jax.export.deserialize(bytearray(Path(filepath).read_bytes())).call(x)`.

    Args:
        model: A built functional or sequential model.
        filepath: File to write.
        format: "stablehlo"; other formats are refused.
        verbose: Whether to say what was written.
        platforms: Platforms to compile for, such as ["cpu", "cuda"]; the present one if None.

    Raises:
        ArgumentError: If the format is unknown.
        NotBuiltError: If the model does not know its input shape.
    """
    if format != "stablehlo":
        hint = did_you_mean(format, ["stablehlo"])
        raise ArgumentError(
            f"export writes format 'stablehlo' only.{hint}",
            got=f"format={format!r}.",
            why="TensorFlow's and ONNX' formats need their libraries.",
            fixes="model.export('model.stablehlo')",
        )
    if not model.built or not hasattr(model, "inputs"):
        raise NotBuiltError(
            f"Model {model.name!r} has no input shape to export for.", fixes="Model(inputs, outputs)"
        )
    scope = jax.export.SymbolicScope()
    counter = iter(range(100))

    def spec(tensor: Any) -> jax.ShapeDtypeStruct:
        names = ["b" if axis == 0 else f"n{next(counter)}" for axis in range(tensor.ndim)]
        text = ", ".join(
            n if size is None else str(size) for n, size in zip(names, tensor.shape, strict=True)
        )
        return jax.ShapeDtypeStruct(jax.export.symbolic_shape(text, scope=scope), tensor.dtype)

    specs = map_leaves(spec, model.input)

    def infer(x: Any) -> Any:
        outputs = model(x, training=False)
        model._clear_losses()
        return outputs

    with native.without():  # a program for elsewhere, where the kernels are not
        exported = jax.export.export(jax.jit(infer), platforms=platforms)(specs)
    with atomic_path(Path(filepath)) as temporary:
        temporary.write_bytes(bytes(exported.serialize()))
    if verbose:
        size = sum(int(np.prod(v.shape)) for v in model.weights)
        print(
            f"Wrote {filepath}: inference of {model.name!r} with {size:,} weights, {len(leaves_of(specs))} input(s)."
        )
