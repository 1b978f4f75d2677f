"""Which controls a layer has: told by its source."""

from __future__ import annotations

from pathoview.core.translation import _
from pathoview.layers.class_map_source import ClassMapSource
from pathoview.layers.detection_source import DetectionSource
from pathoview.layers.feature_source import FeatureSource
from pathoview.layers.heatmap_source import HeatmapSource
from pathoview.layers.label_source import LabelSource
from pathoview.layers.layer import Layer
from pathoview.layers.normalised_source import NormalisedSource
from pathoview.layers.registered_source import RegisteredSource
from pathoview.layers.slide_source import SlideSource
from pathoview.layers.source import TileSource
from pathoview.layers.synthesis_source import (
    DifferenceSource,
    PathologySource,
    PseudoHealthySource,
    SynthesisValueSource,
)
from pathoview.layers.synthetic_source import SyntheticSource
from pathoview.session.session import Session
from pathoview.ui.panels.layer_controls.annotations import AnnotationControls
from pathoview.ui.panels.layer_controls.channels import ChannelControls
from pathoview.ui.panels.layer_controls.class_map import ClassMapControls
from pathoview.ui.panels.layer_controls.controls import Controls, Note
from pathoview.ui.panels.layer_controls.detections import DetectionControls
from pathoview.ui.panels.layer_controls.heatmap import HeatmapControls
from pathoview.ui.panels.layer_controls.labels import LabelControls
from pathoview.ui.panels.layer_controls.normalised import NormalisedControls
from pathoview.ui.panels.layer_controls.placement import PlacementControls
from pathoview.ui.panels.layer_controls.slide import SlideControls
from pathoview.ui.panels.layer_controls.synthesis import CompareControls, ThresholdControls

_SYNTHETIC = _("Made by a method, seen by no microscope: it is never measured.")


def controls_for(session: Session, layer: Layer) -> tuple[Controls, ...]:
    """Return sets of controls to be shown one below the other."""
    source = layer.source
    match source:
        case SlideSource():
            return _of_slide(session, source)
        case RegisteredSource():
            placement = PlacementControls(session, layer, source)
            return (placement, *_of_slide(session, source.slide_source, source))
        case PseudoHealthySource():
            return Note(session, _SYNTHETIC), CompareControls(session)
        case SyntheticSource():
            return Note(session, _SYNTHETIC), PlacementControls(session, layer, source)
        case NormalisedSource():
            return (NormalisedControls(session, source),)
        case DetectionSource():
            return (DetectionControls(session, layer, source),)
        case FeatureSource():
            return (AnnotationControls(session, source),)
    return _of_raster(session, source)


def _of_slide(
    session: Session, source: SlideSource, placed: RegisteredSource | None = None
) -> tuple[Controls, ...]:
    tone = SlideControls(session, source, placed)
    return (tone,) if source.slide.info.is_rgb else (ChannelControls(session, source), tone)


def _of_raster(session: Session, source: TileSource) -> tuple[Controls, ...]:
    match source:
        case PathologySource() | DifferenceSource():
            threshold = ThresholdControls(session, source)
            return threshold, CompareControls(session), HeatmapControls(session, source)
        case SynthesisValueSource():
            return CompareControls(session), HeatmapControls(session, source)
        case HeatmapSource():
            return (HeatmapControls(session, source),)
        case ClassMapSource():
            return (ClassMapControls(session, source),)
        case LabelSource():
            return (LabelControls(session, source),)
    return ()
