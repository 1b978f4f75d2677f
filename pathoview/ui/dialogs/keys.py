"""Which key does what: a key map is chosen, and each command can be given other keys."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import (
    QComboBox,
    QHeaderView,
    QKeySequenceEdit,
    QLineEdit,
    QTreeWidget,
    QTreeWidgetItem,
    QWidget,
)

from pathoview.core.translation import _
from pathoview.session.command import Command
from pathoview.session.keymap import PRESETS, KeyMap
from pathoview.session.settings import Settings
from pathoview.ui import theme
from pathoview.ui.actions import key_text
from pathoview.ui.dialogs.dialog import Dialog
from pathoview.ui.widgets import button, label, row

_SIZE = (640, 640)
_ID = Qt.ItemDataRole.UserRole


class KeysDialog(Dialog):
    """Changes are applied at once and kept."""

    def __init__(self, keymap: KeyMap, settings: Settings, parent: QWidget | None = None) -> None:
        super().__init__(_("Keyboard shortcuts"), parent)
        self._keymap = keymap
        self._settings = settings
        self.preset = QComboBox()
        self.preset.setAccessibleName(_("Key map"))
        for name, preset in PRESETS.items():
            self.preset.addItem(preset.title, name)
        self.search = QLineEdit()
        self.search.setPlaceholderText(_("Search a command or a key"))
        self.search.setAccessibleName(_("Search a command or a key"))
        self.search.setClearButtonEnabled(True)
        self.list = _list()
        self.editor = QKeySequenceEdit()
        self.editor.setMaximumSequenceLength(1)
        self.editor.setClearButtonEnabled(True)
        self.editor.setAccessibleName(_("Press the key"))
        self._chosen = label("", "heading")
        self._said = label("", "muted")
        self._clashes = label("", "warning")
        self.use = button(_("Use it"), lambda: self._give(others=False), primary=True)
        self.add = button(_("Add it"), lambda: self._give(others=True))
        self.clear = button(_("No key"), self._take_keys)
        self.reset = button(_("Reset"), self._reset)
        self.reset_all = button(_("Reset all"), self._keymap.reset_all, "reset")
        self._lay_out()
        self._connect()
        self._refresh()
        self.resize(*_SIZE)
        self.search.setFocus()

    def _lay_out(self) -> None:
        self.add.setToolTip(_("Keep the other keys of the command"))
        self.clear.setToolTip(_("Let no key do the command"))
        self.reset.setToolTip(_("Take the keys of the key map again"))
        self.reset_all.setToolTip(_("Take the keys of the key map for all commands"))
        self._said.setMinimumHeight(self._said.sizeHint().height())
        top = row(label(_("Key map")), self.preset, 1, self.reset_all)
        self.body.addLayout(top)
        self.body.addWidget(self.search)
        self.body.addWidget(self.list, 1)
        self.body.addWidget(self._clashes)
        self.body.addSpacing(theme.GRID)
        self.body.addWidget(self._chosen)
        line = row(self.editor, self.use, self.add, self.clear, self.reset)
        line.setStretchFactor(self.editor, 1)
        self.body.addLayout(line)
        self.body.addWidget(self._said)
        self.add_close()
        self.use.setDefault(True)  # Return in the search line must not close

    def _connect(self) -> None:
        self.preset.activated.connect(self._on_preset_chosen)
        self.search.textChanged.connect(self._fill)
        self.list.currentItemChanged.connect(self._on_command_chosen)
        self.list.itemActivated.connect(lambda: self.editor.setFocus())
        self.editor.keySequenceChanged.connect(self._judge)
        self._keymap.changed.connect(self._refresh)
        self.finished.connect(self._on_finished)

    @property
    def command(self) -> Command | None:
        """The one whose keys are shown below."""
        item = self.list.currentItem()
        chosen = item.data(0, _ID) if item is not None else ""
        return next((entry for entry in self._keymap.commands if entry.id == chosen), None)

    @property
    def said(self) -> str:
        """What is said of the key that was pressed."""
        return self._said.text()

    @property
    def key(self) -> str:
        """The key that was pressed, as the key map writes it."""
        return self.editor.keySequence().toString(QKeySequence.SequenceFormat.PortableText)

    def choose(self, command_id: str) -> None:
        """Show the keys of a command below."""
        for item in self._items():
            if item.data(0, _ID) == command_id:
                self.list.setCurrentItem(item)

    def _items(self) -> list[QTreeWidgetItem]:
        found = (self.list.topLevelItem(place) for place in range(self.list.topLevelItemCount()))
        return [item for item in found if item is not None]

    # -- showing -------------------------------------------------------------------------------

    def _refresh(self) -> None:
        self.preset.setCurrentIndex(self.preset.findData(self._keymap.preset))
        self.reset_all.setEnabled(self._keymap.has_changes)
        clashes = "\n".join(clash.sentence for clash in self._keymap.clashes)
        self._clashes.setText(clashes)
        self._clashes.setVisible(bool(clashes))
        self._fill()

    def _fill(self) -> None:
        chosen = self.command
        words = self.search.text().casefold().split()
        self.list.clear()
        for command in self._keymap.commands:
            menu = f"{_(command.menu)}: " if command.menu else ""
            title = f"{menu}{_(command.title)}"
            keys = ", ".join(map(key_text, self._keymap.keys(command.id)))
            if all(word in f"{title} {keys}".casefold() for word in words):
                mark = _("changed") if self._keymap.is_changed(command.id) else ""
                item = QTreeWidgetItem(self.list, [title, keys, mark])
                item.setData(0, _ID, command.id)
        self.choose(chosen.id if chosen is not None else "")
        if self.list.currentItem() is None:
            for item in self._items()[:1]:
                self.list.setCurrentItem(item)
        self._on_command_chosen()

    def _on_command_chosen(self) -> None:
        command = self.command
        self._chosen.setText(_(command.title) if command is not None else _("No command found"))
        self.editor.clear()
        self.editor.setEnabled(command is not None)
        self._judge()

    def _judge(self) -> None:
        """Say what it means to use the key that was pressed."""
        command, key = self.command, self.key
        is_free, said = self._verdict(command, key)
        self._said.setText(said)
        self.use.setEnabled(is_free)
        self.add.setEnabled(is_free)
        self.clear.setEnabled(command is not None and bool(self._keymap.keys(command.id)))
        self.reset.setEnabled(command is not None and self._keymap.is_changed(command.id))

    def _verdict(self, command: Command | None, key: str) -> tuple[bool, str]:
        if command is None or not key:
            return False, _("Press the key that the command should have.")
        written, owner = key_text(key), self._keymap.owner(key)
        if self._keymap.is_kept_for_canvas(key, command.id):
            return False, _("The canvas keeps {key} for moving about.").format(key=written)
        if owner is None:
            return True, _("{key} is free.").format(key=written)
        if owner is command:
            return True, _("{key} does this already.").format(key=written)
        return True, _("{key} does “{title}” now. It would do this instead.").format(
            key=written, title=_(owner.title)
        )

    # -- changing ------------------------------------------------------------------------------

    def _on_preset_chosen(self) -> None:
        self._keymap.choose_preset(self.preset.currentData())

    def _give(self, *, others: bool) -> None:
        command, key = self.command, self.key
        if command is not None and key:
            kept = [other for other in self._keymap.keys(command.id) if other != key]
            self._keymap.set_keys(command.id, [key, *kept] if others else [key])

    def _take_keys(self) -> None:
        if self.command is not None:
            self._keymap.set_keys(self.command.id, [])

    def _reset(self) -> None:
        if self.command is not None:
            self._keymap.reset(self.command.id)

    def _on_finished(self) -> None:
        self._keymap.changed.disconnect(self._refresh)
        self._settings.save()


def _list() -> QTreeWidget:
    made = QTreeWidget()
    made.setAccessibleName(_("Commands"))
    made.setHeaderLabels([_("Command"), _("Keys"), ""])
    made.setRootIsDecorated(False)
    made.setIndentation(0)
    made.setUniformRowHeights(True)
    header = made.header()
    header.setStretchLastSection(False)
    header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
    for column in (1, 2):
        header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
    made.ensurePolished()  # rows are as high as the style says from the start
    return made
