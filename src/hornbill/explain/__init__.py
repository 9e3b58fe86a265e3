"""Explanations: every number of a model with its arithmetic, from one Record."""

from hornbill.explain.counts import *
from hornbill.explain.document import *
from hornbill.explain.explanation import *
from hornbill.explain.languages import *
from hornbill.explain.plot import *
from hornbill.explain.rows import *
from hornbill.explain.sentences import *
from hornbill.explain.summary import *
