"""Data sets by name: `digits` and `coins` come with Hornbill, the others are downloaded when first loaded."""

from hornbill.datasets import (
    boston_housing,
    california_housing,
    cifar10,
    cifar100,
    coins,
    digits,
    fashion_mnist,
    imdb,
    mnist,
    reuters,
)
