"""Pictures of what a network has learnt and sees, and of data: kernels, feature maps, training curves, heat maps.

The functions that are not in Keras return matplotlib figures and arrays. They need matplotlib: `hornbill[plot]`.
"""

from hornbill.visualization.feature_maps import *
from hornbill.visualization.galleries import *
from hornbill.visualization.grad_cam import *
from hornbill.visualization.history import *
from hornbill.visualization.kernels import *
from hornbill.visualization.occlusion import *
from hornbill.visualization.overlays import *
