"""Examples for a page out of a file or a folder of pictures.

No pickled array is read, and pictures are brought to the size that the model wants.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from hornbill.engine.errors import ArgumentError, FileError

__all__ = ["MOST", "read_examples"]

MOST = 64
"""Examples that are read; statistics are taken over them."""

_PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff")


def read_examples(path: str | Path, model: Any) -> np.ndarray:
    """Returns a batch of inputs for a model.

    Args:
        path: A `.npz` or `.npy` file with an array whose first axis counts the examples, or a picture, or a folder of
            pictures. Pictures become numbers from 0 to 1; arrays are taken as they are.
        model: The model.

    Raises:
        FileError: If the file holds nothing that fits the model.
    """
    path = Path(path)
    wanted = _wanted(model)
    if path.is_dir():
        files = sorted(p for p in path.iterdir() if p.suffix.lower() in _PICTURES)[:MOST]
        if not files:
            raise FileError(
                f"There are no pictures in the folder {str(path)!r}.",
                fixes=f"Pictures end in {', '.join(_PICTURES)}.",
            )
        return np.stack([_picture(file, wanted) for file in files])
    if not path.exists():
        raise FileError(
            f"There is no file {str(path)!r}.", fixes="--examples images.npz, or a folder of pictures"
        )
    if path.suffix.lower() in _PICTURES:
        return _picture(path, wanted)[None]
    return _array(path, wanted)[:MOST]


def _wanted(model: Any) -> tuple[int | None, ...]:
    """Returns the shape of one input, without the batch axis."""
    inputs = list(model.inputs)
    if len(inputs) != 1:
        raise ArgumentError(
            f"Examples from a file are for models with one input; {model.name!r} has {len(inputs)}.",
            fixes="model.explain(to='page.html', examples=[a, b])",
        )
    return tuple(inputs[0].shape[1:])


def _picture(file: Path, wanted: tuple[int | None, ...]) -> np.ndarray:
    """Returns a picture as numbers from 0 to 1 in the shape that the model wants."""
    channels = wanted[-1] if len(wanted) == 3 else 1
    if len(wanted) not in (2, 3) or channels not in (1, 3, 4):
        raise FileError(
            f"A picture is no input for a model that wants {wanted}.",
            fixes="Give an .npz file with arrays of that shape.",
        )
    try:
        with Image.open(file) as image:
            image = image.convert({1: "L", 3: "RGB", 4: "RGBA"}[channels])
            size = (wanted[1] or image.width, wanted[0] or image.height)
            values = np.asarray(image.resize(size, Image.Resampling.BILINEAR), dtype=np.float32) / 255
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise FileError(f"{str(file)!r} cannot be read as a picture.", got=f"{error}.") from error
    return values if len(wanted) == 2 or channels != 1 else values[..., None]


def _array(path: Path, wanted: tuple[int | None, ...]) -> np.ndarray:
    """Returns the first array of a file that fits, with a channels axis of one added where only that is missing."""
    try:
        loaded = np.load(path, allow_pickle=False)
        arrays = [loaded] if isinstance(loaded, np.ndarray) else [loaded[name] for name in loaded.files]
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise FileError(
            f"{str(path)!r} cannot be read as arrays.",
            got=f"{error}.",
            fixes="np.savez('images.npz', x=x_test[:12])",
        ) from error
    for array in arrays:
        for candidate in (array, array[..., None] if array.ndim == len(wanted) else array):
            fits = candidate.ndim == len(wanted) + 1 and len(candidate) > 0 and candidate.dtype.kind in "fiub"
            if fits and all(w is None or w == n for w, n in zip(wanted, candidate.shape[1:], strict=True)):
                return candidate.astype(np.float32) if candidate.dtype.kind in "fb" else candidate
    shapes = ", ".join(str(array.shape) for array in arrays)
    raise FileError(
        f"No array in {str(path)!r} fits the model's input.", got=f"arrays of shape {shapes}.",
        fixes=f"An array of shape {('examples', *wanted)}.",
    )  # fmt: skip
