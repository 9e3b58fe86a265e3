"""Optimizers: `keras.optimizers`, with schedules, the old names, and any optax transformation."""

from hornbill.engine.lazy import missing_name as _missing_name
from hornbill.optimizers import legacy, schedules
from hornbill.optimizers.adafactor import *
from hornbill.optimizers.adagrad import *
from hornbill.optimizers.adam import *
from hornbill.optimizers.base import *
from hornbill.optimizers.ftrl import *
from hornbill.optimizers.lamb import *
from hornbill.optimizers.lion import *
from hornbill.optimizers.lookup import *
from hornbill.optimizers.loss_scale import *
from hornbill.optimizers.multi_optimizer import *
from hornbill.optimizers.muon import *
from hornbill.optimizers.optax_adapter import *
from hornbill.optimizers.rmsprop import *
from hornbill.optimizers.schedule_free import *
from hornbill.optimizers.sgd import *

__getattr__ = _missing_name(__name__)
