"""ImageJ's regions of interest: one ``.roi``, or a ``RoiSet.zip`` of them, in px of the picture."""

from __future__ import annotations

import io
import re
import struct
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry.base import BaseGeometry

from pathoview.annotations.dialects.frame import DialectOptions, Note, SlideFrame, damaged
from pathoview.annotations.dialects.opening import Opening
from pathoview.annotations.dialects.shapes import (
    Color,
    Maker,
    area,
    box,
    class_of,
    dots,
    ellipse,
    is_upright_ellipse,
    line,
    ring_of,
    valid_area,
)
from pathoview.annotations.feature import Feature
from pathoview.annotations.geojson_geometry import GeometryError, on_grid
from pathoview.core.pyramid import Plane
from pathoview.core.translation import _

if TYPE_CHECKING:
    from roifile import ImagejRoi

NAME = "imagej"

_ROI, _ZIP = b"Iout", b"PK\x03\x04"
_SUFFIX = ".roi"
_LARGEST_BYTES = 1 << 27
"""One region, or a zip within a zip, may unpack to this."""
_CLASS, _AUTHOR, _CREATED = "class", "author", "created"
_MOVE, _LINE, _CLOSE = 0.0, 1.0, 4.0
_DECIMALS = 4
_RARE = re.compile("[^\0-\uffff]")
"""What takes two units of UTF-16; the library counts one."""
_CORRUPT = (
    struct.error,
    BufferError,
    ValueError,
    IndexError,
    KeyError,
    TypeError,
    OverflowError,
    AssertionError,
)


def looks_like(opening: Opening) -> bool:
    if opening.head.startswith(_ROI):
        return True
    if not opening.head.startswith(_ZIP):
        return False
    try:
        with zipfile.ZipFile(opening.path) as archive:
            return bool(_roi_names(archive)) or _inner_zip(archive) is not None
    except (zipfile.BadZipFile, OSError):
        return _SUFFIX.encode() in opening.head


def read(path: Path, frame: SlideFrame, options: DialectOptions, note: Note) -> Iterator[Feature]:
    """Yield the regions; a class is taken from the property “class”."""
    from roifile import ImagejRoi

    maker = Maker(NAME, note)
    for name, data in _rois(path):
        try:
            roi = ImagejRoi.frombytes(data)
            said = _said(roi)
        except _CORRUPT as error:
            note(_("is damaged and was left out"))
            if name is None:
                raise damaged(path) from error
            continue
        feature = maker.make(partial(_geometry, roi), **said)
        if feature is not None:
            yield feature


def _rois(path: Path) -> Iterator[tuple[str | None, bytes]]:
    """Yield the bytes of each region with its name in the archive."""
    try:
        with path.open("rb") as file:
            if file.read(len(_ROI)) == _ROI:
                file.seek(0)
                yield None, file.read(_LARGEST_BYTES)
                return
        with zipfile.ZipFile(path) as archive:
            yield from _in_zip(archive, path)
    except (zipfile.BadZipFile, EOFError, RuntimeError, NotImplementedError, OSError) as error:
        raise damaged(path) from error


def _in_zip(archive: zipfile.ZipFile, path: Path) -> Iterator[tuple[str, bytes]]:
    names = _roi_names(archive)
    inner = None if names else _inner_zip(archive)
    if inner is not None:
        with zipfile.ZipFile(io.BytesIO(_unpacked(archive, inner, path))) as within:
            for name in _roi_names(within):
                yield name, _unpacked(within, name, path)
    for name in names:
        yield name, _unpacked(archive, name, path)


def _roi_names(archive: zipfile.ZipFile) -> list[str]:
    return [name for name in archive.namelist() if name.lower().endswith(_SUFFIX)]


def _inner_zip(archive: zipfile.ZipFile) -> str | None:
    """Return the RoiSet in a zip that somebody packed together with the picture."""
    names = [name for name in archive.namelist() if Path(name).name.lower() == "roiset.zip"]
    return names[0] if len(names) == 1 else None


