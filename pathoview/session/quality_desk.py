"""The quality of the open slide as layers, and its stains in the colours of another slide."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING
from weakref import WeakSet

from pathoview.annotations.detections import DetectionClass
from pathoview.annotations.feature import Feature
from pathoview.annotations.shape_sources import mask_shape
from pathoview.core.affine import Affine
from pathoview.core.translation import _
from pathoview.layers.class_map_source import ClassMapSource
from pathoview.layers.feature_source import FeatureSource
from pathoview.layers.heatmap_source import HeatmapSource, HeatmapStyle
from pathoview.layers.layer import Layer
from pathoview.layers.normalised_source import NormalisedSource
from pathoview.layers.raster import ArrayRaster
from pathoview.session.notices import Notice, from_error
from pathoview.session.piecework import Piecework
from pathoview.slides.pen import INK_COLORS, INKS
from pathoview.slides.quality import Quality, quality_steps
from pathoview.slides.slide import Slide
from pathoview.slides.stain_normalisation import (
    METHOD_NAMES,
    NormalisingMethod,
    StainNormaliser,
)
from pathoview.study.model import SlideRecord

if TYPE_CHECKING:
    from pathoview.session.session import Session

_OUTLINE_COLOR = (0, 150, 90)
_OUTLINE_PX = 2.5
_OUTLINE_TOLERANCE_PX = 1.0
_MOST_LOST = 2.0
"""Log10 of how many times less detail has the strongest colour; blurred is from 1 on."""
_OPACITY = 0.7

METHODS = METHOD_NAMES
"""Ways of normalising, with what each is called."""

_measured_now = WeakSet[Slide]()
"""Slides whose quality is being measured: asking again changes nothing."""


# -- quality -------------------------------------------------------------------------------------


def show_quality(session: Session) -> None:
    """Measure tissue, ink and sharpness in the background; layers and a notice follow."""
    slide = session.slide
    if slide is None or slide in _measured_now:
        return
    _measured_now.add(slide)
    found: list[_Found] = []

    def on_pieces(pieces: Sequence[float | _Found]) -> None:
        found.extend(piece for piece in pieces if isinstance(piece, _Found))
        if slide is not session.slide:
            _measured_now.discard(slide)
            work.cancel()

    def on_end(error: BaseException | None) -> None:
        _measured_now.discard(slide)
        if slide is not session.slide:
            return
        if error is not None:
            session.notice.emit(from_error(error))
            return
        _show(session, found[-1])

    session.notice.emit(Notice(_("Measuring tissue, ink and sharpness…")))
    work = Piecework(session.scheduler, _steps(slide, stain_of(session)), on_pieces, on_end)


@dataclass(frozen=True, slots=True)
class _Found:
    """What was measured, ready to be shown."""

    quality: Quality
    layers: list[Layer]


def _steps(slide: Slide, stain: str) -> Iterator[float | _Found]:
    for step in quality_steps(slide, stain):
        yield _Found(step, quality_layers(slide, step)) if isinstance(step, Quality) else step


def _show(session: Session, found: _Found) -> None:
    if found.layers:
        session.layer_desk.add_all(found.layers, _("Show quality layers"))
    words = " ".join([f"{found.quality.summary}.", *found.quality.warnings])
    session.notice.emit(Notice(words, "warning" if found.quality.warnings else "info"))


def quality_layers(slide: Slide, quality: Quality) -> list[Layer]:
    """Return those layers in which there is something to see, back to front."""
    made = (_blur_layer, _ink_layer, _tissue_layer)
    return [layer for layer in (make(slide, quality) for make in made) if layer is not None]


def _tissue_layer(slide: Slide, quality: Quality) -> Layer | None:
    tissue = quality.tissue
    outline = mask_shape(tissue.mask, tissue.downsample, tolerance_px=_OUTLINE_TOLERANCE_PX)
    if outline is None:
        return None
    feature = Feature(outline, id=uuid.uuid4(), name=_("Tissue"))
    source = FeatureSource(slide.info.width, slide.info.height, [feature])
    source.style = replace(source.style, color=_OUTLINE_COLOR, line_width_px=_OUTLINE_PX)
    return Layer(_("Tissue found"), source)


def _ink_layer(slide: Slide, quality: Quality) -> Layer | None:
    if quality.tissue.ink is None or not quality.ink_shares:
        return None
    classes = {
        kind: DetectionClass(INKS[kind], INK_COLORS[kind])
        for kind in range(1, len(INKS))
        if INKS[kind] in quality.ink_shares
    }
    source = ClassMapSource(
        ArrayRaster(quality.tissue.ink),
        Affine.scaled(quality.tissue.downsample),
        slide.info.width,
        slide.info.height,
        classes,
        nothing=0,
    )
    return Layer(_("Ink"), source, opacity=_OPACITY)


def _blur_layer(slide: Slide, quality: Quality) -> Layer | None:
    if quality.blurred_share is None:
        return None
    source = HeatmapSource(
        ArrayRaster(quality.blur.lost_detail),
        Affine.scaled(quality.blur.side_l0),
        slide.info.width,
        slide.info.height,
        HeatmapStyle(limits=(0.0, _MOST_LOST), low_opacity=0.0),
    )
    return Layer(_("Blur (lost detail, log₁₀)"), source, opacity=_OPACITY)


# -- stain normalisation -------------------------------------------------------------------------


def preview_normalisation(session: Session, method: NormalisingMethod) -> None:
    """Measure the slide's stains in the background; a layer beside the original follows.

    A preview that is there already gets the other method.
    """
    slide = session.slide
    if slide is not None:
        work = partial(StainNormaliser.fit, slide, method, stain=stain_of(session))
        session.scheduler.submit(work, partial(_on_fitted, session, slide))


def _on_fitted(
    session: Session,
    slide: Slide,
    normaliser: StainNormaliser | None,
    error: BaseException | None,
) -> None:
    if slide is not session.slide:
        return
    if normaliser is None:
        if error is not None:
            session.notice.emit(from_error(error))
        return
    is_as_asked = normaliser.used == normaliser.method
    session.notice.emit(Notice(normaliser.summary, "info" if is_as_asked else "warning"))
    if normaliser.source is not None:
        _preview(session, slide, normaliser)


def _preview(session: Session, slide: Slide, normaliser: StainNormaliser) -> None:
    """Show the layer left of the curtain and the original right of it."""
    name = _("Normalised: {method}").format(method=METHOD_NAMES[normaliser.method])
    layer = next((one for one in session.layers if isinstance(one.source, NormalisedSource)), None)
    if layer is None:
        layer = Layer(name, NormalisedSource(slide, normaliser, session.memory))
        session.layer_desk.add(layer)
        session.views.active.curtain.draw(layer)
    elif isinstance(layer.source, NormalisedSource):
        layer.source.normaliser = normaliser
        layer.name = name


def stain_of(session: Session) -> str:
    """Return what the study calls the stain of the open slide; empty: it says nothing."""
    slide_hash = "" if session.slide is None else session.slide.content_hash
    record = session.studies.records.get(SlideRecord, slide_hash)
    return "" if record is None else record.stain
