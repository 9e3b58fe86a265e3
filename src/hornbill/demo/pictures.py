"""The pictures of what the networks of the demos answer, drawn with Pillow.

Right and wrong are told by a sign (a tick, a cross) and by words; colour only repeats it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

__all__ = ["coins_picture", "digits_picture"]

_INK, _FAINT, _RIGHT, _WRONG = (20, 24, 31), (90, 98, 112), (22, 101, 52), (180, 35, 24)
_MARGIN, _GAP = 20, 14


def digits_picture(
    pictures: np.ndarray, labels: np.ndarray, answers: np.ndarray, columns: int = 8
) -> Image.Image:
    """Draws 24 digits with what the network takes them for: at most 8 that it reads wrong, then others.

    Args:
        pictures: Grey values from 0 (paper) to 1 (ink), `(count, 8, 8)`.
        labels: What is written, `(count,)`.
        answers: What the network reads, `(count,)`.
        columns: Digits side by side.
    """
    wrong, right = np.flatnonzero(labels != answers), np.flatnonzero(labels == answers)
    shown = [*wrong[:columns], *right][: 3 * columns]
    size, below, head = 88, 40, 64
    rows = -(-len(shown) // columns)
    width = 2 * _MARGIN + columns * size + (columns - 1) * _GAP
    image, draw = _canvas(width, head + rows * (size + below) + _MARGIN)
    count = min(len(wrong), columns)
    _text(
        draw,
        _MARGIN,
        18,
        f"{len(right)} of {len(labels)} held-out digits read right ({len(right) / len(labels):.1%})",
        20,
    )
    which = "no digit is read wrong" if not count else f"the {count} marked by a cross are "
    which += (
        ""
        if not count
        else ("all that it reads wrong" if count == len(wrong) else f"some of {len(wrong)} read wrong")
    )
    _text(draw, _MARGIN, 44, f"A tick: read right. A cross: read wrong; {which}.", 14, _FAINT)
    for place, index in enumerate(shown):
        x = _MARGIN + place % columns * (size + _GAP)
        y = head + place // columns * (size + below)
        image.paste(_grey(1 - pictures[index]).resize((size, size), Image.Resampling.NEAREST), (x, y))
        good = labels[index] == answers[index]
        draw.rectangle(
            [x - 1, y - 1, x + size, y + size], outline=_FAINT if good else _WRONG, width=1 if good else 3
        )
        _sign(draw, x + 8, y + size + 13, good)
        words = f"{answers[index]}" if good else f"{answers[index]}, is {labels[index]}"
        _text(draw, x + 22, y + size + 13, words, 15, _RIGHT if good else _WRONG)
    return image


def coins_picture(
    pictures: np.ndarray, masks: np.ndarray, predictions: np.ndarray, title: str
) -> Image.Image:
    """Draws input, truth and prediction side by side, one row for each piece of the photograph.

    Args:
        pictures: Grey values from 0 to 1, `(count, height, width)`.
        masks: 1 on a coin, 0 elsewhere, `(count, height, width)`.
        predictions: The network's probability of a coin, `(count, height, width)`.
        title: The first line.
    """
    scale, head, below = 2, 92, 28
    size = pictures.shape[1] * scale
    titles = ["input", "truth", "prediction", "where they differ"]
    image, draw = _canvas(2 * _MARGIN + 4 * size + 3 * _GAP, head + len(pictures) * (size + below) + 8)
    _text(draw, _MARGIN, 20, title, 18)
    _text(
        draw,
        _MARGIN,
        46,
        "White: coin. In the last column a + was missed, a x was taken for a coin.",
        14,
        _FAINT,
    )
    for column, name in enumerate(titles):
        _text(draw, _MARGIN + column * (size + _GAP) + size / 2, 76, name, 16, anchor="mm")
    for row, (picture, mask, prediction) in enumerate(zip(pictures, masks, predictions, strict=True)):
        y = head + row * (size + below)
        found = prediction > 0.5
        for column, values in enumerate([picture, mask, prediction, 0.35 * picture]):
            x = _MARGIN + column * (size + _GAP)
            image.paste(_grey(values).resize((size, size), Image.Resampling.NEAREST), (x, y))
            draw.rectangle([x - 1, y - 1, x + size, y + size], outline=_FAINT)
        left = _MARGIN + 3 * (size + _GAP)
        _marks(draw, (mask > 0.5) & ~found, left, y, scale, _plus, (255, 190, 90))
        _marks(draw, found & (mask <= 0.5), left, y, scale, _cross, (140, 200, 255))
        agree = float((found == (mask > 0.5)).mean())
        _text(draw, _MARGIN, y + size + 13, f"{agree:.1%} of the pixels agree with the truth", 14, _FAINT)
    return image


def _canvas(width: float, height: float) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    image = Image.new("RGB", (round(width), round(height)), "white")
    return image, ImageDraw.Draw(image)


def _grey(values: np.ndarray) -> Image.Image:
    return Image.fromarray(np.uint8(np.clip(np.rint(255 * values), 0, 255))).convert("RGB")


def _text(
    draw: ImageDraw.ImageDraw,
    x: float,
    y: float,
    text: str,
    size: int,
    colour: Any = _INK,
    anchor: str = "lm",
) -> None:
    draw.text((x, y), text, fill=colour, font=ImageFont.load_default(size), anchor=anchor)


def _sign(draw: ImageDraw.ImageDraw, x: float, y: float, good: bool) -> None:
    """Draws a tick or a cross, 12 pixels wide."""
    if good:
        draw.line([(x - 6, y), (x - 2, y + 5), (x + 6, y - 6)], fill=_RIGHT, width=3, joint="curve")
    else:
        draw.line([(x - 5, y - 5), (x + 5, y + 5)], fill=_WRONG, width=3)
        draw.line([(x - 5, y + 5), (x + 5, y - 5)], fill=_WRONG, width=3)


def _marks(
    draw: ImageDraw.ImageDraw, where: np.ndarray, left: float, top: float, scale: int, mark: Any, colour: Any
) -> None:
    """Draws a mark at every second pixel (in chequers) that `where` names."""
    for y, x in np.argwhere(where):
        if (x + y) % 2 == 0:
            mark(draw, left + (x + 0.5) * scale, top + (y + 0.5) * scale, colour)


def _plus(draw: ImageDraw.ImageDraw, x: float, y: float, colour: Any) -> None:
    draw.line([(x - 2, y), (x + 2, y)], fill=colour)
    draw.line([(x, y - 2), (x, y + 2)], fill=colour)


def _cross(draw: ImageDraw.ImageDraw, x: float, y: float, colour: Any) -> None:
    draw.line([(x - 2, y - 2), (x + 2, y + 2)], fill=colour)
    draw.line([(x - 2, y + 2), (x + 2, y - 2)], fill=colour)
