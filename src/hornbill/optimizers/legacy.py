"""Keras 2's `keras.optimizers.legacy`: the same rules under the old module, with `lr=` and `decay=`.

Keras 3 refuses these names; here they work, since the formulas are those of the present optimizers.
Not here: the TensorFlow hooks of old subclasses (`_resource_apply_dense`, `_set_hyper`).
"""

from __future__ import annotations

from hornbill.engine.registry import register_public
from hornbill.optimizers import adagrad, adam, base, ftrl, rmsprop, sgd

__all__ = ["SGD", "Adadelta", "Adagrad", "Adam", "Adamax", "Ftrl", "Nadam", "Optimizer", "RMSprop"]


class Optimizer(base.Optimizer):
    """Base of the old optimizers, for `isinstance`."""


class Adadelta(adagrad.Adadelta, Optimizer):
    """`keras.optimizers.Adadelta` under its old name."""


class Adagrad(adagrad.Adagrad, Optimizer):
    """`keras.optimizers.Adagrad` under its old name."""


class Adam(adam.Adam, Optimizer):
    """`keras.optimizers.Adam` under its old name."""


class Adamax(adam.Adamax, Optimizer):
    """`keras.optimizers.Adamax` under its old name."""


class Ftrl(ftrl.Ftrl, Optimizer):
    """`keras.optimizers.Ftrl` under its old name."""


class Nadam(adam.Nadam, Optimizer):
    """`keras.optimizers.Nadam` under its old name."""


class RMSprop(rmsprop.RMSprop, Optimizer):
    """`keras.optimizers.RMSprop` under its old name."""


class SGD(sgd.SGD, Optimizer):
    """`keras.optimizers.SGD` under its old name."""


register_public(
    "keras.optimizers.legacy", [Adadelta, Adagrad, Adam, Adamax, Ftrl, Nadam, Optimizer, RMSprop, SGD]
)
