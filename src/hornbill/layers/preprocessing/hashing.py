"""Hashing and HashedCrossing: any values to a fixed number of bins, the same on every machine.

Without a salt the hash is FarmHash's Fingerprint64, with one SipHash-2-4: those that Keras uses, so that bins agree.
Sources: Geoff Pike's description of FarmHash; Aumasson and Bernstein, SipHash, 2012.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from hornbill import ops
from hornbill.engine.errors import ArgumentError, one_of
from hornbill.engine.op import Tensor
from hornbill.engine.registry import register_public
from hornbill.layers.preprocessing.encoding import INT, MODES, dense_only, encode
from hornbill.layers.preprocessing.host import HostLayer, as_texts

__all__ = ["HashedCrossing", "Hashing"]

_M = (1 << 64) - 1
_K0, _K1, _K2 = 0xC3A5C85C97CB3127, 0xB492B66FBE98F273, 0x9AE16A3B2F90404F


def _rotate(v: int, by: int) -> int:
    return ((v >> by) | (v << (64 - by))) & _M


def _mix(v: int) -> int:
    return v ^ (v >> 47)


def _at(s: bytes, i: int) -> int:
    return int.from_bytes(s[i : i + 8], "little")


def _join(u: int, v: int, mul: int) -> int:
    a = _mix(((u ^ v) * mul) & _M)
    return (_mix(((v ^ a) * mul) & _M) * mul) & _M


def fingerprint64(s: bytes) -> int:
    """Returns FarmHash's Fingerprint64 of some bytes."""
    n = len(s)
    if n > 64:
        return _fingerprint_long(s)
    mul = (_K2 + n * 2) & _M
    if n > 16:
        a = _at(s, 0) * (_K1 if n <= 32 else _K2) & _M
        b, c, d = _at(s, 8), _at(s, n - 8) * mul & _M, _at(s, n - 16) * _K2 & _M
        y = (_rotate((a + b) & _M, 43) + _rotate(c, 30) + d) & _M
        z = _join(y, (a + _rotate((b + _K2) & _M, 18) + c) & _M, mul)
        if n <= 32:
            return z
        e, f = _at(s, 16) * mul & _M, _at(s, 24)
        g, h = (y + _at(s, n - 32)) * mul & _M, (z + _at(s, n - 24)) * mul & _M
        first = (_rotate((e + f) & _M, 43) + _rotate(g, 30) + h) & _M
        return _join(first, (e + _rotate((f + a) & _M, 18) + g) & _M, mul)
    if n >= 8:
        a, b = (_at(s, 0) + _K2) & _M, _at(s, n - 8)
        return _join((_rotate(b, 37) * mul + a) & _M, (_rotate(a, 25) + b) * mul & _M, mul)
    if n >= 4:
        head, tail = (int.from_bytes(part, "little") for part in (s[:4], s[-4:]))
        return _join((n + (head << 3)) & _M, tail, mul)
    if n > 0:
        y, z = s[0] + (s[n >> 1] << 8), n + (s[-1] << 2)
        return _mix((y * _K2 ^ z * _K0) & _M) * _K2 & _M
    return _K2


def _weak(s: bytes, i: int, a: int, b: int) -> tuple[int, int]:
    w, x, y, z = (_at(s, i + 8 * k) for k in range(4))
    a = (a + w) & _M
    b = _rotate((b + a + z) & _M, 21)
    c = a
    a = (a + x + y) & _M
    return (a + z) & _M, (b + _rotate(a, 44) + c) & _M


