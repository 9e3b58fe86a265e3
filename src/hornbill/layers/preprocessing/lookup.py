"""Tables from tokens to numbers and back: StringLookup and IntegerLookup.

A table is [mask token], [tokens for what is not known], vocabulary. It is given, or learned from data by `adapt`. A
vocabulary may be a path when the program gives it; a path in a configuration is never read.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any, ClassVar

import jax.numpy as jnp
import numpy as np

from hornbill import ops
from hornbill.engine.errors import ArgumentError, FileError, NotBuiltError, one_of
from hornbill.engine.op import Tensor
from hornbill.engine.registry import register_public
from hornbill.layers.preprocessing.encoding import INT, MODES, dense_only, encode
from hornbill.layers.preprocessing.hashing import fingerprint64, siphash
from hornbill.layers.preprocessing.host import HostLayer, as_texts
from hornbill.layers.preprocessing.numerical import batches_of

__all__ = ["IntegerLookup", "StringLookup"]

TF_IDF = "tf_idf"


class Lookup(HostLayer):
    """What both lookups share."""

    _modes: ClassVar[tuple[str, ...]] = (INT, *MODES, TF_IDF)
    encoding = "utf-8"
    oov_method = "floormod"

    def _set_up(self, arguments: dict[str, Any]) -> None:
        """Stores the arguments and the vocabulary that was given."""
        owner = type(self).__name__
        dense_only(owner, arguments["sparse"])
        for name in (
            "max_tokens",
            "mask_token",
            "oov_token",
            "invert",
            "pad_to_max_tokens",
            "sparse",
            "salt",
        ):
            setattr(self, name, arguments[name])
        self.output_mode = one_of(owner, "output_mode", arguments["output_mode"], self._modes)
        self.num_oov_indices = arguments["num_oov_indices"]
        if self.max_tokens is not None and self.max_tokens <= self.num_oov_indices:
            raise ArgumentError(
                f"{owner}: max_tokens counts the tokens for what is not known, so it must be larger.",
                got=f"max_tokens={self.max_tokens}, num_oov_indices={self.num_oov_indices}.",
            )
        if self.pad_to_max_tokens and self.max_tokens is None:
            raise ArgumentError(f"{owner}: pad_to_max_tokens needs max_tokens.")
        if self.invert and (self.output_mode != INT or self.num_oov_indices > 1):
            raise ArgumentError(
                f"{owner}: invert goes with output_mode='int' and at most one token for the unknown."
            )
        self._vocabulary: list[Any] | None = None
        self._idf: np.ndarray | None = None
        self._counts: Counter[Any] = Counter()
        self.vocabulary, self.idf_weights = None, None
        if arguments["vocabulary"] is not None:
            self.set_vocabulary(arguments["vocabulary"], arguments["idf_weights"])
            self.vocabulary = list(self._vocabulary or ())
            if self._idf is not None:
                self.idf_weights = self._idf.tolist()

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Creates the layer; a configuration may list a vocabulary but name no file."""
        if isinstance(config.get("vocabulary"), str):
            raise FileError(
                f"The configuration of a {cls.__name__} names a file for its vocabulary, which is never read.",
                got=f"vocabulary={config['vocabulary']!r}.",
                why="A configuration could name any file on this machine.",
                fixes=f"{cls.__name__}(vocabulary={config['vocabulary']!r}) in your program, if you trust the file.",
            )
        return super().from_config(config)

    # ---- the table

    def _token(self, value: Any) -> Any:
        """Returns a vocabulary entry in the form in which it is looked up."""
        raise NotImplementedError

    def _tokens(self, values: np.ndarray) -> list[Any]:
        raise NotImplementedError

    @property
    def _mask_places(self) -> int:
        return 1 if self.mask_token is not None and self.output_mode == INT else 0

    @property
    def _special(self) -> list[Any]:
        mask = [self.mask_token] if self._mask_places else []
        return mask + [self.oov_token] * self.num_oov_indices

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[Any]:
        """Returns the table, or the vocabulary alone."""
        return (self._special if include_special_tokens else []) + list(self._vocabulary or ())

    def vocabulary_size(self) -> int:
        """Returns the length of the table."""
        return len(self._special) + len(self._vocabulary or ())

    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None:
        """Sets the vocabulary.

        Args:
            vocabulary: The tokens, or the path of a file with one token on each line.
            idf_weights: One weight per token, for output_mode "tf_idf".
        """
        owner = f"{type(self).__name__} {self.name!r}"
        if isinstance(vocabulary, (str, Path)):
            vocabulary = Path(vocabulary).read_text(encoding=self.encoding).splitlines()
        tokens = [self._token(v) for v in np.asarray(vocabulary, dtype=object).ravel().tolist()]
        special = self._special
        if special and tokens[: len(special)] == special:
            tokens = tokens[len(special) :]
            if idf_weights is not None and len(idf_weights) == len(tokens) + len(special):
                idf_weights = idf_weights[len(special) :]
        repeated = [token for token, count in Counter(tokens).items() if count > 1]
        if repeated:
            raise ArgumentError(f"{owner}: each token occurs once.", got=f"{repeated[:3]} more than once.")
        if any(token in tokens for token in set(special)):
            raise ArgumentError(
                f"{owner}: the mask and unknown tokens {special} stand before the vocabulary, all of them, "
                "or not at all.",
                got=f"a vocabulary that begins with {tokens[:3]}.",
            )
        if self.max_tokens is not None and len(tokens) + len(special) > self.max_tokens:
            raise ArgumentError(
                f"{owner}: the vocabulary is longer than max_tokens.",
                got=f"{len(tokens)} tokens and {len(special)} special ones, max_tokens={self.max_tokens}.",
            )
        if self.output_mode == TF_IDF:
            if idf_weights is None:
                raise ArgumentError(f"{owner}: output_mode='tf_idf' needs idf_weights with a vocabulary.")
            self._idf = np.asarray(idf_weights, "float32")
            if len(self._idf) != len(tokens):
                raise ArgumentError(
                    f"{owner}: one idf weight per token.", got=f"{len(self._idf)} for {len(tokens)}."
                )
        self._vocabulary = tokens
        self._index = {token: len(special) + i for i, token in enumerate(tokens)}

    def adapt(self, data: Any, batch_size: int | None = None, steps: int | None = None) -> None:
        """Learns the vocabulary: the most frequent tokens first.

        Args:
            data: Array or list of tokens, or iterable of batches.
            batch_size: Kept for Keras' sake.
            steps: How many batches are used; None means all.
        """
        self.reset_state()
        documents: Counter[Any] = Counter()
        total = 0
        for i, batch in enumerate(self._adapt_batches(data)):
            if steps is not None and i >= steps:
                break
            rows = batch if batch.ndim > 1 else batch[:, None] if batch.ndim else batch[None, None]
            for row in rows:
                tokens = self._tokens(np.asarray(row))
                self._counts.update(tokens)
                documents.update(set(tokens))
                total += 1
        self._finish_adapting(documents, total)

    @staticmethod
    def _adapt_batches(data: Any) -> Any:
        return batches_of(data)

    def _finish_adapting(self, documents: Counter[Any], total: int) -> None:
        for token in (*set(self._special), self.mask_token):
            self._counts.pop(token, None)
        ranked = sorted(self._counts, key=lambda token: (self._counts[token], token), reverse=True)
        room = None if self.max_tokens is None else self.max_tokens - len(self._special)
        ranked = ranked[:room]
        idf = None
        if self.output_mode == TF_IDF:
            idf = np.log(1 + total / (1 + np.array([documents[token] for token in ranked], "float32")))
        self.set_vocabulary(ranked, idf)

    def reset_state(self) -> None:
        """Forgets what was learned."""
        self._counts.clear()
        self._vocabulary, self._idf = None, None

    def save_assets(self, dir_path: Any) -> None:
        """Writes the vocabulary to a folder."""
        lines = "\n".join(str(token) for token in self.get_vocabulary())
        Path(dir_path, "vocabulary.txt").write_text(lines, encoding=self.encoding)

    def load_assets(self, dir_path: Any) -> None:
        """Reads the vocabulary from a folder that `save_assets` wrote."""
        if self.vocabulary is None:
            self.set_vocabulary(Path(dir_path, "vocabulary.txt"))

    # ---- looking up

    def on_host(self, values: np.ndarray) -> Any:
        """Looks up, both ways."""
        return self._inverted(values) if self.invert else super().on_host(values)

    def _require_vocabulary(self) -> None:
        if self._vocabulary is None:
            raise NotBuiltError(
                f"{type(self).__name__} {self.name!r} has no vocabulary yet.",
                fixes=("layer.adapt(data)", f"{type(self).__name__}(vocabulary=[...])"),
            )

    def map_host(self, values: np.ndarray) -> np.ndarray:
        """Returns the number of each token."""
        self._require_vocabulary()
        found = [self._number(token) for token in self._tokens(values)]
        return np.asarray(found, "int32").reshape(values.shape)

    def _number(self, token: Any) -> int:
        if self.mask_token is not None and token == self.mask_token:
            return 0 if self._mask_places else -1
        number = self._index.get(token)
        if number is not None:
            return number
        if self.num_oov_indices == 0:
            if self.output_mode != INT:
                return -1
            raise ArgumentError(
                f"{type(self).__name__} {self.name!r} has no place for tokens that are not in its vocabulary.",
                got=f"{token!r}.",
                fixes="num_oov_indices=1",
            )
        if self.num_oov_indices == 1:
            return self._mask_places
        return self._mask_places + self._oov_bin(token)

    def _oov_bin(self, token: Any) -> int:
        if self.oov_method == "floormod" and not isinstance(token, str):
            return int(token) % self.num_oov_indices
        data = str(token).encode()
        number = (
            fingerprint64(data)
            if self.salt is None
            else siphash(np.ravel([self.salt] * 2)[:2].tolist(), data)
        )
        return number % self.num_oov_indices

    def _inverted(self, values: np.ndarray) -> Any:
        self._require_vocabulary()
        table = self.get_vocabulary()
        flat = [table[i] if 0 <= i < len(table) else self.oov_token for i in values.ravel().tolist()]
        if isinstance(self.oov_token, str):
            return as_texts(np.array(flat, dtype=object)).reshape(values.shape)
        return jnp.asarray(np.asarray(flat).reshape(values.shape))

    def finish(self, indices: Tensor) -> Tensor:
        """Returns the numbers, or rows of ones, counts and weights."""
        if self.output_mode == INT:
            return ops.cast(indices, "int32")
        depth = self.max_tokens if self.pad_to_max_tokens else self.vocabulary_size()
        mode = "count" if self.output_mode == TF_IDF else self.output_mode
        rows = encode(indices, depth, mode, dtype=self.compute_dtype)
        if self.output_mode != TF_IDF:
            return rows
        weights = np.zeros(depth, "float32")
        known = np.asarray(self._idf, "float32")
        weights[: self.num_oov_indices] = known.mean() if known.size else 1.0
        weights[self.num_oov_indices : self.num_oov_indices + known.size] = known
        return ops.multiply(rows, weights)


