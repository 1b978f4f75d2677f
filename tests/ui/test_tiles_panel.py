"""The review of a whole slide's tiles, as a person does it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bag_runs import SIDE_L0, bag_run
from hands import main_window, picture, settle
from makers import he_image, make_svs
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from pathoview.session.session import Session
from pathoview.session.similar_tiles import Similar, SimilarTile
from pathoview.session.tile_map import MapOfTiles, MappedSlide
from pathoview.slides.opening import open_slide
from pathoview.study.study_file import StudyFile
from pathoview.study.tile_verdicts import SlideVerdicts, TileVerdict
from pathoview.ui.main_window import MainWindow
from pathoview.ui.panels.tile_gallery import TileGallery
from pathoview.ui.panels.tile_review_page import TileReviewPage

WEIGHTS = np.arange(1, 97).reshape(8, 12)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A slide of 12 × 8 tiles with a run; the tile at the lower right counted most."""
    path = make_svs(tmp_path / "one.svs", he_image(768, 512))
    with open_slide(path) as slide:
        bag_run(slide, WEIGHTS)
    return path


@pytest.fixture
def page(window: MainWindow, session: Session, qtbot: QtBot, path: Path) -> TileReviewPage:
    session.settings.author = "Ada"
    assert session.studies.create(path.with_name("s.pathoview"))
    session.open(path)
    qtbot.waitUntil(lambda: session.review.tiles.run is not None)
    qtbot.waitUntil(lambda: session.studies.book is not None)
    qtbot.waitUntil(lambda: window.results.review_tiles.isVisible())
    window.results.review_tiles.click()
    assert window.docks.is_seen("tiles")
    return window.tiles.review


def session_command(window: MainWindow, command_id: str) -> None:
    window.actions_by_id[command_id].trigger()


def click_tile(gallery: TileGallery, row: int) -> None:
    place = gallery.visualItemRect(gallery.item(row)).center()
    QTest.mouseClick(gallery.viewport(), Qt.MouseButton.LeftButton, pos=place)


def kept(session: Session, path: Path) -> tuple[TileVerdict, ...]:
    """Return what is on disk in the study."""
    study, slide = session.studies.study, session.slide
    assert study is not None
    assert slide is not None
    assert study.writer.flush(5.0)
    with StudyFile.open(path.with_name("s.pathoview")) as file:
        record = file.record(SlideVerdicts, slide.content_hash)
    return () if record is None else record.verdicts


def captions(gallery: TileGallery) -> list[str]:
    return [one.caption for one in gallery.entries]


def test_a_tile_is_clicked_and_answered_and_the_answer_is_on_disk_until_it_is_undone(
    window: MainWindow, page: TileReviewPage, session: Session, qtbot: QtBot, path: Path
) -> None:
    assert captions(page.most)[:2] == ["1.98 ×", "1.96 ×"]
    assert captions(page.least)[0] == "0.02 ×"
    assert page.progress.text() == "0 of 24 looked at"
    click_tile(page.most, 1)
    assert session.review.tiles.chosen == 94
    assert session.viewport.center_l0 == (10.5 * SIDE_L0, 7.5 * SIDE_L0)
    assert page.question.text() == "Does this tile show “Tumor”?"
    QTest.keyClick(page.most, Qt.Key.Key_Y)
    qtbot.waitUntil(lambda: page.progress.text() == "1 of 24 looked at")
    (said,) = kept(session, path)
    assert (said.answer, said.class_name, said.author) == ("agree", "Tumor", "Ada")
    assert (said.x_l0, said.y_l0) == (10 * SIDE_L0, 7 * SIDE_L0)
    assert page.most.entries[1].mark == "agree"
    assert "Ada: agrees" in page.most.entries[1].words
    session.close_slide()
    session.open(path)
    qtbot.waitUntil(lambda: session.review.tiles.run is not None)
    qtbot.waitUntil(lambda: session.studies.book is not None)
    assert page.progress.text() == "1 of 24 looked at"
    session_command(window, "edit.undo")
    assert kept(session, path) == ()
    assert page.most.entries[1].mark == ""
    assert page.progress.text() == "0 of 24 looked at"


