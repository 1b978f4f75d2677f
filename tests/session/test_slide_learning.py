"""Learning from labels of slides without a window: orders, what goes on, what came of it."""

from __future__ import annotations

import shutil
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest
from makers import make_slides
from stage import Ears, FakeRunner, Loop, end

from pathoview.core.geometry import Rect
from pathoview.core.params import form_rows
from pathoview.evaluation.slides import ThresholdRule
from pathoview.jobs.runner import Job, JobState
from pathoview.methods.library import new_model_path
from pathoview.methods.model import DataUsed, Model, ModelCard, ModelClass, write_model
from pathoview.session import orders
from pathoview.session.commands import command, run_command
from pathoview.session.endings import ending
from pathoview.session.session import Session
from pathoview.session.settings import Settings
from pathoview.session.slide_learning import SlideLearning
from pathoview.session.slide_plan import SlideMore, SlidePlan
from pathoview.session.teach_desk import TeachDesk
from pathoview.session.tile_place import TilePlace
from pathoview.study import writer
from pathoview.study.slide_labels import parse_label
from pathoview.tasks.bag_labels import BagSource, said_of_slides
from pathoview.tasks.features import FeatureOrder
from pathoview.tasks.train import TrainRequest

NAMES = ("a", "b", "c", "d")
PLAN = SlidePlan("attention_mil", ("Benign", "Tumor"), n_folds=2, params={"n_steps": 7})


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_slides(tmp_path_factory.mktemp("originals"), *NAMES)


@pytest.fixture
def learning(session: Session, loop: Loop, originals: Path, tmp_path: Path) -> SlideLearning:
    """A study with two slides of each of two classes."""
    folder = Path(shutil.copytree(originals, tmp_path / "slides"))
    session.study_files.create(tmp_path / "trial.pathoview")
    session.slides.search.add([folder])
    loop.run_until(lambda: len(session.slides.rows) == len(NAMES))
    for number, row in enumerate(session.slides.rows):
        label = parse_label("Tumor" if number % 2 else "Benign")
        session.slides.editing.label([row.slide_hash], label)
    return session.models.learning


def begun(learning: SlideLearning, loop: Loop, plan: SlidePlan = PLAN) -> Job:
    learning.start(plan)
    loop.run_until(lambda: learning.job is not None and not learning.job.is_over)
    assert learning.job is not None
    return learning.job


def test_the_order_is_what_was_planned_and_can_be_read(
    learning: SlideLearning, session: Session, loop: Loop
) -> None:
    job = begun(learning, loop)
    order = TrainRequest.model_validate(job.request.payload)
    assert (job.request.task, job.request.lane) == (orders.TRAIN, "learn")
    assert order.classes == ["Benign", "Tumor"]
    assert order.params["n_steps"] == 7
    assert (order.bags.n_folds, order.bags.grade) == (2, "")
    described = order.bags.features
    assert (described.source, described.mpp, described.tile_px) == ("bundled", (0.5,), 224)
    said = said_of_slides(BagSource(study=order.study, classes=tuple(order.classes or ())))
    assert [one.labels for one in said.slides].count(("Tumor",)) == 2
    assert learning.problem(PLAN) == ""
    learning.start(PLAN)
    assert learning.job is job


def test_what_cannot_be_learned_is_said_before(learning: SlideLearning, ears: Ears) -> None:
    learning.start(SlidePlan("attention_mil", ("Tumor",)))
    assert "only “Tumor”" in ears.notices[-1].text
    many = SlidePlan("clam", PLAN.classes, n_folds=5)
    assert "4 patients cannot be shared out to 5 folds." in learning.problem(many)
    for encoder, weights, source in (
        ("uni", "", ""),
        ("uni", "w.bin", "w.bin"),
        ("resnet18", "", "hub"),
        ("tf_efficientnet_lite0", "", "bundled"),
    ):
        plan = replace(PLAN, encoder=encoder, weights=weights)
        assert learning.source(plan) == source
        assert bool(learning.problem(plan)) == (not source)
    assert learning.job is None


