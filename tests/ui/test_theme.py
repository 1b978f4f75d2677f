from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest
from hands import picture
from PySide6.QtCore import QSize
from PySide6.QtGui import QColor, QIcon
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

import pathoview.ui
from pathoview.session.commands import run_command
from pathoview.session.session import Session
from pathoview.ui import icons, theme
from pathoview.ui.dialogs.settings import SettingsDialog
from pathoview.ui.main_window import MainWindow
from pathoview.ui.panels.histogram import Histogram
from pathoview.ui.theme import THEMES, Theme
from pathoview.ui.widgets import Sign

GROUNDS = ("surface", "raised", "field", "line")
INKS = ("text", "muted", "accent", "warning", "error", "success")
_NOT_ON_LINES = {"muted", "accent", "warning", "error", "success"}
_DRAWN_OVER_THE_PICTURE = {
    *("canvas.py", "canvas_painting.py", "overview.py"),
    *("curtain.py", "curtain_handle.py", "linked_cursor.py", "turn_chip.py"),
    *("landmark_painting.py", "tile_painting.py"),
}


def luminance(color: str) -> float:
    """Return the relative luminance of WCAG 2, 0–1."""
    parts = QColor(color).getRgbF()[:3]
    red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    bright, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("colors", THEMES.values(), ids=THEMES)
def test_text_is_easily_read_on_every_ground(colors: Theme) -> None:
    pairs = [
        (getattr(colors, ink), getattr(colors, ground), f"{ink} on {ground}")
        for ink, ground in itertools.product(INKS, GROUNDS)
        if not (ground == "line" and ink in _NOT_ON_LINES)
    ]
    for ground in ("accent", "accent_hover", "accent_pressed"):
        pairs.append((colors.on_accent, getattr(colors, ground), f"on_accent on {ground}"))
    pairs += [(colors.text, colors.canvas, "welcome"), (colors.muted, colors.canvas, "welcome")]
    too_weak = [name for ink, ground, name in pairs if contrast(ink, ground) < 4.5]
    assert not too_weak


@pytest.mark.parametrize("colors", THEMES.values(), ids=THEMES)
def test_the_focus_is_easily_seen(colors: Theme) -> None:
    for ground in (colors.surface, colors.raised, colors.field, colors.canvas):
        assert contrast(colors.accent, ground) >= 3


def test_only_what_lies_over_the_picture_has_the_same_colours_in_every_theme() -> None:
    folder = Path(next(iter(pathoview.ui.__path__)))
    fixed = re.compile(r"\btheme\.(?!GRID\b|FONT_POINTS\b|THEMES\b|DARK\b|LIGHT\b)[A-Z_]+\b")
    wrong = {
        f"{path.name}: {found.group()}"
        for path in folder.rglob("*.py")
        if path.name not in _DRAWN_OVER_THE_PICTURE
        for found in fixed.finditer(path.read_text("utf-8"))
    }
    assert not wrong, "ask theme.current() when it is painted"


def test_an_icon_follows_the_theme(qapp: QApplication) -> None:
    icon, size = icons.icon("open"), QSize(20, 20)

    def darkest() -> float:
        image = icon.pixmap(size, 1.0).toImage()
        inked = (
            image.pixelColor(x, y).lightnessF()
            for x in range(image.width())
            for y in range(image.height())
            if image.pixelColor(x, y).alphaF() > 0.9
        )
        return min(inked)

    assert darkest() > 0.5
    theme.apply_theme(qapp, "light")
    assert darkest() < 0.5
    shown = icon.pixmap(size, 1.0, QIcon.Mode.Normal, QIcon.State.On).toImage()
    tints = {
        shown.pixelColor(x, y).name()
        for x in range(shown.width())
        for y in range(shown.height())
        if shown.pixelColor(x, y).alpha() == 255
    }
    assert theme.LIGHT.accent in tints


def test_an_icon_is_sharp_on_a_fine_screen(qapp: QApplication) -> None:
    assert icons.icon("open").pixmap(QSize(20, 20), 1.5).size() == QSize(30, 30)


def test_a_sign_follows_the_theme(qtbot: QtBot, qapp: QApplication) -> None:
    sign = Sign("warning", "warning")
    qtbot.addWidget(sign)
    sign.show()
    before = picture(sign)
    theme.apply_theme(qapp, "light")
    assert abs(picture(sign).astype(int) - before).max() > 50


def test_a_plot_follows_the_theme(qtbot: QtBot, qapp: QApplication) -> None:
    import numpy as np

    histogram = Histogram()
    qtbot.addWidget(histogram)
    histogram.show_values("Area", np.linspace(0, 9, 500, dtype=np.float32))
    histogram.resize(300, 180)
    histogram.show()
    qtbot.waitExposed(histogram)

    def has(color: str) -> bool:
        return bool((picture(histogram) == QColor(color).getRgb()[:3]).all(axis=-1).any())

    assert has(theme.DARK.accent)
    theme.apply_theme(qapp, "light")
    assert has(theme.LIGHT.accent)
    assert not has(theme.DARK.accent)
    assert not has(theme.DARK.surface), "its background too"


def test_the_theme_is_switched_by_command_and_by_the_settings_and_kept(
    qtbot: QtBot, session: Session
) -> None:
    session.settings.accepted_research_use = True
    window = MainWindow(session)
    qtbot.addWidget(window)
    window.show()
    run_command(session, "file.settings")
    (dialog,) = window.findChildren(SettingsDialog)
    action = window.actions_by_id["window.theme"]
    assert not action.isChecked()
    action.trigger()
    assert (session.settings.theme, theme.current()) == ("light", theme.LIGHT)
    assert action.isChecked()
    assert dialog.theme.currentData() == "light"
    assert window.palette().window().color().name() == theme.LIGHT.surface
    qtbot.keyClick(dialog.theme, "D")
    dialog.theme.activated.emit(dialog.theme.currentIndex())
    assert (session.settings.theme, theme.current()) == ("dark", theme.DARK)
    assert not action.isChecked()
    dialog.close()
    window.close()
