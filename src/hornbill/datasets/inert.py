"""Reads lists of whole numbers out of a pickled NumPy file without unpickling it.

The old word data sets store arrays of Python lists, which NumPy can only read by running what the file says.
This reader knows just the few instructions that such a file needs, builds lists of numbers, and refuses
everything else: a name in the file stays a name, and a call in it is never made.
"""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from hornbill.engine.errors import FileError

__all__ = ["read_integer_lists"]

_ALLOWED_NAMES = frozenset(
    {
        ("numpy.core.multiarray", "_reconstruct"),
        ("numpy._core.multiarray", "_reconstruct"),
        ("numpy", "ndarray"),
        ("numpy", "dtype"),
        ("_codecs", "encode"),
    }
)
# Instructions with a number of the given count of bytes, little-endian; "J" is signed.
_NUMBERS = {ord("K"): 1, ord("M"): 2, ord("J"): 4}
# Instructions that only note an object for later use, with the bytes of their argument.
_PUT = {ord("q"): 1, ord("r"): 4}
_GET = {ord("h"): 1, ord("j"): 4}
_CONSTANTS = {"N": None, "\x88": True, "\x89": False, ")": ()}
_MARK = object()


class _Call:
    """A call in the file, not made: what it names, its arguments, and the state given to its result."""

    __slots__ = ("arguments", "name", "state")

    def __init__(self, name: Any, arguments: Any) -> None:
        self.name, self.arguments, self.state = name, arguments, None


def read_integer_lists(content: bytes) -> list[list[int]]:
    """Returns the lists in an `.npy` file that holds a one-dimensional array of lists of whole numbers.

    Args:
        content: The file.

    Raises:
        FileError: If the file holds anything else.
    """
    file = io.BytesIO(content)
    version = np.lib.format.read_magic(file)
    read_header = (
        np.lib.format.read_array_header_1_0 if version[0] == 1 else np.lib.format.read_array_header_2_0
    )
    shape, _, dtype = read_header(file)
    if not dtype.hasobject or len(shape) != 1:
        raise FileError("The array is not one of Python lists.", got=f"{dtype} of shape {shape}.")
    result = _interpret(content, file.tell())
    state = getattr(result, "state", None)
    items: Any = state[-1] if isinstance(state, tuple) and state else None
    valid = isinstance(items, list) and len(items) == shape[0]
    if not valid or not all(
        type(row) is list and all(type(number) is int for number in row) for row in items
    ):
        raise FileError("The array does not hold lists of whole numbers.")
    return items


def _interpret(data: bytes, at: int) -> Any:
    """Follows the instructions; the result is the object on top when the file ends."""
    stack: list[Any] = []
    memo: dict[int, Any] = {}
    try:
        while True:
            code = data[at]
            at += 1
            if (width := _NUMBERS.get(code)) is not None:
                stack.append(int.from_bytes(data[at : at + width], "little", signed=width == 4))
                at += width
            elif (width := _PUT.get(code)) is not None:
                memo[int.from_bytes(data[at : at + width], "little")] = stack[-1]
                at += width
            elif code == 0x94:  # MEMOIZE
                memo[len(memo)] = stack[-1]
            elif (width := _GET.get(code)) is not None:
                stack.append(memo[int.from_bytes(data[at : at + width], "little")])
                at += width
            elif code == ord("."):
                return stack[-1]
            else:
                at = _rarer(code, data, at, stack)
    except (IndexError, KeyError, ValueError, AttributeError, TypeError) as error:
        raise FileError(
            "The array of lists is damaged.", got=f"{type(error).__name__} at byte {at}."
        ) from None


def _rarer(code: int, data: bytes, at: int, stack: list[Any]) -> int:
    """Follows one of the instructions that occur once per list or file; returns where the next one is."""
    letter = chr(code)
    if letter == "]":
        stack.append([])
    elif letter == "(":
        stack.append(_MARK)
    elif letter == "e":
        items = _pop_to_mark(stack)
        stack[-1].extend(items)
    elif letter == "a":
        item = stack.pop()
        stack[-1].append(item)
    elif letter == "t":
        stack.append(tuple(_pop_to_mark(stack)))
    elif letter in "\x85\x86\x87":
        count = code - 0x84
        stack[-count:] = [tuple(stack[-count:])]
    elif letter in _CONSTANTS:
        stack.append(_CONSTANTS[letter])
    elif letter == "\x80":
        return at + 1
    elif letter == "\x95":
        return at + 8
    elif letter in "CU\x8cXB":
        return _text(letter, data, at, stack)
    elif letter == "\x8a":
        stack.append(int.from_bytes(data[at + 1 : at + 1 + data[at]], "little", signed=True))
        return at + 1 + data[at]
    else:
        return _name_or_call(letter, data, at, stack)
    return at


def _text(letter: str, data: bytes, at: int, stack: list[Any]) -> int:
    width = 4 if letter in "XB" else 1
    length = int.from_bytes(data[at : at + width], "little")
    start = at + width
    text = data[start : start + length]
    stack.append(text if letter in "CB" else text.decode("latin1" if letter == "U" else "utf-8"))
    return start + length


def _name_or_call(letter: str, data: bytes, at: int, stack: list[Any]) -> int:
    if letter == "c":  # module and name, each on a line
        middle = data.index(b"\n", at)
        end = data.index(b"\n", middle + 1)
        stack.append(_allowed(data[at:middle].decode(), data[middle + 1 : end].decode()))
        return end + 1
    if letter == "\x93":
        name, module = stack.pop(), stack.pop()
        stack.append(_allowed(module, name))
    elif letter == "R":
        arguments, name = stack.pop(), stack.pop()
        stack.append(_Call(name, arguments))
    elif letter == "b":
        state = stack.pop()
        stack[-1].state = state
    else:
        raise FileError(
            "The array of lists asks for something that lists of numbers do not need.",
            got=f"instruction {letter!r} at byte {at - 1}.",
            why="Files are data: Hornbill does not run what a file says.",
        )
    return at


def _allowed(module: str, name: str) -> tuple[str, str]:
    if (module, name) not in _ALLOWED_NAMES:
        raise FileError(
            f"The array of lists names {module}.{name}.",
            why="Lists of numbers have no use for it: the file may have been made to do harm.",
        )
    return module, name


def _pop_to_mark(stack: list[Any]) -> list[Any]:
    start = len(stack) - 1
    while stack[start] is not _MARK:
        start -= 1
        if start < 0:
            raise IndexError("no mark")
    items = stack[start + 1 :]
    del stack[start:]
    return items
