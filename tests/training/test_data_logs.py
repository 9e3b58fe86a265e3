"""Logs stay on the device until read."""

from __future__ import annotations

import json
import pickle

import jax.numpy as jnp
import numpy as np

from hornbill.training.logs import Logs


def make():
    return Logs({"loss": jnp.float32(0.5), "vector": jnp.ones(2)})


def test_lazy_and_plain():
    logs = make()
    assert list(logs.keys()) == ["loss", "vector"]
    assert "loss" in logs
    assert len(logs) == 2
    assert logs
    assert logs.pending
    logs["learning_rate"] = 0.1
    assert logs.pending
    assert type(logs["loss"]) is float
    assert not logs.pending
    assert isinstance(logs["vector"], np.ndarray)


def test_every_way_to_read_gives_floats():
    for read in (
        dict,
        lambda logs: {**logs},
        lambda logs: logs.copy(),
        lambda logs: dict(logs.items()),
        lambda logs: logs | {},
        lambda logs: {} | logs,
        lambda logs: pickle.loads(pickle.dumps(logs)),
        lambda logs: {name: logs.get(name) for name in logs},
    ):
        got = read(make())
        assert type(got["loss"]) is float
    assert json.loads(json.dumps(Logs({"loss": jnp.float32(0.5)}))) == {"loss": 0.5}
    assert "{loss:.2f}".format(**make()) == "0.50"
    assert Logs({"loss": jnp.float32(0.5)}) == {"loss": 0.5}
    updated = {}
    updated.update(make())
    assert type(updated["loss"]) is float
    assert make().pop("loss") == 0.5
    assert repr(Logs({"loss": jnp.float32(0.5)})) == "{'loss': 0.5}"


def test_deferred():
    calls = []
    logs = Logs(lambda: calls.append(1) or {"loss": 2.0})
    assert bool(logs)
    assert not calls
    assert logs["loss"] == 2.0
    assert dict(logs) == {"loss": 2.0}
    assert calls == [1]
