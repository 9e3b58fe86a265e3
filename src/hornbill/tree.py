"""Nested lists, tuples, dictionaries, named tuples and deques: walk, flatten, pack and compare them.

A structure is exactly one of those container types (`OrderedDict` and `defaultdict` count as dictionaries);
every other object, `None` and subclasses of `list` and `dict` included, is a leaf. Plain dictionaries are
walked in the order of their sorted keys, ordered ones in their own order; results keep the input's key order.

Not for: JAX's own pytrees with registered classes; use `jax.tree_util` for those.
"""

from __future__ import annotations

import collections
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from hornbill.engine.errors import ArgumentError, ArgumentTypeError

__all__ = [
    "MAP_TO_NONE",
    "assert_same_paths",
    "assert_same_structure",
    "flatten",
    "flatten_with_path",
    "is_nested",
    "lists_to_tuples",
    "map_shape_structure",
    "map_structure",
    "map_structure_up_to",
    "pack_sequence_as",
    "traverse",
]

Path = tuple[Any, ...]

_DICTS = frozenset({dict, collections.OrderedDict, collections.defaultdict})
_SEQUENCES = frozenset({list, tuple, collections.deque})


class MAP_TO_NONE:  # noqa: N801 (Keras' public name)
    """What a function given to `traverse` returns to put `None` in the place of a sub-structure."""


def is_nested(structure: Any) -> bool:
    """Returns whether `structure` is a container (even an empty one) rather than a leaf.

    Example:
        >>> is_nested(42), is_nested(None), is_nested({"a": 42}), is_nested([])
        (False, False, True, True)
    """
    kind = type(structure)
    return kind in _SEQUENCES or kind in _DICTS or (isinstance(structure, tuple) and hasattr(kind, "_fields"))


def flatten(structure: Any) -> list[Any]:
    """Returns the leaves of `structure` in order.

    Args:
        structure: Any nested structure; a leaf gives a list of one.

    Returns:
        A new list of the leaves, `None` leaves included.

    Example:
        >>> flatten([[1, 2], {"b": 4, "a": 3}])
        [1, 2, 3, 4]
    """
    leaves: list[Any] = []
    _flatten_into(structure, leaves)
    return leaves


def flatten_with_path(structure: Any) -> list[tuple[Path, Any]]:
    """Returns the leaves of `structure`, each with the tuple of indices and keys that leads to it.

    Example:
        >>> flatten_with_path([{"foo": 42}, 7])
        [((0, 'foo'), 42), ((1,), 7)]
    """
    return list(_walk_leaves(structure, ()))


def pack_sequence_as(structure: Any, flat_sequence: Iterable[Any]) -> Any:
    """Puts leaves back into the form of `structure`; the inverse of `flatten`.

    Args:
        structure: The form to take. Its own leaves are not used.
        flat_sequence: The leaves, as many as `structure` has.

    Returns:
        A new structure like `structure` with leaves from `flat_sequence`.

    Raises:
        ArgumentTypeError: If `flat_sequence` cannot be iterated over.
        ArgumentError: If it has too few or too many leaves.

    Example:
        >>> pack_sequence_as({"b": 0, "a": (0, 0)}, [1, 2, 3])
        {'b': 3, 'a': (1, 2)}
    """
    if not isinstance(flat_sequence, Iterable):
        raise ArgumentTypeError(
            "pack_sequence_as: flat_sequence must be a list or another iterable.",
            got=f"{type(flat_sequence).__name__}.",
        )
    leaves = list(flat_sequence)
    wanted = len(flatten(structure))
    if len(leaves) != wanted:
        many = "few" if len(leaves) < wanted else "many"
        raise ArgumentError(
            f"pack_sequence_as: flat_sequence has too {many} leaves.",
            got=f"{len(leaves)} leaves.",
            why=f"The structure has {wanted}.",
        )
    return _pack(structure, iter(leaves))


def map_structure(func: Callable[..., Any], *structures: Any, none_is_leaf: bool = True) -> Any:
    """Calls `func` on the leaves of one or several structures of the same form.

    Args:
        func: Called with one leaf of each structure.
        *structures: One or more structures that `assert_same_structure` accepts.
        none_is_leaf: If False, `None` is left as it is and not given to `func`.

    Returns:
        A structure of the same form with the results.

    Raises:
        ArgumentTypeError: If `func` cannot be called.
        ArgumentError: If there is no structure, or the forms differ.

    Example:
        >>> map_structure(lambda x, y: x + y, {"a": 1}, {"a": 10})
        {'a': 11}
    """
    _check_call("map_structure", func, structures)
    if len(structures) == 1:
        return _map_one(func, structures[0], none_is_leaf)
    for other in structures[1:]:
        _check_same(structures[0], other, (), none_is_leaf=none_is_leaf)
    return _map_many(func, structures, none_is_leaf)


