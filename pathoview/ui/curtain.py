"""The curtain of one canvas: its line, the names of both sides, and how both pictures are drawn."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QEvent, QObject, QPointF, QRect, Qt
from PySide6.QtGui import QColor, QKeyEvent, QPainter
from PySide6.QtWidgets import QMenu, QToolButton, QWidget

from pathoview.core.translation import _
from pathoview.layers.frame import Frame
from pathoview.layers.layer import Layer
from pathoview.session.pointing import leave
from pathoview.session.session import Session
from pathoview.session.view import View
from pathoview.ui import canvas_painting as furniture
from pathoview.ui import theme
from pathoview.ui.curtain_handle import WIDTH, CurtainHandle
from pathoview.ui.links import Links
from pathoview.ui.picture_painting import draw_picture

_STEPS = {Qt.Key.Key_Left: -0.02, Qt.Key.Key_Right: 0.02}
_TOP = round(furniture.MARGIN + furniture.CHIP_HEIGHT + theme.GRID)
"""Below the chips in the corners of the canvas."""
_GAP = 12
"""Between the line and the names beside it."""
_NARROWEST, _WIDEST = 72, 240
"""A name has at least and at most this much room."""
_BUTTON_PAD = 32
_BUTTON_STYLE = f"""
QToolButton {{ background: rgba(20, 21, 24, 200); color: {theme.TEXT}; border-radius: 4px;
    border: 1px solid transparent; padding: 2px 22px 2px 8px; }}