_SHARED = ("max_tokens", "num_oov_indices", "mask_token", "oov_token", "vocabulary", "idf_weights", "invert",
           "output_mode", "sparse", "pad_to_max_tokens", "salt")  # fmt: skip


class StringLookup(Lookup):
    """Looks up strings in a vocabulary.

    Args:
        max_tokens: Longest table, special tokens included; None for no limit.
        num_oov_indices: Number of places for strings that are not in the vocabulary.
        mask_token: String that gets number 0; None for no mask.
        oov_token: What unknown strings are called on the way back.
        vocabulary: The strings, or the path of a file with one on each line.
        idf_weights: One weight per string, for "tf_idf".
        invert: Whether numbers are turned into strings.
        output_mode: "int", "one_hot", "multi_hot", "count" or "tf_idf".
        pad_to_max_tokens: Whether rows are as long as `max_tokens`.
        sparse: Only False.
        encoding: Encoding of bytes and of the file.
        salt: Key of the hash of unknown strings.
        name: Name; automatic if None.

    Shapes:
        inputs: (batch, n); any with "int"
        outputs: inputs if output_mode == "int" else (batch, n, vocabulary_size()) if output_mode ==
            "one_hot" else (batch, vocabulary_size()); n is left out if 1
        Params: 0

    Example:
        >>> StringLookup(vocabulary=["a", "b", "c"])([["a", "c"], ["x", "b"]]).tolist()
        [[1, 3], [0, 2]]
    """

    def __init__(
        self,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        mask_token: str | None = None,
        oov_token: str = "[UNK]",  # noqa: S107
        vocabulary: Any = None,
        idf_weights: Any = None,
        invert: bool = False,
        output_mode: str = "int",
        pad_to_max_tokens: bool = False,
        sparse: bool = False,
        encoding: str = "utf-8",
        name: str | None = None,
        salt: Any = None,
        **kwargs: Any,
    ) -> None:
        arguments = {key: value for key, value in locals().items() if key in _SHARED}
        super().__init__(name=name, **kwargs)
        self.encoding = encoding
        self._set_up(arguments)

    def _token(self, value: Any) -> str:
        return value.decode(self.encoding) if isinstance(value, bytes) else str(value)

    def _tokens(self, values: np.ndarray) -> list[Any]:
        return as_texts(values, self.encoding).ravel().tolist()


