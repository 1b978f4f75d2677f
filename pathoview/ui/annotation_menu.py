"""The menu at a right-click on the slide: what can be done with the annotations there."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QEvent, QObject, QPoint, Qt
from PySide6.QtGui import QColor, QContextMenuEvent
from PySide6.QtWidgets import QMenu

from pathoview.core.translation import _, ngettext
from pathoview.session.commands import command
from pathoview.session.pointing import click
from pathoview.session.selection import detection_at
from pathoview.session.session import Session
from pathoview.session.tools.tool import REACH_VIEW
from pathoview.ui import icons
from pathoview.ui.actions import Actions
from pathoview.ui.view_grid import ViewGrid

_ENTRIES = (
    *("annotate.properties", ""),
    *("annotate.merge", "annotate.subtract", "annotate.intersect", "annotate.exclusive"),
    *("annotate.split", "annotate.fill_holes", "annotate.simplify", "annotate.smooth"),
    *("annotate.expand", "annotate.shrink", "annotate.convex_hull", ""),
    *("annotate.lock", "annotate.uncertain", "annotate.disputed", "annotate.full"),
    *("annotate.hide", ""),
    *("review.accept", "review.merge", "review.inside", ""),
    *("annotate.duplicate", "annotate.copy", "annotate.paste"),
    *("annotate.delete", ""),
    *("annotate.select_all", "annotate.show_hidden", "annotate.full_image", "annotate.tissue"),
)
"""Commands in order; empty: a line. Those that cannot be done now are left out."""
_ALWAYS_LAST = 4
"""The last ones are offered only when nothing is chosen."""


class AnnotationMenu(QObject):
    """Opens over the canvases of a grid, which it listens to."""

    def __init__(self, session: Session, actions: Actions, views: ViewGrid) -> None:
        super().__init__(views)
        self._session = session
        self._actions = actions
        self._views = views
        views.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Open the menu for whatever the canvases leave to their grid."""
        if not isinstance(event, QContextMenuEvent) or self._session.slide is None:
            return False
        drawing = self._session.toolbox.drawing
        if drawing is None or drawing.is_busy:
            return False
        canvas = self._views.active
        place = event.globalPos()
        if event.reason() == QContextMenuEvent.Reason.Keyboard:
            place = canvas.mapToGlobal(canvas.rect().center())
        else:
            at = canvas.mapFromGlobal(place)
            if not canvas.rect().contains(at):
                return False
            self._choose(at)
        self.menu().popup(place)
        event.accept()
        return True

    def _choose(self, at: QPoint) -> None:
        """Choose what is at a place, unless it is among the chosen ones."""
        desk, viewport = self._session.annotations, self._session.viewport
        place_l0, reach_l0 = viewport.to_l0(at.x(), at.y()), REACH_VIEW / viewport.scale
        here = desk.find(*place_l0, reach_l0)
        found = detection_at(self._session, *place_l0)
        is_chosen = found is not None and found[1] in found[0].chosen
        if not is_chosen and not any(one.id in desk.selected_ids for one in here):
            click(self._session, *place_l0, reach_l0)

    def menu(self) -> QMenu:
        """Return the menu for what is chosen; it lets itself go when closed."""
        menu = QMenu(self._views)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._actions.refresh()
        n = self._session.annotations.n_selected
        n_detections = self._session.review.corrections.n_chosen
        if n:
            title = ngettext("{n:,} annotation", "{n:,} annotations", n).format(n=n)
            menu.addAction(title).setEnabled(False)
        if n_detections:
            title = ngettext("{n:,} detection", "{n:,} detections", n_detections)
            menu.addAction(title.format(n=n_detections)).setEnabled(False)
        if n or n_detections:
            self._add_classes(menu.addMenu(_("Set class")))
        for command_id in _ENTRIES[:-_ALWAYS_LAST] if n else _ENTRIES:
            if not command_id:
                menu.addSeparator()
            elif command(command_id).enabled(self._session):
                menu.addAction(self._actions[command_id])
        return menu

    def _add_classes(self, menu: QMenu) -> None:
        session = self._session

        def give(number: int) -> None:
            if not session.review.reclass(number):
                session.operations.set_class(number)

        for one in session.classes.listed:
            name = one.name.replace("&", "&&")
            text = f"{name}\t{one.shortcut}" if one.shortcut else name
            menu.addAction(icons.swatch(QColor(*one.color)), text, partial(give, one.number))
        menu.addSeparator()
        menu.addAction(_("No class") + "\t0", partial(give, 0))
