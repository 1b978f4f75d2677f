"""A run that the session watches as it grows, tile by tile."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from makers import he_image, make_svs
from pixel_methods import Relay
from stage import Loop, end

from pathoview.jobs.runner import JobState
from pathoview.session.session import Session
from pathoview.tasks import analyze


def analyzed_by_tiles(
    session: Session,
    loop: Loop,
    open_slide_of: Callable[[Path], None],
    model: Path,
    area_mm2: Callable[[Session], float],
) -> list[float]:
    """Open a slide beside the model and analyse it; return the areas seen while the run went on.

    ``area_mm2`` says how much of the slide a session shows as analysed.
    """
    slide = make_svs(model.with_name("one.svs"), he_image(1600, 1200, glass_px=150))
    open_slide_of(slide)
    job = session.analyze()
    assert job is not None
    seen = [0.0]

    def between(kind: str) -> None:
        if kind == "started":
            loop.run_until(lambda: session.results is not None)
        else:
            loop.run_until(lambda: area_mm2(session) > seen[-1])
            seen.append(area_mm2(session))

    order = {"slide": str(slide), "model": str(model), "tile_px": 256, "n_computers": 1}
    result = analyze.run(order, Relay(job, between))
    end(job, JobState.DONE, result)
    loop.run_until(lambda: session.results and session.results.record.state == "done")
    return seen
