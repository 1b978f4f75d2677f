"""The Layers panel: an eye, a name and an opacity each; below, how detections look."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QImage, QPixmap
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QHBoxLayout,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from pathoview.core.translation import _
from pathoview.layers.layer import Layer
from pathoview.layers.paint import even_colormap
from pathoview.session.session import Session
from pathoview.ui import icons, theme
from pathoview.ui.dialogs.color import Rgb, ask_color
from pathoview.ui.text import value_text
from pathoview.ui.wheel import ignore_wheel
from pathoview.ui.widgets import (
    ElidedLabel,
    button,
    clear_layout,
    column,
    eye_button,
    label,
    line,
    roomy,
    row,
    scrolled,
    shrinkable,
)

_BY_CLASS, _SINGLE = _("class"), _("one colour")


class LayersPanel(QWidget):
    """Layers from front (top) to back, and the style of all detections."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._shown: tuple[Layer, ...] = ()
        self._rows: list[LayerRow] = []
        self._list = QVBoxLayout()
        self._list.setSpacing(2)
        self._empty = label(_("Open a slide to see its layers."), "muted")
        self.detections = DetectionStyle(session)
        content = column(self._empty, self._list, line(), self.detections, 1, margin=theme.GRID + 4)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(scrolled(content))
        session.layers_changed.connect(self.refresh)
        session.slide_changed.connect(self.refresh)
        session.runs_changed.connect(self.detections.refresh)
        session.overlay.changed.connect(self.detections.refresh)
        self.refresh()

    @property
    def rows(self) -> tuple[LayerRow, ...]:
        return tuple(self._rows)

    def refresh(self) -> None:
        """Show the layers as they are now."""
        front_first = tuple(self._session.layers)[::-1]
        if front_first != self._shown:
            self._shown = front_first
            clear_layout(self._list)
            self._rows = [LayerRow(layer) for layer in front_first]
            for layer_row in self._rows:
                self._list.addWidget(layer_row)
        for layer_row in self._rows:
            layer_row.refresh()
        self._empty.setVisible(not front_first)
        self.detections.refresh()


class LayerRow(QWidget):
    """One layer."""

    def __init__(self, layer: Layer) -> None:
        super().__init__()
        self._layer = layer
        self.eye = eye_button(_("Show or hide this layer"))
        self._name = ElidedLabel(layer.name)
        self.opacity = QSlider(Qt.Orientation.Horizontal)
        self.opacity.setRange(0, 100)
        self.opacity.setFixedWidth(9 * theme.GRID)
        ignore_wheel(self.opacity)
        layout = row(self.eye, self._name, self.opacity)
        layout.setStretchFactor(self._name, 1)
        self.setLayout(layout)
        self.eye.toggled.connect(self._on_eye_toggled)
        self.opacity.valueChanged.connect(self._on_opacity_moved)

    def refresh(self) -> None:
        layer = self._layer
        self._name.set_text(layer.name)
        self.eye.setChecked(layer.visible)
        self.eye.setAccessibleName(_("Show {name}").format(name=layer.name))
        self.opacity.setValue(round(100 * layer.opacity))
        self.opacity.setToolTip(_("Opacity {n:.0%}").format(n=layer.opacity))
        self.opacity.setAccessibleName(_("Opacity of {name}").format(name=layer.name))

    def _on_eye_toggled(self, on: bool) -> None:
        self._layer.visible = on

    def _on_opacity_moved(self, percent: int) -> None:
        if percent != round(100 * self._layer.opacity):
            self._layer.opacity = percent / 100


