"""What every dialect is told and can say: the slide, the options, and the refusals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pathoview.core.errors import AnnotationFileError
from pathoview.core.translation import _

Note = Callable[[str], None]
"""Told why an object was left out or changed, as the end of a sentence: “an object that …”."""


@dataclass(frozen=True, slots=True)
class SlideFrame:
    """What must be known of a slide to place annotations on it."""

    width_l0: int
    height_l0: int
    mpp: tuple[float, float] | None = None
    """µm per level-0 px in x and y; None: not known."""
    bounds_offset_l0: tuple[int, int] = (0, 0)
    """Where the vendor's bounds begin; QuPath counts from there."""
    slide_offset_nm: tuple[float, float] | None = None
    """From the centre of a Hamamatsu glass slide to the centre of the picture."""
    name: str = ""
    """The picture's file name, in files that tell of several pictures."""


@dataclass(frozen=True, slots=True)
class DialectOptions:
    """What a file does not say, or what a person knows better."""

    color_order: Literal["bgr", "rgb"] = "bgr"
    """Which colour the lowest byte of an ImageScope ``LineColor`` is: red (bgr) or blue (rgb)."""
    join_ends_px: float = 0.0
    """ImageScope: freehand strokes whose ends are closer than this become one outline; 0: never."""
    exclusion_groups: tuple[str, ...] = ("Exclusion", "_2")
    """ASAP: polygons of these groups are holes in the polygons that hold them."""
    crop_to_bounds: bool = True
    """GeoJSON: the file counts from the corner of the vendor's bounds, as QuPath does."""
    label_meaning: Literal["instances", "classes"] = "instances"
    """What the numbers of a label image are."""
    class_names: tuple[str, ...] = ()
    """Label images: the classes of the values 1, 2, 3 …"""
    offset_l0: tuple[float, float] | None = None
    """Label images: where the left top corner lies; None: as the file says, or the slide's."""
    scale: float | None = None
    """Label images: level-0 px in one of their pixels; None: as the file says, or as it fits."""
    unit: Literal["px", "um"] | None = None
    """Tables of points; None: as the header says, else level-0 px."""
    image_name: str = ""
    """Which picture's annotations to take; empty: the slide's name, or the only one there is."""


def damaged(path: Path, why: str = "") -> AnnotationFileError:
    """Return the refusal of a file that is cut off or was never whole."""
    return AnnotationFileError(
        _("“{name}” is damaged or cut off{why}.").format(
            name=path.name, why=f" ({why})" if why else ""
        ),
        _("Copy it, or export it again from the program it came from."),
    )


def too_large(path: Path) -> AnnotationFileError:
    """Return the refusal of a file that would not fit into memory."""
    return AnnotationFileError(
        _("“{name}” is too large to be read as one piece.").format(name=path.name),
        _("Export fewer objects into a file, or use GeoJSON, which is read bit by bit."),
    )


def chosen_image(
    names: list[str], path: Path, frame: SlideFrame, options: DialectOptions
) -> str | None:
    """Return which of the pictures in a file is meant; None when it tells of none.

    Names are compared without their folder, then without their suffix. Raises
    `AnnotationFileError` when several are there and none has the slide's name.
    """
    for wanted in filter(None, (options.image_name, frame.name)):
        for form in (_file_name, _stem):
            for name in names:
                if form(name) == form(wanted):
                    return name
    distinct = list(dict.fromkeys(names))
    if options.image_name or len(distinct) > 1:
        raise AnnotationFileError(
            _("“{file}” tells of several pictures, and of none named “{name}”.").format(
                file=path.name, name=options.image_name or frame.name
            ),
            _("Say which one is meant: {names}.").format(names=", ".join(distinct[:8])),
        )
    return distinct[0] if distinct else None


def _file_name(name: str) -> str:
    return name.replace("\\", "/").rpartition("/")[2]


def _stem(name: str) -> str:
    return Path(_file_name(name)).stem
