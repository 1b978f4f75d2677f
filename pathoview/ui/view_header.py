"""The line over a canvas when there are several: which layers it shows, and if they are linked."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QAction, QColor, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QMenu, QToolButton, QWidget

from pathoview.core.translation import _, ngettext
from pathoview.layers.layer import Layer
from pathoview.session.session import Session
from pathoview.session.view import View
from pathoview.ui import icons, theme
from pathoview.ui.links import Links
from pathoview.ui.widgets import icon_button, name_icon_button

_HEIGHT = 28
_ACCENT_PX = 2


class ViewHeader(QWidget):
    """Belongs to one view; an accent line over it says that keys and commands work there."""

    def __init__(self, session: Session, view: View) -> None:
        super().__init__()
        self._session = session
        self._view = view
        self.setFixedHeight(_HEIGHT)
        self.menu = QMenu(self)
        self.menu.aboutToShow.connect(self._fill)
        self.layers_button = QToolButton()
        self.layers_button.setMenu(self.menu)
        self.layers_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.layers_button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.layers_button.setToolTip(_("Which layers this view shows"))
        self.link_button = icon_button("link", "", self._on_link_clicked)
        self.link_button.setCheckable(True)
        self.link_button.setProperty("quiet", True)
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.GRID // 2, _ACCENT_PX, theme.GRID // 2, 0)
        row.addWidget(self.layers_button)
        row.addStretch(1)
        row.addWidget(self.link_button)
        self.links = Links()
        for changed in (session.layers_changed, session.views.changed, view.changed):
            self.links.add(changed, self.synchronize)
        self.synchronize()

    @property
    def _is_active(self) -> bool:
        return self._session.views.active is self._view

    def synchronize(self) -> None:
        """Say what is so now."""
        text = self._summary()
        self.layers_button.setText(text)
        self.layers_button.setAccessibleName(_("Layers of this view: {text}").format(text=text))
        is_linked = self._session.views.is_linked
        self.link_button.setChecked(is_linked)
        self.link_button.setIcon(icons.icon("link" if is_linked else "unlink"))
        name_icon_button(
            self.link_button,
            _("The views move together. Click to let each move on its own.")
            if is_linked
            else _("Each view moves on its own. Click to have all look where this one does."),
        )
        self.update()

    def _summary(self) -> str:
        layers = list(self._session.layers)
        shown = [layer for layer in layers if self._view.shows(layer)]
        if len(shown) == len(layers):
            return _("All layers")
        if len(shown) == 1:
            return _("Only {name}").format(name=shown[0].name)
        return ngettext("{shown} of {n} layer", "{shown} of {n} layers", len(layers)).format(
            shown=len(shown), n=len(layers)
        )

    # -- the menu ------------------------------------------------------------------------------

    def _fill(self) -> None:
        self.menu.clear()
        layers = [*self._session.layers][::-1]
        for layer in layers:
            self.menu.addAction(self._switch(layer))
        self.menu.addSeparator()
        alone = self.menu.addMenu(_("Only one"))
        for layer in layers:
            alone.addAction(layer.name).triggered.connect(partial(self._show_only, layer))
        everything = self.menu.addAction(_("All layers"))
        everything.triggered.connect(self._show_all)
        everything.setEnabled(not all(map(self._view.shows, layers)))

    def _switch(self, layer: Layer) -> QAction:
        text = layer.name if layer.visible else _("{name} (hidden)").format(name=layer.name)
        action = QAction(text, self.menu)
        action.setCheckable(True)
        action.setChecked(self._view.shows(layer))
        action.setEnabled(layer.visible)
        action.toggled.connect(partial(self._view.set_shown, layer))
        return action

    def _show_only(self, layer: Layer, _on: bool = False) -> None:
        for other in self._session.layers:
            self._view.set_shown(other, other is layer)

    def _show_all(self, _on: bool = False) -> None:
        for layer in self._session.layers:
            self._view.set_shown(layer, True)

    def _on_link_clicked(self) -> None:
        views = self._session.views
        views.activate(self._view)
        views.is_linked = not views.is_linked

    # -- events --------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take this view as the one that commands work on."""
        self._session.views.activate(self._view)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the ground, and the accent over the active view."""
        colors = theme.current()
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), QColor(colors.surface))
            if self._is_active:
                line = QRect(0, 0, self.width(), _ACCENT_PX)
                painter.fillRect(line, QColor(colors.accent))
