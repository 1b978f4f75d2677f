"""Counts of detections for dots, by class or by the steps of a measurement."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from pathoview.core.geometry import Rect
from pathoview.layers.density import UNCOUNTED, Counts, DensityCounter, Kinds
from pathoview.layers.detection_index import Chunk
from pathoview.layers.dots import DOTS
from pathoview.layers.outline_colors import Look

N_DOT_COLORS = 8
"""Colours of measurements in dots."""


class DotCounts:
    """Counts what is new when dots are painted; covered rows are left out. Thread-safe."""

    def __init__(self, width_l0: float, height_l0: float) -> None:
        self._size_l0 = width_l0, height_l0
        self.forget()

    def forget(self) -> None:
        """Count all rows anew: others are covered now, or others there."""
        self._by_class = self._counter(_class_of)
        self.restyle()

    def restyle(self) -> None:
        """Count anew what the style decides."""
        self._by_value: DensityCounter | None = None

    def counts(
        self, chunks: Sequence[Chunk], look: Look, tile_l0: Rect, downsample: float
    ) -> Mapping[int, Counts]:
        """Return counts by the colours of a look; classes that it hides are left out."""
        if look.style.mode == "measurement":
            if self._by_value is None:
                self._by_value = self._counter(lambda chunk: look.kinds(chunk.table, N_DOT_COLORS))
            return self._by_value.counts(chunks, tile_l0, DOTS * downsample)
        counts = self._by_class.counts(chunks, tile_l0, DOTS * downsample)
        seen = [kind for kind in counts if not look.is_hidden(np.array([kind]))[0]]
        return {kind: counts[kind] for kind in seen}

    def _counter(self, kinds_of: Callable[[Chunk], Kinds]) -> DensityCounter:
        return DensityCounter(
            *self._size_l0,
            lambda chunk: np.where(chunk.is_covered, UNCOUNTED, kinds_of(chunk)),
        )


def _class_of(chunk: Chunk) -> Kinds:
    return chunk.table.class_index.astype(np.int64)
