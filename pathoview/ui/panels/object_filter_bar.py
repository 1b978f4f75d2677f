"""Which objects the table shows: kind, class, name, and one measurement's range."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import QLocale, QTimer
from PySide6.QtGui import QDoubleValidator
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLineEdit, QWidget

from pathoview.annotations.object_filter import ObjectFilter
from pathoview.core.translation import _
from pathoview.session.object_table import ObjectTable
from pathoview.ui import theme
from pathoview.ui.wheel import ignore_wheel
from pathoview.ui.widgets import icon_button, label, row, shrinkable

_PAUSE_MS = 200
"""After the last letter; then objects are searched."""
_NUMBER_PX = 72


class ObjectFilterBar(QWidget):
    """One line; what it says is the filter of the table."""

    def __init__(self, table: ObjectTable) -> None:
        super().__init__()
        self._table = table
        self.kind = _choice(_("Kind of objects"))
        self.class_name = _choice(_("Class of objects"))
        self.text = QLineEdit()
        self.text.setPlaceholderText(_("Name contains…"))
        self.text.setAccessibleName(_("Part of the name"))
        self.text.setClearButtonEnabled(True)
        self.measurement = _choice(_("Measurement"))
        self.low = _number(_("from"), _("Least value"))
        self.high = _number(_("to"), _("Greatest value"))
        self.clear = icon_button("cancel", _("Show all objects"), self._clear)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.GRID // 2)
        layout.addWidget(self.kind, 2)
        layout.addWidget(self.class_name, 3)
        layout.addWidget(self.text, 3)
        layout.addWidget(self.measurement, 4)
        layout.addLayout(
            row(self.low, label("–", "muted"), self.high, self.clear, spacing=theme.GRID // 2)
        )
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_PAUSE_MS)
        self._timer.timeout.connect(self.apply)
        for box in (self.kind, self.class_name, self.measurement):
            box.currentIndexChanged.connect(self.apply)
        for field in (self.text, self.low, self.high):
            field.textChanged.connect(self._timer.start)
            field.returnPressed.connect(self.apply)
        self.refresh()

    def refresh(self) -> None:
        """Offer the kinds, classes and measurements there are now; what is chosen stays."""
        view = self._table.view
        kinds = [(one.capitalize(), one) for one in view.kinds]
        classes = [(name or _("Unclassified"), name) for name in view.classes]
        names = [name for name in view.objects.names if not view.objects.is_text(name)]
        _offer(self.kind, [(_("All kinds"), ""), *kinds])
        _offer(self.class_name, [(_("Any class"), None), *classes])
        _offer(self.measurement, [(_("Any measurement"), ""), *((_(name), name) for name in names)])
        self._show_state()

    def apply(self) -> None:
        """Have the table show what is asked for."""
        self._timer.stop()
        self._table.set_filter(
            ObjectFilter(
                self.kind.currentData() or "",
                self.class_name.currentData(),
                self.text.text().strip(),
                self.measurement.currentData() or "",
                _value(self.low, -math.inf),
                _value(self.high, math.inf),
            )
        )
        self._show_state()

    def _show_state(self) -> None:
        has_measurement = bool(self.measurement.currentData())
        self.low.setEnabled(has_measurement)
        self.high.setEnabled(has_measurement)
        self.clear.setEnabled(not self._table.filter.is_empty)

    def _clear(self) -> None:
        for box in (self.kind, self.class_name, self.measurement):
            box.setCurrentIndex(0)
        for field in (self.text, self.low, self.high):
            field.clear()
        self.apply()


def _choice(name: str) -> QComboBox:
    box = QComboBox()
    box.setAccessibleName(name)
    box.setToolTip(name)
    ignore_wheel(box)
    return shrinkable(box)


def _number(placeholder: str, name: str) -> QLineEdit:
    field = QLineEdit()
    field.setPlaceholderText(placeholder)
    field.setAccessibleName(name)
    field.setToolTip(name)
    field.setFixedWidth(_NUMBER_PX)
    validator = QDoubleValidator(field)
    validator.setLocale(QLocale.c())
    field.setValidator(validator)
    return field


def _offer(box: QComboBox, choices: Sequence[tuple[str, str | None]]) -> None:
    """Offer other choices; the one chosen stays, though there be none of it any more."""
    shown = [(box.itemText(place), box.itemData(place)) for place in range(box.count())]
    if shown == list(choices):
        return
    kept = box.currentText(), box.currentData()
    box.blockSignals(True)
    box.clear()
    for text, data in choices:
        box.addItem(text, data)
    if kept[0] and kept not in choices:
        box.addItem(*kept)
    found = [place for place in range(box.count()) if box.itemData(place) == kept[1]]
    box.setCurrentIndex(found[0] if found and kept[0] else 0)
    box.blockSignals(False)


def _value(field: QLineEdit, missing: float) -> float:
    try:
        return float(field.text())
    except ValueError:
        return missing
