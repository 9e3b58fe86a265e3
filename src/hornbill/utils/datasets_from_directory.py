"""Data sets from folders of pictures, texts and sounds, one sub-folder per class.

They are `PyDataset`s: no TensorFlow is needed, and `format="tf"` and `format="grain"` give the same thing.
Files are read and pictures resized on the host, in threads when the data set's `workers` says so.
"""

from __future__ import annotations

import math
import os
import pathlib
import wave
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from hornbill.engine.errors import ArgumentError, DataError, one_of
from hornbill.engine.settings import standardize_data_format
from hornbill.utils.directory_index import Listing, list_files, make_parts
from hornbill.utils.images import load_img
from hornbill.utils.pydataset import PyDataset
from hornbill.utils.resizing import INTERPOLATIONS, crop_to_ratio, pad_to_ratio, resize_on_host

__all__ = ["audio_dataset_from_directory", "image_dataset_from_directory", "text_dataset_from_directory"]

_IMAGE_SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png")


class FileBatches(PyDataset):
    """Batches of files of a listing, read when asked for.

    Attributes:
        class_names: Names of the classes in the order of their numbers.
        file_paths: Path of each file, in the order before shuffling.
    """

    def __init__(
        self,
        listing: Listing,
        read: Callable[[str], np.ndarray],
        join: Callable[[list[np.ndarray]], Any],
        batch_size: int | None,
        rng: np.random.Generator | None,
    ) -> None:
        super().__init__()
        self.class_names, self.file_paths = listing.class_names, listing.paths
        self.labels = listing.encoded_labels()
        self.batch_size = batch_size
        self._read, self._join, self._rng = read, join, rng
        self._order = np.arange(len(self.file_paths))
        self.on_epoch_end()

    def __len__(self) -> int:
        return math.ceil(len(self.file_paths) / (self.batch_size or 1))

    def __getitem__(self, index: int) -> Any:
        if not 0 <= index < len(self):
            raise IndexError(index)
        size = self.batch_size or 1
        chosen = self._order[index * size : (index + 1) * size]
        items = [self._read(self.file_paths[i]) for i in chosen]
        if self.batch_size is None:
            x: Any = items[0]
            return x if self.labels is None else (x, self.labels[chosen[0]])
        x = self._join(items)
        return x if self.labels is None else (x, self.labels[chosen])

    def on_epoch_end(self) -> None:
        """Draws the order of the next epoch."""
        if self._rng is not None:
            self._rng.shuffle(self._order)


