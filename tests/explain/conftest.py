"""Explanations in tests tell of a computer with 8 GiB of free memory."""

from __future__ import annotations

import pytest

from hornbill.explain import numbers


@pytest.fixture(autouse=True)
def _known_memory(monkeypatch):
    monkeypatch.setattr(numbers, "available_memory", lambda: 8 * 2**30)
