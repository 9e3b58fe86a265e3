"""Process-wide settings: `keras.config`."""

from hornbill.engine.dtype import dtype_policy, set_dtype_policy
from hornbill.engine.settings import *
from hornbill.engine.settings import __all__ as _settings

__all__ = [*_settings, "dtype_policy", "set_dtype_policy"]
__all__.remove("standardize_data_format")
