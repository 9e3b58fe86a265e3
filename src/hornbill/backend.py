"""`keras.backend`: Keras 3's few functions and all of Keras 2's, which warn once and say what to write.

The old functions work on arrays, Variables and KerasTensors, also inside compiled code. They stand in one
table, `hornbill.compat.backend`.
"""

from __future__ import annotations

from typing import Any

from hornbill.compat.backend.table import TABLE, old_function
from hornbill.engine.dtype import is_float_dtype, is_int_dtype, result_type, standardize_dtype
from hornbill.engine.errors import MissingNameError, did_you_mean
from hornbill.engine.naming import get_uid
from hornbill.engine.settings import (
    backend,
    epsilon,
    floatx,
    image_data_format,
    set_epsilon,
    set_floatx,
    set_image_data_format,
)
from hornbill.engine.symbolic import is_keras_tensor
from hornbill.utils.engine_names import clear_session

__all__ = [
    "backend", "clear_session", "epsilon", "floatx", "get_uid", "image_data_format", "is_float_dtype",
    "is_int_dtype",
    "is_keras_tensor", "result_type", "set_epsilon", "set_floatx", "set_image_data_format",
    "standardize_dtype",
]  # fmt: skip

_old: dict[str, Any] = {}


def __getattr__(name: str) -> Any:
    if name in TABLE:
        if name not in _old:
            _old[name] = old_function(name)
        return _old[name]
    raise MissingNameError(
        f"keras.backend has no {name!r}.{did_you_mean(name, [*__all__, *TABLE])}",
        fixes="keras.ops has the functions of tensors.",
    )


def __dir__() -> list[str]:
    return sorted([*__all__, *TABLE])
