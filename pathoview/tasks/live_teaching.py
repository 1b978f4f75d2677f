"""Teaching while one paints: each stroke is answered by a new map of what is seen.

The labels are read from the study's file, where every gesture ends up at once; the study is only
read. What is written is a run's file for the window, see `tasks.live_map`. *Keep best* has
`tasks.train` learn from the same labels once more, in full: only that gives a model.
"""

from __future__ import annotations

import importlib
import logging
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from pathoview.core.errors import InputError, StorageError, UsageError
from pathoview.core.geometry import Rect
from pathoview.core.progress import Progress
from pathoview.core.registry import load_entry
from pathoview.core.translation import _
from pathoview.datasets.labels import LabelledImage, Labels, TargetClass
from pathoview.methods.fitting import FitContext, Fitted
from pathoview.methods.registry import METHODS
from pathoview.methods.spec import MethodSpec
from pathoview.slides.reading import analysis_grid
from pathoview.slides.slide import Slide
from pathoview.slides.tissue import tissue_mask
from pathoview.tasks import train
from pathoview.tasks.live_map import LiveMap
from pathoview.tasks.live_preview import remove_forgotten, seen
from pathoview.tasks.opening import open_scaled
from pathoview.tasks.study_labels import LabelWatch, SlideLabels
from pathoview.tasks.tile_plan import Tile
from pathoview.tasks.train import TrainRequest, fit_params_of, trainable
from pathoview.tasks.training_data import open_training_data

_LOOK_EVERY_S = 0.1
_COARSE = 4
_MOST_MP = 2.0
"""Of the method's: no more than that is painted after a stroke, the middle of what is seen."""
_MEASURE_AFTER_S = 1.0
"""The hand has come to rest: what was learned is measured."""

_logger = logging.getLogger(__name__)


class Painted(Protocol):
    """Probabilities of a part of a slide."""

    @property
    def rect_l0(self) -> Rect: ...
    @property
    def probabilities(self) -> npt.NDArray[np.float32]:
        """(height, width, class), in the order of ``settings["values"]``."""


class Live(Protocol):
    """What a method's ``live(slide, classes, fit_params, params, context, others)`` returns."""

    def prefetch(self, rect_l0: Rect) -> None:
        """Compute what will be needed to learn and paint there."""

    def update(self, labels: Labels) -> Fitted:
        """Learn anew; raise `UsageError` when the labels do not suffice."""

    def paint(self, rect_l0: Rect, step: int = 1) -> Painted:
        """Predict a part of the slide, one px for ``step`` × ``step``."""

    def measure(self) -> Mapping[str, float]:
        """Return what was learned is worth on labels held back; empty: they are too few."""


def warm_up() -> None:
    """Import what learning in moments needs, so that the first stroke is answered at once."""
    for spec in METHODS:
        if spec.is_live:
            load_entry(spec.entry)
    importlib.import_module("sklearn.ensemble")


def warm_up_networks() -> None:
    """Import what networks learn with, so that their training begins at once."""
    importlib.import_module("pathoview.methods.engine.train")


