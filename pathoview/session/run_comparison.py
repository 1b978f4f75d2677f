"""Another run of a whole slide beside the one that is looked at: correlation, and differences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from psygnal import Signal

from pathoview.core.geometry import Rect
from pathoview.layers.layer import Layer
from pathoview.session.notices import from_error
from pathoview.session.run_desk import RunDesk
from pathoview.session.runs import RunView
from pathoview.session.tile_review import TileReview
from pathoview.slides.slide import Slide
from pathoview.study.bag_comparison import ATTENTION as ATTENTION
from pathoview.study.bag_comparison import (
    TileComparison,
    TileValues,
    compare,
    run_values,
    usual_value,
)
from pathoview.study.bag_comparison import value_text as value_text
from pathoview.study.bag_rows import BagTiles
from pathoview.study.records import RunRecord
from pathoview.study.results import RunFile, find_runs

if TYPE_CHECKING:
    from pathoview.session.session import Session


@dataclass(frozen=True, slots=True)
class OtherRun:
    """A finished run of the slide, shown or not."""

    path: Path
    record: RunRecord


@dataclass(frozen=True, slots=True)
class Difference:
    """A tile that two runs place differently."""

    rect_l0: Rect
    rank_here: float
    rank_there: float
    """Share of the shared tiles that have less, 0–1."""


class RunComparison:
    """All methods are called on the session's thread."""

    changed = Signal()
    """The runs there are, the other one, what is compared, or the views."""

    def __init__(self, session: Session, review: TileReview, runs: RunDesk) -> None:
        self._session = session
        self._review = review
        self._runs = runs
        self._found: Sequence[OtherRun] = ()
        self._tiles: BagTiles | None = None
        self.other: OtherRun | None = None
        """The run beside; None: none was chosen."""
        self.value = ATTENTION
        """What of it is compared: attention, or the name of a class."""
        self._is_wanted = False
        """To be seen side by side, as soon as it is shown."""
        self._compared: tuple[object, TileComparison] | None = None
        review.changed.connect(self._on_review_changed)
        session.slide_changed.connect(self._on_slide_changed)
        session.runs_changed.connect(self._on_runs_changed)
        session.views.changed.connect(self.changed)

    # -- which runs ------------------------------------------------------------------------------

    @property
    def others(self) -> Sequence[OtherRun]:
        """The runs that the one looked at can be compared with; see `look`."""
        run = self._review.run
        return [] if run is None else [one for one in self._found if one.path != run.path]

    def look(self) -> None:
        """Look for the finished runs of the slide; `changed` follows."""
        slide = self._session.slide
        if slide is not None:
            find = partial(find_runs, slide.content_hash)
            self._session.scheduler.submit(find, partial(self._on_found, slide))

    def _on_found(
        self,
        slide: Slide,
        found: list[tuple[Path, RunRecord]] | None,
        _error: BaseException | None,
    ) -> None:
        if found is None or slide is not self._session.slide:
            return
        done = [one for one in found if one[1].gives == "bag" and one[1].state == "done"]
        self._found = [OtherRun(*one) for one in done]
        self.changed.emit()
        if self.other is None and self.others:
            self.choose(self.others[0].path)

    def choose(self, path: Path) -> None:
        """Compare with this run; `changed` follows when its tiles are read."""
        other = next((one for one in self._found if one.path == path), None)
        if other is not None and other != self.other:
            self.other, self._tiles = other, None
            self._session.scheduler.submit(
                partial(_read_tiles, path), partial(self._on_read, other)
            )
            self.changed.emit()

    def _on_read(
        self, other: OtherRun, tiles: BagTiles | None, error: BaseException | None
    ) -> None:
        if other is not self.other:
            return
        if error is not None:
            self._session.notice.emit(from_error(error))
        self._tiles = tiles
        if tiles is not None:
            self.value = usual_value(other.record, tiles, self._review.class_name)
        self.changed.emit()

    @property
    def class_names(self) -> Sequence[str]:
        """The classes that the other run tells apart."""
        return [] if self.other is None else [one.name for one in self.other.record.classes]

    def set_value(self, value: str) -> None:
        """Compare the other run's `ATTENTION`, or its evidence of a class."""
        self.value = value
        self.changed.emit()

    # -- what comes out --------------------------------------------------------------------------

    @property
    def result(self) -> TileComparison | None:
        """What both say of the same tiles, of this one what its review is ordered by."""
        review, other, tiles = self._review, self.other, self._tiles
        own = review.tiles
        if own is None or review.run is None or other is None or tiles is None:
            return None
        asked = review.run.path, review.order, review.class_name, other.path, self.value
        if self._compared is None or self._compared[0] != asked:
            here = TileValues(own.columns, own.rows, review.cell_l0, review.values)
            there = run_values(other.record, tiles, self.value)
            self._compared = asked, compare(here, there)
        return self._compared[1]

    def differences(self, n: int) -> list[Difference]:
        """Return the tiles that the two place most differently."""
        result = self.result
        if result is None:
            return []
        return [
            Difference(self._review.rect_l0(int(result.tiles[one])), *result.ranks[one].tolist())
            for one in result.most_different(n)
        ]

    # -- side by side ----------------------------------------------------------------------------

    @property
    def is_side_by_side(self) -> bool:
        return len(self._session.views.all) > 1

    def show_side_by_side(self) -> None:
        """Show this run's layer in one view and the other's in a second that moves along."""
        run, other = self._review.run, self.other
        if run is None or other is None:
            return
        self._review.choose_run(run)  # the other one is shown later, and is looked at only beside
        self._is_wanted = True
        if self._shown(other) is None:
            self._runs.show(other.path)
        self._on_runs_changed()

    def show_one(self) -> None:
        """Show one view again, with the layers of both runs."""
        views = self._session.views
        views.set_count(1)
        for layer in self._session.layers:
            views.active.set_shown(layer, True)

    def _on_runs_changed(self) -> None:
        run, other = self._review.run, self.other
        there = None if other is None else self._shown(other)
        if self._is_wanted and run is not None and there is not None:
            self._is_wanted = False
            own = self._review.class_name if self._review.order == "evidence" else ATTENTION
            self._arrange(run, _layer(run, own), there, _layer(there, self.value))

    def _arrange(self, run: RunView, here: Layer, other: RunView, there: Layer) -> None:
        views, layers = self._session.views, (*run.layers, *other.layers)
        views.set_count(2)
        views.is_linked = True
        for view, own in zip(views.all, (here, there), strict=True):
            for layer in layers:
                view.set_shown(layer, layer is own)
        for layer in layers:
            layer.visible = layer in (here, there)
        self.changed.emit()

    def _shown(self, other: OtherRun) -> RunView | None:
        return next((one for one in self._review.runs if one.path == other.path), None)

    # -- what changes ----------------------------------------------------------------------------

    def _on_review_changed(self) -> None:
        run = self._review.run
        if self.other is not None and run is not None and run.path == self.other.path:
            self.other = self._tiles = None
        self._on_runs_changed()
        self.changed.emit()

    def _on_slide_changed(self) -> None:
        self._found, self.other, self._tiles, self._is_wanted = (), None, None, False
        self.changed.emit()


def _layer(run: RunView, value: str) -> Layer:
    """Return the layer of a run that shows attention, or the evidence of a class."""
    assert run.attention is not None
    return run.attention.layer_of(value)


def _read_tiles(path: Path) -> BagTiles | None:
    """Read the tiles of a run; raises `StorageError`."""
    with RunFile.open(path) as run_file:
        return run_file.bag_rows().read()