def _fingerprint_long(s: bytes) -> int:
    n, seed = len(s), 81
    x, y = seed, (seed * _K1 + 113) & _M
    z = _mix((y * _K2 + 113) & _M) * _K2 & _M
    v, w = (0, 0), (0, 0)
    x = (x * _K2 + _at(s, 0)) & _M

    def round_of(i: int, mul: int, x: int, y: int, z: int, v: Any, w: Any, nine: int) -> Any:
        x = _rotate((x + y + v[0] + _at(s, i + 8)) & _M, 37) * mul & _M
        y = _rotate((y + v[1] + _at(s, i + 48)) & _M, 42) * mul & _M
        x ^= w[1] * nine & _M
        y = (y + v[0] * nine + _at(s, i + 40)) & _M
        z = _rotate((z + w[0]) & _M, 33) * mul & _M
        v = _weak(s, i, v[1] * mul & _M, (x + w[0]) & _M)
        w = _weak(s, i + 32, (z + w[1]) & _M, (y + _at(s, i + 16)) & _M)
        return z, y, x, v, w

    end = (n - 1) // 64 * 64
    for i in range(0, end, 64):
        x, y, z, v, w = round_of(i, _K1, x, y, z, v, w, 1)
    mul = (_K1 + ((z & 0xFF) << 1)) & _M
    w = ((w[0] + ((n - 1) & 63)) & _M, w[1])
    v = ((v[0] + w[0]) & _M, v[1])
    w = ((w[0] + v[0]) & _M, w[1])
    x, y, z, v, w = round_of(end + ((n - 1) & 63) - 63, mul, x, y, z, v, w, 9)
    first = (_join(v[0], w[0], mul) + _mix(y) * _K0 + z) & _M
    return _join(first, (_join(v[1], w[1], mul) + x) & _M, mul)


def siphash(key: Sequence[int], s: bytes) -> int:
    """Returns SipHash-2-4 of some bytes under a key of two numbers."""
    k0, k1 = (int(k) & _M for k in key)
    a, b = k0 ^ 0x736F6D6570736575, k1 ^ 0x646F72616E646F6D
    c, d = k0 ^ 0x6C7967656E657261, k1 ^ 0x7465646279746573

    def rounds(count: int, a: int, b: int, c: int, d: int) -> tuple[int, int, int, int]:
        for _ in range(count):
            a, c = (a + b) & _M, (c + d) & _M
            b, d = _rotate(b, 51) ^ a, _rotate(d, 48) ^ c
            a, c = (_rotate(a, 32) + d) & _M, (c + b) & _M
            d, b = _rotate(d, 43) ^ a, _rotate(b, 47) ^ c
            c = _rotate(c, 32)
        return a, b, c, d

    padded = s + b"\0" * (7 - len(s) % 8) + bytes([len(s) & 0xFF])
    for (word,) in struct.iter_unpack("<Q", padded):
        a, b, c, d = rounds(2, a, b, c, d ^ word)
        a ^= word
    a, b, c, d = rounds(4, a, b, c ^ 0xFF, d)
    return a ^ b ^ c ^ d


def join_fingerprints(first: int, second: int) -> int:
    """Returns the fingerprint of two fingerprints in a row, in the manner of MurmurHash."""
    mul = 0xC6A4A7935BD1E995
    result = (first ^ mul) ^ (_mix(second * mul & _M) * mul & _M)
    return _mix(_mix(result * mul & _M) * mul & _M)