def test_what_is_said_besides_is_ordered_and_remembered(
    learning: SlideLearning, session: Session, loop: Loop
) -> None:
    more = SlideMore(
        threshold="sensitivity",
        normalisation="macenko",
        least_tissue=0.5,
        seed=7,
        n_permutations=20,
        licence="CC0",
    )
    plan = replace(PLAN, mpp=(0.5, 1.0, 4.0), tile_px=64, more=more, begins_anew=True)
    order = TrainRequest.model_validate(begun(learning, loop, plan).request.payload)
    described = order.bags.features
    assert (described.mpp, described.tile_px) == ((0.5, 1.0, 4.0), 64)
    assert (described.normalisation, described.least_tissue) == ("macenko", 0.5)
    assert (order.bags.threshold, order.bags.hold_out) == ("sensitivity", "patients")
    assert order.bags.n_permutations == 20
    assert learning.phases == ["features", "folds", "model", "shuffled"]
    assert learning.job is not None
    learning.job.event.emit("shuffled", {"n": 0, "n_all": 20})
    assert learning.phase == "shuffled"
    assert (order.seed, order.licence, order.start, order.resume) == (7, "CC0", "", False)
    kept = Settings.model_validate_json(session.settings.model_dump_json()).slide_training
    assert (kept.method, kept.encoder) == (PLAN.method, PLAN.encoder)
    assert (kept.mpp, kept.tile_px) == ([0.5, 1.0, 4.0], 64)
    assert SlideMore.parse(kept.more) == more


def test_names_of_what_is_said_are_those_of_the_training() -> None:
    rows = {one.name: one.choices for one in form_rows(SlideMore)}
    assert rows["threshold"] == get_args(ThresholdRule)
    (colours,) = [one for one in form_rows(FeatureOrder) if one.name == "normalisation"]
    assert rows["normalisation"] == colours.choices


def test_sites_are_held_out_where_there_are_three(
    learning: SlideLearning, session: Session
) -> None:
    plan = replace(PLAN, more=SlideMore(hold_out="sites"))
    assert "fewer than three sites" in learning.problem(plan)
    keys = [row.slide_hash for row in session.slides.rows]
    for key, site in zip(keys, "AABB", strict=True):
        session.slides.editing.edit([key], "Site", site_id=site)
    assert "Say of which site slides are" in learning.problem(plan)
    session.slides.editing.edit(keys[2:3], "Site", site_id="C")
    assert learning.problem(plan) == ""
    session.slides.editing.label(keys[1:2], parse_label("Benign"))
    session.slides.editing.unlabel(keys[1:2], parse_label("Tumor"))
    session.slides.editing.label(keys[2:3], parse_label("Tumor"))
    session.slides.editing.unlabel(keys[2:3], parse_label("Benign"))
    session.slides.editing.edit(keys[2:], "Site", site_id="B")
    session.slides.editing.edit(keys[1:2], "Site", site_id="C")
    assert "a class would be missing" in learning.problem(plan)  # all tumours are of site B


def test_tiles_that_cannot_be_had_are_told_before(
    learning: SlideLearning, session: Session
) -> None:
    assert "80 µm per px is too coarse" in learning.problem(replace(PLAN, mpp=(10.0, 80.0)))
    key = session.slides.rows[0].slide_hash
    session.slides.editing.set_stain([key], "PAS")
    alike = replace(PLAN, more=SlideMore(normalisation="reinhard"))
    assert "is stained with PAS" in learning.problem(alike)
    assert learning.problem(PLAN) == ""
    session.slides.editing.set_stain([key], "H&E")
    assert learning.problem(alike) == ""


def test_what_cannot_be_gone_on_from_is_told_before(
    learning: SlideLearning, session: Session, loop: Loop
) -> None:
    card = ModelCard(
        title="Ours",
        method=PLAN.method,
        kind="bag",
        mpp=0.5,
        classes=tuple(ModelClass(name=name, color=(0, 0, 0)) for name in PLAN.classes),
        settings={"encoder": {"name": PLAN.encoder, "mpp": [0.5]}},
    )
    key = session.slides.rows[0].slide_hash
    seen = DataUsed(name="S-1", slide_hash=key, split="train", n_labels=1, licence="")
    cards = {
        "": card,
        "tells other classes apart": replaced(card, classes=card.classes[::-1]),
        "another encoder, or by other": replaced(card, settings={"encoder": {"name": "uni"}}),
        "has learned from some of these": replaced(card, data=(seen,)),
    }
    paths = {}
    for problem, one in cards.items():
        paths[problem] = new_model_path(one.title)
        write_model(paths[problem], Model(one, {}))
    session.models.refresh()
    loop.run_until(lambda: len(session.models.models) >= len(cards))
    names = learning.beginnings(PLAN.method)
    assert next(iter(names)) == ""
    assert {str(path) for path in paths.values()} <= set(names)
    assert not {str(path) for path in paths.values()} & set(learning.beginnings("clam"))
    for problem, path in paths.items():
        told = learning.problem(replace(PLAN, start=str(path)))
        assert problem in told
        assert bool(problem) == bool(told)


def replaced(card: ModelCard, **members: object) -> ModelCard:
    return card.model_copy(update=members)


