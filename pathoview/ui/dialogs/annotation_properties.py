"""What one annotation says, or several together: name, class, role, description and marks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QCheckBox, QComboBox, QFormLayout, QLineEdit, QPlainTextEdit, QWidget

from pathoview.annotations.feature import ROLES, Feature
from pathoview.core.translation import _, ngettext
from pathoview.session.session import Session
from pathoview.ui import icons, theme
from pathoview.ui.dialogs.dialog import Dialog
from pathoview.ui.text import value_text
from pathoview.ui.widgets import button, label, row, shrinkable

_WIDTH = 440
_DESCRIPTION = "ANNOTATION_DESCRIPTION"
"""The member of the metadata that QuPath keeps a description in."""
_DESCRIPTION_PX = 72
_ROLE_WORDS = {
    "": _("What it outlines is of its class"),
    "scribble": _("Scribble: a coarse stroke inside a class"),
    "full": _("Fully labelled: all else in it is background"),
    "ruler": _("Ruler"),
    "arrow": _("Arrow"),
}
_MARKS = {
    "is_locked": _("Locked"),
    "is_uncertain": _("Uncertain"),
    "is_disputed": _("Disputed"),
}


class AnnotationPropertiesDialog(Dialog):
    """Of several annotations, what differs is left as it is unless it is touched."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(_("Properties"), parent)
        self._session = session
        self._features: Sequence[Feature] = session.annotations.selected
        self.name = QLineEdit()
        self.classes = shrinkable(QComboBox())
        self.roles = shrinkable(QComboBox())
        self.description = QPlainTextEdit()
        self.marks = {member: QCheckBox(text) for member, text in _MARKS.items()}
        self._fill()
        self._before = self._said()
        self.accept_button = button(_("Set"), self.accept, primary=True)
        self.accept_button.setDefault(True)
        self._lay_out()
        self.name.setFocus()

    def _fill(self) -> None:
        several = _("(several)")
        name = self._common([one.name for one in self._features])
        self.name.setText(name or "")
        self.name.setPlaceholderText(several if name is None else "")
        text = self._common([one.metadata.get(_DESCRIPTION, "") for one in self._features])
        self.description.setPlainText(text or "")
        self.description.setPlaceholderText(several if text is None else "")
        self.description.setTabChangesFocus(True)
        self.description.setFixedHeight(_DESCRIPTION_PX)
        self.classes.addItem(_("No class"), 0)
        for one in self._session.classes.listed:
            self.classes.addItem(icons.swatch(QColor(*one.color)), one.name, one.number)
        self._choose(self.classes, self._common([self._number(one) for one in self._features]))
        for role in ROLES:
            self.roles.addItem(_ROLE_WORDS[role], role)
        self._choose(self.roles, self._common([one.role for one in self._features]))
        for member, box in self.marks.items():
            value = self._common([getattr(one, member) for one in self._features])
            box.setTristate(value is None)
            states = {None: Qt.CheckState.PartiallyChecked, True: Qt.CheckState.Checked}
            box.setCheckState(states.get(value, Qt.CheckState.Unchecked))

    def _choose(self, box: QComboBox, value: object) -> None:
        """Choose an entry; what it has not, and what differs, becomes an entry that stays so."""
        place = -1 if value is None else box.findData(value)
        if place < 0:
            box.insertItem(0, _("(as it is)"), None)
            place = 0
        box.setCurrentIndex(place)

    def _number(self, feature: Feature) -> int | None:
        if feature.classification is None:
            return 0
        known = self._session.classes.named(feature.classification.name)
        return None if known is None else known.number

    @staticmethod
    def _common(values: Sequence[Any]) -> Any:
        """Return what all have in common; None: they differ."""
        return values[0] if values and all(one == values[0] for one in values) else None

    def _lay_out(self) -> None:
        n = len(self._features)
        title = ngettext("Annotation", "{n:,} annotations", n).format(n=n)
        self.body.addWidget(label(title, "title"))
        form = QFormLayout()
        form.setSpacing(theme.GRID)
        for text, widget in (
            (_("Name"), self.name),
            (_("Class"), self.classes),
            (_("Role"), self.roles),
            (_("Description"), self.description),
        ):
            widget.setAccessibleName(text)
            form.addRow(text, widget)
        self.body.addLayout(form)
        self.body.addLayout(row(*self.marks.values(), 1))
        facts = label("\n".join(self.facts()), "muted", selectable=True)
        facts.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.body.addWidget(facts)
        self.body.addStretch(1)
        self.add_buttons(1, button(_("Cancel"), self.reject), self.accept_button)
        self.setMinimumWidth(_WIDTH)

    def facts(self) -> list[str]:
        """Return lines about what cannot be changed here: sizes, author, times, origin."""
        lines = [_sizes(self._features, self._mpp())]
        if len(self._features) == 1:
            (one,) = self._features
            if one.author or one.created:
                lines.append(
                    _("Drawn by {author}, {time}").format(
                        author=one.author or "?", time=_time(one.created)
                    )
                )
            if one.changed:
                lines.append(_("Changed {time}").format(time=_time(one.changed)))
            if one.origin:
                lines.append(_("From {origin}").format(origin=one.origin))
        return [one for one in lines if one]

    def _mpp(self) -> tuple[float, float] | None:
        slide = self._session.slide
        return None if slide is None else slide.info.mpp

    def _said(self) -> dict[str, Any]:
        said: dict[str, Any] = {
            "name": self.name.text(),
            "class": self.classes.currentData(),
            "role": self.roles.currentData(),
            "description": self.description.toPlainText(),
        }
        return said | {member: box.checkState() for member, box in self.marks.items()}

    def accept(self) -> None:
        """Give the annotations what was touched, as one step."""
        touched = {
            name: value for name, value in self._said().items() if value != self._before[name]
        }
        members: dict[str, Any] = {}
        for name, value in touched.items():
            if name in self.marks:
                if value is not Qt.CheckState.PartiallyChecked:
                    members[name] = value is Qt.CheckState.Checked
            elif name == "class":
                one = self._session.classes.get(value) if value else None
                members["classification"] = None if one is None else one.drawn
            elif name != "description":
                members[name] = value
        description = touched.get("description")
        self._session.annotations.select(one.id for one in self._features)
        if members or description is not None:
            self._session.operations.edit(members, _described(description))
        super().accept()


