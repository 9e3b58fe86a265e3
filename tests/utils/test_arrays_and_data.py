"""Labels, sequences, tuples, PyDataset, Config, splitting and windows against Keras."""

from __future__ import annotations

import inspect

import keras
import numpy as np
import pytest

import hornbill.utils as utils


def same(ours, theirs):
    assert type(ours) is type(theirs)
    assert ours.dtype == theirs.dtype
    np.testing.assert_allclose(ours, theirs)


def test_public_names_and_signatures():
    elsewhere = {"FeatureSpace", "model_to_dot", "plot_model"}
    for name in dir(keras.utils):
        theirs = getattr(keras.utils, name)
        if name.startswith("_") or name in elsewhere:
            continue
        assert hasattr(utils, name), name
        if callable(theirs):
            expected = list(inspect.signature(theirs).parameters)
            assert list(inspect.signature(getattr(utils, name)).parameters) == expected, name


@pytest.mark.parametrize(
    "x", [[0, 2], [[0], [2]], [[0, 1], [2, 1]], 3, np.array([[[0], [1]]]), [[1]]], ids=str
)
def test_to_categorical(x):
    same(utils.to_categorical(x), keras.utils.to_categorical(x))


def test_to_categorical_refuses():
    for x, classes in (([0, 2], 2), ([-1, 1], None), ([], None), (["a"], None)):
        with pytest.raises(ValueError):
            utils.to_categorical(x, classes)
    assert utils.to_categorical([], 3).shape == (0, 3)


@pytest.mark.parametrize("axis_order", [(-1, 2), (-1, 1), (-1, np.inf), (1, 3)])
def test_normalize(axis_order):
    x = np.array([[3.0, 4.0], [0.0, 0.0], [1.0, -2.0]])
    same(utils.normalize(x, *axis_order), keras.utils.normalize(x, *axis_order))
    if axis_order[1] != np.inf:  # Keras refuses it for tensors
        array = keras.ops.array(x)
        expected = keras.utils.normalize(array, *axis_order)
        np.testing.assert_allclose(utils.normalize(array, *axis_order), expected, rtol=1e-6)
    same(utils.normalize(np.array([3.0, 4.0])), keras.utils.normalize(np.array([3.0, 4.0])))


@pytest.mark.parametrize(
    ("sequences", "arguments"),
    [
        ([[1], [2, 3], [4, 5, 6]], {}),
        ([[1], [2, 3], [4, 5, 6]], {"maxlen": 2}),
        ([[1], [2, 3], [4, 5, 6]], {"maxlen": 2, "padding": "post", "truncating": "post"}),
        ([[1], []], {"value": 9}),
        ([], {"maxlen": 3}),
        ([[1]], {"maxlen": 0}),
        ([[[1, 2]], [[1, 2], [3, 4]]], {"maxlen": 5, "dtype": "float32", "value": -1.5}),
        ([["a"], ["b", "c"]], {"dtype": object, "value": "z"}),
    ],
    ids=str,
)
def test_pad_sequences(sequences, arguments):
    ours = utils.pad_sequences(sequences, **arguments)
    theirs = keras.utils.pad_sequences(sequences, **arguments)
    assert ours.dtype == theirs.dtype
    assert ours.shape == theirs.shape
    assert ours.tolist() == theirs.tolist()


def test_pad_sequences_refuses():
    for call in (
        lambda: utils.pad_sequences([1, 2]),
        lambda: utils.pad_sequences(5),
        lambda: utils.pad_sequences([[1]], padding="x"),
        lambda: utils.pad_sequences([[1]], truncating="x"),
        lambda: utils.pad_sequences([[1]], value="x"),
        lambda: utils.pad_sequences([[[1, 2]], [[1, 2, 3]]]),
    ):
        with pytest.raises(ValueError):
            call()


def test_pack_and_unpack():
    for library in (utils, keras.utils):
        assert library.pack_x_y_sample_weight(1) == 1
        assert library.pack_x_y_sample_weight([1, 2]) == ([1, 2],)
        assert library.pack_x_y_sample_weight(1, 2) == (1, 2)
        assert library.pack_x_y_sample_weight(1, 2, 3) == (1, 2, 3)
        assert library.unpack_x_y_sample_weight((1, 2)) == (1, 2, None)
        assert library.unpack_x_y_sample_weight([1]) == (1, None, None)
        assert library.unpack_x_y_sample_weight({"a": 1}) == ({"a": 1}, None, None)
        for wrong in ((), (1, 2, 3, 4)):
            with pytest.raises(ValueError):
                library.unpack_x_y_sample_weight(wrong)


class Three(utils.PyDataset):
    def __len__(self):
        return 3

    def __getitem__(self, index):
        return index


