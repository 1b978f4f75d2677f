"""GeoJSON through PathoView's own streaming reader and writer, and what napari-wsi calls JSON."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO

import orjson
import shapely

from pathoview.annotations.detections import Detections
from pathoview.annotations.dialects.frame import DialectOptions, Note, SlideFrame
from pathoview.annotations.dialects.opening import Opening
from pathoview.annotations.dialects.shapes import AREAS, simple_parts, valid_area
from pathoview.annotations.feature import Feature, feature_at
from pathoview.annotations.geojson_geometry import GeometryError, geometry_object
from pathoview.annotations.geojson_object import feature_object
from pathoview.annotations.geojson_reader import read_geojson
from pathoview.core.translation import _

NAME = "geojson"
NAPARI_NAME = "napari-wsi"

_GEOMETRIES = ("Point", "LineString", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon")
_GZIP = b"\x1f\x8b"
_ZIP = b"PK\x03\x04"


def looks_like(opening: Opening) -> bool:
    if opening.head.startswith(_GZIP):
        return True
    if opening.head.startswith(_ZIP):
        return _is_zipped(opening.path)
    text = opening.text
    has_type = any(f'"{kind}"' in text for kind in ("Feature", "FeatureCollection", *_GEOMETRIES))
    return opening.is_json and opening.has_keys("type") and has_type


def _is_zipped(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.lower().endswith((".geojson", ".json")) for name in archive.namelist())
    except (zipfile.BadZipFile, OSError):
        return False


def looks_like_napari(opening: Opening) -> bool:
    """Whether this is a collection that says nothing but geometries."""
    is_collection = looks_like(opening) and opening.has_keys("features", "geometry")
    return is_collection and not opening.has_keys("properties")


def read(path: Path, frame: SlideFrame, options: DialectOptions, note: Note) -> Iterator[Feature]:
    """Yield all objects, in the frame of the slide; plain detections become objects too."""
    offset_l0 = frame.bounds_offset_l0 if options.crop_to_bounds else (0, 0)
    for feature in _features(path, note):
        moved = feature.moved(*offset_l0) if any(offset_l0) else feature
        yield replace(moved, origin=feature.origin or NAME)


def read_napari(
    path: Path, frame: SlideFrame, options: DialectOptions, note: Note
) -> Iterator[Feature]:
    """Yield the shapes; they count from the corner of the picture."""
    for feature in _features(path, note):
        yield replace(feature, origin=NAPARI_NAME)


def _features(path: Path, note: Note) -> Iterator[Feature]:
    for batch in read_geojson(path):
        for text, n_objects in batch.warnings.items():
            for _number in range(n_objects):
                note(text)
        for feature in (*_objects(batch.detections), *batch.features):
            valid = valid_feature(feature, note)
            if valid is not None:
                yield valid


def _objects(table: Detections) -> Iterator[Feature]:
    return (feature_at(table, row) for row in range(len(table)))


def valid_feature(feature: Feature, note: Note) -> Feature | None:
    """Return a feature with a valid shape; None, and a note why, when it can have none."""
    shape = feature.geometry
    if shape.geom_type not in AREAS or shapely.is_valid(shape):
        return feature
    try:
        valid = replace(feature, geometry=valid_area(shape))
    except GeometryError as error:
        note(_("{why} and was left out").format(why=error))
        return None
    note(_("crosses or touches itself and was made valid"))
    return valid


def write(
    file: IO[bytes],
    features: Iterable[Feature],
    frame: SlideFrame,
    options: DialectOptions,
    note: Note,
) -> int:
    """Write everything that QuPath can read, and return how many objects."""
    shift_l0 = frame.bounds_offset_l0 if options.crop_to_bounds else (0, 0)

    def written(feature: Feature) -> list[dict[str, object]]:
        moved = feature.moved(-shift_l0[0], -shift_l0[1]) if any(shift_l0) else feature
        value = feature_object(moved)
        if value is None:
            note(_("has nothing left on a grid of 0.01 px and was left out"))
        return [value] if value is not None else []

    return _write_collection(file, features, written)


def write_napari(
    file: IO[bytes],
    features: Iterable[Feature],
    frame: SlideFrame,
    options: DialectOptions,
    note: Note,
) -> int:
    """Write nothing but simple geometries, as napari-wsi takes them, and return how many."""

    def written(feature: Feature) -> list[dict[str, object]]:
        objects = (geometry_object(part) for part in simple_parts(feature, note))
        return [{"type": "Feature", "geometry": one} for one in objects if one is not None]

    return _write_collection(file, features, written)


def _write_collection(
    file: IO[bytes],
    features: Iterable[Feature],
    written: Callable[[Feature], list[dict[str, object]]],
) -> int:
    file.write(b'{"type":"FeatureCollection","features":[\n')
    separator = b""
    n_written = 0
    for feature in features:
        values = written(feature)
        for value in values:
            file.write(separator + orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY))
            separator = b",\n"
        n_written += bool(values)
    file.write(b"\n]}\n")
    return n_written