class IntegerLookup(Lookup):
    """Looks up whole numbers in a vocabulary.

    Args:
        max_tokens: Longest table, special tokens included; None for no limit.
        num_oov_indices: Number of places for numbers that are not in the vocabulary.
        mask_token: Number that gets 0; None for no mask.
        oov_token: What unknown numbers are called on the way back.
        vocabulary: The numbers, or the path of a file with one on each line.
        vocabulary_dtype: "int64" or "int32".
        idf_weights: One weight per number, for "tf_idf".
        invert: Whether places are turned into the numbers of the vocabulary.
        output_mode: "int", "one_hot", "multi_hot", "count" or "tf_idf".
        sparse: Only False.
        pad_to_max_tokens: Whether rows are as long as `max_tokens`.
        oov_method: "floormod" or "farmhash": how unknown numbers share several places.
        salt: Key of the hash.
        name: Name; automatic if None.

    Shapes:
        inputs: (batch, n); any with "int"
        outputs: inputs if output_mode == "int" else (batch, n, vocabulary_size()) if output_mode ==
            "one_hot" else (batch, vocabulary_size()); n is left out if 1
        Params: 0

    Example:
        >>> IntegerLookup(vocabulary=[12, 36, 99])(np.array([[12, 99], [7, 36]])).tolist()
        [[1, 3], [0, 2]]
    """

    def __init__(
        self,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        mask_token: int | None = None,
        oov_token: int = -1,
        vocabulary: Any = None,
        vocabulary_dtype: str = "int64",
        idf_weights: Any = None,
        invert: bool = False,
        output_mode: str = "int",
        sparse: bool = False,
        pad_to_max_tokens: bool = False,
        oov_method: str = "floormod",
        salt: Any = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        arguments = {key: value for key, value in locals().items() if key in _SHARED}
        super().__init__(name=name, **kwargs)
        self.vocabulary_dtype = one_of(
            "IntegerLookup", "vocabulary_dtype", vocabulary_dtype, ("int64", "int32")
        )
        self.oov_method = one_of("IntegerLookup", "oov_method", oov_method, ("floormod", "farmhash"))
        self._set_up(arguments)

    def _token(self, value: Any) -> int:
        return int(value)

    def _tokens(self, values: np.ndarray) -> list[Any]:
        if values.dtype.kind not in "iub":
            raise ArgumentError(
                "IntegerLookup takes whole numbers.",
                got=f"{values.dtype}.",
                fixes="StringLookup for strings.",
            )
        return values.ravel().tolist()


register_public("keras.layers", [StringLookup, IntegerLookup])