def image_dataset_from_directory(
    directory: str | os.PathLike[str],
    labels: str | Sequence[int] | None = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    color_mode: str = "rgb",
    batch_size: int | None = 32,
    image_size: tuple[int, int] = (256, 256),
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    interpolation: str = "bilinear",
    follow_links: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    data_format: str | None = None,
    format: str = "tf",
    verbose: bool = True,
) -> Any:
    """Makes batches of pictures out of a folder.

    Args:
        directory: The folder. With labels "inferred" it has a sub-folder per class.
        labels: "inferred", None, or a number for each file in alphabetical order of the paths.
        label_mode: "int", "categorical" (one-hot), "binary" (0.0 or 1.0) or None.
        class_names: The sub-folders in the order of their class numbers; alphabetical if None.
        color_mode: "grayscale", "rgb" or "rgba".
        batch_size: Pictures in a batch; None gives single pictures.
        image_size: Height and width to which all pictures are resized.
        shuffle: Whether to shuffle the files, anew each epoch.
        seed: Seed of the shuffling; needed for matching training and validation parts.
        validation_split: Share of the files that is for validation.
        subset: "training", "validation" or "both".
        interpolation: "bilinear", "nearest", "bicubic", "area", "lanczos3", "lanczos5", "gaussian",
            "mitchellcubic".
        follow_links: Whether to enter folders that are symbolic links.
        crop_to_aspect_ratio: Whether to cut pictures to the ratio of `image_size` instead of distorting them.
        pad_to_aspect_ratio: Whether to put zeros around pictures instead of distorting them.
        data_format: "channels_last" or "channels_first"; None means the default.
        format: "tf" or "grain", kept for Keras' sake; both give the same PyDataset.
        verbose: Whether to say how many files were found.

    Returns:
        A `PyDataset` of `images` or `(images, labels)`, with `class_names` and `file_paths`; with subset
        "both" a pair.

    Raises:
        ArgumentError: If an argument does not make sense.
        DataError: If the folder has no such files.

    Shapes:
        Images are float32 `(batch, height, width, channels)`.
    """
    owner = "image_dataset_from_directory"
    one_of(owner, "color_mode", color_mode, ("grayscale", "rgb", "rgba"))
    one_of(owner, "interpolation", str(interpolation).lower(), INTERPOLATIONS)
    one_of(owner, "format", format, ("tf", "grain"))
    if crop_to_aspect_ratio and pad_to_aspect_ratio:
        raise ArgumentError(f"{owner}: crop_to_aspect_ratio and pad_to_aspect_ratio exclude each other.")
    if not hasattr(image_size, "__len__") or len(image_size) != 2 or min(image_size) < 1:
        raise ArgumentError(f"{owner}: image_size is a pair, height and width.", got=f"{image_size!r}.")
    size = (int(image_size[0]), int(image_size[1]))
    channels_first = standardize_data_format(data_format) == "channels_first"

    def read(path: str) -> np.ndarray:
        image = np.asarray(load_img(path, color_mode=color_mode))
        image = image[..., None] if image.ndim == 2 else image  # (height, width, channels)
        if crop_to_aspect_ratio:
            image = crop_to_ratio(image, size)
        elif pad_to_aspect_ratio:
            image = pad_to_ratio(image, size)
        image = resize_on_host(image, size, str(interpolation).lower())
        return image.transpose(2, 0, 1) if channels_first else image

    listing = list_files(
        owner, directory, labels, label_mode, class_names, _IMAGE_SUFFIXES, follow_links, verbose
    )
    return make_parts(
        owner, listing, validation_split, subset, shuffle, seed, _builder(read, np.stack, batch_size)
    )


def text_dataset_from_directory(
    directory: str | os.PathLike[str],
    labels: str | Sequence[int] | None = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    batch_size: int | None = 32,
    max_length: int | None = None,
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    follow_links: bool = False,
    format: str = "tf",
    verbose: bool = True,
) -> Any:
    """Makes batches of texts out of a folder of `.txt` files.

    Args:
        directory: The folder. With labels "inferred" it has a sub-folder per class.
        labels: "inferred", None, or a number for each file in alphabetical order of the paths.
        label_mode: "int", "categorical" (one-hot), "binary" (0.0 or 1.0) or None.
        class_names: The sub-folders in the order of their class numbers; alphabetical if None.
        batch_size: Texts in a batch; None gives single texts.
        max_length: Characters after which a text is cut.
        shuffle: Whether to shuffle the files, anew each epoch.
        seed: Seed of the shuffling; needed for matching training and validation parts.
        validation_split: Share of the files that is for validation.
        subset: "training", "validation" or "both".
        follow_links: Whether to enter folders that are symbolic links.
        format: "tf" or "grain", kept for Keras' sake; both give the same PyDataset.
        verbose: Whether to say how many files were found.

    Returns:
        A `PyDataset` of `texts` or `(texts, labels)`; texts are NumPy arrays of str objects, read as UTF-8.

    Raises:
        ArgumentError: If an argument does not make sense.
        DataError: If the folder has no such files.
    """
    owner = "text_dataset_from_directory"
    one_of(owner, "format", format, ("tf", "grain"))

    def read(path: str) -> Any:
        text = pathlib.Path(path).read_text(encoding="utf-8", errors="replace")
        return text if max_length is None else text[:max_length]

    def join(texts: list[Any]) -> np.ndarray:
        return np.array(texts, dtype=object)

    listing = list_files(owner, directory, labels, label_mode, class_names, (".txt",), follow_links, verbose)
    return make_parts(
        owner, listing, validation_split, subset, shuffle, seed, _builder(read, join, batch_size)
    )


