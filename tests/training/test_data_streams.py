"""Generators, loaders and numbered data sets, their threads and their mistakes."""

from __future__ import annotations

import threading
import time
import traceback

import numpy as np
import pytest

from hornbill.engine.errors import DataError, ShapeError
from hornbill.training.data import make_batches, split_validation


def numbers(count=None):
    step = 0
    while count is None or step < count:
        yield np.full((2, 1), step, "float64"), np.full((2, 1), step)
        step += 1


def rows(batches, epoch=0, start=0):
    return [int(x[0, 0]) for x, _, _ in batches.epoch(epoch, start)]


def data_threads():
    return [one for one in threading.enumerate() if one.name.startswith("hornbill-data")]


@pytest.fixture(autouse=True)
def no_thread_is_left():
    yield
    deadline = time.monotonic() + 3
    while data_threads() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not data_threads()


class Dataset:
    def __init__(self, count=4, workers=1, broken=None, delay=0.0, processes=False):
        self.count, self.workers, self.broken, self.delay = count, workers, broken, delay
        self.use_multiprocessing, self.max_queue_size = processes, 3
        self.ends = 0

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        time.sleep(self.delay * ((index * 7) % 3))
        if index == self.broken:
            raise RuntimeError("broken file")
        return np.full((2, 1), index), np.full((2, 1), index)

    def on_epoch_end(self):
        self.ends += 1


def test_endless_generator_keeps_its_place():
    batches = make_batches(numbers(), steps=3)
    x, y, weight = batches.spec
    assert (x.shape, x.dtype, y.dtype, weight) == ((2, 1), np.float32, np.int32, None)
    assert [rows(batches, epoch) for epoch in range(3)] == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]
    assert batches.num_batches == 3


def test_an_epoch_left_early_loses_no_batch():
    batches = make_batches(numbers(), steps=5)
    epoch = batches.epoch(0)
    assert int(next(epoch)[0][0, 0]) == 0
    epoch.close()
    assert rows(batches, 1) == [1, 2, 3, 4, 5]


def test_generator_that_ends():
    batches = make_batches(numbers(5), steps=4)
    assert rows(batches, 0) == [0, 1, 2, 3]
    with pytest.warns(UserWarning, match="1 batches came, 4 were expected"):
        assert rows(batches, 1) == [4]
    assert batches.exhausted
    unknown = make_batches(numbers(2))
    assert unknown.num_batches is None
    assert rows(unknown) == [0, 1]
    with pytest.warns(UserWarning, match="read once"):
        assert rows(unknown, 1) == []


@pytest.mark.parametrize("peek", [True, False])
def test_empty_generator(peek):
    batches = make_batches(numbers(0))
    with pytest.raises(DataError, match="at least one batch"):
        _ = batches.spec if peek else rows(batches)


def test_error_of_a_generator_keeps_its_traceback():
    def broken():
        yield np.ones((2, 1))
        raise RuntimeError("broken disk")

    with pytest.raises(RuntimeError, match="broken disk") as caught:
        list(make_batches(broken()))
    assert "in broken" in "".join(traceback.format_tb(caught.value.__traceback__))


def test_slow_generator_does_not_block_close():
    release = threading.Event()

    def slow():
        yield np.ones((2, 1))
        release.wait(5)
        yield np.zeros((2, 1))

    batches = make_batches(slow())
    epoch = batches.epoch()
    next(epoch)
    started = time.monotonic()
    epoch.close()
    assert time.monotonic() - started < 2
    release.set()
    assert len(list(batches.epoch(1))) == 1


def test_interrupt_in_the_consumer_stops_the_thread():
    batches = make_batches(numbers())

    def consume():
        for _ in batches.epoch():
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        consume()


@pytest.mark.parametrize(
    ("item", "parts"),
    [
        (np.ones((2, 1)), 1),
        ((np.ones((2, 1)),), 1),
        ((np.ones((2, 1)), np.ones(2)), 2),
        ((np.ones((2, 1)), np.ones(2), np.ones(2)), 3),
        ([np.ones((2, 1)), np.ones((2, 1))], 1),
    ],
)
def test_items(item, parts):
    batch = next(iter(make_batches(iter([item]))))
    assert sum(part is not None for part in batch) == parts


