from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QGuiApplication
from pytestqt.qtbot import QtBot

from pathoview.annotations.detections import DetectionClass
from pathoview.core.geometry import Rect
from pathoview.core.privacy import hide
from pathoview.session.notices import Notice
from pathoview.session.session import Session
from pathoview.ui.notice_bar import NoticeStack
from pathoview.ui.panels.analyze import AnalyzePanel
from pathoview.ui.panels.histogram import Histogram, spread
from pathoview.ui.panels.selection_card import SelectionCard
from pathoview.ui.panels.slide_info import HiddenPicture, SlideInfoPanel
from pathoview.ui.text import duration_text, magnification_text, value_text
from pathoview.ui.widgets import column


@pytest.fixture
def with_slide(qtbot: QtBot, session: Session, slide_path: Path) -> Session:
    session.open(slide_path)
    qtbot.waitUntil(lambda: session.slide is not None)
    return session


# -- analyze -------------------------------------------------------------------------------------


def asked(session: Session, monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """Collect what the panel asks the session for."""
    calls: list[tuple[Any, ...]] = []
    monkeypatch.setattr(session, "analyze", lambda *order: calls.append(order))
    return calls


def test_without_a_slide_the_button_is_off_and_the_panel_says_why(
    qtbot: QtBot, session: Session
) -> None:
    panel = AnalyzePanel(session)
    qtbot.addWidget(panel)
    assert not panel.run.isEnabled()
    assert "Open a slide" in panel.hint


def test_one_click_analyzes_the_whole_slide_with_defaults(
    qtbot: QtBot, with_slide: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel = AnalyzePanel(with_slide)
    qtbot.addWidget(panel)
    calls = asked(with_slide, monkeypatch)
    qtbot.mouseClick(panel.run, Qt.MouseButton.LeftButton)
    (method, params, where), *others = calls
    assert not others
    assert where == "slide"
    (spec, rows), *_rest = with_slide.methods()
    assert method == spec.name
    assert params == {row.name: row.default for row in rows}


def test_a_rectangle_that_is_missing_is_asked_for_and_then_used(
    qtbot: QtBot, with_slide: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel = AnalyzePanel(with_slide)
    qtbot.addWidget(panel)
    calls = asked(with_slide, monkeypatch)
    qtbot.mouseClick(panel.where.group.button(2), Qt.MouseButton.LeftButton)
    qtbot.mouseClick(panel.run, Qt.MouseButton.LeftButton)
    assert not calls
    assert with_slide.tool == "region"
    assert "Draw a rectangle" in panel.hint
    drawn = Rect(100, 120, 300, 200)
    with_slide.set_region(drawn)
    qtbot.mouseClick(panel.run, Qt.MouseButton.LeftButton)
    assert calls[0][2] == drawn
    with_slide.set_region(None)
    assert panel.where.chosen == "slide"


def test_a_rectangle_that_is_drawn_is_what_is_analyzed(qtbot: QtBot, with_slide: Session) -> None:
    panel = AnalyzePanel(with_slide)
    qtbot.addWidget(panel)
    with_slide.set_region(Rect(0, 0, 50, 50))
    assert panel.where.chosen == "region"


# -- histogram and selection ---------------------------------------------------------------------


def test_the_spread_counts_every_finite_value_once() -> None:
    values = np.array([1, 2, 3, 4, 1000, np.nan, np.inf], np.float32)
    found = spread(values)
    assert found is not None
    assert found.counts.sum() + found.n_beyond == found.n == 5
    assert found.median == 3


def test_equal_values_and_no_values_can_be_shown(qtbot: QtBot) -> None:
    histogram = Histogram()
    qtbot.addWidget(histogram)
    histogram.show_values("Area µm²", np.full(10, 7.0, np.float32))
    assert histogram.shown is not None
    assert histogram.shown.edges[0] < 7 < histogram.shown.edges[-1]
    histogram.mark(7.0)
    histogram.show_values("Area µm²", np.full(3, np.nan, np.float32))
    assert histogram.shown is None


def test_the_card_tells_area_class_and_measurements_and_copies_the_id(qtbot: QtBot) -> None:
    card = SelectionCard()
    qtbot.addWidget(card)
    card.show()
    assert "Click a nucleus" in card.text
    chosen: Any = SimpleNamespace(
        id=UUID(int=7),
        detection_class=DetectionClass("Tumor", (200, 0, 0)),
        outline_l0=np.array([[0, 0], [10, 0], [10, 8]], float),
        area_um2=41.25,
        measurements={"Hematoxylin mean": 0.613},
    )
    card.show_selection(chosen, QColor("yellow"))
    assert "Tumor" in card.text
    assert "area 41.25 µm²" in card.text
    assert "Hematoxylin mean: 0.613" in card.text
    qtbot.mouseClick(card.copy, Qt.MouseButton.LeftButton)
    assert QGuiApplication.clipboard().text() == str(UUID(int=7))


# -- slide ---------------------------------------------------------------------------------------


def test_the_slide_panel_says_size_scale_and_who_stated_it(
    qtbot: QtBot, with_slide: Session
) -> None:
    panel = SlideInfoPanel(with_slide)
    qtbot.addWidget(panel)
    facts = dict(panel.facts())
    assert facts["Size"] == "2,048 × 1,536 px"
    assert facts["Scale"] == "0.5 µm/px, stated by the file"
    with_slide.set_scale(0.25)
    assert dict(panel.facts())["Scale"] == "0.25 µm/px, stated by you"


def test_a_label_image_stays_hidden_until_it_is_asked_for(qtbot: QtBot) -> None:
    reads: list[str] = []

    def read(name: str) -> np.ndarray:
        reads.append(name)
        return np.zeros((30, 20, 3), np.uint8)

    def submit(work: Any, done: Any) -> None:
        done(work(), None)

    session: Any = SimpleNamespace(
        slide=SimpleNamespace(read_associated=read), scheduler=SimpleNamespace(submit=submit)
    )
    hidden = HiddenPicture(session, "label")
    qtbot.addWidget(hidden)
    hidden.show()
    assert not reads
    assert not hidden.picture.isVisible()
    qtbot.mouseClick(hidden.show_button, Qt.MouseButton.LeftButton)
    assert reads == ["label"]
    assert hidden.picture.isVisible()
    qtbot.mouseClick(hidden.show_button, Qt.MouseButton.LeftButton)
    assert not hidden.picture.isVisible()


# -- notices -------------------------------------------------------------------------------------


DONE: list[Notice] = []
"""Notices whose action was asked for."""


@pytest.fixture
def stack(qtbot: QtBot) -> Iterator[NoticeStack]:
    holder = column()
    qtbot.addWidget(holder)
    holder.resize(700, 500)
    holder.show()
    yield NoticeStack(holder, DONE.append)
    DONE.clear()
    holder.close()


def test_a_notice_does_its_action_and_goes(stack: NoticeStack, qtbot: QtBot) -> None:
    notice = Notice("It broke.", "error", ("Mend", "file.open"))
    stack.add(notice)
    qtbot.mouseClick(stack.bars[0].action, Qt.MouseButton.LeftButton)
    assert [notice] == DONE
    assert not stack.bars
    assert stack.isHidden()


def test_details_open_in_place_and_are_copied_without_names(
    stack: NoticeStack, qtbot: QtBot, tmp_path: Path
) -> None:
    slide = tmp_path / "Jane Roe.svs"
    hide(slide, "slide-1")
    stack.add(Notice("It broke.", "error", details=f"cannot read {slide}"))
    (bar,) = stack.bars
    low = stack.height()
    qtbot.mouseClick(bar.details_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: stack.height() > low)
    qtbot.mouseClick(bar.copy, Qt.MouseButton.LeftButton)
    assert QGuiApplication.clipboard().text() == "It broke.\n\ncannot read slide-1"


def test_the_same_notice_is_shown_once_and_the_oldest_makes_room(stack: NoticeStack) -> None:
    for text in ("a", "b", "a", "c", "d"):
        stack.add(Notice(text, "error"))
    assert [bar.notice.text for bar in stack.bars] == ["a", "c", "d"]


# -- words ---------------------------------------------------------------------------------------


def test_numbers_have_as_many_digits_as_they_deserve() -> None:
    assert [value_text(value) for value in (0.12345, 4.5678, 123.456, 98765.4)] == [
        "0.123",
        "4.57",
        "123.5",
        "98,765",
    ]
    assert [duration_text(seconds) for seconds in (0.4, 59.6, 130, 3900)] == [
        "0 s",
        "1 min 00 s",
        "2 min 10 s",
        "1 h 05 min",
    ]
    assert [magnification_text(power) for power in (0.625, 5, 20, 100)] == [
        "0.62×",
        "5.00×",
        "20.0×",
        "100×",
    ]
