"""Why an op's output has the size it has, with the numbers put in: the rules' one door.

Each op names its rule (`@op(rule="window")`); the rules stand in `hornbill.explain.rules`, by family. What a rule says
is checked: it computes the size itself, and a sentence whose number differs from the traced one is never shown, and
fails the tests (`disagreeing`).
"""

from __future__ import annotations

from hornbill.explain.rules import RULES, Sentence, disagreeing, sentences_of

__all__ = ["RULES", "Sentence", "disagreeing", "sentences_of"]
