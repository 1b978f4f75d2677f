from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from hands import Picture, drop, picture, settle, wheel
from makers import make_ome_tiff
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QHelpEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QToolTip
from pytestqt.qtbot import QtBot
from run_files import new_run, squares

from pathoview.core.errors import SlideError
from pathoview.core.pyramid import TileKey
from pathoview.layers.slide_source import SlideSource
from pathoview.layers.source import Rgba
from pathoview.session.session import Session
from pathoview.slides.opening import open_slide
from pathoview.ui import theme
from pathoview.ui.canvas import Canvas

CENTER = (400, 300)


def middle(seen: Picture) -> Picture:
    """Return the part of a picture over which nothing is written."""
    return seen[60:-60, 60:-60]


def n_blank(seen: Picture) -> int:
    blanks = [QColor(name).getRgb()[:3] for name in (theme.CANVAS, theme.RAISED)]
    return sum(int((seen == np.array(blank)).all(axis=2).sum()) for blank in blanks)


def show_squares(slide_path: Path, corners: list[tuple[int, int]], side: int = 40) -> None:
    """Leave a finished run with squares beside the slide, as an analysis would."""
    table = squares(corners, side, "Nucleus", (0, 255, 0))
    with open_slide(slide_path) as slide, new_run(slide) as run:
        run.add_tile(0, 0, table)
        run.update_record(state="done", n_objects=len(corners))


def test_the_slide_is_fitted_and_read_when_it_opens(open_canvas: Canvas, session: Session) -> None:
    seen = picture(open_canvas)
    slide_view = session.viewport.rect_to_view(session.viewport.slide_l0)
    assert slide_view.width == pytest.approx(800 * 0.96, abs=1)
    assert n_blank(middle(seen)) == 0
    assert not open_canvas.welcome.isVisible()


def test_what_was_scrolled_is_what_would_be_drawn_anew(
    qtbot: QtBot, open_canvas: Canvas, session: Session
) -> None:
    open_canvas.overview.hide()
    session.viewport.zoom(2.37)
    settle(qtbot, open_canvas, session)
    for way in ((13.3, -7.7), (-41.2, 90.9), (200.5, 3.0)):
        session.viewport.pan(*way)
        picture(open_canvas)
    settle(qtbot, open_canvas, session)
    scrolled = picture(open_canvas).astype(int)
    open_canvas.redraw()
    # Qt interpolates in fixed point: where a part begins makes a difference of 1.
    assert np.abs(scrolled - picture(open_canvas)).max() <= 1


