"""One face for all annotation files: what a file is, what is in it, and how to write one.

``recognise`` looks at the first bytes, never at the name alone; ``read`` yields `Feature`s in
level-0 px; ``write`` puts a file in place when it is complete.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from pathoview.annotations.dialects import (
    asap,
    coco,
    dsa,
    geojson,
    imagej,
    imagescope,
    imagescope_writer,
    label_image,
    ndpa,
    point_table,
    qupath_project,
    slidescore,
)
from pathoview.annotations.dialects.frame import DialectOptions, Note, SlideFrame
from pathoview.annotations.dialects.opening import Opening
from pathoview.annotations.feature import Feature
from pathoview.core.errors import AnnotationFileError, UsageError
from pathoview.core.files import replacing
from pathoview.core.translation import _

__all__ = [
    "DIALECTS",
    "Dialect",
    "DialectOptions",
    "Note",
    "SlideFrame",
    "dialect_named",
    "read",
    "recognise",
    "write",
]

_JAVA = b"\xac\xed"
_DEFAULTS = DialectOptions()

Reader = Callable[[Path, SlideFrame, DialectOptions, Note], Iterator[Feature]]
Writer = Callable[[IO[bytes], Iterable[Feature], SlideFrame, DialectOptions, Note], int]


@dataclass(frozen=True, slots=True)
class Dialect:
    """A kind of annotation file."""

    name: str
    """Short, for the command line; the `Feature.origin` of what was read."""
    title: str
    suffixes: tuple[str, ...]
    """The first is that of files to be written."""
    looks_like: Callable[[Opening], bool]
    reader: Reader | None = None
    writer: Writer | None = None

    @property
    def can_read(self) -> bool:
        return self.reader is not None

    @property
    def can_write(self) -> bool:
        return self.writer is not None


DIALECTS: tuple[Dialect, ...] = (
    Dialect(asap.NAME, "ASAP", (".xml",), asap.looks_like, asap.read, asap.write),
    Dialect(
        imagescope.NAME,
        "Aperio ImageScope",
        (".xml",),
        imagescope.looks_like,
        imagescope.read,
        imagescope_writer.write,
    ),
    Dialect(ndpa.NAME, "Hamamatsu NDPA", (".ndpa",), ndpa.looks_like, ndpa.read, ndpa.write),
    Dialect(qupath_project.NAME, "QuPath project", (".qpproj",), qupath_project.looks_like),
    Dialect(coco.NAME, "COCO", (".json",), coco.looks_like, coco.read, coco.write),
    Dialect(dsa.NAME, "Digital Slide Archive", (".json",), dsa.looks_like, dsa.read, dsa.write),
    Dialect(
        geojson.NAPARI_NAME,
        "napari-wsi",
        (".json",),
        geojson.looks_like_napari,
        geojson.read_napari,
        geojson.write_napari,
    ),
    Dialect(
        geojson.NAME,
        "GeoJSON",
        (".geojson", ".json", ".gz"),
        geojson.looks_like,
        geojson.read,
        geojson.write,
    ),
    Dialect(
        imagej.NAME, "ImageJ ROI", (".zip", ".roi"), imagej.looks_like, imagej.read, imagej.write
    ),
    Dialect(
        label_image.NAME,
        "Label image",
        (".tif", ".tiff", ".png"),
        label_image.looks_like,
        label_image.read,
        label_image.write,
    ),
    Dialect(
        slidescore.NAME,
        "Slide Score",
        (".tsv", ".txt"),
        slidescore.looks_like,
        slidescore.read,
        slidescore.write,
    ),
    Dialect(
        point_table.NAME,
        "Table of points",
        (".csv", ".tsv", ".txt"),
        point_table.looks_like,
        point_table.read,
        point_table.write,
    ),
)
"""In the order in which a file is offered to them: those that say most of themselves first."""


def dialect_named(name: str) -> Dialect:
    """Return a dialect; raise `UsageError` for a name that there is not."""
    for dialect in DIALECTS:
        if dialect.name == name:
            return dialect
    raise UsageError(
        _("There is no annotation format “{name}”.").format(name=name),
        _("Known are {names}.").format(names=", ".join(one.name for one in DIALECTS)),
    )


def recognise(path: Path) -> Dialect | None:
    """Return what a file is, by its content; None when it is nothing known.

    Raises `AnnotationFileError` when there is no such file or it cannot be opened.
    """
    opening = Opening.of(path)
    return next((one for one in DIALECTS if one.looks_like(opening)), None)


def read(
    path: Path,
    frame: SlideFrame,
    *,
    dialect: Dialect | None = None,
    options: DialectOptions = _DEFAULTS,
    note: Note = lambda _text: None,
) -> Iterator[Feature]:
    """Return an iterator over the annotations of a file: level-0 px, with valid geometries.

    The dialect is recognised when it is not given. ``note`` is told of every object that was left
    out or changed. Raises `AnnotationFileError` when the file is unknown, and the iterator does
    when it reaches what is damaged or cannot be placed on this slide; GeoJSON: `GeoJSONError`.
    """
    dialect = dialect or recognise(path)
    if dialect is None:
        raise _unknown(path)
    if dialect.reader is None:
        raise AnnotationFileError(
            _("“{name}” is a QuPath project: it lists pictures, and holds no objects.").format(
                name=path.name
            ),
            _("Only QuPath reads the .qpdata beside it: export the objects as GeoJSON there."),
        )
    return dialect.reader(path, frame, options, note)


def _unknown(path: Path) -> AnnotationFileError:
    opening = Opening.of(path)
    if opening.head.startswith(_JAVA) or path.suffix.lower() == ".qpdata":
        return AnnotationFileError(
            _("“{name}” is QuPath's own data file, which only QuPath can read.").format(
                name=path.name
            ),
            _("Open it in QuPath and choose File › Export objects as GeoJSON."),
        )
    if not opening.head.strip():
        return AnnotationFileError(
            _("“{name}” is empty.").format(name=path.name),
            _("Export it again from the program it came from."),
        )
    titles = ", ".join(one.title for one in DIALECTS if one.can_read)
    return AnnotationFileError(
        _("“{name}” is no annotation file that PathoView knows.").format(name=path.name),
        _("Known are: {titles}.").format(titles=titles),
    )


def write(
    path: Path,
    dialect: Dialect,
    features: Iterable[Feature],
    frame: SlideFrame,
    *,
    options: DialectOptions = _DEFAULTS,
    note: Note = lambda _text: None,
) -> int:
    """Write a file and return how many of the objects are in it.

    ``note`` is told of every object that was left out or changed. Raises `UsageError` for a dialect
    that is only read, `StorageError` when the disk refuses; what was at ``path`` is then untouched.
    """
    if dialect.writer is None:
        raise UsageError(_("PathoView does not write {title}.").format(title=dialect.title))
    with replacing(path) as file:
        return dialect.writer(file, features, frame, options, note)