class Hashing(HostLayer):
    """Puts strings or whole numbers into bins by their hash.

    Args:
        num_bins: Number of bins, that of the mask included.
        mask_value: Value that goes into bin 0; the others then share the rest. None for no mask.
        salt: Key of the hash: a whole number or two; None for the hash without key.
        output_mode: "int" for bin numbers, or "one_hot", "multi_hot", "count".
        sparse: Only False.

    Shapes:
        inputs: (batch, n); any with "int"
        outputs: inputs if output_mode == "int" else (batch, n, num_bins) if output_mode == "one_hot" else
            (batch, num_bins); n is left out if 1
        Params: 0

    Example:
        >>> Hashing(num_bins=3)([["A"], ["B"], ["C"], ["D"], ["E"]]).tolist()
        [[1], [0], [1], [1], [2]]
    """

    def __init__(
        self,
        num_bins: int,
        mask_value: Any = None,
        salt: int | Sequence[int] | None = None,
        output_mode: str = "int",
        sparse: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not isinstance(num_bins, int) or num_bins < 1:
            raise ArgumentError(
                "Hashing: num_bins is a whole number of at least 1.", got=f"num_bins={num_bins!r}."
            )
        dense_only("Hashing", sparse)
        self.num_bins, self.mask_value, self.sparse = num_bins, mask_value, sparse
        self.output_mode = one_of("Hashing", "output_mode", output_mode, (INT, *MODES))
        self.salt = [salt, salt] if isinstance(salt, int) else None if salt is None else list(salt)
        if self.salt is not None and len(self.salt) != 2:
            raise ArgumentError("Hashing: salt is a whole number or two.", got=f"salt={salt!r}.")

    def map_host(self, values: np.ndarray) -> np.ndarray:
        """Returns the bin of each value."""
        if values.dtype.kind == "f":
            raise ArgumentError(
                "Hashing takes strings or whole numbers.", got=f"{values.dtype}.", fixes="x.astype('int32')"
            )
        bins = self.num_bins - (self.mask_value is not None and self.num_bins > 1)
        found = np.empty(values.size, "int32")
        for i, text in enumerate(as_texts(values).ravel()):
            data = text.encode()
            number = fingerprint64(data) if self.salt is None else siphash(self.salt, data)
            found[i] = number % bins
        found = found.reshape(values.shape)
        if self.mask_value is None:
            return found
        masked = as_texts(values) == str(self.mask_value)
        return np.where(masked, 0, found + 1).astype("int32")

    def finish(self, indices: Tensor) -> Tensor:
        """Returns the bin numbers, or rows of ones and counts."""
        if self.output_mode == INT:
            return ops.cast(indices, "int32")
        return encode(indices, self.num_bins, self.output_mode, dtype=self.compute_dtype)


class HashedCrossing(HostLayer):
    """Puts combinations of features into bins by their hash.

    Args:
        num_bins: Number of bins.
        output_mode: "int" for bin numbers, or "one_hot".
        sparse: Only False.
        name: Name; automatic if None.
        dtype: Dtype of the rows of ones; whole numbers are int32.

    Shapes:
        inputs: any; a list of tensors (batch,) or (batch, 1)
        outputs: inputs[0] if output_mode == "int" else (inputs[0][0], num_bins)
        Params: 0

    Example:
        >>> HashedCrossing(5)([np.array(["A", "B", "A", "B", "A"]), np.array([101, 101, 101, 102, 102])]).tolist()
        [1, 4, 1, 1, 3]
    """

    def __init__(
        self,
        num_bins: int,
        output_mode: str = "int",
        sparse: bool = False,
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, dtype=dtype, **kwargs)
        if not isinstance(num_bins, int) or num_bins < 1:
            raise ArgumentError(
                "HashedCrossing: num_bins is a whole number of at least 1.", got=f"{num_bins!r}."
            )
        dense_only("HashedCrossing", sparse)
        self.num_bins, self.sparse = num_bins, sparse
        self.output_mode = one_of("HashedCrossing", "output_mode", output_mode, (INT, "one_hot"))

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Crosses a list of two or more features."""
        if not isinstance(inputs, (list, tuple)) or len(inputs) < 2:
            raise ArgumentError(
                "HashedCrossing is called on a list of two or more features.", got=f"{type(inputs)}."
            )
        features = [np.asarray(feature) for feature in inputs]
        if any(feature.shape != features[0].shape for feature in features):
            raise ArgumentError(
                "HashedCrossing: all features have one shape.",
                got=", ".join(str(f.shape) for f in features) + ".",
            )
        self.built = True
        hashes = [0xDECAFCAFFE] * features[0].size
        for feature in features:
            if feature.dtype.kind in "iub":
                numbers = [int(value) & _M for value in feature.ravel().tolist()]
            else:
                numbers = [fingerprint64(text.encode()) for text in as_texts(feature).ravel()]
            hashes = [join_fingerprints(*pair) for pair in zip(hashes, numbers, strict=True)]
        bins = [number % self.num_bins for number in hashes]
        indices = jnp.asarray(np.asarray(bins, "int32").reshape(features[0].shape))
        if self.output_mode == INT:
            return indices
        return encode(indices, self.num_bins, "one_hot", dtype=self.compute_dtype)


register_public("keras.layers", [Hashing, HashedCrossing])
