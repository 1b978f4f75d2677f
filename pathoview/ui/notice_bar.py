"""Errors and offers: bars at the top of the canvas, one sentence and one action each."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QPlainTextEdit, QVBoxLayout, QWidget

from pathoview.core.privacy import scrub
from pathoview.core.translation import _
from pathoview.session.notices import Notice
from pathoview.ui import icons, theme
from pathoview.ui.widgets import Sign, button, icon_button, label, row

_LIFE_MS = 8000
"""An information without an action goes by itself."""
_MOST = 3
_TINTS: dict[str, icons.Tint] = {"info": "accent", "warning": "warning", "error": "error"}


class NoticeBar(QFrame):
    """One notice: icon, sentence, its action, *Details* and a cross."""

    def __init__(
        self, notice: Notice, on_action: Callable[[Notice], None], on_close: Callable[[], None]
    ) -> None:
        super().__init__()
        self.notice = notice
        self._on_action = on_action
        self._close = on_close
        self.setProperty("role", "notice")
        self.setProperty("level", notice.level)
        sign = Sign(notice.level, _TINTS[notice.level])
        text = label(notice.text, selectable=True)
        text.setAccessibleName(notice.text)
        self._details = _details(notice.details)
        self._details.hide()
        parts: list[QWidget | int] = [sign, text]
        if notice.action:
            self.action = button(notice.action[0], self._act)
            parts.append(self.action)
        if notice.details:
            self.details_button = button(_("Details"), self._toggle_details)
            self.details_button.setCheckable(True)
            self.copy = button(_("Copy"), self._copy_details, "copy")
            self.copy.hide()
            parts += [self.copy, self.details_button]
        parts.append(icon_button("cancel", _("Close"), on_close))
        line = row(*parts)
        line.setStretchFactor(text, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(theme.GRID + 4, theme.GRID, theme.GRID, theme.GRID)
        layout.addLayout(line)
        layout.addWidget(self._details)

    @property
    def copied_text(self) -> str:
        """Sentence and details without names of slides."""
        return scrub(f"{self.notice.text}\n\n{self.notice.details}")

    def _act(self) -> None:
        self._on_action(self.notice)
        self._close()

    def _toggle_details(self) -> None:
        shown = self.details_button.isChecked()
        self._details.setVisible(shown)
        self.copy.setVisible(shown)

    def _copy_details(self) -> None:
        QGuiApplication.clipboard().setText(self.copied_text)


def _details(text: str) -> QPlainTextEdit:
    box = QPlainTextEdit(scrub(text))
    box.setReadOnly(True)
    box.setFixedHeight(160)
    box.setAccessibleName(_("Details"))
    return box


class NoticeStack(QWidget):
    """Floats over the top of its parent and holds the newest notices."""

    def __init__(self, parent: QWidget, on_action: Callable[[Notice], None]) -> None:
        super().__init__(parent)
        self._on_action = on_action
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(theme.GRID, theme.GRID, theme.GRID, 0)
        self._layout.setSpacing(theme.GRID // 2)
        self._bars: list[NoticeBar] = []
        parent.installEventFilter(self)
        self.hide()

    @property
    def bars(self) -> tuple[NoticeBar, ...]:
        """What is shown now, oldest first."""
        return tuple(self._bars)

    def add(self, notice: Notice) -> None:
        """Show a notice; the same one again replaces the earlier."""
        for bar in self.bars:
            if bar.notice.text == notice.text:
                self._remove(bar)
        while len(self._bars) >= _MOST:
            self._remove(self._bars[0])
        bar = NoticeBar(notice, self._on_action, lambda: self._remove(bar))
        self._bars.append(bar)
        self._layout.addWidget(bar)
        if notice.level == "info" and notice.action is None:
            QTimer.singleShot(_LIFE_MS, bar, lambda: self._remove(bar))
        self.show()
        self.raise_()
        self._place()

    def clear(self, *, lasting: bool = False) -> None:
        """Take all notices away; those about the study only when they are ``lasting`` no longer."""
        for bar in self.bars:
            if lasting or not bar.notice.is_lasting:
                self._remove(bar)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keep to the top of the parent when it is resized, and grow with the details."""
        if event.type() in (QEvent.Type.Resize, QEvent.Type.Show):
            self._place()
        return False

    def event(self, event: QEvent) -> bool:
        """Take another height when a bar opens its details."""
        if event.type() == QEvent.Type.LayoutRequest:
            QTimer.singleShot(0, self, self._place)
        return super().event(event)

    def _remove(self, bar: NoticeBar) -> None:
        if bar in self._bars:
            self._bars.remove(bar)
            self._layout.removeWidget(bar)
            bar.hide()
            bar.deleteLater()
        self.setVisible(bool(self._bars))
        self._place()

    def _place(self) -> None:
        parent = self.parentWidget()
        if parent is None:
            return
        width = min(parent.width(), 920)
        height = self._layout.heightForWidth(width) if self._layout.hasHeightForWidth() else -1
        height = height if height > 0 else self._layout.sizeHint().height()
        self.setGeometry((parent.width() - width) // 2, 0, width, height)
