"""Bookmarks as a list with small pictures: a click goes there, a double-click renames."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtGui import QIcon, QImage, QKeyEvent, QPixmap
from PySide6.QtWidgets import QAbstractItemView, QListWidget, QListWidgetItem

from pathoview.core.translation import _
from pathoview.layers.frame import Frame, Look
from pathoview.layers.source import Rgba
from pathoview.layers.thumbnail import place_thumbnail
from pathoview.session.bookmark_desk import Bookmark
from pathoview.session.session import Session
from pathoview.session.viewport import OBJECTIVE_MPP
from pathoview.ui.text import magnification_text
from pathoview.ui.turn_chip import turn_text

_PICTURE = QSize(72, 48)
_SHARPNESS = 2
"""Device px a px: sharp on screens of high density too."""
_SHARE = 0.08
"""A picture is that much of the size in which the place was seen."""


class BookmarkList(QListWidget):
    """One row a bookmark. Keys: Return goes there, F2 renames, Delete removes."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._pictures: dict[Bookmark, QIcon] = {}
        self._shown: tuple[Bookmark, ...] = ()
        self._is_filling = False
        self.setAccessibleName(_("Bookmarks"))
        self.setIconSize(_PICTURE)
        self.setEditTriggers(
            QAbstractItemView.EditTrigger.DoubleClicked
            | QAbstractItemView.EditTrigger.EditKeyPressed
        )
        self.itemClicked.connect(self._on_clicked)
        self.itemChanged.connect(self._on_renamed)
        self.itemDelegate().closeEditor.connect(self._on_edited)
        session.places.bookmarks.changed.connect(self.refresh)
        session.slide_changed.connect(self._on_slide_changed)
        self.refresh()

    def refresh(self) -> None:
        """Show the bookmarks as they are now."""
        desk, row = self._session.places.bookmarks, self.currentRow()
        if desk.all != self._shown:  # what is being clicked or edited stays otherwise
            self._shown = desk.all
            self._is_filling = True
            while self.count() > len(desk.all):
                self.takeItem(self.count() - 1)
            while self.count() < len(desk.all):
                item = QListWidgetItem(self)
                item.setFlags(item.flags() | Qt.ItemFlag.ItemIsEditable)
            for number, bookmark in enumerate(desk.all):
                self.item(number).setText(bookmark.name)
                self.item(number).setIcon(self._picture(bookmark))
                self.item(number).setToolTip(self._words(bookmark))
            self._is_filling = False
        self.setCurrentRow(min(row if desk.current is None else desk.current, self.count() - 1))

    def remove_current(self) -> None:
        if self.currentRow() >= 0:
            self._session.places.bookmarks.remove(self.currentRow())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Go to the chosen bookmark, or remove it."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentRow() >= 0:
            self._session.places.bookmarks.go(self.currentRow())
        elif event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.remove_current()
        else:
            super().keyPressEvent(event)

    def _on_clicked(self, item: QListWidgetItem) -> None:
        self._session.places.bookmarks.go(self.row(item))

    def _on_renamed(self, item: QListWidgetItem) -> None:
        if not self._is_filling:
            self._session.places.bookmarks.rename(self.row(item), item.text())

    def _on_edited(self) -> None:
        QTimer.singleShot(0, self, self._show_pictures)  # when the editor is gone

    def _words(self, bookmark: Bookmark) -> str:
        slide = self._session.slide
        parts = [_("x {x:,.0f}  y {y:,.0f} px").format(x=bookmark.x_l0, y=bookmark.y_l0)]
        if slide is not None and slide.info.mpp is not None:
            parts.append(magnification_text(bookmark.scale * OBJECTIVE_MPP / slide.mpp))
        parts.append(turn_text(bookmark.rotation, bookmark.is_flipped))
        return "  ·  ".join(part for part in parts if part)

    # -- pictures --------------------------------------------------------------------------------

    def _picture(self, bookmark: Bookmark) -> QIcon:
        """Return the picture of a place; an empty one until it is made."""
        place = bookmark.model_copy(update={"name": ""})
        if place not in self._pictures:
            self._pictures[place] = QIcon(QPixmap(_PICTURE))
            slide = self._session.slide
            size = _PICTURE * _SHARPNESS
            look = Look(place.scale * _SHARE * _SHARPNESS, place.rotation, place.is_flipped)
            frame = Frame.around((place.x_l0, place.y_l0), look, size.width(), size.height())
            source = self._session.layers[0].source
            self._session.scheduler.submit(
                partial(place_thumbnail, source, frame, self._session.plane),
                partial(self._on_picture, slide, place),
            )
        return self._pictures[place]

    def _on_picture(
        self, slide: object, place: Bookmark, picture: Rgba | None, _error: BaseException | None
    ) -> None:
        if picture is None or slide is not self._session.slide:
            return
        height, width = picture.shape[:2]
        image = QImage(picture.data, width, height, 4 * width, QImage.Format.Format_RGBA8888)
        pixmap = QPixmap.fromImage(image.copy())
        self._pictures[place] = QIcon(pixmap)
        self._pictures[place].addPixmap(pixmap, QIcon.Mode.Selected)  # no tint over tissue
        self._show_pictures()

    def _show_pictures(self) -> None:
        """Show the pictures there are; not while a name is edited, which would undo the typing."""
        if self.state() == QAbstractItemView.State.EditingState:
            return
        self._is_filling = True
        for row, bookmark in enumerate(self._shown):
            self.item(row).setIcon(self._picture(bookmark))
        self._is_filling = False

    def _on_slide_changed(self) -> None:
        self._pictures = {}