QToolButton:hover {{ background: {theme.LINE}; }}
QToolButton:focus {{ border-color: {theme.ACCENT}; }}
"""


def draw_view(painter: QPainter, view: View, frame: Frame, around: QColor) -> None:
    """Copy what is composed of a view, and of the other picture where that is to be seen."""
    curtain, own = view.curtain, view.compositor.picture
    other = curtain.picture
    if other is None:
        draw_picture(painter, own, frame, around)
        return
    line = 0 if curtain.is_flicked else round(curtain.position * frame.width)
    for picture, left, right in ((own, 0, line), (other, line, frame.width)):
        if right > left:
            painter.save()
            painter.setClipRect(QRect(left, 0, right - left, frame.height))
            draw_picture(painter, picture, frame, around)
            painter.restore()


class CurtainControl(QObject):
    """Moves a view's curtain by hand and keys; shows which layer is on which side."""

    def __init__(self, canvas: QWidget, session: Session, view: View, overview: QWidget) -> None:
        super().__init__(canvas)
        self._canvas = canvas
        self._overview = overview
        self._session = session
        self._curtain = view.curtain
        self.handle = CurtainHandle(canvas)
        self.left_button = self._name_button(self._fill_left)
        self.right_button = self._name_button(self._fill_right)
        self.handle.dragged.connect(self._on_dragged)
        self.handle.stepped.connect(self._step)
        self.handle.sent.connect(partial(setattr, self._curtain, "position"))
        self.handle.cancelled.connect(lambda: leave(session))
        self.links = Links()
        self.links.add(self._curtain.changed, self._on_changed)
        self.links.add(session.layers_changed, self._on_changed)  # a name may be another one
        self.links.add(self._curtain.moved, self._on_moved)

    def _name_button(self, fill: object) -> QToolButton:
        button, menu = QToolButton(self._canvas), QMenu(self._canvas)
        menu.aboutToShow.connect(fill)
        button.setMenu(menu)
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        button.setCursor(Qt.CursorShape.ArrowCursor)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.setStyleSheet(_BUTTON_STYLE)
        button.hide()
        return button

    # -- what is seen --------------------------------------------------------------------------

    def arrange(self) -> None:
        """Put the line and the names where they belong: at the top, or below the overview."""
        curtain, width = self._curtain, self._canvas.width()
        x = round(curtain.position * width)
        self.handle.setGeometry(x - WIDTH // 2, 0, WIDTH, self._canvas.height())
        is_seen = curtain.is_drawn and not curtain.is_flicked
        self.handle.setVisible(is_seen)
        rooms = (x - _GAP - theme.GRID, width - x - _GAP - theme.GRID)
        names = (curtain.left_name, curtain.right_name)
        buttons = (self.left_button, self.right_button)
        for button, name, room in zip(buttons, names, rooms, strict=True):
            _write(button, name, max(_NARROWEST, min(room, _WIDEST)))
            button.setVisible(is_seen and room >= _NARROWEST)
        right_x = x + _GAP
        end = right_x + self.right_button.width()
        is_hidden = self._overview.isVisible() and end > self._overview.geometry().left()
        top = self._overview.geometry().bottom() + theme.GRID if is_hidden else _TOP
        self.left_button.move(x - _GAP - self.left_button.width(), top)
        self.right_button.move(right_x, top)

    def draw(self, painter: QPainter) -> None:
        """Say what is shown while the other picture fills the view."""
        if self._curtain.is_flicked:
            middle = QPointF(self._canvas.width() / 2, _TOP)
            name = self._curtain.right_name
            furniture.draw_chip(painter, name, middle, theme.ACCENT, anchor="middle")

    def _on_changed(self) -> None:
        for button, side in (
            (
                self.left_button,
                _("Left of the curtain: {name}").format(name=self._curtain.left_name),
            ),
            (
                self.right_button,
                _("Right of the curtain: {name}").format(name=self._curtain.right_name),
            ),
        ):
            button.setToolTip(side)
            button.setAccessibleName(side)
        self.arrange()

    def _on_moved(self) -> None:
        """Have only what the curtain has swept over painted again."""
        before = self.handle.geometry()
        self.arrange()
        self._canvas.update(before.united(self.handle.geometry()))

    # -- the menus -----------------------------------------------------------------------------

    def _fill_left(self) -> None:
        curtain, menu = self._curtain, self.left_button.menu()
        menu.clear()
        for layer in reversed(curtain.candidates):
            right = None if layer is curtain.right else curtain.right
            self._add(menu, layer.name, layer is curtain.left, layer, right)
        self._add_end(menu)

    def _fill_right(self) -> None:
        curtain, menu = self._curtain, self.right_button.menu()
        menu.clear()
        without = _("Without {name}").format(name=curtain.left_name)
        self._add(menu, without, curtain.right is None, curtain.left, None)
        for layer in reversed(curtain.candidates):
            if layer is not curtain.left:
                self._add(menu, layer.name, layer is curtain.right, curtain.left, layer)
        self._add_end(menu)

    def _add(
        self, menu: QMenu, name: str, is_chosen: bool, left: Layer | None, right: Layer | None
    ) -> None:
        action = menu.addAction(name)
        action.setCheckable(True)
        action.setChecked(is_chosen)
        action.triggered.connect(lambda: self._curtain.choose(left, right))

    def _add_end(self, menu: QMenu) -> None:
        menu.addSeparator()
        menu.addAction(_("Take the curtain away")).triggered.connect(self._curtain.end)

    # -- hand and keys -------------------------------------------------------------------------

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Move the curtain by Shift and an arrow key on the canvas."""
        is_press = event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent)
        if not is_press or not self._curtain.is_drawn:
            return False
        assert isinstance(event, QKeyEvent)
        step = _STEPS.get(Qt.Key(event.key()))
        if step is None or event.modifiers() != Qt.KeyboardModifier.ShiftModifier:
            return False
        self._step(step)
        return True

    def _on_dragged(self, x_view: float) -> None:
        self._curtain.position = x_view / max(1, self._canvas.width())

    def _step(self, share: float) -> None:
        self._curtain.position += share


def _write(button: QToolButton, name: str, width: int) -> None:
    """Write as much of a name on a button as fits."""
    room, metrics = width - _BUTTON_PAD, button.fontMetrics()
    button.setText(metrics.elidedText(name, Qt.TextElideMode.ElideRight, room))
    button.setFixedWidth(min(width, metrics.horizontalAdvance(button.text()) + _BUTTON_PAD))