def test_curves_are_kept_of_each_fold_and_the_newest_is_followed(
    learning: SlideLearning, loop: Loop
) -> None:
    job = begun(learning, loop)
    phases = [learning.phase]
    job.event.emit("started", {"n_labels": 4})
    for fold in (1, 2):
        phases.append(learning.phase)
        job.event.emit("curve", {"step": 1, "loss": 0.5 / fold, "stage": f"Fold {fold} of 2"})
        job.event.emit("fold", {"fold": fold, "n_folds": 2})
    assert [*phases, learning.phase] == ["features", "folds", "folds", "model"]
    assert learning.phases == ["features", "folds", "model"]
    assert learning.curve == [{"step": 1, "loss": 0.25}]
    learning.show_fold("Fold 1 of 2")
    job.event.emit("curve", {"step": 1, "loss": 0.1})
    assert learning.curve == [{"step": 1, "loss": 0.5}]
    assert len(learning.folds) == 3
    learning.show_fold(learning.folds[-1])
    assert learning.curve == [{"step": 1, "loss": 0.1}]


def test_rounds_are_kept_of_each_fold_and_forgotten_when_it_begins_anew(
    learning: SlideLearning, loop: Loop
) -> None:
    job = begun(learning, loop)
    tile = {"slide_hash": "h", "name": "S-1", "label": "Tumor", "score": 0.9}
    for fold in (1, 2):
        stage = {"stage": f"Fold {fold} of 2"}
        job.event.emit("curve", {"step": 1, "loss": 0.5, "replaced": 0.25, **stage})
        for number in (2, 3):
            tiles = [
                {**tile, "is_looked_for": has_it, "rect_l0": [8 * number, 0, 8, 4]}
                for has_it in (True, False)
            ]
            said = {"round": number, "n_rounds": 3, "replaced": None, "tiles": tiles}
            job.event.emit("round", said | stage)
    assert [one.round for one in learning.rounds] == [2, 3]
    (kept,) = learning.rounds[-1].side(True)
    assert kept.place == TilePlace("h", Rect(24, 0, 8, 4))
    learning.show_fold("Fold 1 of 2")
    assert len(learning.rounds) == 2
    end(job, JobState.CANCELLED)
    begun(learning, loop)
    assert not learning.rounds


def test_a_model_came_of_it_and_is_not_a_round_of_teaching(
    learning: SlideLearning, session: Session, loop: Loop, runner: FakeRunner
) -> None:
    job = begun(learning, loop)
    study = session.studies.study
    assert study is not None
    path = new_model_path("Tumor")
    card = ModelCard(
        title="Tumor", method="attention_mil", kind="bag", mpp=0.5, study_id=study.info.id
    )
    write_model(path, Model(card, {}))
    left_out = [{"slide": "S-1", "reason": "No tissue was found in it."}]
    result = {"model": str(path), "summary": "Done.", "left_out": left_out}
    end(job, JobState.DONE, result)
    assert learning.model is not None
    assert learning.model.path == path
    assert learning.left_out == ["S-1 was left out. No tissue was found in it."]
    told = ending(job, None)
    assert told.action is not None
    assert command(told.action[1]).title == "Train on slide labels…"
    assert learning.apply_to_all() == len(NAMES)
    used = [one.request for one in runner.taken if one.request.task == orders.PREDICT]
    assert {one.payload["model"] for one in used} == {str(path)}
    teaching: TeachDesk = session.teaching
    teaching.read_rounds()
    loop.run_until(lambda: path in [one.path for one in teaching._models])
    assert teaching.rounds == []


def test_a_stopped_training_is_begun_again_from_its_notice(
    learning: SlideLearning, session: Session, loop: Loop
) -> None:
    job = begun(learning, loop)
    end(job, JobState.CANCELLED)
    told = ending(job, None)
    assert told.action is not None
    run_command(session, told.action[1], told.argument)
    loop.run_until(lambda: learning.job is not job)
    assert learning.job is not None
    assert learning.job.request.payload["bags"] == job.request.payload["bags"]


def test_labels_the_disk_refuses_are_learned_from_all_the_same(
    learning: SlideLearning,
    session: Session,
    loop: Loop,
    ears: Ears,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    study = session.studies.study
    assert study is not None
    assert study.writer.flush(10)

    def refuse(*_told: object) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    with monkeypatch.context() as patched:
        patched.setattr(writer, "transaction", refuse)
        patched.setattr("pathoview.session.teach_snapshot._FLUSH_S", 0.3)
        key = session.slides.rows[0].slide_hash
        session.slides.editing.label([key], parse_label("grade:ISUP=2"))
        job = begun(learning, loop)
    copy = str(job.request.payload["study"])
    assert copy != str(study.path)
    assert any("The disk refuses" in one.text for one in ears.notices)
    graded = said_of_slides(BagSource(study=copy, grade="ISUP"))
    assert [one.labels for one in graded.slides] == [("ISUP 2",)]
    assert study.writer.flush(10)
