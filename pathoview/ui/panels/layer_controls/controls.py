"""What all controls of layers have in common."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import Generic, TypeVar

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QSlider, QVBoxLayout, QWidget
from shiboken6 import isValid

from pathoview.core.translation import _
from pathoview.session.session import Session
from pathoview.ui import theme
from pathoview.ui.wheel import ignore_wheel
from pathoview.ui.widgets import label, row

_logger = logging.getLogger(__name__)

T = TypeVar("T")
_STEPS = 100


class Controls(QWidget):
    """Shows how one layer looks, and changes it. Subclasses fill `box` and say `refresh`."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._is_refreshing = False
        self.box = QVBoxLayout(self)
        self.box.setContentsMargins(0, 0, 0, 0)
        self.box.setSpacing(theme.GRID)

    def refresh(self) -> None:
        """Show the layer as it is now; nothing that is set meanwhile counts as a wish."""
        self._is_refreshing = True
        try:
            self._show()
        finally:
            self._is_refreshing = False

    def _show(self) -> None:
        raise NotImplementedError

    def show_cursor(self, place_l0: tuple[float, float] | None) -> None:
        """Say what is under the mouse; most controls have nothing to say."""


class Note(Controls):
    """A sentence about a layer."""

    def __init__(self, session: Session, text: str) -> None:
        super().__init__(session)
        self.box.addWidget(label(text, "muted"))

    def _show(self) -> None:
        """Say the same."""


class Latest(Generic[T]):
    """Work in the background for a widget: one piece at a time, and of those waiting the last."""

    def __init__(
        self,
        session: Session,
        owner: QWidget,
        done: Callable[[T], None],
        failed: Callable[[BaseException], None] | None = None,
    ) -> None:
        """``done`` gets each result, and ``failed`` each error, while ``owner`` is there.

        Without ``failed`` errors are logged, and things stay as they are.
        """
        self._session = session
        self._owner = owner
        self._done = done
        self._failed = failed
        self._next: Callable[[], T] | None = None
        self._is_busy = False

    def ask(self, work: Callable[[], T]) -> None:
        if self._is_busy:
            self._next = work
            return
        self._is_busy = True
        self._session.scheduler.submit(work, self._on_done)

    def _on_done(self, result: T | None, error: BaseException | None) -> None:
        self._is_busy = False
        if not isValid(self._owner):
            return
        if error is None:
            self._done(result)  # type: ignore[arg-type]
        elif self._failed is not None:
            self._failed(error)
        else:
            _logger.warning("a layer's facts cannot be told", exc_info=error)
        work, self._next = self._next, None
        if work is not None:
            self.ask(work)


class UnderMouse(QLabel):
    """Says what a layer holds under the mouse; the answer may have to be read from a file."""

    def __init__(self, session: Session, words: Callable[[float, float], str]) -> None:
        """``words`` gets a place, level-0 px, in another thread; empty: nothing is there."""
        super().__init__()
        self.setProperty("role", "muted")
        self._words = words
        self._answer: Latest[str] = Latest(session, self, self._show_words)
        self._show_words("")

    def look(self, place_l0: tuple[float, float] | None) -> None:
        """Look at a place; None: the mouse is elsewhere."""
        if place_l0 is None:
            self._show_words("")
        else:
            self._answer.ask(partial(self._words, *place_l0))

    def _show_words(self, words: str) -> None:
        self.setText(_("Under the mouse: {value}").format(value=words or "–"))


class NumberSlider(QSlider):
    """A slider over real numbers, with its name and its value beside it in `line`."""

    def __init__(self, name: str, low: float, high: float, words: Callable[[float], str]) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self._low, self._high, self._words = low, high, words
        self.setRange(0, _STEPS)
        self.setPageStep(_STEPS // 10)
        self.setAccessibleName(name)
        self.setToolTip(name)
        ignore_wheel(self)
        self._value = QLabel()
        self._value.setFixedWidth(5 * theme.GRID)
        self._value.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._value.setProperty("role", "muted")
        title = label(name)
        title.setWordWrap(False)
        title.setFixedWidth(10 * theme.GRID)
        self.line = row(title, self, self._value)
        self.line.setStretchFactor(self, 1)
        self.valueChanged.connect(self._on_moved)

    @property
    def number(self) -> float:
        return self._low + (self._high - self._low) * self.value() / _STEPS

    def set_number(self, number: float) -> None:
        """Show a number; one beyond the ends is shown at the end."""
        share = (number - self._low) / (self._high - self._low)
        self.setValue(round(_STEPS * min(1.0, max(0.0, share))))
        self._value.setText(self._words(number))

    def _on_moved(self) -> None:
        self._value.setText(self._words(self.number))


def percent(share: float) -> str:
    return _("{n:.0f} %").format(n=100 * share)
