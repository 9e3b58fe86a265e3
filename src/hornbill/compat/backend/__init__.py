"""Keras 2's backend functions; `hornbill.backend` gives them out."""

from hornbill.compat.backend.table import *
