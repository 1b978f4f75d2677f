"""Sliders for focus, time and channel; there only where a slide has more than one of them."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import QComboBox, QFrame, QHBoxLayout, QLabel, QSlider, QWidget

from pathoview.core.pyramid import ALL_CHANNELS
from pathoview.core.translation import _
from pathoview.session.session import Session
from pathoview.ui import theme

_SLIDER_WIDTH = 120


class PlaneBar(QFrame):
    """Chooses the plane that is shown."""

    def __init__(self, session: Session, parent: QWidget) -> None:
        super().__init__(parent)
        self._session = session
        self.has_choice = False
        """Whether the open slide has more than one plane or channel."""
        self.setProperty("role", "card")
        self.setAccessibleName(_("Planes of the slide"))
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 6, 12, 6)
        row.setSpacing(theme.GRID)
        self.z_slider, self._z_label = self._add_slider(row, _("Focus"), self._on_z_moved)
        self.t_slider, self._t_label = self._add_slider(row, _("Time"), self._on_t_moved)
        self.channel_box = QComboBox()
        self.channel_box.setAccessibleName(_("Channel"))
        self.channel_box.setToolTip(_("Show one channel, or all of them together"))
        self.channel_box.currentIndexChanged.connect(self._on_channel_chosen)
        row.addWidget(self.channel_box)
        self.synchronize()

    def _add_slider(self, row: QHBoxLayout, name: str, moved: object) -> tuple[QSlider, QLabel]:
        label, slider = QLabel(), QSlider(Qt.Orientation.Horizontal)
        slider.setFixedWidth(_SLIDER_WIDTH)
        slider.setAccessibleName(name)
        slider.setToolTip(name)
        slider.setPageStep(1)
        slider.valueChanged.connect(moved)
        row.addWidget(label)
        row.addWidget(slider)
        return slider, label

    def synchronize(self) -> None:
        """Show the planes of the open slide; hide where there is nothing to choose."""
        slide, plane = self._session.slide, self._session.plane
        info = slide.info if slide is not None else None
        n_z, n_t = (info.size_z, info.size_t) if info is not None else (1, 1)
        names = [channel.name for channel in info.channels] if info and not info.is_rgb else []
        _set_slider(self.z_slider, self._z_label, _("Focus"), plane.z, n_z)
        _set_slider(self.t_slider, self._t_label, _("Time"), plane.t, n_t)
        self._set_channels(names, plane.c)
        self.has_choice = n_z > 1 or n_t > 1 or len(names) > 1
        self.setVisible(self.has_choice)
        self.adjustSize()

    def _set_channels(self, names: list[str], shown: int) -> None:
        with QSignalBlocker(self.channel_box):
            self.channel_box.clear()
            self.channel_box.addItems([_("All channels"), *names])
            self.channel_box.setCurrentIndex(shown + 1)
        self.channel_box.setVisible(len(names) > 1)

    def _on_z_moved(self, z: int) -> None:
        self._session.set_plane(self._session.plane._replace(z=z))

    def _on_t_moved(self, t: int) -> None:
        self._session.set_plane(self._session.plane._replace(t=t))

    def _on_channel_chosen(self, index: int) -> None:
        channel = index - 1 if index > 0 else ALL_CHANNELS
        self._session.set_plane(self._session.plane._replace(c=channel))


def _set_slider(slider: QSlider, label: QLabel, name: str, value: int, count: int) -> None:
    with QSignalBlocker(slider):
        slider.setRange(0, count - 1)
        slider.setValue(value)
    label.setText(_("{name} {n} of {count}").format(name=name, n=value + 1, count=count))
    slider.setVisible(count > 1)
    label.setVisible(count > 1)
