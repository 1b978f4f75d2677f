from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import shapely
from makers import he_image, make_svs
from stage import Ears, FakeRunner, Loop, end
from synthesis_methods import known_bleach

from pathoview.core.geometry import Rect
from pathoview.core.paths import cache_folder
from pathoview.core.progress import SilentProgress
from pathoview.datasets.labels import TargetClass
from pathoview.jobs.runner import Job, JobState
from pathoview.layers.class_map_source import ClassMapSource
from pathoview.layers.synthesis_source import SynthesisValueSource
from pathoview.methods.library import LibraryModel, new_model_path
from pathoview.methods.model import Model, ModelCard, TrainingArea, write_model
from pathoview.methods.registry import METHODS
from pathoview.methods.spec import Kind
from pathoview.session import orders
from pathoview.session.commands import command, run_command
from pathoview.session.run_synthesis import RunSynthesis
from pathoview.session.session import Session
from pathoview.session.teach_desk import TeachDesk
from pathoview.slides.reading import analysis_grid
from pathoview.slides.tissue import tissue_mask
from pathoview.study import writer
from pathoview.tasks import analyze
from pathoview.tasks.live_map import LiveMap
from pathoview.tasks.training_data import TrainingSource, open_training_data

OpenSlide = Callable[[Path], None]


@pytest.fixture
def teaching(session: Session, loop: Loop, open_slide_of: OpenSlide, tmp_path: Path) -> TeachDesk:
    """A slide with a stroke in each of two classes, and the forest chosen."""
    open_slide_of(make_svs(tmp_path / "tissue.svs", he_image(1024, 768)))
    loop.run_until(lambda: session.annotations.document is not None)
    session.teaching.choose_method("pixel_forest")
    for number, x in ((1, 100), (2, 500)):
        session.annotations.choose_class(number)
        session.annotations.draw(shapely.box(x, 100, x + 80, 130), "Stroke", "scribble")
    session.teaching.refresh()
    loop.run_until(lambda: len((session.teaching.summary or counted()).counts) == 2)
    return session.teaching


def counted() -> Any:
    return SimpleNamespace(counts={}, problem="")


def begun(teaching: TeachDesk, loop: Loop, **params: Any) -> Job:
    teaching.start(params or {"n_trees": 10})
    loop.run_until(lambda: teaching.job is not None and not teaching.job.is_over)
    assert teaching.job is not None
    return teaching.job


def model(title: str, study_id: str, created: str = "2026-01-02") -> Path:
    path = new_model_path(title)
    card = ModelCard(
        title=title,
        method="pixel_forest",
        kind="pixel",
        mpp=1.0,
        study_id=study_id,
        created=created,
    )
    write_model(path, Model(card, {}))
    return path


def test_nothing_is_counted_without_a_slide(session: Session) -> None:
    session.teaching.refresh()
    assert session.teaching.summary is None
    assert session.teaching.start() is None
    assert not session.teaching.is_teaching


def test_labels_are_counted_as_they_are_now(
    teaching: TeachDesk, session: Session, loop: Loop
) -> None:
    assert teaching.summary is not None
    assert dict(teaching.summary.counts) == {"Stroma": 1, "Tumor": 1}
    session.undo()
    teaching.refresh()
    loop.run_until(lambda: dict((teaching.summary or counted()).counts) == {"Tumor": 1})
    assert teaching.summary is not None
    assert "Tumor" in teaching.summary.problem


def test_a_round_is_ordered_when_all_labels_are_on_disk(
    teaching: TeachDesk, session: Session, loop: Loop
) -> None:
    job = begun(teaching, loop)
    assert session.studies.n_unsaved == 0
    payload = job.request.payload
    assert (job.request.task, job.request.lane) == (orders.LIVE, "learn")
    assert payload["method"] == "pixel_forest"
    assert payload["params"]["n_trees"] == 10
    assert payload["slides"] == [str(session.path)]
    assert payload["preview"]["slide"] == str(session.path)
    assert payload["round"] == 1
    assert session.settings.teach_params["pixel_forest"]["n_trees"] == 10
    assert job.focus_l0 == session.viewport.visible_l0


