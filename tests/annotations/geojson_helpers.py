"""Short ways to write and read GeoJSON in tests."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pathoview.annotations.detections import Detections, concatenate
from pathoview.annotations.feature import Feature
from pathoview.annotations.geojson_reader import read_geojson
from pathoview.annotations.geojson_writer import ExportOptions, Written, write_geojson
from pathoview.core.progress import Progress, SilentProgress

SQUARE = {"type": "Polygon", "coordinates": [[[0, 0], [10, 0], [10, 10], [0, 10], [0, 0]]]}


def write(
    path: Path,
    tables: Iterable[Detections] = (),
    features: Iterable[Feature] = (),
    *,
    options: ExportOptions | None = None,
    progress: Progress | None = None,
    offset_l0: tuple[int, int] = (0, 0),
) -> Written:
    return write_geojson(
        path,
        tables,
        features,
        options=options or ExportOptions(),
        offset_l0=offset_l0,
        total=1,
        progress=progress or SilentProgress(),
        provenance={"software": "PathoView"},
    )


def read(path: Path) -> tuple[Detections, list[Feature], Counter[str]]:
    tables, features = [], []
    warnings: Counter[str] = Counter()
    for batch in read_geojson(path):
        tables.append(batch.detections)
        features += batch.features
        warnings.update(batch.warnings)
    return concatenate(tables), features, warnings


def read_json(tmp_path: Path, document: Any) -> tuple[Detections, list[Feature], Counter[str]]:
    """Read what a document (JSON-able, text or bytes) holds."""
    path = tmp_path / "given.geojson"
    if isinstance(document, bytes):
        path.write_bytes(document)
    else:
        text = document if isinstance(document, str) else json.dumps(document)
        path.write_text(text, encoding="utf-8")
    return read(path)


def feature_json(properties: Any = None, /, **members: Any) -> dict[str, Any]:
    """Return a Feature: a square unless it says otherwise."""
    said = {"objectType": "detection"} if properties is None else properties
    return {"type": "Feature", "geometry": SQUARE, "properties": said, **members}
