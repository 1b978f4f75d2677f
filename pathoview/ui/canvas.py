"""The slide on screen: copies what the compositor has made, and writes calm furniture over it.

A change of the view orders another picture from the view's compositor; paint events copy the last
one that is there to where it belongs now. Nothing is read, decoded or blended in this thread.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, Qt, QTimer
from PySide6.QtGui import QColor, QFocusEvent, QHelpEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QApplication, QToolTip, QWidget

from pathoview.core.geometry import Rect
from pathoview.core.translation import _
from pathoview.layers.backdrop import Backdrop
from pathoview.layers.frame import Frame
from pathoview.layers.layer import Layer
from pathoview.layers.scale_bar import scale_bar
from pathoview.session.commands import run_command
from pathoview.session.session import Session
from pathoview.session.view import View
from pathoview.ui import canvas_painting as furniture
from pathoview.ui import gl_surface, theme
from pathoview.ui.curtain import CurtainControl, draw_view
from pathoview.ui.drawing_painting import DrawingPainting
from pathoview.ui.drops import Drops
from pathoview.ui.gestures import Gestures
from pathoview.ui.gl_surface import GlSurface
from pathoview.ui.glide import Glide
from pathoview.ui.grid_painting import draw_grid
from pathoview.ui.landmark_painting import draw_landmarks
from pathoview.ui.linked_cursor import LinkedCursor
from pathoview.ui.links import Links
from pathoview.ui.mark_painting import MarkPainting
from pathoview.ui.overview import Overview
from pathoview.ui.plane_bar import PlaneBar
from pathoview.ui.screening_bar import ScreeningBar
from pathoview.ui.tile_painting import draw_chosen_tile
from pathoview.ui.turn_chip import TurnChip
from pathoview.ui.welcome import Welcome

_REST_MS = 150
"""So long after the last movement one has come to rest."""
_MESSAGE_MS = 1200
_MOST_SHARE = 0.42
"""A canvas of which a piece of furniture would take more of a side does without it."""
_MARGIN = round(furniture.MARGIN)
_BOTTOM_ROW = 48
"""Height kept for the scale bar and the cursor's place."""
_NARROW, _ROOMY = 420, 600
"""A canvas less wide has no room for the cursor's place, or not for both px and µm."""
_POSITION_STRIP = QRect(-560, -48, 560, 48)
_KEYBOARD_REASONS = (
    Qt.FocusReason.TabFocusReason,
    Qt.FocusReason.BacktabFocusReason,
    Qt.FocusReason.ShortcutFocusReason,
)


