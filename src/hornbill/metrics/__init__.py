"""Metrics: what is reported while training and evaluating. The public names of `keras.metrics`."""

from hornbill.engine.lazy import missing_name as _missing_name
from hornbill.metrics.accuracy import *
from hornbill.metrics.auc import *
from hornbill.metrics.base import *
from hornbill.metrics.confusion import *
from hornbill.metrics.correlation import *
from hornbill.metrics.fscore import *
from hornbill.metrics.hinges import *
from hornbill.metrics.identifiers import *
from hornbill.metrics.iou import *
from hornbill.metrics.mean import *
from hornbill.metrics.probabilistic import *
from hornbill.metrics.regression import *

__getattr__ = _missing_name(__name__)