def _described(text: str | None) -> dict[str, str]:
    return {} if text is None else {_DESCRIPTION: text.strip()}


def _sizes(features: Sequence[Feature], mpp: tuple[float, float] | None) -> str:
    """Return areas and lengths, summed over all; in µm where there is a scale."""
    scale = np.array(mpp or (1.0, 1.0))
    unit = "px" if mpp is None else "µm"
    shapes = [shapely.transform(one.geometry, lambda xy: xy * scale) for one in features]
    dimensions = shapely.get_dimensions(shapes)
    area, length = shapely.area(shapes).sum(), shapely.length(shapes)
    parts = []
    if (dimensions == 2).any():
        parts.append(_("Area {n} {unit}²").format(n=value_text(float(area)), unit=unit))
        around = float(length[dimensions == 2].sum())
        parts.append(_("perimeter {n} {unit}").format(n=value_text(around), unit=unit))
    if (dimensions == 1).any():
        along = float(length[dimensions == 1].sum())
        parts.append(_("Length {n} {unit}").format(n=value_text(along), unit=unit))
    n_points = int(shapely.get_num_coordinates(shapes)[dimensions == 0].sum())
    if n_points:
        parts.append(ngettext("{n:,} point", "{n:,} points", n_points).format(n=n_points))
    return " · ".join(parts)


def _time(text: str) -> str:
    """Return an ISO time as it is read: to the minute, in UTC."""
    return text[:16].replace("T", " ") + (" UTC" if text else "")
