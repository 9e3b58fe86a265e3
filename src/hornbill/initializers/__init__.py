"""First values of weights: constants, random draws and matrices, all made on the host with NumPy."""

from hornbill.engine.lazy import missing_name as _missing_name
from hornbill.initializers.base import *
from hornbill.initializers.draws import *
from hornbill.initializers.fixed import *
from hornbill.initializers.lookup import *

__getattr__ = _missing_name(__name__)
