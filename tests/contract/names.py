"""The public names of Keras that Hornbill has by now, and the one list of those that it does not have yet."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import hornbill

__all__ = ["GOLDEN", "MISSING", "find"]

GOLDEN: dict[str, str] = json.loads((Path(__file__).parents[1] / "golden" / "keras_api.json").read_text())

_PREPROCESSING = [
    "AugMix",
    "AutoContrast",
    "ContrastLimitedAdaptiveHistogramEqualization",
    "CutMix",
    "Equalization",
    "MaxNumBoundingBoxes",
    "MelSpectrogram",
    "MixUp",
    "Pipeline",
    "RandAugment",
    "RandomColorDegeneration",
    "RandomColorJitter",
    "RandomElasticTransform",
    "RandomErasing",
    "RandomGaussianBlur",
    "RandomGrayscale",
    "RandomHue",
    "RandomInvert",
    "RandomPerspective",
    "RandomPosterization",
    "RandomSaturation",
    "RandomSharpness",
    "RandomShear",
    "STFTSpectrogram",
    "Solarization",
]

# Names that Hornbill does not have, each with the reason. A name that has come to exist must be taken off the list.
MISSING: dict[str, str] = {
    **{
        f"keras.layers.{name}": "augmentation and audio layers come after the main job"
        for name in _PREPROCESSING
    },
    "keras.utils.FeatureSpace": "is made of preprocessing layers",
}


def find(name: str) -> Any:
    """Returns Hornbill's object for a name that begins with `keras.`; raises AttributeError if there is none."""
    found: Any = hornbill
    for part in name.split(".")[1:]:
        found = getattr(found, part)
    return found
