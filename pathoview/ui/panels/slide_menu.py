"""The menu of the slides that are chosen in the list."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QPoint, Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QInputDialog, QMenu, QWidget

from pathoview.core.translation import _, ngettext
from pathoview.session.session import Session
from pathoview.session.slide_desk import STAINS, SlideRow
from pathoview.ui.dialogs.slide_record import SlideRecordDialog


class SlideMenu:
    """Works on the slides it was asked for; each entry is one step."""

    def __init__(self, session: Session, parent: QWidget) -> None:
        self._session = session
        self._parent = parent
        self.menu = QMenu(parent)

    def ask(self, hashes: Sequence[str], place: QPoint) -> None:
        """Show the menu for some slides; ``place`` on the screen."""
        self.fill(hashes)
        self.menu.popup(place)

    def fill(self, hashes: Sequence[str]) -> None:
        """Put in what can be done with some slides."""
        slides, menu = self._session.slides, self.menu
        rows = [row for row in map(slides.row, hashes) if row is not None]
        menu.clear()
        if not rows:
            return
        if len(rows) == 1:
            menu.addAction(_("Open")).triggered.connect(partial(_open, self._session, hashes[0]))
            menu.addSeparator()
        reviewed = menu.addAction(_("Reviewed"))
        reviewed.setCheckable(True)
        reviewed.setChecked(all(row.record.is_reviewed for row in rows))
        reviewed.toggled.connect(lambda on: slides.editing.set_reviewed(hashes, on=on))
        self._add_stains(rows)
        menu.addAction(_("Describe, label, assign…")).triggered.connect(
            lambda: self.describe(hashes)
        )
        if not slides.is_blinded:
            self._add_renaming(hashes[0])
        menu.addSeparator()
        if len(rows) == 1 and not slides.is_blinded:
            menu.addAction(_("Show in folder")).triggered.connect(
                partial(_show_folder, rows[0].record.path)
            )
        text = ngettext("Remove from the study", "Remove {n} from the study", len(rows))
        menu.addAction(text.format(n=len(rows))).triggered.connect(
            lambda: slides.editing.remove(hashes)
        )

    def _add_stains(self, rows: Sequence[SlideRow]) -> None:
        editing, stains = self._session.slides.editing, {row.record.stain for row in rows}
        hashes = [row.slide_hash for row in rows]
        menu = self.menu.addMenu(_("Stain"))
        for stain in STAINS:
            action = menu.addAction(stain or _("not said"))
            action.setCheckable(True)
            action.setChecked(stains == {stain})
            action.triggered.connect(
                lambda _on=False, stain=stain: editing.set_stain(hashes, stain)
            )

    def _add_renaming(self, slide_hash: str) -> None:
        """Offer to rename the case and the block of the slide that was chosen first."""
        editing = self._session.slides.editing
        place = editing.place_of(slide_hash)
        if place is None:
            return
        case, block = place
        self._add_question(_("Rename case…"), case.name, partial(editing.rename_case, case))
        if block.name:
            self._add_question(_("Rename block…"), block.name, partial(editing.rename_block, block))

    def _add_question(self, title: str, name: str, take: Callable[[str], object]) -> None:
        def ask() -> None:
            dialog = QInputDialog(self._parent.window())
            dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            dialog.setWindowTitle(title.rstrip("…"))
            dialog.setLabelText(_("New name"))
            dialog.setTextValue(name)
            dialog.textValueSelected.connect(lambda text: take(text) if text.strip() else None)
            dialog.open()

        self.menu.addAction(title).triggered.connect(ask)

    def describe(self, hashes: Sequence[str]) -> None:
        """Show all that is said of some slides, to be altered."""
        dialog = SlideRecordDialog(self._session, hashes, self._parent.window())
        dialog.show()


def _open(session: Session, slide_hash: str, _on: bool = False) -> None:
    session.slides.open(slide_hash)


def _show_folder(path: str, _on: bool = False) -> None:
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(Path(path).parent)))
