"""Labels in files beside pictures: images of ids or classes, and tables of points."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import orjson
import tifffile

from pathoview.core.errors import InputError
from pathoview.core.translation import _
from pathoview.datasets.labels import UNKNOWN, TargetClass

IMAGES = (".png", ".jpg", ".jpeg", ".tif", ".tiff")
LABELS = (".png", ".tif", ".tiff", ".csv")
CLASSES = "classes.json"
"""Beside images of classes: what their values mean, as an export of tiles writes it."""

Numbers = npt.NDArray[np.integer[Any]]


@dataclass(frozen=True, slots=True)
class PointTable:
    """The rows of ``x,y[,class]``."""

    xy_l0: npt.NDArray[np.float64]
    """(n, 2) level-0 px."""
    names: tuple[str, ...]
    """The class of each; empty: none."""


def pairs(images: Path, labels: Path) -> list[tuple[Path, Path]]:
    """Return each image with its labels, by name; raise `InputError` when there is no pair."""
    known = {
        path.stem: path
        for suffix in reversed(LABELS)  # an image of labels says more than points
        for path in _files(labels)
        if path.suffix.lower() == suffix
    }
    pictures = {path.stem: path for path in _files(images) if path.suffix.lower() in IMAGES}
    found = [(path, known[stem]) for stem, path in sorted(pictures.items()) if stem in known]
    if not found:
        raise InputError(
            _("No image in “{images}” has labels of the same name in “{labels}”.").format(
                images=images.name, labels=labels.name
            ),
            _("Name them x.png (or .jpg, .tif) and x.png (or .tif, .csv)."),
        )
    return found


def is_points(labels: Path) -> bool:
    """Say whether a file of labels is a table of points."""
    return labels.suffix.lower() == ".csv"


def read_label_image(path: Path, size: tuple[int, int]) -> Numbers:
    """Return a picture of whole numbers; raise `InputError` when it is none of that size."""
    try:
        is_tiff = path.suffix.lower() != ".png"
        pixels = tifffile.imread(path) if is_tiff else cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    except (OSError, ValueError, tifffile.TiffFileError) as error:
        raise _unreadable(path) from error
    if pixels is None:
        raise _unreadable(path)
    labels = np.asarray(pixels)
    if labels.ndim != 2 or labels.dtype.kind not in "uib":
        raise InputError(
            _("The labels “{name}” are no picture of instance ids.").format(name=path.name),
            _("One channel of whole numbers is needed: 0 background, k the k-th nucleus."),
        )
    if labels.shape != size[::-1]:
        raise InputError(
            _("The labels “{name}” are {a} × {b} px, their image is {c} × {d} px.").format(
                name=path.name, a=labels.shape[1], b=labels.shape[0], c=size[0], d=size[1]
            )
        )
    return labels.astype(np.uint8) if labels.dtype.kind == "b" else labels


def read_points(path: Path) -> PointTable:
    """Return a table ``x,y[,class]`` with a header; raise `InputError`."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = [
                (float(row["x"]), float(row["y"]), row.get("class") or "")
                for row in csv.DictReader(file)
            ]
    except OSError as error:
        raise _unreadable(path) from error
    except (KeyError, TypeError, ValueError, csv.Error) as error:
        raise InputError(
            _("“{name}” is no table of points.").format(name=path.name),
            _("Its first line is “x,y” or “x,y,class”, then one nucleus a line."),
        ) from error
    xy = np.array([row[:2] for row in rows], np.float64).reshape(-1, 2)
    return PointTable(xy, tuple(row[2].strip() for row in rows))


def read_classes(folder: Path) -> tuple[TargetClass, ...] | None:
    """Return what the values of masks mean; None: no file there says that they are classes.

    The file lies with the masks, or one folder up. Background and unknown are no classes. Raises
    `InputError` when it cannot be understood.
    """
    path = next(
        (place / CLASSES for place in (folder, folder.parent) if (place / CLASSES).is_file()), None
    )
    if path is None:
        return None
    try:
        return tuple(
            TargetClass(str(one["name"]), _color(one["color"]), int(one["number"]))
            for one in orjson.loads(path.read_bytes())
            if 0 < int(one["number"]) < UNKNOWN
        )
    except OSError as error:
        raise _unreadable(path) from error
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            _("“{name}” does not tell the classes of masks.").format(name=path.name),
            _("It is a list of entries with “number”, “name” and “color”."),
        ) from error


def _color(said: list[int]) -> tuple[int, int, int]:
    red, green, blue = (min(max(int(part), 0), 255) for part in said)
    return red, green, blue


def _files(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.is_file())
    except OSError as error:
        raise InputError(
            _("The folder “{name}” cannot be read: {why}.").format(
                name=folder.name, why=error.strerror
            ),
            _("Name a folder that is there and that you may read."),
        ) from error


def _unreadable(path: Path) -> InputError:
    return InputError(_("The labels “{name}” cannot be read.").format(name=path.name))
