"""The timeline under a clip: for each class what every frame shows, and how much it counted."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
)
from PySide6.QtWidgets import QToolTip, QVBoxLayout, QWidget

from pathoview.core.clock import clock_text
from pathoview.core.statement import RESEARCH_USE
from pathoview.core.translation import _
from pathoview.session.run_attention import FrameCourse
from pathoview.session.session import Session
from pathoview.ui import theme
from pathoview.ui.widgets import column, label, row, scrolled

_NAME_PX, _LANE_PX, _GAP_PX, _SCALE_PX = 132, 44, 8, 18
_SEGMENT_PX = 4
_AREA_ALPHA = 110
_MARGIN_PX = 8
_LINE_PX = 1.4


class FrameLanes(QWidget):
    """A lane a class: filled, the probability in each frame; as a line, how much each counted.

    A click or drag chooses a frame; the arrow keys go to the next, Page Up and Page Down to the
    next place where a class is seen.
    """

    chosen = Signal(int)
    """(frame)"""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._course: FrameCourse | None = None
        self._n_frames, self._frame = 1, 0
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(_("Timeline of the clip"))
        self.setMouseTracking(True)

    def show_course(self, course: FrameCourse | None, n_frames: int) -> None:
        """Show what a run says of a clip of ``n_frames``."""
        self._course, self._n_frames = course, max(1, n_frames)
        self.setMinimumHeight(self.sizeHint().height())
        self.update()

    def show_frame(self, frame: int) -> None:
        """Show which frame is looked at."""
        self._frame = frame
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(480, self._bottom + _SCALE_PX + _GAP_PX)

    def x_of(self, frame: float) -> float:
        """Return where the middle of a frame is, px."""
        return _NAME_PX + (frame + 0.5) * self._width / self._n_frames

    def lane(self, number: int) -> QRectF:
        """Return the lane of a class."""
        top = number * (_LANE_PX + _GAP_PX) + _GAP_PX / 2
        return QRectF(_NAME_PX, top, self._width, _LANE_PX)

    @property
    def _bottom(self) -> int:
        """Where the lanes end, px."""
        n = 0 if self._course is None else len(self._course.classes)
        return n * (_LANE_PX + _GAP_PX)

    @property
    def _width(self) -> float:
        return max(1.0, self.width() - _NAME_PX - _MARGIN_PX)

    def _frame_at(self, x: float) -> int:
        place = (x - _NAME_PX) * self._n_frames / self._width
        return int(np.clip(place, 0, self._n_frames - 1))

    # -- painting --------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw lanes, the frame that is looked at, and the scale."""
        if self._course is None:
            return
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            for number in range(len(self._course.classes)):
                self._paint_lane(painter, number)
            self._paint_scale(painter)
            painter.setPen(QPen(QColor(theme.current().text), 1.5))
            x = self.x_of(self._frame)
            painter.drawLine(QPointF(x, 0), QPointF(x, self._bottom))

    def _paint_lane(self, painter: QPainter, number: int) -> None:
        assert self._course is not None
        colors, lane = theme.current(), self.lane(number)
        one = self._course.classes[number]
        painter.fillRect(lane, QColor(colors.field))
        painter.setPen(QColor(colors.text))
        room = QRectF(0, lane.top(), _NAME_PX - _GAP_PX, lane.height())
        name = painter.fontMetrics().elidedText(
            one.name, Qt.TextElideMode.ElideRight, int(room.width())
        )
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, name)
        fill = QColor(*one.color)
        for segment in self._course.segments[number]:
            left, right = self.x_of(segment.first - 0.5), self.x_of(segment.last + 0.5)
            bar = QRectF(left, lane.bottom() - _SEGMENT_PX, right - left, _SEGMENT_PX)
            painter.fillRect(bar, fill)
        fill.setAlpha(_AREA_ALPHA)
        line = self._line(lane, self._course.evidence[:, number])
        ends = QPointF(line[-1].x(), lane.bottom()), QPointF(line[0].x(), lane.bottom())
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(fill)
        painter.drawPolygon(QPolygonF([*line, *ends]))
        importance = self._course.importance[:, number]
        top = max(2.0, float(importance.max()))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(colors.accent), _LINE_PX))
        painter.drawPolyline(QPolygonF(self._line(lane, importance / top)))

    def _line(self, lane: QRectF, values: npt.NDArray[np.floating]) -> list[QPointF]:
        """Return points of values 0–1, of several in a px the highest."""
        assert self._course is not None
        x = np.array([self.x_of(frame) for frame in self._course.frames.tolist()])
        columns = np.floor(x).astype(np.int64)
        first = np.flatnonzero(np.diff(columns, prepend=columns[0] - 1))
        highest = np.maximum.reduceat(values, first)
        return [
            QPointF(float(x[place]), lane.bottom() - float(value) * lane.height())
            for place, value in zip(first, highest, strict=True)
        ]

    def _paint_scale(self, painter: QPainter) -> None:
        painter.setPen(QColor(theme.current().muted))
        for frame, side in (
            (0, Qt.AlignmentFlag.AlignLeft),
            (self._n_frames - 1, Qt.AlignmentFlag.AlignRight),
        ):
            room = QRectF(_NAME_PX, self._bottom, self._width, _SCALE_PX)
            painter.drawText(room, side | Qt.AlignmentFlag.AlignVCenter, f"{frame + 1:,}")

    # -- choosing --------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose the frame below the mouse."""
        if event.button() == Qt.MouseButton.LeftButton and self._course is not None:
            self.chosen.emit(self._frame_at(event.position().x()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Go with the mouse while its button is held."""
        if event.buttons() & Qt.MouseButton.LeftButton and self._course is not None:
            self.chosen.emit(self._frame_at(event.position().x()))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Go from frame to frame, or to the next place where something is seen."""
        frame = self._frame_of_key(event.key())
        if frame is None or self._course is None:
            super().keyPressEvent(event)
        else:
            self.chosen.emit(int(np.clip(frame, 0, self._n_frames - 1)))

    def _frame_of_key(self, key: int) -> int | None:
        """Return the frame that a key goes to; None: it goes nowhere."""
        match key:
            case Qt.Key.Key_Left:
                return self._frame - 1
            case Qt.Key.Key_Right:
                return self._frame + 1
            case Qt.Key.Key_PageUp | Qt.Key.Key_PageDown:
                return self._next_segment(1 if key == Qt.Key.Key_PageDown else -1)
            case Qt.Key.Key_Home:
                return 0
            case Qt.Key.Key_End:
                return self._n_frames - 1
        return None

    def _next_segment(self, step: int) -> int:
        if self._course is None:
            return self._frame
        firsts = sorted({one.first for own in self._course.segments for one in own})
        there = [one for one in firsts if (one > self._frame if step > 0 else one < self._frame)]
        if not there:
            return self._frame
        return there[0] if step > 0 else there[-1]

    def event(self, event: object) -> bool:
        """Tell of the frame below the mouse."""
        if isinstance(event, QHelpEvent) and self._course is not None:
            text = self._words(self._frame_at(event.pos().x()))
            QToolTip.showText(event.globalPos(), text, self)
            return True
        return super().event(event)  # type: ignore[arg-type]

    def _words(self, frame: int) -> str:
        assert self._course is not None
        place = int(np.argmin(np.abs(self._course.frames - frame)))
        lines = [_("Frame {n}").format(n=frame + 1)]
        for number, one in enumerate(self._course.classes):
            lines.append(
                _("{name}: probability {share:.2f}, counted {times:.1f} ×").format(
                    name=one.name,
                    share=self._course.evidence[place, number],
                    times=self._course.importance[place, number],
                )
            )
        return "\n".join(lines)


class TimelinePanel(QWidget):
    """The timeline of the run that is shown on a clip."""

    wanted = Signal()
    """A run has come that says something of frames."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._shown: FrameCourse | None = None
        self.lanes = FrameLanes()
        self.said = label("", "muted")
        self._empty = label(
            _("Open a clip that a model of clips was used on: its frames are shown here."), "muted"
        )
        meaning = label(
            _("Area: probability in the frame. Line: how much it counted, not a probability."),
            "muted",
        )
        note = label(_("Research use only"), "muted")
        note.setToolTip(RESEARCH_USE)
        foot = row()
        for part, stretch in ((meaning, 1), (self.said, 0), (note, 0)):
            foot.addWidget(part, stretch)
        foot.setContentsMargins(theme.GRID, 0, theme.GRID, theme.GRID // 2)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(scrolled(column(self._empty, self.lanes, margin=theme.GRID)), 1)
        self._foot = QWidget()
        self._foot.setLayout(foot)
        layout.addWidget(self._foot)
        self.lanes.chosen.connect(self._on_chosen)
        session.runs_changed.connect(self._refresh)
        session.slide_changed.connect(self._refresh)
        self._refresh()

    @property
    def course(self) -> FrameCourse | None:
        """What is shown; None: nothing is."""
        run = self._session.results
        return None if run is None or run.attention is None else run.attention.course

    def _refresh(self) -> None:
        slide, course = self._session.slide, self.course
        is_there = slide is not None and course is not None
        self._empty.setVisible(not is_there)
        self.lanes.setVisible(is_there)
        self._foot.setVisible(is_there)
        if slide is None or course is None:
            self._shown = None
            self.lanes.show_course(None, 1)
            return
        if course is not self._shown:
            self._shown = course
            self.wanted.emit()
        frame = self._session.plane.t
        self.lanes.show_course(course, slide.info.size_t)
        self.lanes.show_frame(frame)
        seconds = slide.time_s(frame)
        text = _("Frame {n:,} of {all:,}").format(n=frame + 1, all=slide.info.size_t)
        self.said.setText(text if seconds is None else f"{text} · {clock_text(seconds)}")

    def _on_chosen(self, frame: int) -> None:
        self._session.set_plane(self._session.plane._replace(t=frame))
