from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import shapely
from makers import make_plain, make_svs
from run_files import new_run, squares
from stage import Ears, FakeRunner, Loop, end

from pathoview.annotations.feature import Feature
from pathoview.core.geometry import Rect
from pathoview.jobs.runner import JobState
from pathoview.session import runs
from pathoview.session.commands import run_command
from pathoview.session.session import Session
from pathoview.session.settings import ExportSettings
from pathoview.slides.opening import open_slide

OpenSlide = Callable[[Path], None]


@pytest.fixture
def svs(tmp_path: Path) -> Path:
    return make_svs(tmp_path / "one.svs")


def test_opening_shows_the_whole_slide_and_remembers_the_file(
    session: Session, svs: Path, open_slide_of: OpenSlide
) -> None:
    open_slide_of(svs)
    assert session.slide is not None
    assert len(session.layers) == 1
    seen = session.viewport.visible_l0
    assert seen.intersection(Rect(0, 0, 1024, 768)).area == 1024 * 768
    assert session.settings.recent_files == [str(svs)]


def test_a_file_that_is_no_slide_becomes_a_notice_and_the_old_slide_stays(
    session: Session, ears: Ears, loop: Loop, svs: Path, open_slide_of: OpenSlide, tmp_path: Path
) -> None:
    open_slide_of(svs)
    (tmp_path / "text.svs").write_text("not a slide")
    session.open(tmp_path / "text.svs")
    loop.run_until(lambda: ears.notices)
    assert ears.notices[0].level == "error"
    assert "text.svs" in ears.notices[0].text
    assert ears.notices[0].action == ("Open another slide", "file.open")
    assert session.path == svs
    assert not session.is_opening


def test_of_two_slides_opened_at_once_the_later_one_is_shown(
    session: Session, loop: Loop, svs: Path, tmp_path: Path
) -> None:
    other = make_svs(tmp_path / "two.svs", mpp=0.25)
    session.open(svs)
    session.open(other)
    loop.run_until(lambda: session.slide is not None and not session.is_opening)
    loop.run_for(0.2)
    assert session.path == other


def test_a_slide_without_scale_is_asked_for_once_and_remembered(
    session: Session, ears: Ears, loop: Loop, open_slide_of: OpenSlide, tmp_path: Path
) -> None:
    picture = make_plain(tmp_path / "plain.png")
    open_slide_of(picture)
    assert ears.scales_needed == 1
    assert session.analyze() is None
    assert ears.scales_needed == 2
    session.set_scale(0.25)
    assert session.slide is not None
    assert session.slide.mpp == 0.25
    session.close_slide()
    open_slide_of(picture)
    assert session.slide.mpp == 0.25
    assert ears.scales_needed == 2


def test_an_impossible_scale_is_refused_in_a_sentence(
    session: Session, ears: Ears, open_slide_of: OpenSlide, tmp_path: Path
) -> None:
    open_slide_of(make_plain(tmp_path / "plain.png"))
    session.set_scale(5000)
    assert "cannot be true" in ears.notices[-1].text
    assert session.slide is not None
    assert session.slide.info.mpp is None


def test_nuclei_of_an_analysis_appear_tile_by_tile_and_the_end_offers_the_export(
    session: Session,
    ears: Ears,
    loop: Loop,
    runner: FakeRunner,
    svs: Path,
    open_slide_of: OpenSlide,
) -> None:
    open_slide_of(svs)
    assert session.slide is not None
    job = session.analyze()
    assert job is not None
    assert job.request.task == "pathoview.tasks.analyze:run"
    assert job.request.payload["region_l0"] is None
    assert job.focus_l0 == session.viewport.visible_l0
    with new_run(session.slide) as run:
        job.event.emit("started", {"run_file": str(run.path), "n_tiles": 2, "n_done": 0})
        loop.run_until(lambda: session.results is not None)
        assert session.results is not None
        run.add_tile(0, 0, squares([(10, 10)]))
        job.event.emit("tile", {"col": 0, "row": 0})
        loop.run_until(lambda: session.results.statistics.n == 1)
        assert session.results.statistics.per_mm2 is None
        run.add_tile(1, 0, squares([(600, 10), (700, 10)], class_name="Tumor"))
        job.event.emit("tile", {"col": 1, "row": 0})
        loop.run_until(lambda: session.results.statistics.n == 3)
        run.update_record(state="done", area_mm2=0.5, n_objects=3)
        end(job, JobState.DONE, {"n_objects": 3, "area_mm2": 0.5})
        loop.run_until(lambda: session.results.record.state == "done")
    statistics = session.results.statistics
    assert statistics.per_mm2 == 6
    names = [entry.detection_class and entry.detection_class.name for entry in statistics.classes]
    assert names == ["Tumor", None]
    assert [entry.per_mm2 for entry in statistics.classes] == [4, 2]
    assert ears.notices[-1].text == "3 nuclei found in 0.50 mm² of tissue."
    assert ears.notices[-1].action == ("Export…", "file.export")
    np.testing.assert_array_equal(session.results.column("Area px"), [400, 400, 400])


