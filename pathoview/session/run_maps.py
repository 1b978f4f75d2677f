"""The map of a run that is shown: its layers, and the areas of its classes."""

from __future__ import annotations

from dataclasses import dataclass

from pathoview.annotations.detections import DetectionClass
from pathoview.core.byte_cache import ByteCache
from pathoview.core.geometry import Rect
from pathoview.layers.class_map_source import ClassMapSource
from pathoview.layers.doubtful_fields import DoubtfulFields, doubtful_fields
from pathoview.layers.layer import Layer
from pathoview.layers.paint import Color
from pathoview.layers.prediction_source import PredictedSource, PredictionMap, prediction_layers
from pathoview.slides.slide import SlideInfo
from pathoview.study.results import RunFile


@dataclass(frozen=True, slots=True)
class ClassArea:
    """How much of the analysed tissue is of one class."""

    number: int
    """Its place in the map's planes."""
    detection_class: DetectionClass
    area_mm2: float
    share: float
    """0–1, of all that was analysed so far."""


class RunMap:
    """Layers of one map. `load` and `doubtful_fields` work in other threads."""

    def __init__(
        self, run_file: RunFile, title: str, info: SlideInfo, memory: ByteCache | None
    ) -> None:
        self._map = PredictionMap(run_file, memory)
        self.layers = prediction_layers(self._map, title, info.width, info.height)

    @property
    def class_layer(self) -> Layer:
        return self.layers[0]

    @property
    def areas(self) -> tuple[ClassArea, ...]:
        """What the classes take of the tiles there are, the largest first."""
        pixels = self._map.class_pixels
        pixel_mm2 = ((self._map.mpp or 0.0) / 1000) ** 2
        n_all = max(1, int(pixels.sum()))
        classes = self._classes.classes
        found = [
            ClassArea(number, classes[number], n * pixel_mm2, n / n_all)
            for number, n in enumerate(pixels.tolist())
        ]
        return tuple(sorted(found, key=lambda one: -one.share))

    @property
    def area_mm2(self) -> float:
        """All that was analysed so far."""
        return sum(one.area_mm2 for one in self.areas)

    def recolor_class(self, name: str, color: Color) -> None:
        """Give a class another colour on the screen."""
        source = self._classes
        for number, one in source.classes.items():
            if one.name == name:
                source.recolor_class(number, color)

    @property
    def _classes(self) -> ClassMapSource:
        source = self.class_layer.source
        assert isinstance(source, ClassMapSource)
        return source

    def doubtful_fields(self, field_l0: float) -> DoubtfulFields:
        """Return where the map is in doubt; for another thread. Raises `SlideError`."""
        return doubtful_fields(self._map, field_l0)

    def load(self) -> Rect | None:
        """Look for new tiles; return the rectangle around them. Raises `StorageError`."""
        return self._map.look()

    def tell(self, rect_l0: Rect) -> None:
        """Have what is new drawn."""
        for layer in self.layers:
            source = layer.source
            assert isinstance(source, PredictedSource)
            source.grew(rect_l0)
