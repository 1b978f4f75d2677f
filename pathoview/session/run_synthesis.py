"""A run that shows tissue as if it were healthy: its layers, and what they add up to."""

from __future__ import annotations

from pathoview.core.byte_cache import ByteCache
from pathoview.core.geometry import Rect
from pathoview.layers.layer import Layer
from pathoview.layers.synthesis_source import (
    PseudoHealthySource,
    SynthesisTiles,
    SynthesisValueSource,
    synthesis_layers,
)
from pathoview.slides.slide import SlideInfo
from pathoview.study.results import RunFile
from pathoview.study.synthesis_rows import LIKELY, SynthesisCounts


class RunSynthesis:
    """Layers of one run. `load` works in another thread, all else in the session's."""

    def __init__(
        self, run_file: RunFile, title: str, info: SlideInfo, memory: ByteCache | None
    ) -> None:
        record = run_file.record
        region_l0 = Rect(*record.region_l0) if record.region_l0 else None
        self._tiles = SynthesisTiles(run_file, memory)
        self._pixel_mm2 = ((record.mpp or 0.0) / 1000) ** 2
        size_l0 = info.width, info.height
        self.layers = synthesis_layers(self._tiles, title, size_l0, region_l0, memory)

    @property
    def picture_layer(self) -> Layer:
        """The pseudo-healthy picture."""
        return self.layers[0]

    @property
    def difference_layer(self) -> Layer:
        return self.layers[1]

    @property
    def pathology_layer(self) -> Layer:
        return self.layers[-1]

    @property
    def counts(self) -> SynthesisCounts:
        """What the pixels of the tiles there are add up to."""
        return self._tiles.counts

    @property
    def area_mm2(self) -> float:
        """All that was analysed so far."""
        return self.counts.n_px * self._pixel_mm2

    def pathology_mm2(self, threshold: float = LIKELY) -> float:
        """Return the area with at least a probability of pathology, so far."""
        return self.counts.n_pathology(threshold) * self._pixel_mm2

    def different_mm2(self, threshold: float) -> float:
        """Return the area that differs by at least so many grey levels, so far."""
        return self.counts.n_different(threshold) * self._pixel_mm2

    def load(self) -> Rect | None:
        """Look for new tiles; return the rectangle around them. Raises `StorageError`."""
        return self._tiles.look()

    def tell(self, rect_l0: Rect) -> None:
        """Have what is new drawn."""
        for layer in self.layers:
            source = layer.source
            assert isinstance(source, PseudoHealthySource | SynthesisValueSource)
            source.grew(rect_l0)
