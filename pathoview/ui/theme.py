"""How the window looks: one calm dark surface, one accent, text of 10 pt on a grid of 8 px.

Tissue is the brightest thing on screen. The palette works on every platform of Qt; the style
sheet only adds what a palette cannot say.
"""

from __future__ import annotations

from PySide6.QtGui import QColor, QFont, QPalette
from PySide6.QtWidgets import QApplication

from pathoview.core.paths import resources_folder

CANVAS = "#141518"
SURFACE = "#1e1f22"
RAISED = "#26282c"
FIELD = "#17181b"
LINE = "#35373c"
TEXT = "#d7d9de"
MUTED = "#9499a3"
FAINT = "#62666f"
ACCENT = "#5ba8e5"
ON_ACCENT = "#0d1620"
WARNING = "#e8b34b"
ERROR = "#f07167"
SUCCESS = "#7cc08a"

GRID = 8
"""Every distance in the window is a multiple or half of it, px."""
FONT_POINTS = 10.0

_ROLES = {
    QPalette.ColorRole.Window: SURFACE,
    QPalette.ColorRole.WindowText: TEXT,
    QPalette.ColorRole.Base: FIELD,
    QPalette.ColorRole.AlternateBase: RAISED,
    QPalette.ColorRole.Text: TEXT,
    QPalette.ColorRole.Button: RAISED,
    QPalette.ColorRole.ButtonText: TEXT,
    QPalette.ColorRole.BrightText: ERROR,
    QPalette.ColorRole.ToolTipBase: RAISED,
    QPalette.ColorRole.ToolTipText: TEXT,
    QPalette.ColorRole.PlaceholderText: FAINT,
    QPalette.ColorRole.Highlight: ACCENT,
    QPalette.ColorRole.HighlightedText: ON_ACCENT,
    QPalette.ColorRole.Link: ACCENT,
    QPalette.ColorRole.LinkVisited: ACCENT,
    QPalette.ColorRole.Accent: ACCENT,
    QPalette.ColorRole.Light: LINE,
    QPalette.ColorRole.Midlight: LINE,
    QPalette.ColorRole.Mid: FIELD,
    QPalette.ColorRole.Dark: FIELD,
    QPalette.ColorRole.Shadow: "#0c0d0f",
}
_TEXT_ROLES = (
    QPalette.ColorRole.WindowText,
    QPalette.ColorRole.Text,
    QPalette.ColorRole.ButtonText,
)

