"""Asks how a picture of the view is made, and where it goes."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QCheckBox, QComboBox, QFormLayout, QWidget

from pathoview.core.progress import WatchedProgress
from pathoview.core.translation import _
from pathoview.session.pictures import save_picture
from pathoview.session.session import Session
from pathoview.ui import theme
from pathoview.ui.dialogs.output_dialog import OutputDialog, name_hint, suggested_file
from pathoview.ui.text import size_text
from pathoview.ui.widgets import label

_FACTORS = (1, 2, 3, 4)
_BACKGROUNDS = (("white", _("White")), ("dark", _("Dark")))


class PictureDialog(OutputDialog):
    """One file and a few choices, remembered for the next time and for *Copy view*."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(session, _("Export view"), parent)
        options = session.settings.picture
        self.file.setText(str(suggested_file(session, "-view.png")))
        self.factor = QComboBox()
        self.factor.setAccessibleName(_("Size"))
        width, height = session.viewport.size_view
        for factor in _FACTORS:
            size = size_text(round(width * factor), round(height * factor))
            self.factor.addItem(f"{factor}×  ·  {size}", factor)
        self.factor.setCurrentIndex(self.factor.findData(options.factor))
        self.background = QComboBox()
        self.background.setAccessibleName(_("Around the slide"))
        for name, title in _BACKGROUNDS:
            self.background.addItem(_(title), name)
        self.background.setCurrentIndex(self.background.findData(options.background))
        self.scale_bar = QCheckBox(_("Scale bar"))
        self.scale_bar.setChecked(options.scale_bar)
        self.legend = QCheckBox(_("Legend of classes and colours"))
        self.legend.setChecked(options.legend)
        form = QFormLayout()
        form.setSpacing(theme.GRID)
        form.addRow(_("Size"), self.factor)
        form.addRow(_("Around the slide"), self.background)
        kinds = _("A name that ends in .svg keeps outlines and letters as shapes, .png does not.")
        heading = label(_("Export what is seen now"), "title")
        self._lay_out(
            [heading, name_hint(), self.file_row, label(kinds, "muted"), self.problem],
            [form, self.scale_bar, self.legend],
        )

    def _kinds(self) -> str:
        return _("Pictures (*.png *.svg)")

    def _checked(self, path: Path) -> Path:
        is_named = path.suffix.lower() in (".png", ".svg")
        return path if is_named else path.with_name(path.name + ".png")

    def _write(self, path: Path) -> WatchedProgress:
        options = self._session.settings.picture
        options.factor = self.factor.currentData()
        options.background = self.background.currentData()
        options.scale_bar = self.scale_bar.isChecked()
        options.legend = self.legend.isChecked()
        return save_picture(self._session, path, options, self._on_done)
