"""Real Keras stands beside Hornbill in the same process, on its JAX backend."""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path

os.environ["KERAS_BACKEND"] = "jax"
os.environ["COLUMNS"] = "100"  # the width of texts without a terminal; pytest-xdist's workers say 80
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "hornbill", max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
settings.load_profile("hornbill")


@pytest.fixture(autouse=True)
def _fresh_start():
    """Each test starts with the same random weights and with automatic names from the beginning, in both libraries,
    and may see each warning again: its result is the same in any order."""
    from hornbill.engine.compatibility import forget_warnings
    from hornbill.engine.naming import reset_names
    from hornbill.engine.random import set_random_seed

    set_random_seed(0)
    reset_names()
    forget_warnings()
    if "keras" in sys.modules:
        sys.modules["keras"].utils.clear_session(free_memory=False)


_ROOM = {"limit": 4 * 2**30}


def _resident() -> int:
    statm = Path("/proc/self/statm")  # on Linux; elsewhere nothing is let go
    return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") if statm.exists() else 0


@pytest.fixture(autouse=True)
def _bounded_memory():
    """Lets compiled programs go each time they have filled another part of a small machine."""
    yield
    if _resident() > _ROOM["limit"]:
        sys.modules["jax"].clear_caches()
        gc.collect()
        _ROOM["limit"] = max(_ROOM["limit"], _resident() + 2**30)
