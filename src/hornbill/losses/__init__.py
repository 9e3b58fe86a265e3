"""Losses: what training makes small. The public names of `keras.losses`."""

from hornbill.engine.lazy import missing_name as _missing_name
from hornbill.losses.base import *
from hornbill.losses.crossentropy import *
from hornbill.losses.embedding import *
from hornbill.losses.focal import *
from hornbill.losses.hinges import *
from hornbill.losses.identifiers import *
from hornbill.losses.probabilistic import *
from hornbill.losses.regression import *
from hornbill.losses.segmentation import *
from hornbill.losses.sequence import *

__getattr__ = _missing_name(__name__)