class NoSuper(Three):
    def __init__(self):
        self.extra = 1


def test_pydataset():
    dataset = Three(workers=2, use_multiprocessing=True, max_queue_size=4)
    assert (dataset.workers, dataset.use_multiprocessing, dataset.max_queue_size) == (2, True, 4)
    assert dataset.num_batches == 3
    assert list(dataset) == [0, 1, 2]
    assert NoSuper().workers == 1
    assert utils.Sequence is utils.PyDataset
    dataset.on_epoch_begin()
    dataset.on_epoch_end()
    with pytest.raises(ValueError):
        Three(max_queue_size=0)
    with pytest.raises(NotImplementedError, match="__len__"):
        _ = utils.PyDataset().num_batches


def test_config():
    config = utils.Config(a=1, b=utils.Config(x=2))
    config.c = 3
    config["d"] = 4
    assert (config.d, config["c"], len(config), list(config)) == (4, 3, 4, ["a", "b", "c", "d"])
    assert config.to_json() == '{"a": 1, "b": {"x": 2}, "c": 3, "d": 4}'
    assert config.pop("d") == 4
    config.update({"e": 5}, f=6)
    del config["e"]
    assert set(config.as_dict()) == {"a", "b", "c", "f"}
    config.freeze()
    for change in (lambda: setattr(config, "a", 2), lambda: config.pop("a"), lambda: config.update(a=2)):
        with pytest.raises(ValueError, match="frozen"):
            change()
    config.unfreeze()
    config.a = 2
    with pytest.raises(AttributeError):
        _ = config.nothing
    with pytest.raises(KeyError):
        _ = config["nothing"]


def test_split_dataset():
    x, y = np.arange(10), np.arange(10) * 2
    left, right = utils.split_dataset((x, y), left_size=0.7)
    assert (len(left), len(right)) == (7, 3)
    assert right.data[1].tolist() == [14, 16, 18]
    left, right = utils.split_dataset({"x": x}, right_size=4, shuffle=True, seed=1)
    assert sorted(left.data["x"].tolist() + right.data["x"].tolist()) == list(range(10))
    left, right = utils.split_dataset(((i, i * 2) for i in range(5)), left_size=2)
    assert [(int(a), int(b)) for a, b in left] == [(0, 0), (1, 2)]
    left, right = utils.split_dataset([1, 2, 3, 4], left_size=0.5, right_size=0.25)
    assert (len(left), len(right)) == (2, 1)
    for arguments in (
        {},
        {"left_size": 1.5},
        {"left_size": 11},
        {"left_size": 8, "right_size": 8},
        {"left_size": 0},
    ):
        with pytest.raises(ValueError):
            utils.split_dataset(x, **arguments)
    with pytest.raises(ValueError):
        utils.split_dataset((x, y[:3]), left_size=0.5)


def test_timeseries():
    dataset = utils.timeseries_dataset_from_array(
        np.arange(99), None, sequence_length=10, sampling_rate=2, sequence_stride=3, batch_size=8
    )
    windows = np.concatenate(list(dataset))
    assert windows[0].tolist() == list(range(0, 20, 2))
    assert windows[-1].tolist() == list(range(78, 98, 2))
    assert len(dataset) == 4
    data = np.arange(30.0)
    dataset = utils.timeseries_dataset_from_array(data[:-10], data[10:], sequence_length=10)
    x, y = dataset[0]
    assert x.shape == (11, 10)
    assert y.tolist() == list(range(10, 21))
    part = utils.timeseries_dataset_from_array(data, data, 3, start_index=10, end_index=20, batch_size=None)
    assert [window.tolist() for window, _ in part][-1] == [17.0, 18.0, 19.0]
    mixed = utils.timeseries_dataset_from_array(data, data, 3, shuffle=True, seed=1)
    x, y = mixed[0]
    assert y.tolist() != sorted(y.tolist())
    assert (x[:, 0] == y).all()
    for arguments in (
        {"sequence_length": 0},
        {"sequence_length": 40},
        {"sequence_length": 3, "start_index": 29},
    ):
        with pytest.raises(ValueError):
            utils.timeseries_dataset_from_array(data, None, **arguments)


def test_legacy_objects():
    data = utils.legacy.serialize_keras_object(Thing(3))
    assert data == {"class_name": "Thing", "config": {"number": 3}}
    assert utils.legacy.deserialize_keras_object(data, custom_objects={"Thing": Thing}).number == 3
    with pytest.raises(ValueError, match="Did you mean 'Thing'"):
        utils.legacy.deserialize_keras_object("Thign", custom_objects={"Thing": Thing})


class Thing:
    def __init__(self, number=0):
        self.number = number

    def get_config(self):
        return {"number": self.number}

    @classmethod
    def from_config(cls, config):
        return cls(**config)