@pytest.mark.parametrize("where", ["gallery", "canvas"])
def test_every_answer_has_one_key_wherever_the_focus_is(
    window: MainWindow,
    page: TileReviewPage,
    session: Session,
    qtbot: QtBot,
    path: Path,
    where: str,
) -> None:
    click_tile(page.least, 0)
    focused: QWidget = page.least if where == "gallery" else window.canvas
    focused.setFocus()
    for key in (Qt.Key.Key_Delete, Qt.Key.Key_U, Qt.Key.Key_Y):
        QTest.keyClick(focused, key)
    assert [one.answer for one in kept(session, path)] == ["disagree", "unsure", "agree"]
    assert [one.mark for one in page.least.entries[:4]] == ["disagree", "unsure", "agree", ""]
    QTest.keyClick(focused, Qt.Key.Key_C)
    assert session.review.tiles.chosen == 4


def test_arrows_go_from_tile_to_tile_and_pages_are_turned(
    page: TileReviewPage, session: Session
) -> None:
    click_tile(page.most, 0)
    QTest.keyClick(page.most, Qt.Key.Key_Right)
    assert session.review.tiles.chosen == 94
    assert page.page.text() == "Page 1 of 4"
    page.next_page.click()
    assert page.page.text() == "Page 2 of 4"
    assert session.review.tiles.chosen == 94
    assert page.most.currentRow() == -1
    assert session.review.tiles.ends()[0][0] == 83


def test_pictures_are_of_the_tiles(
    window: MainWindow, page: TileReviewPage, session: Session, qtbot: QtBot
) -> None:
    pictures = window.tiles.pictures
    place = page.most.entries[0].place
    qtbot.waitUntil(lambda: pictures.of(place) is not None)
    shown = pictures.of(place)
    assert shown is not None
    assert shown.width() == shown.height() == 168
    image = shown.toImage()
    middle = image.pixelColor(84, 84)
    assert middle.lightness() < 245
    beyond = image.pixelColor(166, 84)  # the tile lies at the slide's edge: white beyond it
    assert (beyond.red(), beyond.green(), beyond.blue()) == (255, 255, 255)


def test_the_chosen_tile_is_outlined_on_the_canvas(
    window: MainWindow, page: TileReviewPage, session: Session, qtbot: QtBot
) -> None:
    review = session.review.tiles
    review.go_to(review.place(review.rect_l0(40)))
    session.viewport.set_turn(30, True)
    settle(qtbot, window.canvas, session)
    with_it = picture(window.canvas).astype(int)
    session.review.tiles.leave()
    settle(qtbot, window.canvas, session)
    changed = np.abs(with_it - picture(window.canvas).astype(int)).sum(axis=2) > 60
    rows, columns = np.nonzero(changed)
    x, y = session.viewport.to_view(4.5 * SIDE_L0, 3.5 * SIDE_L0)
    assert (columns.mean(), rows.mean()) == pytest.approx((x, y), abs=2)
    around = session.viewport.rect_to_view(session.review.tiles.rect_l0(40))
    assert np.ptp(columns) == pytest.approx(around.width, abs=8)


def show_tab(window: MainWindow, number: int) -> None:
    window.tiles.tabs.setCurrentIndex(number)


