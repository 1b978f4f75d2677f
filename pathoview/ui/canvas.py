"""The slide on screen: blits what the layers have painted, and writes calm furniture over it.

A view change asks the scheduler for tiles, a tile that is ready spoils its place in the backing
picture, and painting mends what is spoilt: nothing else is ever drawn twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, QSize, Qt, QTimer
from PySide6.QtGui import (
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QFocusEvent,
    QHelpEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
)
from PySide6.QtWidgets import QApplication, QToolTip, QWidget

from pathoview.core.geometry import Rect
from pathoview.core.pyramid import TileKey
from pathoview.core.translation import _
from pathoview.layers.layer import Layer
from pathoview.layers.scheduler import Wish
from pathoview.layers.source import TileSource
from pathoview.session.commands import run_command
from pathoview.session.session import Session
from pathoview.ui import canvas_painting as furniture
from pathoview.ui import theme
from pathoview.ui.backing import SURROUND, Backing, Frame, LayerPainter, Shown, shown_layers
from pathoview.ui.gestures import Gestures
from pathoview.ui.glide import Glide
from pathoview.ui.overview import Overview
from pathoview.ui.plane_bar import PlaneBar
from pathoview.ui.scale_bar import scale_bar
from pathoview.ui.welcome import Welcome

_REST_MS = 150
"""So long after the last movement one has come to rest."""
_MESSAGE_MS = 1200
_AHEAD_VIEW = 256
"""Tiles this far beyond the edges are read after those seen."""
_MARGIN = round(furniture.MARGIN)
_BOTTOM_ROW = 48
"""Height kept for the scale bar and the cursor's place."""
_POSITION_STRIP = QRect(-560, -48, 560, 48)
_RESULT_FILES = (".geojson", ".json", ".geojson.gz", ".json.gz", ".zip")
_KEYBOARD_REASONS = (
    Qt.FocusReason.TabFocusReason,
    Qt.FocusReason.BacktabFocusReason,
    Qt.FocusReason.ShortcutFocusReason,
)


