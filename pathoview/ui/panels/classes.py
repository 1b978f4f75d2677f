"""The Classes panel: the palette of the study, and how many annotations of each there are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QFileDialog, QLineEdit, QVBoxLayout, QWidget

from pathoview.core.translation import _, ngettext
from pathoview.session.session import Session
from pathoview.ui import theme
from pathoview.ui.panels.class_list import ClassList
from pathoview.ui.widgets import button, column, icon_button, label, row

_KINDS = _("Classes (*.json *.pathoview)")
_SET = _("Classes (*.json)")
_LEAST_HEIGHT = 176


class ClassesPanel(QWidget):
    """The list, a line to add a class, and a few buttons."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._desk = session.classes
        self.list = ClassList(session)
        self.list.setMinimumHeight(_LEAST_HEIGHT)
        self._empty = label("", "muted")
        self.name = QLineEdit()
        self.name.setAccessibleName(_("New class"))
        self.name.setPlaceholderText(_("New class"))
        self.name.setToolTip(_("Type a name and press Return; “Tumor: Positive” is nested"))
        self.name.returnPressed.connect(self.add)
        self.import_button = icon_button("import", _("Import classes…"), self._import)
        self.export_button = icon_button("export", _("Export classes…"), self._export)
        self.remove_button = icon_button(
            "trash", _("Remove class from the list"), lambda: self._desk.remove(self.list.number)
        )
        self.add_unlisted = button("", self._desk.add_unlisted)
        tools = row(
            *(self.name, self.import_button, self.export_button, self.remove_button), spacing=0
        )
        layout = QVBoxLayout(self)
        below = column(self._empty, self.add_unlisted, tools)
        layout.setContentsMargins(*(theme.GRID,) * 4)
        layout.setSpacing(theme.GRID)
        layout.addWidget(self.list, 1)
        layout.addWidget(below)
        self._later = QTimer(self, singleShot=True, interval=0)
        self._later.timeout.connect(self.refresh)
        self._desk.changed.connect(self._on_changed)
        session.slide_changed.connect(self._on_changed)
        self.list.currentItemChanged.connect(self._on_changed)
        self.refresh()

    def _on_changed(self, *_items: object) -> None:
        self._later.start()

    def refresh(self) -> None:
        """Say what can be done now."""
        desk = self._desk
        has_some, unlisted = bool(desk.listed), desk.unlisted
        self.list.setVisible(has_some)
        self._empty.setVisible(not has_some)
        self._empty.setText(
            _("Type a name below to add the first class.")
            if desk.can_edit
            else _("Classes come with a slide or a study: open one.")
        )
        self.add_unlisted.setVisible(bool(unlisted))
        n = len(unlisted)
        self.add_unlisted.setText(
            ngettext(
                "List {n} more class of the slide", "List {n} more classes of the slide", n
            ).format(n=n)
        )
        self.add_unlisted.setToolTip(", ".join(unlisted))
        for widget in (self.name, self.import_button, self.add_unlisted):
            widget.setEnabled(desk.can_edit)
        self.export_button.setEnabled(has_some)
        self.remove_button.setEnabled(desk.can_edit and self.list.number > 0)

    def add(self) -> None:
        """Add the class whose name was typed; one that is refused stays to be mended."""
        if self._desk.add(self.name.text()) is not None:
            self.name.clear()

    def _import(self) -> None:
        self._ask(_("Import classes"), _KINDS, self._desk.read)

    def _export(self) -> None:
        dialog = self._ask(_("Export classes"), _SET, self._desk.write)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setFileMode(QFileDialog.FileMode.AnyFile)
        dialog.setDefaultSuffix("json")
        dialog.selectFile("classes.json")

    def _ask(self, title: str, kinds: str, take: Callable[[Path], object]) -> QFileDialog:
        dialog = QFileDialog(self, title, self._session.settings.last_folder, kinds)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda name: take(Path(name)))
        dialog.open()
        return dialog
