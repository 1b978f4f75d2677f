"""The measuring grid over the slide: whether it is shown, and how far apart its lines are."""

from __future__ import annotations

from psygnal import Signal

from pathoview.session.settings import Settings


class Grid:
    """A switch and a distance, kept in the settings."""

    changed = Signal()

    def __init__(self, settings: Settings) -> None:
        self._settings = settings.grid

    @property
    def is_shown(self) -> bool:
        return self._settings.is_shown

    @property
    def step_um(self) -> float | None:
        """Distance of the lines; None: a round one that suits the zoom."""
        return self._settings.step_um

    @step_um.setter
    def step_um(self, step_um: float | None) -> None:
        if step_um != self.step_um:
            self._settings.step_um = step_um
            self.changed.emit()

    def toggle(self) -> None:
        self._settings.is_shown = not self.is_shown
        self.changed.emit()
