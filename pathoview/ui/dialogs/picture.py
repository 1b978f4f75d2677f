"""Asks how a picture of the view is made, and where it goes."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QFormLayout,
    QLineEdit,
    QProgressBar,
    QWidget,
)

from pathoview.core.errors import PathoViewError, UsageError
from pathoview.core.translation import _
from pathoview.session.notices import Notice
from pathoview.session.pictures import PictureProgress, save_picture
from pathoview.session.session import Session
from pathoview.ui import theme
from pathoview.ui.dialogs.dialog import Dialog
from pathoview.ui.dialogs.export import suggested_file
from pathoview.ui.text import size_text
from pathoview.ui.widgets import button, label, row

_WIDTH = 560
_FACTORS = (1, 2, 3, 4)
_BACKGROUNDS = (("white", _("White")), ("dark", _("Dark")))
_POLL_MS = 100


class PictureDialog(Dialog):
    """One file and a few choices, remembered for the next time and for *Copy view*."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(_("Export view"), parent)
        self._session = session
        self._progress: PictureProgress | None = None
        self._is_closed = False
        options = session.settings.picture
        self.file = QLineEdit(str(suggested_file(session, "-view.png")))
        self.file.setAccessibleName(_("File"))
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
        self.problem = label("", "warning")
        self.problem.hide()
        self.bar = QProgressBar()
        self.bar.setAccessibleName(_("Progress"))
        self.bar.setTextVisible(False)
        self.bar.hide()
        self.cancel_button = button(_("Cancel"), self.reject)
        self.accept_button = button(_("Export"), self.accept, "export", primary=True)
        self.accept_button.setDefault(True)
        self._timer = QTimer(self, interval=_POLL_MS)
        self._timer.timeout.connect(self._show_progress)
        self._lay_out()

    def _lay_out(self) -> None:
        form = QFormLayout()
        form.setSpacing(theme.GRID)
        form.addRow(_("Size"), self.factor)
        form.addRow(_("Around the slide"), self.background)
        self.body.addWidget(label(_("Export what is seen now"), "title"))
        self.body.addWidget(
            label(
                _("The suggested name is the slide's: change it if it can carry a patient's name."),
                "muted",
            )
        )
        self.body.addLayout(row(self.file, button(_("Browse…"), self._browse, "open")))
        self.body.addWidget(
            label(
                _("A name that ends in .svg keeps outlines and letters as shapes, .png does not."),
                "muted",
            )
        )
        self.body.addWidget(self.problem)
        self.body.addSpacing(theme.GRID)
        self.body.addLayout(form)
        self.body.addWidget(self.scale_bar)
        self.body.addWidget(self.legend)
        self.body.addWidget(self.bar)
        self.body.addStretch(1)
        self.add_buttons(1, self.cancel_button, self.accept_button)
        self.setFixedWidth(_WIDTH)

    def accept(self) -> None:
        """Begin to draw; an existing file is only replaced at the second asking."""
        path = Path(self.file.text().strip()).expanduser()
        if self._progress is not None:
            return
        if not path.name or not path.parent.is_dir():
            self._say(_("There is no such folder. Choose one with Browse."))
            return
        if path.suffix.lower() not in (".png", ".svg"):
            path = path.with_name(path.name + ".png")
        if path.exists() and self.problem.property("path") != str(path):
            self._say(_("This file exists. Click Export again to replace it."), str(path))
            return
        options = self._session.settings.picture
        options.factor = self.factor.currentData()
        options.background = self.background.currentData()
        options.scale_bar = self.scale_bar.isChecked()
        options.legend = self.legend.isChecked()
        try:
            self._progress = save_picture(self._session, path, options, self._on_done)
        except UsageError as error:
            self._say(error.full_text)
            return
        self._set_busy(True)

    def _set_busy(self, is_busy: bool) -> None:
        self.accept_button.setEnabled(not is_busy)
        self.bar.setVisible(is_busy)
        self.problem.hide()
        (self._timer.start if is_busy else self._timer.stop)()

    def done(self, result: int) -> None:
        """Stop what is being drawn, and close."""
        self._is_closed = True
        if self._progress is not None:
            self._progress.control.cancel()
        super().done(result)

    def _show_progress(self) -> None:
        if self._progress is not None:
            self.bar.setValue(round(100 * self._progress.fraction))

    def _on_done(self, _nothing: None, error: BaseException | None) -> None:
        self._progress = None
        if self._is_closed:
            return
        if error is None:
            name = Path(self.file.text()).name
            self._session.notice.emit(Notice(_("“{name}” is written.").format(name=name)))
            super().accept()
            return
        self._set_busy(False)
        self._say(error.full_text if isinstance(error, PathoViewError) else str(error))

    def _say(self, text: str, path: str = "") -> None:
        self.problem.setText(text)
        self.problem.setProperty("path", path)
        self.problem.show()
        self.adjustSize()

    def _browse(self) -> None:
        kinds = _("Pictures (*.png *.svg)")
        dialog = QFileDialog(self, _("Export view"), self.file.text(), kinds)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setOption(QFileDialog.Option.DontConfirmOverwrite)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self.file.setText)
        dialog.open()
