"""The map of a pixel method in the session: it grows, is counted, and goes as one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from growing_runs import analyzed_by_tiles
from pixel_methods import has_map, known_colours, map_of
from stage import Ears, FakeRunner, Loop, end

from pathoview.core.geometry import Rect
from pathoview.core.progress import SilentProgress
from pathoview.jobs.runner import JobState
from pathoview.session.commands import run_command
from pathoview.session.runs import Loaded
from pathoview.session.session import Session
from pathoview.tasks import take_regions

OpenSlide = Callable[[Path], None]


@pytest.fixture
def analyzed(
    session: Session,
    loop: Loop,
    open_slide_of: OpenSlide,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> list[float]:
    """Areas analysed as they were seen while the run went on."""
    model = known_colours(monkeypatch, tmp_path)
    return analyzed_by_tiles(
        session, loop, open_slide_of, model, lambda here: map_of(here).area_mm2
    )


def test_a_map_grows_with_its_tiles_and_says_its_areas(
    session: Session, ears: Ears, loop: Loop, analyzed: list[float]
) -> None:
    assert len(analyzed) > 4
    run, found = session.results, map_of(session).areas
    assert run is not None
    areas = {one.detection_class.name: one.area_mm2 for one in found}
    recorded = dict(
        zip((one.name for one in run.record.classes), run.record.class_areas_mm2, strict=True)
    )
    assert areas == pytest.approx(recorded)
    assert sum(one.share for one in found) == pytest.approx(1)
    shares = [one.share for one in found]
    assert shares == sorted(shares, reverse=True)
    assert areas["Stroma"] > areas["Nuclei"] > 0
    assert "mm² of tissue mapped" in ears.notices[-1].text
    assert ears.notices[-1].action == ("Export…", "file.export")


def test_its_layers_are_shown_hidden_and_brought_back_together(
    session: Session, analyzed: list[float]
) -> None:
    names = [layer.name for layer in session.layers][1:]
    assert names == [
        "Colours of tissue",
        "Colours of tissue: probability",
        "Colours of tissue: uncertainty",
    ]
    assert [layer.visible for layer in session.layers] == [True, True, False, False]
    before = list(session.layers)
    session.layer_desk.remove(session.layers[2])
    assert len(session.layers) == 1
    assert not session.runs
    session.undo()
    assert list(session.layers) == before
    session.remove_results()
    session.undo()
    assert list(session.layers) == before


def test_tiles_that_come_are_drawn_in_all_layers(session: Session, analyzed: list[float]) -> None:
    run = session.results
    assert run is not None
    told: list[Rect] = []
    for layer in map_of(session).layers:
        layer.source.changed.connect(told.append)
    run.tell(Loaded(None, None, False, True, Rect(0, 0, 10, 10)))
    assert told == [Rect(0, 0, 10, 10)] * 3
    assert session.select_at(700, 500) is None


def test_a_finished_map_is_shown_when_its_slide_is_opened_again(
    session: Session, loop: Loop, analyzed: list[float], open_slide_of: OpenSlide
) -> None:
    path = session.path
    assert path is not None
    session.close_slide()
    assert not session.runs
    open_slide_of(path)
    loop.run_until(lambda: has_map(session))
    assert map_of(session).area_mm2 == analyzed[-1]
    assert len(session.layers) == 4


def test_regions_become_annotations_in_one_step(
    session: Session, loop: Loop, runner: FakeRunner, ears: Ears, analyzed: list[float]
) -> None:
    loop.run_until(lambda: session.studies.book is not None)
    for n_times in (1, 2):
        session.settings.export.map = {"smallest_um2": 200.0}
        run_command(session, "annotate.take_regions")
        job = runner.taken[-1]
        assert job.request.task == "pathoview.tasks.take_regions:run"
        result = take_regions.run(job.request.payload, SilentProgress())
        end(job, JobState.DONE, result)
        loop.run_until(lambda: session.exchange.n_annotations > 0)
        loop.run_until(lambda path=result["run_file"]: not Path(path).exists())
        if n_times == 1:
            assert session.exchange.n_annotations == result["n_annotations"] > 0
    assert session.exchange.n_annotations == result["n_annotations"]
    assert "were there already" in ears.notices[-1].text or result["n_annotations"] == 1
    document = session.annotations.document
    assert document is not None
    drawn = list(document)
    assert {one.classification.name for one in drawn if one.classification} == {"Stroma"}
    assert session.history.undo_name == "Regions of Colours of tissue"
    session.undo()
    assert session.exchange.n_annotations == 0


def test_without_a_map_there_are_no_regions(session: Session, ears: Ears) -> None:
    assert not session.exchange.has_map
    assert session.exchange.take_regions() is None
    assert "no map" in ears.notices[-1].text
