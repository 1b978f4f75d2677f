"""Everything that lies on the slide: shown or hidden, faint or strong, in which colours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from psygnal import Signal

from pathoview.layers.detection_source import DetectionSource
from pathoview.layers.feature_source import FeatureSource
from pathoview.layers.layer import Layer, LayerList
from pathoview.layers.outline_colors import OutlineStyle
from pathoview.layers.paint import Color
from pathoview.session.run_attention import RunAttention
from pathoview.session.settings import Settings


class Overlay:
    """Switches for many layers at once; each layer keeps a visibility, an opacity and a style.

    What is switched off together comes back as it was: a layer that was hidden by itself before
    stays hidden. The settings say how layers to come look.
    """

    changed = Signal()
    """The style is another one, or the opacity of all."""

    def __init__(self, layers: LayerList, settings: Settings) -> None:
        self._layers = layers
        self._settings = settings
        self._detections = _Switch()
        self._annotations = _Switch()
        self._all = _Switch()

    @property
    def style(self) -> OutlineStyle:
        """How the detections of runs to come look."""
        settings = self._settings.overlay
        return OutlineStyle(
            mode=settings.mode,
            color=settings.color,
            measurement=settings.measurement,
            line_width_px=settings.line_width_px,
            fill_opacity=settings.fill_opacity if settings.fill else 0.0,
        )

    def adopt(self, layer: Layer) -> None:
        """Make a new layer look as the settings say, and follow the switch of its kind.

        Maps say themselves how they look.
        """
        if not isinstance(layer.source, FeatureSource | DetectionSource):
            return
        kind = FeatureSource if isinstance(layer.source, FeatureSource) else DetectionSource
        switch = self._annotations if kind is FeatureSource else self._detections
        others = self._of(kind)
        layer.visible = not switch.is_off or any(other.visible for other in others)
        layer.opacity = self._settings.overlay.opacity
        if isinstance(layer.source, DetectionSource):
            layer.source.style = self.style

    def adopt_maps(self, made: RunAttention) -> None:
        """Have a new run show the evidence of the class that was asked for last, if it has it."""
        if self._settings.evidence_of in made.class_names:
            made.show(self._settings.evidence_of)

    def show_evidence(self, made: RunAttention, class_name: str) -> None:
        """Show the evidence of a class, of runs to come as well; empty: attention again."""
        made.show(class_name)
        self._settings.evidence_of = class_name

    def apply(self) -> None:
        """Make all layers look as the settings say."""
        for layer in self._of(DetectionSource) + self._of(FeatureSource):
            layer.opacity = self._settings.overlay.opacity
            if isinstance(layer.source, DetectionSource):
                layer.source.style = self.style
        self.changed.emit()

    def set_style(self, layer: Layer, style: OutlineStyle) -> None:
        """Give one layer of detections its own look; runs to come look like it."""
        if not isinstance(layer.source, DetectionSource):
            return
        layer.source.style = style
        settings = self._settings.overlay
        settings.mode, settings.color = style.mode, style.color
        settings.measurement = style.measurement or settings.measurement
        settings.line_width_px = style.line_width_px
        settings.fill = style.fill_opacity > 0
        settings.fill_opacity = style.fill_opacity or settings.fill_opacity
        self.changed.emit()

    def set_color(self, color: Color) -> None:
        """Give objects without a class another colour, in all layers."""
        self._settings.overlay.color = color
        for source in self._detection_sources():
            source.style = replace(source.style, color=color)
        self.changed.emit()

    # -- shown and hidden ------------------------------------------------------------------------

    @property
    def shows_detections(self) -> bool:
        return self._detections.is_on(self._of(DetectionSource))

    @property
    def shows_annotations(self) -> bool:
        return self._annotations.is_on(self._of(FeatureSource))

    @property
    def shows_any(self) -> bool:
        return self._all.is_on(self._above_slide())

    def toggle_detections(self) -> None:
        self._detections.toggle(self._of(DetectionSource))

    def toggle_annotations(self) -> None:
        self._annotations.toggle(self._of(FeatureSource))

    def toggle_all(self) -> None:
        """Hide everything but the slide, or show again what was hidden so."""
        self._all.toggle(self._above_slide())
        self._detections.is_off = self._annotations.is_off = self._all.is_off

    # -- faint and strong ------------------------------------------------------------------------

    def change_opacity(self, step: float) -> None:
        """Make everything but the slide stronger by a step (fainter, below 0), each as it is."""
        settings = self._settings.overlay
        settings.opacity = _stepped(settings.opacity, step)
        for layer in self._above_slide():
            layer.opacity = _stepped(layer.opacity, step)
        self.changed.emit()

    def toggle_fill(self) -> None:
        """Fill all detections, or none."""
        settings = self._settings.overlay
        settings.fill = not settings.fill
        for source in self._detection_sources():
            source.style = replace(source.style, fill_opacity=self.style.fill_opacity)
        self.changed.emit()

    def _above_slide(self) -> Sequence[Layer]:
        return tuple(self._layers)[1:]

    def _of(self, kind: type[DetectionSource] | type[FeatureSource]) -> list[Layer]:
        return [layer for layer in self._layers if isinstance(layer.source, kind)]

    def _detection_sources(self) -> list[DetectionSource]:
        sources = (layer.source for layer in self._layers)
        return [source for source in sources if isinstance(source, DetectionSource)]


class _Switch:
    """Hides layers together, and shows again those that it has hidden."""

    def __init__(self) -> None:
        self.is_off = False
        """What holds where there is no layer to tell by, and for layers to come."""
        self._hidden: list[Layer] = []

    def is_on(self, layers: Sequence[Layer]) -> bool:
        return any(layer.visible for layer in layers) if layers else not self.is_off

    def toggle(self, layers: Sequence[Layer]) -> None:
        self.is_off = self.is_on(layers)
        if self.is_off:
            self._hidden = [layer for layer in layers if layer.visible]
            changed = self._hidden
        else:
            changed = [layer for layer in self._hidden if layer in layers] or list(layers)
        for layer in changed:
            layer.visible = not self.is_off


def _stepped(opacity: float, step: float) -> float:
    return round(min(1.0, max(0.0, opacity + step)), 3)
