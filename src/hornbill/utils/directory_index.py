"""What files a folder holds, the class of each, and the split into training and validation."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from hornbill.engine.errors import ArgumentError, DataError, one_of
from hornbill.engine.random import host_rng, make_default_seed
from hornbill.utils.progbar import say

__all__ = ["Listing", "list_files", "make_parts"]


@dataclass
class Listing:
    """Files in order, with their class numbers.

    Attributes:
        paths: The files.
        numbers: Class number of each, or None.
        class_names: Names of the classes.
        label_mode: How labels are written.
    """

    paths: list[str]
    numbers: np.ndarray | None
    class_names: list[str]
    label_mode: str | None

    def encoded_labels(self) -> np.ndarray | None:
        """Returns the labels as the data set gives them."""
        if self.numbers is None or self.label_mode is None:
            return None
        if self.label_mode == "int":
            return self.numbers.astype("int32")
        if self.label_mode == "binary":
            return self.numbers.astype("float32")[:, None]
        return np.eye(len(self.class_names), dtype="float32")[self.numbers]

    def take(self, index: np.ndarray) -> Listing:
        """Returns the listing of some of the files."""
        numbers = None if self.numbers is None else self.numbers[index]
        return replace(self, paths=[self.paths[i] for i in index], numbers=numbers)


def list_files(
    owner: str,
    directory: str | os.PathLike[str],
    labels: str | Sequence[int] | None,
    label_mode: str | None,
    class_names: Sequence[str] | None,
    suffixes: tuple[str, ...],
    follow_links: bool,
    verbose: bool,
) -> Listing:
    """Returns the files with certain suffixes below a folder, checked and with their labels."""
    one_of(owner, "label_mode", label_mode, ("int", "categorical", "binary", None))
    root = pathlib.Path(directory)
    if not root.is_dir():
        raise ArgumentError(f"{owner}: there is no folder {str(directory)!r}.")
    if isinstance(labels, str):
        one_of(owner, "labels", labels, ("inferred",))
        listing = _inferred(owner, root, label_mode, class_names, suffixes, follow_links)
    else:
        if class_names is not None:
            raise ArgumentError(
                f"{owner}: class_names go with labels='inferred' only.", got=f"labels={labels!r}."
            )
        listing = _given(owner, root, labels, label_mode, suffixes, follow_links)
    if not listing.paths:
        raise DataError(
            f"{owner}: no file found in {str(directory)!r}.", why=f"Files must end in {', '.join(suffixes)}."
        )
    if listing.numbers is not None and label_mode == "binary" and len(listing.class_names) != 2:
        raise ArgumentError(
            f"{owner}: label_mode='binary' needs two classes.",
            got=f"{len(listing.class_names)}: {', '.join(listing.class_names)}.",
            fixes="label_mode='int'",
        )
    if verbose:
        classes = "" if listing.numbers is None else f" belonging to {len(listing.class_names)} classes"
        say(f"Found {len(listing.paths)} files{classes}.")
    return listing


def _inferred(
    owner: str, root: pathlib.Path, label_mode: str | None, class_names: Sequence[str] | None,
    suffixes: tuple[str, ...], follow_links: bool,
) -> Listing:  # fmt: skip
    folders = sorted(
        entry.name for entry in root.iterdir() if entry.is_dir() and not entry.name.startswith(".")
    )
    if class_names is not None:
        names = list(class_names)
        if sorted(names) != folders:
            raise ArgumentError(
                f"{owner}: class_names must be the names of the sub-folders.",
                got=f"{sorted(names)}; the sub-folders are {folders}.",
            )
    else:
        names = folders
    paths: list[str] = []
    numbers: list[int] = []
    for name in folders:
        found = _files_below(root / name, suffixes, follow_links)
        paths += found
        numbers += [names.index(name)] * len(found)
    return Listing(paths, None if label_mode is None else np.array(numbers, dtype=int), names, label_mode)


def _given(
    owner: str, root: pathlib.Path, labels: Sequence[int] | None, label_mode: str | None,
    suffixes: tuple[str, ...], follow_links: bool,
) -> Listing:  # fmt: skip
    paths = _files_below(root, suffixes, follow_links)
    if labels is None:
        return Listing(paths, None, [], None)
    numbers = np.asarray(labels)
    if numbers.shape != (len(paths),) or numbers.dtype.kind not in "iu":
        raise ArgumentError(
            f"{owner}: labels must be a whole number for each file.",
            got=f"{numbers.shape} of {numbers.dtype} for {len(paths)} files.",
        )
    names = [str(number) for number in range(int(numbers.max(initial=-1)) + 1)]
    return Listing(paths, numbers, names, label_mode)


def _files_below(folder: pathlib.Path, suffixes: tuple[str, ...], follow_links: bool) -> list[str]:
    found = []
    for parent, _, files in sorted(os.walk(folder, followlinks=follow_links)):
        found += [os.path.join(parent, name) for name in sorted(files) if name.lower().endswith(suffixes)]  # noqa: PTH118
    return found


def make_parts(
    owner: str,
    listing: Listing,
    validation_split: float | None,
    subset: str | None,
    shuffle: bool,
    seed: int | None,
    build: Callable[[Listing, np.random.Generator | None], Any],
) -> Any:
    """Returns the data set, or the parts of it that `validation_split` and `subset` ask for."""
    one_of(owner, "subset", subset, ("training", "validation", "both", None))
    if (validation_split is None) != (subset is None):
        raise ArgumentError(
            f"{owner}: validation_split and subset go together.",
            got=f"validation_split={validation_split!r}, subset={subset!r}.",
            fixes="validation_split=0.2, subset='both', seed=1",
        )
    if validation_split is not None:
        if not 0 < validation_split < 1:
            raise ArgumentError(
                f"{owner}: validation_split lies between 0 and 1.", got=f"{validation_split!r}."
            )
        if shuffle and seed is None and subset != "both":
            raise ArgumentError(
                f"{owner}: a seed is needed, so that training and validation have no file in common.",
                fixes=("seed=1 in both calls.", "subset='both' in one call."),
            )
    seed = make_default_seed() if seed is None else seed
    if shuffle:
        listing = listing.take(host_rng(seed).permutation(len(listing.paths)))

    def part(files: Listing) -> Any:
        return build(files, host_rng(seed + 1) if shuffle else None)

    if validation_split is None:
        return part(listing)
    held_out = int(validation_split * len(listing.paths))
    order = np.arange(len(listing.paths))
    parts: dict[str | None, Listing] = {
        "training": listing.take(order[: len(order) - held_out]),
        "validation": listing.take(order[len(order) - held_out :]),
    }
    for name in ("training", "validation") if subset == "both" else (subset,):
        if not parts[name].paths:
            raise ArgumentError(
                f"{owner}: there are no files for {name}.",
                got=f"validation_split={validation_split} of {len(order)} files.",
            )
    if subset == "both":
        return part(parts["training"]), part(parts["validation"])
    return part(parts[subset])
