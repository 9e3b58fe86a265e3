"""Transforms: they rewrite a model; layers know nothing of them."""

from hornbill.transforms.remat import *
