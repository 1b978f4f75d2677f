"""The button at the right of the tool bar, and its card: what computes, how busy it is, and how."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QProgressBar, QToolButton, QVBoxLayout, QWidget

from pathoview.core.translation import _, ngettext
from pathoview.session.device_desk import DeviceDesk, MeasuredPath
from pathoview.session.session import Session
from pathoview.ui import icons, theme
from pathoview.ui.text import bytes_text
from pathoview.ui.widgets import button, clear_layout, label, line, row

_WIDTH_PX = 420
_LOOK_AGAIN_MS = 2000
_PATHS = {
    "float32": _("float32, exact"),
    "bf16": _("bfloat16"),
    "compile": _("compiled"),
    "onnx": _("ONNX Runtime"),
}


class DeviceButton(QToolButton):
    """Says what goes on; a click opens the card."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._card = DeviceCard(session.models.device, self)
        self.setIcon(icons.icon("device", "muted"))
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setToolTip(_("What computes, and how busy it is"))
        self.clicked.connect(self.open_card)
        session.job_changed.connect(self._on_job_changed)
        self._on_job_changed()

    @property
    def card(self) -> DeviceCard:
        return self._card

    def open_card(self) -> None:
        """Show the card below the button, its right edge at the button's."""
        card = self._card
        card.refresh()
        card.adjustSize()
        corner = self.mapToGlobal(QPoint(self.width() - card.width(), self.height() + 2))
        card.move(corner)
        card.show()

    def _on_job_changed(self, _job: object = None) -> None:
        n = sum(not job.is_over for job in self._session.jobs)
        text = ngettext("{n} job running", "{n} jobs running", n).format(n=n) if n else _("Idle")
        self.setText(text)
        self.setIcon(icons.icon("device", "accent" if n else "muted"))
        self.setAccessibleName(_("Device: {state}").format(state=text))


class DeviceCard(QFrame):
    """Closes by a click beside it. Looks at the load only while it is seen."""

    def __init__(self, desk: DeviceDesk, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self._desk = desk
        self.setProperty("role", "card")
        self.setFixedWidth(_WIDTH_PX)
        self.name = label("", "title")
        self.reason = label("", "muted", selectable=True)
        self._loads = QGridLayout()
        self._loads.setHorizontalSpacing(theme.GRID)
        self._loads.setColumnStretch(1, 1)
        self.path = label("")
        self._table = QGridLayout()
        self._table.setHorizontalSpacing(2 * theme.GRID)
        self._table.setVerticalSpacing(theme.GRID // 2)
        self._table.setColumnStretch(0, 1)
        self.problem = label("", "warning")
        self._told = label("", "muted")
        self.measure = button(_("Measure"), desk.measure, "analyze")
        self.measure.setToolTip(
            _("Compute a model in every way there is; the fastest that is exact is taken")
        )
        self.stop = button(_("Stop"), desk.stop, "cancel")
        self.reset = button(_("Take float32"), lambda: desk.pin("float32"), "reset")
        self._lay_out()
        self._timer = QTimer(self, interval=_LOOK_AGAIN_MS)
        self._timer.timeout.connect(self._show_loads)
        desk.changed.connect(self.refresh)

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(*(2 * theme.GRID,) * 4)
        layout.setSpacing(theme.GRID)
        layout.addWidget(self.name)
        layout.addWidget(self.reason)
        layout.addLayout(self._loads)
        layout.addWidget(line())
        layout.addWidget(label(_("How networks are computed"), "heading"))
        layout.addWidget(self.path)
        layout.addLayout(self._table)
        layout.addWidget(self.problem)
        layout.addLayout(row(self.measure, self.stop, self.reset, self._told, 1))

    def showEvent(self, event: QShowEvent) -> None:
        """Ask what computes, and look at the load from now on."""
        super().showEvent(event)
        self._desk.look()
        self._timer.start()

    def hideEvent(self, event: QHideEvent) -> None:
        """Look no more."""
        super().hideEvent(event)
        self._timer.stop()

    def refresh(self) -> None:
        """Show everything as it is now."""
        desk = self._desk
        self.name.setText(_title(desk))
        self.reason.setText(desk.facts.reason if desk.facts else _("Looking for a GPU…"))
        self._show_loads()
        self.path.setText(_PATHS[desk.numerics])
        self._show_table()
        self.problem.setText(desk.problem)
        self.problem.setVisible(bool(desk.problem))
        self._told.setText(desk.progress)
        self.measure.setVisible(not desk.is_measuring)
        self.stop.setVisible(desk.is_measuring)
        self.reset.setVisible(desk.numerics != "float32" and not desk.is_measuring)
        self.adjustSize()

    def _show_loads(self) -> None:
        clear_layout(self._loads)
        for place, (title, share, text) in enumerate(_loads(self._desk)):
            bar = QProgressBar()
            bar.setRange(0, 100)
            bar.setValue(round(100 * share))
            bar.setTextVisible(False)
            bar.setAccessibleName(f"{title}: {text}")
            name, said = label(title, "muted"), label(text, "muted")
            for one in (name, said):
                one.setWordWrap(False)
            for column, widget in enumerate((name, bar, said)):
                self._loads.addWidget(widget, place, column)

    def _show_table(self) -> None:
        clear_layout(self._table)
        if not self._desk.measured:
            return
        for column, title in enumerate(("", _("time"), _("speed"), _("largest error"))):
            self._table.addWidget(label(title, "small"), 0, column)
        for place, one in enumerate(self._desk.measured):
            self._add_path(2 * place + 1, one)

    def _add_path(self, place: int, one: MeasuredPath) -> None:
        """Add a line, and below it why the path is not taken."""
        for column, text in enumerate((_PATHS[one.path], *_numbers(one))):
            cell = label(text, "muted" if one.problem else "")
            cell.setWordWrap(False)
            self._table.addWidget(cell, place, column)
        if one.problem:
            self._table.addWidget(label(one.problem, "small"), place + 1, 0, 1, 4)


def _loads(desk: DeviceDesk) -> Iterator[tuple[str, float, str]]:
    """Yield of each processor its name, which share of it is busy or full, and that in words."""
    load = desk.cpu_load
    if load is not None:
        busy = min(1.0, load)
        yield _("Processors"), busy, _("{n:.0%} busy").format(n=busy)
    for gpu in desk.facts.gpus if desk.facts else ():
        used, total = bytes_text(gpu.used_bytes), bytes_text(gpu.total_bytes)
        text = _("{used} of {total} in use").format(used=used, total=total)
        yield gpu.title, gpu.used_bytes / max(1, gpu.total_bytes), text


def _title(desk: DeviceDesk) -> str:
    facts = desk.facts
    if facts is None:
        return _("Device")
    if facts.gpus:
        return facts.gpus[0].title
    return _("Processor") if facts.name == "cpu" else _("GPU")


def _numbers(one: MeasuredPath) -> tuple[str, str, str]:
    if one.seconds is None or one.speed_up is None:
        return "–", "–", "–"
    error = f"{one.max_error:.1e}" if one.max_error else _("none")
    return f"{one.seconds:.3g} s", f"{one.speed_up:.2f} ×", error
