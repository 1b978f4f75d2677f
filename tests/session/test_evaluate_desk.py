from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from makers import he_scene
from stage import Ears, FakeRunner, Loop, end

from pathoview.core.progress import SilentProgress
from pathoview.jobs.runner import JobState
from pathoview.methods.library import new_model_path
from pathoview.methods.model import Model, ModelCard, write_model
from pathoview.methods.spec import Kind
from pathoview.session.evaluate_desk import Choice, EvaluateDesk
from pathoview.session.session import Session
from pathoview.tasks.evaluate import run

MPP = 0.5


@pytest.fixture
def folders(tmp_path: Path) -> dict[str, object]:
    for part in ("images", "labels"):
        (tmp_path / part).mkdir()
    for number, name in enumerate("ab"):
        field = he_scene(400, 300, seed=number, mpp=MPP)
        cv2.imwrite(str(tmp_path / "images" / f"{name}.png"), field.rgb[..., ::-1])
        cv2.imwrite(str(tmp_path / "labels" / f"{name}.png"), field.labels.astype(np.uint16))
    return {"images": str(tmp_path / "images"), "labels": str(tmp_path / "labels"), "mpp": MPP}


def watershed(desk: EvaluateDesk) -> Choice:
    (choice,) = [one for one in desk.choices if one.name == "nuclei_watershed"]
    return choice


def test_the_page_comes_back_and_its_places_are_flown_to_in_any_image(
    session: Session,
    loop: Loop,
    runner: FakeRunner,
    ears: Ears,
    folders: dict[str, object],
    tmp_path: Path,
) -> None:
    desk = session.evaluation
    desk.evaluate(watershed(desk), folders)
    (job,) = runner.taken
    assert (job.request.lane, desk.is_busy) == ("compute", True)
    end(job, JobState.DONE, run(job.request.payload, SilentProgress()))
    loop.run_until(lambda: desk.page)
    page = desk.page
    assert page is not None
    assert (page.n, page.tables[0].rows[0][0]) == (2, "AJI")
    assert page.worst[0].png.startswith(b"\x89PNG")
    missed = page.of_cell(0, 1)
    assert missed
    assert all(one.kind != "matched" for one in missed)
    for name in "ab":
        place = next(one for one in page.places if one.image == name)
        desk.fly(place)
        path = tmp_path / "images" / f"{name}.png"
        loop.run_until(lambda path=path: session.path == path)
        assert session.viewport.center_l0 == pytest.approx((place.x, place.y))
    other = page.of_cell(0, 0)[-1]
    same = next(one for one in page.places if one.image == "b" and one is not other)
    desk.fly(same)
    assert session.viewport.center_l0 == pytest.approx((same.x, same.y))
    assert session.slide is not None
    assert session.slide.mpp == MPP  # as it was said when it was scored
    desk.save(tmp_path / "kept.html")
    loop.run_until(lambda: ears.notices)
    assert (tmp_path / "kept.html").read_bytes().startswith(b"<!doctype html>")
    desk.forget()
    assert desk.page is None


def test_without_slide_and_study_there_are_no_labels(session: Session) -> None:
    assert session.evaluation.labels_source == {}


def test_an_evaluation_that_failed_says_why(session: Session, runner: FakeRunner) -> None:
    desk = session.evaluation
    desk.evaluate(watershed(desk), {"images": "nowhere", "labels": "nowhere", "mpp": 1.0})
    runner.taken[0].error, runner.taken[0].hint = "No images.", "Name others."
    end(runner.taken[0], JobState.FAILED)
    assert desk.problem == "No images. Name others."
    assert not desk.is_busy
    desk.forget()


def test_models_of_whole_slides_are_not_scored_against_annotations(
    session: Session, loop: Loop
) -> None:
    for method, kind in (("attention_mil", Kind.BAG), ("pixel_forest", Kind.PIXEL)):
        card = ModelCard(title=method, method=method, kind=kind.value, mpp=0.5)
        write_model(new_model_path(method), Model(card, {"weight": np.zeros(1, np.float32)}))
    desk = session.evaluation
    desk.look()
    loop.run_until(lambda: any(one.title == "pixel_forest" for one in desk.choices))
    assert Kind.BAG not in {one.kind for one in desk.choices}
