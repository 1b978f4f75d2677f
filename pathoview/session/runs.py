"""A run that is shown: its objects, its map or its tiles as layers, and what they add up to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pathoview.annotations.detections import DetectionClass, Detections, concatenate
from pathoview.core.byte_cache import ByteCache
from pathoview.core.geometry import Rect
from pathoview.core.translation import _
from pathoview.layers.detection_source import DetectionSource
from pathoview.layers.feature_source import FeatureSource
from pathoview.layers.layer import Layer
from pathoview.session.run_attention import RunAttention
from pathoview.session.run_maps import RunMap
from pathoview.session.run_synthesis import RunSynthesis
from pathoview.slides.slide import SlideInfo
from pathoview.study.results import RunFile

_ROWS_AT_ONCE = 50_000
"""Objects loaded in one go, so that the first of many are soon seen."""


@dataclass(frozen=True, slots=True)
class ClassCount:
    """How many objects of one class were found."""

    detection_class: DetectionClass | None
    """None: not classified."""
    n: int
    per_mm2: float | None
    """None when the analysed area is not known."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """What the objects of a run add up to."""

    n: int
    area_mm2: float | None
    """Tissue analysed; None while the run goes on, and for imports."""
    per_mm2: float | None
    classes: tuple[ClassCount, ...]


@dataclass(frozen=True, slots=True)
class Loaded:
    """What one step of loading brought."""

    detections_l0: Rect | None
    """Around the new detections; None: there are none."""
    features_l0: Rect | None
    """Around the new features; None: there are none."""
    have_gone: bool
    """Detections that were loaded before were dropped."""
    is_complete: bool
    """Nothing was left in the file."""
    map_l0: Rect | None = None
    """Around the new tiles of the map or the synthesis; None: there are none."""
    attention_l0: Rect | None = None
    """Around the tiles of a whole slide that have come; None: there are none."""


class RunView:
    """One run on the open slide. `load` works in another thread, all else in the session's."""

    def __init__(self, path: Path, info: SlideInfo, memory: ByteCache | None = None) -> None:
        """Open the result file; raises `StorageError`. ``memory`` is shared with other layers."""
        self.path = path
        self._file = RunFile.open(path)
        self.record = self._file.record
        """As it was when loading last came to the end of the file."""
        self.source = DetectionSource(info.width, info.height)
        self.features = FeatureSource(info.width, info.height)
        name = self.record.title or _("Nuclei")
        self.detection_layer = Layer(name, self.source)
        self.annotation_layer = Layer(_("Annotations"), self.features)
        self.map: RunMap | None = None
        """What a pixel method made; None: the run has something else."""
        self.attention: RunAttention | None = None
        """What a method for whole slides made; None: the run has something else."""
        self.synthesis: RunSynthesis | None = None
        """What a method made that shows tissue as if it were healthy; None: something else."""
        if self.record.gives == "pixel":
            self.map = RunMap(self._file, name, info, memory)
        elif self.record.gives == "bag":
            self.attention = RunAttention(self._file, name, info)
        elif self.record.gives == "synthesis":
            self.synthesis = RunSynthesis(self._file, name, info, memory)
        self.is_growing = False
        """Objects still come in."""
        self.may_have_dropped = False
        """Objects loaded already may have been dropped from the file since."""
        self._loaded: set[tuple[int, int]] = set()
        self._waiting: list[tuple[int, int]] = []
        """Tiles that are known of and not loaded yet, (column, row)."""
        self._last_tile = self._last_feature = 0
        """Numbers, in the file, of the last that is known of."""

    @property
    def layers(self) -> Sequence[Layer]:
        """The layers to draw, back to front; annotations only when the run has some."""
        made = self.map or self.attention or self.synthesis
        found: Sequence[Layer] = (self.detection_layer,) if made is None else made.layers
        return (*found, self.annotation_layer) if len(self.features) else found

    @property
    def shown_first(self) -> Sequence[Layer]:
        """Those of the layers that are seen unless somebody asks for more."""
        if self.map is not None:
            return (self.map.class_layer,)
        if self.attention is not None:
            return (self.attention.attention_layer,)
        if self.synthesis is not None:
            return (self.synthesis.pathology_layer,)
        return self.layers

    @property
    def statistics(self) -> Statistics:
        """Counts and densities of what is loaded."""
        area = self.record.area_mm2
        known_area = area if area > 0 and not self.is_growing else None
        classes = self.source.classes
        counts = sorted(self.source.class_counts().items(), key=lambda item: -item[1])
        return Statistics(
            len(self.source),
            known_area,
            _per(len(self.source), known_area),
            tuple(
                ClassCount(classes[index] if index >= 0 else None, n, _per(n, known_area))
                for index, n in counts
            ),
        )

    @property
    def measurement_names(self) -> Sequence[str]:
        return self.source.measurement_names

    def column(self, name: str) -> npt.NDArray[np.float32]:
        """Return one measurement of all objects, NaN where unknown."""
        return self.source.column(name)

    def load(self) -> Loaded:
        """Load some of what is new in the file; raises `StorageError`. Emits nothing."""
        is_growing = self.is_growing  # read first: what came before it ended is then seen below
        mapped = self.map or self.synthesis
        map_l0 = None if mapped is None else mapped.load()
        attention_l0 = None if self.attention is None else self.attention.load()
        detections_l0 = self._load_tiles()
        features_l0, has_more_features = self._load_features()
        is_complete = not self._waiting and not has_more_features
        have_gone = is_complete and not is_growing and self._load_end()
        return Loaded(detections_l0, features_l0, have_gone, is_complete, map_l0, attention_l0)

    def _load_tiles(self) -> Rect | None:
        for number, col, row in self._file.tiles_since(self._last_tile):
            self._last_tile = number
            if (col, row) not in self._loaded:
                self._loaded.add((col, row))
                self._waiting.append((col, row))
        self._waiting.sort(key=lambda tile: tile[::-1])
        tables: list[Detections] = []
        n_rows = 0
        for table in self._file.tiles(self._waiting):
            tables.append(table)
            n_rows += len(table)
            if n_rows >= _ROWS_AT_ONCE:
                break
        del self._waiting[: len(tables)]
        return self.source.add(concatenate(tables))

    def _load_features(self) -> tuple[Rect | None, bool]:
        """Load some features; return the rectangle around them, and whether there may be more."""
        features, last = self._file.features_since(self._last_feature)
        if last is None:
            return None, False
        self._last_feature = last
        return self.features.add(features), True

    def _load_end(self) -> bool:
        """Load what comes last, the record; return whether objects were dropped in the end."""
        self.record = self._file.record
        n_dropped = self.source.remove(self._file.dropped()) if self.may_have_dropped else 0
        self.may_have_dropped = False
        return n_dropped > 0

    def tell(self, loaded: Loaded) -> None:
        """Have what was loaded drawn."""
        if loaded.have_gone:
            self.source.changed.emit(None)
        elif loaded.detections_l0 is not None:
            self.source.changed.emit(loaded.detections_l0)
        if loaded.features_l0 is not None:
            self.features.changed.emit(loaded.features_l0)
        mapped = self.map or self.synthesis
        if loaded.map_l0 is not None and mapped is not None:
            mapped.tell(loaded.map_l0)
        if loaded.attention_l0 is not None and self.attention is not None:
            self.attention.tell()

    def close(self) -> None:
        self._file.close()


def _per(n: int, area_mm2: float | None) -> float | None:
    return n / area_mm2 if area_mm2 else None
