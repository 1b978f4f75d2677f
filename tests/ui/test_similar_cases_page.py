"""Cases like the open slide, as a person looks for them and goes through them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from bag_runs import bag_run
from case_methods import SPEC, describe, flat, known_cases
from inline_jobs import InlineRunner
from makers import make_plain
from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from pathoview.core.statement import EVIDENCE_ONLY
from pathoview.jobs.runner import Job, JobState
from pathoview.methods.library import models_folder
from pathoview.session import orders
from pathoview.session.session import Session
from pathoview.session.settings import Settings
from pathoview.session.slide_editing import parse_label
from pathoview.slides.opening import open_slide
from pathoview.ui.bridge import Bridge
from pathoview.ui.main_window import MainWindow
from pathoview.ui.panels.case_gallery import CaseGallery, fitted
from pathoview.ui.panels.case_similar_page import CaseSimilarPage

LEFT = Qt.MouseButton.LeftButton
REDS = {"query": 100, "near": 104, "middle": 112, "far": 200}
STATES = {"near": "Malignant", "middle": "Malignant", "far": "Normal"}
CASES_TAB = 4


@pytest.fixture
def runner(bridge: Bridge) -> InlineRunner:
    return InlineRunner(bridge.post, {orders.CASES})


@pytest.fixture
def session(bridge: Bridge, runner: InlineRunner) -> Iterator[Session]:
    session = Session(bridge.post, Settings(cache_bytes=128 * 2**20), runner)
    yield session
    session.close()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Pictures of different reds, all described; one of them is predicted by a model."""
    known_cases(monkeypatch, models_folder())
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number, (name, red) in enumerate(REDS.items()):
        describe(make_plain(folder / f"{name}.png", flat(red, number)))
    predict(folder / "query.png")
    return folder


def predict(path: Path, method: str = SPEC.name) -> None:
    with open_slide(path) as slide:
        bag_run(slide, np.ones((3, 7)), method=method, model="ca" * 16)


@pytest.fixture
def page(
    window: MainWindow, session: Session, qtbot: QtBot, folder: Path, tmp_path: Path
) -> CaseSimilarPage:
    """The page, with the query open in a study of labelled slides."""
    session.study_files.create(tmp_path / "s.pathoview")
    add(session, qtbot, folder, len(REDS))
    for row in session.slides.rows:
        if row.name[:-4] in STATES:
            session.slides.editing.label([row.slide_hash], parse_label(STATES[row.name[:-4]]))
    show(session, qtbot, folder / "query.png")
    window.docks.bring_front("tiles")
    window.tiles.tabs.setCurrentIndex(CASES_TAB)
    return window.tiles.cases


def add(session: Session, qtbot: QtBot, path: Path, n: int) -> None:
    session.slides.search.add([path])
    qtbot.waitUntil(lambda: len(session.slides.rows) == n)
    study = session.studies.study
    assert study is not None
    assert study.writer.flush(5.0)


def show(session: Session, qtbot: QtBot, path: Path) -> None:
    session.open(path)
    qtbot.waitUntil(lambda: session.path == path)
    qtbot.waitUntil(lambda: session.review.tiles.run is not None)
    study = session.studies.study
    assert study is not None
    assert study.writer.flush(5.0)


def search(page: CaseSimilarPage, qtbot: QtBot, session: Session) -> None:
    QTest.mouseClick(page.search, LEFT)
    qtbot.waitUntil(lambda: not session.review.cases.is_busy)


def click(gallery: CaseGallery, row: int) -> None:
    place = gallery.visualItemRect(gallery.item(row)).center()
    QTest.mouseClick(gallery.viewport(), LEFT, pos=place)


def listed(gallery: CaseGallery) -> list[str]:
    return [one.words for one in gallery.entries]


def test_a_click_finds_cases_and_a_click_on_one_opens_it(
    page: CaseSimilarPage, session: Session, qtbot: QtBot, folder: Path
) -> None:
    assert page.search.isEnabled()
    search(page, qtbot, session)
    assert listed(page.gallery) == [
        "near.png, similarity 0.800, Malignant",
        "middle.png, similarity 0.300, Malignant",
        "far.png, similarity 0.000, Normal",
    ]
    assert page.count.text() == "Of 3: 2 Malignant, 1 Normal"
    assert page.gallery.entries[0].color == (200, 0, 0)
    assert "3 cases compared." in page.facts.text()
    assert "Nobody says of which patient" in page.facts.text()
    assert "75% (95 %: 60%–90%) of the first cases" in page.facts.text()
    assert EVIDENCE_ONLY in [one.text() for one in page.findChildren(QLabel) if one.isVisible()]
    assert not page.origin.isVisible()
    assert not page.describe.isVisible()
    click(page.gallery, 1)
    qtbot.waitUntil(lambda: session.path == folder / "middle.png")
    assert page.gallery.currentRow() == 1
    assert len(page.gallery.entries) == 3
    assert page.origin.text() == "Back to query.png"
    assert not page.search.isVisible()
    QTest.mouseClick(page.origin, LEFT)
    qtbot.waitUntil(lambda: session.path == folder / "query.png")
    qtbot.waitUntil(page.search.isVisible)


