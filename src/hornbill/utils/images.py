"""Pictures to arrays and back, through PIL: load_img, img_to_array, array_to_img, save_img, smart_resize."""

from __future__ import annotations

import io
import os
import pathlib
import warnings
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from PIL import Image

from hornbill.engine.dtype import standardize_dtype
from hornbill.engine.errors import ArgumentTypeError, ShapeError, one_of
from hornbill.engine.settings import standardize_data_format
from hornbill.utils.resizing import crop_to_ratio, resize_on_host

__all__ = ["array_to_img", "img_to_array", "load_img", "save_img"]

_RESAMPLING = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "hamming": Image.Resampling.HAMMING,
    "box": Image.Resampling.BOX,
    "lanczos": Image.Resampling.LANCZOS,
}
_GRAY_MODES = ("L", "I;16", "I")


def load_img(
    path: str | os.PathLike[str] | io.BytesIO,
    color_mode: str = "rgb",
    target_size: tuple[int, int] | None = None,
    interpolation: str = "nearest",
    keep_aspect_ratio: bool = False,
) -> Image.Image:
    """Reads a picture.

    Args:
        path: Path or `io.BytesIO`.
        color_mode: "grayscale" (16 and 32 bit gray stay so), "rgb" or "rgba".
        target_size: Height and width to resize to; None keeps the size.
        interpolation: "nearest", "bilinear", "bicubic", "hamming", "box" or "lanczos".
        keep_aspect_ratio: Whether to cut the middle with the target's ratio out of the picture before
            resizing, instead of distorting it.

    Returns:
        A PIL image.

    Raises:
        ArgumentError: If color_mode or interpolation are unknown.
        ArgumentTypeError: If path is neither a path nor `io.BytesIO`.
    """
    one_of("load_img", "color_mode", color_mode, ("grayscale", "rgb", "rgba"))
    one_of("load_img", "interpolation", interpolation, tuple(_RESAMPLING))
    if isinstance(path, io.BytesIO):
        image = Image.open(path)
    elif isinstance(path, (str, bytes, os.PathLike)):
        with pathlib.Path(os.fsdecode(path)).open("rb") as file:
            image = Image.open(io.BytesIO(file.read()))
    else:
        raise ArgumentTypeError(
            "load_img: path must be a path or io.BytesIO.", got=f"a {type(path).__name__}."
        )
    if color_mode == "grayscale":
        image = image if image.mode in _GRAY_MODES else image.convert("L")
    else:
        image = image if image.mode == color_mode.upper() else image.convert(color_mode.upper())
    if target_size is None or image.size == (target_size[1], target_size[0]):
        return image
    box = _middle(image, target_size) if keep_aspect_ratio else None
    return image.resize((target_size[1], target_size[0]), _RESAMPLING[interpolation], box=box)


