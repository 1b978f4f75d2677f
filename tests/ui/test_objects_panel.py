"""The table of objects by mouse and keys: sorted, filtered, chosen, copied, exported."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import shapely
from hands import CTRL, LEFT, NONE, SHIFT, main_window
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot
from run_files import new_run, squares

from pathoview.annotations.change import Change
from pathoview.annotations.feature import Feature
from pathoview.session.commands import run_command
from pathoview.session.session import Session
from pathoview.slides.opening import open_slide
from pathoview.ui.dialogs.export_table import ExportTableDialog
from pathoview.ui.main_window import MainWindow
from pathoview.ui.panels.object_grid import ObjectGrid, spans_of
from pathoview.ui.panels.objects import ObjectsPanel

NUCLEI = [(100, 100), (300, 100), (500, 400)]


@pytest.fixture
def window(qtbot: QtBot, session: Session, slide_path: Path) -> Iterator[MainWindow]:
    """The window with its table of two annotations and three nuclei."""
    with open_slide(slide_path) as slide, new_run(slide) as run:
        run.add_tile(0, 0, squares(NUCLEI, class_name="Tumor"))
        run.update_record(n_objects=3, state="done")
    with main_window(qtbot, session) as window:
        session.open(slide_path)
        qtbot.waitUntil(lambda: session.annotations.document is not None)
        qtbot.waitUntil(lambda: bool(session.runs) and len(session.runs[0].source) == 3)
        session.annotations.apply(
            "Draw",
            Change.adding(
                session.annotations.new(shape, name=name)
                for shape, name in (
                    (shapely.box(0, 0, 600, 300), "Left"),
                    (shapely.box(1000, 800, 1200, 900), "Right"),
                )
            ),
        )
        run_command(session, "objects.show")
        settle(qtbot, window.objects)
        yield window


def settle(qtbot: QtBot, panel: ObjectsPanel) -> None:
    qtbot.waitUntil(lambda: panel.table.is_live and not panel.table.is_busy)


def place_of(grid: ObjectGrid, row: int, column: int = 0) -> QPoint:
    return grid.visualRect(grid.model().index(row, column)).center()


def click(grid: ObjectGrid, row: int, modifiers: Qt.KeyboardModifier = NONE) -> None:
    QTest.mouseClick(grid.viewport(), LEFT, modifiers, place_of(grid, row))


def click_header(grid: ObjectGrid, title: str) -> None:
    header = grid.horizontalHeader()
    section = titles(grid).index(title)
    grid.scrollTo(grid.model().index(0, section))
    middle = header.sectionViewportPosition(section) + header.sectionSize(section) // 2
    QTest.mouseClick(header.viewport(), LEFT, NONE, QPoint(middle, header.height() // 2))


def titles(grid: ObjectGrid) -> list[str]:
    model = grid.model()
    return [
        model.headerData(section, Qt.Orientation.Horizontal)
        for section in range(model.columnCount())
    ]


def cells(grid: ObjectGrid, title: str) -> list[str]:
    model, section = grid.model(), titles(grid).index(title)
    return [model.index(row, section).data() for row in range(model.rowCount())]


def drawn(session: Session) -> list[Feature]:
    assert session.annotations.document is not None
    return list(session.annotations.document)


def test_the_command_shows_all_objects_with_units_in_the_headers(window: MainWindow) -> None:
    panel = window.objects
    assert panel.grid.hasFocus()
    assert panel.count.text() == "5 objects"
    assert cells(panel.grid, "Kind") == ["annotation"] * 2 + ["detection"] * 3
    assert cells(panel.grid, "Area µm²") == ["45,000", "5,000", "100", "100", "100"]
    assert cells(panel.grid, "Detections inside") == ["2", "0", "", "", ""]
    right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
    area = panel.grid.model().index(0, titles(panel.grid).index("Area µm²"))
    assert area.data(Qt.ItemDataRole.TextAlignmentRole) == right
    tumor = panel.grid.model().index(2, titles(panel.grid).index("Class"))
    assert not tumor.data(Qt.ItemDataRole.DecorationRole).isNull()


def test_a_click_on_a_header_sorts_a_second_turns_round_a_third_lets_be(
    qtbot: QtBot, window: MainWindow
) -> None:
    grid = window.objects.grid
    names = []
    for _time in range(3):
        click_header(grid, "Centroid X µm")
        settle(qtbot, window.objects)
        names.append([float(cell.replace(",", "")) for cell in cells(grid, "Centroid X µm")])
    assert names[0] == sorted(names[0])
    assert names[1] == names[0][::-1]
    assert names[2] == [150.0, 550.0, 55.0, 155.0, 255.0]


def test_columns_keep_their_width_when_others_are_shown(qtbot: QtBot, window: MainWindow) -> None:
    grid = window.objects.grid
    grid.setColumnWidth(titles(grid).index("Class"), 222)
    click_header(grid, "Area µm²")
    settle(qtbot, window.objects)
    assert grid.columnWidth(titles(grid).index("Class")) == 222


def test_the_filter_narrows_by_kind_class_name_and_range(qtbot: QtBot, window: MainWindow) -> None:
    panel = window.objects
    bar = panel.filter
    bar.kind.setCurrentIndex(bar.kind.findText("Detection"))
    settle(qtbot, panel)
    assert panel.count.text() == "3 of 5 objects"
    bar.clear.click()
    bar.class_name.setCurrentIndex(bar.class_name.findText("Unclassified"))
    settle(qtbot, panel)
    assert cells(panel.grid, "Name") == ["Left", "Right"]
    qtbot.keyClicks(bar.text, "riG")
    qtbot.keyClick(bar.text, Qt.Key.Key_Return)
    settle(qtbot, panel)
    assert cells(panel.grid, "Name") == ["Right"]
    bar.clear.click()
    assert not bar.low.isEnabled()
    bar.measurement.setCurrentIndex(bar.measurement.findText("Area µm²"))
    qtbot.keyClicks(bar.low, "50")
    qtbot.keyClicks(bar.high, "6000")
    qtbot.waitUntil(lambda: panel.count.text() == "4 of 5 objects")
    qtbot.keyClicks(bar.low, "000")
    qtbot.waitUntil(lambda: not panel.grid.isVisible())
    bar.clear.click()
    settle(qtbot, panel)
    assert panel.count.text() == "5 objects"


def test_rows_chosen_in_the_table_are_chosen_on_the_slide(
    window: MainWindow, session: Session
) -> None:
    grid = window.objects.grid
    left, right = drawn(session)
    click(grid, 0)
    assert session.annotations.selected == (left,)
    click(grid, 1, CTRL)
    assert session.annotations.selected == (left, right)
    click(grid, 3)
    assert session.annotations.selected == ()
    assert session.selection is not None
    assert session.selection.index == 1
    click(grid, 4, SHIFT)
    assert grid.chosen_places().tolist() == [3, 4]


def test_what_is_chosen_on_the_slide_is_marked_and_scrolled_to(
    qtbot: QtBot, window: MainWindow, session: Session
) -> None:
    panel = window.objects
    more = [session.annotations.new(shapely.box(x, 0, x + 1, 1)) for x in range(200)]
    session.annotations.apply("Draw", Change.adding(more))
    settle(qtbot, panel)
    session.annotations.select([more[-1].id])
    assert panel.grid.chosen_places().tolist() == [201]
    assert panel.grid.visualRect(panel.grid.model().index(201, 0)).isValid()
    assert panel.grid.verticalScrollBar().value() > 100
    session.annotations.select(())
    session.select_at(510, 410)
    assert panel.grid.chosen_places().tolist() == [204]


def test_the_choice_outlives_a_new_order_and_a_change(
    qtbot: QtBot, window: MainWindow, session: Session
) -> None:
    panel = window.objects
    click(panel.grid, 1)
    click_header(panel.grid, "Area µm²")
    settle(qtbot, panel)
    assert panel.grid.chosen_places().tolist() == [3]
    session.operations.do("delete")
    settle(qtbot, panel)
    assert panel.grid.chosen_places().tolist() == []
    assert session.annotations.selected == ()


def test_a_double_click_and_return_fly_to_the_object(
    qtbot: QtBot, window: MainWindow, session: Session
) -> None:
    grid = window.objects.grid
    click(grid, 4)
    assert session.viewport.center_l0 != (510, 410)
    QTest.mouseDClick(grid.viewport(), LEFT, NONE, place_of(grid, 4))
    assert session.viewport.center_l0 == (510, 410)
    click(grid, 1)
    qtbot.keyClick(grid, Qt.Key.Key_Return)
    assert session.viewport.center_l0 == (1100, 850)


def test_chosen_rows_are_copied_as_lines_of_cells(
    qtbot: QtBot, window: MainWindow, session: Session
) -> None:
    panel = window.objects
    panel.table.show_columns(["Name", "Area µm²"])
    settle(qtbot, panel)
    click(panel.grid, 0)
    qtbot.keyClick(panel.grid, Qt.Key.Key_C, CTRL)
    assert QGuiApplication.clipboard().text() == "Name\tArea µm²\nLeft\t45000\n"
    panel.grid.clearSelection()
    panel.copy.click()
    assert QGuiApplication.clipboard().text().count("\n") == 6


def test_ticks_show_and_hide_columns(qtbot: QtBot, window: MainWindow, session: Session) -> None:
    panel = window.objects
    panel.columns.refresh()
    rows = panel.columns.list
    ticked = {
        rows.item(row).text(): rows.item(row)
        for row in range(rows.count())
        if rows.item(row).checkState() == Qt.CheckState.Checked
    }
    assert set(ticked) == set(titles(panel.grid))
    ticked["Parent"].setCheckState(Qt.CheckState.Unchecked)
    settle(qtbot, panel)
    assert "Parent" not in titles(panel.grid)
    assert "Kind" in titles(panel.grid)
    panel.columns.reset.click()
    settle(qtbot, panel)
    assert "Parent" in titles(panel.grid)


def test_the_table_is_exported_as_it_is_filtered(
    qtbot: QtBot, window: MainWindow, session: Session, tmp_path: Path
) -> None:
    panel = window.objects
    panel.filter.kind.setCurrentIndex(panel.filter.kind.findText("Annotation"))
    settle(qtbot, panel)
    panel.export.click()
    (dialog,) = window.findChildren(ExportTableDialog)
    assert dialog.filtered.isChecked()
    dialog.file.setText(str(tmp_path / "table.doc"))
    dialog.accept_button.click()
    assert "no table" in dialog.problem.text()
    path = tmp_path / "table.csv"
    path.write_text("older")
    dialog.file.setText(str(path))
    dialog.accept_button.click()
    assert path.read_text() == "older"
    dialog.accept_button.click()
    qtbot.waitUntil(lambda: path.read_text("utf-8-sig").startswith("Kind,"))
    assert len(path.read_text("utf-8-sig").splitlines()) == 3


def test_an_empty_table_says_what_to_do(qtbot: QtBot, window: MainWindow, session: Session) -> None:
    session.close_slide()
    settle(qtbot, window.objects)
    assert not window.objects.grid.isVisible()
    assert window.objects._empty.text().startswith("Open a slide")


def test_a_closed_table_costs_nothing(window: MainWindow) -> None:
    assert window.objects.table.is_live
    window.docks["objects"].hide()
    assert not window.objects.table.is_live


def test_rows_that_follow_one_another_are_one_span() -> None:
    assert spans_of([]) == []
    assert spans_of([3]) == [(3, 3)]
    assert spans_of([0, 1, 2, 5, 7, 8]) == [(0, 2), (5, 5), (7, 8)]
