"""The classes as a list: a click draws in one, a double-click renames or colours it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QEvent, QModelIndex, QPersistentModelIndex, QSize, Qt, QTimer
from PySide6.QtGui import QColor, QContextMenuEvent, QKeyEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QMenu,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeWidget,
    QTreeWidgetItem,
    QWidget,
)

from pathoview.core.translation import _, ngettext
from pathoview.session.class_desk import DIGITS, MEANINGS, LabelClass
from pathoview.session.session import Session
from pathoview.ui import icons, theme
from pathoview.ui.dialogs.color import ask_color
from pathoview.ui.text import count_text

KEY, SWATCH, NAME, MEANING, COUNT, EYE = range(6)
"""The columns."""
_WIDTHS = {KEY: 20, SWATCH: 22, MEANING: 18, EYE: 22}
_NUMBER = Qt.ItemDataRole.UserRole
_SIGNS = {"positive": "+", "negative": "−", "ignore": "×", "region": "□"}
MEANING_WORDS = {
    "positive": _("Positive: what is looked for"),
    "negative": _("Negative: what is not looked for"),
    "ignore": _("Ignore: to be left out"),
    "region": _("Region: where to look"),
}
"""What a class teaches, in a few words."""
_NONE_COLOR = "#00000000"


class ClassList(QTreeWidget):
    """One row a class, and one for no class.

    Keys: arrows choose, F2 renames, Space shows or hides, Delete removes from the palette.
    """

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._desk = session.classes
        self._is_filling = False
        self._items: list[QTreeWidgetItem] = []
        self.setAccessibleName(_("Classes"))
        self.setProperty("role", "tight")
        self.setColumnCount(EYE + 1)
        self.setHeaderHidden(True)
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        self.setIndentation(0)
        self.setIconSize(QSize(16, 16))
        self.setAllColumnsShowFocus(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setEditTriggers(
            QAbstractItemView.EditTrigger.DoubleClicked
            | QAbstractItemView.EditTrigger.EditKeyPressed
        )
        self.setItemDelegate(_NamesOnly(self))
        self._set_up_columns()
        self._later = QTimer(self, singleShot=True, interval=0)
        self._later.timeout.connect(self.refresh)
        self.currentItemChanged.connect(self._on_current)
        self.itemChanged.connect(self._on_edited)
        self.itemClicked.connect(self._on_clicked)
        self.itemDoubleClicked.connect(self._on_double_clicked)
        self._desk.changed.connect(self._on_changed)
        self.refresh()

    def _set_up_columns(self) -> None:
        header = self.header()
        header.setStretchLastSection(False)
        header.setMinimumSectionSize(16)
        for column, width in _WIDTHS.items():
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Fixed)
            header.resizeSection(column, width)
        header.setSectionResizeMode(NAME, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(COUNT, QHeaderView.ResizeMode.ResizeToContents)

    # -- what is shown ---------------------------------------------------------------------------

    def refresh(self) -> None:
        """Show the classes as they are now; a name that is being edited stays."""
        if self.state() == QAbstractItemView.State.EditingState:
            self._later.start(200)
            return
        shown = self._shown()
        self._is_filling = True
        while len(self._items) > len(shown):
            self.takeTopLevelItem(self.indexOfTopLevelItem(self._items.pop()))
        while len(self._items) < len(shown):
            self._items.append(_new_item())
            self.addTopLevelItem(self._items[-1])
        for item, one in zip(self._items, shown, strict=True):
            self._fill(item, one)
            if one == self._session.annotations.drawing_class:
                self.setCurrentItem(item)
                self.scrollToItem(item)
        self._is_filling = False

    def _on_changed(self) -> None:
        self._later.start()  # many changes at once are shown once

    def _shown(self) -> Sequence[LabelClass | None]:
        listed = self._desk.listed
        return [None, *listed] if listed else []

    def _fill(self, item: QTreeWidgetItem, one: LabelClass | None) -> None:
        number = 0 if one is None else one.number
        n, is_hidden = self._desk.count(number), number in self._desk.hidden
        item.setData(KEY, _NUMBER, number)
        item.setText(KEY, "0" if one is None else one.shortcut)
        item.setIcon(SWATCH, icons.swatch(QColor(_NONE_COLOR if one is None else _hex(one))))
        item.setText(NAME, _("No class") if one is None else one.name)
        item.setText(MEANING, "" if one is None else _SIGNS[one.meaning])
        item.setText(COUNT, count_text(n) if n else "")
        item.setIcon(EYE, icons.icon("eye-off" if is_hidden else "eye", "muted"))
        words = _row_words(one, n, is_hidden)
        item.setData(NAME, Qt.ItemDataRole.AccessibleTextRole, words)
        for column in range(EYE + 1):
            item.setToolTip(column, words)
        item.setToolTip(EYE, _("Show") if is_hidden else _("Hide"))
        flags = item.flags() & ~Qt.ItemFlag.ItemIsEditable
        item.setFlags(flags if one is None else flags | Qt.ItemFlag.ItemIsEditable)
        muted = QColor(theme.current().muted)
        for column in (KEY, MEANING, COUNT):
            item.setForeground(column, muted)
        item.setForeground(
            NAME, muted if one is None or is_hidden else QColor(theme.current().text)
        )

    def changeEvent(self, event: QEvent) -> None:
        """Take the colours of another theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange and hasattr(self, "_later"):
            self._later.start()

    # -- what is chosen and edited ---------------------------------------------------------------

    @property
    def number(self) -> int:
        """The class of the current row; 0: none."""
        item = self.currentItem()
        return 0 if item is None else int(item.data(KEY, _NUMBER))

    def _on_current(self, item: QTreeWidgetItem | None) -> None:
        if not self._is_filling and item is not None:
            self._session.annotations.choose_class(int(item.data(KEY, _NUMBER)))

    def _on_clicked(self, item: QTreeWidgetItem, column: int) -> None:
        if column == EYE:
            self.toggle(int(item.data(KEY, _NUMBER)))

    def _on_double_clicked(self, item: QTreeWidgetItem, column: int) -> None:
        if column == SWATCH:
            self.ask_color(int(item.data(KEY, _NUMBER)))

    def _on_edited(self, item: QTreeWidgetItem, column: int) -> None:
        if not self._is_filling and column == NAME:
            self._desk.rename(int(item.data(KEY, _NUMBER)), item.text(NAME))
            self._later.start()

    def toggle(self, number: int) -> None:
        """Show or hide the annotations of a class."""
        self._desk.show(number, number in self._desk.hidden)

    def ask_color(self, number: int) -> None:
        """Ask for the colour of a class; it is taken when the dialog is accepted."""
        one = self._desk.get(number)
        if one is not None:
            dialog = ask_color(self, one.color, lambda _tried: None)
            dialog.colorSelected.connect(
                lambda color: self._desk.recolor(number, (color.red(), color.green(), color.blue()))
            )

    def rename(self) -> None:
        """Have the name of the current class edited."""
        item = self.currentItem()
        if item is not None and self.number:
            self.editItem(item, NAME)

    # -- keys and the menu -----------------------------------------------------------------------

    def event(self, event: QEvent) -> bool:
        """Keep F2 for the name, which is a command of the window elsewhere."""
        is_override = event.type() == QEvent.Type.ShortcutOverride
        if is_override and isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_F2:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Do what a key means for the current class."""
        key = event.key()
        if key in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace) and self.number:
            self._desk.remove(self.number)
        elif key == Qt.Key.Key_Space:
            self.toggle(self.number)
        elif key == Qt.Key.Key_F2:
            self.rename()
        else:
            super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Offer what can be done with a class, by mouse or by key."""
        item = self.currentItem()
        if event.reason() != QContextMenuEvent.Reason.Keyboard:
            item = self.itemAt(event.pos())
        if item is not None:
            self.setCurrentItem(item)
            place = event.globalPos()
            if event.reason() == QContextMenuEvent.Reason.Keyboard:
                place = self.viewport().mapToGlobal(self.visualItemRect(item).center())
            self.menu().popup(place)

    def menu(self) -> QMenu:
        """Return a menu about the current class; it lets itself go when closed."""
        menu, number = QMenu(self), self.number
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        one, desk = self._desk.get(number), self._desk
        give = menu.addAction(
            _("Give it to the chosen annotations"),
            partial(self._session.operations.set_class, number),
        )
        give.setEnabled(self._session.annotations.n_selected > 0)
        menu.addAction(_("Select all of the class"), partial(desk.select, number))
        is_hidden = number in desk.hidden
        menu.addAction(_("Show") if is_hidden else _("Hide"), partial(self.toggle, number))
        if one is not None:
            menu.addSeparator()
            menu.addAction(_("Rename"), self.rename)
            menu.addAction(_("Colour…"), partial(self.ask_color, number))
            self._add_meanings(menu.addMenu(_("Meaning")), one)
            self._add_keys(menu.addMenu(_("Key")), one)
            menu.addSeparator()
            menu.addAction(_("Remove from the list"), partial(desk.remove, number))
            for action in menu.actions()[-6:]:
                action.setEnabled(desk.can_edit)
        return menu

    def _add_meanings(self, menu: QMenu, one: LabelClass) -> None:
        for meaning in MEANINGS:
            action = menu.addAction(MEANING_WORDS[meaning])
            action.setCheckable(True)
            action.setChecked(one.meaning == meaning)
            action.triggered.connect(partial(self._desk.set_meaning, one.number, meaning))

    def _add_keys(self, menu: QMenu, one: LabelClass) -> None:
        for digit in ("", *DIGITS):
            other = self._desk.with_key(digit) if digit else None
            taken = "" if other in (None, one) else f"  ({other.name})" if other else ""
            action = menu.addAction((digit or _("None")) + taken)
            action.setCheckable(True)
            action.setChecked(one.shortcut == digit)
            action.triggered.connect(partial(self._desk.set_key, one.number, digit))


class _NamesOnly(QStyledItemDelegate):
    """Lets nothing but names be edited."""

    def createEditor(
        self,
        parent: QWidget,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> QWidget:
        if index.column() != NAME:
            return None  # type: ignore[return-value]
        return super().createEditor(parent, option, index)


def _new_item() -> QTreeWidgetItem:
    item = QTreeWidgetItem()
    item.setTextAlignment(KEY, Qt.AlignmentFlag.AlignCenter)
    item.setTextAlignment(MEANING, Qt.AlignmentFlag.AlignCenter)
    item.setTextAlignment(COUNT, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    return item


def _hex(one: LabelClass) -> str:
    return QColor(*one.color).name()


def _row_words(one: LabelClass | None, n: int, is_hidden: bool) -> str:
    """Return all that a row shows as text."""
    parts = [_("No class")] if one is None else [one.name, MEANING_WORDS[one.meaning]]
    if one is not None and one.shortcut:
        parts.append(_("key {digit}").format(digit=one.shortcut))
    parts.append(ngettext("{n:,} annotation", "{n:,} annotations", n).format(n=n))
    if is_hidden:
        parts.append(_("hidden"))
    return " · ".join(parts)
