"""The map of uncertainty of a run with objects, as a layer; maps of classes have one already."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from pathoview.annotations.detections import CONFIDENCE
from pathoview.core.translation import _
from pathoview.layers.heatmap_source import HeatmapSource
from pathoview.layers.layer import Layer
from pathoview.layers.uncertainty import uncertainty_source
from pathoview.session.going import UNSCALED_MPP
from pathoview.session.notices import from_error
from pathoview.session.runs import RunView
from pathoview.slides.slide import Slide

if TYPE_CHECKING:
    from pathoview.session.session import Session

CELL_UM = 50.0
"""Side of a cell: a few nuclei wide."""
_OPACITY = 0.6


def can_show_uncertainty(session: Session) -> bool:
    run = session.results
    return run is not None and CONFIDENCE in run.measurement_names


def show_uncertainty(session: Session) -> None:
    """Average how unsure the run shown last is, in another thread; a layer follows."""
    slide, run = session.slide, session.results
    if slide is not None and run is not None and can_show_uncertainty(session):
        work = partial(_source, slide, run)
        session.scheduler.submit(work, partial(_on_made, session, slide, run))


def _source(slide: Slide, run: RunView) -> HeatmapSource:
    mpp = slide.mpp if slide.info.mpp is not None else UNSCALED_MPP
    places = [one.centroids_l0() for one in run.source.tables]
    return uncertainty_source(
        np.concatenate([np.empty((0, 2)), *places]),
        run.column(CONFIDENCE),
        CELL_UM / mpp,
        slide.info.width,
        slide.info.height,
    )


def _on_made(
    session: Session,
    slide: Slide,
    run: RunView,
    source: HeatmapSource | None,
    error: BaseException | None,
) -> None:
    if error is not None:
        session.notice.emit(from_error(error))
    elif source is not None and slide is session.slide:
        name = _("{title}: uncertainty").format(title=run.record.title)
        session.layer_desk.add(Layer(name, source, opacity=_OPACITY))