class Canvas(QWidget):
    """Shows one view of a session's layers and hands gestures to the session."""

    def __init__(
        self, session: Session, parent: QWidget | None = None, view: View | None = None
    ) -> None:
        super().__init__(parent)
        self._session = session
        self.view = view or session.views.active
        self.viewport = self.view.viewport
        self._surface: GlSurface | None = None
        if session.settings.opengl and gl_surface.is_available():
            self._surface = GlSurface(self, self._paint)
        self._is_ring_shown = False
        self._message = ""
        self._is_region_drawn = False
        self._links = Links()
        self._slide: object = None
        """The one that is drawn, to tell another slide from another plane of it."""
        self.glide = Glide(self.viewport, self)
        self.gestures = Gestures(self, session, self.view, self.glide)
        self.drawing = DrawingPainting(self, session, self.view)
        self.marks = MarkPainting(session, self.view)
        self.linked_cursor = LinkedCursor(self, session, self.view, self.gestures)
        self.drops = Drops(self, session)
        self.overview = Overview(session, self.view, self)
        self.curtain = CurtainControl(self, session, self.view, self.overview)
        self.planes = PlaneBar(session, self)
        self.turn_chip = TurnChip(self.viewport, self)
        self.screening = ScreeningBar(session, self.view, self)
        self.welcome = Welcome(self)
        self._order_timer = QTimer(self, singleShot=True, interval=0)
        self._rest_timer = QTimer(self, singleShot=True, interval=_REST_MS)
        self._message_timer = QTimer(self, singleShot=True, interval=_MESSAGE_MS)
        self._set_up_widget()
        self._connect()
        self.installEventFilter(self.gestures)
        self.installEventFilter(self.curtain)  # comes first
        self._take_slide()

    def _set_up_widget(self) -> None:
        self.setAccessibleName(_("Slide"))
        self.setAccessibleDescription(
            _("Drag or arrow keys to move, wheel or + and − to zoom, click to select a nucleus.")
        )
        self.setFocusPolicy(Qt.FocusPolicy.WheelFocus)
        self.setMouseTracking(True)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMinimumSize(160, 120)

    def _connect(self) -> None:
        session, link = self._session, self._links.add
        link(session.slide_changed, self._on_slide_changed)
        link(session.opening_changed, self._on_opening_changed)
        link(session.layers_changed, self.redraw)
        link(session.runs_changed, self._on_furniture_changed)
        link(session.places.grid.changed, self._on_furniture_changed)
        link(session.selection_changed, self._on_furniture_changed)
        link(session.review.tiles.changed, self._on_furniture_changed)
        link(session.notice, self._on_notice)
        link(session.tool_changed, self._on_tool_changed)
        link(session.layers.repainted, self._on_layer_repainted)
        link(session.views.changed, self._arrange)
        link(self.viewport.changed, self._on_viewport_changed)
        link(self.view.changed, self.redraw)
        link(self.view.curtain.changed, self.redraw)
        link(self.view.curtain.repainted, self._on_furniture_changed)
        link(self.view.compositor.changed, self._on_picture_changed)
        self.overview.resized.connect(self._arrange)
        self.screening.resized.connect(self._arrange)
        self.welcome.command.connect(self._on_welcome_command)
        self.gestures.changed.connect(self._on_gesture_changed)
        self.gestures.opacity_set.connect(self._on_opacity_set)
        self.drops.changed.connect(self.update)
        self.drops.opened.connect(self._show_opening)
        self._order_timer.timeout.connect(self._order)
        self._rest_timer.timeout.connect(session.focus_changed)
        self._message_timer.timeout.connect(self._on_message_over)

    def leave(self) -> None:
        """Listen to the session no more: this canvas goes, and its view is closed."""
        self._links.cut()
        self.linked_cursor.links.cut()
        self.drawing.leave()
        self.marks.links.cut()
        self.curtain.links.cut()
        self.screening.links.cut()
        self.glide.stop()
        for timer in (self._order_timer, self._rest_timer, self._message_timer):
            timer.stop()
            timer.blockSignals(True)  # Qt still sends events to a widget that goes

    # -- what is shown -------------------------------------------------------------------------

    @property
    def frame(self) -> Frame:
        """The part of the slide that is seen now, in device px."""
        return self.viewport.frame(self.devicePixelRatioF())

    @property
    def is_settled(self) -> bool:
        """Whether the picture is that of the place where one looks now, as far as it is read."""
        return not self._order_timer.isActive() and self.view.is_idle

    def say(self, text: str) -> None:
        """Show a short word for a moment."""
        self._message = text
        self._message_timer.start()
        self.update()

    def _order(self) -> None:
        """Have the picture of what is seen composed."""
        if self._session.slide is not None:
            colors = theme.current()
            backdrop = Backdrop(_rgb(colors.canvas), _rgb(colors.raised))
            self.view.compose(self.devicePixelRatioF(), backdrop)

    # -- what changes --------------------------------------------------------------------------

    def _on_slide_changed(self) -> None:
        self.planes.synchronize()
        self._arrange()
        if self._session.slide is self._slide:
            self.redraw()
        else:
            self._take_slide()

    def _take_slide(self) -> None:
        self._slide = self._session.slide
        self.gestures.cancel()
        self.glide.stop()
        focused = QApplication.focusWidget()
        if focused is not None and self.welcome.isAncestorOf(focused):
            self.setFocus(Qt.FocusReason.OtherFocusReason)
        self.welcome.setVisible(self._slide is None)
        self._show_opening()
        self.overview.fit_slide()
        self.redraw()

    def _show_opening(self) -> None:
        self.welcome.set_opening(self._session.is_opening)

    def redraw(self) -> None:
        """Order the picture anew; what is there stays until it comes."""
        self._order_timer.start()
        self.update()

    def _on_viewport_changed(self) -> None:
        self._order_timer.start()
        self._rest_timer.start()
        self.gestures.tell_cursor()
        self.overview.update()
        self.update()

    def _on_picture_changed(self) -> None:
        self.overview.take_picture()
        self.update()

    def _on_furniture_changed(self) -> None:
        self.update()

    def _on_tool_changed(self) -> None:
        self.gestures.update_cursor()
        self.update()

    def _on_layer_repainted(self, layer: Layer, rect_l0: Rect | None) -> None:
        self.view.wish_again()

    def _on_gesture_changed(self) -> None:
        # Tools and pans have painted by themselves what they change.
        is_region, was_region = self.gestures.drawn_region_l0 is not None, self._is_region_drawn
        self._is_region_drawn = is_region
        is_cheap = not is_region and not was_region
        corner = self.rect().bottomRight()
        self.update(_POSITION_STRIP.translated(corner) if is_cheap else self.rect())

    def _on_opacity_set(self) -> None:
        opacity = self._session.settings.overlay.opacity
        self.say(_("Overlay {percent:.0f} %").format(percent=opacity * 100))

    def _on_message_over(self) -> None:
        self._message = ""
        self.update()

    def _on_opening_changed(self) -> None:
        self.welcome.set_opening(self._session.is_opening)

    def _on_welcome_command(self, command_id: str) -> None:
        run_command(self._session, command_id)
        self._show_opening()

    def _on_notice(self, notice: object) -> None:
        self._show_opening()  # it may say that a slide cannot be opened

    # -- painting ------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        """Copy the picture, and write over it."""
        if self._surface is None:
            with QPainter(self) as painter:
                self._paint(painter)

    def update(self, *part: QRect) -> None:  # type: ignore[override]
        """Have a part, or everything, painted soon."""
        if self._surface is None:
            super().update(*part)
        else:
            self._surface.update()

    def _paint(self, painter: QPainter) -> None:
        if self._session.slide is None:
            painter.fillRect(self.rect(), QColor(theme.current().canvas))
        else:
            self._draw_picture(painter)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        grid_text = draw_grid(painter, self._session, self.viewport)
        self._draw_region(painter)
        draw_chosen_tile(painter, self._session, self.viewport)
        self.marks.draw(painter, self.viewport.affine, self.viewport.visible_l0)
        self.drawing.draw(painter)
        draw_landmarks(painter, self._session, self.viewport)
        self.linked_cursor.draw(painter)
        self._draw_labels(painter, grid_text)
        self.curtain.draw(painter)
        if self.drops.is_near or self._is_ring_shown:
            furniture.draw_frame(painter, QRectF(self.rect()), dashed=self.drops.is_near)

    def _draw_picture(self, painter: QPainter) -> None:
        ratio = self.devicePixelRatioF()
        painter.save()
        painter.scale(1 / ratio, 1 / ratio)
        draw_view(painter, self.view, self.frame, QColor(theme.current().canvas))
        painter.restore()

    def _draw_region(self, painter: QPainter) -> None:
        region_l0 = self.gestures.drawn_region_l0 or self._session.region_l0
        if region_l0 is None or self._session.slide is None:
            return
        text = furniture.region_text(region_l0, self._session.slide.info.mpp)
        furniture.draw_region(painter, region_l0, self.viewport.affine, text, QRectF(self.rect()))

    def _draw_labels(self, painter: QPainter, grid_text: str) -> None:
        slide, viewport = self._session.slide, self.viewport
        if slide is None:
            return
        mpp, right, bottom = slide.info.mpp, self.width() - _MARGIN, self.height() - _MARGIN
        power = viewport.magnification(slide.mpp) if mpp is not None else None
        text = furniture.magnification_text(power, viewport.scale)
        chip = furniture.draw_chip(painter, text, QPointF(_MARGIN, _MARGIN))
        if self._session.results is not None:
            corner = QPointF(chip.right() + theme.GRID, _MARGIN)
            furniture.draw_chip(painter, _("Research use only"), corner, theme.MUTED)
        if mpp is not None:
            bar = scale_bar(mpp[0] / viewport.scale, furniture.LONGEST_BAR_VIEW)
            plate = furniture.draw_scale_bar(painter, bar, QPointF(_MARGIN, bottom))
            if grid_text:
                beside = QPointF(plate.right() + theme.GRID, bottom - furniture.CHIP_HEIGHT)
                furniture.draw_chip(painter, grid_text, beside)
        at = self.gestures.cursor_view
        if at is not None and self.width() >= _NARROW:
            place_l0 = viewport.to_l0(at.x(), at.y())
            text = furniture.position_text(*place_l0, mpp, is_short=self.width() < _ROOMY)
            corner = QPointF(right, bottom - furniture.CHIP_HEIGHT)
            furniture.draw_chip(painter, text, corner, anchor="right")
        if self._message:
            middle = QPointF(self.width() / 2, _MARGIN)
            furniture.draw_chip(painter, self._message, middle, anchor="middle")

    # -- events --------------------------------------------------------------------------------

    def event(self, event: QEvent) -> bool:
        """Answer what has no handler of its own: tool tips, and a move to another screen."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            self._show_failure(event)
            return True
        if event.type() in (QEvent.Type.DevicePixelRatioChange, QEvent.Type.StyleChange):
            self.redraw()
        return super().event(event)

    def _show_failure(self, event: QHelpEvent) -> None:
        """Say why there is a hatched tile under the pointer."""
        x_l0, y_l0 = self.viewport.to_l0(event.pos().x(), event.pos().y())
        QToolTip.showText(event.globalPos(), self.view.failure_at(x_l0, y_l0, self.frame), self)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep what is seen in the middle."""
        if self._surface is not None:
            self._surface.setGeometry(self.rect())
        self.viewport.set_size(self.width(), self.height())
        self._arrange()
        self._on_viewport_changed()

    def _arrange(self) -> None:
        """Put what floats over the picture in its place, where there is one for it."""
        self.welcome.setGeometry(self.rect())
        self.overview.move(self.width() - self.overview.width() - _MARGIN, _MARGIN)
        self.turn_chip.move(_MARGIN, round(_MARGIN + furniture.CHIP_HEIGHT + theme.GRID / 2))
        self.overview.setVisible(self._slide is not None and self._has_room(self.overview))
        self.planes.adjustSize()
        self.planes.move(
            (self.width() - self.planes.width()) // 2,
            self.height() - self.planes.height() - _MARGIN - _BOTTOM_ROW,
        )
        self.planes.setVisible(self.planes.has_choice and self._is_first)
        above = self.planes.height() + theme.GRID if self.planes.isVisible() else 0
        self.screening.move(
            (self.width() - self.screening.width()) // 2,
            self.height() - self.screening.height() - _MARGIN - _BOTTOM_ROW - above,
        )
        self.curtain.arrange()

    @property
    def _is_first(self) -> bool:
        """Whether this is the canvas that is always there; what is needed once is on it."""
        return self._session.views.all[0] is self.view

    def _has_room(self, furniture: QWidget) -> bool:
        """Whether a piece leaves most of this canvas to the picture."""
        width, height = self.width() * _MOST_SHARE, self.height() * _MOST_SHARE
        return self._is_first and furniture.width() <= width and furniture.height() <= height

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show the focus where it came by keyboard; keys now work on this canvas."""
        self._is_ring_shown = event.reason() in _KEYBOARD_REASONS
        self._session.views.activate(self.view)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Take the ring away."""
        self._is_ring_shown = False
        self.update()


def _rgb(name: str) -> tuple[int, int, int]:
    color = QColor(name)
    return color.red(), color.green(), color.blue()
