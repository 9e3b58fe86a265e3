"""CPU kernels of Hornbill, as foreign functions of XLA.

`register()` makes them known to JAX; `hornbill.ops.native` calls it and decides what they serve. Nothing here has to be
called by hand.
"""

from __future__ import annotations

import ctypes
import functools
from pathlib import Path

import jax

__all__ = ["INTERFACE", "TARGETS", "__version__", "instruction_sets", "isa", "register"]

__version__ = "0.1.0"

INTERFACE = 4
"""Counts the changes of the calls below; Hornbill asks for the one it was written for."""

_TYPED = {
    "hornbill_conv": "HornbillConv",
    "hornbill_conv_bias": "HornbillConvBias",
    "hornbill_conv_input_grad": "HornbillConvInputGrad",
    "hornbill_conv_weight_grad": "HornbillConvWeightGrad",
    "hornbill_max_pool": "HornbillMaxPool",
    "hornbill_max_pool_place": "HornbillMaxPoolPlace",
    "hornbill_max_pool_grad": "HornbillMaxPoolGrad",
}
TARGETS = {
    **_TYPED,
    **{f"{name}_bfloat16": f"{symbol}Half" for name, symbol in _TYPED.items()},
    "hornbill_relu_grad_bfloat16": "HornbillReluGradHalf",
    "hornbill_adam": "HornbillAdam",
    "hornbill_attention": "HornbillAttention",
    "hornbill_attention_grad": "HornbillAttentionGrad",
    "hornbill_depthwise": "HornbillDepthwise",
    "hornbill_depthwise_input_grad": "HornbillDepthwiseInputGrad",
    "hornbill_depthwise_weight_grad": "HornbillDepthwiseWeightGrad",
    "hornbill_gru": "HornbillGru",
    "hornbill_gru_grad": "HornbillGruGrad",
    "hornbill_lstm": "HornbillLstm",
    "hornbill_lstm_grad": "HornbillLstmGrad",
    "hornbill_moments": "HornbillMoments",
    "hornbill_moments_grad": "HornbillMomentsGrad",
}
"""Names of the foreign functions and of their symbols in the library; all are in float32 unless they say bfloat16."""


@functools.cache
def _library() -> ctypes.CDLL:
    library = ctypes.CDLL(str(Path(__file__).parent / "libhornbill_native.so"))
    library.hornbill_native_isa.restype = ctypes.c_char_p
    library.hornbill_native_has.argtypes = [ctypes.c_char_p]
    return library


def isa() -> str:
    """Returns the instruction set in use: amx (avx512 with tiles for bfloat16), avx512, avx2 or baseline."""
    return _library().hornbill_native_isa().decode()


def instruction_sets() -> list[str]:
    """Returns the instruction sets that this build and this processor have, best first."""
    return [
        name
        for name in ("amx", "avx512", "avx2", "baseline")
        if _library().hornbill_native_has(name.encode())
    ]


@functools.cache
def register() -> None:
    """Makes the kernels known to JAX as foreign functions of the platform cpu; does so once."""
    for name, symbol in TARGETS.items():
        handler = jax.ffi.pycapsule(getattr(_library(), symbol))
        jax.ffi.register_ffi_target(name, handler, platform="cpu")
