"""The public submodule `keras.ops.numpy`: the ops that carry NumPy's names.

Nothing is defined here.
"""

from hornbill.ops.binary import *  # noqa: F403
from hornbill.ops.contraction import *  # noqa: F403
from hornbill.ops.creation import *  # noqa: F403
from hornbill.ops.elementwise import *  # noqa: F403
from hornbill.ops.indexing import *  # noqa: F403
from hornbill.ops.reduction import *  # noqa: F403
from hornbill.ops.shaping import *  # noqa: F403
from hornbill.ops.statistics import *  # noqa: F403