def test_similar_tiles_are_shown_with_pseudonym_and_gone_to(
    window: MainWindow, page: TileReviewPage, session: Session
) -> None:
    show_tab(window, 1)
    similar, shown = session.review.similar, window.tiles.similar
    assert not shown.search.isEnabled()
    click_tile(page.most, 0)
    assert shown.search.isEnabled()
    key = session.slide.content_hash if session.slide else ""
    facts: dict[str, Any] = {"slide_hash": key, "pseudonym": "slide-1"}
    facts |= {"width_l0": SIDE_L0, "height_l0": SIDE_L0, "n_columns": 12}
    found = (
        SimilarTile(x_l0=SIDE_L0, y_l0=0, similarity=0.987, **facts),
        SimilarTile(x_l0=0, y_l0=SIDE_L0, similarity=0.5, **facts),
    )
    similar.answer = Similar(n_slides=3, n_without=1, n_tiles=96, similar=found)
    similar.changed.emit()
    assert captions(shown.gallery) == ["0.987\nslide-1", "0.500\nslide-1"]
    assert "96 tiles on 3 slides" in shown.facts.text()
    assert "1 slide of the study is not described" in shown.facts.text()
    click_tile(shown.gallery, 1)
    assert session.review.tiles.chosen == 12
    assert shown.gallery.currentRow() == 1


def test_two_runs_are_compared_and_shown_beside_each_other(
    window: MainWindow, page: TileReviewPage, session: Session, qtbot: QtBot, path: Path
) -> None:
    shown = window.tiles.compare
    show_tab(window, 2)
    assert shown.empty.isVisible()
    other = WEIGHTS.copy()
    other[0, 0] = 200
    assert session.slide is not None
    bag_run(session.slide, other, title="Second", started="2026-01-01T00:00:00+00:00")
    show_tab(window, 0)
    show_tab(window, 2)
    qtbot.waitUntil(lambda: shown.figures.text().startswith("Spearman 0."))
    assert captions(shown.gallery)[0] == "here 0%\nthere 100%"
    click_tile(shown.gallery, 0)
    assert session.review.tiles.chosen == 0
    shown.beside.click()
    qtbot.waitUntil(lambda: len(window.views.canvases) == 2)
    assert shown.beside.text() == "One view"
    assert window.docks.is_seen("tiles")
    shown.beside.click()
    assert len(window.views.canvases) == 1


def test_a_click_on_the_map_goes_to_the_tile(
    window: MainWindow, page: TileReviewPage, session: Session, qtbot: QtBot
) -> None:
    shown, drawn = window.tiles.map, session.review.map
    show_tab(window, 3)
    key = session.slide.content_hash if session.slide else ""
    drawn.answer = MapOfTiles(
        shares=(0.5, 0.125),
        n_tiles=5,
        n_without=0,
        slides=(
            MappedSlide(
                slide_hash=key, pseudonym="slide-1", cell_l0=(SIDE_L0, SIDE_L0), n_columns=12
            ),
        ),
        x=(0, 4, 0, 4),
        y=(0, 0, 2, 2),
        slide=(0, 0, 0, 0),
        x_l0=(0, SIDE_L0, 0, SIDE_L0),
        y_l0=(0, 0, SIDE_L0, SIDE_L0),
    )
    drawn.changed.emit()
    assert "(PCA) show 62% of the variance" in shown.plot.facts
    assert "4 of 5 tiles" in shown.plot.facts
    qtbot.wait(50)
    view, canvas = shown.plot._view, shown.plot._plot
    place = canvas.mapFromScene(view.mapViewToScene(QPointF(4, 2)))
    QTest.mouseClick(canvas.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert session.review.tiles.chosen == 13
    (ring,) = shown.plot._mark.points()
    assert (ring.pos().x(), ring.pos().y()) == (4, 2)
    for row in range(shown.shade.count()):
        shown.shade.setCurrentIndex(row)
        shown.shade.activated.emit(row)
    assert shown.shade.currentText() == "By slide"


def test_without_tiles_the_next_step_is_said(
    qtbot: QtBot, session: Session, slide_path: Path
) -> None:
    with main_window(qtbot, session) as window:
        page = window.tiles.review
        window.docks.bring_front("tiles")
        assert page.empty.isVisibleTo(page)
        assert not page.models.isVisibleTo(page)
        session.open(slide_path)
        qtbot.waitUntil(lambda: session.slide is not None)
        assert page.models.isVisibleTo(page)
        assert not page.most.isVisibleTo(page)
