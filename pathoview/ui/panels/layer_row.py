"""One layer in the list: its picture, its eye, its name, how strong it is and how it blends."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPalette, QPixmap
from PySide6.QtWidgets import QComboBox, QLabel, QLineEdit, QSlider, QVBoxLayout, QWidget

from pathoview.core.translation import _
from pathoview.layers.layer import BLENDS, Layer
from pathoview.session.session import Session
from pathoview.ui import theme
from pathoview.ui.panels.layer_words import BLEND_WORDS, kind_of
from pathoview.ui.panels.thumbnails import SIDE_PX
from pathoview.ui.wheel import ignore_wheel
from pathoview.ui.widgets import ElidedLabel, Sign, eye_button, row

_ICON_PX = 16
_ROUND_PX = 4
_MARK_PX = 3
"""Width of the bar at the left of the chosen row."""


class LayerRow(QWidget):
    """Shows one layer and changes it; clicks beside its editors are the list's."""

    def __init__(self, session: Session, layer: Layer) -> None:
        super().__init__()
        self.layer = layer
        self.is_chosen = False
        self.has_focus_ring = False
        self._session = session
        self._words, icon_name = kind_of(layer.source)
        self.eye = eye_button(_("Show or hide this layer"))
        self.eye.installEventFilter(self)
        self.picture = QLabel()
        self.picture.setFixedSize(SIDE_PX, SIDE_PX)
        self.picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._icon = Sign(icon_name, "text", _ICON_PX)
        self._icon.setToolTip(self._words)
        self.name = ElidedLabel(layer.name)
        self.editor = QLineEdit()
        self.editor.setAccessibleName(_("Name of the layer"))
        self.editor.hide()
        self.editor.installEventFilter(self)
        self.opacity = QSlider(Qt.Orientation.Horizontal)
        self.opacity.setRange(0, 100)
        self.opacity.setPageStep(10)
        self.blend = QComboBox()
        for mode in BLENDS:
            self.blend.addItem(BLEND_WORDS[mode], mode)
        self.blend.setToolTip(_("How the layer meets what lies below"))
        for widget in (self.opacity, self.blend):
            ignore_wheel(widget)
        self._lay_out()
        self.eye.toggled.connect(self._on_eye_toggled)
        self.opacity.valueChanged.connect(self._on_opacity_moved)
        self.blend.currentIndexChanged.connect(self._on_blend_chosen)
        self.editor.editingFinished.connect(self._finish_renaming)
        self.refresh()

    def _lay_out(self) -> None:
        first = row(self._icon, self.name, self.editor)
        second = row(self.opacity, self.blend)
        for line, widest in ((first, self.name), (first, self.editor), (second, self.opacity)):
            line.setStretchFactor(widest, 1)
        right = QVBoxLayout()
        right.setSpacing(theme.GRID // 2)
        right.addLayout(first)
        right.addLayout(second)
        layout = row(self.eye, self.picture, right)
        layout.setStretchFactor(right, 1)
        margin = theme.GRID // 2
        layout.setContentsMargins(margin + _MARK_PX, margin, theme.GRID, margin)
        self.setLayout(layout)

    # -- what is shown ---------------------------------------------------------------------------

    def refresh(self) -> None:
        """Show the layer as it is now."""
        layer = self.layer
        self.name.set_text(layer.name)
        self.eye.setChecked(layer.visible)
        self.eye.setAccessibleName(_("Show {name}").format(name=layer.name))
        self.eye.setToolTip(_("Show or hide; with Alt: this layer only"))
        self.opacity.setValue(round(100 * layer.opacity))
        self.opacity.setToolTip(_("Opacity {n:.0%}").format(n=layer.opacity))
        self.opacity.setAccessibleName(_("Opacity of {name}").format(name=layer.name))
        self.blend.setCurrentIndex(BLENDS.index(layer.blend))
        self.blend.setAccessibleName(_("Blending of {name}").format(name=layer.name))
        self.blend.setVisible(layer is not self._session.layer_desk.base)
        shown = _("shown") if layer.visible else _("hidden")
        facts = _("{kind}, {shown}, opacity {n:.0%}")
        self.setAccessibleName(layer.name)
        self.setAccessibleDescription(facts.format(kind=self._words, shown=shown, n=layer.opacity))

    def show_picture(self, picture: QPixmap | None) -> None:
        if picture is not None:
            self.picture.setPixmap(picture)

    def set_chosen(self, is_chosen: bool, has_focus: bool) -> None:
        """Mark the row as the chosen one, and as the one that keys work on."""
        if (is_chosen, has_focus) != (self.is_chosen, self.has_focus_ring):
            self.is_chosen, self.has_focus_ring = is_chosen, has_focus
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the ground of the chosen row, and that of the picture."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        palette = self.palette()
        painter.setPen(Qt.PenStyle.NoPen)
        accent = palette.color(QPalette.ColorRole.Highlight)
        if self.is_chosen:
            painter.setBrush(palette.color(QPalette.ColorRole.AlternateBase))
            painter.drawRoundedRect(self.rect(), _ROUND_PX, _ROUND_PX)
            painter.setBrush(accent)
            mark = QRect(0, theme.GRID, _MARK_PX, self.height() - 2 * theme.GRID)
            painter.drawRoundedRect(mark, _MARK_PX / 2, _MARK_PX / 2)
        painter.setBrush(palette.color(QPalette.ColorRole.Shadow))
        painter.drawRoundedRect(self.picture.geometry(), _ROUND_PX / 2, _ROUND_PX / 2)
        if self.has_focus_ring:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(accent)
            painter.drawRoundedRect(self.rect().adjusted(0, 0, -1, -1), _ROUND_PX, _ROUND_PX)

    # -- what is changed -------------------------------------------------------------------------

    def _on_eye_toggled(self, on: bool) -> None:
        self.layer.visible = on

    def _on_opacity_moved(self, percent: int) -> None:
        if percent != round(100 * self.layer.opacity):
            self.layer.opacity = percent / 100

    def _on_blend_chosen(self, index: int) -> None:
        self.layer.blend = BLENDS[index]

    def is_name_at(self, place: QPoint) -> bool:
        """Whether a place in the row is on its name."""
        return self.name.isVisible() and self.name.geometry().contains(place)

    def rename(self) -> None:
        """Have the name edited in its place; Return keeps the new one, Esc the old one."""
        self.editor.setText(self.layer.name)
        self.name.hide()
        self.editor.show()
        self.editor.selectAll()
        self.editor.setFocus()

    def _finish_renaming(self) -> None:
        if not self.editor.isHidden():
            self._end_renaming()
            self._session.layer_desk.rename(self.layer, self.editor.text())

    def _end_renaming(self) -> None:
        self.editor.hide()
        self.name.show()
        holder = self.parentWidget()
        if holder is not None:
            holder.setFocus()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take Alt and a click on the eye for *this layer only*; Esc ends renaming."""
        if watched is self.eye and isinstance(event, QMouseEvent):
            is_press = event.type() == QEvent.Type.MouseButtonPress
            if is_press and event.modifiers() & Qt.KeyboardModifier.AltModifier:
                self._session.layers.toggle_solo(self.layer)
                return True
        if watched is self.editor and isinstance(event, QKeyEvent):
            is_press = event.type() == QEvent.Type.KeyPress
            if is_press and event.key() == Qt.Key.Key_Escape:
                self._end_renaming()
                return True
        return super().eventFilter(watched, event)
