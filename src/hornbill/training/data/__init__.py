"""Data for fit, evaluate and predict: whatever the user has, turned into `Batches`.

`batches` holds the interface, `convert` the step from user objects to arrays, `arrays` data that lies in
memory, `streams` and `sources` what comes batch by batch, `prefetch` the background
reader, `weights` class weights, `make` the one entrance.

Not for: downloading or decoding files (`hornbill.datasets`, `hornbill.utils`).
"""

from hornbill.training.data.arrays import *
from hornbill.training.data.batches import *
from hornbill.training.data.convert import *
from hornbill.training.data.make import *
from hornbill.training.data.prefetch import *
from hornbill.training.data.sources import *
from hornbill.training.data.streams import *
from hornbill.training.data.weights import *
