"""What a method will learn from: labels by class, what would help, what is left out and why."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QGridLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from pathoview.core.translation import _, ngettext
from pathoview.session.teach_labels import LabelSummary, kind_words
from pathoview.ui import icons, theme
from pathoview.ui.text import count_text
from pathoview.ui.widgets import clear_layout, label

Color = tuple[int, int, int]
_SWATCH_PX = 12


class TeachLabels(QWidget):
    """A line a class with its number of labels, advice below, and the whole list on demand."""

    def __init__(self) -> None:
        super().__init__()
        self._counts = QGridLayout()
        self._counts.setContentsMargins(0, 0, 0, 0)
        self._counts.setHorizontalSpacing(theme.GRID)
        self._counts.setVerticalSpacing(theme.GRID // 2)
        self._counts.setColumnStretch(1, 1)
        self._advice = label("", "muted")
        self.details = QToolButton()
        self.details.setText(_("What will be used"))
        self.details.setToolTip(_("Every kind of label, whether it is used, and why not"))
        self.details.setCheckable(True)
        self.details.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.details.setProperty("quiet", True)
        self.details.toggled.connect(self._show_uses)
        self._uses = label("", "muted", selectable=True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.GRID)
        layout.addLayout(self._counts)
        layout.addWidget(self._advice)
        layout.addWidget(self.details)
        layout.addWidget(self._uses)
        self._show_uses(False)

    @property
    def advice(self) -> str:
        """What is said to be missing; empty: nothing is."""
        return self._advice.text()

    @property
    def uses(self) -> str:
        """The whole list of what is used and what is not."""
        return self._uses.text()

    def show_summary(self, found: LabelSummary | None, colors: Mapping[str, Color]) -> None:
        """Show what was counted; None: nothing was yet. ``colors``: of classes, by name."""
        clear_layout(self._counts)
        counts = {} if found is None else found.counts
        for place, (name, n) in enumerate(counts.items()):
            for column, part in enumerate(_line(name, n, colors.get(name))):
                self._counts.addWidget(part, place, column)
        self._advice.setText("" if found is None else "\n".join(found.advice))
        self._advice.setVisible(bool(self._advice.text()))
        self.details.setVisible(found is not None and bool(found.uses))
        self._uses.setText("" if found is None else _list(found))
        self._show_uses(self.details.isChecked())

    def _show_uses(self, are_shown: bool) -> None:
        self._uses.setVisible(are_shown and not self.details.isHidden())
        self.details.setIcon(icons.icon("chevron-up" if are_shown else "chevron-down"))


def _line(name: str, n: int, color: Color | None) -> tuple[QLabel, QLabel, QLabel]:
    swatch = QLabel()
    if color is not None:
        swatch.setPixmap(icons.swatch(QColor(*color)).pixmap(_SWATCH_PX, _SWATCH_PX))
    return swatch, label(name or _("no class")), label(count_text(n))


def _list(found: LabelSummary) -> str:
    lines = []
    if found.n_slides > 1:
        slides = ngettext("From {n} slide:", "From {n} slides:", found.n_slides)
        lines.append(slides.format(n=found.n_slides))
    for use in found.uses:
        n = count_text(use.n_used or use.n_left_out)
        is_used = _("used") if use.n_used else _("not used")
        name = use.class_name or _("no class")
        said = f"{n} {kind_words(use)} · {name} · {is_used}"
        lines.append(f"{said}. {use.reason}" if use.reason else f"{said}.")
    return "\n".join(lines)