def run(request: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Teach until told to finish, then train; see `TrainRequest`, with a ``preview``.

    Events: ``preview`` with ``run_file`` when there is something new in it, ``answer`` with
    ``seconds`` and ``n_labels`` after each stroke, ``curve`` with ``step``, the number of the
    answer, and metrics. Returns and raises what `train.run` does; `Cancelled` leaves no model.
    """
    order = TrainRequest.model_validate(request)
    spec = trainable(order.method)
    if not spec.is_live or order.preview is None:
        raise UsageError(
            _("“{title}” cannot be taught stroke by stroke.").format(title=spec.title),
            _("Train it from all labels at once: pathoview train --method {name}").format(
                name=spec.name
            ),
        )
    remove_forgotten()
    with ExitStack() as stack:
        slide = stack.enter_context(open_scaled(Path(order.preview.slide), order.preview.mpp))
        _Teaching(order, spec, slide, stack, progress).run()
    return train.run({**request, "preview": None}, _InFull(progress))


class _Teaching:
    """One live teaching while it goes on."""

    def __init__(
        self,
        order: TrainRequest,
        spec: MethodSpec,
        slide: Slide,
        stack: ExitStack,
        progress: Progress,
    ) -> None:
        self._order, self._spec, self._slide = order, spec, slide
        self._stack, self._progress = stack, progress
        self._fit_params = fit_params_of(spec).parse(order.params)
        self._grid = analysis_grid(slide, spec.mpp)
        self._tissue = tissue_mask(slide)
        self._watch = stack.enter_context(LabelWatch(order.study, slide, order.classes))
        self._live: Live | None = None
        self._map: LiveMap | None = None
        self._values: Sequence[int] = ()
        """What masks say of the classes that were learned; none: nothing was yet."""
        self._prefetched: Rect | None = None
        self._painted: dict[Tile, int] = {}
        """The step at which a tile was painted since the last stroke."""
        self._n_answers = 0
        self._answered_at = 0.0
        self._is_measured = True

    def run(self) -> None:
        """Answer strokes until told to finish; raise `Cancelled`."""
        self._say(_("Paint a stroke in each of two classes."))
        while not self._progress.is_finishing:
            self._progress.check()
            if not (self._learn() or self._paint() or self._measure()):
                time.sleep(_LOOK_EVERY_S)

    def _say(self, text: str, **metrics: float) -> None:
        self._progress.report(0.0, text, **metrics)

    # -- learning --------------------------------------------------------------------------------

    def _learn(self) -> bool:
        """Learn from what was painted since the last look; return whether there was any."""
        began = time.monotonic()
        said = self._watch.look()
        if said is None:
            return False
        if self._map is None or said.classes != self._map.classes:
            self._begin(said.classes)
        assert self._live is not None
        try:
            fitted = self._live.update(said.labels)
        except UsageError as error:
            self._say(error.hint or str(error))
            return True
        self._values = fitted.settings["values"]
        self._n_answers += 1
        self._painted.clear()
        self._paint()
        self._tell(said, time.monotonic() - began)
        return True

    def _begin(self, classes: tuple[TargetClass, ...]) -> None:
        """Begin anew with other classes."""
        spec = self._spec
        context = FitContext(self._progress, seed=self._order.seed)
        self._live = load_entry(spec.entry).live(
            self._slide,
            classes,
            self._fit_params,
            spec.params(),
            context,
            self._others(classes),
        )
        title = self._order.title or spec.title
        self._map = self._stack.enter_context(
            LiveMap(spec, self._slide, self._grid, self._tissue, classes, title)
        )
        self._values, self._prefetched = (), None

    def _others(self, classes: Sequence[TargetClass]) -> list[LabelledImage]:
        """Return the labelled slides of the study that are not looked at."""
        if not self._order.study or self._order.slides:
            return []
        source = replace(self._order.source, classes=tuple(one.name for one in classes))
        try:
            prepared = self._stack.enter_context(
                open_training_data(source, self._spec, self._progress)
            )
        except InputError:  # there are no labels yet
            return []
        shown = self._slide.content_hash
        return [one for one in prepared.data.images if one.slide.content_hash != shown]

    def _tell(self, said: SlideLabels, seconds: float) -> None:
        n_labels = said.labels.n_labels
        self._answered_at, self._is_measured = time.monotonic(), False
        self._progress.event("answer", {"seconds": seconds, "n_labels": n_labels})
        self._say(_("Paint on: each stroke is answered."), seconds=seconds, labels=n_labels)

    def _measure(self) -> bool:
        """Measure what was learned, once the hand is at rest; return whether there was any."""
        is_at_rest = time.monotonic() - self._answered_at > _MEASURE_AFTER_S
        if self._live is None or self._is_measured or not is_at_rest:
            return False
        self._is_measured = True
        metrics = self._live.measure()
        if metrics:
            self._progress.event("curve", {"step": self._n_answers, **metrics})
        return True

    # -- painting --------------------------------------------------------------------------------

    def _paint(self) -> bool:
        """Paint a step finer what is seen; return whether there was anything to paint."""
        focus_l0 = self._progress.focus_l0
        if focus_l0 is None or self._live is None or self._map is None:
            return False
        view_l0 = seen(focus_l0, self._slide, self._grid.scale_l0, _MOST_MP)
        if not self._values:
            return self._prefetch(self._live, view_l0)
        tiles = self._map.tiles_in(view_l0)
        for step in (_COARSE, 1):
            wanted = [tile for tile in tiles if self._painted.get(tile, _COARSE + 1) > step]
            if wanted:
                self._paint_tiles(self._live, self._map, wanted, step)
                return True
        return False

    def _prefetch(self, live: Live, view_l0: Rect) -> bool:
        """Be ready for the first stroke."""
        if view_l0 == self._prefetched:
            return False
        self._prefetched = view_l0
        live.prefetch(view_l0)
        return True

    def _paint_tiles(self, live: Live, live_map: LiveMap, tiles: list[Tile], step: int) -> None:
        around = Rect.from_corners(
            min(tile.x for tile in tiles),
            min(tile.y for tile in tiles),
            max(tile.x + tile.width for tile in tiles),
            max(tile.y + tile.height for tile in tiles),
        )
        painted = live.paint(around.scaled(self._grid.scale_l0), step)
        self._painted |= dict.fromkeys(tiles, step)
        try:
            live_map.put(tiles, painted.rect_l0, painted.probabilities, self._values)
        except StorageError as error:  # the teaching goes on unseen
            _logger.warning("the map is not shown: %s", error)
            if not self._progress.is_finishing:  # else it went with its slide
                self._progress.event("notice", {"text": error.full_text})
            return
        self._progress.event("preview", {"run_file": str(live_map.path)})


class _InFull:
    """Passes on what the person wants, but not to finish early: that began the training."""

    is_finishing = False

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self.report = progress.report
        self.event = progress.event
        self.check = progress.check

    @property
    def focus_l0(self) -> Rect | None:
        return self._progress.focus_l0