def _unpacked(archive: zipfile.ZipFile, name: str, path: Path) -> bytes:
    with archive.open(name) as file:
        data = file.read(_LARGEST_BYTES + 1)
    if len(data) > _LARGEST_BYTES:
        raise damaged(path, _("more in it than it says"))
    return data


def _said(roi: ImagejRoi) -> dict[str, Any]:
    from roifile import ROI_SUBTYPE, ROI_TYPE

    properties = _properties(roi.props)
    color = _color(roi.stroke_color) or _color(roi.fill_color)
    classification = class_of(properties.pop(_CLASS, ""), color)
    if roi.group and classification is None:
        properties["group"] = str(roi.group)
    is_line = roi.roitype == ROI_TYPE.LINE
    is_arrow = is_line and roi.subtype == ROI_SUBTYPE.ARROW
    return {
        "name": roi.name,
        "classification": classification,
        "color": None if classification else color,
        "author": properties.pop(_AUTHOR, ""),
        "created": properties.pop(_CREATED, ""),
        "metadata": properties,
        "plane": Plane(max(roi.z_position - 1, 0), max(roi.t_position - 1, 0)),
        "is_ellipse": roi.roitype == ROI_TYPE.OVAL,
        "role": "arrow" if is_arrow else "ruler" if is_line else "",
    }


def _properties(text: str) -> dict[str, str]:
    pairs = (row.partition(":") for row in text.splitlines())
    return {key.strip(): value.strip() for key, colon, value in pairs if colon}


def _color(packed: bytes) -> Color | None:
    """Return the colour of alpha, red, green, blue; None for no colour, which is all zero."""
    return None if not any(packed) else (packed[1], packed[2], packed[3])


def _geometry(roi: ImagejRoi) -> BaseGeometry:
    from roifile import ROI_SUBTYPE, ROI_TYPE

    if roi.multi_coordinates is not None and roi.roitype == ROI_TYPE.RECT:
        try:
            rings = roi.coordinates(multi=True)
        except RuntimeError as error:
            raise GeometryError(_("is made of curves")) from error
        return _even_odd([_exact(ring) for ring in rings])
    kind = roi.roitype
    if kind == ROI_TYPE.NOROI or roi.subtype in (ROI_SUBTYPE.TEXT, ROI_SUBTYPE.IMAGE):
        raise GeometryError(_("is no region"))
    if kind in (ROI_TYPE.OVAL, ROI_TYPE.RECT):
        left, top, right, bottom = _bounds(roi)
        if kind == ROI_TYPE.RECT:
            return box(left, top, right, bottom)
        center = (left + right) / 2, (top + bottom) / 2
        return ellipse(center, (right - left) / 2, (bottom - top) / 2)
    points = _exact(roi.coordinates())
    if kind == ROI_TYPE.POINT:
        return dots(points)
    if kind in (ROI_TYPE.LINE, ROI_TYPE.FREELINE, ROI_TYPE.POLYLINE, ROI_TYPE.ANGLE):
        return line(points)
    return area(points)


def _bounds(roi: ImagejRoi) -> tuple[float, float, float, float]:
    if roi.subpixelrect:
        return roi.xd, roi.yd, roi.xd + roi.widthd, roi.yd + roi.heightd
    return roi.left, roi.top, roi.right, roi.bottom


def _exact(points: Any) -> npt.NDArray[np.float64]:
    """Return the decimals that float32 numbers stand for."""
    return np.round(np.asarray(points, np.float64), _DECIMALS).astype(np.float64)


def _even_odd(rings: list[Any]) -> BaseGeometry:
    """Return the area of rings of which every second one within others is a hole."""
    left = shapely.Polygon()
    for ring in rings:
        if len(ring) > 2:
            left = left.symmetric_difference(valid_area(area(ring)))
    return valid_area(left)


