"""Figures are drawn without a screen, and none is left open with pyplot."""

from __future__ import annotations

import matplotlib as mpl
import pytest
from matplotlib import pyplot as plt

mpl.use("Agg")


@pytest.fixture(autouse=True)
def _no_figure_stays_open():
    yield
    assert plt.get_fignums() == []
