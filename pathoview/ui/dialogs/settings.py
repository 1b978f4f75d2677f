"""The few settings that do not stand where they act."""

from __future__ import annotations

from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QCheckBox, QComboBox, QDoubleSpinBox, QFormLayout, QSpinBox, QWidget

from pathoview.core.translation import _
from pathoview.session.commands import run_command
from pathoview.session.session import Session
from pathoview.ui import theme
from pathoview.ui.dialogs.dialog import Dialog
from pathoview.ui.widgets import button, label, roomy

_MIB = 2**20
_SMALLEST_MIB, _LARGEST_MIB = 64, 262_144
_WIDEST_GRID_UM = 100_000.0
_WIDTH = 440


class SettingsDialog(Dialog):
    """Applied at once and saved on closing."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        self._session = session
        super().__init__(_("Settings"), parent)
        settings = session.settings
        self.colors = _switch(
            _("Show colours as the slide's profile says"),
            _("Only what is seen; methods always get the raw pixels"),
            is_on=settings.correct_colors,
        )
        self.trackpad = _switch(
            _("Two fingers on a trackpad move the slide"),
            _("A pinch, or Shift and two fingers, zooms; else two fingers do"),
            is_on=settings.trackpad_pans,
        )
        self.opengl = _switch(
            _("Draw with OpenGL (experimental)"),
            _("The same picture; faster only with a graphics card"),
            is_on=settings.opengl,
        )
        self.memory = QSpinBox()
        roomy(self.memory)
        self.memory.setRange(_SMALLEST_MIB, _LARGEST_MIB)
        self.memory.setSingleStep(256)
        self.memory.setSuffix(_(" MiB"))
        self.memory.setValue(settings.cache_bytes // _MIB)
        self.memory.setAccessibleName(_("Memory for tiles"))
        self.memory.setToolTip(_("What all layers may hold together"))
        self.memory.setKeyboardTracking(False)
        self.memory.valueChanged.connect(self._on_memory_set)
        self.theme = QComboBox()
        self.theme.setAccessibleName(_("Theme"))
        for name, title in (("dark", _("Dark")), ("light", _("Light"))):
            self.theme.addItem(title, name)
        self.theme.activated.connect(self._on_theme_chosen)
        self._show_theme()
        form = QFormLayout()
        form.setSpacing(theme.GRID)
        form.addRow(_("Theme"), self.theme)
        self.keys = button(
            _("Keyboard shortcuts…"), lambda: run_command(session, "help.keys"), "keyboard"
        )
        form.addRow(_("Keys"), self.keys)
        form.addRow(self.trackpad)
        form.addRow(self.colors)
        form.addRow(self.opengl)
        form.addRow(_("Memory for tiles"), self.memory)
        self.grid = grid_box(session)
        form.addRow(_("Lines of the grid"), self.grid)
        self.body.addLayout(form)
        self.body.addWidget(
            label(
                _(
                    "Colours take effect with the next slide, OpenGL with the next start, "
                    "memory at once."
                ),
                "muted",
            )
        )
        self.body.addStretch(1)
        self.add_close()
        self.setMinimumWidth(_WIDTH)
        self.finished.connect(self._save)

    def changeEvent(self, event: QEvent) -> None:
        """Show the theme that was chosen elsewhere."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:
            self._show_theme()

    def _show_theme(self) -> None:
        self.theme.setCurrentIndex(self.theme.findData(self._session.settings.theme))

    def _on_theme_chosen(self) -> None:
        if self.theme.currentData() != self._session.settings.theme:
            run_command(self._session, "window.theme")

    def _on_memory_set(self, mebibytes: int) -> None:
        self._session.set_memory(mebibytes * _MIB)

    def _save(self) -> None:
        settings = self._session.settings
        settings.correct_colors = self.colors.isChecked()
        settings.opengl = self.opengl.isChecked()
        settings.trackpad_pans = self.trackpad.isChecked()
        settings.save()


def _switch(text: str, tip: str, *, is_on: bool) -> QCheckBox:
    made = QCheckBox(text)
    made.setChecked(is_on)
    made.setToolTip(tip)
    return made


def grid_box(session: Session) -> QDoubleSpinBox:
    """Return the editor for the distance of the measuring grid's lines; 0: by the zoom."""
    grid, box = session.places.grid, QDoubleSpinBox()
    roomy(box)
    box.setRange(0, _WIDEST_GRID_UM)
    box.setDecimals(1)
    box.setStepType(QDoubleSpinBox.StepType.AdaptiveDecimalStepType)
    box.setSpecialValueText(_("By the zoom"))
    box.setSuffix(_(" µm apart"))
    box.setValue(grid.step_um or 0)
    box.setAccessibleName(_("Distance of the lines of the measuring grid"))
    box.setKeyboardTracking(False)
    box.valueChanged.connect(lambda step_um: setattr(grid, "step_um", step_um or None))
    return box
