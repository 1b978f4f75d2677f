"""Everything that lies on the slide: shown or hidden, faint or strong, in which colours."""

from __future__ import annotations

from psygnal import Signal

from pathoview.layers.detection_source import DetectionSource
from pathoview.layers.feature_source import FeatureSource
from pathoview.layers.layer import Layer, LayerList
from pathoview.layers.outline_colors import OutlineStyle
from pathoview.session.settings import Settings

_Kind = type[DetectionSource] | type[FeatureSource]


class Overlay:
    """Switches for all detections and all annotations at once; layers to come follow them."""

    changed = Signal()
    """The style is another one, or the opacity of all."""

    def __init__(self, layers: LayerList, settings: Settings) -> None:
        self._layers = layers
        self._settings = settings
        self._shown: dict[_Kind, bool] = {DetectionSource: True, FeatureSource: True}

    @property
    def style(self) -> OutlineStyle:
        settings = self._settings.overlay
        return OutlineStyle(
            mode=settings.mode,
            color=settings.color,
            measurement=settings.measurement,
            line_width_px=settings.line_width_px,
            fill_opacity=settings.fill_opacity if settings.fill else 0.0,
        )

    def adopt(self, layer: Layer) -> None:
        """Make a new layer look like those that are there."""
        kind: _Kind = FeatureSource if isinstance(layer.source, FeatureSource) else DetectionSource
        layer.visible = self._shown[kind]
        layer.opacity = self._settings.overlay.opacity
        self._apply_style(layer)

    def apply(self) -> None:
        """Make all layers look as the settings say."""
        for layer in self._of(DetectionSource) + self._of(FeatureSource):
            layer.opacity = self._settings.overlay.opacity
            self._apply_style(layer)
        self.changed.emit()

    def _apply_style(self, layer: Layer) -> None:
        if isinstance(layer.source, DetectionSource):
            layer.source.style = self.style

    @property
    def shows_detections(self) -> bool:
        return self._shows(DetectionSource)

    @property
    def shows_annotations(self) -> bool:
        return self._shows(FeatureSource)

    @property
    def shows_any(self) -> bool:
        layers = self._of(DetectionSource) + self._of(FeatureSource)
        return any(layer.visible for layer in layers) if layers else any(self._shown.values())

    def toggle_detections(self) -> None:
        self._show(DetectionSource, not self.shows_detections)

    def toggle_annotations(self) -> None:
        self._show(FeatureSource, not self.shows_annotations)

    def toggle_all(self) -> None:
        """Hide everything, or show everything if nothing is shown."""
        shown = not self.shows_any
        self._show(DetectionSource, shown)
        self._show(FeatureSource, shown)

    def change_opacity(self, step: float) -> None:
        settings = self._settings.overlay
        settings.opacity = round(min(1.0, max(0.0, settings.opacity + step)), 3)
        self.apply()

    def toggle_fill(self) -> None:
        self._settings.overlay.fill = not self._settings.overlay.fill
        self.apply()

    def _of(self, kind: _Kind) -> list[Layer]:
        return [layer for layer in self._layers if isinstance(layer.source, kind)]

    def _shows(self, kind: _Kind) -> bool:
        layers = self._of(kind)
        return any(layer.visible for layer in layers) if layers else self._shown[kind]

    def _show(self, kind: _Kind, shown: bool) -> None:
        self._shown[kind] = shown
        for layer in self._of(kind):
            layer.visible = shown