def map_structure_up_to(shallow_structure: Any, func: Callable[..., Any], *structures: Any) -> Any:
    """Like `map_structure`, but what lies below the leaves of `shallow_structure` is given to `func` whole.

    Args:
        shallow_structure: The form down to which to walk.
        func: Called with one sub-structure of each structure.
        *structures: Structures with the form of `shallow_structure`, or deeper.

    Returns:
        A structure of the form of `shallow_structure` with the results.

    Raises:
        ArgumentTypeError: If `func` cannot be called.
        ArgumentError: If there is no structure, or one is shallower or differs in form.

    Example:
        >>> map_structure_up_to([None, None], len, [[1, 1], [2, 2, 2]])
        [2, 3]
    """
    _check_call("map_structure_up_to", func, structures)
    for structure in structures:
        _check_same(shallow_structure, structure, (), shallow=True)
    return _map_up_to(shallow_structure, func, structures)


def map_shape_structure(func: Callable[[Any], Any], structure: Any) -> Any:
    """Calls `func` on every shape in `structure`: a list or tuple that holds only whole numbers and `None`.

    Example:
        >>> map_shape_structure(len, {"a": (None, 3), "b": [(1, 2, 3)]})
        {'a': 2, 'b': [3]}
    """
    _check_call("map_shape_structure", func, (structure,))
    if type(structure) in (list, tuple) and all(size is None or isinstance(size, int) for size in structure):
        return func(structure)
    if not is_nested(structure):
        return func(structure)
    return _rebuild(structure, [map_shape_structure(func, child) for _, child in _children(structure)])


def assert_same_structure(a: Any, b: Any, check_types: Any = None) -> None:
    """Raises unless `a` and `b` are nested in the same way.

    The three dictionary types are the same when they have the same keys; list, tuple, deque and each
    named tuple class are all different. `check_types` is accepted for old code and has no effect, as in Keras
    3.

    Raises:
        ArgumentError: If the two differ; the message says where.
    """
    del check_types
    _check_same(a, b, ())


def assert_same_paths(a: Any, b: Any) -> None:
    """Raises unless the leaves of `a` and `b` lie at the same paths, whatever the container types.

    Raises:
        ArgumentError: If one has a path that the other lacks; the message lists them.

    Example:
        >>> assert_same_paths([0, 1], (2, 3))
    """
    paths_a = {path for path, _ in _walk_leaves(a, ())}
    paths_b = {path for path, _ in _walk_leaves(b, ())}
    if paths_a != paths_b:
        raise ArgumentError(
            "`a` and `b` don't have the same paths.",
            got=f"paths only in `a`: {sorted(paths_a - paths_b, key=repr)};"
            f" only in `b`: {sorted(paths_b - paths_a, key=repr)}.",
        )


def traverse(func: Callable[[Any], Any], structure: Any, top_down: bool = True) -> Any:
    """Calls `func` on every sub-structure and leaf, and replaces those for which it returns something.

    Args:
        func: Given each sub-structure. `None` keeps it (and, top-down, goes on into it); `MAP_TO_NONE` puts
            `None` there; anything else takes its place (and, top-down, its children are not visited).
        structure: The structure to walk, depth first.
        top_down: If True, parents come before their children; otherwise after them.

    Returns:
        The structure with the replacements.

    Raises:
        ArgumentTypeError: If `func` cannot be called.

    Example:
        >>> traverse(lambda x: x * 2 if isinstance(x, int) else None, [1, (2, [3])])
        [2, (4, [6])]
    """
    _check_call("traverse", func, (structure,))
    return _traverse(func, structure, top_down)


def lists_to_tuples(structure: Any) -> Any:
    """Returns `structure` with every list turned into a tuple.

    Example:
        >>> lists_to_tuples([1, {"a": [2]}])
        (1, {'a': (2,)})
    """
    return traverse(lambda part: tuple(part) if isinstance(part, list) else None, structure, top_down=False)


# Walking


def _children(structure: Any) -> list[tuple[Any, Any]]:
    """Returns (key or index, child) for each child of a container, in walking order."""
    if type(structure) in _DICTS:
        return [(key, structure[key]) for key in _keys(structure)]
    return list(enumerate(structure))


def _keys(mapping: dict[Any, Any]) -> list[Any]:
    if type(mapping) is collections.OrderedDict:
        return list(mapping)
    try:
        return sorted(mapping)
    except TypeError:  # keys of several types: by type first
        return sorted(mapping, key=lambda key: (type(key).__qualname__, key))