def write(
    file: IO[bytes],
    features: Iterable[Feature],
    frame: SlideFrame,
    options: DialectOptions,
    note: Note,
) -> int:
    """Write a ``RoiSet.zip`` and return how many objects are in it."""
    n_written = 0
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for feature in features:
            exact = on_grid(feature.geometry)
            if exact is None:
                note(_("has nothing left on a grid of 0.01 px and was left out"))
                continue
            for shape in _one_roi_each(exact, note):
                n_written += 1
                entry = zipfile.ZipInfo(f"{n_written:06}.roi")
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, _roi(feature, shape, note).tobytes())
    return n_written


def _one_roi_each(exact: BaseGeometry, note: Note) -> list[BaseGeometry]:
    if exact.geom_type != "MultiLineString":
        return [exact]
    note(_("has several parts, each written as an object of its own"))
    return list(exact.geoms)


def _roi(feature: Feature, shape: BaseGeometry, note: Note) -> ImagejRoi:
    from roifile import ROI_OPTIONS, ROI_SUBTYPE, ROI_TYPE, ImagejRoi

    points = shapely.get_coordinates(shape)
    is_simple = shape.geom_type == "Polygon" and not shape.interiors
    roi = ImagejRoi.frompoints(points[:-1] if is_simple else points, name="")
    if is_upright_ellipse(feature, shape):
        _without_points(roi, ROI_TYPE.OVAL)
        roi.options |= ROI_OPTIONS.SUB_PIXEL_RESOLUTION
        left, top, right, bottom = shape.bounds
        roi.xd, roi.yd, roi.widthd, roi.heightd = left, top, right - left, bottom - top
    elif is_simple:
        roi.roitype = ROI_TYPE.POLYGON
    elif shape.geom_type in ("Polygon", "MultiPolygon"):
        _without_points(roi, ROI_TYPE.RECT)
        roi.options &= ~ROI_OPTIONS.SUB_PIXEL_RESOLUTION
        roi.multi_coordinates = _path(shapely.get_parts(shape))
        roi.shape_roi_size = len(roi.multi_coordinates)
    elif shape.geom_type in ("Point", "MultiPoint"):
        roi.roitype = ROI_TYPE.POINT
    elif len(points) == 2:
        _without_points(roi, ROI_TYPE.LINE)
        (roi.x1, roi.y1), (roi.x2, roi.y2) = points.tolist()
        if feature.role == "arrow":
            roi.subtype = ROI_SUBTYPE.ARROW
    else:
        roi.roitype = ROI_TYPE.POLYLINE
    _describe(roi, feature, note)
    return roi


def _without_points(roi: ImagejRoi, kind: Any) -> None:
    roi.roitype = kind
    roi.integer_coordinates = roi.subpixel_coordinates = None
    roi.n_coordinates = 0


def _path(parts: Sequence[BaseGeometry]) -> npt.NDArray[np.float32]:
    path: list[float] = []
    for part in parts:
        for ring in (part.exterior, *part.interiors):
            for number, (x, y) in enumerate(ring_of(ring)):
                path += (_LINE if number else _MOVE, x, y)
            path.append(_CLOSE)
    return np.array(path, np.float32)


def _describe(roi: ImagejRoi, feature: Feature, note: Note) -> None:
    named = feature.classification
    said = {
        _CLASS: named.name if named else "",
        _AUTHOR: feature.author,
        _CREATED: feature.created,
        **feature.metadata,
    }
    rows = (f"{key}: {' '.join(text.split())}\n" for key, text in said.items() if text)
    texts = [feature.name, "".join(rows)]
    roi.name, roi.props = (_RARE.sub("?", text) for text in texts)
    if [roi.name, roi.props] != texts:
        note(_("has characters that ImageJ's files cannot hold, written as “?”"))
    color = named.color if named else feature.color
    if color:
        roi.stroke_color = bytes((255, *color))
    if feature.plane.z:
        roi.z_position = feature.plane.z + 1
    if feature.plane.t:
        roi.t_position = feature.plane.t + 1
