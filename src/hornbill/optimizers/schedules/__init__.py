"""Learning-rate schedules: `keras.optimizers.schedules`."""

from hornbill.optimizers.schedules.base import *
from hornbill.optimizers.schedules.decays import *
from hornbill.optimizers.schedules.lookup import *
