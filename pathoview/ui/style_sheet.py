"""What Qt is told of a theme: a palette, and a style sheet for what a palette cannot say."""

from __future__ import annotations

from dataclasses import asdict
from string import Template
from typing import TYPE_CHECKING

from PySide6.QtGui import QColor, QPalette

from pathoview.core.paths import resources_folder

if TYPE_CHECKING:
    from pathoview.ui.theme import Theme

_ROLES = {
    QPalette.ColorRole.Window: "surface",
    QPalette.ColorRole.WindowText: "text",
    QPalette.ColorRole.Base: "field",
    QPalette.ColorRole.AlternateBase: "raised",
    QPalette.ColorRole.Text: "text",
    QPalette.ColorRole.Button: "raised",
    QPalette.ColorRole.ButtonText: "text",
    QPalette.ColorRole.BrightText: "error",
    QPalette.ColorRole.ToolTipBase: "raised",
    QPalette.ColorRole.ToolTipText: "text",
    QPalette.ColorRole.PlaceholderText: "muted",
    QPalette.ColorRole.Highlight: "accent",
    QPalette.ColorRole.HighlightedText: "on_accent",
    QPalette.ColorRole.Link: "accent",
    QPalette.ColorRole.LinkVisited: "accent",
    QPalette.ColorRole.Accent: "accent",
    QPalette.ColorRole.Light: "line",
    QPalette.ColorRole.Midlight: "line",
    QPalette.ColorRole.Mid: "field",
    QPalette.ColorRole.Dark: "field",
    QPalette.ColorRole.Shadow: "shadow",
}
_TEXT_ROLES = (
    QPalette.ColorRole.WindowText,
    QPalette.ColorRole.Text,
    QPalette.ColorRole.ButtonText,
)

