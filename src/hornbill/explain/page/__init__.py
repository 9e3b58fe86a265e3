"""The page: a model as one HTML file that opens from disk with no network, and explains every number."""

from hornbill.explain.page.write import *
