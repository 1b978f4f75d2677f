"""Label images and masks (TIFF, PNG): whole numbers, each an object or a class; 0 is background."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt
import orjson
import shapely
from shapely.geometry.base import BaseGeometry

from pathoview.annotations.classes import default_color, parse_color
from pathoview.annotations.detections import DetectionClass
from pathoview.annotations.dialects.frame import (
    DialectOptions,
    Note,
    SlideFrame,
    damaged,
    too_large,
)
from pathoview.annotations.dialects.opening import Opening
from pathoview.annotations.dialects.rasters import LARGEST_PIXELS, mask_of, outline_of
from pathoview.annotations.dialects.shapes import AREAS, Maker, class_of
from pathoview.annotations.feature import Feature
from pathoview.annotations.geojson_geometry import GeometryError
from pathoview.core.errors import AnnotationFileError, UsageError
from pathoview.core.translation import _

NAME = "labels"

_PNG = b"\x89PNG\r\n\x1a\n"
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_DENSEST = 1 << 22
"""Labels above this are numbered anew before each is looked for."""

Labels = npt.NDArray[np.unsignedinteger[Any]]


def looks_like(opening: Opening) -> bool:
    return opening.head.startswith((_PNG, *_TIFF))


def says_all(path: Path) -> bool:
    """Whether this is a file that PathoView wrote: it tells its place, scale and meaning."""
    import tifffile

    try:
        with tifffile.TiffFile(path) as file:
            page = file.pages.first
            return isinstance(page, tifffile.TiffPage) and _said_in(page.description) != _Said()
    except (tifffile.TiffFileError, OSError):
        return False


@dataclass(frozen=True, slots=True)
class _Said:
    """What a file that PathoView wrote says of itself."""

    offset_l0: tuple[float, float] | None = None
    scale: float | None = None
    meaning: str = ""
    classes: Mapping[int, DetectionClass] = field(default_factory=dict)


def read(path: Path, frame: SlideFrame, options: DialectOptions, note: Note) -> Iterator[Feature]:
    """Yield an object for each number, or for each connected part of a class or of a plain mask.

    Raises `AnnotationFileError` when the picture holds no whole numbers, or nobody says where it
    lies and its proportions are not the slide's.
    """
    labels, said = _load(path)
    left, top, scale_x, scale_y = _placement(path, labels.shape, said, frame, options)
    meaning = said.meaning or options.label_meaning
    classes = {
        number: DetectionClass(name, default_color(name))
        for number, name in enumerate(options.class_names, 1)
        if name
    } or said.classes

    def to_l0(points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return points * (scale_x, scale_y) + (left, top)

    maker = Maker(NAME, note)
    values = _values(labels)
    is_plain = len(values) == 1
    for value, mask, column, row in _objects(labels, values):
        classification = classes.get(value)
        if meaning == "classes" and classification is None:
            classification = class_of(str(value))
        for part, x, y in _parts(mask, column, row, is_plain or meaning == "classes"):
            feature = maker.make(
                partial(
                    lambda part, x, y: shapely.transform(outline_of(part, x, y), to_l0), part, x, y
                ),
                classification=classification,
            )
            if feature is not None:
                yield feature


def _load(path: Path) -> tuple[Labels, _Said]:
    with path.open("rb") as file:
        is_png = file.read(len(_PNG)) == _PNG
    try:
        labels, said = _load_png(path) if is_png else _load_tiff(path)
    except AnnotationFileError:
        raise
    except Exception as error:  # decoders raise whatever they like
        raise damaged(path, str(error)[:80]) from error
    return _whole_numbers(labels, path), said


def _load_png(path: Path) -> tuple[npt.NDArray[Any], _Said]:
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            picture = Image.open(path)
        except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
            raise too_large(path) from error
        with picture:
            return np.asarray(picture), _Said()


def _load_tiff(path: Path) -> tuple[npt.NDArray[Any], _Said]:
    import tifffile

    with tifffile.TiffFile(path) as file:
        page = file.pages.first
        assert isinstance(page, tifffile.TiffPage)
        if page.imagewidth * page.imagelength > LARGEST_PIXELS:
            raise too_large(path)
        return page.asarray(), _said_in(page.description)


def _said_in(description: str) -> _Said:
    try:
        said = orjson.loads(description)["pathoview_labels"]
        x, y = (float(number) for number in said["offset_l0"])
        classes = {
            int(number): DetectionClass(
                str(one["name"]), parse_color(one["color"]) or default_color(str(one["name"]))
            )
            for number, one in said["classes"].items()
        }
        return _Said((x, y), float(said["scale"]), str(said["meaning"]), classes)
    except (orjson.JSONDecodeError, TypeError, KeyError, ValueError, AttributeError):
        return _Said()


def _whole_numbers(labels: npt.NDArray[Any], path: Path) -> Labels:
    """Return (row, column) numbers of 0 and more; raise `AnnotationFileError` for other pictures.

    Grey that was saved as colours, and floating-point numbers that are whole, are taken.
    """
    labels = np.squeeze(labels)
    if labels.ndim == 3 and labels.shape[2] in (2, 3, 4):
        n_colors = 1 if labels.shape[2] == 2 else 3
        if all(np.array_equal(labels[..., 0], labels[..., one]) for one in range(1, n_colors)):
            labels = labels[..., 0]
    is_plane = labels.ndim == 2
    if is_plane and labels.dtype.kind == "f":
        is_plane = bool(np.isfinite(labels).all() and (labels == np.floor(labels)).all())
    if not is_plane or labels.dtype.kind not in "buif" or (labels.size and labels.min() < 0):
        raise AnnotationFileError(
            _(
                "“{name}” is a picture, but no label image: those are grey, of whole numbers."
            ).format(name=path.name),
            _("Pictures and heatmaps are opened as layers."),
        )
    if labels.dtype.kind == "u":
        return labels
    return labels.astype(np.uint8 if labels.dtype.kind == "b" else np.uint64)


def _placement(
    path: Path,
    shape: tuple[int, ...],
    said: _Said,
    frame: SlideFrame,
    options: DialectOptions,
) -> tuple[float, float, float, float]:
    """Return left, top (level-0 px) and level-0 px per pixel in x and y."""
    height, width = shape
    left, top = options.offset_l0 or said.offset_l0 or (0.0, 0.0)
    scale = options.scale or said.scale
    if scale is not None:
        return left, top, scale, scale
    if options.offset_l0 is not None:
        return left, top, 1.0, 1.0
    scale_x, scale_y = frame.width_l0 / width, frame.height_l0 / height
    if abs(frame.height_l0 / scale_x - height) > 1 and abs(frame.width_l0 / scale_y - width) > 1:
        raise AnnotationFileError(
            _(
                "“{name}” does not say where it lies, and has other proportions than the slide."
            ).format(name=path.name),
            _("Give its offset and scale in level-0 pixels."),
        )
    return left, top, scale_x, scale_y


def _values(labels: Labels) -> npt.NDArray[np.int64]:
    values = np.unique(labels)
    return values[values > 0].astype(np.int64)


def _objects(
    labels: Labels, values: npt.NDArray[np.int64]
) -> Iterator[tuple[int, npt.NDArray[np.bool_], int, int]]:
    """Yield (value, mask of its bounding box, left, top) for each number there is."""
    from scipy import ndimage

    if len(values) and values[-1] > _DENSEST:
        dense = np.searchsorted(np.concatenate([[0], values]), labels).astype(np.int32)
        numbers = range(1, len(values) + 1)
    else:
        dense, numbers = labels.astype(np.int32), values.tolist()
    boxes = ndimage.find_objects(dense)
    for value, number in zip(values.tolist(), numbers, strict=True):
        rows, columns = boxes[number - 1]
        yield value, dense[rows, columns] == number, columns.start, rows.start


def _parts(
    mask: npt.NDArray[np.bool_], left: int, top: int, is_split: bool
) -> Iterator[tuple[npt.NDArray[np.bool_], int, int]]:
    """Yield a mask, or its connected parts: pixels that share a side."""
    if not is_split:
        yield mask, left, top
        return
    from scipy import ndimage

    numbered, _n_parts = ndimage.label(mask)
    for number, (rows, columns) in enumerate(ndimage.find_objects(numbered), 1):
        yield numbered[rows, columns] == number, left + columns.start, top + rows.start


def write(
    file: IO[bytes],
    features: Iterable[Feature],
    frame: SlideFrame,
    options: DialectOptions,
    note: Note,
) -> int:
    """Write a TIFF that says its offset and scale, and return how many objects are in it.

    A pixel belongs to an object when its centre lies in it; what comes later covers what was there.
    """
    import tifffile

    left, top = options.offset_l0 or (0.0, 0.0)
    scale = options.scale or 1.0
    shape = tuple(
        max(int(np.ceil((size - start) / scale)), 0)
        for size, start in ((frame.height_l0, top), (frame.width_l0, left))
    )
    if shape[0] * shape[1] > LARGEST_PIXELS:
        raise UsageError(
            _("A label image of {width} × {height} pixels is too large.").format(
                width=shape[1], height=shape[0]
            ),
            _("Choose a larger scale."),
        )
    painter = _Painter((shape[0], shape[1]), options, note)
    for feature in features:
        painter.add(feature, (left, top), scale)
    said = {
        "offset_l0": [left, top],
        "scale": scale,
        "meaning": options.label_meaning,
        "classes": painter.classes(),
    }
    labels = painter.labels
    tifffile.imwrite(
        file,
        labels.astype(np.uint16) if painter.n_labels < 1 << 16 else labels,
        description=orjson.dumps({"pathoview_labels": said}).decode("ascii", "replace"),
        compression="zlib",
        photometric="minisblack",
        metadata=None,
    )
    return painter.n_written


class _Painter:
    def __init__(self, shape: tuple[int, int], options: DialectOptions, note: Note) -> None:
        self.labels = np.zeros(shape, np.uint32)
        self.n_written = 0
        self.n_labels = 0
        self._is_by_class = options.label_meaning == "classes"
        self._values = {name: value for value, name in enumerate(options.class_names, 1)}
        self._classes: dict[int, DetectionClass] = {}
        self._note = note

    def add(self, feature: Feature, corner: tuple[float, float], scale: float) -> None:
        if feature.geometry.geom_type not in AREAS:
            self._note(_("is no area and was left out"))
            return
        area = shapely.transform(feature.geometry, lambda points: (points - corner) / scale)
        try:
            mask = self._placed(area)
        except GeometryError as error:
            self._note(_("{why} and was left out").format(why=error))
            return
        value = self._value(feature.classification)
        if value is None:
            self._note(_("has no class and was left out"))
            return
        where, inside = mask
        covered = self.labels[where]
        if (covered[inside] != 0).any():
            self._note(_("covers a part of another one"))
        covered[inside] = value
        self.n_labels = max(self.n_labels, value)
        self.n_written += 1

    def _placed(self, area: BaseGeometry) -> tuple[tuple[slice, slice], npt.NDArray[np.bool_]]:
        height, width = self.labels.shape
        clipped = shapely.intersection(area, shapely.box(0, 0, width, height))
        shapes = [one for one in shapely.get_parts(clipped) if one.area > 0]
        if not shapes:
            raise GeometryError(_("lies outside of the picture"))
        mask, left, top = mask_of(shapely.MultiPolygon(shapes))
        if not mask.any():
            raise GeometryError(_("is smaller than a pixel"))
        rows = slice(top, top + mask.shape[0])
        return (rows, slice(left, left + mask.shape[1])), mask

    def _value(self, named: DetectionClass | None) -> int | None:
        if not self._is_by_class:
            value = self.n_written + 1
        elif named is None:
            return None
        else:
            value = self._values.setdefault(named.name, len(self._values) + 1)
        if named is not None:
            self._classes[value] = named
        return value

    def classes(self) -> dict[str, dict[str, Any]]:
        return {
            str(value): {"name": named.name, "color": list(named.color)}
            for value, named in self._classes.items()
        }