def test_arrows_walk_over_cases_and_return_opens_one(
    page: CaseSimilarPage, session: Session, qtbot: QtBot, folder: Path
) -> None:
    search(page, qtbot, session)
    told: list[object] = []
    page.gallery.chosen.connect(told.append)
    page.gallery.setFocus()
    QTest.keyClick(page.gallery, Qt.Key.Key_Right)
    QTest.keyClick(page.gallery, Qt.Key.Key_Right)
    row = page.gallery.currentRow()
    assert row >= 0
    assert told == []
    QTest.keyClick(page.gallery, Qt.Key.Key_Return)
    assert told == [page.gallery.entries[row]]
    name = page.gallery.entries[row].words.partition(",")[0]
    qtbot.waitUntil(lambda: session.path == folder / name)


def test_pictures_are_of_whole_slides(
    page: CaseSimilarPage, session: Session, qtbot: QtBot
) -> None:
    search(page, qtbot, session)
    row = session.slides.row(page.gallery.entries[0].slide_hash)
    assert row is not None
    qtbot.waitUntil(lambda: page.pictures.of(row) is not None)
    shown = page.gallery.viewport().grab().toImage()
    middle = page.gallery.visualItemRect(page.gallery.item(0)).center()
    color = shown.pixelColor(middle.x(), middle.y() - 20)
    assert (color.red(), color.green(), color.blue()) == pytest.approx((104, 100, 160), abs=2)


def test_slides_that_were_never_described_are_described_when_one_asks(
    page: CaseSimilarPage, session: Session, qtbot: QtBot, folder: Path
) -> None:
    new = make_plain(folder / "new.png", flat(101, 9))
    add(session, qtbot, new, len(REDS) + 1)
    in_the_strip: list[Job] = []
    session.job_changed.connect(in_the_strip.append)
    search(page, qtbot, session)
    assert in_the_strip == []
    assert len(page.gallery.entries) == 3
    assert page.describe.text() == "Describe 1 more slide"
    QTest.mouseClick(page.describe, LEFT)
    qtbot.waitUntil(lambda: not session.review.cases.is_busy)
    assert listed(page.gallery)[0].startswith("new.png")
    assert not page.describe.isVisible()
    assert [job.request.lane for job in session.jobs] == ["io", "compute"]
    assert in_the_strip[-1] is session.jobs[-1]


def test_what_is_missing_is_said(
    page: CaseSimilarPage,
    session: Session,
    qtbot: QtBot,
    folder: Path,
    runner: InlineRunner,
    tmp_path: Path,
) -> None:
    predict(folder / "far.png", "attention_mil")
    show(session, qtbot, folder / "far.png")
    assert "Apply a model of “Pictures by the sum" in page.hint.text()
    assert page.hint.isVisible()
    assert not page.search.isEnabled()
    show(session, qtbot, folder / "query.png")
    search(page, qtbot, session)
    for model in models_folder().glob("colour*"):
        model.unlink()
    search(page, qtbot, session)
    assert runner.taken[-1].state is JobState.FAILED
    assert page.facts.text().startswith("There is no model")
    assert not page.gallery.isVisible()
    session.study_files.create(tmp_path / "other.pathoview")
    qtbot.waitUntil(lambda: not page.facts.isVisible())


def test_a_blinded_study_names_no_file(
    page: CaseSimilarPage, session: Session, qtbot: QtBot
) -> None:
    session.slides.set_blinded(on=True)
    search(page, qtbot, session)
    assert not session.jobs[-1].request.payload["names"]
    assert all(words.startswith("slide-") for words in listed(page.gallery))


def test_a_picture_keeps_its_shape_in_its_box() -> None:
    box = QRect(10, 20, 128, 100)
    wide, high = (fitted(size, box) for size in (QSize(200, 100), QSize(50, 200)))
    assert (wide.width(), wide.height(), wide.center()) == (128, 64, box.center())
    assert (high.width(), high.height()) == (25, 100)
