"""What kinds of layers are called, and their icons."""

from __future__ import annotations

from pathoview.core.translation import _
from pathoview.layers.class_map_source import ClassMapSource
from pathoview.layers.detection_source import DetectionSource
from pathoview.layers.feature_source import FeatureSource
from pathoview.layers.heatmap_source import HeatmapSource
from pathoview.layers.label_source import LabelSource
from pathoview.layers.layer import Blend
from pathoview.layers.normalised_source import NormalisedSource
from pathoview.layers.registered_source import RegisteredSource
from pathoview.layers.slide_source import SlideSource
from pathoview.layers.source import TileSource
from pathoview.layers.synthetic_source import SyntheticSource

BLEND_WORDS: dict[Blend, str] = {
    "normal": _("Normal"),
    "multiply": _("Multiply"),
    "additive": _("Additive"),
}

_KINDS: tuple[tuple[type, str, str], ...] = (
    (SlideSource, _("slide"), "slide"),
    (DetectionSource, _("detections"), "nucleus"),
    (FeatureSource, _("annotations"), "annotation"),
    (HeatmapSource, _("heatmap"), "heatmap"),
    (ClassMapSource, _("class map"), "class-map"),
    (LabelSource, _("labels"), "labels"),
    (RegisteredSource, _("second slide"), "slides"),
    (SyntheticSource, _("synthetic picture"), "synthetic"),
    (NormalisedSource, _("normalised slide"), "slide"),
)


def kind_of(source: TileSource) -> tuple[str, str]:
    """Return what a layer of this source is called, and the name of its icon."""
    for kind, words, icon in _KINDS:
        if isinstance(source, kind):
            return words, icon
    return _("picture"), "overlay"