def test_cells_of_an_import_appear_while_it_is_read(
    session: Session, loop: Loop, runner: FakeRunner, svs: Path, open_slide_of: OpenSlide
) -> None:
    open_slide_of(svs)
    assert session.slide is not None
    job = session.exchange.import_as(Path("some.geojson"), "geojson")
    assert job is not None
    with new_run(session.slide, kind="import", title="some.geojson") as run:
        job.event.emit("started", {"run_file": str(run.path)})
        loop.run_until(lambda: session.results is not None)
        results = session.results
        assert results is not None
        told: list[Rect] = []
        results.features.changed.connect(told.append)
        for n_before in (0, 2):
            corners = [(100 * n, 10) for n in range(n_before, n_before + 2)]
            run.add_features([Feature(shapely.box(x, y, x + 50, y + 50)) for x, y in corners])
            job.event.emit("features", {"n": 2})
            loop.run_until(lambda n=n_before: len(results.features) == n + 2)
            loop.run_until(lambda: results.annotation_layer in session.layers)
        end(job, JobState.DONE, {"n_features": 4})
        loop.run_for(0.1)
    assert len(results.features) == 4
    assert len(told) == 2
    assert told[1].contains(325, 35)


def test_tiles_and_features_are_loaded_once_however_often_a_run_is_looked_at(
    svs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "_ROWS_AT_ONCE", 3)
    with open_slide(svs) as slide, new_run(slide) as run:
        for number in range(5):
            run.add_tile(number, 0, squares([(10 * number, 0), (10 * number, 50)]))
        run.add_features([Feature(shapely.Point(1, 1))] * 3)
        view = runs.RunView(run.path, slide.info)
        view.is_growing = True
        steps = [view.load()]
        while not steps[-1].is_complete:
            steps.append(view.load())
        assert [len(view.source), len(view.features)] == [10, 3]
        assert len(steps) >= 3
        run.add_tile(2, 3, squares([(500, 500)]))
        run.add_tile(0, 0, squares([(0, 0)]))  # stored again, and loaded before
        run.add_features([Feature(shapely.Point(2, 2))])
        view.is_growing = False
        while not view.load().is_complete:
            pass
        assert [len(view.source), len(view.features)] == [11, 4]
        again = view.load()
        assert (again.detections_l0, again.features_l0, again.have_gone) == (None, None, False)
        view.close()


def test_objects_dropped_at_the_end_of_a_run_go_from_view(
    session: Session, loop: Loop, svs: Path, open_slide_of: OpenSlide
) -> None:
    open_slide_of(svs)
    assert session.slide is not None
    job = session.analyze()
    assert job is not None
    table = squares([(10, 10), (60, 10)])
    with new_run(session.slide) as run:
        job.event.emit("started", {"run_file": str(run.path)})
        run.add_tile(0, 0, table)
        job.event.emit("tile", {})
        loop.run_until(lambda: session.results and session.results.statistics.n == 2)
        run.drop(table.ids[:1])
        job.event.emit("finalised", {"dropped": 1})
        run.update_record(state="done")
        end(job, JobState.DONE)
        loop.run_until(lambda: session.results.statistics.n == 1)
    assert session.select_at(20, 20) is None
    assert session.select_at(70, 20) is not None


