"""The tool bar: open, magnification, overlay, Analyze; at the right what goes on."""

from __future__ import annotations

import re

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QComboBox, QMenu, QSizePolicy, QSlider, QToolBar, QToolButton, QWidget

from pathoview.core.translation import _
from pathoview.session.command_tables import compare
from pathoview.session.session import Session
from pathoview.ui import icons, theme
from pathoview.ui.actions import Actions
from pathoview.ui.panels.device import DeviceButton
from pathoview.ui.text import magnification_text
from pathoview.ui.widgets import icon_button

_POWERS = (1.25, 2.5, 5, 10, 20, 40)
_WORKING_PX_PER_POWER = 10.0
"""µm per view px at 1×; the viewport's own convention."""
_NUMBER = re.compile(r"\d+(?:[.,]\d+)?")


class MainToolBar(QToolBar):
    """Only what is used all the time; everything else is in the menus and the palette."""

    def __init__(self, session: Session, actions: Actions, parent: QWidget) -> None:
        super().__init__(_("Tools"), parent)
        self.setObjectName("tools")
        self.setMovable(False)
        self.setIconSize(QSize(icons.SIZE, icons.SIZE))
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        self._session = session
        self.magnification = MagnificationBox(session)
        self.opacity = OpacitySlider(session)
        self.addAction(actions["file.open"])
        self._with_text(actions["file.open"].objectName(), actions)
        self.addSeparator()
        self.addAction(actions["view.fit"])
        self.addWidget(self.magnification)
        self.addSeparator()
        self.addAction(actions["view.overlays"])
        self.addWidget(self.opacity)
        self.compare = self._compare_button(actions)
        self.addWidget(self.compare)
        self.addSeparator()
        self.addAction(actions["analyze.run"])
        self.analyze = self._with_text("analyze.run", actions)
        self.analyze.setProperty("primary", True)
        actions["analyze.run"].changed.connect(self._tint_analyze)
        self._tint_analyze()
        spacer = QWidget()
        spacer.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.addWidget(spacer)
        self.device = DeviceButton(session)
        self.addWidget(self.device)

    @property
    def activity(self) -> str:
        """What goes on, in words."""
        return self.device.text()

    def _with_text(self, command_id: str, actions: Actions) -> QToolButton:
        button = self.widgetForAction(actions[command_id])
        assert isinstance(button, QToolButton)
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        return button

    def _compare_button(self, actions: Actions) -> QToolButton:
        """Return a button with a menu of everything that shows two things at once."""
        button, menu = (
            icon_button("views", _("Compare: several views, curtain, flicker")),
            QMenu(self),
        )
        for command in compare.COMMANDS:
            if command.id in ("compare.link", "compare.curtain"):
                menu.addSeparator()
            menu.addAction(actions[command.id])
        button.setIconSize(self.iconSize())
        button.setMenu(menu)
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        return button

    def _tint_analyze(self) -> None:
        # Qt gives the button the icon of its action again at every change of that.
        self.analyze.setIcon(icons.icon("analyze", "on_accent"))


class MagnificationBox(QComboBox):
    """Shows the magnification, and takes one that is chosen or typed."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.setEditable(True)
        self.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.setFixedWidth(11 * theme.GRID)
        self.setToolTip(_("Magnification; without a scale of the slide, % of its pixels"))
        self.setAccessibleName(_("Magnification"))
        self.activated.connect(self._on_entered)
        line = self.lineEdit()
        if line is not None:
            line.returnPressed.connect(self._on_entered)
        session.viewport_changed.connect(self._refresh)
        session.slide_changed.connect(self._on_slide_changed)
        self._on_slide_changed()

    @property
    def _mpp(self) -> float | None:
        slide = self._session.slide
        return slide.mpp if slide is not None and slide.info.mpp is not None else None

    def _on_slide_changed(self) -> None:
        self.clear()
        for power in _POWERS:
            self.addItem(
                magnification_text(power) if self._mpp else f"{100 * power / _POWERS[-2]:g} %"
            )
        self.setEnabled(self._session.slide is not None)
        self._refresh()

    def _refresh(self) -> None:
        scale, mpp = self._session.viewport.scale, self._mpp
        if self._session.slide is None:
            self.setEditText("")
        elif mpp is None:
            self.setEditText(f"{100 * scale:.3g} %")
        else:
            self.setEditText(magnification_text(self._session.viewport.magnification(mpp)))

    def _on_entered(self) -> None:
        number = _NUMBER.search(self.currentText())
        if number is not None and self._session.slide is not None:
            value, mpp = float(number.group().replace(",", ".")), self._mpp
            scale = value / 100 if mpp is None else value * mpp / _WORKING_PX_PER_POWER
            viewport = self._session.viewport
            viewport.look_at(*viewport.center_l0, scale)
        self._refresh()


class OpacitySlider(QSlider):
    """How much of everything that lies on the slide shines through."""

    def __init__(self, session: Session) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self._session = session
        self.setRange(0, 100)
        self.setFixedWidth(12 * theme.GRID)
        self.setToolTip(_("Opacity of the detections (Ctrl + wheel)"))
        self.setAccessibleName(_("Opacity of the detections"))
        self.valueChanged.connect(self._on_moved)
        session.overlay.changed.connect(self._refresh)
        session.slide_changed.connect(self._refresh)
        self._refresh()

    def _refresh(self) -> None:
        self.setEnabled(self._session.slide is not None)
        self.blockSignals(True)
        self.setValue(round(100 * self._session.settings.overlay.opacity))
        self.blockSignals(False)

    def _on_moved(self, percent: int) -> None:
        now = self._session.settings.overlay.opacity
        self._session.overlay.change_opacity(percent / 100 - now)
