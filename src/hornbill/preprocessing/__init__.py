"""The older place for readers of pictures, sequences and folders; they live in `hornbill.utils`."""

from hornbill.preprocessing import image, sequence
from hornbill.preprocessing.folders import *
