"""The Slide panel: what the open slide is; its label only when asked for."""

from __future__ import annotations

from functools import partial

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage, QPixmap
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from pathoview.core.translation import _
from pathoview.layers.scale_bar import length_text
from pathoview.session.commands import run_command
from pathoview.session.session import Session
from pathoview.ui import theme
from pathoview.ui.text import magnification_text, size_text
from pathoview.ui.widgets import button, clear_layout, column, label, scrolled

_PICTURE_PX = 240


class SlideInfoPanel(QWidget):
    """Size, scale, magnification, vendor, levels and reader."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._empty = label(_("No slide is open."), "muted")
        self._name = label("", "title", selectable=True)
        self._facts = QGridLayout()
        self._facts.setContentsMargins(0, 0, 0, 0)
        self._facts.setHorizontalSpacing(theme.GRID)
        self._facts.setVerticalSpacing(theme.GRID // 2)
        self._facts.setColumnStretch(1, 1)
        facts = QWidget()
        facts.setLayout(self._facts)
        self.change_scale = button(_("Change scale…"), lambda: run_command(session, "view.scale"))
        self._pictures = QVBoxLayout()
        self._pictures_box = QWidget()
        self._pictures_box.setLayout(self._pictures)
        self._pictures.setContentsMargins(0, 0, 0, 0)
        self._filled = column(self._name, facts, self.change_scale, self._pictures_box)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(scrolled(column(self._empty, self._filled, 1, margin=theme.GRID + 4)))
        session.slide_changed.connect(self._refresh)
        session.slides.changed.connect(self._on_list_changed)
        self._refresh()

    def _refresh(self) -> None:
        slide = self._session.slide
        self._empty.setVisible(slide is None)
        self._filled.setVisible(slide is not None)
        clear_layout(self._facts)
        clear_layout(self._pictures)
        if slide is None:
            return
        for line, (name, value) in enumerate(self.facts()):
            name_label = label(name, "muted")
            name_label.setWordWrap(False)
            name_label.setAlignment(Qt.AlignmentFlag.AlignTop)
            self._facts.addWidget(name_label, line, 0)
            self._facts.addWidget(label(value, selectable=True), line, 1)
        for name in slide.associated_names():
            self._pictures.addWidget(HiddenPicture(self._session, name))
        self._on_list_changed()

    def _on_list_changed(self) -> None:
        """Show the name, or hide it: a blinded study names no slide."""
        self._name.setText(self._session.slides.open_name)
        self._pictures_box.setVisible(not self._session.slides.is_blinded)

    def facts(self) -> list[tuple[str, str]]:
        """Return (name, value) of everything that is said of the open slide."""
        slide = self._session.slide
        if slide is None:
            return []
        info = slide.info
        rows = [(_("Size"), size_text(info.width, info.height))]
        if info.mpp is None:
            rows.append((_("Scale"), info.mpp_problem or _("not known")))
        else:
            x_mpp, y_mpp = info.mpp
            rows.append(
                (
                    _("Extent"),
                    f"{length_text(info.width * x_mpp)} × {length_text(info.height * y_mpp)}",
                )
            )
            said = _("stated by you") if slide.scale_source == "user" else _("stated by the file")
            rows.append((_("Scale"), _("{n:.4g} µm/px, {who}").format(n=slide.mpp, who=said)))
        if info.objective_power:
            rows.append((_("Objective"), magnification_text(info.objective_power)))
        levels = ", ".join(f"1:{level.downsample:.4g}" for level in info.levels)
        rows += [
            (_("Levels"), f"{len(info.levels)} ({levels})"),
            (_("Vendor"), info.vendor or _("not known")),
            (_("Reader"), info.reader),
        ]
        if not info.is_rgb:
            names = ", ".join(channel.name for channel in info.channels)
            rows.append((_("Channels"), f"{names} ({info.dtype})"))
        return rows


class HiddenPicture(QWidget):
    """A picture that may show a patient's name: a button until it is asked for."""

    def __init__(self, session: Session, name: str) -> None:
        super().__init__()
        self._session = session
        self._name = name
        self.show_button = button(_("Show {name} image").format(name=name), self.reveal, "eye")
        self._warning = label(_("It can show a patient's name."), "muted")
        self.picture = label()
        self.picture.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.GRID // 2)
        for widget in (self.show_button, self._warning, self.picture):
            layout.addWidget(widget)

    def reveal(self) -> None:
        """Read the picture away from the window's thread, then show it; or hide it again."""
        slide = self._session.slide
        if self.picture.isVisible():
            self._set_shown(False)
        elif slide is not None:
            read = partial(slide.read_associated, self._name)
            self._session.scheduler.submit(read, self._on_read)

    def _on_read(self, pixels: npt.NDArray[np.uint8] | None, error: BaseException | None) -> None:
        if pixels is None:
            self._warning.setText(str(error))
            return
        rgb = np.ascontiguousarray(pixels[..., :3])
        height, width, _n = rgb.shape
        image = QImage(rgb.data, width, height, 3 * width, QImage.Format.Format_RGB888)
        self.picture.setPixmap(
            QPixmap.fromImage(image.copy()).scaled(
                _PICTURE_PX,
                _PICTURE_PX,
                Qt.AspectRatioMode.KeepAspectRatio,
                Qt.TransformationMode.SmoothTransformation,
            )
        )
        self._set_shown(True)

    def _set_shown(self, shown: bool) -> None:
        self.picture.setVisible(shown)
        words = _("Hide {name} image") if shown else _("Show {name} image")
        self.show_button.setText(words.format(name=self._name))