_STYLE_SHEET = f"""
QToolTip {{ color: {TEXT}; background: {RAISED}; border: 1px solid {LINE}; padding: 4px 6px; }}
QMainWindow::separator {{ background: {CANVAS}; width: 4px; height: 4px; }}
QMainWindow::separator:hover {{ background: {ACCENT}; }}
QMenuBar {{ padding: 2px 4px; }}
QMenuBar::item {{ padding: 4px 8px; border-radius: 4px; background: transparent; }}
QMenuBar::item:selected {{ background: {LINE}; }}
QMenu {{ background: {RAISED}; border: 1px solid {LINE}; padding: 4px; }}
QMenu::item {{ padding: 5px 24px 5px 12px; border-radius: 4px; }}
QMenu::item:selected {{ background: {ACCENT}; color: {ON_ACCENT}; }}
QMenu::item:disabled {{ color: {FAINT}; background: transparent; }}
QMenu::separator {{ height: 1px; background: {LINE}; margin: 4px 8px; }}
QMenu::icon {{ padding-left: 8px; }}
QToolBar {{ border: none; border-bottom: 1px solid {FIELD}; padding: 4px 8px; spacing: 4px; }}
QToolBar::separator {{ background: {LINE}; width: 1px; margin: 6px 6px; }}
QToolButton {{ border: 1px solid transparent; border-radius: 4px; padding: 4px 6px; }}
QToolButton:hover {{ background: {LINE}; }}
QToolButton:checked {{ background: {LINE}; border-color: {ACCENT}; }}
QToolButton:focus {{ border-color: {ACCENT}; }}
QToolButton[quiet="true"]:checked {{ background: transparent; border-color: transparent; }}
QToolButton[quiet="true"]:checked:focus {{ border-color: {ACCENT}; }}
QToolButton[primary="true"] {{ background: {ACCENT}; color: {ON_ACCENT}; font-weight: 600;
    padding: 5px 12px; }}
QToolButton[primary="true"]:hover {{ background: #76b8ec; }}
QToolButton[primary="true"]:focus {{ border-color: {TEXT}; }}
QToolButton[primary="true"]:disabled {{ background: {RAISED}; color: {FAINT}; }}
QPushButton {{ background: {RAISED}; border: 1px solid {LINE}; border-radius: 4px;
    padding: 5px 12px; }}
QPushButton:hover {{ background: {LINE}; }}
QPushButton:pressed {{ background: {FIELD}; }}
QPushButton:focus {{ border-color: {ACCENT}; }}
QPushButton:disabled {{ color: {FAINT}; background: {SURFACE}; }}
QPushButton[primary="true"] {{ background: {ACCENT}; color: {ON_ACCENT}; border-color: {ACCENT};
    font-weight: 600; padding: 7px 16px; }}
QPushButton[primary="true"]:hover {{ background: #76b8ec; }}
QPushButton[primary="true"]:pressed {{ background: #4b93cb; }}
QPushButton[primary="true"]:focus {{ border: 1px solid {TEXT}; }}
QPushButton[primary="true"]:disabled {{ background: {LINE}; color: {FAINT}; border-color: {LINE}; }}
QComboBox, QAbstractSpinBox, QLineEdit {{ background: {FIELD}; border: 1px solid {LINE};
    border-radius: 4px; padding: 3px 6px; selection-background-color: {ACCENT};
    selection-color: {ON_ACCENT}; }}
QComboBox:hover, QAbstractSpinBox:hover, QLineEdit:hover {{ border-color: {FAINT}; }}
QComboBox:focus, QAbstractSpinBox:focus, QLineEdit:focus {{ border-color: {ACCENT}; }}
QComboBox:disabled, QAbstractSpinBox:disabled {{ color: {FAINT}; background: {SURFACE}; }}
QComboBox QLineEdit {{ border: none; padding: 0; background: transparent; }}
QAbstractSpinBox QLineEdit {{ border: none; padding: 0; background: transparent; }}
QComboBox::drop-down {{ border: none; width: 20px; }}
QComboBox::down-arrow {{ image: url({{icons}}/chevron-down.svg); width: 14px; height: 14px; }}
QComboBox QAbstractItemView {{ background: {RAISED}; border: 1px solid {LINE}; padding: 4px;
    outline: none; }}
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button {{ border: none; width: 18px;
    background: transparent; }}
QAbstractSpinBox::up-button:hover, QAbstractSpinBox::down-button:hover {{ background: {LINE}; }}
QAbstractSpinBox::up-arrow {{ image: url({{icons}}/chevron-up.svg); width: 10px; height: 10px; }}
QAbstractSpinBox::down-arrow {{ image: url({{icons}}/chevron-down.svg); width: 10px;
    height: 10px; }}
QCheckBox, QRadioButton {{ spacing: 8px; }}
QCheckBox::indicator, QRadioButton::indicator {{ width: 14px; height: 14px; background: {FIELD};
    border: 1px solid {FAINT}; border-radius: 4px; }}
QRadioButton::indicator {{ border-radius: 8px; }}
QCheckBox::indicator:hover, QRadioButton::indicator:hover, QCheckBox::indicator:focus,
QRadioButton::indicator:focus {{ border-color: {ACCENT}; }}
QCheckBox::indicator:checked {{ background: {ACCENT}; border-color: {ACCENT};
    image: url({{icons}}/check.svg); }}
QRadioButton::indicator:checked {{
    background: qradialgradient(cx:0.5, cy:0.5, fx:0.5, fy:0.5, radius:0.5,
    stop:0 {ACCENT}, stop:0.55 {ACCENT}, stop:0.62 {FIELD}, stop:1 {FIELD});
    border-color: {ACCENT}; }}
QCheckBox::indicator:disabled, QRadioButton::indicator:disabled {{ border-color: {LINE};
    background: {SURFACE}; }}
QSlider {{ min-height: 20px; }}
QSlider::groove:horizontal {{ height: 4px; background: {LINE}; border-radius: 2px; }}
QSlider::sub-page:horizontal {{ background: {MUTED}; border-radius: 2px; }}
QSlider::sub-page:horizontal:disabled {{ background: {LINE}; }}
QSlider::handle:horizontal {{ width: 12px; height: 12px; margin: -4px 0; border-radius: 6px;
    background: {TEXT}; }}
QSlider::handle:horizontal:hover, QSlider::handle:horizontal:focus {{ background: {ACCENT}; }}
QSlider::handle:horizontal:disabled {{ background: {FAINT}; }}
QListView, QTreeView, QPlainTextEdit, QTextBrowser {{ border: 1px solid {LINE}; border-radius: 4px;
    background: {FIELD}; padding: 4px; outline: none; }}
QListView:focus, QTreeView:focus, QPlainTextEdit:focus {{ border-color: {ACCENT}; }}
QListView::item, QTreeView::item {{ padding: 5px 8px; border-radius: 4px; }}
QListView::item:selected, QTreeView::item:selected {{ background: {LINE}; color: {TEXT}; }}
QListView::item:hover, QTreeView::item:hover {{ background: {RAISED}; }}
QDockWidget {{ titlebar-close-icon: none; font-weight: 600; }}
QDockWidget::title {{ background: {SURFACE}; padding: 8px 8px 4px 12px; }}
QTabBar::tab {{ background: transparent; color: {MUTED}; padding: 6px 12px;
    border-bottom: 2px solid transparent; }}
QTabBar::tab:selected {{ color: {TEXT}; border-bottom-color: {ACCENT}; }}
QTabBar::tab:hover {{ color: {TEXT}; }}
QTabBar::tab:focus {{ background: {LINE}; }}
QScrollArea, QScrollArea > QWidget > QWidget {{ border: none; background: transparent; }}
QScrollBar:vertical {{ width: 10px; background: transparent; margin: 0; }}
QScrollBar:horizontal {{ height: 10px; background: transparent; margin: 0; }}
QScrollBar::handle {{ background: {LINE}; border-radius: 4px; margin: 1px; min-height: 24px;
    min-width: 24px; }}
QScrollBar::handle:hover {{ background: {FAINT}; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
QProgressBar {{ background: {FIELD}; border: none; border-radius: 3px; max-height: 6px; }}
QProgressBar::chunk {{ background: {ACCENT}; border-radius: 3px; }}
QStatusBar {{ border-top: 1px solid {FIELD}; }}
QStatusBar::item {{ border: none; }}
QStatusBar, QStatusBar QLabel {{ color: {MUTED}; padding: 0 4px; }}
QLabel[role="heading"] {{ color: {MUTED}; font-weight: 600; }}
QLabel[role="muted"] {{ color: {MUTED}; }}
QLabel[role="small"] {{ color: {MUTED}; font-size: 9pt; }}
QLabel[role="figure"] {{ font-size: 15pt; font-weight: 600; }}
QLabel[role="title"] {{ font-size: 13pt; font-weight: 600; }}
QFrame[role="card"] {{ background: {RAISED}; border: 1px solid {LINE}; border-radius: 6px; }}
QFrame[role="line"] {{ background: {LINE}; max-height: 1px; border: none; }}
"""


def palette() -> QPalette:
    """Return the dark palette."""
    colors = QPalette()
    for role, color in _ROLES.items():
        colors.setColor(role, QColor(color))
    for role in _TEXT_ROLES:
        colors.setColor(QPalette.ColorGroup.Disabled, role, QColor(FAINT))
    colors.setColor(QPalette.ColorGroup.Disabled, QPalette.ColorRole.Highlight, QColor(LINE))
    return colors


def apply_theme(application: QApplication) -> None:
    """Give the whole application its look."""
    application.setStyle("Fusion")
    application.setPalette(palette())
    font = QFont(application.font())
    font.setPointSizeF(FONT_POINTS)
    application.setFont(font)
    icons = (resources_folder() / "icons").as_posix()
    application.setStyleSheet(_STYLE_SHEET.replace("{icons}", icons))
