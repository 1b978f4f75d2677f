"""The Layers panel: the list of layers, front first, and the controls of the chosen one."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from pathoview.core.geometry import Rect
from pathoview.core.translation import _
from pathoview.layers.layer import Layer
from pathoview.session.commands import command, run_command
from pathoview.session.session import Session
from pathoview.ui import theme
from pathoview.ui.panels.layer_controls.controls import Controls
from pathoview.ui.panels.layer_controls.factory import controls_for
from pathoview.ui.panels.layer_list import LayerListView
from pathoview.ui.widgets import (
    button,
    clear_layout,
    column,
    icon_button,
    label,
    line,
    row,
    scrolled,
)


class LayersPanel(QWidget):
    """What lies over what, and how each of it looks."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._controlled: Layer | None = None
        self.controls: tuple[Controls, ...] = ()
        """Those of the chosen layer, one set below the other."""
        self.list = LayerListView(session)
        self._empty = label(_("Open a slide to see its layers."), "muted")
        self.open = button(_("Open as layer…"), self._runner("layer.open"), "open")
        self.buttons = {
            name: icon_button(icon, _(command(name).title), self._runner(name))
            for name, icon in (
                ("layer.up", "arrow-up"),
                ("layer.down", "arrow-down"),
                ("layer.remove", "trash"),
            )
        }
        self._below = QVBoxLayout()
        self._below.setSpacing(theme.GRID + theme.GRID // 2)
        self._bar = column(row(self.open, 1, *self.buttons.values(), spacing=0))
        content = column(
            self._empty, self.list, self._bar, line(), self._below, 1, margin=theme.GRID + 4
        )
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(scrolled(content))
        for changed in (
            session.layers_changed,
            session.slide_changed,
            session.active_layer_changed,
            session.runs_changed,
            session.overlay.changed,
            session.tool_changed,
        ):
            changed.connect(self.refresh)
        session.layers.repainted.connect(self._on_repainted)
        session.cursor_changed.connect(self._on_cursor_changed)
        self.refresh()

    def refresh(self) -> None:
        """Show the chosen layer as it is now."""
        self._empty.setVisible(not len(self._session.layers))
        self._bar.setVisible(self._session.slide is not None)
        for name, made in self.buttons.items():
            made.setEnabled(command(name).enabled(self._session))
        layer = self._session.active_layer
        if layer is not self._controlled:
            self._controlled = layer
            clear_layout(self._below)
            self.controls = () if layer is None else controls_for(self._session, layer)
            for index, controls in enumerate(self.controls):
                if index:
                    self._below.addWidget(line())
                self._below.addWidget(controls)
        else:
            self._refresh_controls()

    def _refresh_controls(self) -> None:
        for controls in self.controls:
            controls.refresh()

    def rename(self) -> None:
        """Have the name of the chosen layer edited."""
        self.list.rename_chosen()

    def _on_cursor_changed(self) -> None:
        if self.isVisible():
            for controls in self.controls:
                controls.show_cursor(self._session.cursor_l0)

    def _on_repainted(self, layer: Layer, rect_l0: Rect | None) -> None:
        if layer is self._controlled and rect_l0 is None:
            self._refresh_controls()

    def _runner(self, command_id: str) -> Callable[[], None]:
        def run() -> None:
            run_command(self._session, command_id)

        return run
