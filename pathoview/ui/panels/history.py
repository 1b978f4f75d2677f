"""Everything that was done to the slide; a click goes back to it, or on to it."""

from __future__ import annotations

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, Qt, QTimer
from PySide6.QtGui import QColor, QFont, QGuiApplication
from PySide6.QtWidgets import QListView, QVBoxLayout, QWidget

from pathoview.core.translation import _, ngettext
from pathoview.core.undo import History
from pathoview.session.notices import Notice
from pathoview.session.session import Session
from pathoview.session.workflow import read_workflow
from pathoview.ui import theme
from pathoview.ui.links import Links
from pathoview.ui.widgets import button, label

_Index = QModelIndex | QPersistentModelIndex


class HistoryModel(QAbstractListModel):
    """One row a step, oldest first, after a row for the beginning."""

    def __init__(self, history: History) -> None:
        super().__init__()
        self._history = history
        self._steps = (*history.done, *history.undone)
        self._n_done = len(history.done)

    @property
    def n_done(self) -> int:
        """How many steps hold: the row of the last of them."""
        return self._n_done

    def refresh(self) -> None:
        """Take the steps as they are now."""
        done, undone = self._history.done, self._history.undone
        steps = (*done, *undone)
        if steps == self._steps:
            self._n_done = len(done)
            self.dataChanged.emit(self.index(0), self.index(len(steps)))
            return
        self.beginResetModel()
        self._steps, self._n_done = steps, len(done)
        self.endResetModel()

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008
        """Return the number of steps and one."""
        return 0 if parent.isValid() else len(self._steps) + 1

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return the name of a step, and how it looks."""
        row = index.row()
        step = self._steps[row - 1] if row else None
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return _("Slide opened") if step is None else step.name
        if role == Qt.ItemDataRole.ToolTipRole and step is not None:
            return "\n".join(filter(None, (step.name, step.note)))
        if role == Qt.ItemDataRole.ForegroundRole and row > self._n_done:
            return QColor(theme.current().muted)
        if role == Qt.ItemDataRole.FontRole and row == self._n_done:
            font = QFont()
            font.setBold(True)
            return font
        return None


class HistoryPanel(QWidget):
    """Follows the history of a session."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._history = session.history
        self._target: int | None = None
        self.model = HistoryModel(session.history)
        self.view = QListView()
        self.view.setModel(self.model)
        self.view.setUniformItemSizes(True)
        self.view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.view.setAccessibleName(_("History"))
        self.view.clicked.connect(self._on_chosen)
        self.view.activated.connect(self._on_chosen)
        self.summary = label("", "muted")
        layout = QVBoxLayout(self)
        layout.addWidget(self.view)
        layout.addWidget(self.summary)
        self.copy = button(_("Copy as command lines"), self.copy_workflow)
        self.copy.setToolTip(_("Repeats analyses, imports and operations on another slide"))
        layout.addWidget(self.copy)
        self._timer = QTimer(self, interval=0)
        self._timer.timeout.connect(self._go_on)
        self.links = Links()
        self.links.add(session.history.changed, self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show the steps as they are now, the last one that holds marked."""
        self.model.refresh()
        n = self.model.n_done
        self.view.setCurrentIndex(self.model.index(n))
        self.copy.setEnabled(self._session.studies.book is not None)
        steps = ngettext("{n} step.", "{n} steps.", n).format(n=n)
        kept = _("Those on labels are kept for next time.")
        nothing = _("Nothing was done yet. Whatever you do can be taken back here.")
        self.summary.setText(f"{steps} {kept}" if n else nothing)

    def copy_workflow(self) -> None:
        """Put a script that repeats what was done on the clipboard."""
        read_workflow(self._session, self._on_script)

    def _on_script(self, script: str) -> None:
        QGuiApplication.clipboard().setText(script)
        text = _("The history was copied as command lines: paste them into a file, and run it.")
        self._session.notice.emit(Notice(text, details=script))

    def _on_chosen(self, index: QModelIndex) -> None:
        self._target = index.row()
        self._timer.start()

    def _go_on(self) -> None:
        """Take one step back or again at a time, so that the window stays awake."""
        n = len(self._history.done)
        if self._target is not None and n != self._target:
            (self._history.undo if n > self._target else self._history.redo)()
        if self._target is None or len(self._history.done) in (n, self._target):
            self._timer.stop()  # it is there, or a step refuses
            self._target = None
