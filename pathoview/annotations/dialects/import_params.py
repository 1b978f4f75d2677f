"""What a person can say of a file that does not say it: as a form, and as ``--option``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pathoview.annotations.dialects import coco, imagescope, label_image, point_table
from pathoview.annotations.dialects.formats import Dialect
from pathoview.annotations.dialects.frame import DialectOptions, SlideFrame, chosen_image
from pathoview.annotations.dialects.json_file import load_json, objects_in, text_in
from pathoview.annotations.dialects.opening import Opening
from pathoview.core.errors import AnnotationFileError
from pathoview.core.params import BaseParams, param
from pathoview.core.place_text import parse_offset
from pathoview.core.translation import _

_LINE_COLOR = re.compile(r'LineColor="(\d+)"')


class ImportParams(BaseParams):
    """`DialectOptions` in words and numbers that can be typed."""

    label_meaning: Literal["instances", "classes"] = param(
        "instances",
        _("Numbers stand for"),
        _("Label images: each number is an object (instances) or a class (classes)."),
    )
    class_names: str = param(
        "", _("Names of classes"), _("Label images: of the numbers 1, 2, 3 …, with commas between.")
    )
    offset: str = param(
        "",
        _("Left top corner"),
        _("Label images: X,Y in level-0 pixels; empty: as the file says, or the slide's corner."),
    )
    scale: float = param(
        0.0,
        _("Scale"),
        _("Label images: level-0 pixels in one of theirs; 0: as the file says, or as it fits."),
        ge=0,
    )
    unit: Literal["as said", "px", "um"] = param(
        "as said",
        _("Unit"),
        _("Tables of points: level-0 pixels (px), µm (um), or what the first line says, else px."),
    )
    image_name: str = param(
        "", _("Picture"), _("Whose annotations to take, in files that tell of several pictures.")
    )
    color_order: Literal["bgr", "rgb"] = param(
        "bgr",
        _("Order of colours"),
        _("ImageScope: bgr has red in the lowest byte of a colour, as Aperio does; rgb has blue."),
    )
    join_ends: float = param(
        0.0,
        _("Join strokes"),
        _("ImageScope: strokes whose ends are closer than this become one outline; 0: never."),
        unit="px",
        ge=0,
    )
    exclusion_groups: str = param(
        "Exclusion,_2",
        _("Groups of holes"),
        _("ASAP: polygons of these groups are holes in those that hold them."),
    )
    crop_to_bounds: bool = param(
        True,
        _("Count from the bounds"),
        _("GeoJSON: as QuPath does on slides that state bounds (MRXS and others)."),
    )

    def dialect_options(self) -> DialectOptions:
        """Return what the readers take; raises `UsageError` for an offset that is none."""
        return DialectOptions(
            color_order=self.color_order,
            join_ends_px=self.join_ends,
            exclusion_groups=_words(self.exclusion_groups),
            crop_to_bounds=self.crop_to_bounds,
            label_meaning=self.label_meaning,
            class_names=tuple(word.strip() for word in self.class_names.split(","))
            if self.class_names.strip()
            else (),
            offset_l0=parse_offset(self.offset) if self.offset.strip() else None,
            scale=self.scale or None,
            unit=None if self.unit == "as said" else self.unit,
            image_name=self.image_name,
        )

    def said(self) -> dict[str, Any]:
        """Return what differs from the defaults."""
        return self.model_dump(mode="json", exclude_defaults=True)


def questions(path: Path, dialect: Dialect, frame: SlideFrame) -> Mapping[str, Sequence[str]]:
    """Return the parameters to ask for before a file is read, with what can be chosen.

    An empty sequence: whatever the parameter allows. Nothing: the file says all that is needed.
    Raises `AnnotationFileError` when the file is damaged.
    """
    ask = _ASKED.get(dialect.name)
    return {} if ask is None else ask(path, frame)


def _of_labels(path: Path, _frame: SlideFrame) -> Mapping[str, Sequence[str]]:
    if label_image.says_all(path):
        return {}
    return dict.fromkeys(("label_meaning", "class_names", "offset", "scale"), ())


def _of_points(path: Path, _frame: SlideFrame) -> Mapping[str, Sequence[str]]:
    return {} if point_table.unit_of(Opening.of(path)) else {"unit": ("px", "um")}


def _of_coco(path: Path, frame: SlideFrame) -> Mapping[str, Sequence[str]]:
    value = load_json(path)
    pictures = objects_in(value, "images") if isinstance(value, Mapping) else ()
    names = [text_in(one, "file_name") for one in pictures]
    try:
        chosen_image(names, path, frame, DialectOptions())
    except AnnotationFileError:
        return {"image_name": tuple(dict.fromkeys(names))}
    return {}


def _of_imagescope(path: Path, _frame: SlideFrame) -> Mapping[str, Sequence[str]]:
    colors = map(int, _LINE_COLOR.findall(Opening.of(path).text))
    is_open = any(color & 255 != color >> 16 & 255 for color in colors)
    return {"color_order": ()} if is_open else {}


_ASKED = {
    label_image.NAME: _of_labels,
    point_table.NAME: _of_points,
    coco.NAME: _of_coco,
    imagescope.NAME: _of_imagescope,
}


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())
