"""GeoJSON that QuPath can open: streamed, in constant memory, the old file whole until the end.

The rules are listed in ``resources/guide/geojson.md``.
"""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from pathoview.annotations.detections import Detections, concatenate
from pathoview.annotations.feature import Feature, feature_at
from pathoview.annotations.geojson_columns import SEPARATOR, table_text, valid_rows
from pathoview.annotations.geojson_object import feature_object
from pathoview.core.errors import UsageError
from pathoview.core.files import replacing
from pathoview.core.progress import Progress
from pathoview.core.translation import _, ngettext

_ROWS = 2000
"""Objects made into text at once: few enough to stay in the processor's cache."""
_GZIP_LEVEL = 1
_SUFFIXES = (".geojson", ".json", ".geojson.gz", ".json.gz")


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """How to write; compression follows from the file's name."""

    collection: bool = True
    """A FeatureCollection, which can carry where it comes from, rather than a bare array."""
    measurements: bool = True


@dataclass(frozen=True, slots=True)
class Written:
    """What became of an export."""

    n_objects: int
    n_left_out: int
    """Objects of which nothing is left on a grid of 0.01 px."""
    n_bytes: int
    """Bytes of GeoJSON, before compression."""
    seconds: float

    @property
    def mb_per_s(self) -> float:
        return self.n_bytes / 1e6 / max(self.seconds, 1e-9)


def write_geojson(
    path: Path,
    tables: Iterable[Detections],
    features: Iterable[Feature] = (),
    *,
    options: ExportOptions = ExportOptions(),
    offset_l0: tuple[int, int] = (0, 0),
    total: int,
    progress: Progress,
    provenance: Mapping[str, Any],
) -> Written:
    """Write all objects to ``path``; gzip when the name ends in ``.gz``.

    ``offset_l0`` is subtracted from every coordinate; ``total`` is the expected number of objects.
    Raises `StorageError` when the disk refuses and `Cancelled` when asked to stop; what was at
    ``path`` is then untouched.
    """
    check_name(path)
    with ExitStack() as stack:
        file = stack.enter_context(replacing(path))
        if path.name.endswith(".gz"):
            zipped = gzip.GzipFile("", "wb", _GZIP_LEVEL, fileobj=file, mtime=0)
            write: Callable[[bytes], int] = stack.enter_context(closing(zipped)).write
        else:
            write = file.write
        writer = _Writer(write, options, offset_l0, total, progress)
        writer.begin(provenance)
        for table in _regrouped(tables):
            writer.add_table(table)
        for feature in features:
            writer.add_feature(feature)
        writer.end()
    return writer.written()


def check_name(path: Path) -> None:
    """Raise `UsageError` unless QuPath would take a file of this name."""
    if not path.name.lower().endswith(_SUFFIXES):
        raise UsageError(
            _("“{name}” does not end in .geojson, .json, or one of these and .gz.").format(
                name=path.name
            ),
            _("QuPath chooses by the ending how to read a file."),
        )


class _Writer:
    def __init__(
        self,
        write: Callable[[bytes], int],
        options: ExportOptions,
        offset_l0: tuple[int, int],
        total: int,
        progress: Progress,
    ) -> None:
        self._write_bytes = write
        self._options = options
        self._shift_l0 = -offset_l0[0], -offset_l0[1]
        self._total = max(total, 1)
        self._progress = progress
        self._started = time.perf_counter()
        self._n_objects = 0
        self._n_left_out = 0
        self._n_bytes = 0

    def written(self) -> Written:
        seconds = time.perf_counter() - self._started
        return Written(self._n_objects, self._n_left_out, self._n_bytes, seconds)

    def begin(self, provenance: Mapping[str, Any]) -> None:
        if self._options.collection:
            stamp = orjson.dumps(dict(provenance))
            self._write(b'{"type":"FeatureCollection","provenance":' + stamp + b',"features":[\n')
        else:
            self._write(b"[\n")

    def end(self) -> None:
        self._write(b"\n]}\n" if self._options.collection else b"\n]\n")

    def add_table(self, table: Detections) -> None:
        table = table.moved(*self._shift_l0)
        valid = valid_rows(table)
        sound = table if valid.all() else table.take(valid)
        if len(sound):
            self._add(table_text(sound, measurements=self._options.measurements), len(sound))
        for row in np.flatnonzero(~valid):
            self._add_object(feature_at(table, int(row)))
        self._report()

    def add_feature(self, feature: Feature) -> None:
        self._add_object(feature.moved(*self._shift_l0) if any(self._shift_l0) else feature)
        if self._n_objects % _ROWS == 0:
            self._report()

    def _add_object(self, feature: Feature) -> None:
        written = feature_object(feature, measurements=self._options.measurements)
        if written is None:
            self._n_left_out += 1
        else:
            self._add(orjson.dumps(written), 1)

    def _add(self, text: bytes, n_objects: int) -> None:
        if self._n_objects:
            self._write(SEPARATOR)
        self._write(text)
        self._n_objects += n_objects

    def _write(self, text: bytes) -> None:
        self._write_bytes(text)
        self._n_bytes += len(text)

    def _report(self) -> None:
        self._progress.check()
        n = self._n_objects + self._n_left_out
        self._progress.report(
            min(n / self._total, 1.0),
            ngettext("{n} object written", "{n} objects written", n).format(n=n),
            mb_per_s=self.written().mb_per_s,
            objects=n,
        )


def _regrouped(tables: Iterable[Detections]) -> Iterator[Detections]:
    """Join small tables and cut large ones, so that each has about `_ROWS` rows."""
    waiting: list[Detections] = []
    for table in tables:
        waiting.append(table)
        if sum(map(len, waiting)) >= _ROWS:
            yield from _pieces(concatenate(waiting))
            waiting.clear()
    yield from _pieces(concatenate(waiting))


def _pieces(table: Detections) -> Iterator[Detections]:
    for start in range(0, len(table), _ROWS):
        stop = min(start + _ROWS, len(table))
        yield table if stop - start == len(table) else table.take(np.arange(start, stop))
