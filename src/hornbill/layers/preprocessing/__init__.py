"""Preprocessing layers, one module per family."""

from hornbill.layers.preprocessing.category import *
from hornbill.layers.preprocessing.geometry import *
from hornbill.layers.preprocessing.hashing import *
from hornbill.layers.preprocessing.image_random import *
from hornbill.layers.preprocessing.lookup import *
from hornbill.layers.preprocessing.numerical import *
from hornbill.layers.preprocessing.text import *
