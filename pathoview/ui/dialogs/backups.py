"""The backups of the study, and bringing one back."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QWidget

from pathoview.core.translation import _
from pathoview.session.session import Session
from pathoview.ui.dialogs.dialog import Dialog
from pathoview.ui.text import bytes_text
from pathoview.ui.widgets import button, label

_SIZE = (520, 420)
_SORTS = {
    "daily": _("of the day"),
    "compact": _("before it was compacted"),
    "merge": _("before a merge"),
    "restore": _("before a backup was brought back"),
}


class BackupsDialog(Dialog):
    """Restoring keeps what is there now beside the study."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(_("Backups"), parent)
        self._session = session
        self.list = QListWidget()
        self.list.setAccessibleName(_("Backups"))
        for backup in session.study_files.upkeep.list_backups():
            time = backup.time.astimezone().strftime("%Y-%m-%d  %H:%M")
            words = _(_SORTS.get(backup.sort, backup.sort))
            size = bytes_text(backup.n_bytes)
            item = QListWidgetItem(f"{time}  ·  {words}  ·  {size}")
            item.setData(Qt.ItemDataRole.UserRole, backup)
            self.list.addItem(item)
        text = _("A study is backed up once a day, and before what cannot be undone.")
        self.body.addWidget(label(text, "muted"))
        self.body.addWidget(self.list, 1)
        if not self.list.count():
            self.body.addWidget(label(_("There is no backup yet."), "muted"))
        self.restore = button(_("Bring back"), self._restore)
        self.restore.setToolTip(_("What is there now is kept beside the study"))
        self.restore.setEnabled(False)
        self.list.currentRowChanged.connect(lambda place: self.restore.setEnabled(place >= 0))
        self.add_buttons(self.restore)
        self.add_close()
        self.resize(*_SIZE)

    def _restore(self) -> None:
        backup = self.list.currentItem().data(Qt.ItemDataRole.UserRole)
        self.accept()
        self._session.study_files.upkeep.restore(backup)
