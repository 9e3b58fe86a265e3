"""Explanations: every number of a model with its arithmetic, from one Record."""

from hornbill.explain.counts import *
from hornbill.explain.plot import *
from hornbill.explain.rows import *
from hornbill.explain.sentences import *
from hornbill.explain.summary import *
from hornbill.explain.text import *
