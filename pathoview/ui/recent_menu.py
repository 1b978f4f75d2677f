"""A menu of what was open of late."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtWidgets import QMenu, QWidget

from pathoview.core.translation import _


class RecentMenu(QMenu):
    """Filled each time it is shown."""

    def __init__(
        self,
        title: str,
        names: Callable[[], Sequence[str]],
        open_file: Callable[[str], object],
        parent: QWidget,
    ) -> None:
        super().__init__(title, parent)
        self._names = names
        self._open = open_file
        self.aboutToShow.connect(self.fill)

    def fill(self) -> None:
        """Put in the files there are now."""
        self.clear()
        for name in self._names():
            action = self.addAction(name)
            action.triggered.connect(lambda _on=False, name=name: self._open(name))
        if self.isEmpty():
            self.addAction(_("None yet")).setEnabled(False)
