"""Figures: where matplotlib is asked for, grids of panels, and how arrays become pictures.

matplotlib is an optional package, so it is imported inside functions only. Figures are not known to pyplot: they need
not be closed, and a notebook shows them once.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np

from hornbill.engine.errors import HornbillError
from hornbill.explain.typeface import base_face, lost_signs, runs

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["MissingPackageError", "as_picture", "columns_for", "grid", "new_figure", "write_title"]


class MissingPackageError(HornbillError, ImportError):
    """An optional package is needed that is not installed."""


def need_matplotlib(owner: str) -> Any:
    """Returns matplotlib.

    Args:
        owner: The function that needs it.

    Raises:
        MissingPackageError: If it is not installed.
    """
    try:
        import matplotlib as mpl  # noqa: PLC0415  optional package
    except ImportError as error:
        raise MissingPackageError(
            f"{owner} draws with matplotlib, which is not installed.",
            fixes=("pip install 'hornbill[plot]'", "pip install matplotlib"),
        ) from error
    return mpl


@cache
def _figure_class() -> Any:
    from matplotlib.figure import Figure  # noqa: PLC0415  optional package

    class Picture(Figure):
        """A figure that notebooks show by themselves and `show()` shows in a window."""

        def show(self, warn: bool = True) -> None:
            """Shows the figure, in a window or a notebook.

            Args:
                warn: Whether a backend that cannot show says so.
            """
            from matplotlib import pyplot as plt  # noqa: PLC0415  optional package

            if self.canvas.manager is None:
                manager: Any = plt.figure().canvas.manager  # a window of pyplot's, for this figure
                manager.canvas.figure = self
                self.set_canvas(manager.canvas)
            plt.show()

        def _repr_png_(self) -> bytes:
            stream = BytesIO()
            self.savefig(stream, format="png", bbox_inches="tight")
            return stream.getvalue()

    return Picture


def new_figure(owner: str, width: float, height: float) -> Figure:
    """Returns an empty figure.

    Args:
        owner: The function that draws.
        width: Width in inches.
        height: Height in inches.
    """
    need_matplotlib(owner)
    return _figure_class()(figsize=(width, height), layout="constrained", dpi=110)


def columns_for(count: int, most: int = 8) -> int:
    """Returns how many of `count` panels stand side by side: a block somewhat wider than high."""
    return max(1, min(most, count, math.ceil(math.sqrt(count * 1.5))))


def grid(
    owner: str, count: int, columns: int | None = None, size: float = 1.25, height: float | None = None
) -> tuple[Figure, list[Any]]:
    """Returns a figure with a grid of panels without ticks, and the panels.

    Args:
        owner: The function that draws.
        count: How many panels.
        columns: Panels side by side; chosen if None.
        size: Width of a panel in inches.
        height: Height of a panel in inches; that of a square if None.
    """
    columns = columns or columns_for(count)
    rows = -(-count // columns)
    figure = new_figure(owner, max(3.6, columns * size + 0.9), rows * (height or size) + 0.75)
    axes = figure.subplots(rows, columns, squeeze=False).ravel().tolist()
    for panel in axes:
        panel.set_xticks([])
        panel.set_yticks([])
    for panel in axes[count:]:
        panel.remove()
    return figure, axes[:count]


def write_title(target: Any, text: str, **arguments: Any) -> None:
    """Writes the title of a figure or panel; signs that matplotlib's font lacks come from a font of the machine."""
    text = text if not lost_signs(text) else "".join(piece for _, piece in runs(text))
    others = [face.path for face, _ in runs(text) if face != base_face()]
    if others:
        from matplotlib import font_manager  # noqa: PLC0415  optional package

        names = []
        for path in dict.fromkeys(others):
            font_manager.fontManager.addfont(path)
            names.append(font_manager.FontProperties(fname=path).get_name())
        arguments["fontfamily"] = [*_default_fonts(), *names]
    (target.suptitle if hasattr(target, "suptitle") else target.set_title)(text, **arguments)


def _default_fonts() -> list[str]:
    import matplotlib as mpl  # noqa: PLC0415  optional package

    return [
        mpl.rcParams["font.family"][0] if mpl.rcParams["font.family"] != ["sans-serif"] else "DejaVu Sans"
    ]


def as_picture(image: np.ndarray) -> np.ndarray:
    """Returns an image, channels last, as numbers from 0 to 1 that can be shown.

    Whole numbers up to 255 are divided by 255; other numbers outside 0 to 1 are stretched from the least to the
    largest. One channel is grey, three are red, green and blue, four have opacity; of others the mean is shown.

    Args:
        image: `(height, width)` or `(height, width, channels)`.

    Shapes:
        The result is `(height, width)`, or `(height, width, 3 or 4)`.
    """
    values = np.asarray(image)
    whole = values.dtype == np.uint8
    values = values.astype("float64")
    if values.ndim == 3 and values.shape[-1] not in (1, 3, 4):
        values = values.mean(-1, keepdims=True)
    if values.ndim == 3 and values.shape[-1] == 1:
        values = values[..., 0]
    if whole:
        return values / 255.0
    low, high = _range(values)
    if low >= 0.0 and high <= 1.0:
        return values
    if low >= 0.0 and 1.0 < high <= 255.0 and high > 16.0 and bool(np.all(values == np.rint(values))):
        return values / 255.0
    return (values - low) / (high - low) if high > low else np.zeros_like(values)


def _range(values: np.ndarray) -> tuple[float, float]:
    finite = values[np.isfinite(values)]
    return (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)


def shortened(texts: Sequence[str], most: int = 6) -> str:
    """Returns some texts as a list in words, the rest counted."""
    shown = ", ".join(repr(text) for text in texts[:most])
    return shown + (f" and {len(texts) - most} more" if len(texts) > most else "")
