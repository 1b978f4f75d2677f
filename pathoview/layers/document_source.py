"""The annotations of a document as tiles: a few features come and go at a gesture."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import numpy as np
import shapely

from pathoview.annotations.change import Change
from pathoview.annotations.detections import DetectionClass
from pathoview.annotations.feature import Feature
from pathoview.core.geometry import Rect
from pathoview.layers.feature_shapes import FeatureShapes
from pathoview.layers.feature_source import FeatureSource

_SMALL = 512
"""Features in a chunk that is joined with others."""
_MOST_SMALL_CHUNKS = 24


class DocumentSource(FeatureSource):
    """Features that are added, edited and taken away. Thread-safe.

    What goes is marked in its chunk, what comes is a chunk of its own: a gesture costs as much as
    it touches, however much there is. Small chunks are joined now and then.
    """

    def __init__(self, width_l0: float, height_l0: float) -> None:
        self._where: dict[UUID, tuple[FeatureShapes, int]] = {}
        super().__init__(width_l0, height_l0)

    def change(self, change: Change) -> Rect | None:
        """Take features away and put others in, without a word; return where that was.

        For any thread; the caller has `changed` emitted with the rectangle.
        """
        rects = [self._take(change.before), self.add(self._drawn(change.after))]
        touched = [rect for rect in rects if rect is not None]
        return touched[0] if len(touched) == 1 else _union(touched)

    def recolor(self, classes: Sequence[DetectionClass]) -> None:
        """Draw classes in other colours, by their names."""
        colors = {entry.name: entry for entry in classes}
        with self._lock:
            self._classes = tuple(colors.get(entry.name, entry) for entry in self._classes)
        self._restyled()

    def find(self, x_l0: float, y_l0: float, reach_l0: float = 0.0) -> list[Feature]:
        """Return the features at a place that are seen, the smallest first.

        Lines and points may be ``reach_l0`` away.
        """
        found: list[tuple[float, int, Feature]] = []
        for chunk in self._chunks:
            near = chunk.near(Rect(x_l0, y_l0, 0, 0).expanded(reach_l0))
            rows, areas = chunk.at(near[self._is_seen(chunk)[near]], x_l0, y_l0, reach_l0)
            for row, area in zip(rows.tolist(), areas.tolist(), strict=True):
                found.append((area, -chunk.start - row, chunk.features[row]))
        return [feature for _area, _place, feature in sorted(found, key=lambda one: one[:2])]

    def within(self, area: shapely.Geometry) -> list[Feature]:
        """Return the features that are seen and touch an area, level-0 px."""
        shapely.prepare(area)
        left, top, right, bottom = area.bounds
        found: list[Feature] = []
        for chunk in self._chunks:
            near = chunk.near(Rect.from_corners(left, top, right, bottom))
            rows = near[self._is_seen(chunk)[near]]
            hit = rows[shapely.intersects(area, chunk.geometries[rows])]
            found += [chunk.features[row] for row in hit.tolist()]
        return found

    def add(self, features: Sequence[Feature]) -> Rect | None:  # type: ignore[override]
        """Add features without a word; see `FeatureSource.add`."""
        rect_l0 = super().add(features)
        if rect_l0 is not None:
            with self._lock:
                self._note(self._chunks[-1])
                self._join()
        return rect_l0

    @staticmethod
    def _drawn(features: Sequence[Feature]) -> tuple[Feature, ...]:
        return tuple(feature for feature in features if not feature.is_hidden)

    def _take(self, features: Sequence[Feature]) -> Rect | None:
        geometries = []
        with self._lock:
            for feature in features:
                chunk, row = self._where.pop(feature.id, (None, 0))
                if chunk is not None:  # a hidden one is not here
                    chunk.is_there[row] = False
                    self._counts[int(chunk.class_index[row])] -= 1
                    geometries.append(chunk.geometries[row])
            self._n -= len(geometries)
        if not geometries:
            return None
        left, top, right, bottom = shapely.total_bounds(np.array(geometries, object)).tolist()
        reach_l0 = self._reach_px() * self.pyramid.levels[-1].downsample
        return Rect.from_corners(left, top, right, bottom).expanded(reach_l0)

    def _note(self, chunk: FeatureShapes) -> None:
        for row, feature in enumerate(chunk.features):
            self._where[feature.id] = chunk, row

    def _join(self) -> None:
        """Make one chunk of many small ones."""
        small = [chunk for chunk in self._chunks if len(chunk.features) <= _SMALL]
        if len(small) <= _MOST_SMALL_CHUNKS:
            return
        left = [
            (chunk.features[row], chunk.class_index[row])
            for chunk in small
            for row in np.flatnonzero(chunk.is_there).tolist()
        ]
        kept = tuple(chunk for chunk in self._chunks if len(chunk.features) > _SMALL)
        if not left:
            self._chunks = kept
            return
        features, classes = zip(*left, strict=True)
        joined = FeatureShapes(small[0].start, features, np.array(classes, np.int64))
        self._note(joined)
        self._chunks = (*kept, joined)


def _union(rects: Sequence[Rect]) -> Rect | None:
    return rects[0].union(rects[1]) if rects else None
