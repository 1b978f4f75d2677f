"""The runs that are shown on the open slide, and their loading in the background."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from psygnal import Signal

from pathoview.layers.layer import Layer, LayerList
from pathoview.layers.scheduler import TileScheduler
from pathoview.session.overlay import Overlay
from pathoview.session.runs import Loaded, RunView


class RunShelf:
    """Runs as layers. All methods are called on the session's thread."""

    changed = Signal()
    """A run came, went or grew."""
    failed = Signal(object)
    """(exception): a run's file cannot be read."""

    def __init__(self, layers: LayerList, scheduler: TileScheduler, overlay: Overlay) -> None:
        self._layers = layers
        self._scheduler = scheduler
        self._overlay = overlay
        self._shown: list[RunView] = []
        self._known: list[RunView] = []
        """Hidden ones too: they come back by undo."""
        self._places: dict[Layer, int] = {}
        """Where hidden layers were in the list, and come back to."""
        self._loading: set[RunView] = set()
        self._to_load_again: set[RunView] = set()

    @property
    def runs(self) -> Sequence[RunView]:
        """Those shown, oldest first."""
        return tuple(self._shown)

    def find(self, path: Path) -> RunView | None:
        """Return the run of a file, shown or hidden."""
        return next((view for view in self._known if view.path == path), None)

    def run_of(self, layer: Layer) -> RunView | None:
        """Return the shown run that a layer belongs to."""
        return next((view for view in self._shown if layer in view.layers), None)

    def show(self, view: RunView) -> None:
        """Put a run in front of all others; one that was hidden, where it was."""
        if view in self._shown:
            return
        if view not in self._known:
            self._known.append(view)
            if view.attention is not None:
                self._overlay.adopt_maps(view.attention)
        self._shown.append(view)
        self._add_layers(view)
        self.changed.emit()

    def hide(self, view: RunView) -> None:
        """Take a run from view; it stays loaded."""
        if view not in self._shown:
            return
        self._shown.remove(view)
        for layer in reversed(view.layers):
            if layer in self._layers:
                self._places[layer] = self._layers.remove(layer)
                self._scheduler.remove(layer.source)
        self.changed.emit()

    def forget(self, view: RunView) -> None:
        """Take a run from view for good; the caller closes it."""
        self.hide(view)
        self._known.remove(view)
        for layer in view.layers:
            self._places.pop(layer, None)

    def clear(self) -> None:
        """Forget all runs: another slide is opened."""
        for view in tuple(self._shown):
            self.hide(view)
        for view in self._known:
            view.close()
        self._known.clear()
        self._places.clear()
        self._to_load_again.clear()

    def load(self, view: RunView) -> None:
        """Load what is new in a run's file; one read at a time, however often it is asked."""
        if view in self._loading:
            self._to_load_again.add(view)
            return
        self._loading.add(view)
        self._to_load_again.discard(view)
        self._scheduler.submit(view.load, partial(self._on_loaded, view))

    def _on_loaded(self, view: RunView, loaded: Loaded | None, error: BaseException | None) -> None:
        self._loading.discard(view)
        if view not in self._known:
            return
        if loaded is None:
            self.failed.emit(error)
            return
        view.tell(loaded)
        if view in self._shown:
            self._add_layers(view)
            self.changed.emit()
        if not loaded.is_complete or view in self._to_load_again:
            self.load(view)

    def _add_layers(self, view: RunView) -> None:
        for layer in view.layers:
            if layer not in self._layers:
                place = self._places.pop(layer, None)
                if place is None:
                    self._overlay.adopt(layer)
                self._layers.add(layer, place)
                self._scheduler.add(layer.source)
