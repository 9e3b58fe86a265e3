"""hornbill.tree against keras.tree on every kind of container."""

from __future__ import annotations

import collections

import keras
import numpy as np
import pytest

from hornbill import tree

Point = collections.namedtuple("Point", "x y")
OtherPoint = collections.namedtuple("OtherPoint", "x y")


class MyList(list):
    pass


class MyDict(dict):
    pass


STRUCTURES = [
    1,
    None,
    "text",
    [],
    (),
    {},
    [1, [2, (3, None)], {}],
    {"b": 1, "a": [2, {"d": 3, "c": 4}]},
    {2: "x", 10: "y", 1: "z"},
    {1: 2, "a": 3},
    collections.OrderedDict([("b", 1), ("a", (2, 3))]),
    collections.defaultdict(list, {"b": 1, "a": 2}),
    collections.deque([1, [2]], maxlen=5),
    Point(1, (2, Point(3, 4))),
    MyList([1, 2]),
    MyDict(a=1),
    {1, 2},
    range(3),
]


@pytest.mark.parametrize("structure", STRUCTURES, ids=repr)
def test_same_as_keras_on_one_structure(structure):
    assert tree.is_nested(structure) == keras.tree.is_nested(structure)
    assert tree.flatten(structure) == keras.tree.flatten(structure)
    assert tree.flatten_with_path(structure) == keras.tree.flatten_with_path(structure)
    for none_is_leaf in (True, False):
        ours = tree.map_structure(repr, structure, none_is_leaf=none_is_leaf)
        theirs = keras.tree.map_structure(repr, structure, none_is_leaf=none_is_leaf)
        assert ours == theirs
        assert type(ours) is type(theirs)
        assert repr(ours) == repr(theirs)  # key order too
    leaves = list(range(len(tree.flatten(structure))))
    assert tree.pack_sequence_as(structure, leaves) == keras.tree.pack_sequence_as(structure, leaves)
    assert tree.lists_to_tuples(structure) == keras.tree.lists_to_tuples(structure)
    for top_down in (True, False):
        ours, theirs = [], []
        tree.traverse(ours.append, structure, top_down)
        keras.tree.traverse(theirs.append, structure, top_down)
        assert ours == theirs


PAIRS = [
    ([1], [2], True),
    ([1], (1,), False),
    ([1], [1, 2], False),
    ({"a": 1}, {"b": 1}, False),
    ({"a": 1}, collections.OrderedDict(a=2), True),
    (1, [1], False),
    (None, 1, True),
    ([None], [[1]], False),
    (Point(1, 2), Point(3, 4), True),
    (Point(1, 2), OtherPoint(3, 4), False),
    (Point(1, 2), (3, 4), False),
    (collections.deque([1]), [1], False),
]


@pytest.mark.parametrize(("a", "b", "same"), PAIRS, ids=repr)
def test_same_structure(a, b, same):
    for library in (tree, keras.tree):
        if same:
            library.assert_same_structure(a, b)
            library.map_structure(lambda x, y: (x, y), a, b)
        else:
            with pytest.raises(ValueError):
                library.assert_same_structure(a, b)
            with pytest.raises(ValueError):
                library.map_structure(lambda x, y: (x, y), a, b)


def test_same_paths():
    tree.assert_same_paths([1, (2,)], (1, [3]))
    tree.assert_same_paths({0: 1}, [1])
    tree.assert_same_paths(Point(1, 2), OtherPoint(1, 2))
    with pytest.raises(ValueError, match=r"only in `a`: \[\(1, 0\)\]"):
        tree.assert_same_paths([1, (2,)], (1, 3))


def test_difference_says_where():
    with pytest.raises(ValueError, match=r"at \['a'\]\[1\]"):
        tree.assert_same_structure({"a": [1, 2]}, {"a": [1, (2,)]})


def test_map_structure_many_and_none():
    assert tree.map_structure(
        lambda x, y, z: x + y + z, {"b": 1, "a": 2}, {"a": 20, "b": 10}, {"a": 0, "b": 0}
    ) == {
        "b": 11,
        "a": 22,
    }
    assert tree.map_structure(lambda x, y: x + y, [None, 1], [None, 2], none_is_leaf=False) == [None, 3]
    with pytest.raises(ValueError):
        tree.map_structure(lambda x, y: x, [None, 1], [2, 2], none_is_leaf=False)
    with pytest.raises(ValueError):
        tree.map_structure(lambda x, y: x, [1, 1], [None, 2], none_is_leaf=False)


def test_map_structure_up_to():
    for library in (tree, keras.tree):
        assert library.map_structure_up_to([0, 0], len, [[1, 1], [2]]) == [2, 1]
        assert library.map_structure_up_to([0, [0, 0]], str, [[1, 1], [3, 2]]) == ["[1, 1]", ["3", "2"]]
        assert library.map_structure_up_to(1, lambda x: x, {"a": [1]}) == {"a": [1]}
        for shallow, structure in (([1, 1], [1, 2, 3]), ([1, [1]], [1, 2]), ((1, 1), [1, 1])):
            with pytest.raises(ValueError):
                library.map_structure_up_to(shallow, lambda x: x, structure)
    # Keras documents this but raises
    assert tree.map_structure_up_to([None, None], len, [[1, 1], [2]]) == [2, 1]


@pytest.mark.parametrize(
    "structure",
    [{"a": (1, None), "b": [(2, 3), [4, 5]]}, [1, None], (), 3, [(1,), [2, "a"]], (1, (2,)), ((), [])],
    ids=repr,
)
def test_map_shape_structure(structure):
    def wrap(shape):
        return ("shape", shape)

    assert tree.map_shape_structure(wrap, structure) == keras.tree.map_shape_structure(wrap, structure)


def test_traverse_replaces():
    assert tree.traverse(lambda x: tree.MAP_TO_NONE if x == 1 else None, [1, [1, 2]]) == [None, [None, 2]]
    assert tree.traverse(lambda x: 0 if isinstance(x, tuple) else None, {"b": (1,), "a": Point(1, 2)}) == {
        "b": 0,
        "a": 0,
    }
    assert tree.traverse(lambda x: x * 2 if isinstance(x, int) else None, [1, (2,)], top_down=False) == [
        2,
        (4,),
    ]


def test_leaves_may_be_arrays():
    array = np.ones((2, 2))
    assert tree.flatten([array])[0] is array
    assert tree.pack_sequence_as(["a"], [array])[0] is array


@pytest.mark.parametrize("count", [1, 3])
def test_pack_counts(count):
    with pytest.raises(ValueError, match="too few" if count == 1 else "too many"):
        tree.pack_sequence_as([1, 2], range(count))


def test_wrong_types():
    with pytest.raises(TypeError):
        tree.pack_sequence_as([1], 5)
    for function in (tree.map_structure, tree.traverse):
        with pytest.raises(TypeError, match="callable"):
            function(3, [1])
    with pytest.raises(ValueError, match="at least one structure"):
        tree.map_structure(len)