_SHEET = Template("""
QToolTip { color: $text; background: $raised; border: 1px solid $line; padding: 4px 6px; }
QMainWindow::separator { background: $canvas; width: 4px; height: 4px; }
QMainWindow::separator:hover { background: $accent; }
QSplitter::handle { background: $canvas; }
QSplitter::handle:hover, QSplitter::handle:pressed { background: $accent; }
QMenuBar { padding: 2px 4px; }
QMenuBar::item { padding: 4px 8px; border-radius: 4px; background: transparent; }
QMenuBar::item:selected { background: $line; }
QMenu { background: $raised; border: 1px solid $line; padding: 4px; }
QMenu::item { padding: 5px 24px 5px 12px; border-radius: 4px; }
QMenu::item:selected { background: $accent; color: $on_accent; }
QMenu::item:disabled { color: $faint; background: transparent; }
QMenu::separator { height: 1px; background: $line; margin: 4px 8px; }
QMenu::icon { padding-left: 8px; }
QToolBar { border: none; border-bottom: 1px solid $field; padding: 4px 8px; spacing: 4px; }
QToolBar#tool_strip { border: none; border-right: 1px solid $field; padding: 6px 2px;
    spacing: 1px; }
QToolBar#tool_strip::separator { height: 1px; width: 0; margin: 3px 6px; }
QToolBar::separator { background: $line; width: 1px; margin: 6px 6px; }
QToolButton { border: 1px solid transparent; border-radius: 4px; padding: 4px 6px; }
QToolBar#tool_strip QToolButton { padding: 2px 6px; }
QToolButton:hover { background: $line; }
QToolButton:checked { background: $line; border-color: $accent; }
QToolButton:focus { border-color: $accent; }
QToolButton:checked:focus { border-color: $text; }
QToolButton[quiet="true"]:checked { background: transparent; border-color: transparent; }
QToolButton[quiet="true"]:checked:focus { border-color: $accent; }
QToolButton[popupMode="2"] { padding-right: 20px; }
QToolButton::menu-indicator { image: url($icons/chevron-down.svg); width: 12px; height: 12px;
    subcontrol-origin: padding; subcontrol-position: right center; right: 4px; }
QToolButton[bare="true"] { padding: 4px 6px; }
QToolButton[bare="true"]::menu-indicator { image: none; }
QToolButton[primary="true"] { background: $accent; color: $on_accent; font-weight: 600;
    padding: 5px 12px; }
QToolButton[primary="true"]:hover { background: $accent_hover; }
QToolButton[primary="true"]:focus { border-color: $text; }
QToolButton[primary="true"]:disabled { background: $raised; color: $faint; }
QPushButton { background: $raised; border: 1px solid $line; border-radius: 4px;
    padding: 5px 12px; }
QPushButton:hover { background: $line; }
QPushButton:pressed { background: $field; }
QPushButton:focus { border-color: $accent; }
QPushButton:disabled { color: $faint; background: $surface; }
QPushButton[primary="true"] { background: $accent; color: $on_accent; border-color: $accent;
    font-weight: 600; padding: 7px 16px; }
QPushButton[primary="true"]:hover { background: $accent_hover; }
QPushButton[primary="true"]:pressed { background: $accent_pressed; }
QPushButton[primary="true"]:focus { border: 1px solid $text; }
QPushButton[primary="true"]:disabled { background: $line; color: $faint; border-color: $line; }
QComboBox, QAbstractSpinBox, QLineEdit { background: $field; border: 1px solid $line;
    border-radius: 4px; padding: 3px 6px; selection-background-color: $accent;
    selection-color: $on_accent; }
QComboBox:hover, QAbstractSpinBox:hover, QLineEdit:hover { border-color: $faint; }
QComboBox:focus, QAbstractSpinBox:focus, QLineEdit:focus { border-color: $accent; }
QComboBox:disabled, QAbstractSpinBox:disabled { color: $faint; background: $surface; }
QComboBox QLineEdit { border: none; padding: 0; background: transparent; }
QAbstractSpinBox QLineEdit { border: none; padding: 0; background: transparent; }
QComboBox::drop-down { border: none; width: 20px; }
QComboBox::down-arrow { image: url($icons/chevron-down.svg); width: 14px; height: 14px; }
QComboBox QAbstractItemView { background: $raised; border: 1px solid $line; padding: 4px;
    outline: none; }
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button { border: none; width: 18px;
    background: transparent; }
QAbstractSpinBox::up-button:hover, QAbstractSpinBox::down-button:hover { background: $line; }
QAbstractSpinBox::up-arrow { image: url($icons/chevron-up.svg); width: 10px; height: 10px; }
QAbstractSpinBox::down-arrow { image: url($icons/chevron-down.svg); width: 10px;
    height: 10px; }
QCheckBox, QRadioButton { spacing: 8px; }
QCheckBox::indicator, QListView::indicator, QRadioButton::indicator { width: 14px; height: 14px;
    background: $field; border: 1px solid $faint; border-radius: 4px; }
QRadioButton::indicator { border-radius: 8px; }
QCheckBox::indicator:hover, QRadioButton::indicator:hover, QCheckBox::indicator:focus,
QRadioButton::indicator:focus { border-color: $accent; }
QCheckBox::indicator:checked, QListView::indicator:checked { background: $accent;
    border-color: $accent; image: url($icons/check-$name.svg); }
QRadioButton::indicator:checked {
    background: qradialgradient(cx:0.5, cy:0.5, fx:0.5, fy:0.5, radius:0.5,
    stop:0 $accent, stop:0.55 $accent, stop:0.62 $field, stop:1 $field);
    border-color: $accent; }
QCheckBox::indicator:checked:focus, QRadioButton::indicator:checked:focus {
    border: 2px solid $text; }
QCheckBox::indicator:disabled, QRadioButton::indicator:disabled { border-color: $line;
    background: $surface; }
QSlider { min-height: 20px; }
QSlider::groove:horizontal { height: 4px; background: $line; border-radius: 2px; }
QSlider::sub-page:horizontal { background: $muted; border-radius: 2px; }
QSlider::sub-page:horizontal:disabled { background: $line; }
QSlider::handle:horizontal { width: 12px; height: 12px; margin: -4px 0; border-radius: 6px;
    background: $text; }
QSlider::handle:horizontal:hover { background: $accent; }
QSlider::handle:horizontal:focus { background: $accent; border: 2px solid $text; }
QSlider::handle:horizontal:disabled { background: $faint; }
QListView, QTreeView, QPlainTextEdit, QTextBrowser { border: 1px solid $line; border-radius: 4px;
    background: $field; padding: 4px; outline: none; }
QListView:focus, QTreeView:focus, QPlainTextEdit:focus,
QTextBrowser:focus { border-color: $accent; }
QListView::item, QTreeView::item { padding: 5px 8px; border-radius: 4px; }
QTreeView::item { border-radius: 0; }
QTreeView[role="tight"]::item { padding: 5px 3px; }
QListView::item:selected, QTreeView::item:selected { background: $line; color: $text; }
QListView::item:hover, QTreeView::item:hover { background: $raised; }
QTableView { border: 1px solid $line; border-radius: 4px; background: $field;
    alternate-background-color: $surface; outline: none; }
QTableView:focus { border-color: $accent; }
QTableView::item { padding: 0 8px; }
QTableView::item:selected { background: $line; color: $text; }
QHeaderView { background: $surface; }
QHeaderView::up-arrow { image: url($icons/chevron-up.svg); width: 10px; height: 8px;
    subcontrol-position: top center; }
QHeaderView::down-arrow { image: url($icons/chevron-down.svg); width: 10px; height: 8px;
    subcontrol-position: top center; }
QHeaderView::section { background: transparent; color: $muted; border: none;
    border-bottom: 1px solid $line; padding: 4px 8px; }
QDockWidget { titlebar-close-icon: none; font-weight: 600; }
QDockWidget::title { background: $surface; padding: 8px 8px 4px 12px; }
QTabBar::tab { background: transparent; color: $muted; padding: 6px 12px;
    border-bottom: 2px solid transparent; }
QTabBar[dense="true"]::tab { padding: 6px 7px; }
QTabBar::tab:selected { color: $text; border-bottom-color: $accent; }
QTabBar::tab:hover { color: $text; }
QTabBar::tab:selected:focus { background: $accent; color: $on_accent; }
QScrollArea, QScrollArea > QWidget > QWidget { border: none; background: transparent; }
QScrollBar:vertical { width: 10px; background: transparent; margin: 0; }
QScrollBar:horizontal { height: 10px; background: transparent; margin: 0; }
QScrollBar::handle { background: $line; border-radius: 4px; margin: 1px; min-height: 24px;
    min-width: 24px; }
QScrollBar::handle:hover { background: $faint; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
QProgressBar { background: $field; border: none; border-radius: 3px; max-height: 6px; }
QProgressBar::chunk { background: $accent; border-radius: 3px; }
QStatusBar { border-top: 1px solid $field; }
QStatusBar::item { border: none; }
QStatusBar, QStatusBar QLabel { color: $muted; padding: 0 4px; }
QLabel[role="heading"] { color: $muted; font-weight: 600; }
QLabel[role="muted"] { color: $muted; }
QLabel[role="small"] { color: $muted; font-size: 9pt; }
QLabel[role="figure"] { font-size: 15pt; font-weight: 600; }
QLabel[role="title"] { font-size: 13pt; font-weight: 600; }
QFrame[role="card"] { background: $raised; border: 1px solid $line; border-radius: 6px; }
QLabel[role="warning"] { color: $warning; }
QFrame[role="notice"] { background: $raised; border: 1px solid $line; border-radius: 6px;
    border-left: 3px solid $accent; }
QFrame[role="notice"][level="warning"] { border-left-color: $warning; }
QFrame[role="notice"][level="error"] { border-left-color: $error; }
QWidget[role="welcome"] { background: $canvas; }
QFrame[role="line"] { background: $line; max-height: 1px; border: none; }
""")


def palette(theme: Theme) -> QPalette:
    """Return the colours of all ordinary parts."""
    colors = QPalette()
    for role, token in _ROLES.items():
        colors.setColor(role, QColor(getattr(theme, token)))
    for role in _TEXT_ROLES:
        colors.setColor(QPalette.ColorGroup.Disabled, role, QColor(theme.faint))
    colors.setColor(QPalette.ColorGroup.Disabled, QPalette.ColorRole.Highlight, QColor(theme.line))
    return colors


def style_sheet(theme: Theme) -> str:
    """Return what is added to the palette."""
    icons = (resources_folder() / "icons").as_posix()
    return _SHEET.substitute(asdict(theme), icons=icons)