def test_a_worker_that_dies_is_told_and_the_run_can_be_resumed(
    session: Session,
    ears: Ears,
    loop: Loop,
    runner: FakeRunner,
    svs: Path,
    open_slide_of: OpenSlide,
) -> None:
    open_slide_of(svs)
    assert session.slide is not None
    job = session.analyze(where=Rect(100, 100, 300.5, 200))
    assert job is not None
    assert job.request.payload["region_l0"] == [100, 100, 301, 200]
    with new_run(session.slide, region_l0=(100, 100, 301, 200), params={}) as run:
        job.event.emit("started", {"run_file": str(run.path)})
        job.error, job.hint = "The worker process ended.", "Resume the run."
        end(job, JobState.DIED)
        notice = ears.notices[-1]
        assert notice.text == "The worker process ended. Resume the run."
        assert notice.action == ("Resume", "analyze.resume")
        run_command(session, notice.action[1], notice.argument)
    resumed = runner.taken[-1]
    assert resumed is not job
    assert resumed.request.payload["resume"] is True
    assert resumed.request.payload["region_l0"] == [100, 100, 301, 200]


def test_the_newest_finished_run_is_shown_again_when_its_slide_is_opened(
    session: Session, loop: Loop, svs: Path, open_slide_of: OpenSlide
) -> None:
    open_slide_of(svs)
    assert session.slide is not None
    for day, corners in ((1, [(10, 10)]), (2, [(10, 10), (90, 90)])):
        with new_run(session.slide, started=f"2026-01-0{day}T00:00:00+00:00", state="done") as run:
            run.add_tile(0, 0, squares(corners))
    session.close_slide()
    assert len(session.layers) == 0
    open_slide_of(svs)
    loop.run_until(lambda: session.results and session.results.statistics.n == 2)
    assert len(session.runs) == 1
    assert session.history.undo_name == ""


def test_an_unfinished_run_is_offered_to_be_resumed(
    session: Session, ears: Ears, loop: Loop, svs: Path, open_slide_of: OpenSlide
) -> None:
    open_slide_of(svs)
    assert session.slide is not None
    with new_run(session.slide) as run:
        pass
    session.close_slide()
    open_slide_of(svs)
    loop.run_until(lambda: ears.notices)
    assert ears.notices[0].action == ("Resume", "analyze.resume")
    assert ears.notices[0].argument == str(run.path)


def test_a_run_that_goes_on_is_found_again_after_another_slide_was_looked_at(
    session: Session, loop: Loop, svs: Path, open_slide_of: OpenSlide, tmp_path: Path
) -> None:
    open_slide_of(svs)
    assert session.slide is not None
    job = session.analyze()
    assert job is not None
    with new_run(session.slide) as run:
        job.event.emit("started", {"run_file": str(run.path)})
        loop.run_until(lambda: session.results is not None)
        open_slide_of(make_svs(tmp_path / "two.svs", mpp=0.25))
        run.add_tile(0, 0, squares([(10, 10)]))
        job.event.emit("tile", {})
        loop.run_for(0.1)
        assert session.results is None
        open_slide_of(svs)
        loop.run_until(lambda: session.results and session.results.statistics.n == 1)
        assert session.results.is_growing
        run.add_tile(1, 0, squares([(610, 10)]))
        job.event.emit("tile", {})
        loop.run_until(lambda: session.results.statistics.n == 2)


def test_an_analysis_and_a_removal_can_be_taken_back_and_done_again(
    session: Session, loop: Loop, svs: Path, open_slide_of: OpenSlide
) -> None:
    open_slide_of(svs)
    assert session.slide is not None
    job = session.analyze()
    assert job is not None
    with new_run(session.slide) as run:
        run.add_tile(0, 0, squares([(10, 10)]))
        job.event.emit("started", {"run_file": str(run.path)})
        loop.run_until(lambda: session.results and session.results.statistics.n == 1)
    session.select_at(20, 20)
    session.undo()
    assert session.results is None
    assert session.selection is None
    session.redo()
    assert session.results is not None
    assert session.results.statistics.n == 1
    session.remove_results()
    assert session.results is None
    session.undo()
    assert session.results is not None
    assert len(session.layers) == 2