class Canvas(QWidget):
    """Shows a session's layers and hands gestures to the session."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._painter = LayerPainter(session.scheduler)
        self._backing = Backing()
        self._is_ring_shown = False
        self._is_drop_near = False
        self._message = ""
        self._slide: object = None
        """The one that is drawn, to tell another slide from another plane of it."""
        self.glide = Glide(session.viewport, self)
        self.gestures = Gestures(self, session, self.glide)
        self.overview = Overview(session, self._painter, self)
        self.planes = PlaneBar(session, self)
        self.welcome = Welcome(self)
        self._wish_timer = QTimer(self, singleShot=True, interval=0)
        self._rest_timer = QTimer(self, singleShot=True, interval=_REST_MS)
        self._message_timer = QTimer(self, singleShot=True, interval=_MESSAGE_MS)
        self._set_up_widget()
        self._connect()
        self.installEventFilter(self.gestures)
        self._take_slide()

    def _set_up_widget(self) -> None:
        self.setAccessibleName(_("Slide"))
        self.setAccessibleDescription(
            _("Drag or arrow keys to move, wheel or + and − to zoom, click to select a nucleus.")
        )
        self.setFocusPolicy(Qt.FocusPolicy.WheelFocus)
        self.setMouseTracking(True)
        self.setAcceptDrops(True)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMinimumSize(320, 240)

    def _connect(self) -> None:
        session = self._session
        session.slide_changed.connect(self._on_slide_changed)
        session.opening_changed.connect(self._on_opening_changed)
        session.layers_changed.connect(self.redraw)
        session.viewport_changed.connect(self._on_viewport_changed)
        session.runs_changed.connect(self._on_furniture_changed)
        session.selection_changed.connect(self._on_furniture_changed)
        session.notice.connect(self._on_notice)
        session.tool_changed.connect(self._on_tool_changed)
        session.layers.repainted.connect(self._on_layer_repainted)
        session.scheduler.ready.connect(self._on_tile_ready)
        session.scheduler.failed.connect(self._on_tile_failed)
        self.overview.resized.connect(self._on_overview_resized)
        self.welcome.command.connect(self._on_welcome_command)
        self.gestures.changed.connect(self._on_gesture_changed)
        self.gestures.opacity_set.connect(self._on_opacity_set)
        self._wish_timer.timeout.connect(self._wish)
        self._rest_timer.timeout.connect(session.focus_changed)
        self._message_timer.timeout.connect(self._on_message_over)

    # -- what is shown -------------------------------------------------------------------------

    @property
    def frame(self) -> Frame:
        """The part of the slide that is drawn now, in device px."""
        ratio, viewport = self.devicePixelRatioF(), self._session.viewport
        width, height = round(self.width() * ratio), round(self.height() * ratio)
        return Frame.around(viewport.center_l0, viewport.scale * ratio, width, height)

    def say(self, text: str) -> None:
        """Show a short word for a moment."""
        self._message = text
        self._message_timer.start()
        self.update()

    def _wish(self) -> None:
        """Ask for the tiles seen, those in the middle first, then for those around them."""
        if self._session.slide is None:
            return
        frame = self.frame
        seen = QRect(0, 0, frame.width, frame.height)
        around = seen.adjusted(-_AHEAD_VIEW, -_AHEAD_VIEW, _AHEAD_VIEW, _AHEAD_VIEW)
        wishes = dict.fromkeys(self._centre_first(frame, seen))
        wishes |= dict.fromkeys(self._overview_tiles())
        wishes |= dict.fromkeys(self._centre_first(frame, around))
        self._session.scheduler.request(tuple(wishes))

    @property
    def _shown(self) -> list[Shown]:
        return shown_layers(self._session.layers, self._session.plane)

    def _centre_first(self, frame: Frame, region: QRect) -> list[Wish]:
        x_l0, y_l0 = frame.visible_l0.center

        def distance(wish: Wish) -> float:
            tile_x, tile_y = wish[0].pyramid.tile_l0(wish[1]).center
            return (tile_x - x_l0) ** 2 + (tile_y - y_l0) ** 2

        wishes = (
            (shown.layer.source, key) for shown in self._shown for key in frame.tiles(shown, region)
        )
        return sorted(wishes, key=distance)

    def _overview_tiles(self) -> Iterator[Wish]:
        if not self.overview.is_folded and len(self._session.layers):
            shown = self.overview.shown
            for key in self.overview.frame.tiles(shown):
                yield shown.layer.source, key

    # -- what changes --------------------------------------------------------------------------

    def _on_slide_changed(self) -> None:
        self.planes.synchronize()
        self._arrange()
        if self._session.slide is self._slide:
            self._take_plane()
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
        self.overview.setVisible(self._slide is not None)
        self.overview.fit_slide()
        self.redraw()

    def _take_plane(self) -> None:
        """Take the tiles of another plane; what is not read yet keeps its old picture."""
        if self._slide is not None:
            shown, scheduler = self.overview.shown, self._session.scheduler
            for key in self.frame.tiles(shown):
                if scheduler.pieces(shown.layer.source, key):
                    self._on_tile_ready(shown.layer.source, key)
        self._wish_timer.start()
        self.update()

    def _show_opening(self) -> None:
        self.welcome.set_opening(self._session.is_opening)

    def redraw(self) -> None:
        """Draw everything anew from the tiles that are there."""
        self._backing.spoil()
        self.overview.spoil()
        self._wish_timer.start()
        self.update()

    def _on_viewport_changed(self) -> None:
        self._wish_timer.start()
        self._rest_timer.start()
        self.overview.update()
        self.update()

    def _on_furniture_changed(self) -> None:
        self.update()

    def _on_tool_changed(self) -> None:
        self.gestures.update_cursor()
        self.update()

    def _on_overview_resized(self) -> None:
        self._arrange()
        self._wish_timer.start()

    def _on_layer_repainted(self, layer: Layer, rect_l0: Rect | None) -> None:
        # What is drawn stays until the new tiles are ready.
        self._wish_timer.start()

    def _on_tile_ready(self, source: TileSource, key: TileKey) -> None:
        tile_l0 = source.pyramid.tile_l0(key)
        ratio = self.devicePixelRatioF()
        rect = QRectF(self._backing.spoil(tile_l0))
        if not rect.isEmpty():
            view = QRectF(rect.topLeft() / ratio, rect.size() / ratio)
            self.update(view.toAlignedRect())
        if len(self._session.layers) and source is self._session.layers[0].source:
            self.overview.spoil(tile_l0)

    def _on_tile_failed(self, source: TileSource, key: TileKey, reason: str) -> None:
        self._on_tile_ready(source, key)

    def _on_gesture_changed(self) -> None:
        is_cheap = self.gestures.drawn_region_l0 is None and not self.gestures.is_dragging
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
        """Mend the backing picture, show it, and write over it."""
        with QPainter(self) as painter:
            if self._session.slide is None:
                painter.fillRect(self.rect(), SURROUND)
            else:
                self._mend()
                painter.drawPixmap(QPoint(0, 0), self._backing.pixmap)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            self._draw_region(painter)
            self._draw_labels(painter)
            if self._is_drop_near or self._is_ring_shown:
                furniture.draw_frame(painter, QRectF(self.rect()), dashed=self._is_drop_near)

    def _mend(self) -> None:
        self._backing.show(self.frame)
        self._backing.pixmap.setDevicePixelRatio(1)
        self._painter.refresh(self._backing, self._shown, self._session.viewport.slide_l0)
        self._backing.pixmap.setDevicePixelRatio(self.devicePixelRatioF())

    def _draw_region(self, painter: QPainter) -> None:
        drawn_l0 = self.gestures.drawn_region_l0
        region_l0 = drawn_l0 or self._session.region_l0
        if region_l0 is None or self._session.slide is None:
            return
        text = furniture.region_text(region_l0, self._session.slide.info.mpp)
        region_view = self._session.viewport.rect_to_view(region_l0)
        furniture.draw_region(painter, region_view, text, QRectF(self.rect()))

    def _draw_labels(self, painter: QPainter) -> None:
        slide, viewport = self._session.slide, self._session.viewport
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
            furniture.draw_scale_bar(painter, bar, QPointF(_MARGIN, bottom))
        at = self.gestures.cursor_view
        if at is not None:
            text = furniture.position_text(*viewport.to_l0(at.x(), at.y()), mpp)
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
        if event.type() == QEvent.Type.DevicePixelRatioChange:
            self.redraw()
        return super().event(event)

    def _show_failure(self, event: QHelpEvent) -> None:
        """Say why there is a hatched tile under the pointer."""
        frame, ratio = self.frame, self.devicePixelRatioF()
        place = QRect((QPointF(event.pos()) * ratio).toPoint(), QSize(1, 1))
        reasons = (
            self._session.scheduler.failure(shown.layer.source, key)
            for shown in self._shown
            for key in frame.tiles(shown, place)
        )
        reason = next((reason for reason in reasons if reason), "")
        QToolTip.showText(event.globalPos(), reason, self)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep what is seen in the middle."""
        self._session.viewport.set_size(self.width(), self.height())
        self._arrange()
        self._on_viewport_changed()

    def _arrange(self) -> None:
        self.welcome.setGeometry(self.rect())
        self.overview.move(self.width() - self.overview.width() - _MARGIN, _MARGIN)
        self.planes.adjustSize()
        self.planes.move(
            (self.width() - self.planes.width()) // 2,
            self.height() - self.planes.height() - _MARGIN - _BOTTOM_ROW,
        )

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show the focus where it came by keyboard."""
        self._is_ring_shown = event.reason() in _KEYBOARD_REASONS
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Take the ring away."""
        self._is_ring_shown = False
        self.update()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take files."""
        if _dropped_files(event):
            self._is_drop_near = True
            event.acceptProposedAction()
            self.update()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        """Forget the frame."""
        self._is_drop_near = False
        self.update()

    def dropEvent(self, event: QDropEvent) -> None:
        """Open a slide, or read results onto the open one."""
        self._is_drop_near = False
        self.update()
        files = _dropped_files(event)
        results = [path for path in files if path.name.lower().endswith(_RESULT_FILES)]
        slides = [path for path in files if path not in results]
        event.acceptProposedAction()
        if slides:
            self._session.open(slides[0])
            self._show_opening()
            return
        for path in results:
            self._session.import_geojson(path)


def _dropped_files(event: QDropEvent) -> list[Path]:
    urls = event.mimeData().urls()
    return [Path(url.toLocalFile()) for url in urls if url.isLocalFile()]
