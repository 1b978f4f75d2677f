"""Forms made from what a method says of its parameters: bounds, units, help, default."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QLabel,
    QLineEdit,
    QSpinBox,
    QWidget,
)

from pathoview.core.params import FormRow
from pathoview.ui import theme
from pathoview.ui.wheel import ignore_wheel
from pathoview.ui.widgets import roomy

_UNBOUNDED = 1_000_000_000


@dataclass(frozen=True, slots=True)
class _Field:
    """One editor: how to read it and how to set it."""

    widget: QWidget
    get: Callable[[], Any]
    set: Callable[[Any], None]


class ParamForm(QWidget):
    """One labelled editor a parameter, in the order of declaration."""

    changed = Signal()

    def __init__(self, rows: Sequence[FormRow], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows = tuple(rows)
        self._fields: dict[str, _Field] = {}
        layout = QFormLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setVerticalSpacing(theme.GRID)
        layout.setHorizontalSpacing(theme.GRID)
        layout.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        layout.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        for row in self._rows:
            self._add(row, layout)

    def values(self) -> dict[str, Any]:
        """Return what the editors hold, by parameter."""
        return {name: field.get() for name, field in self._fields.items()}

    def set_values(self, values: Mapping[str, Any]) -> None:
        """Fill in remembered values; names that are unknown now are left out."""
        for name, value in values.items():
            if name in self._fields and value is not None:
                self._fields[name].set(value)

    def reset(self) -> None:
        """Put every parameter back to its default."""
        self.set_values({row.name: row.default for row in self._rows})

    @property
    def is_default(self) -> bool:
        values = self.values()
        return all(values[row.name] == row.default for row in self._rows)

    def editor(self, name: str) -> QWidget:
        return self._fields[name].widget

    def _tell(self, *_value: object) -> None:
        self.changed.emit()

    def _add(self, row: FormRow, layout: QFormLayout) -> None:
        field = _MAKERS[row.kind](row, self._tell)
        label = QLabel(row.title)
        label.setBuddy(field.widget)
        label.setWordWrap(True)
        for widget in (label, field.widget):
            widget.setToolTip(_help(row))
        field.widget.setAccessibleName(row.title)
        field.widget.setAccessibleDescription(row.help)
        ignore_wheel(field.widget)
        field.set(row.default)
        self._fields[row.name] = field
        layout.addRow(label, field.widget)


def _help(row: FormRow) -> str:
    """Return the help as rich text, so that Qt wraps it."""
    return f"<p style='max-width: 320px'>{row.help}</p>"


def _decimals(row: FormRow) -> int:
    """Enough digits to show the default and the bounds as they were written."""
    shown = [value for value in (row.default, row.minimum, row.maximum) if value is not None]
    written = (f"{float(value):.6f}".rstrip("0").partition(".")[2] for value in shown)
    return max(1, *(len(digits) for digits in written))


def _int(row: FormRow, changed: Callable[..., None]) -> _Field:
    box = QSpinBox()
    box.setRange(
        int(row.minimum) if row.minimum is not None else -_UNBOUNDED,
        int(row.maximum) if row.maximum is not None else _UNBOUNDED,
    )
    box.setSuffix(f" {row.unit}" if row.unit else "")
    roomy(box)
    box.valueChanged.connect(changed)
    return _Field(box, box.value, box.setValue)


def _float(row: FormRow, changed: Callable[..., None]) -> _Field:
    box = QDoubleSpinBox()
    box.setDecimals(_decimals(row))
    box.setRange(
        row.minimum if row.minimum is not None else -_UNBOUNDED,
        row.maximum if row.maximum is not None else _UNBOUNDED,
    )
    box.setStepType(QDoubleSpinBox.StepType.AdaptiveDecimalStepType)
    box.setSuffix(f" {row.unit}" if row.unit else "")
    roomy(box)
    box.valueChanged.connect(changed)
    return _Field(box, box.value, box.setValue)


def _bool(row: FormRow, changed: Callable[..., None]) -> _Field:
    box = QCheckBox()
    box.toggled.connect(changed)
    return _Field(box, box.isChecked, box.setChecked)


def _choice(row: FormRow, changed: Callable[..., None]) -> _Field:
    box = QComboBox()
    for choice, words in zip(row.choices, row.words, strict=True):
        box.addItem(words, choice)
    box.currentIndexChanged.connect(changed)
    return _Field(box, box.currentData, lambda value: box.setCurrentIndex(box.findData(str(value))))


def _text(row: FormRow, changed: Callable[..., None]) -> _Field:
    line = QLineEdit()
    line.textChanged.connect(changed)
    return _Field(line, line.text, lambda value: line.setText(str(value)))


_MAKERS: Mapping[str, Callable[[FormRow, Callable[..., None]], _Field]] = {
    "int": _int,
    "float": _float,
    "bool": _bool,
    "choice": _choice,
    "text": _text,
}
