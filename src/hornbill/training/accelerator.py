"""What training does differently on a GPU or a TPU, where starting a kernel costs more than many kernels' work."""

from __future__ import annotations

import functools
import os
from typing import Any

import jax

__all__ = ["compiler_options", "on_accelerator"]

_RECORDED = (
    "FUSION", "CUBLAS", "CUBLASLT", "CUDNN", "CUSTOM_CALL", "CONDITIONAL", "WHILE", "DYNAMIC_SLICE_FUSION",
    "CONVOLUTION",
)  # fmt: skip
_OPTIONS = {"xla_gpu_enable_command_buffer": ",".join(_RECORDED), "xla_gpu_graph_min_graph_size": 1}


def on_accelerator() -> bool:
    """Returns whether programs run on something other than a CPU."""
    return jax.default_backend() != "cpu"


@functools.cache
def compiler_options() -> dict[str, Any] | None:
    """Returns what lets XLA record a step's kernels as CUDA graphs: convolutions and whole loops too.

    None where programs do not run on a GPU, where this version of XLA does not know these options, and where
    `XLA_FLAGS` already say what is recorded.
    """
    if jax.default_backend() != "gpu" or "command_buffer" in os.environ.get("XLA_FLAGS", ""):
        return None
    try:
        jax.jit(lambda x: x + 1, compiler_options=_OPTIONS).lower(0.0).compile()
    except jax.errors.JaxRuntimeError:  # an option that this version does not know
        return None
    return _OPTIONS
