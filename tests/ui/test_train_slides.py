"""From labels of slides to a model and its results, in the window."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from inline_jobs import InlineRunner
from labelled_slides import described
from makers import make_slides
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QFileDialog
from pytestqt.qtbot import QtBot

from pathoview.core.paths import cache_folder
from pathoview.evaluation.slides import scores_with_intervals
from pathoview.jobs.runner import Job, JobState
from pathoview.methods.engine import bag_baselines
from pathoview.session import orders
from pathoview.session.session import Session
from pathoview.session.settings import Settings
from pathoview.session.slide_editing import parse_label
from pathoview.tasks import bag_data
from pathoview.ui.bridge import Bridge
from pathoview.ui.dialogs.held_out import HeldOutDialog, HeldOutResult
from pathoview.ui.dialogs.models import ModelsDialog
from pathoview.ui.dialogs.slide_record import SlideRecordDialog
from pathoview.ui.dialogs.train_slides import TrainSlidesDialog
from pathoview.ui.main_window import MainWindow

LEFT, CTRL = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ControlModifier
NAMES = [f"{kind}-{number}.svs" for kind in ("Normal", "Tumor") for number in range(4)]
QUICK = {"n_steps": 6, "batch": 4, "width": 8, "lr": 0.02}
_PATIENCE_MS = 60_000


@pytest.fixture
def runner(bridge: Bridge, monkeypatch: pytest.MonkeyPatch) -> InlineRunner:
    """Trains with features that are there at once, and tells results; nothing else is done."""
    monkeypatch.setattr(bag_data, "described", described)
    few_steps = bag_baselines.MAX_PARAMS.model_copy(update={"n_steps": 3})
    monkeypatch.setattr(bag_baselines, "MAX_PARAMS", few_steps)
    few_draws = partial(scores_with_intervals, n_draws=50)
    monkeypatch.setattr("pathoview.tasks.train_bags.scores_with_intervals", few_draws)
    return InlineRunner(bridge.post, {orders.TRAIN, orders.HELD_OUT})


@pytest.fixture
def session(bridge: Bridge, runner: InlineRunner) -> Iterator[Session]:
    settings = Settings(cache_bytes=128 * 2**20, teach_params={"attention_mil": QUICK})
    session = Session(bridge.post, settings, runner)
    yield session
    session.close()


@pytest.fixture
def study(qtbot: QtBot, window: MainWindow, session: Session, tmp_path: Path) -> Path:
    """Eight slides without labels, none open."""
    (tmp_path / "slides").mkdir()
    make_slides(tmp_path / "slides", *(name.removesuffix(".svs") for name in NAMES))
    path = tmp_path / "trial.pathoview"
    session.study_files.create(path)
    session.slides.search.add([tmp_path / "slides"])
    qtbot.waitUntil(lambda: len(session.slides.rows) == len(NAMES))
    return path


def choose(window: MainWindow, *names: str) -> None:
    """Click slides in the list, together."""
    rows = window.slides.list
    for number, name in enumerate(names):
        model = rows.model()
        titles = [model.index(place, 0).data() for place in range(model.rowCount())]
        index = model.index(titles.index(name), 0)
        rows.scrollTo(index)
        keys = CTRL if number else Qt.KeyboardModifier.NoModifier
        QTest.mouseClick(rows.viewport(), LEFT, keys, rows.visualRect(index).center())


def label_chosen(window: MainWindow, name: str) -> None:
    """Give the chosen slides a label by their menu."""
    menu = window.slides.menu
    menu.fill(window.slides.list.chosen)
    next(one for one in menu.menu.actions() if one.text().startswith("Describe")).trigger()
    dialog = window.findChildren(SlideRecordDialog)[-1]
    dialog.labels.name.setCurrentText(name)
    QTest.mouseClick(dialog.labels.add, LEFT)
    QTest.mouseClick(dialog.accept_button, LEFT)


def label_all(session: Session) -> None:
    for row in session.slides.rows:
        label = parse_label(row.name.partition("-")[0])
        session.slides.editing.label([row.slide_hash], label)


def opened(qtbot: QtBot, window: MainWindow) -> TrainSlidesDialog:
    """Press the button below the list."""
    QTest.mouseClick(window.slides.train, LEFT)
    (dialog,) = [one for one in window.findChildren(TrainSlidesDialog) if one.isVisible()]
    qtbot.waitExposed(dialog)
    return dialog


def trained(qtbot: QtBot, window: MainWindow, session: Session) -> Job:
    """Train in the dialog until its results are shown."""
    dialog = opened(qtbot, window)
    dialog.question.folds.setValue(2)
    QTest.mouseClick(dialog.start, LEFT)
    learning = session.models.learning
    qtbot.waitUntil(lambda: learning.model is not None, timeout=_PATIENCE_MS)
    assert learning.job is not None
    return learning.job


def results(qtbot: QtBot, window: MainWindow) -> tuple[HeldOutDialog, HeldOutResult]:
    dialog = window.findChildren(HeldOutDialog)[-1]
    qtbot.waitUntil(lambda: dialog.found is not None, timeout=_PATIENCE_MS)
    assert dialog.found is not None
    return dialog, dialog.found


def click_cell(result: HeldOutResult, line: int, column: int) -> None:
    matrix = result.matrix
    item = matrix.item(line, column)
    assert item is not None
    place = matrix.visualItemRect(item).center()
    QTest.mouseClick(matrix.viewport(), LEFT, pos=place)


def test_labels_are_given_to_several_slides_and_what_is_missing_is_said(
    qtbot: QtBot, window: MainWindow, session: Session, study: Path
) -> None:
    choose(window, *NAMES[4:7])
    label_chosen(window, "Tumor")
    dialog = opened(qtbot, window)
    assert not dialog.start.isEnabled()
    assert "There is only “Tumor”" in dialog.problem.text()
    choose(window, *NAMES[:4])
    label_chosen(window, "Normal")
    question = dialog.question
    qtbot.waitUntil(lambda: question.words.text() == "4 Normal, 3 Tumor, from 7 patients")
    assert dialog.start.isEnabled()
    assert question.rest.text() == "1 slide has no label."
    assert "2 more patients with Tumor would allow 5 folds." in question.advice.text()
    assert question.looked_for.currentText() == "Tumor"
    assert "Apache-2.0" in question.licence.text()
    assert question.folds.value() == 3
    question.looked_for.setCurrentText("Normal")
    assert question.plan.classes == ("Tumor", "Normal")
    QTest.keyClick(question.classes["Normal"], Qt.Key.Key_Space)
    assert not dialog.start.isEnabled()
    question.encoder.setCurrentIndex(question.encoder.findData("uni"))
    QTest.keyClick(question.classes["Normal"], Qt.Key.Key_Space)
    assert "file of the encoder’s weights" in dialog.problem.text()
    assert not question.tile.isEnabled()


def test_what_is_seldom_said_is_folded_away_and_remembered(
    qtbot: QtBot, window: MainWindow, session: Session, study: Path, runner: InlineRunner
) -> None:
    label_all(session)
    dialog = opened(qtbot, window)
    more = dialog.question.more
    assert not more.body.isVisible()
    QTest.mouseClick(more.toggle, LEFT)
    assert more.body.isVisible()
    assert more.coarser[4].text() == "5.00× (2 µm per px)"
    QTest.keyClick(more.coarser[4], Qt.Key.Key_Space)
    held_out = more.form.editor("hold_out")
    assert isinstance(held_out, QComboBox)
    QTest.keyClick(held_out, Qt.Key.Key_Down)
    assert held_out.currentText() == "all slides of a site"
    assert "fewer than three sites" in dialog.problem.text()
    assert not dialog.start.isEnabled()
    assert not dialog.question.folds.isEnabled()
    for number, row in enumerate(session.slides.rows[:-1]):
        session.slides.editing.edit([row.slide_hash], "Site", site_id="ABC"[number % 3])
    qtbot.waitUntil(dialog.start.isEnabled)
    assert "A 3, B 2, C 2" in more.sites.text()
    assert "1 slide without a site" in more.sites.text()
    assert more.form.editor("threshold").isEnabled()
    runner.hold(orders.TRAIN)
    QTest.mouseClick(dialog.start, LEFT)
    learning = session.models.learning
    qtbot.waitUntil(lambda: learning.job is not None)
    assert learning.job is not None
    bags = learning.job.request.payload["bags"]
    assert (bags["hold_out"], bags["features"]["mpp"]) == ("sites", [0.5, 2.0])
    learning.stop()
    dialog.close()
    dialog = opened(qtbot, window)
    QTest.mouseClick(dialog.anew, LEFT)
    assert dialog.question.more.body.isVisible()
    assert dialog.question.plan.more.hold_out == "sites"
    assert dialog.question.plan.mpp == (0.5, 2.0)


def test_it_learns_shows_curves_and_results_opens_slides_and_is_used(
    qtbot: QtBot, window: MainWindow, session: Session, study: Path, runner: InlineRunner
) -> None:
    label_all(session)
    dialog = opened(qtbot, window)
    dialog.question.folds.setValue(2)
    QTest.mouseClick(dialog.start, LEFT)
    learning = session.models.learning
    qtbot.waitUntil(lambda: learning.model is not None, timeout=_PATIENCE_MS)
    assert learning.folds == ["Fold 1 of 2", "Fold 2 of 2", "Model of all slides"]
    assert learning.job is not None
    assert learning.job.request.lane == "learn"
    assert dialog.training.fold.currentText() == "Model of all slides"
    assert dialog.training.course.curves.isVisible()
    look_through(qtbot, session, results(qtbot, window)[1])
    window.findChildren(HeldOutDialog)[-1].close()

    qtbot.waitUntil(dialog.apply.isEnabled)
    QTest.mouseClick(dialog.apply, LEFT)
    QTest.mouseClick(dialog.apply_all, LEFT)
    used = [job.request for job in runner.taken if job.request.task == orders.PREDICT]
    assert len(used) == 1 + len(NAMES)
    assert learning.model is not None
    assert {one.payload["model"] for one in used} == {str(learning.model.path)}
    runner.close()


def look_through(qtbot: QtBot, session: Session, result: HeldOutResult) -> None:
    """Click a cell, the name of a row, and a slide of it."""
    assert "(out of fold)" in result.page.meaning
    assert [len(plot.lines) for plot in result.plots] == [3, 3, 1]
    assert result.page.n == len(NAMES)
    counts = result.page.confusion.matrix
    line, column = next((r, c) for r in (0, 1) for c in (0, 1) if counts[r][c])
    click_cell(result, line, column)
    assert result.list.count() == counts[line][column]
    header = result.matrix.verticalHeader()
    place = QPoint(4, header.sectionPosition(1) + 4)
    QTest.mouseClick(header.viewport(), LEFT, pos=place)
    assert result.list.count() == 4
    place = result.list.visualItemRect(result.list.item(1)).center()
    QTest.mouseClick(result.list.viewport(), LEFT, pos=place)
    qtbot.waitUntil(lambda: session.slide is not None)
    assert session.slide is not None
    assert session.slide.path.name.startswith("Tumor")
    assert result.list.item(1).text().startswith(session.slide.path.name)


def test_results_are_shown_and_saved_later_from_the_library(
    qtbot: QtBot, window: MainWindow, session: Session, study: Path, tmp_path: Path
) -> None:
    label_all(session)
    trained(qtbot, window, session)
    for one in (*window.findChildren(HeldOutDialog), *window.findChildren(TrainSlidesDialog)):
        one.close()
    window.actions_by_id["models.show"].trigger()
    (dialog,) = window.findChildren(ModelsDialog)
    model = session.models.learning.model
    assert model is not None
    qtbot.waitUntil(lambda: session.models.find(model.card.id) is not None)
    ids = [
        dialog.list.item(place).data(Qt.ItemDataRole.UserRole)
        for place in range(dialog.list.count())
    ]
    others = [place for place, one in enumerate(ids) if one != model.card.id]
    dialog.list.setCurrentRow(others[0])
    assert not dialog.results.isVisible()
    dialog.list.setCurrentRow(ids.index(model.card.id))
    QTest.mouseClick(dialog.results, LEFT)
    told, result = results(qtbot, window)
    assert result.page.title == model.card.title
    QTest.mouseClick(told.save, LEFT)
    (files,) = told.findChildren(QFileDialog)
    files.fileSelected.emit(str(tmp_path / "report.html"))
    files.close()
    qtbot.waitUntil(lambda: (tmp_path / "report.html").exists())
    assert "research use only" in (tmp_path / "report.html").read_text("utf-8")
    told.close()
    assert list(cache_folder().glob("held-out-*")) == []
    assert session.teaching.rounds == []


def test_a_stopped_training_goes_on_when_the_dialog_was_closed(
    qtbot: QtBot, window: MainWindow, session: Session, study: Path, runner: InlineRunner
) -> None:
    label_all(session)
    dialog = opened(qtbot, window)
    runner.hold(orders.TRAIN)
    QTest.mouseClick(dialog.start, LEFT)
    learning = session.models.learning
    qtbot.waitUntil(lambda: learning.job is not None)
    dialog.close()
    assert learning.is_training
    dialog = opened(qtbot, window)
    assert dialog.training.isVisible()
    assert not dialog.start.isVisible()
    QTest.mouseClick(dialog.training.course.stop, LEFT)
    assert learning.job is not None
    assert learning.job.state is JobState.CANCELLED
    QTest.mouseClick(dialog.anew, LEFT)
    assert dialog.start.isVisible()


def test_the_tiles_that_are_kept_are_seen_while_it_learns_and_gone_to(
    qtbot: QtBot, window: MainWindow, session: Session, study: Path, runner: InlineRunner
) -> None:
    label_all(session)
    dialog = opened(qtbot, window)
    runner.hold(orders.TRAIN)
    QTest.mouseClick(dialog.start, LEFT)
    learning = session.models.learning
    qtbot.waitUntil(lambda: learning.job is not None)
    assert learning.job is not None
    kept = dialog.training.kept
    assert not kept.isVisible()
    rows = session.slides.rows
    for number, replaced in ((2, None), (3, 0.5), (4, 0.125)):
        tiles = [
            {
                **{"slide_hash": row.slide_hash, "name": row.record.pseudonym, "score": 0.875},
                **{"label": row.name[:5], "is_looked_for": row.name.startswith("Tumor")},
                "rect_l0": [16 * number, 0, 16, 16],
            }
            for row in rows[2:6]
        ]
        stage = {"stage": "Fold 1 of 3"}
        learning.job.event.emit("curve", {"step": number, "loss": 0.5, **stage})
        said = {"round": number, "n_rounds": 9, "replaced": replaced, "tiles": tiles}
        learning.job.event.emit("round", said | stage)
    assert kept.isVisible()
    assert kept.facts.text() == "Round 4 of 9 · replaced since the last round: 12%"
    assert kept.shares.isVisible()
    assert kept.titles[True].text() == "Kept of slides with “Tumor”"
    of_tumor, of_normal = kept.galleries[True], kept.galleries[False]
    assert [len(one.entries) for one in (of_tumor, of_normal)] == [2, 2]
    assert of_tumor.entries[0].caption == f"0.88\n{rows[4].record.pseudonym}"
    pictures = window.tiles.pictures
    qtbot.waitUntil(lambda: pictures.of(of_normal.entries[1].place) is not None)
    place = of_tumor.visualItemRect(of_tumor.item(1)).center()
    QTest.mouseClick(of_tumor.viewport(), LEFT, pos=place)
    qtbot.waitUntil(lambda: session.slide is not None)
    assert session.slide is not None
    assert session.slide.content_hash == rows[5].slide_hash
    qtbot.waitUntil(lambda: session.viewport.center_l0 == (72, 8))
    learning.stop()
