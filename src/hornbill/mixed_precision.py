"""Mixed precision under its old names: `keras.mixed_precision`."""

from hornbill.engine.dtype import DTypePolicy, dtype_policy, set_dtype_policy
from hornbill.optimizers import LossScaleOptimizer

__all__ = [
    "DTypePolicy", "LossScaleOptimizer", "Policy", "dtype_policy", "global_policy", "set_dtype_policy",
    "set_global_policy",
]  # fmt: skip

Policy = DTypePolicy
global_policy = dtype_policy
set_global_policy = set_dtype_policy
