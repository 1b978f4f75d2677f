"""Tables of points, as text: x and y and maybe a class, with a header or without."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import IO

import shapely

from pathoview.annotations.dialects.frame import (
    DialectOptions,
    Note,
    SlideFrame,
    chosen_image,
    damaged,
)
from pathoview.annotations.dialects.opening import Opening
from pathoview.annotations.dialects.shapes import Maker, class_of, dots, plain_number
from pathoview.annotations.dialects.text_table import text_lines
from pathoview.annotations.feature import Feature
from pathoview.core.errors import AnnotationFileError
from pathoview.core.translation import _

NAME = "points"

_X = re.compile(r"(?:.*[\s_])?(?:x|col|column)(?:[\s_]*(?:px|pixels?|µm|μm|um|microns?))?", re.I)
_Y = re.compile(r"(?:.*[\s_])?(?:y|row)(?:[\s_]*(?:px|pixels?|µm|μm|um|microns?))?", re.I)
_UM = re.compile(r"(µm|μm|\bum\b|_um$|micron)", re.I)
_PX = re.compile(r"(\bpx\b|_px$|pixel)", re.I)
_CLASSES = ("class", "classification", "category", "label", "type", "cell_type")
_IMAGES = ("image", "slide", "filename", "file_name", "image_name")
_BRACKETS = re.compile(r"[\[\]()]")
_DELIMITERS = "\t;,"
_N_GUESSED = 20
_COLUMNS = ("x_px", "y_px", "class", "name", "author", "created")


def looks_like(opening: Opening) -> bool:
    if b"\0" in opening.head.removeprefix(b"\xff\xfe") and not opening.head.startswith(
        (b"\xff\xfe", b"\xfe\xff")
    ):
        return False
    lines = [line for line in opening.text.splitlines() if line.strip()][:_N_GUESSED]
    return bool(lines) and _layout(lines) is not None


def unit_of(opening: Opening) -> str:
    """Return the unit that the first line states, ``px`` or ``um``; empty: none."""
    lines = [line for line in opening.text.splitlines() if line.strip()][:_N_GUESSED]
    layout = _layout(lines) if lines else None
    return "" if layout is None else layout.unit


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where in a row things stand; -1: nowhere."""

    delimiter: str | None
    """None: white space."""
    has_header: bool
    x: int
    y: int
    unit: str
    """``px`` or ``um``; empty: not said."""
    class_: int = -1
    name: int = -1
    image: int = -1
    author: int = -1
    created: int = -1

    def cells(self, lines: Iterable[str]) -> Iterator[list[str]]:
        if self.delimiter is None:
            return (line.split() for line in lines)
        return csv.reader(lines, delimiter=self.delimiter)


def _layout(lines: Sequence[str]) -> _Layout | None:
    """Return how the first lines are laid out; None when they are no table of points."""
    counts = {one: lines[0].count(one) for one in _DELIMITERS}
    best = max(counts, key=lambda one: counts[one])
    delimiter = best if counts[best] else None
    first = next(_Layout(delimiter, False, 0, 1, "").cells(lines[:1]), [])
    if len(first) < 2:
        return None
    if _is_number(first[0]) and _is_number(first[1]):
        return _Layout(delimiter, False, 0, 1, "", class_=2 if len(first) > 2 else -1)
    names = [_BRACKETS.sub("", cell).strip() for cell in first]
    x = _first_match(_X, names)
    y = _first_match(_Y, names)
    if x < 0 or y < 0:
        return None
    said = names[x]
    unit = "um" if _UM.search(said) else "px" if _PX.search(said) else ""
    lowered = [name.lower() for name in names]
    return _Layout(
        delimiter,
        True,
        x,
        y,
        unit,
        _place(lowered, *_CLASSES),
        _place(lowered, "name"),
        _place(lowered, *_IMAGES),
        _place(lowered, "author"),
        _place(lowered, "created"),
    )


def _first_match(pattern: re.Pattern[str], names: Sequence[str]) -> int:
    exact = [number for number, name in enumerate(names) if len(name) <= 4]
    order = (*exact, *range(len(names)))
    return next((number for number in order if pattern.fullmatch(names[number])), -1)


def _place(names: Sequence[str], *wanted: str) -> int:
    found = (names.index(one) for one in wanted if one in names)
    return int(next(found, -1))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def read(path: Path, frame: SlideFrame, options: DialectOptions, note: Note) -> Iterator[Feature]:
    """Yield a point a row; raise `AnnotationFileError` for µm on a slide without a scale."""
    lines = (line for line in text_lines(path) if line.strip())
    first = list(islice(lines, _N_GUESSED))
    layout = _layout(first) if first else None
    if layout is None:
        raise damaged(path, _("no columns x and y"))
    scale_x, scale_y = _px_per_unit(path, frame, options.unit or layout.unit)
    image = _image(path, layout, frame, options)
    maker = Maker(NAME, note)
    for cells in _rows(chain(first, lines), layout):
        if image is not None and _cell(cells, layout.image) != image:
            continue
        try:
            x, y = float(cells[layout.x]), float(cells[layout.y])
        except (ValueError, IndexError):
            note(_("is a row without numbers for x and y and was left out"))
            continue
        feature = maker.make(
            partial(dots, [(x * scale_x, y * scale_y)]),
            classification=class_of(_cell(cells, layout.class_)),
            name=_cell(cells, layout.name),
            author=_cell(cells, layout.author),
            created=_cell(cells, layout.created),
        )
        if feature is not None:
            yield feature


def _rows(lines: Iterable[str], layout: _Layout) -> Iterator[list[str]]:
    return islice(layout.cells(lines), int(layout.has_header), None)


def _image(path: Path, layout: _Layout, frame: SlideFrame, options: DialectOptions) -> str | None:
    """Return which picture's rows are meant; None when there is no column of pictures."""
    if layout.image < 0:
        return None
    lines = (line for line in text_lines(path) if line.strip())
    names = dict.fromkeys(_cell(cells, layout.image) for cells in _rows(lines, layout))
    return chosen_image(list(names), path, frame, options)


def _px_per_unit(path: Path, frame: SlideFrame, unit: str) -> tuple[float, float]:
    if unit != "um":
        return 1.0, 1.0
    if frame.mpp is None:
        raise AnnotationFileError(
            _("“{name}” counts in µm, and this slide has no µm per pixel.").format(name=path.name),
            _("Give the scale of the slide first."),
        )
    return 1 / frame.mpp[0], 1 / frame.mpp[1]


def _cell(cells: Sequence[str], place: int) -> str:
    return cells[place].strip() if 0 <= place < len(cells) else ""


def write(
    file: IO[bytes],
    features: Iterable[Feature],
    frame: SlideFrame,
    options: DialectOptions,
    note: Note,
) -> int:
    """Write the points in level-0 px and return how many objects they are; shapes are left out."""
    text = csv.writer(_Encoded(file), lineterminator="\n")
    text.writerow(_COLUMNS)
    n_written = 0
    for feature in features:
        if feature.geometry.geom_type not in ("Point", "MultiPoint"):
            note(_("is no point and was left out"))
            continue
        named = feature.classification
        said = (named.name if named else "", feature.name, feature.author, feature.created)
        for x, y in shapely.get_coordinates(feature.geometry):
            text.writerow((plain_number(x), plain_number(y), *said))
        n_written += 1
    return n_written


class _Encoded:
    """A binary file that takes text."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def write(self, text: str) -> int:
        return int(self._file.write(text.encode("utf-8", "replace")))
