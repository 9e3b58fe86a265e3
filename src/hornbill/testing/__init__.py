"""`hornbill.testing`: the contract that every layer keeps, for your own layers too."""

from hornbill.testing.contract import *
