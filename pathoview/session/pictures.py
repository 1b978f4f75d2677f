"""Pictures of the active view to take away; drawn in the scheduler's threads."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pathoview.core.progress import Progress, WatchedProgress
from pathoview.core.translation import _
from pathoview.layers.measuring_grid import line_color
from pathoview.layers.pictures.drawing import check_size, drawn, write_png
from pathoview.layers.pictures.order import DARK, WHITE, PictureOrder
from pathoview.layers.pictures.svg import write_svg
from pathoview.layers.source import Rgba
from pathoview.session.settings import PictureSettings

if TYPE_CHECKING:
    from pathoview.session.session import Session


def picture_order(session: Session, options: PictureSettings) -> PictureOrder:
    """Return what is to be drawn to get what is seen now, ``options.factor`` times as large."""
    view = session.views.active
    seen = [layer for layer in session.layers if layer.visible and view.shows(layer)]
    slide, grid, curtain = session.slide, session.places.grid, view.curtain
    return PictureOrder(
        frame=view.viewport.frame(options.factor),
        shown=view.shown_beyond if curtain.is_flicked else view.shown,
        slide_l0=view.viewport.slide_l0,
        beyond=view.shown_beyond if curtain.is_drawn else (),
        curtain=curtain.position if curtain.is_drawn and not curtain.is_flicked else None,
        mpp=slide.info.mpp if slide is not None else None,
        enlarged=options.factor,
        background=WHITE if options.background == "white" else DARK,
        scale_bar=options.scale_bar,
        grid=grid.is_shown,
        grid_um=grid.step_um,
        grid_color=line_color(slide is None or slide.info.is_rgb),
        legend=tuple((layer.name, layer.source) for layer in seen) if options.legend else (),
        note=_("Research use only") if len(seen) > 1 and session.results is not None else "",
    )


def take_picture(
    session: Session,
    options: PictureSettings,
    done: Callable[[Rgba | None, BaseException | None], None],
) -> WatchedProgress:
    """Draw what is seen now; ``done(picture, error)`` follows."""
    return _begun(session, options, drawn, done)


def save_picture(
    session: Session,
    path: Path,
    options: PictureSettings,
    done: Callable[[None, BaseException | None], None],
) -> WatchedProgress:
    """Write what is seen now as SVG, if the name ends so, else as PNG; ``done(_, error)`` follows.

    Raises `UsageError` when the picture would be too large.
    """
    write = write_svg if path.suffix.lower() == ".svg" else write_png
    return _begun(session, options, lambda order, progress: write(order, path, progress), done)


def _begun(
    session: Session,
    options: PictureSettings,
    work: Callable[[PictureOrder, Progress], Rgba | None],
    done: Callable[..., None],
) -> WatchedProgress:
    order, progress = picture_order(session, options), WatchedProgress()
    check_size(order.frame)
    session.scheduler.submit(partial(work, order, progress), done)
    return progress