class DetectionStyle(QWidget):
    """Colour, line and filling of all detections."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._is_refreshing = False
        self.color_by = QComboBox()
        self.color_by.setAccessibleName(_("Colour detections by"))
        self.color = button(_("Colour…"), self._ask_color)
        self.fill = QCheckBox(_("Fill"))
        self.fill.setToolTip(_("Fill detections (F)"))
        self.line_width = QDoubleSpinBox()
        self.line_width.setRange(1, 8)
        self.line_width.setSingleStep(0.5)
        self.line_width.setDecimals(1)
        self.line_width.setSuffix(_(" px"))
        self.line_width.setAccessibleName(_("Line width of detections"))
        self.line_width.setToolTip(_("Line width"))
        shrinkable(self.color_by)
        roomy(self.line_width)
        for widget in (self.color_by, self.line_width):
            ignore_wheel(widget)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(label(_("Detections"), "heading"))
        by = row(label(_("Colour by")), self.color_by)
        by.setStretchFactor(self.color_by, 1)
        layout.addLayout(by)
        layout.addLayout(row(self.color, self.fill, 1, self.line_width))
        self.ramp = ColorRamp()
        layout.addWidget(self.ramp)
        self.color_by.currentIndexChanged.connect(self._on_color_by_chosen)
        self.fill.toggled.connect(self._on_fill_toggled)
        self.line_width.valueChanged.connect(self._on_line_width_changed)

    def refresh(self) -> None:
        """Show the style that the session has."""
        overlay = self._session.settings.overlay
        self._is_refreshing = True
        self._offer_measurements()
        name = overlay.measurement if overlay.mode == "measurement" else ""
        offered = [self.color_by.itemData(index) for index in range(self.color_by.count())]
        chosen = (overlay.mode, name)
        self.color_by.setCurrentIndex(offered.index(chosen) if chosen in offered else 0)
        self.color.setIcon(icons.swatch(QColor(*overlay.color)))
        self.color.setEnabled(overlay.mode != "measurement")
        self.fill.setChecked(overlay.fill)
        self.line_width.setValue(overlay.line_width_px)
        self._is_refreshing = False
        run = self._session.results
        self.setEnabled(run is not None)
        self.ramp.setVisible(run is not None and overlay.mode == "measurement")
        if run is not None and overlay.mode == "measurement":
            self.ramp.show_limits(*run.source.color_limits)

    def _offer_measurements(self) -> None:
        run = self._session.results
        names = list(run.measurement_names) if run is not None else []
        offered = [self.color_by.itemText(index) for index in range(self.color_by.count())]
        if offered != [_BY_CLASS, _SINGLE, *names]:
            self.color_by.clear()
            self.color_by.addItem(_BY_CLASS, ("class", ""))
            self.color_by.addItem(_SINGLE, ("single", ""))
            for name in names:
                self.color_by.addItem(name, ("measurement", name))

    def _on_color_by_chosen(self) -> None:
        if self._is_refreshing:
            return
        overlay = self._session.settings.overlay
        overlay.mode, name = self.color_by.currentData()
        if overlay.mode == "measurement":
            overlay.measurement = name
        self._apply()

    def _on_fill_toggled(self, on: bool) -> None:
        if not self._is_refreshing:
            self._session.settings.overlay.fill = on
            self._apply()

    def _on_line_width_changed(self, width: float) -> None:
        if not self._is_refreshing:
            self._session.settings.overlay.line_width_px = width
            self._apply()

    def _ask_color(self) -> None:
        ask_color(self, self._session.settings.overlay.color, self._set_color)

    def _set_color(self, color: Rgb) -> None:
        self._session.settings.overlay.color = color
        self._apply()

    def _apply(self) -> None:
        self._session.apply_overlay_style()


class ColorRamp(QWidget):
    """What the colours of a measurement mean: lowest to highest value."""

    def __init__(self) -> None:
        super().__init__()
        self._low, self._high = label("", "muted"), label("", "muted")
        self._high.setAlignment(Qt.AlignmentFlag.AlignRight)
        strip = label()
        strip.setScaledContents(True)
        strip.setFixedHeight(theme.GRID)
        strip.setPixmap(_strip())
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(strip)
        layout.addLayout(row(self._low, self._high))

    def show_limits(self, low: float, high: float) -> None:
        self._low.setText(_("≤ {value}").format(value=value_text(low)))
        self._high.setText(_("≥ {value}").format(value=value_text(high)))


def _strip() -> QPixmap:
    colors = even_colormap()
    image = QImage(colors.data, len(colors), 1, 3 * len(colors), QImage.Format.Format_RGB888)
    return QPixmap.fromImage(image)
