"""What a person does with layers: choose, order, name, add and take away, each to be undone."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from psygnal import Signal

from pathoview.core.affine import Affine
from pathoview.core.byte_cache import ByteCache
from pathoview.core.errors import PathoViewError
from pathoview.core.privacy import hide
from pathoview.core.pyramid import Plane
from pathoview.core.translation import _
from pathoview.core.undo import History, Step
from pathoview.layers.feature_source import FeatureSource
from pathoview.layers.file_layer import Guess, close_source, guess_layer, open_layer
from pathoview.layers.layer import BLENDS, Layer, LayerList
from pathoview.layers.raster_source import RasterSource
from pathoview.layers.scheduler import TileScheduler
from pathoview.layers.warped_source import WarpedSource
from pathoview.session.notices import from_error
from pathoview.slides.slide import Slide

_logger = logging.getLogger(__name__)


class LayerDesk:
    """The layers of the open slide; the slide itself is the hindmost and stays there."""

    active_changed = Signal()
    """Another layer, or none, is the chosen one."""
    unsure = Signal(object)
    """(Guess): a file does not tell its kind or its place; ask, then call `open_as`."""
    notice = Signal(object)
    """(Notice)"""

    def __init__(
        self,
        layers: LayerList,
        scheduler: TileScheduler,
        history: History,
        memory: ByteCache,
        remove_run: Callable[[Layer], bool],
    ) -> None:
        """``remove_run`` takes away the run that a layer belongs to; False: it belongs to none."""
        self._layers = layers
        self._scheduler = scheduler
        self._history = history
        self._memory = memory
        self._remove_run = remove_run
        self._active: Layer | None = None
        self._seen: tuple[Layer, ...] = ()
        """The list as it was when it changed last."""
        self._slide: Slide | None = None
        self._from_files: list[Layer] = []
        """Removed ones too: they come back by undo."""
        layers.changed.connect(self._on_layers_changed)

    def set_slide(self, slide: Slide | None) -> None:
        """Let go of the files of all layers: another slide is opened, or none."""
        self._slide = slide
        for layer in self._from_files:
            close_source(layer.source)
        self._from_files.clear()

    # -- the chosen layer ------------------------------------------------------------------------

    @property
    def active(self) -> Layer | None:
        """The layer whose controls are shown; one that comes in is chosen."""
        return self._active

    @active.setter
    def active(self, layer: Layer | None) -> None:
        if layer is not self._active and (layer is None or layer in self._layers):
            self._active = layer
            self.active_changed.emit()

    def choose_next(self, step: int) -> None:
        """Choose the layer before the chosen one (``step`` 1) or behind it (-1)."""
        if self._active is not None:
            index = self._layers.index(self._active) + step
            self.active = self._layers[min(len(self._layers) - 1, max(0, index))]

    def _on_layers_changed(self) -> None:
        layers, before = tuple(self._layers), self._seen
        if layers == before:
            return
        self._seen = layers
        new = [layer for layer in layers if layer not in before]
        chosen = [one for one in new if one.visible and not isinstance(one.source, FeatureSource)]
        if chosen:
            self.active = chosen[0]
        elif self._active not in layers:
            index = before.index(self._active) if self._active in before else 0
            self.active = layers[min(index, len(layers) - 1)] if layers else None

    # -- the list --------------------------------------------------------------------------------

    @property
    def base(self) -> Layer | None:
        """The slide's own layer."""
        return self._layers[0] if len(self._layers) else None

    def can_move(self, layer: Layer, step: int) -> bool:
        """Whether a layer can go towards the front (``step`` 1) or the back (-1)."""
        index = self._layers.index(layer)
        return index > 0 and 0 < index + step < len(self._layers)

    def can_remove(self, layer: Layer) -> bool:
        return layer is not self.base

    def add(self, layer: Layer) -> None:
        """Put a new layer in front."""
        layer.name = self._free_name(layer.name, layer)
        self.add_all([layer], _("Add {name}").format(name=layer.name))

    def add_all(self, layers: Sequence[Layer], name: str) -> None:
        """Put new layers in front, the last one foremost, as one step called ``name``."""
        for layer in layers:
            layer.name = self._free_name(layer.name, layer)
        first = len(self._layers)

        def put() -> None:
            for index, layer in enumerate(layers, first):
                self._put(layer, index)

        def take() -> None:
            for layer in layers:
                self._take(layer)

        self._history.do(Step(name, put, take))

    def remove(self, layer: Layer) -> None:
        """Take a layer away, and with it the run that it belongs to; never the slide."""
        if not self.can_remove(layer) or self._remove_run(layer):
            return
        self._history.do(
            Step(
                _("Remove {name}").format(name=layer.name),
                partial(self._take, layer),
                partial(self._put, layer, self._layers.index(layer)),
            )
        )

    def move(self, layer: Layer, index: int) -> None:
        """Give a layer another place (1: just before the slide, which keeps its own)."""
        before = self._layers.index(layer)
        index = min(len(self._layers) - 1, max(1, index))
        if before in (0, index):
            return
        self._history.do(
            Step(
                _("Move {name}").format(name=layer.name),
                partial(self._move, layer, index),
                partial(self._move, layer, before),
            )
        )

    def rename(self, layer: Layer, name: str) -> None:
        """Call a layer something else; a name that is taken already gets a number."""
        before, name = layer.name, self._free_name(name.strip(), layer)
        if not name or name == before:
            return
        self._history.do(
            Step(
                _("Rename {name}").format(name=before),
                partial(setattr, layer, "name", name),
                partial(setattr, layer, "name", before),
            )
        )

    def place(self, layer: Layer, placement: Affine) -> None:
        """Lay a layer elsewhere on the slide; ``placement``: its own px to level-0 px."""
        source = layer.source
        if not isinstance(source, WarpedSource | RasterSource) or placement == source.placement:
            return
        before = source.placement
        source.placement = placement
        self._history.remember(
            Step(
                _("Place {name}").format(name=layer.name),
                partial(setattr, source, "placement", placement),
                partial(setattr, source, "placement", before),
            )
        )

    def _free_name(self, name: str, owner: Layer) -> str:
        taken = {layer.name for layer in self._layers if layer is not owner}
        free, number = name, 1
        while free in taken:
            number += 1
            free = f"{name} {number}"
        return free

    def _put(self, layer: Layer, index: int) -> None:
        if layer not in self._layers:
            self._layers.add(layer, min(index, len(self._layers)))
            self._scheduler.add(layer.source, Plane())

    def _take(self, layer: Layer) -> None:
        if layer in self._layers:
            self._layers.remove(layer)
            self._scheduler.remove(layer.source)

    def _move(self, layer: Layer, index: int) -> None:
        if layer in self._layers:  # a run may have been taken away meanwhile
            self._layers.move(layer, min(index, len(self._layers) - 1))

    # -- files -----------------------------------------------------------------------------------

    def open(self, path: Path) -> None:
        """Open a file as a layer in the background; `unsure` or a notice may follow."""
        if self._slide is not None:
            hide(path)
            self._scheduler.submit(
                partial(guess_layer, path, self._slide.info), partial(self._on_guess, self._slide)
            )

    def _on_guess(self, slide: Slide, guess: Guess | None, error: BaseException | None) -> None:
        if slide is not self._slide:
            return
        if guess is None:
            self._on_error(error)
        elif guess.placement is not None and guess.is_sure:
            self.open_as(guess.path, guess.kind, guess.placement)
        else:
            self.unsure.emit(guess)

    def open_as(self, path: Path, kind: str, placement: Affine) -> None:
        """Open a file as a layer of a kind; ``placement``: px of the file to level-0 px."""
        if self._slide is not None:
            hide(path)
            opened = partial(
                open_layer, path, self._slide.info, kind, placement, memory=self._memory
            )
            self._scheduler.submit(opened, partial(self._on_open, self._slide))

    def _on_open(self, slide: Slide, layer: Layer | None, error: BaseException | None) -> None:
        if layer is None:
            self._on_error(error)
        elif slide is not self._slide:
            close_source(layer.source)
        else:
            self._from_files.append(layer)
            self.add(layer)

    def _on_error(self, error: BaseException | None) -> None:
        if error is None:
            return
        if not isinstance(error, PathoViewError):
            _logger.error("a layer cannot be opened", exc_info=error)
        self.notice.emit(from_error(error, (_("Open another file"), "layer.open")))

    # -- how it is drawn -------------------------------------------------------------------------

    def toggle(self, layer: Layer) -> None:
        """Show a hidden layer, hide a shown one."""
        layer.visible = not layer.visible

    def blend_next(self, layer: Layer) -> None:
        """Blend a layer in the next of all modes."""
        layer.blend = BLENDS[(BLENDS.index(layer.blend) + 1) % len(BLENDS)]
