"""The sequence functions under `keras.preprocessing.sequence`."""

from hornbill.utils.array_tools import pad_sequences

__all__ = ["pad_sequences"]
