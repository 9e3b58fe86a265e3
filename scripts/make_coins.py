"""Makes src/hornbill/datasets/coins/coins.npz: the photograph of the coins, and a mask of them.

The photograph comes with the scikit-image wheel (`skimage/data/coins.png`). The mask is made by a classical
method, not by hand: the Sobel gradient is flooded from markers (watershed), where pixels darker than 30 are
surely background and pixels lighter than 150 surely coin; holes are filled, outlines opened by a disc and
specks dropped. Needs scipy and Pillow; run it as `python scripts/make_coins.py skimage/data/coins.png`.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PIL import Image
from scipy import ndimage

TARGET = Path(__file__).parents[1] / "src/hornbill/datasets/coins/coins.npz"
DARK, LIGHT, SMALLEST = 30, 150, 400


def coin_mask(image: np.ndarray) -> np.ndarray:
    """Returns 1 where a coin lies and 0 elsewhere, as unsigned 8-bit numbers.

    Args:
        image: Grey values from 0 to 255, `(height, width)`.
    """
    grey = image.astype(np.float64)
    gradient = np.hypot(ndimage.sobel(grey, 0), ndimage.sobel(grey, 1))
    markers = np.zeros(image.shape, np.int16)
    markers[image < DARK], markers[image > LIGHT] = 1, 2
    flooded = ndimage.watershed_ift(np.uint8(255 * gradient / gradient.max()), markers)
    filled = ndimage.binary_fill_holes(flooded == 2)
    rows, columns = np.ogrid[-3:4, -3:4]
    opened = ndimage.binary_opening(filled, rows**2 + columns**2 <= 9)
    parts, count = ndimage.label(opened)
    sizes = ndimage.sum_labels(opened, parts, range(1, count + 1))
    return np.isin(parts, 1 + np.flatnonzero(sizes >= SMALLEST)).astype(np.uint8)


def main() -> None:
    """Reads the photograph named on the command line and writes the file."""
    image = np.asarray(Image.open(sys.argv[1]).convert("L"))
    mask = coin_mask(image)
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(TARGET, image=image, mask=np.packbits(mask, axis=1))
    print(f"{TARGET.name}: {image.shape}, {ndimage.label(mask)[1]} coins, {mask.mean():.1%} of the pixels")


if __name__ == "__main__":
    main()