def test_one_round_at_a_time(teaching: TeachDesk, loop: Loop, runner: FakeRunner) -> None:
    begun(teaching, loop)
    n = len(runner.taken)
    teaching.start({})
    loop.run_for(0.1)
    assert len(runner.taken) == n


def test_what_does_not_suffice_is_told(
    teaching: TeachDesk, session: Session, loop: Loop, ears: Ears
) -> None:
    points = replace(METHODS.get("pixel_forest"), name="dots", learns_from="points", is_live=False)
    teaching.methods = [points]
    teaching.choose_method("dots")
    loop.run_until(lambda: "points" in (teaching.summary or counted()).problem)
    teaching.start({})
    assert "points tool" in ears.notices[-1].text
    assert not teaching.is_teaching
    assert teaching.tool_needed == "tool.points"
    session.set_tool("points")
    assert teaching.tool_needed == ""


def test_a_live_round_may_begin_before_the_first_stroke(
    teaching: TeachDesk, session: Session, loop: Loop
) -> None:
    session.undo()
    session.undo()
    teaching.refresh()
    loop.run_until(lambda: not (teaching.summary or counted()).counts)
    assert (teaching.summary or counted()).problem
    assert begun(teaching, loop).request.task == orders.LIVE
    assert teaching.is_live


def test_a_wrong_parameter_is_told(teaching: TeachDesk, ears: Ears) -> None:
    teaching.start({"n_trees": -5})
    assert "n_trees" in ears.notices[-1].text
    assert not teaching.is_teaching


