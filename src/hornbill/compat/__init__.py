"""Old spellings and the import alias: scripts written for Keras 1, 2 and 3 run as they are."""

from hornbill.compat.alias import *
