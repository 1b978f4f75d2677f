"""Strokes are answered while they come; keeping the best gives a model as a training does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from studies import opened
from teaching import CLASSES, NUCLEUS, TISSUE, drawn, scene, strokes, teach_study

from pathoview.annotations.change import Change
from pathoview.annotations.feature import Feature
from pathoview.core.errors import Cancelled, PathoViewError, UsageError
from pathoview.core.geometry import Rect
from pathoview.core.progress import SilentProgress
from pathoview.methods.library import library
from pathoview.methods.model import read_model
from pathoview.slides.opening import open_slide
from pathoview.study.model import LabelClass, StudyInfo
from pathoview.study.results import RunFile
from pathoview.study.step import RecordChange, StudyStep
from pathoview.study.study import Study, private_path
from pathoview.tasks import live_teaching, train

VIEW_L0 = Rect(40, 30, 200, 180)
QUICK = {"n_trees": 10}


class Listening(SilentProgress):
    def __init__(self) -> None:
        super().__init__()
        self.control.focus_l0 = VIEW_L0
        self.events: list[tuple[str, Mapping[str, Any]]] = []
        self.said: list[str] = []

    def report(self, fraction: float, text: str = "", **metrics: float) -> None:
        self.said.append(text)

    def event(self, kind: str, data: Mapping[str, Any]) -> None:
        self.events.append((kind, data))

    def of(self, kind: str) -> list[Mapping[str, Any]]:
        return [data for one, data in self.events if one == kind]


class Lesson(Listening):
    """A live teaching in a thread."""

    result: dict[str, Any]
    error: Exception | None = None

    def run(self, request: Mapping[str, Any]) -> None:
        try:
            self.result = live_teaching.run(request, self)
        except (Cancelled, PathoViewError) as error:
            self.error = error

    def wait(self, is_so: Callable[[], Any], timeout_s: float = 60) -> None:
        deadline = time.monotonic() + timeout_s
        while not is_so():
            assert self.error is None, self.error
            assert time.monotonic() < deadline, "it never came about"
            time.sleep(0.01)


@contextmanager
def lesson(**request: Any) -> Iterator[Lesson]:
    made = Lesson()
    thread = threading.Thread(target=made.run, args=({"params": QUICK, **request},))
    thread.start()
    try:
        yield made
    finally:
        made.control.cancel()
        thread.join(60)
        assert not thread.is_alive()


def order(study: Path, slide: Path, **more: Any) -> dict[str, Any]:
    return {
        "method": "pixel_forest",
        "study": str(study),
        "slides": [str(slide)],
        "preview": {"slide": str(slide)},
        **more,
    }


def draw(study: Study, slide_hash: str, *features: Feature, name: str = "Stroke") -> None:
    study.do(StudyStep(study.next_number(), slide_hash, name, change=Change.adding(features)))
    assert study.writer.flush(10)


def hash_of(slide: Path) -> str:
    with open_slide(slide) as opened_slide:
        return opened_slide.content_hash


def planes(progress: Listening) -> np.ndarray[Any, Any]:
    """Return what is shown of the view, (class, height, width)."""
    with RunFile.open(Path(progress.of("preview")[-1]["run_file"])) as run:
        scale = run.record.scale_l0
        x, y, width, height = VIEW_L0.scaled(1 / scale).as_ints()
        return run.map_rows().area(0, x, y, width, height)


def finished(made: Lesson) -> None:
    made.control.finish()
    made.wait(lambda: hasattr(made, "result"))


def test_strokes_are_answered_where_one_looks_first_coarse_then_in_full(tmp_path: Path) -> None:
    study, slide = teach_study(tmp_path, "scribbles")
    with lesson(**order(study, slide)) as made:
        made.wait(lambda: made.of("answer"))
        kinds = [kind for kind, _data in made.events]
        assert kinds.index("preview") < kinds.index("answer")
        made.wait(lambda: len(made.of("preview")) == 2)
        files = {one["run_file"] for one in made.of("preview")}
        assert len(files) == 1
        shown = planes(made)
        with RunFile.open(Path(files.pop())) as run:
            assert run.record.kind == "preview"
            assert [one.name for one in run.record.classes][1:3] == ["Nucleus", "Tissue"]
        assert shown[1:].any(axis=0).mean() > 0.9  # all but what is taken for glass
        truth = scene(0.5).labels[30:210, 40:240][::2, ::2] > 0
        nuclei = shown[1] > shown[2]
        assert nuclei[truth].mean() > nuclei[~truth].mean() + 0.3
        answer = made.of("answer")[-1]
        assert answer["n_labels"] == 12
        assert answer["seconds"] > 0


def test_a_stroke_more_changes_the_map_and_others_do_nothing(tmp_path: Path) -> None:
    study, slide = teach_study(tmp_path, "scribbles")
    slide_hash = hash_of(slide)
    with opened(study) as writable, lesson(**order(study, slide)) as made:
        made.wait(lambda: len(made.of("preview")) == 2)
        before = planes(made)
        draw(writable, "another slide", drawn(shapely.box(0, 0, 9, 9), NUCLEUS, "scribble"))
        time.sleep(0.4)
        assert len(made.of("answer")) == 1
        whole = shapely.box(VIEW_L0.x, VIEW_L0.y, VIEW_L0.right, VIEW_L0.bottom)
        draw(writable, slide_hash, drawn(whole, TISSUE, "scribble"))
        made.wait(lambda: len(made.of("preview")) == 4)
        assert made.of("answer")[-1]["n_labels"] == 13
        assert (planes(made)[2] > 127).mean() > (before[2] > 127).mean()


def test_a_private_study_that_comes_later_is_learned_from(tmp_path: Path) -> None:
    _study, slide = teach_study(tmp_path, "nothing")
    slide_hash = hash_of(slide)
    path = private_path(slide_hash)
    assert not path.exists()
    with lesson(**{**order(path, slide), "study": ""}) as made:
        made.wait(lambda: any("stroke" in text for text in made.said))
        private = Study(path, lambda *said: None, info=StudyInfo(is_private=True))
        known = {one.key: one for one in private.classes()}
        changes = tuple(RecordChange.of(known.get(one.key), one) for one in CLASSES)
        first, *others = strokes(scene(0.5))
        number = private.next_number()
        adding = Change.adding([first])
        step = StudyStep(number, slide_hash, "Draw", change=adding, records=changes)
        private.do(step)
        made.wait(lambda: any("second class" in text for text in made.said))
        assert not made.of("answer")
        draw(private, slide_hash, *others)
        made.wait(lambda: made.of("answer"))
        private.close()


def test_looking_elsewhere_paints_there(tmp_path: Path) -> None:
    study, slide = teach_study(tmp_path, "scribbles")
    with lesson(**order(study, slide)) as made:
        made.control.focus_l0 = Rect(0, 0, 60, 60)
        made.wait(lambda: len(made.of("preview")) == 2)
        made.control.focus_l0 = Rect(270, 270, 50, 50)
        made.wait(lambda: len(made.of("preview")) == 4)
        with RunFile.open(Path(made.of("preview")[-1]["run_file"])) as run:
            assert {(0, 0), (1, 1)} <= run.map_rows().finished()


def test_keeping_the_best_gives_the_model_of_a_training(tmp_path: Path) -> None:
    study, slide = teach_study(tmp_path, "scribbles")
    more = {"title": "By strokes", "round": 3, "seed": 2}
    with lesson(**order(study, slide, **more)) as made:
        made.wait(lambda: made.of("answer"))
        finished(made)
    card = read_model(Path(made.result["model"])).card
    assert (card.title, card.round, card.seed) == ("By strokes", 3, 2)
    assert card.labels == {"Nucleus": 6, "Tissue": 6}
    other = train.run({**order(study, slide, **more), "params": QUICK}, SilentProgress())
    live, plain = (read_model(Path(one["model"])) for one in (made.result, other))
    for name in plain.tensors:
        assert np.array_equal(live.tensors[name], plain.tensors[name])


def test_stopping_leaves_no_model(tmp_path: Path) -> None:
    study, slide = teach_study(tmp_path, "scribbles")
    with lesson(**order(study, slide)) as made:
        made.wait(lambda: made.of("answer"))
    assert isinstance(made.error, Cancelled)
    assert not [one for one in library() if one.card.method == "pixel_forest"]


def test_what_was_learned_is_measured_when_the_hand_rests(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_teaching, "_MEASURE_AFTER_S", 0.0)
    study, slide = teach_study(tmp_path, "scribbles")
    with lesson(**order(study, slide)) as made:
        made.wait(lambda: made.of("curve"))
        point = made.of("curve")[-1]
    assert point["step"] == 1
    assert 0 < point["accuracy"] <= 1


def test_a_new_class_is_painted_too(tmp_path: Path) -> None:
    study, slide = teach_study(tmp_path, "scribbles")
    with opened(study) as writable, lesson(**order(study, slide)) as made:
        made.wait(lambda: made.of("answer"))
        mucus = LabelClass(number=77, name="Mucus", color=(1, 200, 1))
        writable.put(mucus)
        draw(writable, hash_of(slide), drawn(shapely.box(60, 60, 90, 90), mucus, "scribble"))
        made.wait(lambda: made.of("answer")[-1]["n_labels"] == 13)
        with RunFile.open(Path(made.of("preview")[-1]["run_file"])) as run:
            assert "Mucus" in [one.name for one in run.record.classes]


def test_labels_of_other_slides_count_in_the_whole_study(tmp_path: Path) -> None:
    study, _slide = teach_study(tmp_path, "scribbles")
    _none, unlabelled = teach_study(tmp_path / "other", "nothing", mpp=0.4)
    with lesson(**order(study, unlabelled, slides=[])) as made:
        made.control.focus_l0 = Rect(0, 0, 100, 100)
        made.wait(lambda: made.of("answer"))
    assert made.of("preview")


def test_other_methods_are_refused_in_words(tmp_path: Path) -> None:
    study, slide = teach_study(tmp_path, "points")
    request = {**order(study, slide), "method": "point_nuclei", "params": {}}
    with pytest.raises(UsageError, match="stroke by stroke"):
        live_teaching.run(request, SilentProgress())