@pytest.mark.parametrize("is_new", [True, False])
def test_labels_the_disk_refuses_are_learned_from_all_the_same(
    teaching: TeachDesk,
    session: Session,
    loop: Loop,
    ears: Ears,
    monkeypatch: pytest.MonkeyPatch,
    is_new: bool,
) -> None:
    book = session.studies.book
    assert book is not None
    assert session.path is not None
    if not is_new:
        assert book.study.writer.flush(10)

    def full(*_said: object) -> None:
        raise sqlite3.OperationalError("disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(writer, "transaction", full)
        session.annotations.choose_class(1)
        session.annotations.draw(shapely.box(300, 300, 380, 330), "Stroke", "scribble")
        job = begun(teaching, loop)
        assert session.studies.n_unsaved
    payload = job.request.payload
    assert Path(payload["study"]).parent.parent == cache_folder()
    assert any("all the same" in one.text for one in ears.notices)
    source = TrainingSource(study=payload["study"], slides=tuple(payload["slides"]))
    with open_training_data(source, METHODS.get("pixel_forest"), SilentProgress()) as prepared:
        assert prepared.data.counts() == {"Tumor": 2, "Stroma": 1}
        assert prepared.study_id == book.study.info.id
    assert book.study.writer.flush(10)  # and nothing is lost


def test_a_round_that_died_goes_on(
    teaching: TeachDesk, session: Session, loop: Loop, ears: Ears, runner: FakeRunner
) -> None:
    job = begun(teaching, loop, n_trees=13)
    job.error, job.hint = "The worker process ended unexpectedly.", "Start it again."
    end(job, JobState.DIED)
    notice = ears.notices[-1]
    assert notice.action == ("Start again", "teach.again")
    teaching.choose_method("point_nuclei")
    run_command(session, "teach.again", notice.argument)
    loop.run_until(lambda: len(runner.taken) == 2)
    assert runner.taken[1].request == job.request
    assert teaching.job is runner.taken[1]
    assert teaching.method is not None
    assert teaching.method.name == job.request.payload["method"]


def test_the_end_says_what_came_out_and_offers_to_use_it(
    teaching: TeachDesk, session: Session, loop: Loop, ears: Ears, runner: FakeRunner
) -> None:
    path = model("round", "another study")
    result = {"model": str(path), "summary": "Trained in 3 s.", "seconds": 3}
    end(begun(teaching, loop), JobState.DONE, result)
    notice = ears.notices[-1]
    assert (notice.text, notice.level) == ("Trained in 3 s.", "info")
    assert notice.action == ("Apply to slide", "teach.apply")
    run_command(session, "teach.apply", notice.argument)
    assert runner.taken[-1].request.payload["model"] == str(path)


def test_another_slide_ends_live_teaching_well(
    teaching: TeachDesk,
    session: Session,
    loop: Loop,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    job = begun(teaching, loop)
    finished: list[Job] = []
    monkeypatch.setattr(Job, "finish", lambda self: finished.append(self))
    session.set_scale(0.4)  # the same slide
    assert not finished
    session.open(make_svs(tmp_path / "other.svs", he_image(600, 500)))
    loop.run_until(lambda: session.path is not None and session.path.name == "other.svs")
    assert finished == [job]


def test_without_a_named_study_there_is_only_this_slide(
    teaching: TeachDesk, session: Session
) -> None:
    teaching.choose_scope("study")
    assert not session.studies.is_named
    session.studies.changed.emit()
    assert teaching.scope == "slide"
    assert not teaching.can_apply_to_all


def test_the_commands_teach(teaching: TeachDesk, session: Session, loop: Loop) -> None:
    asked = ["teach.finish", "teach.stop", "teach.apply", "teach.apply_all"]
    assert not [one for one in asked if command(one).enabled(session)]
    assert command("teach.start").enabled(session)
    job = begun(teaching, loop)
    assert not command("teach.start").enabled(session)
    assert command("teach.stop").enabled(session)
    study = session.studies.study
    assert study is not None
    model("round", study.info.id)
    end(job, JobState.CANCELLED)
    loop.run_until(lambda: bool(teaching.rounds))
    assert command("teach.apply").enabled(session)
    assert not command("teach.apply_all").enabled(session)


def test_a_map_that_grows_is_one_layer(
    teaching: TeachDesk, session: Session, loop: Loop, tmp_path: Path
) -> None:
    slide = session.slide
    assert slide is not None
    job = begun(teaching, loop)
    grid = analysis_grid(slide, 1.0)
    classes = (TargetClass("Tumor", (200, 0, 0), 1), TargetClass("Stroma", (0, 200, 0), 2))
    spec = METHODS.get("pixel_forest")
    whole = Rect(0, 0, 1024, 768)
    with LiveMap(spec, slide, grid, tissue_mask(slide), classes, "Preview") as live_map:
        tiles = live_map.tiles_in(whole)

        def paint(value: int) -> None:
            told = np.zeros((384, 512, 2), np.float32)
            told[..., value - 1] = 1
            live_map.put(tiles, whole, told, (1, 2))
            job.event.emit("preview", {"run_file": str(live_map.path)})

        paint(1)
        loop.run_until(lambda: len(session.runs) == 1)
        (run,) = session.runs
        assert run.map is not None
        source = run.map.class_layer.source
        assert isinstance(source, ClassMapSource)
        loop.run_until(lambda: source.class_at(500, 400) == 1)
        paint(2)
        loop.run_until(lambda: source.class_at(500, 400) == 2)
        assert session.runs == (run,)
        assert session.results is None
    end(job, JobState.CANCELLED)
    assert not session.runs
    assert not live_map.path.exists()


def test_a_curtain_stays_while_previews_replace_each_other(
    teaching: TeachDesk,
    session: Session,
    loop: Loop,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    job, model_path = begun(teaching, loop), known_bleach(monkeypatch, tmp_path)
    order = {"slide": str(session.path), "model": str(model_path), "tile_px": 1024}

    def preview() -> RunSynthesis:
        """Tell of a run that is another one each time."""
        before = session.runs
        result = analyze.run(order, SilentProgress())
        job.event.emit("preview", {"run_file": result["run_file"]})
        loop.run_until(lambda: session.runs and session.runs != before)
        (run,) = session.runs
        assert run.synthesis is not None
        return run.synthesis

    source = preview().pathology_layer.source
    assert isinstance(source, SynthesisValueSource)
    source.style = replace(source.style, threshold=0.8)
    run_command(session, "compare.healthy")
    curtain = session.views.active.curtain
    curtain.position = 0.3
    made = preview()
    assert curtain.is_drawn
    assert curtain.position == 0.3
    assert curtain.left is made.picture_layer
    assert [layer.visible for layer in made.layers] == [True, False, False, False]
    source = made.pathology_layer.source
    assert isinstance(source, SynthesisValueSource)
    assert source.style.threshold == 0.8
    end(job, JobState.CANCELLED)
    assert not curtain.is_drawn


def test_the_curve_grows_with_what_the_training_says(teaching: TeachDesk, loop: Loop) -> None:
    grown: list[int] = []
    teaching.curve_grew.connect(lambda: grown.append(len(teaching.curve)))
    job = begun(teaching, loop)
    job.event.emit("curve", {"step": 1, "loss": 0.5})
    job.event.emit("curve", {"step": 2, "loss": 0.4, "macro_f1": 0.7})
    assert grown == [1, 2]
    assert teaching.curve[-1] == {"step": 2, "loss": 0.4, "macro_f1": 0.7}


def test_each_stage_of_a_training_has_its_curve(teaching: TeachDesk, loop: Loop) -> None:
    job = begun(teaching, loop)
    for step in (1, 2):
        job.event.emit("curve", {"step": step, "loss": 0.5, "stage": "where"})
    assert teaching.curve == [{"step": 1, "loss": 0.5}, {"step": 2, "loss": 0.5}]
    job.event.emit("curve", {"step": 1, "loss": 0.9, "stage": "which"})
    assert teaching.curve == [{"step": 1, "loss": 0.9}]


def test_rounds_are_models_of_this_study_the_newest_first(
    teaching: TeachDesk, session: Session, loop: Loop
) -> None:
    study = session.studies.study
    assert study is not None
    job = begun(teaching, loop)
    model("old", study.info.id, "2026-01-01")
    model("new", study.info.id, "2026-01-02")
    model("of another study", "other", "2026-01-03")
    end(job, JobState.DONE, {"model": "", "summary": "done", "seconds": 3})
    loop.run_until(lambda: len(teaching.rounds) == 2)
    assert [one.card.title for one in teaching.rounds] == ["new", "old"]
    assert len(teaching.beginnings) >= 3
    assert not teaching.is_teaching


def test_the_hardest_places_are_those_of_the_open_slide(
    teaching: TeachDesk, session: Session
) -> None:
    assert session.slide is not None
    here, there = session.slide.content_hash, "f" * 32
    areas = [
        TrainingArea(slide_hash=name, name="x", rect_l0=(x, 0, 192, 192), loss=loss)
        for name, x, loss in ((here, 0, 2.0), (there, 1, 1.5), (here, 200, 0.5))
    ]
    card = ModelCard(title="m", method="pixel_forest", kind="pixel", mpp=1.0, areas=tuple(areas))
    found = teaching.places_of(LibraryModel(Path("m.safetensors"), card))
    assert [(rect.x, loss) for rect, loss in found] == [(0, 2.0), (200, 0.5)]


def test_a_round_is_applied_to_the_slide(
    teaching: TeachDesk, session: Session, loop: Loop, runner: FakeRunner
) -> None:
    study = session.studies.study
    assert study is not None
    path = model("round", study.info.id)
    end(begun(teaching, loop), JobState.CANCELLED)
    loop.run_until(lambda: len(teaching.rounds) == 1)
    teaching.apply(teaching.rounds[0])
    payload = runner.taken[-1].request.payload
    assert runner.taken[-1].request.task == orders.ANALYZE
    assert payload["model"] == str(path)
    assert session.settings.method != "pixel_forest"


def test_whole_slides_are_not_taught_by_drawing(teaching: TeachDesk) -> None:
    kinds = {spec.kind for spec in teaching.methods}
    assert kinds == {Kind.INSTANCE, Kind.PIXEL, Kind.OBJECT, Kind.SYNTHESIS}