def _rebuild(structure: Any, children: list[Any]) -> Any:
    """Returns a container like `structure` around `children`, which are in walking order."""
    kind = type(structure)
    if kind is list:
        return children
    if kind is tuple:
        return tuple(children)
    if kind in _DICTS:
        by_key = dict(zip(_keys(structure), children, strict=True))
        items = [(key, by_key[key]) for key in structure]
        if kind is collections.defaultdict:
            return collections.defaultdict(structure.default_factory, items)
        return collections.OrderedDict(items) if kind is collections.OrderedDict else dict(items)
    if kind is collections.deque:
        return collections.deque(children, maxlen=structure.maxlen)
    return kind(*children)  # a named tuple


def _flatten_into(structure: Any, leaves: list[Any]) -> None:
    if not is_nested(structure):
        leaves.append(structure)
    elif type(structure) in _DICTS:
        for key in _keys(structure):
            _flatten_into(structure[key], leaves)
    else:
        for child in structure:
            _flatten_into(child, leaves)


def _walk_leaves(structure: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    if not is_nested(structure):
        yield path, structure
        return
    for key, child in _children(structure):
        yield from _walk_leaves(child, (*path, key))


def _pack(structure: Any, leaves: Iterator[Any]) -> Any:
    if not is_nested(structure):
        return next(leaves)
    return _rebuild(structure, [_pack(child, leaves) for _, child in _children(structure)])


def _map_one(func: Callable[[Any], Any], structure: Any, none_is_leaf: bool) -> Any:
    if structure is None and not none_is_leaf:
        return None
    if not is_nested(structure):
        return func(structure)
    return _rebuild(structure, [_map_one(func, child, none_is_leaf) for _, child in _children(structure)])


def _map_many(func: Callable[..., Any], structures: tuple[Any, ...], none_is_leaf: bool) -> Any:
    first = structures[0]
    if first is None and not none_is_leaf:
        return None
    if not is_nested(first):
        return func(*structures)
    results = [_map_many(func, parts, none_is_leaf) for parts in _aligned(first, structures)]
    return _rebuild(first, results)


def _map_up_to(shallow: Any, func: Callable[..., Any], structures: tuple[Any, ...]) -> Any:
    if not is_nested(shallow):
        return func(*structures)
    parts = zip(_children(shallow), _aligned(shallow, structures), strict=True)
    return _rebuild(shallow, [_map_up_to(child, func, part) for (_, child), part in parts])


def _aligned(form: Any, structures: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    """Returns, for each child of `form`, the children of `structures` in the same place."""
    if type(form) in _DICTS:
        return [tuple(structure[key] for structure in structures) for key in _keys(form)]
    return list(zip(*structures, strict=True))


def _traverse(func: Callable[[Any], Any], structure: Any, top_down: bool) -> Any:
    if top_down:
        result = func(structure)
        if result is not None:
            return None if result is MAP_TO_NONE else result
    if is_nested(structure):
        children = [_traverse(func, child, top_down) for _, child in _children(structure)]
        structure = _rebuild(structure, children)
    if not top_down:
        result = func(structure)
        if result is not None:
            return None if result is MAP_TO_NONE else result
    return structure


# Checking


def _check_call(owner: str, func: Any, structures: tuple[Any, ...]) -> None:
    if not callable(func):
        raise ArgumentTypeError(
            f"{owner}: func must be callable.", got=f"{func!r}, a {type(func).__name__}, not callable."
        )
    if not structures:
        raise ArgumentError(f"{owner}: must provide at least one structure.")


def _check_same(a: Any, b: Any, path: Path, *, shallow: bool = False, none_is_leaf: bool = True) -> None:
    """Raises unless `b` has the form of `a` (down to the leaves of `a` only, if `shallow`)."""
    nested_a, nested_b = is_nested(a), is_nested(b)
    if not nested_a:
        none_differs = not none_is_leaf and (a is None) != (b is None)
        if none_differs or (nested_b and not shallow):
            raise _difference(path, _name(a), _name(b))
        return
    same_kind = type(a) is type(b) or (type(a) in _DICTS and type(b) in _DICTS)
    if not nested_b or not same_kind:
        raise _difference(path, _name(a), _name(b))
    if type(a) in _DICTS and a.keys() != b.keys():
        raise _difference(path, f"the keys {list(a)}", f"the keys {list(b)}")
    if len(a) != len(b):
        raise _difference(path, f"{_name(a)} of length {len(a)}", f"{_name(b)} of length {len(b)}")
    for key, child in _children(a):
        _check_same(child, b[key], (*path, key), shallow=shallow, none_is_leaf=none_is_leaf)


def _name(part: Any) -> str:
    if part is None:
        return "None"
    return f"a {type(part).__name__}" if is_nested(part) else f"a leaf ({type(part).__name__})"


def _difference(path: Path, first: str, second: str) -> ArgumentError:
    place = "".join(f"[{key!r}]" for key in path) or "the top"
    return ArgumentError(
        "The two structures don't have the same nested structure.",
        got=f"{first} in the first and {second} in the second, at {place}.",
    )
