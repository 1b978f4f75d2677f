"""The guide: the pages of ``resources/guide``, and the keys made from the table of commands."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from PySide6.QtCore import QEvent, Qt, QUrl
from PySide6.QtGui import (
    QColor,
    QDesktopServices,
    QImage,
    QResizeEvent,
    QTextBlockFormat,
    QTextCursor,
    QTextDocument,
    QTextFrameFormat,
    QTextTable,
)
from PySide6.QtWidgets import QHBoxLayout, QListWidget, QListWidgetItem, QTextBrowser, QWidget

from pathoview.core.paths import resources_folder
from pathoview.core.translation import _
from pathoview.session.keymap import KeyMap
from pathoview.ui import theme
from pathoview.ui.actions import key_text
from pathoview.ui.dialogs.dialog import Dialog

_SIZE = (1080, 720)
_CONTENTS_PX = 230
_MARGIN_PX = 112
"""Left free beside a picture: the page's margins, and the indent of a list."""
_PICTURE = "\ufffc"
"""Stands for a picture in a block's text."""
_KEYS_PAGE = "keys"
_INDEX = "index"
_LINK = re.compile(r"\[([^\]]+)\]\(([\w-]+)\.md\)")
_LINE_HEIGHT_PERCENT = 125.0


class GuideDialog(Dialog):
    """Contents at the left, a page at the right."""

    def __init__(self, keymap: KeyMap, parent: QWidget | None = None) -> None:
        super().__init__(_("PathoView guide"), parent)
        self._keymap = keymap
        self.contents = QListWidget()
        self.contents.setFixedWidth(_CONTENTS_PX)
        self.contents.setAccessibleName(_("Contents"))
        self.page = GuidePage(resources_folder() / "guide")
        self.contents.ensurePolished()  # rows are as high as the style says from the start
        for name, title in pages():
            item = QListWidgetItem(title)
            item.setData(Qt.ItemDataRole.UserRole, name)
            self.contents.addItem(item)
        self.contents.currentItemChanged.connect(self._on_page_chosen)
        self.page.anchorClicked.connect(self._on_link_clicked)
        layout = QHBoxLayout()
        layout.setSpacing(theme.GRID)
        layout.addWidget(self.contents)
        layout.addWidget(self.page, 1)
        self.body.addLayout(layout)
        self.contents.setCurrentRow(0)
        self.resize(*_SIZE)

    def show_page(self, name: str) -> None:
        """Open a page by the stem of its file, or ``keys``."""
        for index in range(self.contents.count()):
            if self.contents.item(index).data(Qt.ItemDataRole.UserRole) == name:
                self.contents.setCurrentRow(index)

    def _on_page_chosen(self, item: QListWidgetItem | None) -> None:
        if item is not None:
            self.page.show_markdown(_text(item.data(Qt.ItemDataRole.UserRole), self._keymap))

    def _on_link_clicked(self, url: QUrl) -> None:
        target = Path(url.path())
        if url.scheme() in ("http", "https"):
            QDesktopServices.openUrl(url)
        elif target.suffix == ".md":
            self.show_page(target.stem)


class GuidePage(QTextBrowser):
    """Markdown whose pictures are as wide as the page, at most."""

    def __init__(self, folder: Path) -> None:
        self._text = ""
        super().__init__()
        self._folder = folder
        self.setOpenLinks(False)
        self.setAccessibleName(_("Page of the guide"))
        self.document().setDocumentMargin(2 * theme.GRID)

    def show_markdown(self, text: str) -> None:
        self._text = text
        self.setMarkdown(text)
        self._space_out()

    def _space_out(self) -> None:
        """Give lines and tables room; markdown knows of no style."""
        document = self.document()
        block = document.begin()
        while block.isValid():
            if _PICTURE not in block.text():
                style = block.blockFormat()
                style.setLineHeight(
                    _LINE_HEIGHT_PERCENT, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value
                )
                QTextCursor(block).setBlockFormat(style)
            block = block.next()
        for frame in document.rootFrame().childFrames():
            if isinstance(frame, QTextTable):
                table = frame.format()
                table.setBorderBrush(QColor(theme.current().line))
                table.setBorderStyle(QTextFrameFormat.BorderStyle.BorderStyle_Solid)
                table.setBorderCollapse(True)
                table.setCellPadding(theme.GRID / 2)
                table.setTopMargin(theme.GRID)
                table.setBottomMargin(theme.GRID)
                frame.setFormat(table)

    def loadResource(self, kind: int, name: QUrl | str) -> Any:
        """Load a picture from the guide's folder, not wider than the page."""
        if kind != QTextDocument.ResourceType.ImageResource.value:
            return super().loadResource(kind, name)
        image = QImage(str(self._folder / QUrl(name).path()))
        width = max(_MARGIN_PX, self.viewport().width() - _MARGIN_PX)
        if image.width() > width:
            image = image.scaledToWidth(width, Qt.TransformationMode.SmoothTransformation)
        return image

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Have the pictures fit again."""
        super().resizeEvent(event)
        if event.oldSize().width() != event.size().width() and "![" in self._text:
            self._show_again()

    def changeEvent(self, event: QEvent) -> None:
        """Take the colours of another theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange and self._text:
            self._show_again()

    def _show_again(self) -> None:
        place = self.verticalScrollBar().value()
        self.document().clear()
        self.show_markdown(self._text)
        self.verticalScrollBar().setValue(place)


def pages() -> list[tuple[str, str]]:
    """Return (name, title) of all pages, in the order in which the first one names them."""
    named = _LINK.findall(_page_file(_INDEX).read_text(encoding="utf-8"))
    there = {name: title for title, name in named if _is_there(name)}
    return [(_INDEX, _("Contents")), *there.items(), (_KEYS_PAGE, _("Keys"))]


def _is_there(name: str) -> bool:
    return _page_file(name).is_file()


def _page_file(name: str) -> Path:
    return resources_folder() / "guide" / f"{name}.md"


def _text(name: str, keymap: KeyMap) -> str:
    if name == _KEYS_PAGE:
        return keys_text(keymap)
    return _page_file(name).read_text(encoding="utf-8")


def keys_text(keymap: KeyMap) -> str:
    """Return the page of keys, as markdown, from the key map."""
    lines = ["# " + _("Keys"), "", _("*Keyboard shortcuts…* in the Help menu changes them."), ""]
    menus = dict.fromkeys(command.menu for command in keymap.commands if keymap.keys(command.id))
    for menu in menus:
        lines += [f"## {_(menu) if menu else _('Elsewhere')}", "", "| | |", "|---|---|"]
        for command in keymap.commands:
            keys = keymap.keys(command.id)
            if command.menu == menu and keys:
                words = " · ".join(f"`{key_text(key)}`" for key in keys)
                lines.append(f"| {words} | {_(command.title)} |")
        lines.append("")
    lines += [
        "## " + _("Mouse"),
        "",
        "| | |",
        "|---|---|",
        f"| {_('drag')} | {_('move the slide')} |",
        f"| {_('wheel')} | {_('zoom about the pointer')} |",
        f"| {_('Ctrl + wheel')} | {_('opacity of the detections')} |",
        f"| {_('click')} | {_('select a nucleus')} |",
        f"| {_('space + drag, middle button')} | {_('move with any tool')} |",
    ]
    return "\n".join(lines)
