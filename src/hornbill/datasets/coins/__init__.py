"""24 coins on a photograph of 303 x 384 pixels, with a mask of them, to try out segmentation offline."""

from hornbill.datasets.coins.loading import *
