"""1,797 handwritten digits of 8 x 8 pixels that come with Hornbill, to try things out offline."""

from hornbill.datasets.digits.loading import *