def audio_dataset_from_directory(
    directory: str | os.PathLike[str],
    labels: str | Sequence[int] | None = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    batch_size: int | None = 32,
    sampling_rate: int | None = None,
    output_sequence_length: int | None = None,
    ragged: bool = False,
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    follow_links: bool = False,
    verbose: bool = True,
) -> Any:
    """Makes batches of sounds out of a folder of `.wav` files.

    Args:
        directory: The folder. With labels "inferred" it has a sub-folder per class.
        labels: "inferred", None, or a number for each file in alphabetical order of the paths.
        label_mode: "int", "categorical" (one-hot), "binary" (0.0 or 1.0) or None.
        class_names: The sub-folders in the order of their class numbers; alphabetical if None.
        batch_size: Sounds in a batch; None gives single sounds.
        sampling_rate: Samples per second to which sounds are brought by linear interpolation; None keeps
            theirs.
        output_sequence_length: Samples to which a sound is cut or padded; the longest of the batch if None.
        ragged: Only False: there are no ragged arrays on JAX.
        shuffle: Whether to shuffle the files, anew each epoch.
        seed: Seed of the shuffling; needed for matching training and validation parts.
        validation_split: Share of the files that is for validation.
        subset: "training", "validation" or "both".
        follow_links: Whether to enter folders that are symbolic links.
        verbose: Whether to say how many files were found.

    Returns:
        A `PyDataset` of `sounds` or `(sounds, labels)`.

    Raises:
        ArgumentError: If an argument does not make sense.
        DataError: If the folder has no such files, or one is not linear PCM.

    Shapes:
        Sounds are float32 from -1 to 1, `(batch, samples, channels)`.
    """
    owner = "audio_dataset_from_directory"
    if ragged:
        raise ArgumentError(
            f"{owner}: ragged=True asks for arrays of different lengths in one batch, which JAX has not.",
            fixes=("output_sequence_length=16000 for equal lengths.", "batch_size=None for single sounds."),
        )

    def read(path: str) -> np.ndarray:
        sound = _read_wave(path, sampling_rate)
        return sound if output_sequence_length is None else _to_length(sound, output_sequence_length)

    def join(sounds: list[np.ndarray]) -> np.ndarray:
        longest = max(map(len, sounds))
        return np.stack([_to_length(sound, longest) for sound in sounds])

    listing = list_files(owner, directory, labels, label_mode, class_names, (".wav",), follow_links, verbose)
    return make_parts(
        owner, listing, validation_split, subset, shuffle, seed, _builder(read, join, batch_size)
    )


def _builder(read: Any, join: Any, batch_size: int | None) -> Callable[..., FileBatches]:
    if batch_size is not None and (not hasattr(batch_size, "__index__") or batch_size < 1):
        raise ArgumentError("batch_size must be a whole number above 0, or None.", got=f"{batch_size!r}.")
    return lambda listing, rng: FileBatches(listing, read, join, batch_size, rng)


def _read_wave(path: str, sampling_rate: int | None) -> np.ndarray:
    try:
        with wave.open(path) as file:
            channels, width, rate = file.getnchannels(), file.getsampwidth(), file.getframerate()
            data = file.readframes(file.getnframes())
    except (wave.Error, EOFError) as error:
        raise DataError(f"{path} is no sound file of linear PCM.", got=f"{error}.") from None
    raw = np.frombuffer(data, "uint8")
    if width == 1:
        values = (raw.astype("float32") - 128) / 128
    else:  # little-endian numbers of 2, 3 or 4 bytes, put into the upper bytes of 4
        wide = np.zeros((len(raw) // width, 4), "uint8")
        wide[:, 4 - width :] = raw[: len(raw) // width * width].reshape(-1, width)
        values = wide.view("<i4")[:, 0].astype("float32") / 2.0**31
    sound = values.reshape(-1, channels)  # (samples, channels)
    if sampling_rate is None or sampling_rate == rate or not len(sound):
        return sound
    places = np.arange(round(len(sound) * sampling_rate / rate)) * (rate / sampling_rate)
    columns = [np.interp(places, np.arange(len(sound)), column) for column in sound.T]
    return np.stack(columns, axis=1).astype("float32")


def _to_length(sound: np.ndarray, length: int) -> np.ndarray:
    return np.pad(sound[:length], ((0, max(length - len(sound), 0)), (0, 0)))
