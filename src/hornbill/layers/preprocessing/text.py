"""TextVectorization: texts to numbers of words, counts or weights, on the host."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np

from hornbill.engine.errors import ArgumentError, FileError, NotBuiltError, one_of
from hornbill.engine.registry import register_public
from hornbill.engine.symbolic import KerasTensor
from hornbill.layers.preprocessing.encoding import INT, dense_only
from hornbill.layers.preprocessing.host import HostLayer, as_texts
from hornbill.layers.preprocessing.lookup import TF_IDF, StringLookup

__all__ = ["TextVectorization"]

_PUNCTUATION = re.compile(r"""[!"#$%&()*+,\-./:;<=>?@\[\\\]^_`{|}~']""")
_STANDARDIZE = ("lower_and_strip_punctuation", "lower", "strip_punctuation", None)
_SPLIT = ("whitespace", "character", None)


class TextVectorization(HostLayer):
    """Standardises texts, splits them into tokens and looks these up in a vocabulary.

    Args:
        max_tokens: Longest table, the mask and unknown tokens included; None for no limit.
        standardize: "lower_and_strip_punctuation", "lower", "strip_punctuation", None or a function of an array.
        split: "whitespace", "character", None or a function from a text to its tokens.
        ngrams: n for all runs of 1 to n tokens, a tuple for those lengths only, or None.
        output_mode: "int", "multi_hot", "count" or "tf_idf".
        output_sequence_length: Length to which rows of numbers are cut or filled with 0; None for the longest.
        pad_to_max_tokens: Whether rows of counts are as long as `max_tokens`.
        vocabulary: The tokens, or the path of a file with one on each line.
        idf_weights: One weight per token, for "tf_idf".
        sparse: Only False.
        ragged: Only False.
        encoding: Encoding of bytes.
        name: Name; automatic if None.

    Shapes:
        inputs: any; texts (batch,) or (batch, 1)
        outputs: (inputs[0], output_sequence_length) if output_mode == "int" else (inputs[0],
            vocabulary_size()); the most tokens of a text stand for an `output_sequence_length` of None
        Params: 0

    Example:
        >>> layer = TextVectorization(vocabulary=["earth", "wind", "and", "fire"])
        >>> layer(["Earth, and fire!", "fish"]).tolist()
        [[2, 4, 5], [1, 0, 0]]
    """

    def __init__(
        self,
        max_tokens: int | None = None,
        standardize: str | Callable[..., Any] | None = "lower_and_strip_punctuation",
        split: str | Callable[..., Any] | None = "whitespace",
        ngrams: int | tuple[int, ...] | None = None,
        output_mode: str = "int",
        output_sequence_length: int | None = None,
        pad_to_max_tokens: bool = False,
        vocabulary: Any = None,
        idf_weights: Any = None,
        sparse: bool = False,
        ragged: bool = False,
        encoding: str = "utf-8",
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        dense_only("TextVectorization", sparse)
        if ragged:
            raise ArgumentError(
                "TextVectorization: ragged tensors do not exist on JAX.", fixes="ragged=False"
            )
        self.output_mode = one_of(
            "TextVectorization", "output_mode", output_mode, (INT, "multi_hot", "count", TF_IDF)
        )
        self.standardize = standardize if callable(standardize) else one_of(
            "TextVectorization", "standardize", standardize, _STANDARDIZE)  # fmt: skip
        self.split = split if callable(split) else one_of("TextVectorization", "split", split, _SPLIT)
        if output_sequence_length is not None and output_mode != INT:
            raise ArgumentError("TextVectorization: output_sequence_length goes with output_mode='int'.")
        self.max_tokens, self.output_sequence_length = max_tokens, output_sequence_length
        self.ngrams = tuple(ngrams) if isinstance(ngrams, (list, tuple)) else ngrams
        self.pad_to_max_tokens, self.sparse, self.ragged, self.encoding = (
            pad_to_max_tokens,
            sparse,
            ragged,
            encoding,
        )
        self._table = StringLookup(
            max_tokens=max_tokens, mask_token="", vocabulary=vocabulary, idf_weights=idf_weights, encoding=encoding,
            output_mode=output_mode, pad_to_max_tokens=pad_to_max_tokens,
        )  # fmt: skip
        self.vocabulary, self.idf_weights = self._table.vocabulary, self._table.idf_weights

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> TextVectorization:
        """Creates the layer; a configuration may list a vocabulary but name no file."""
        if isinstance(config.get("vocabulary"), str):
            raise FileError(
                "The configuration of a TextVectorization names a file for its vocabulary, which is never read.",
                got=f"vocabulary={config['vocabulary']!r}.",
                fixes="Give the path to the constructor in your program, if you trust the file.",
            )
        return super().from_config(config)  # type: ignore[return-value]

    # ---- the table

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[str]:
        """Returns the table, or the vocabulary alone."""
        return self._table.get_vocabulary(include_special_tokens)

    def vocabulary_size(self) -> int:
        """Returns the length of the table."""
        return self._table.vocabulary_size()

    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None:
        """Sets the vocabulary, and the weights for "tf_idf"."""
        self._table.set_vocabulary(vocabulary, idf_weights)

    def reset_state(self) -> None:
        """Forgets what was learned."""
        self._table.reset_state()

    def save_assets(self, dir_path: Any) -> None:
        """Writes the vocabulary to a folder."""
        self._table.save_assets(dir_path)

    def load_assets(self, dir_path: Any) -> None:
        """Reads the vocabulary from a folder that `save_assets` wrote."""
        self._table.load_assets(dir_path)

    def adapt(self, data: Any, batch_size: int | None = None, steps: int | None = None) -> None:
        """Learns the vocabulary: the most frequent tokens first.

        Args:
            data: Texts, or an iterable of batches of texts.
            batch_size: Kept for Keras' sake.
            steps: How many batches are used; None means all.
        """
        table, documents, total = self._table, Counter(), 0
        table.reset_state()
        plain = isinstance(data, (str, bytes)) or hasattr(data, "shape") or (
            isinstance(data, (list, tuple)) and not (data and hasattr(data[0], "shape")))  # fmt: skip
        for i, batch in enumerate([data] if plain else data):
            if steps is not None and i >= steps:
                break
            for tokens in self._tokenize(
                np.asarray(batch[0] if isinstance(batch, tuple) and not plain else batch)
            ):
                table._counts.update(tokens)
                documents.update(set(tokens))
                total += 1
        table._finish_adapting(documents, total)

    # ---- texts

    def _tokenize(self, texts: np.ndarray) -> list[list[str]]:
        """Returns the tokens of each text."""
        found: Any = as_texts(texts, self.encoding).ravel()
        if callable(self.standardize):
            found = as_texts(np.asarray(self.standardize(found), dtype=object), self.encoding).ravel()
        elif self.standardize is not None:
            if "lower" in self.standardize:
                found = [text.lower() for text in found]
            if "strip" in self.standardize:
                found = [_PUNCTUATION.sub("", text) for text in found]
        return [self._runs(self._split_text(text)) for text in found]

    def _split_text(self, text: str) -> list[str]:
        split: Any = self.split
        if not isinstance(split, str) and split is not None:
            return [str(token) for token in split(text)]
        if self.split == "whitespace":
            return text.split()
        return list(text) if self.split == "character" else [text]

    def _runs(self, tokens: list[str]) -> list[str]:
        """Returns the runs of tokens that `ngrams` asks for, shorter ones first."""
        if self.ngrams is None:
            return tokens
        lengths = range(1, self.ngrams + 1) if isinstance(self.ngrams, int) else self.ngrams
        return [" ".join(tokens[i : i + n]) for n in lengths for i in range(len(tokens) - n + 1)]

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Vectorises texts."""
        if isinstance(inputs, KerasTensor):
            return super().__call__(inputs, *args, **kwargs)
        texts = np.asarray(inputs)
        if self._table._vocabulary is None:
            raise NotBuiltError(
                f"TextVectorization {self.name!r} has no vocabulary yet.",
                fixes=("layer.adapt(texts)", "TextVectorization(vocabulary=[...])"),
            )
        self.built = True
        rows = self._tokenize(texts)
        if self.output_mode == INT:
            output = self._numbers(rows)
        else:
            width = max((len(row) for row in rows), default=0)
            padded = np.array([row + [""] * (width - len(row)) for row in rows], dtype=object).reshape(
                len(rows), width
            )
            output = self._table(padded)
        return output[0] if texts.ndim == 0 else output

    def _numbers(self, rows: list[list[str]]) -> Any:
        width = self.output_sequence_length or max((len(row) for row in rows), default=0)
        numbers = np.zeros((len(rows), width), "int32")
        for i, row in enumerate(rows):
            found = [self._table._number(token) for token in row[:width]]
            numbers[i, : len(found)] = found
        return jnp.asarray(numbers)


register_public("keras.layers", [TextVectorization])
