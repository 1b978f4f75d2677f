"""What the tool in hand can be told: a small form that opens beside the tool strip."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QFrame,
    QLabel,
    QWidget,
)

from pathoview.core.translation import _
from pathoview.session.session import Session
from pathoview.ui import theme
from pathoview.ui.widgets import roomy


@dataclass(frozen=True, slots=True)
class Switch:
    """A setting that is on or off."""

    title: str


@dataclass(frozen=True, slots=True)
class Choice:
    """A setting of a few values, each with its words."""

    title: str
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Number:
    """A setting in some unit, within bounds."""

    title: str
    unit: str
    least: float
    most: float
    decimals: int = 0


OPTIONS: Mapping[str, Switch | Choice | Number] = {
    "brush_view": Number(_("Size on screen"), _("px"), 2, 500),
    "brush_follows_zoom": Switch(_("Same size on screen at every zoom")),
    "brush_l0": Number(_("Size on the slide"), _("px"), 2, 10_000),
    "rectangle_role": Choice(
        _("Means"), {"": _("An area of its class"), "full": _("Fully labelled: nothing missing")}
    ),
    "line_role": Choice(_("Draws"), {"ruler": _("Ruler"), "arrow": _("Arrow"), "": _("Line")}),
    "polyline_role": Choice(
        _("Means"), {"scribble": _("A scribble inside its class"), "": _("Just a line")}
    ),
    "wand_space": Choice(
        _("Looks at"),
        {
            "lab": _("Colour"),
            "first stain": _("Haematoxylin"),
            "second stain": _("The other stain"),
            "grey": _("Brightness"),
        },
    ),
    "wand_sensitivity": Number(_("Sensitivity"), "", 0.1, 20, 1),
    "superpixel_um": Number(_("Size of a superpixel"), _("µm"), 2, 500),
    "snaps_points": Switch(_("Snap to the nearest nucleus")),
    "snap_radius_um": Number(_("Snap within"), _("µm"), 0.5, 50, 1),
    "goes_back_to_move": Switch(_("Back to Move after each")),
}
"""Fields of `DrawingSettings`; `DrawingTool.options` names those of each tool."""


_ONLY_IF: Mapping[str, tuple[str, bool]] = {
    "brush_view": ("brush_follows_zoom", True),
    "brush_l0": ("brush_follows_zoom", False),
    "snap_radius_um": ("snaps_points", True),
}
"""Settings that count only as long as another one is so."""


class ToolOptions(QFrame):
    """A popup; it shows and changes the settings of the drawing tools."""

    def __init__(self, session: Session, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setProperty("role", "card")
        self.setAccessibleName(_("Options of the tool"))
        self._session = session
        self._kit = session.toolbox.kit
        self._refreshers: list[Callable[[], None]] = []
        self._form = QFormLayout(self)
        self._form.setContentsMargins(*4 * [theme.GRID + theme.GRID // 2])
        self._form.setSpacing(theme.GRID)
        self._kit.changed.connect(self._refresh)

    @property
    def names(self) -> tuple[str, ...]:
        """The settings of the tool in hand that can be shown."""
        tool = self._session.toolbox.drawing
        wanted = () if tool is None else tool.options
        return tuple(name for name in wanted if name in OPTIONS)

    def open_at(self, corner: QPoint) -> None:
        """Show the options of the tool in hand, their top left corner at a place of the screen."""
        self._fill()
        self.adjustSize()
        room = self.screen().availableGeometry()
        corner.setY(max(room.top(), min(corner.y(), room.bottom() - self.height())))
        self.move(corner)
        self.show()
        editor = self.editor(self.names[0]) if self.names else None
        if editor is not None:
            editor.setFocus(Qt.FocusReason.PopupFocusReason)

    def editor(self, name: str) -> QWidget | None:
        """Return what changes a setting, if it is shown."""
        return self.findChild(QWidget, name)

    def _fill(self) -> None:
        self._refreshers.clear()
        while self._form.rowCount():
            self._form.removeRow(0)
        for name in self.names:
            option = OPTIONS[name]
            if isinstance(option, Switch):
                self._form.addRow(self._named(self._switch(name, option), name, option.title))
                continue
            made = self._choice(name, option) if isinstance(option, Choice) else None
            editor = made or self._number(name, option)  # type: ignore[arg-type]
            label = QLabel(option.title)
            label.setBuddy(editor)
            self._form.addRow(label, self._named(editor, name, option.title))
        self._refresh()

    def _refresh(self) -> None:
        for refresh in self._refreshers:
            refresh()
        for name, (other, wanted) in _ONLY_IF.items():
            editor = self.editor(name)
            if editor is not None:
                editor.setEnabled(self._value(other) == wanted)

    @staticmethod
    def _named(editor: QWidget, name: str, title: str) -> QWidget:
        editor.setObjectName(name)
        editor.setAccessibleName(title)
        return editor

    def _value(self, name: str) -> object:
        return getattr(self._kit.settings, name)

    def _switch(self, name: str, option: Switch) -> QCheckBox:
        box = QCheckBox(option.title)
        box.toggled.connect(lambda on: self._kit.set(name, on))
        self._refreshers.append(lambda: box.setChecked(bool(self._value(name))))
        return box

    def _choice(self, name: str, option: Choice) -> QComboBox:
        box = QComboBox()
        for value, words in option.values.items():
            box.addItem(words, value)
        self._refreshers.append(lambda: box.setCurrentIndex(box.findData(self._value(name))))
        box.activated.connect(lambda _index: self._kit.set(name, box.currentData()))
        return box

    def _number(self, name: str, option: Number) -> QDoubleSpinBox:
        box = QDoubleSpinBox()
        box.setDecimals(option.decimals)
        box.setRange(option.least, option.most)
        box.setStepType(QDoubleSpinBox.StepType.AdaptiveDecimalStepType)
        box.setSuffix(f" {option.unit}" if option.unit else "")
        roomy(box)

        def refresh() -> None:
            box.blockSignals(True)
            box.setValue(float(str(self._value(name))))
            box.blockSignals(False)

        box.valueChanged.connect(lambda value: self._kit.set(name, value))
        self._refreshers.append(refresh)
        return box
