"""`keras.ops`: functions of tensors, for arrays, Variables and KerasTensors alike."""

from hornbill.ops import image, linalg, nn, numpy
from hornbill.ops.binary import *
from hornbill.ops.contraction import *
from hornbill.ops.control import *
from hornbill.ops.core import *
from hornbill.ops.creation import *
from hornbill.ops.elementwise import *
from hornbill.ops.fourier import *
from hornbill.ops.image import *
from hornbill.ops.indexing import *
from hornbill.ops.linalg import *
from hornbill.ops.math import *
from hornbill.ops.nn import *
from hornbill.ops.rearranging import *
from hornbill.ops.reduction import *
from hornbill.ops.scattering import *
from hornbill.ops.shaping import *
from hornbill.ops.statistics import *