def _middle(image: Image.Image, size: tuple[int, int]) -> tuple[int, int, int, int]:
    width, height = image.size
    kept_height = min(height, max(1, width * size[0] // size[1]))
    kept_width = min(width, max(1, height * size[1] // size[0]))
    left, top = (width - kept_width) // 2, (height - kept_height) // 2
    return left, top, left + kept_width, top + kept_height


def img_to_array(img: Any, data_format: str | None = None, dtype: Any = None) -> np.ndarray:
    """Returns a picture as an array.

    Args:
        img: PIL image, or an array of two or three dimensions.
        data_format: "channels_last" or "channels_first"; None means the default.
        dtype: Dtype of the result; None means the default float type.

    Returns:
        A NumPy array of shape (height, width, channels) or (channels, height, width).

    Raises:
        ShapeError: If the array has neither two nor three dimensions.
    """
    data_format = standardize_data_format(data_format)
    array = np.asarray(img).astype(jnp.dtype(standardize_dtype(dtype)))
    if array.ndim == 2:
        array = array[..., None]  # (height, width, 1)
    if array.ndim != 3:
        raise ShapeError(
            "img_to_array: a picture has axes (height, width) or (height, width, channels).",
            got=f"shape {array.shape}.",
        )
    return array.transpose(2, 0, 1) if data_format == "channels_first" else array


def array_to_img(
    x: Any, data_format: str | None = None, scale: bool = True, dtype: Any = None
) -> Image.Image:
    """Returns an array as a picture.

    Args:
        x: Array of shape (height, width, channels) or (channels, height, width), with 1, 3 or 4 channels.
        data_format: "channels_last" or "channels_first"; None means the default.
        scale: Whether to stretch the values so that the smallest becomes 0 and the largest 255.
        dtype: Dtype to compute in; None means the default float type.

    Returns:
        A PIL image.

    Raises:
        ShapeError: If `x` has not three dimensions, or another number of channels.
    """
    data_format = standardize_data_format(data_format)
    array = np.asarray(x).astype(jnp.dtype(standardize_dtype(dtype)))
    if array.ndim != 3:
        raise ShapeError(
            "array_to_img: one picture has the axes height, width and channels.",
            got=f"shape {array.shape}.",
            fixes=(
                "x[0] for the first picture of a batch.",
                "x[..., None] for a gray picture without channels.",
            ),
        )
    if data_format == "channels_first":
        array = array.transpose(1, 2, 0)
    if scale:
        array = array - array.min()
        largest = array.max()
        array = array / largest * 255 if largest != 0 else array
    channels = array.shape[2]
    if channels == 1:
        gray = array[..., 0]
        # more than 8 bits: keep whole numbers instead of wrapping around
        return Image.fromarray(gray.astype("int32" if gray.max(initial=0) > 255 else "uint8"))
    if channels in (3, 4):
        return Image.fromarray(array.astype("uint8"))
    raise ShapeError(
        "array_to_img: a picture has 1, 3 or 4 channels.", got=f"{channels}, in shape {array.shape}."
    )


def save_img(
    path: str | os.PathLike[str] | Any,
    x: Any,
    data_format: str | None = None,
    file_format: str | None = None,
    scale: bool = True,
    **kwargs: Any,
) -> None:
    """Writes an array as a picture.

    Args:
        path: Path or binary file object.
        x: Array of one picture.
        data_format: "channels_last" or "channels_first"; None means the default.
        file_format: Format such as "png"; told from the path's suffix if None. Needed for a file object.
        scale: Whether to stretch the values to 0 to 255.
        **kwargs: Passed to `PIL.Image.Image.save`.
    """
    image = array_to_img(x, data_format=data_format, scale=scale)
    suffix = pathlib.Path(path).suffix[1:] if isinstance(path, (str, os.PathLike)) else ""
    kind = (file_format or suffix).lower()
    if image.mode == "RGBA" and kind in ("jpg", "jpeg"):
        warnings.warn("JPEG has no alpha channel: it is left out of the saved picture.", stacklevel=2)
        image = image.convert("RGB")
    file_format = "jpeg" if kind == "jpg" else file_format
    image.save(path, format=file_format, **kwargs)


def smart_resize(
    x: Any,
    size: tuple[int, int],
    interpolation: str = "bilinear",
    data_format: str = "channels_last",
    **kwargs: Any,
) -> Any:
    """Resizes pictures without distorting them: cuts out the middle with the ratio of `size` first.

    Args:
        x: One picture or a batch: (height, width, channels) or (batch, height, width, channels).
        size: Height and width wanted.
        interpolation: "bilinear", "nearest", "bicubic", "lanczos3" or "lanczos5".
        data_format: "channels_last" or "channels_first".
        **kwargs: None are known; `backend_module` of Keras is accepted and means nothing here.

    Returns:
        A float32 NumPy array; a JAX array if `x` is one.

    Raises:
        ShapeError: If `x` has not three or four dimensions, or size is not a pair.
    """
    unknown = set(kwargs) - {"backend_module"}
    if unknown:
        raise ArgumentTypeError(f"smart_resize has no argument {', '.join(sorted(unknown))}.")
    one_of(
        "smart_resize",
        "interpolation",
        interpolation,
        ("bilinear", "nearest", "lanczos3", "lanczos5", "bicubic"),
    )
    channels_first = standardize_data_format(data_format) == "channels_first"
    if not hasattr(size, "__len__") or len(size) != 2:
        raise ShapeError("smart_resize: size is a pair, height and width.", got=f"size={size!r}.")
    images = np.asarray(x)
    if images.ndim not in (3, 4):
        raise ShapeError(
            "smart_resize: pictures have axes (height, width, channels), or batch before them.",
            got=f"shape {images.shape}.",
        )
    if channels_first:
        images = np.moveaxis(images, -3, -1)
    height, width = int(size[0]), int(size[1])
    result = resize_on_host(crop_to_ratio(images, (height, width)), (height, width), interpolation)
    if channels_first:
        result = np.moveaxis(result, -1, -3)
    return jnp.asarray(result) if isinstance(x, jax.Array) else result
