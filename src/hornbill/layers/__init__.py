"""The layers, one module per family.

Layers for preparing data, and those that wrap other libraries, are loaded when they are first named.
"""

import importlib
from typing import Any

from hornbill.engine.lazy import missing_name as _missing_name
from hornbill.engine.lazy import star_names as _star_names
from hornbill.layers.activation import *
from hornbill.layers.adaptive_pooling import *
from hornbill.layers.attention import *
from hornbill.layers.batch_normalization import *
from hornbill.layers.conv import *
from hornbill.layers.conv_lstm import *
from hornbill.layers.conv_transpose import *
from hornbill.layers.core import *
from hornbill.layers.dense import *
from hornbill.layers.depthwise import *
from hornbill.layers.dropout import *
from hornbill.layers.einsum_dense import *
from hornbill.layers.embedding import *
from hornbill.layers.global_pooling import *
from hornbill.layers.identifiers import *
from hornbill.layers.input import *
from hornbill.layers.merge import *
from hornbill.layers.normalization import *
from hornbill.layers.padding import *
from hornbill.layers.pooling import *
from hornbill.layers.recurrent import *
from hornbill.layers.reshape import *
from hornbill.layers.rnn_cells import *
from hornbill.layers.upsampling import *
from hornbill.layers.wrappers import *

_LATER = ("hornbill.layers.jax_layer", "hornbill.layers.preprocessing")


def __getattr__(name: str) -> Any:
    if name == "__all__":  # only `from hornbill.layers import *` asks
        modules = [importlib.import_module(module) for module in _LATER]
        own = [
            word
            for module in modules
            for word, value in vars(module).items()
            if isinstance(value, type) and value.__module__.startswith(module.__name__)
        ]
        return _star_names(__name__, own)
    if not name.startswith("_"):
        for module in _LATER:
            found = getattr(importlib.import_module(module), name, None)
            if found is not None:
                return found
        return _missing_name(__name__)(name)
    raise AttributeError(name)
