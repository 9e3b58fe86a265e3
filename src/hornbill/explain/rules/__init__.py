"""The sentence rules, by family; importing this package enters them all into `RULES`."""

from hornbill.explain.rules import cutting, products, reductions, shapes, windows
from hornbill.explain.rules.base import RULES, Sentence, disagreeing, sentences_of

__all__ = [
    "RULES",
    "Sentence",
    "cutting",
    "disagreeing",
    "products",
    "reductions",
    "sentences_of",
    "shapes",
    "windows",
]