def test_iterable_starts_again():
    class Loader:
        def __iter__(self):
            return numbers(3)

        def __len__(self):
            return 3

    batches = make_batches(Loader())
    assert batches.num_batches == 3
    assert [rows(batches, epoch) for epoch in range(2)] == [[0, 1, 2]] * 2
    assert rows(batches, 2, start=1) == [1, 2]
    by_steps = make_batches(Loader(), steps=3)
    assert [rows(by_steps, epoch) for epoch in range(2)] == [[0, 1, 2]] * 2
    resumed = make_batches(Loader(), steps=2)
    resumed.restore({"seed": 0})
    with pytest.warns(UserWarning, match="ran out"):
        assert rows(resumed, 1) == [2]


def test_duck_types_of_tf_data_and_torch():
    class Tf:
        def __iter__(self):
            raise AssertionError("tensors are not wanted")

        def as_numpy_iterator(self):
            return numbers(2)

        def cardinality(self):
            return np.int64(2)

    batches = make_batches(Tf())
    assert batches.num_batches == 2
    assert rows(batches) == [0, 1]

    class Tensor:
        dtype = "torch.float32"

        def __init__(self, value):
            self.value = value

        def __array__(self, dtype=None, copy=None):
            return self.value

        def detach(self):
            return self

        cpu = detach

        def numpy(self):
            return self.value

    class Torch:
        batch_sampler = dataset = None

        def __iter__(self):
            yield [Tensor(np.ones((2, 1), "float32")), Tensor(np.ones(2, "int64"))]

    _, y, _ = next(iter(make_batches(Torch())))
    assert y.dtype == np.int32


@pytest.mark.parametrize("workers", [1, 3])
def test_dataset(workers):
    data = Dataset(5, workers, delay=0.005)
    batches = make_batches(data)
    assert batches.num_batches == 5
    assert rows(batches) == [0, 1, 2, 3, 4]
    assert rows(batches, 1, start=3) == [3, 4]
    assert data.ends == 2
    by_steps = make_batches(data, steps=2)
    assert [rows(by_steps, epoch) for epoch in (0, 1)] == [[0, 1], [2, 3]]
    assert by_steps.steps_in(2) == 1
    mixed = make_batches(data, shuffle=True, seed=1)
    assert sorted(rows(mixed)) == [0, 1, 2, 3, 4]
    assert rows(mixed) == rows(mixed) != rows(mixed, 1)


@pytest.mark.parametrize("workers", [1, 3])
def test_error_of_a_worker(workers):
    with pytest.raises(RuntimeError, match="broken file") as caught:
        rows(make_batches(Dataset(6, workers, broken=3)))
    assert "batch 3 of a Dataset" in caught.value.__notes__[0]
    assert "__getitem__" in "".join(traceback.format_tb(caught.value.__traceback__))


def test_endless_dataset():
    data = Dataset()
    data.num_batches = None
    assert [rows(make_batches(data, steps=3), epoch) for epoch in (0, 1)] == [[0, 1, 2], [3, 4, 5]]


@pytest.mark.long
def test_processes():
    assert rows(make_batches(Dataset(4, 2, processes=True))) == [0, 1, 2, 3]


def test_class_weight_of_streams():
    batches = make_batches(numbers(2), class_weight={0: 5.0, 1: 7.0})
    assert [weight.tolist() for _, _, weight in batches] == [[5.0, 5.0], [7.0, 7.0]]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"y": np.ones(2)}, "brings its own targets"),
        ({"sample_weight": np.ones(2)}, "brings its own sample weights"),
        ({"batch_size": 8}, "makes its own batches"),
    ],
)
def test_arguments_that_a_dataset_refuses(arguments, text):
    with pytest.raises(DataError, match=text):
        make_batches(numbers(1), **arguments)


def test_bad_batches():
    with pytest.raises(DataError, match="4 parts"):
        next(iter(make_batches(iter([(1, 2, 3, 4)]))))
    with pytest.raises(ShapeError, match="same first axis"):
        next(iter(make_batches(iter([(np.ones((2, 1)), np.ones(3))]))))
    with pytest.raises(ShapeError, match="single samples"):
        next(iter(make_batches(iter([(np.ones((2, 1)), 3)]))))
    with pytest.raises(DataError, match="no rows"):
        next(iter(make_batches(iter([np.ones((0, 1))]))))
    with pytest.raises(DataError, match="validation_split needs arrays"):
        split_validation(numbers(1), None, None, 0.2)
