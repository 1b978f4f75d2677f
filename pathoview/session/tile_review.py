"""The tiles of a whole slide that a model has judged, looked at one by one and answered.

An answer says whether a tile shows a class. It is kept in the study with author and time, is a
step of the history, and can be learned from in the next round.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt
from psygnal import Signal

from pathoview.core.geometry import Cell, Rect
from pathoview.core.pyramid import Plane
from pathoview.core.translation import _
from pathoview.session.notices import Notice
from pathoview.session.run_attention import SlidePrediction
from pathoview.session.runs import RunView
from pathoview.session.tile_lookup import TileLookup
from pathoview.session.tile_place import TilePlace
from pathoview.slides.slide import Slide
from pathoview.study.bag_rows import BagTiles
from pathoview.study.records import now
from pathoview.study.step import RecordChange
from pathoview.study.tile_verdicts import Answer as Answer
from pathoview.study.tile_verdicts import SlideVerdicts, TileVerdict

if TYPE_CHECKING:
    from pathoview.session.session import Session

Order = Literal["attention", "evidence"]
"""By what tiles are put in order: how much each counted, or how much it speaks for the class."""

AT_EACH_END = 12
"""Tiles of a page that counted most, and as many that counted least."""
_SEEN_SIDES = 3
"""A tile is gone to with its neighbours: so many of its sides fit into the view."""
_NEAR = 2.0
"""A zoom that differs by less than that is left as it is."""
_NAMES: dict[Answer, str] = {
    "agree": _("Tile at {place}: {name}"),
    "disagree": _("Tile at {place}: not {name}"),
    "unsure": _("Tile at {place}: unsure of {name}"),
}

Numbers = npt.NDArray[np.intp]


class TileReview:
    """The review of one run of the open slide. All methods are called on the session's thread."""

    changed = Signal()
    """The run, its page, what is asked, the tile that is chosen, or what was answered."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.order: Order = "attention"
        self.page = 0
        self._chosen: TilePlace | None = None
        """The tile that was gone to, whether of the run or not; None: none."""
        self.runs: Sequence[RunView] = []
        """The shown runs whose tiles have come, the newest first."""
        self.run: RunView | None = None
        """The one whose tiles are looked at: the one that was chosen, else the newest."""
        self._preferred: RunView | None = None
        self._class = ""
        self._lookup = TileLookup()
        self._ordered: Numbers = np.empty(0, np.intp)
        self._slide: Slide | None = None
        self._states: Sequence[str] = []
        self._could_answer = False
        session.slide_changed.connect(self._on_slide_changed)
        session.runs_changed.connect(self._on_runs_changed)
        session.studies.changed.connect(self._on_verdicts_changed)
        session.studies.records_changed.connect(self._on_records_changed)
        session.viewport_changed.connect(self._on_moved)
        session.selection_changed.connect(self._on_moved)

    # -- what is looked at -----------------------------------------------------------------------

    def choose_run(self, run: RunView) -> None:
        """Look at the tiles of this run, whichever comes after it."""
        self._preferred = run
        self._on_runs_changed()

    @property
    def is_active(self) -> bool:
        """Whether the keys of a review mean tiles: the run that is told about has some."""
        return self._session.results in self.runs

    @property
    def tiles(self) -> BagTiles | None:
        run = self.run
        return None if run is None or run.attention is None else run.attention.tiles

    @property
    def cell_l0(self) -> Cell:
        """A tile, level-0 px."""
        run = self.run
        return Cell(1.0, 1.0) if run is None else run.record.cell_l0

    @property
    def class_names(self) -> Sequence[str]:
        run = self.run
        return [] if run is None else [one.name for one in run.record.classes]

    @property
    def class_name(self) -> str:
        """The class that is asked about: of two the second, else the one that is predicted."""
        run, names = self.run, self.class_names
        if run is None or not names or self._class in names:
            return self._class if names else ""
        if len(names) == 2:
            return names[1]
        return names[SlidePrediction.of(run.record).place or 0]

    def ask_about(self, class_name: str) -> None:
        """Ask whether tiles show this class from now on."""
        self._class = class_name
        self.set_order(self.order)

    def set_order(self, order: Order) -> None:
        self.order, self.page = order, 0
        self._ordered = np.argsort(-self.values, kind="stable")
        self.changed.emit()

    # -- the page --------------------------------------------------------------------------------

    @property
    def values(self) -> npt.NDArray[np.float32]:
        """What tiles are ordered by, (tile,): attention, 1 for an average tile; or evidence."""
        return self.numbers(self.order)

    def numbers(self, order: Order) -> npt.NDArray[np.float32]:
        """Return the numbers of an order, (tile,)."""
        tiles = self.tiles
        if tiles is None:
            return np.empty(0, np.float32)
        if order == "attention":
            return tiles.relative_attention
        return tiles.evidence[:, list(self.class_names).index(self.class_name)]

    @property
    def n_pages(self) -> int:
        return max(1, -(-len(self._ordered) // (2 * AT_EACH_END)))

    def turn_page(self, step: int) -> None:
        """Show the tiles that come next from both ends (``step`` 1), or those before (-1)."""
        self.page = min(self.n_pages - 1, max(0, self.page + step))
        self.changed.emit()

    def ends(self) -> tuple[Numbers, Numbers]:
        """Return which tiles of the page come first in the order, and which last, the last first.

        No tile is at both ends.
        """
        middle, first = (len(self._ordered) + 1) // 2, AT_EACH_END * self.page
        page = slice(first, first + AT_EACH_END)
        return self._ordered[:middle][page], self._ordered[middle:][::-1][page]

    def shown(self) -> Sequence[int]:
        """Return the tiles of the page, in the order in which they are walked over."""
        return [int(tile) for end in self.ends() for tile in end]

    def rect_l0(self, tile: int) -> Rect:
        """Return where a tile lies."""
        tiles = self.tiles
        assert tiles is not None
        return self.cell_l0.rect(float(tiles.columns[tile]), float(tiles.rows[tile]))

    def place(self, rect_l0: Rect) -> TilePlace:
        """Return what a tile of the run is called elsewhere."""
        slide, run = self._session.slide, self.run
        n_columns = 0 if run is None else run.record.grid_px[0]
        return TilePlace("" if slide is None else slide.content_hash, rect_l0, n_columns)

    # -- the tile that is chosen -----------------------------------------------------------------

    @property
    def chosen_l0(self) -> Rect | None:
        """Where the tile lies that was gone to, whether of the run or not; None: there is none."""
        return None if self._chosen is None else self._chosen.rect_l0

    @property
    def seen(self) -> tuple[Plane, Rect] | None:
        """On which plane the chosen tile is seen, and where there; None: there is none."""
        slide, place = self._session.slide, self._chosen
        return None if slide is None or place is None else place.seen(slide, self._session.plane)

    @property
    def chosen(self) -> int | None:
        """Which tile of the run is chosen; None: none of its tiles."""
        return None if self._chosen is None else self.find(*self._chosen.rect_l0.center)

    def find(self, x_l0: float, y_l0: float) -> int | None:
        """Return the tile of the run at a place; None: there is none."""
        return self._lookup.find(x_l0, y_l0)

    def choose_at(self, x_l0: float, y_l0: float) -> None:
        """Choose the tile that was pointed at on the canvas; where none is seen, none."""
        run = self.run
        own = None if run is None else run.record.picture_columns
        # A frame of a clip is one tile, whatever lies over it.
        is_seen = own == 1 or (run is not None and any(layer.visible for layer in run.layers))
        if own is not None:
            x_l0 += self._session.plane.t * own * self.cell_l0.width
        tile = self.find(x_l0, y_l0) if is_seen else None
        self._choose(None if tile is None else self.place(self.rect_l0(tile)))

    def leave(self) -> None:
        """Choose no tile."""
        self._choose(None)

    def go_to(self, place: TilePlace) -> None:
        """Look at a tile, with what lies round it, and choose it in place of all else."""
        session, viewport = self._session, self._session.viewport
        if session.slide is None:
            return
        plane, rect_l0 = place.seen(session.slide, session.plane)
        session.set_plane(plane)
        session.annotations.select(())
        session.clear_selection()
        scale = min(viewport.size_view) / (_SEEN_SIDES * max(rect_l0.width, rect_l0.height))
        is_near = 1 / _NEAR < viewport.scale / scale < _NEAR
        viewport.look_at(*rect_l0.center, None if is_near else scale)
        self._choose(place)

    def _choose(self, place: TilePlace | None) -> None:
        if place != self._chosen:
            self._chosen = place
            self._could_answer = self.can_answer
            self.changed.emit()

    def go(self, step: int) -> None:
        """Go to the next tile without an answer (``step`` 1), or to the one before (-1)."""
        shown = self.shown()
        if not shown:
            return
        place = shown.index(self.chosen) if self.chosen in shown else None
        if step > 0:
            self._go_on(-1 if place is None else place)
        else:
            self.go_to(self.place(self.rect_l0(shown[max(0, (place or 0) + step)])))

    def _go_on(self, place: int) -> None:
        """Go to the next tile without an answer, whether it comes later or was passed over."""
        shown = self.shown()
        order = (*shown[place + 1 :], *shown[: max(0, place)])
        following = next((tile for tile in order if self.answer_of(tile) is None), None)
        if following is not None:
            self.go_to(self.place(self.rect_l0(following)))
        elif self.n_answered == len(shown):
            text = _("All tiles of this page are answered. Turn the page for the next ones.")
            self._session.notice.emit(Notice(text))

    # -- answers ---------------------------------------------------------------------------------

    @property
    def n_answered(self) -> int:
        """How many tiles of the page the person has answered."""
        return sum(self.answer_of(tile) is not None for tile in self.shown())

    def answer_of(self, tile: int) -> Answer | None:
        """Return what the person who works now has said of a tile; None: nothing yet."""
        author = self._session.studies.author
        said = (one.answer for one in self.said_of(tile) if one.author == author)
        return next(said, None)

    def said_of(self, tile: int) -> Sequence[TileVerdict]:
        """Return what anybody has said of a tile and the class that is asked about."""
        return self._lookup.said_of(tile, self.class_name)

    @property
    def can_answer(self) -> bool:
        """Whether a tile of the run is chosen and seen, and nothing else is chosen."""
        session, seen = self._session, self.seen
        if seen is None or self.chosen is None or session.studies.book is None:
            return False
        is_alone = session.selection is None and not session.annotations.n_selected
        plane, seen_l0 = seen
        is_seen = not session.viewport.visible_l0.intersection(seen_l0).is_empty
        return is_alone and is_seen and plane == session.plane

    def answer(self, answer: Answer) -> bool:
        """Say of the chosen tile whether it shows the class, and go on; False: it cannot be."""
        tile, run, book = self.chosen, self.run, self._session.studies.book
        if not self.can_answer or tile is None or run is None or book is None:
            return False
        was_open = self.answer_of(tile) is None
        rect_l0 = self.rect_l0(tile)
        verdict = TileVerdict(
            x_l0=rect_l0.x,
            y_l0=rect_l0.y,
            side_l0=rect_l0.width,
            height_l0=rect_l0.height,
            class_name=self.class_name,
            answer=answer,
            author=self._session.studies.author,
            created=now(),
            model=run.record.model,
        )
        before = self._session.studies.records.get(SlideVerdicts, book.slide_hash)
        after = (before or SlideVerdicts(slide_hash=book.slide_hash)).with_verdict(verdict)
        place = self._place_text(rect_l0)
        name = _(_NAMES[answer]).format(place=place, name=self.class_name)
        is_done = self._session.studies.do(name, records=[RecordChange.of(before, after)])
        shown = self.shown()
        if is_done and was_open and tile in shown:
            self._go_on(shown.index(tile))
        return is_done

    def _place_text(self, rect_l0: Rect) -> str:
        slide, plane = self._session.slide, self._session.plane
        assert slide is not None
        plane, seen_l0 = self.place(rect_l0).seen(slide, plane)
        if seen_l0 == rect_l0 and not plane.t:
            return _("{x:,.0f}, {y:,.0f}").format(x=rect_l0.x, y=rect_l0.y)
        return _("frame {n}").format(n=plane.t + 1)

    # -- what changes ----------------------------------------------------------------------------

    def _on_slide_changed(self) -> None:
        if self._session.slide is not self._slide:
            self._slide = self._session.slide
            self._preferred = self._chosen = None
            self._on_runs_changed()
            self.changed.emit()
        self._show_picture()

    def _show_picture(self) -> None:
        """Have the tiles of the plane drawn that is looked at, where pictures lie in a row."""
        for run in self.runs:
            if run.attention is not None:
                run.attention.look_at(self._session.plane.t)

    def _on_runs_changed(self) -> None:
        """Take note of runs that came or went; others tell often that they have grown."""
        shown = reversed(self._session.runs)
        runs = [one for one in shown if one.attention and one.attention.tiles]
        states = [one.record.state for one in runs]
        run = self._preferred if self._preferred in runs else next(iter(runs), None)
        if (runs, states, run) == (self.runs, self._states, self.run):
            return
        self.runs = runs
        self._show_picture()
        is_same, self.run, self._states = run is self.run, run, states
        if is_same:
            self.changed.emit()
            return
        self._lookup = TileLookup(self.tiles, self.cell_l0)
        self._take_verdicts()
        self.set_order(self.order)

    def _on_records_changed(self, kind: str) -> None:
        if kind == SlideVerdicts.kind:
            self._on_verdicts_changed()

    def _on_verdicts_changed(self) -> None:
        self._take_verdicts()
        self._could_answer = self.can_answer
        self.changed.emit()

    def _take_verdicts(self) -> None:
        slide, records = self._session.slide, self._session.studies.records
        kept = None if slide is None else records.get(SlideVerdicts, slide.content_hash)
        self._lookup.take(() if kept is None else kept.verdicts)

    def _on_moved(self) -> None:
        """Tell when the chosen tile comes into view or leaves it, or something else is chosen."""
        if self.can_answer != self._could_answer:
            self._could_answer = self.can_answer
            self.changed.emit()
