"""How far the walk over the tissue is, with the keys to go on; over the active canvas."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from pathoview.core.translation import _
from pathoview.session.commands import command, run_command
from pathoview.session.screening import Screening
from pathoview.session.session import Session
from pathoview.session.view import View
from pathoview.ui import theme
from pathoview.ui.links import Links
from pathoview.ui.text import duration_text
from pathoview.ui.widgets import icon_button, label

_LOOK_MS = 250
"""So often it is asked whether a place was looked at long enough."""


class ScreeningBar(QFrame):
    """Seen only while tissue is screened."""

    resized = Signal()

    def __init__(self, session: Session, view: View, parent: QWidget) -> None:
        super().__init__(parent)
        self._session = session
        self._view = view
        self._canvas = parent
        self._is_on = False
        self.setProperty("role", "card")
        self.setAccessibleName(_("Screening"))
        self.words = label()
        self.words.setWordWrap(False)
        self.buttons = {
            name: icon_button(icon, _(command(name).title), partial(run_command, session, name))
            for name, icon in (
                ("screening.previous", "arrow-left"),
                ("screening.next", "arrow-right"),
            )
        }
        self.stop = icon_button(
            "cancel", _("Stop screening"), partial(run_command, session, "screening.toggle")
        )
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 4, 6, 4)
        row.setSpacing(theme.GRID)
        row.addWidget(self.words)
        for made in (*self.buttons.values(), self.stop):
            made.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves the canvas its keys
            row.addWidget(made)
        screening = session.places.screening
        self._timer = QTimer(self, interval=_LOOK_MS)
        self._timer.timeout.connect(screening.rest)
        self.links = Links()
        for changed in (screening.changed, session.views.changed):
            self.links.add(changed, self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Say how far it is now."""
        screening = self._session.places.screening
        is_on = screening.is_active or screening.is_preparing
        is_here = self._session.views.active is self._view
        self.setVisible(is_on and is_here)
        if is_on and is_here and not self._is_on:
            self._canvas.setFocus()  # the keys that go on belong to the canvas
        self._is_on = is_on
        (self._timer.start if screening.is_active else self._timer.stop)()
        text = progress_text(screening)
        if text != self.words.text():
            self.words.setText(text)
            self.adjustSize()
            self.resized.emit()


def progress_text(screening: Screening) -> str:
    """Return where one is, what was seen, and how long the rest takes."""
    if not screening.is_active:
        return _("Looking for tissue…") if screening.is_preparing else ""
    parts = [
        _("Field {n} of {count}").format(n=screening.index + 1, count=screening.n_fields),
        _("{percent:.0f} % of the tissue seen").format(percent=100 * screening.seen_share),
    ]
    seconds = screening.seconds_left
    if seconds is not None and seconds > 0:
        # Seconds would change all the time, and be wrong all the same.
        whole = max(60, round(seconds / 60) * 60) if seconds >= 60 else round(seconds)
        parts.append(_("about {time} left").format(time=_rough(whole)))
    return "  ·  ".join(parts)


def _rough(seconds: int) -> str:
    if seconds < 60 or seconds >= 3600:
        return duration_text(seconds)
    return _("{m} min").format(m=seconds // 60)
