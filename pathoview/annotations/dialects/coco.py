"""COCO's JSON: polygons, run lengths or boxes of one of its pictures, categories as classes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from itertools import chain
from pathlib import Path
from typing import IO, Any

import numpy as np
import orjson
import shapely
from shapely.geometry.base import BaseGeometry

from pathoview.annotations.dialects.frame import (
    DialectOptions,
    Note,
    SlideFrame,
    chosen_image,
    damaged,
)
from pathoview.annotations.dialects.json_file import load_json, metadata_of, objects_in, text_in
from pathoview.annotations.dialects.opening import Opening
from pathoview.annotations.dialects.rasters import mask_of, outline_of
from pathoview.annotations.dialects.run_lengths import counts_of, mask_box, unpacked_counts
from pathoview.annotations.dialects.shapes import Maker, area, box, class_of, joined, ring_of
from pathoview.annotations.feature import Feature
from pathoview.annotations.geojson_geometry import GeometryError, on_grid
from pathoview.core.translation import _

NAME = "coco"

_IMAGE_ID = 1
_UNCLASSIFIED = "unclassified"
_OURS = ("name", "author", "created")


def looks_like(opening: Opening) -> bool:
    if not opening.is_json or opening.has_keys("serverBuilder"):
        return False
    return any(
        opening.has_keys(*keys)
        for keys in (("images", "id"), ("annotations", "image_id"), ("categories", "id"))
    )


def read(path: Path, frame: SlideFrame, options: DialectOptions, note: Note) -> Iterator[Feature]:
    """Yield the annotations of one picture: the slide's by its file name, or the only one.

    Raises `AnnotationFileError` when several are there and none has the slide's name.
    """
    value = load_json(path)
    if not isinstance(value, Mapping) or not isinstance(value.get("annotations"), list):
        raise damaged(path, _("no “annotations” in it"))
    images = objects_in(value, "images")
    name = chosen_image([text_in(one, "file_name") for one in images], path, frame, options)
    chosen = {one.get("id") for one in images if text_in(one, "file_name") == name}
    classes = {
        one.get("id"): class_of(text_in(one, "name"))
        for one in objects_in(value, "categories")
        if text_in(one, "name") != _UNCLASSIFIED
    }
    maker = Maker(NAME, note)
    for one in objects_in(value, "annotations"):
        if images and one.get("image_id") not in chosen:
            continue
        attributes = metadata_of(one.get("attributes"))
        ours = {key: attributes.pop(key) for key in _OURS if key in attributes}
        score = one.get("score")
        feature = maker.make(
            partial(_geometry, one),
            classification=classes.get(one.get("category_id")),
            measurements={"score": float(score)} if isinstance(score, int | float) else {},
            metadata=attributes,
            **ours,
        )
        if feature is not None:
            yield feature


def _geometry(one: Mapping[str, Any]) -> BaseGeometry:
    segmentation = one.get("segmentation")
    if isinstance(segmentation, Mapping):
        n_rows, n_columns = (int(number) for number in segmentation["size"])
        counts = segmentation["counts"]
        runs = unpacked_counts(counts) if isinstance(counts, str) else counts
        return outline_of(*mask_box(runs, n_rows, n_columns))
    if isinstance(segmentation, list) and segmentation:
        flat = segmentation if isinstance(segmentation[0], list) else [segmentation]
        return joined([area(np.array(part, np.float64).reshape(-1, 2)) for part in flat])
    if one.get("bbox"):
        x, y, width, height = (float(number) for number in one["bbox"])
        return box(x, y, x + width, y + height)
    raise GeometryError(_("has no outline"))


def write(
    file: IO[bytes],
    features: Iterable[Feature],
    frame: SlideFrame,
    options: DialectOptions,
    note: Note,
) -> int:
    """Write the areas and return how many; COCO has no holes but in run lengths of pixels."""
    categories: dict[str, int] = {}
    image = {
        "id": _IMAGE_ID,
        "width": frame.width_l0,
        "height": frame.height_l0,
        "file_name": frame.name,
    }
    file.write(b'{"info":{"description":"PathoView"},"licenses":[],"images":[')
    file.write(orjson.dumps(image) + b'],\n"annotations":[\n')
    n_written = 0
    for feature in features:
        shape = _shape(feature, frame, note)
        if shape is None:
            continue
        named = feature.classification
        name = named.name if named else _UNCLASSIFIED
        category = categories.setdefault(name, len(categories) + 1)
        n_written += 1
        said = {key: getattr(feature, key) for key in _OURS} | {**feature.metadata}
        attributes = {key: text for key, text in said.items() if text}
        one = {"id": n_written, "image_id": _IMAGE_ID, "category_id": category, **shape}
        one |= {"attributes": attributes} if attributes else {}
        file.write((b",\n" if n_written > 1 else b"") + orjson.dumps(one))
    listed = [
        {"id": number, "name": name, "supercategory": ""} for name, number in categories.items()
    ]
    file.write(b'\n],\n"categories":' + orjson.dumps(listed) + b"}\n")
    return n_written


def _shape(feature: Feature, frame: SlideFrame, note: Note) -> dict[str, Any] | None:
    exact = on_grid(feature.geometry)
    if exact is None or exact.geom_type not in ("Polygon", "MultiPolygon"):
        note(_("is no area, which is all that COCO knows, and was left out"))
        return None
    left, top, right, bottom = exact.bounds
    parts = shapely.get_parts(exact)
    segmentation: object = [[*chain.from_iterable(ring_of(one.exterior))] for one in parts]
    if any(one.interiors for one in parts):
        try:
            segmentation = _runs(exact, frame)
        except GeometryError as error:
            note(_("{why} and was left out").format(why=error))
            return None
        note(_("has holes and was written as pixels"))
    return {
        "segmentation": segmentation,
        "area": round(exact.area, 2),
        "bbox": [left, top, round(right - left, 2), round(bottom - top, 2)],
        "iscrowd": 0,
    }


def _runs(exact: BaseGeometry, frame: SlideFrame) -> dict[str, Any]:
    mask, left, top = mask_of(exact)
    height, width = frame.height_l0, frame.width_l0
    if left < 0 or top < 0 or left + mask.shape[1] > width or top + mask.shape[0] > height:
        raise GeometryError(_("has holes and reaches beyond the picture"))
    return {"size": [height, width], "counts": counts_of(mask, left, top, height, width)}
