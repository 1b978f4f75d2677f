"""The layer of what is learned from follows what is seen and drawn, as long as it is on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import shapely
from makers import he_image, make_svs
from stage import Ears, FakeRunner, Loop, end

from pathoview.jobs.runner import Job, JobState
from pathoview.layers.class_map_source import ClassMapSource
from pathoview.layers.layer import Layer
from pathoview.methods.registry import METHODS
from pathoview.session import orders
from pathoview.session.session import Session
from pathoview.session.teach_pseudo import PseudoLabels

OpenSlide = Callable[[Path], None]


@pytest.fixture
def pseudo(session: Session, loop: Loop, open_slide_of: OpenSlide, tmp_path: Path) -> PseudoLabels:
    """A slide with a point, and a method that makes something of it."""
    teaching = session.teaching
    forest = METHODS.get("pixel_forest")
    dots = replace(
        forest, name="dots", learns_from="points", is_live=False, pseudo_labels_entry="some:entry"
    )
    teaching.methods = [forest, dots]
    open_slide_of(make_svs(tmp_path / "tissue.svs", he_image(1024, 768)))
    loop.run_until(lambda: session.annotations.document is not None)
    teaching.choose_method("dots")
    session.annotations.draw(shapely.Point(50, 60), "Point")
    return teaching.pseudo


def asked(runner: FakeRunner, loop: Loop, n: int) -> Job:
    loop.run_until(lambda: len(runner.taken) == n)
    assert runner.taken[-1].request.task == orders.PSEUDO_LABELS
    return runner.taken[-1]


def answer(job: Job, tmp_path: Path, value: int = 1) -> Path:
    file = tmp_path / f"{job.id}.npy"
    np.save(file, np.full((40, 50), value, np.uint8))
    said = {
        "file": str(file),
        "corner_l0": [200.0, 100.0],
        "scale_l0": 2.0,
        "classes": [[0, "Background", [1, 1, 1]], [1, "Nucleus", [0, 0, 200]]],
        "nothing": 255,
    }
    end(job, JobState.DONE, said)
    return file


def shown(session: Session) -> list[Layer]:
    return [one for one in session.layers if isinstance(one.source, ClassMapSource)]


def test_what_is_seen_is_asked_for_and_laid_over_the_slide(
    pseudo: PseudoLabels, session: Session, loop: Loop, runner: FakeRunner, tmp_path: Path
) -> None:
    assert pseudo.can_show
    pseudo.switch(True)
    job = asked(runner, loop, 1)
    assert session.studies.n_unsaved == 0
    assert job.request.payload["region_l0"] == list(session.viewport.visible_l0.as_ints())
    assert pseudo.is_busy
    file = answer(job, tmp_path)
    loop.run_until(lambda: shown(session))
    assert not file.exists()
    (layer,) = shown(session)
    source = layer.source
    assert isinstance(source, ClassMapSource)
    assert source.class_at(201, 101) == source.class_at(299, 179) == 1
    assert source.class_at(199, 101) is source.class_at(301, 101) is None
    pseudo.renew()
    loop.run_for(0.1)
    assert len(runner.taken) == 1
    pseudo.switch(False)
    assert not shown(session)


def test_it_is_renewed_when_one_looks_elsewhere_or_labels(
    pseudo: PseudoLabels, session: Session, loop: Loop, runner: FakeRunner, tmp_path: Path
) -> None:
    pseudo.switch(True)
    answer(asked(runner, loop, 1), tmp_path)
    loop.run_until(lambda: shown(session))
    (before,) = shown(session)
    before.opacity = 0.2
    session.viewport.look_at(500, 400, 2.0)
    pseudo.renew()
    job = asked(runner, loop, 2)
    session.annotations.draw(shapely.Point(90, 60), "Point")
    session.teaching.refresh()  # while it is computed
    answer(job, tmp_path)
    answer(asked(runner, loop, 3), tmp_path, 0)
    loop.run_until(lambda: shown(session) not in ([], [before]))
    assert shown(session)[0].opacity == 0.2
    loop.run_for(0.1)
    assert len(runner.taken) == 3


def test_what_goes_wrong_is_told_and_the_switch_goes_off(
    pseudo: PseudoLabels, session: Session, loop: Loop, runner: FakeRunner, ears: Ears
) -> None:
    pseudo.switch(True)
    job = asked(runner, loop, 1)
    job.error = "The slide cannot be read."
    end(job, JobState.FAILED)
    assert ears.notices[-1].text == "The slide cannot be read."
    assert not pseudo.is_on


def test_another_method_takes_it_away(
    pseudo: PseudoLabels, session: Session, loop: Loop, runner: FakeRunner, tmp_path: Path
) -> None:
    pseudo.switch(True)
    answer(asked(runner, loop, 1), tmp_path)
    loop.run_until(lambda: shown(session))
    session.teaching.choose_method("pixel_forest")
    assert not pseudo.is_on
    assert not shown(session)
    pseudo.switch(True)
    assert not pseudo.is_on
