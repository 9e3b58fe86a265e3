"""Models: `Model`, `Sequential`, `Functional` and what copies and loads them."""

from hornbill.models.clone import *
from hornbill.models.functional import *
from hornbill.models.model import *
from hornbill.models.sequential import *
