"""Saving and loading of models and weights: `keras.saving`."""

from hornbill.saving.api import *
from hornbill.saving.file_editor import *
from hornbill.saving.objects import *
