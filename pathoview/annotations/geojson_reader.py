"""GeoJSON of QuPath and of everybody else, read a few thousand objects at a time.

Plain detections become columns; whatever says more of itself becomes a `Feature`. What cannot be
used is left out and counted; only a file that cannot be understood at all is an error.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from pathoview.annotations.detections import Detections, concatenate
from pathoview.annotations.feature import Feature
from pathoview.annotations.geojson_elements import GeoJSONElements
from pathoview.annotations.geojson_object import parse_objects
from pathoview.annotations.geojson_rings import restored
from pathoview.annotations.geojson_source import GeoJSONSource
from pathoview.annotations.geojson_table import Numbered, is_plain, parse_table, table_of
from pathoview.core.errors import GeoJSONError
from pathoview.core.translation import _, ngettext


@dataclass(frozen=True, slots=True)
class Batch:
    """Some of the objects of a file."""

    detections: Detections
    features: tuple[Feature, ...]
    fraction: float
    """How much of the file has been read, 0–1."""
    warnings: Mapping[str, int]
    """What was left out or changed, as the end of a sentence, and for how many objects."""


def read_geojson(path: Path) -> Iterator[Batch]:
    """Yield the objects of a file; raise `GeoJSONError` when it cannot be understood.

    Equal files give equal ids, also to objects that have none.
    """
    n_values = n_used = 0
    warnings: Counter[str] = Counter()
    with GeoJSONSource(path) as source:
        for elements in GeoJSONElements(source.read, path.name):
            values = elements.values if elements.is_flat else _unwrapped(elements.values)
            batch = _batch(values, elements.rings, n_values, source.fraction)
            n_values += len(values)
            n_used += len(batch.detections) + len(batch.features)
            warnings.update(batch.warnings)
            yield batch
    if warnings and not n_used:
        raise GeoJSONError(
            _("“{name}” holds no object that can be used.").format(name=path.name),
            " ".join(warning_sentences(warnings)),
        )


def warning_sentences(warnings: Mapping[str, int]) -> list[str]:
    """Return the warnings as sentences for a person."""
    return [
        ngettext("{n} object {what}.", "{n} objects: each {what}.", n).format(n=n, what=what)
        for what, n in warnings.items()
    ]


def _unwrapped(values: list[Any]) -> list[Any]:
    """Return the objects in arrays and collections; their depth was checked before."""
    while any(_has_parts(value) for value in values):
        parts = (_parts(value) if _has_parts(value) else [value] for value in values)
        values = list(chain.from_iterable(parts))
    return values


def _has_parts(value: Any) -> bool:
    return type(value) is list or (
        type(value) is dict and "features" in value and isinstance(value["features"], list)
    )


def _parts(value: Any) -> list[Any]:
    return list(value if isinstance(value, list) else value["features"])


def _batch(values: Sequence[Any], rings: Sequence[bytes], n_before: int, fraction: float) -> Batch:
    warnings: Counter[str] = Counter()
    features: list[Feature] = []

    def note(text: str) -> None:
        warnings[text] += 1

    plain: list[Numbered] = []
    others: list[tuple[int, Any]] = []
    for item in enumerate(values, n_before + 1):
        (plain if is_plain(item[1]) else others).append(item)
    table, refused = parse_table(plain, rings)
    for number, value in [*others, *refused]:
        try:
            features += parse_objects(restored(value, rings), number, note)
        except ValueError:
            note(_("has coordinates that are not numbers and was left out"))
    small, features = table_of(features)
    return Batch(concatenate([table, small]), tuple(features), fraction, warnings)
