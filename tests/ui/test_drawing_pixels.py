"""Drawing by the picture: wand, superpixels, live-wire, nuclei and points that snap, by mouse."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import shapely
from hands import drag, move, settle
from makers import Scene, he_scene, make_svs
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from pathoview.annotations.feature import Feature
from pathoview.core.errors import SlideError
from pathoview.session.drawing.patch_reader import PatchReader
from pathoview.session.notices import Notice
from pathoview.session.session import Session
from pathoview.session.toolbox import Tool
from pathoview.ui.canvas import Canvas

LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
ALT, SHIFT = Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.ShiftModifier
BORDER_L0 = 500
"""Left of it the slide is violet, right of it pale, but for a violet tongue at y = 600 to 640."""


@pytest.fixture(scope="module")
def two_colors(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rgb = np.full((800, 1000, 3), (235, 215, 230), np.uint8)
    rgb[:, :BORDER_L0] = rgb[600:640, : BORDER_L0 + 50] = (130, 70, 150)
    return make_svs(tmp_path_factory.mktemp("slides") / "two.svs", rgb)


@pytest.fixture(scope="module")
def scene() -> Scene:
    return he_scene(800, 600, 3)


@pytest.fixture(scope="module")
def nuclei(tmp_path_factory: pytest.TempPathFactory, scene: Scene) -> Path:
    return make_svs(tmp_path_factory.mktemp("slides") / "nuclei.svs", scene.rgb)


@pytest.fixture(scope="module")
def no_scale(tmp_path_factory: pytest.TempPathFactory, scene: Scene) -> Path:
    return make_svs(tmp_path_factory.mktemp("slides") / "bare.svs", scene.rgb, mpp=None)


Show = Callable[[Path, Tool], Canvas]


@pytest.fixture
def show(qtbot: QtBot, canvas: Canvas, session: Session) -> Show:
    """Show a slide at one px a level-0 px, with a tool in hand."""

    def shown(path: Path, tool: Tool) -> Canvas:
        session.open(path)
        qtbot.waitUntil(lambda: session.slide is not None and session.slide.path == path)
        qtbot.waitUntil(lambda: session.annotations.document is not None)
        canvas.overview.hide()
        session.viewport.look_at(BORDER_L0, 400, 1.0)
        settle(qtbot, canvas, session)
        canvas.setFocus()
        session.set_tool(tool)
        session.annotations.choose_class(1)
        return canvas

    return shown


def drawn(session: Session) -> list[Feature]:
    assert session.annotations.document is not None
    return list(session.annotations.document)


def at(session: Session, x_l0: float, y_l0: float) -> tuple[int, int]:
    x, y = session.viewport.to_view(x_l0, y_l0)
    return round(x), round(y)


def path(session: Session, *places_l0: tuple[float, float]) -> list[tuple[int, int]]:
    return [at(session, *place) for place in places_l0]


def click(
    canvas: Canvas,
    session: Session,
    x_l0: float,
    y_l0: float,
    held: Qt.KeyboardModifier = NONE,
) -> None:
    QTest.mouseClick(canvas, LEFT, held, QPoint(*at(session, x_l0, y_l0)))


def caught_up(qtbot: QtBot, session: Session) -> None:
    """Wait until the tool has done all that it was told."""
    tool = session.toolbox.drawing
    assert tool is not None
    qtbot.waitUntil(lambda: not tool.is_busy, timeout=20_000)


def only(session: Session) -> shapely.Geometry:
    (feature,) = drawn(session)
    assert feature.geometry.is_valid
    return feature.geometry


# -- wand --------------------------------------------------------------------------------------


def test_the_wand_paints_up_to_where_the_picture_changes(
    qtbot: QtBot, show: Show, session: Session, two_colors: Path
) -> None:
    canvas = show(two_colors, "wand")
    session.toolbox.kit.set_brush(120)
    # All is told before a single pixel is there.
    drag(canvas, *path(session, (460, 300), (460, 350), (460, 420), (460, 500)))
    assert drawn(session) == []
    caught_up(qtbot, session)
    shape = only(session)
    assert shape.contains(shapely.box(450, 300, BORDER_L0 - 4, 500))
    assert BORDER_L0 - 4 < shape.bounds[2] < BORDER_L0 + 4
    assert shape.bounds[1] == pytest.approx(240, abs=4)
    assert session.history.undo_name == "Wand"
    assert drawn(session)[0].classification is not None
    session.undo()
    assert drawn(session) == []


def test_the_wand_goes_on_with_an_annotation_and_takes_away(
    qtbot: QtBot, show: Show, session: Session, two_colors: Path
) -> None:
    canvas = show(two_colors, "wand")
    drag(canvas, *path(session, (400, 300), (420, 300)))
    # Begun in what is not there yet: it is there when its turn comes.
    drag(canvas, *path(session, (420, 300), (420, 340)))
    drag(canvas, *path(session, (300, 500), (310, 500)), modifiers=SHIFT)
    caught_up(qtbot, session)
    assert only(session).geom_type == "MultiPolygon"
    before = only(session).area
    drag(canvas, *path(session, (400, 300), (405, 300)), modifiers=ALT)
    caught_up(qtbot, session)
    assert only(session).area < before
    assert session.history.undo_name == "Erase"


def test_escape_forgets_a_stroke_whose_pixels_are_being_read(
    qtbot: QtBot, show: Show, session: Session, two_colors: Path
) -> None:
    canvas = show(two_colors, "wand")
    drag(canvas, *path(session, (400, 300), (420, 340)))
    QTest.keyClick(canvas, Qt.Key.Key_Escape)
    assert session.tool == "wand"
    qtbot.waitUntil(lambda: session.scheduler.wait_idle(0))
    qtbot.wait(50)
    assert drawn(session) == []
    drag(canvas, *path(session, (400, 300), (420, 340)))
    caught_up(qtbot, session)
    assert len(drawn(session)) == 1


@pytest.mark.parametrize("tool", ["wand", "superpixel", "livewire", "nucleus", "points"])
def test_another_slide_while_pixels_are_read_does_no_harm(
    qtbot: QtBot, show: Show, session: Session, two_colors: Path, nuclei: Path, tool: Tool
) -> None:
    session.settings.drawing.snaps_points = True
    notices: list[Notice] = []
    session.notice.connect(notices.append)
    canvas = show(two_colors, tool)
    drag(canvas, *path(session, (400, 300), (420, 340)))
    session.close_slide()
    qtbot.waitUntil(lambda: session.scheduler.wait_idle(0))
    qtbot.wait(50)
    show(nuclei, tool)
    assert drawn(session) == []
    assert notices == []


def test_pixels_that_cannot_be_read_are_told_of(
    qtbot: QtBot,
    show: Show,
    session: Session,
    two_colors: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_where: object) -> None:
        raise SlideError("The disk is gone.")

    canvas = show(two_colors, "wand")
    notices: list[Notice] = []
    session.notice.connect(notices.append)
    monkeypatch.setattr(PatchReader, "read", fail)
    drag(canvas, *path(session, (400, 300), (420, 340)))
    qtbot.waitUntil(lambda: bool(notices))
    assert [notice.text for notice in notices] == ["The disk is gone."]
    caught_up(qtbot, session)
    assert drawn(session) == []


# -- superpixels -------------------------------------------------------------------------------


def test_the_superpixel_under_the_pointer_is_shown_and_painted(
    qtbot: QtBot, show: Show, session: Session, nuclei: Path
) -> None:
    canvas = show(nuclei, "superpixel")
    tool = session.toolbox.drawing
    assert tool is not None
    move(canvas, QPoint(*at(session, 400, 300)))
    qtbot.waitUntil(lambda: bool(tool.preview.outlines), timeout=20_000)
    (shown,) = tool.preview.outlines
    click(canvas, session, 400, 300)
    caught_up(qtbot, session)
    painted = only(session)
    assert painted.symmetric_difference(shapely.Polygon(shown.points_l0)).area < 1
    assert session.history.undo_name == "Superpixels"


def test_neighbours_painted_one_after_another_leave_no_gap(
    qtbot: QtBot, show: Show, session: Session, nuclei: Path
) -> None:
    canvas = show(nuclei, "superpixel")
    drag(canvas, *path(session, (400, 300), (500, 300)))
    drag(canvas, *path(session, (400, 300), (400, 360), (500, 360), (500, 300)))
    drag(canvas, *path(session, (410, 330), (490, 330)), modifiers=SHIFT)
    caught_up(qtbot, session)
    shape = only(session)
    assert isinstance(shape, shapely.Polygon)
    assert shape.contains(shapely.box(400, 300, 500, 360))
    assert not shape.interiors
    for _turn in range(3):
        session.undo()
    assert drawn(session) == []


def test_keys_make_superpixels_larger(
    qtbot: QtBot, show: Show, session: Session, nuclei: Path
) -> None:
    canvas = show(nuclei, "superpixel")
    click(canvas, session, 400, 300)
    caught_up(qtbot, session)
    before = only(session).area
    session.undo()
    for _turn in range(4):
        QTest.keyClick(canvas, Qt.Key.Key_BracketRight)
    assert session.settings.drawing.superpixel_um == pytest.approx(25 * 1.2**4, abs=0.1)
    click(canvas, session, 400, 300)
    caught_up(qtbot, session)
    assert only(session).area > 1.5 * before


# -- live-wire ---------------------------------------------------------------------------------


def test_the_line_clings_to_the_edge_between_two_clicks(
    qtbot: QtBot, show: Show, session: Session, two_colors: Path
) -> None:
    canvas = show(two_colors, "livewire")
    click(canvas, session, BORDER_L0 + 3, 560)
    click(canvas, session, BORDER_L0 - 3, 690)
    for place in [(300, 690), (300, 560)]:
        click(canvas, session, *place, SHIFT)
    QTest.keyClick(canvas, Qt.Key.Key_Return)
    caught_up(qtbot, session)
    shape = only(session)
    assert isinstance(shape, shapely.Polygon)
    truth = shapely.box(300, 560, BORDER_L0, 690) | shapely.box(300, 600, BORDER_L0 + 50, 640)
    assert shape.symmetric_difference(truth).area < 0.03 * truth.area
    assert session.history.undo_name == "Draw along edges"


def test_a_double_click_or_the_first_anchor_closes(
    qtbot: QtBot, show: Show, session: Session, two_colors: Path
) -> None:
    canvas = show(two_colors, "livewire")
    corners = [(200, 200), (300, 200), (300, 300)]
    for place in corners:
        click(canvas, session, *place, SHIFT)
    QTest.mouseDClick(canvas, LEFT, NONE, QPoint(*at(session, 300, 300)))
    caught_up(qtbot, session)
    assert only(session).area == pytest.approx(5000, rel=0.3)
    for place in [(x + 400, y) for x, y in [*corners, (201, 201)]]:
        click(canvas, session, *place, SHIFT)
    caught_up(qtbot, session)
    assert len(drawn(session)) == 2


def test_backspace_takes_an_anchor_back_and_escape_all(
    qtbot: QtBot, show: Show, session: Session, two_colors: Path
) -> None:
    canvas = show(two_colors, "livewire")
    for place in [(200, 200), (300, 200), (300, 300), (700, 700)]:
        click(canvas, session, *place, SHIFT)
    QTest.keyClick(canvas, Qt.Key.Key_Backspace)
    QTest.keyClick(canvas, Qt.Key.Key_Return)
    caught_up(qtbot, session)
    assert only(session).bounds[2] < 320
    click(canvas, session, 500, 500)
    click(canvas, session, 600, 500)
    QTest.keyClick(canvas, Qt.Key.Key_Escape)
    caught_up(qtbot, session)
    assert session.tool == "livewire"
    QTest.keyClick(canvas, Qt.Key.Key_Return)
    assert len(drawn(session)) == 1


def test_a_piece_is_drawn_freehand(
    qtbot: QtBot, show: Show, session: Session, two_colors: Path
) -> None:
    canvas = show(two_colors, "livewire")
    drag(canvas, *path(session, (200, 200), (260, 170), (320, 200), (320, 260), (320, 320)))
    click(canvas, session, 200, 320, SHIFT)
    QTest.keyClick(canvas, Qt.Key.Key_Return)
    caught_up(qtbot, session)
    shape = only(session)
    assert shape.covers(shapely.Point(260, 175))
    assert shape.area > 120 * 115


# -- nuclei and points -------------------------------------------------------------------------


def middles(scene: Scene) -> dict[int, tuple[float, float]]:
    """Return where nuclei are that can be seen whole, by their labels."""
    found = {}
    for label in range(1, scene.labels.max() + 1):
        rows, cols = np.nonzero(scene.labels == label)
        if len(rows) and 150 < cols.mean() < 750 and 150 < rows.mean() < 550:
            found[label] = float(cols.mean()) + 0.5, float(rows.mean()) + 0.5
    return found


def test_a_click_outlines_the_nucleus(
    qtbot: QtBot, show: Show, session: Session, nuclei: Path, scene: Scene
) -> None:
    canvas = show(nuclei, "nucleus")
    places = dict(list(middles(scene).items())[:6])
    for place in places.values():
        click(canvas, session, *place)
    caught_up(qtbot, session)
    features = drawn(session)
    assert len(features) == len(places)
    assert session.history.undo_name == "Outline nucleus"
    y, x = np.indices(scene.labels.shape) + 0.5
    for label, feature in zip(places, features, strict=True):
        inside = shapely.contains_xy(feature.geometry, x, y)
        truth = scene.labels == label
        assert (inside & truth).sum() / (inside | truth).sum() > 0.6
    assert session.annotations.selected == (features[-1],)
    click(canvas, session, *next(iter(places.values())))
    assert session.annotations.selected == (features[0],)
    assert len(drawn(session)) == len(places)


def test_where_there_is_no_nucleus_one_is_told(
    qtbot: QtBot, show: Show, session: Session, two_colors: Path
) -> None:
    notices: list[Notice] = []
    session.notice.connect(notices.append)
    canvas = show(two_colors, "nucleus")
    click(canvas, session, 700, 400)
    caught_up(qtbot, session)
    assert drawn(session) == []
    assert "No nucleus" in notices[-1].text


def test_without_a_scale_one_is_asked_for_it(
    qtbot: QtBot, show: Show, session: Session, no_scale: Path
) -> None:
    notices: list[Notice] = []
    session.notice.connect(notices.append)
    canvas = show(no_scale, "nucleus")
    click(canvas, session, 400, 300)
    caught_up(qtbot, session)
    assert notices[-1].action is not None
    assert notices[-1].action[1] == "view.scale"


def test_a_point_goes_to_the_nucleus_that_was_meant(
    qtbot: QtBot, show: Show, session: Session, nuclei: Path, scene: Scene
) -> None:
    canvas = show(nuclei, "points")
    session.toolbox.kit.set("snaps_points", True)
    (x, y), *_others = middles(scene).values()
    click(canvas, session, x + 4, y + 3)
    caught_up(qtbot, session)
    assert only(session).distance(shapely.Point(x, y)) < 4
    assert session.history.undo_name == "Set point"
    session.undo()
    assert drawn(session) == []


@pytest.mark.parametrize("has_scale", [True, False])
def test_a_point_stays_where_nothing_draws_it(
    qtbot: QtBot,
    show: Show,
    session: Session,
    two_colors: Path,
    no_scale: Path,
    *,
    has_scale: bool,
) -> None:
    canvas = show(two_colors if has_scale else no_scale, "points")
    session.toolbox.kit.set("snaps_points", True)
    click(canvas, session, 700, 400)
    caught_up(qtbot, session)
    place = session.viewport.to_l0(*at(session, 700, 400))
    assert only(session).coords[0] == pytest.approx(place)
