"""What the colours of a layer mean."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pathoview.core.translation import _
from pathoview.layers.class_map_source import ClassMapSource
from pathoview.layers.colormaps import DEFAULT, colors_of
from pathoview.layers.detection_source import DetectionSource
from pathoview.layers.feature_source import FeatureSource
from pathoview.layers.heatmap_source import HeatmapSource
from pathoview.layers.paint import Color
from pathoview.layers.source import TileSource


@dataclass(frozen=True, slots=True)
class Legend:
    """Either entries with a colour each, or a colour bar with the values at its ends."""

    title: str
    entries: tuple[tuple[str, Color], ...] = ()
    colors: npt.NDArray[np.uint8] | None = None
    limits: tuple[float, float] = (0.0, 1.0)


def legend_of(name: str, source: TileSource) -> Legend | None:
    """Return the legend of a layer of that name; None: its colours speak for themselves.

    May read a file. Raises `SlideError`.
    """
    if isinstance(source, HeatmapSource):
        title = source.meaning or name
        return Legend(title, colors=colors_of(source.style.colormap), limits=source.limits)
    if isinstance(source, ClassMapSource):
        seen = (
            entry for value, entry in source.classes.items() if value not in source.style.hidden
        )
        return Legend(name, tuple((entry.name, entry.color) for entry in seen))
    if isinstance(source, DetectionSource):
        return _of_detections(name, source)
    if isinstance(source, FeatureSource):
        return _of_classes(name, source, source.style.color)
    return None


def _of_detections(name: str, source: DetectionSource) -> Legend | None:
    style = source.style
    if style.mode == "measurement":
        return Legend(style.measurement, colors=colors_of(DEFAULT), limits=source.color_limits)
    if style.mode == "single":
        return Legend("", ((name, style.color),)) if len(source) else None
    return _of_classes(name, source, style.color)


def _of_classes(
    name: str, source: DetectionSource | FeatureSource, unclassified: Color
) -> Legend | None:
    entries = []
    for index in sorted(source.class_counts()):
        entry = source.classes[index] if index >= 0 else None
        if (entry.name if entry else "") not in source.hidden_classes:
            entries.append(
                (entry.name, entry.color) if entry else (_("Unclassified"), unclassified)
            )
    return Legend(name, tuple(entries)) if entries else None


def value_text(value: float) -> str:
    """Return a value at the end of a colour bar."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
