"""What a training would find now: one run on the slide, replaced every few seconds, or growing."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from psygnal import Signal

from pathoview.layers.layer import LayerList
from pathoview.layers.raster_source import RasterSource
from pathoview.layers.scheduler import TileScheduler
from pathoview.session.runs import RunView
from pathoview.session.shelf import RunShelf
from pathoview.slides.slide import Slide
from pathoview.study.results import remove_run


class PreviewRun:
    """The newest preview of a training as layers. All methods are called on one thread."""

    failed = Signal(object)
    """(exception): a preview cannot be read."""

    def __init__(self, shelf: RunShelf, layers: LayerList, scheduler: TileScheduler) -> None:
        self._shelf = shelf
        self._layers = layers
        self._scheduler = scheduler
        self._shown: RunView | None = None
        self._asked: Path | None = None
        """The newest file; it may not be loaded yet."""

    def show(self, path: Path, slide: Slide) -> None:
        """Put a preview in the place of the one before, when it is loaded.

        Of the file that is shown already, what is new is drawn.
        """
        if path != self._asked:
            self._asked = path
            self._scheduler.submit(partial(_loaded, path, slide), partial(self._on_loaded, path))
        elif self._shown is not None and self._shown.path == path:
            self._shelf.load(self._shown)

    def end(self) -> None:
        """Take the preview from view: the training has ended, or another slide is open."""
        self._asked = None
        self._replace(None)

    def _on_loaded(self, path: Path, run: RunView | None, error: BaseException | None) -> None:
        if run is None:
            if path == self._asked and error is not None:
                self.failed.emit(error)
        elif path != self._asked:
            _drop(run)
        else:
            self._replace(run)
            self._shelf.load(run)  # something may have come meanwhile

    def _replace(self, run: RunView | None) -> None:
        before, self._shown = self._shown, run
        if run is not None:
            if before is not None:
                _look_alike(run, before)
            self._shelf.show(run)
            if before is not None:
                self._stand_in(run, before)
        if before is not None:
            self._shelf.forget(before)
            _drop(before)

    def _stand_in(self, run: RunView, before: RunView) -> None:
        """Have what is compared of the run before compared of this one."""
        for layer, old in zip(run.layers, before.layers, strict=False):
            self._layers.replaced.emit(old, layer)


def _loaded(path: Path, slide: Slide) -> RunView:
    run = RunView(path, slide.info)
    while not run.load().is_complete:
        pass
    return run


def _look_alike(run: RunView, before: RunView) -> None:
    for layer, old in zip(run.layers, before.layers, strict=False):
        layer.visible, layer.opacity, layer.blend = old.visible, old.opacity, old.blend
        if isinstance(layer.source, RasterSource) and isinstance(old.source, RasterSource):
            layer.source.style = old.source.style


def _drop(run: RunView) -> None:
    run.close()
    remove_run(run.path)