def test_a_click_tells_what_is_known_of_a_nucleus(
    session: Session, loop: Loop, svs: Path, open_slide_of: OpenSlide
) -> None:
    open_slide_of(svs)
    assert session.slide is not None
    with new_run(session.slide, state="done") as run:
        run.add_tile(0, 0, squares([(10, 10)], class_name="Tumor"))
    session.close_slide()
    open_slide_of(svs)
    loop.run_until(lambda: session.results and session.results.statistics.n == 1)
    chosen = session.select_at(15, 15)
    assert chosen is not None
    assert chosen.area_um2 == pytest.approx(400 * 0.25)
    assert chosen.measurements == {"Area px": 400}
    assert chosen.detection_class is not None
    assert chosen.detection_class.name == "Tumor"
    session.overlay.toggle_detections()
    assert session.select_at(15, 15) is None


def test_export_asks_for_the_file_of_the_run_with_the_chosen_options(
    session: Session,
    ears: Ears,
    loop: Loop,
    runner: FakeRunner,
    svs: Path,
    open_slide_of: OpenSlide,
    tmp_path: Path,
) -> None:
    open_slide_of(svs)
    session.exchange.export(tmp_path / "x.geojson")
    assert "nothing to export" in ears.notices[-1].text
    assert session.slide is not None
    with new_run(session.slide, state="done") as run:
        pass
    session.close_slide()
    open_slide_of(svs)
    loop.run_until(lambda: session.results is not None)
    session.exchange.export(tmp_path / "x.geojson", ExportSettings(measurements=False))
    job = session.jobs[-1]
    assert job.request.lane == "io"
    assert job.request.payload == {
        "run_file": str(run.path),
        "study": "",
        "slide": str(svs),
        "mpp": None,
        "format": "geojson",
        "ids": None,
        "output": str(tmp_path / "x.geojson"),
        "collection": True,
        "measurements": False,
        "map": {},
    }
    end(job, JobState.DONE, {"n_objects": 1200})
    assert ears.notices[-1].text == "1,200 objects written to x.geojson."


def test_wrong_parameters_become_a_notice_and_no_job(
    session: Session, ears: Ears, runner: FakeRunner, svs: Path, open_slide_of: OpenSlide
) -> None:
    open_slide_of(svs)
    assert session.analyze(params={"nonsense": 1}) is None
    assert ears.notices[-1].level == "error"
    assert runner.taken == []


def test_running_analyses_are_told_where_one_looks(
    session: Session, svs: Path, open_slide_of: OpenSlide
) -> None:
    open_slide_of(svs)
    job = session.analyze()
    assert job is not None
    session.viewport.fit(Rect(100, 100, 50, 50))
    session.focus_changed()
    assert job.focus_l0 == session.viewport.visible_l0


def test_escape_leaves_the_tool_then_the_region_then_the_selection(
    session: Session, svs: Path, open_slide_of: OpenSlide
) -> None:
    open_slide_of(svs)
    session.set_region(Rect(-50, 0, 100, 100))
    assert session.region_l0 == Rect(0, 0, 50, 100)
    session.set_tool("region")
    run_command(session, "tool.cancel")
    assert session.tool == "move"
    assert session.region_l0 is not None
    run_command(session, "tool.cancel")
    assert session.region_l0 is None


def test_all_tiles_of_a_slide_count_to_the_one_memory_which_can_shrink_at_once(
    session: Session, loop: Loop, open_slide_of: Callable[[Path], None], tmp_path: Path
) -> None:
    session.set_memory(200 << 20)
    open_slide_of(make_svs(tmp_path / "a.svs"))
    source = session.layers[0].source
    keys = list(source.pyramid.tiles_in(Rect(0, 0, 1024, 768), 0))
    session.scheduler.request([(source, key) for key in keys])
    loop.run_until(lambda: session.scheduler.n_pending == 0)
    held = session.memory.n_bytes
    assert held > 1024 * 768 * 4
    session.set_memory(100 << 20)
    assert session.settings.cache_bytes == session.memory.max_bytes == 100 << 20
    session.memory.max_bytes = held // 2
    assert session.memory.n_bytes <= held // 2
    session.close_slide()
    assert session.memory.n_bytes < 1024 * 768


def test_closing_ends_what_runs(
    session: Session, runner: FakeRunner, svs: Path, open_slide_of: OpenSlide
) -> None:
    open_slide_of(svs)
    job = session.analyze()
    assert job is not None
    assert session.is_busy
    session.close()
    assert job.state is JobState.CANCELLED
    assert session.slide is None
