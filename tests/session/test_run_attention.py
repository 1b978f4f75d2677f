"""A whole slide that was predicted, in the session: it comes, goes, is undone and shown again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from bag_methods import TILE_PX, attention_of, has_attention, known_bags, planted
from makers import make_svs
from pixel_methods import Relay
from stage import Ears, FakeRunner, Loop, end

from pathoview.core.progress import SilentProgress
from pathoview.jobs.runner import Job, JobState
from pathoview.layers.heatmap_source import HeatmapSource
from pathoview.methods.library import import_model
from pathoview.session.session import Session
from pathoview.study.slide_prediction import SlidePrediction
from pathoview.tasks import analyze_bag, take_regions

OpenSlide = Callable[[Path], None]
SIDE = 2 * TILE_PX
COLUMN, ROW = 4, 2


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    return import_model(known_bags(monkeypatch, tmp_path)[0]).path


def apply(session: Session, loop: Loop, model: Path, between: Callable[[str], None]) -> Job:
    """Use the model of the library on the open slide, as the window does, to the end."""
    session.models.refresh()
    loop.run_until(lambda: any(one.path == model for one in session.models.models))
    found = next(one for one in session.models.models if one.path == model)
    assert session.models.can_apply(found.card)
    job = session.models.apply(found)
    assert job is not None
    assert job.request.task == "pathoview.tasks.analyze_bag:run"
    result = analyze_bag.run(job.request.payload, Relay(job, between))
    end(job, JobState.DONE, result)
    loop.run_until(lambda: session.results and session.results.record.state == "done")
    return job


@pytest.fixture
def predicted(
    session: Session, ears: Ears, loop: Loop, tmp_path: Path, open_slide_of: OpenSlide, model: Path
) -> Session:
    rgb = planted(8 * SIDE, 5 * SIDE, COLUMN, ROW, SIDE)
    open_slide_of(make_svs(tmp_path / "one.svs", rgb))
    seen: list[int] = []

    def between(kind: str) -> None:
        if kind == "started":
            loop.run_until(lambda: session.results is not None)
            seen.append(attention_of(session).n_tiles)
        elif kind == "tile":
            loop.run_until(lambda: has_attention(session))

    apply(session, loop, model, between)
    assert seen == [0]
    return session


def test_the_prediction_and_its_tiles_are_shown_when_they_have_come(
    predicted: Session, ears: Ears
) -> None:
    run = predicted.results
    assert run is not None
    said = SlidePrediction.of(run.record)
    assert said.answer == "Tumor"
    assert [one.name for one in said.said] == ["Tumor"]
    assert attention_of(predicted).n_tiles == 40
    source = attention_of(predicted).attention_layer.source
    assert isinstance(source, HeatmapSource)
    middle = source.value_at((COLUMN + 0.5) * SIDE, (ROW + 0.5) * SIDE)
    beside = source.value_at((COLUMN + 1.5) * SIDE, (ROW + 0.5) * SIDE)
    assert middle is not None
    assert beside is not None
    assert middle > 20 > 1 > beside
    assert "Tumor: probability" in ears.notices[-1].text
    assert "40 tiles" in ears.notices[-1].text
    assert ears.notices[-1].action == ("Export…", "file.export")


def test_its_layers_go_and_are_brought_back_together(predicted: Session) -> None:
    names = [layer.name for layer in predicted.layers][1:]
    assert names == ["Bright or not: attention", "Bright or not: evidence"]
    assert [layer.visible for layer in predicted.layers] == [True, True, False]
    before = list(predicted.layers)
    predicted.layer_desk.remove(before[2])
    assert len(predicted.layers) == 1
    assert predicted.results is None
    predicted.undo()
    assert list(predicted.layers) == before
    assert predicted.select_at(700, 500) is None


def test_it_is_shown_when_its_slide_is_opened_again(
    predicted: Session, loop: Loop, open_slide_of: OpenSlide
) -> None:
    path = predicted.path
    assert path is not None
    predicted.close_slide()
    open_slide_of(path)
    loop.run_until(lambda: has_attention(predicted))
    assert len(predicted.layers) == 3


def test_what_is_outlined_becomes_annotations(
    predicted: Session, loop: Loop, runner: FakeRunner
) -> None:
    loop.run_until(lambda: predicted.studies.book is not None)
    predicted.settings.export.map = {"smallest_um2": 5.0}
    predicted.settings.export.attention = {"contours": "10"}
    assert predicted.exchange.take_regions() is not None
    job = runner.taken[-1]
    end(job, JobState.DONE, take_regions.run(job.request.payload, SilentProgress()))
    loop.run_until(lambda: predicted.exchange.n_annotations > 0)
    document = predicted.annotations.document
    assert document is not None
    (outline,) = document
    assert outline.geometry.bounds == pytest.approx(
        (COLUMN * SIDE, ROW * SIDE, (COLUMN + 1) * SIDE, (ROW + 1) * SIDE)
    )
    predicted.undo()
    assert predicted.exchange.n_annotations == 0


def test_its_pictures_and_options_are_those_of_tiles(
    predicted: Session, runner: FakeRunner, tmp_path: Path
) -> None:
    assert [one.name for one in predicted.exchange.pictures] == ["attention", "tile-values"]
    options = predicted.settings.export
    options.format, options.attention, options.map = "geojson", {"squares": False}, {"as_float": 1}
    predicted.exchange.export(tmp_path / "one.geojson")
    assert runner.taken[-1].request.payload["map"] == {"squares": False}
    assert not predicted.review.reasons


def test_a_slide_without_tissue_is_told_to_have_no_score(
    session: Session,
    loop: Loop,
    ears: Ears,
    model: Path,
    tmp_path: Path,
    open_slide_of: OpenSlide,
) -> None:
    open_slide_of(make_svs(tmp_path / "empty.svs", np.full((512, 640, 3), 244, np.uint8)))

    def between(kind: str) -> None:
        if kind == "started":
            loop.run_until(lambda: session.results is not None)

    apply(session, loop, model, between)
    assert session.results is not None
    assert not SlidePrediction.of(session.results.record).answer
    assert "No tissue was found" in ears.notices[-1].text
    assert ears.notices[-1].level == "warning"
