"""Callbacks: code that runs at chosen moments of fit, evaluate and predict."""

from hornbill.callbacks.backup import *
from hornbill.callbacks.callback import *
from hornbill.callbacks.callback_list import *
from hornbill.callbacks.checkpoint import *
from hornbill.callbacks.csv_logger import *
from hornbill.callbacks.early_stopping import *
from hornbill.callbacks.history import *
from hornbill.callbacks.lambda_callback import *
from hornbill.callbacks.learning_rate import *
from hornbill.callbacks.monitor import *
from hornbill.callbacks.orbax import *
from hornbill.callbacks.progbar_logger import *
from hornbill.callbacks.remote_monitor import *
from hornbill.callbacks.swap_ema import *
from hornbill.callbacks.tensorboard import *
from hornbill.callbacks.terminate_on_nan import *
from hornbill.engine.lazy import missing_name as _missing_name

__getattr__ = _missing_name(__name__)
