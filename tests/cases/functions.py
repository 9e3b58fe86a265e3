"""Cases of the functional forms of the merging layers."""

from __future__ import annotations

from tests.cases.calls import array_of, call_case

PAIR = [array_of(2, 3, 4), array_of(2, 3, 4)]

CASES = [
    *(
        call_case(f"layers.{name}", (PAIR,))
        for name in ("add", "average", "maximum", "minimum", "multiply", "subtract")
    ),
    call_case("layers.concatenate", (PAIR,), {"axis": 1}),
    call_case("layers.dot", (PAIR,), {"axes": -1}),
]
