"""Where a model does worst on what it was taught: places of the open slide, to be looked at."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QListWidget, QToolButton, QVBoxLayout, QWidget

from pathoview.core.geometry import Rect
from pathoview.core.translation import _
from pathoview.ui import icons, theme
from pathoview.ui.widgets import fit_to_rows, label

_MOST_SHOWN = 5


class HardPlaces(QWidget):
    """A list on demand, the worst first; choosing a place flies there."""

    def __init__(self, fly: Callable[[Rect], None]) -> None:
        super().__init__()
        self._fly = fly
        self._rects_l0: Sequence[Rect] = ()
        self.toggle = QToolButton()
        self.toggle.setText(_("Where it does worst"))
        self.toggle.setToolTip(_("Labelled places by loss: hard ones, or wrong labels"))
        self.toggle.setCheckable(True)
        self.toggle.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.toggle.setProperty("quiet", True)
        self.toggle.toggled.connect(self._unfold)
        self.list = QListWidget()
        self.list.setAccessibleName(_("Labelled places where the model does worst"))
        self.list.itemClicked.connect(lambda _item: self._go())
        self.list.itemActivated.connect(lambda _item: self._go())
        self._hint = label(_("None of them lies on this slide."), "muted")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.GRID // 2)
        for part in (self.toggle, self.list, self._hint):
            layout.addWidget(part)
        self._unfold(False)

    def show_places(self, places: Sequence[tuple[Rect, float]], n_all: int) -> None:
        """Show rectangles in level-0 px of the open slide with their losses, the worst first.

        ``n_all``: how many there are on all slides.
        """
        self._rects_l0 = [rect for rect, _loss in places]
        self.list.clear()
        for number, (_rect, loss) in enumerate(places, 1):
            self.list.addItem(_("{n}. loss {loss:.2f}").format(n=number, loss=loss))
        fit_to_rows(self.list, _MOST_SHOWN)
        self.setVisible(n_all > 0)
        self._unfold(self.toggle.isChecked())

    def _unfold(self, is_open: bool) -> None:
        has_places = self.list.count() > 0
        self.list.setVisible(is_open and has_places)
        self._hint.setVisible(is_open and not has_places)
        self.toggle.setIcon(icons.icon("chevron-up" if is_open else "chevron-down"))

    def _go(self) -> None:
        place = self.list.currentRow()
        if 0 <= place < len(self._rects_l0):
            self._fly(self._rects_l0[place])