def test_the_picture_is_never_blank_while_it_is_panned_and_zoomed_fast(
    qtbot: QtBot, open_canvas: Canvas, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_tile, may_read = SlideSource.read_tile, threading.Event()

    def slow(source: SlideSource, key: TileKey) -> Rgba | None:
        may_read.wait(20)
        return read_tile(source, key)

    monkeypatch.setattr(SlideSource, "read_tile", slow)
    open_canvas.overview.hide()
    session.viewport.look_at(1024, 768, 1.7)
    for step in range(12):
        session.viewport.pan(140 if step % 4 < 2 else -260, 90 if step % 3 else -170)
        session.viewport.zoom(1.15 if step % 2 else 0.93)
        qtbot.wait(5)
        assert n_blank(middle(picture(open_canvas))) == 0
    coarse = picture(open_canvas)
    may_read.set()
    settle(qtbot, open_canvas, session)
    assert (middle(picture(open_canvas)) != middle(coarse)).mean() > 0.5


def test_enlarged_pixels_are_squares_and_shrunk_ones_are_smooth(
    qtbot: QtBot, open_canvas: Canvas, session: Session
) -> None:
    session.viewport.look_at(1000, 700, 10.0)
    settle(qtbot, open_canvas, session)
    row = middle(picture(open_canvas))[200, 100:500].astype(int)
    n_edges = int((np.abs(np.diff(row, axis=0)).sum(axis=1) > 0).sum())
    assert n_edges <= 41, "a pixel of the slide has one colour"


def test_a_screen_of_twice_the_density_gets_twice_the_pixels(
    qtbot: QtBot, open_canvas: Canvas, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = open_canvas.frame
    monkeypatch.setattr(Canvas, "devicePixelRatioF", lambda _canvas: 2.0)
    frame = open_canvas.frame
    assert (frame.width, frame.height) == (1600, 1200)
    assert frame.scale == before.scale * 2
    open_canvas.redraw()
    settle(qtbot, open_canvas, session)
    assert n_blank(middle(picture(open_canvas))) == 0


def test_a_tile_that_cannot_be_read_is_hatched_and_tells_why(
    qtbot: QtBot,
    canvas: Canvas,
    session: Session,
    slide_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read_tile = SlideSource.read_tile

    def broken(source: SlideSource, key: TileKey) -> Rgba | None:
        if key.level == 0:
            raise SlideError("This tile is damaged.")
        return read_tile(source, key)

    monkeypatch.setattr(SlideSource, "read_tile", broken)
    session.open(slide_path)
    qtbot.waitUntil(lambda: session.slide is not None)
    settle(qtbot, canvas, session)
    whole = picture(canvas)
    session.viewport.look_at(1024, 768, 1.0)
    reason = session.scheduler.failure
    source = session.layers[0].source
    qtbot.waitUntil(lambda: reason(source, TileKey(0, 1, 1)) is not None)
    qtbot.wait(50)
    qtbot.waitUntil(lambda: canvas.is_settled)
    seen = middle(picture(canvas))
    orange = (seen[..., 0].astype(int) - seen[..., 2]) > 40
    assert orange.mean() > 0.02
    assert not ((middle(whole)[..., 0].astype(int) - middle(whole)[..., 2]) > 40).any()
    at = QPoint(*CENTER)
    QApplication.sendEvent(canvas, QHelpEvent(QHelpEvent.Type.ToolTip, at, canvas.mapToGlobal(at)))
    qtbot.waitUntil(lambda: QToolTip.text() == "This tile is damaged.")
    QToolTip.hideText()
    qtbot.waitUntil(lambda: not QToolTip.isVisible())


def test_detections_are_drawn_and_fade_with_ctrl_and_wheel(
    qtbot: QtBot, canvas: Canvas, session: Session, slide_path: Path
) -> None:
    show_squares(slide_path, [(900, 700), (1100, 800)], side=120)
    session.open(slide_path)
    qtbot.waitUntil(lambda: session.results is not None)
    session.viewport.look_at(1024, 768, 1.0)
    settle(qtbot, canvas, session)

    def n_green() -> int:
        return int((middle(picture(canvas)) == (0, 255, 0)).all(axis=2).sum())

    strong = n_green()
    assert strong > 300
    for _notch in range(10):
        wheel(canvas, CENTER, -1, Qt.KeyboardModifier.ControlModifier)
    assert session.settings.overlay.opacity == pytest.approx(0.5)
    settle(qtbot, canvas, session)
    assert n_green() == 0
    assert session.viewport.scale == 1.0


def test_a_click_selects_the_nucleus_under_it(
    qtbot: QtBot, canvas: Canvas, session: Session, slide_path: Path
) -> None:
    show_squares(slide_path, [(900, 700), (1100, 800)])
    session.open(slide_path)
    qtbot.waitUntil(lambda: session.results is not None)
    settle(qtbot, canvas, session)
    x, y = session.viewport.to_view(1120, 820)
    QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=QPoint(round(x), round(y)))
    assert session.selection is not None
    assert session.selection.outline_l0[0].tolist() == [1100, 800]
    QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=QPoint(100, 300))
    assert session.selection is None


def test_an_empty_canvas_offers_to_open_a_slide(
    qtbot: QtBot, canvas: Canvas, session: Session, slide_path: Path
) -> None:
    asked: list[str] = []

    def answer(command_id: str) -> None:
        asked.append(command_id)
        if command_id == "file.demo":
            session.open(slide_path)

    session.command_requested.connect(answer)
    assert canvas.welcome.isVisible()
    qtbot.mouseClick(canvas.welcome.open_button, Qt.MouseButton.LeftButton)
    assert asked == ["file.open"]
    qtbot.mouseClick(canvas.welcome.demo_button, Qt.MouseButton.LeftButton)
    assert not canvas.welcome.demo_button.isEnabled()
    qtbot.waitUntil(lambda: session.slide is not None)
    assert not canvas.welcome.isVisible()
    session.close_slide()
    assert canvas.welcome.isVisible()
    assert canvas.welcome.demo_button.isEnabled()


def test_a_slide_that_cannot_be_opened_leaves_the_offer(
    qtbot: QtBot, canvas: Canvas, session: Session, tmp_path: Path
) -> None:
    path = tmp_path / "text.svs"
    path.write_text("no slide")
    drop(canvas, path)
    assert not canvas.welcome.open_button.isEnabled()
    qtbot.waitUntil(lambda: canvas.welcome.open_button.isEnabled())
    assert canvas.welcome.isVisible()


def test_a_dropped_slide_opens_and_dropped_results_are_read_onto_it(
    qtbot: QtBot,
    canvas: Canvas,
    session: Session,
    slide_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drop(canvas, slide_path)
    qtbot.waitUntil(lambda: session.slide is not None)
    imported: list[Path] = []
    monkeypatch.setattr(session.exchange, "import_file", imported.append)
    drop(canvas, Path("nuclei.geojson"), Path("more.geojson.gz"), Path("marks.xml"))
    assert [path.name for path in imported] == ["nuclei.geojson", "more.geojson.gz", "marks.xml"]


def test_a_stack_has_a_slider_and_another_plane_is_never_blank(
    qtbot: QtBot, canvas: Canvas, session: Session, tmp_path: Path
) -> None:
    planes = np.empty((2, 300, 400, 3), np.uint8)
    planes[0], planes[1] = (200, 90, 90), (90, 90, 200)
    path = make_ome_tiff(tmp_path / "stack.ome.tif", planes, "ZYXS")
    session.open(path)
    qtbot.waitUntil(lambda: session.slide is not None)
    settle(qtbot, canvas, session)
    assert canvas.planes.z_slider.isVisible()
    assert not canvas.planes.t_slider.isVisible()
    assert picture(canvas)[300, 400].tolist() == [200, 90, 90]
    canvas.planes.z_slider.setValue(1)
    assert picture(canvas)[300, 400].tolist() in ([200, 90, 90], [90, 90, 200])
    settle(qtbot, canvas, session)
    assert picture(canvas)[300, 400].tolist() == [90, 90, 200]
    canvas.planes.z_slider.setValue(0)
    settle(qtbot, canvas, session)
    assert picture(canvas)[300, 400].tolist() == [200, 90, 90]


def test_one_channel_can_be_looked_at(
    qtbot: QtBot, canvas: Canvas, session: Session, tmp_path: Path
) -> None:
    channels = np.zeros((2, 300, 400), np.uint16)
    channels[0, :, :200], channels[1, :, 200:] = 4000, 4000
    path = make_ome_tiff(tmp_path / "two.ome.tif", channels, "CYX", channel_names=("DAPI", "Ki67"))
    session.open(path)
    qtbot.waitUntil(lambda: session.slide is not None)
    settle(qtbot, canvas, session)
    box = canvas.planes.channel_box
    assert [box.itemText(index) for index in range(box.count())] == ["All channels", "DAPI", "Ki67"]
    assert picture(canvas)[300, 600].max() > 100
    box.setCurrentIndex(1)
    settle(qtbot, canvas, session)
    assert session.plane.c == 0
    assert picture(canvas)[300, 600].max() < 60
    assert picture(canvas)[300, 200].max() > 100


def test_an_rgb_slide_has_no_sliders(open_canvas: Canvas) -> None:
    assert not open_canvas.planes.isVisible()


def test_the_focus_is_seen_when_it_comes_by_keyboard_only(open_canvas: Canvas) -> None:
    accent = QColor(theme.ACCENT).getRgb()[:3]
    open_canvas.clearFocus()
    open_canvas.setFocus(Qt.FocusReason.MouseFocusReason)
    assert not (picture(open_canvas)[300, 0] == accent).all()
    open_canvas.clearFocus()
    open_canvas.setFocus(Qt.FocusReason.TabFocusReason)
    assert (picture(open_canvas)[300, 1] == accent).all()


def test_running_analyses_are_told_where_one_looks_once_a_pan_has_come_to_rest(
    qtbot: QtBot, open_canvas: Canvas, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    qtbot.wait(200)
    told: list[bool] = []
    monkeypatch.setattr(
        type(session._desk), "set_focus", lambda _desk, rect: told.append(rect is not None)
    )
    for _step in range(5):
        session.viewport.pan(10, 0)
        qtbot.wait(10)
    assert told == []
    qtbot.waitUntil(lambda: told == [True])
