"""A map of tiles: each a point, near those that look like it to an encoder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from pathoview.core.geometry import Rect
from pathoview.core.translation import _
from pathoview.session import orders
from pathoview.session.asking import Answered, Asking
from pathoview.session.run_desk import RunDesk
from pathoview.session.tile_place import TilePlace
from pathoview.session.tile_review import TileReview

if TYPE_CHECKING:
    from pathoview.session.session import Session

Shade = Literal["attention", "evidence", "slide"]
"""What the colours of points tell."""


class MappedSlide(Answered):
    """A slide that has points."""

    slide_hash: str
    pseudonym: str
    cell_l0: tuple[float, float]
    n_columns: int


class MapOfTiles(Answered):
    """The points, in columns; see `tasks.tile_map`."""

    shares: tuple[float, float]
    """Of the variance that each axis shows, 0–1."""
    n_tiles: int
    """So many there are; some of them are points."""
    n_without: int
    slides: tuple[MappedSlide, ...]
    x: tuple[float, ...]
    y: tuple[float, ...]
    slide: tuple[int, ...]
    x_l0: tuple[float, ...]
    y_l0: tuple[float, ...]

    @property
    def points(self) -> npt.NDArray[np.float64]:
        """Where they lie on the map, (point, 2)."""
        return np.stack([self.x, self.y], axis=1)

    def place(self, point: int) -> TilePlace:
        """Return which tile a point is."""
        slide = self.slides[self.slide[point]]
        rect_l0 = Rect(self.x_l0[point], self.y_l0[point], *slide.cell_l0)
        return TilePlace(slide.slide_hash, rect_l0, slide.n_columns)


class TileMap(Asking[MapOfTiles]):
    """Has the map made in a worker, and tells what is known of its points."""

    def __init__(self, session: Session, review: TileReview, runs: RunDesk) -> None:
        super().__init__(session, review, runs, MapOfTiles)

    def draw(self, *, others: bool) -> None:
        """Make a map of the open slide's tiles, and of the study's; `changed` follows."""
        self._ask(orders.TILE_MAP, _("Map of tiles"), others=others)

    def values(self, shade: Shade) -> npt.NDArray[np.float32]:
        """Return a number of each point: of attention or evidence as the run says, or its slide.

        NaN for tiles that the run says nothing of: those of other slides.
        """
        answer, tiles, slide = self.answer, self._review.tiles, self._session.slide
        if answer is None:
            return np.empty(0, np.float32)
        if shade == "slide":
            return np.array(answer.slide, np.float32)
        found = np.full(len(answer.x), np.nan, np.float32)
        if tiles is None or slide is None:
            return found
        said = self._review.numbers(shade)
        for point, number in enumerate(answer.slide):
            if answer.slides[number].slide_hash == slide.content_hash:
                tile = self._review.find(*answer.place(point).rect_l0.center)
                found[point] = np.nan if tile is None else said[tile]
        return found

    @property
    def chosen(self) -> int | None:
        """The point of the tile that is chosen; None: it has none."""
        answer, slide, rect_l0 = self.answer, self._session.slide, self._review.chosen_l0
        if answer is None or slide is None or rect_l0 is None:
            return None
        x, y = rect_l0.center
        cells = np.array([one.cell_l0 for one in answer.slides])[list(answer.slide)]
        here = np.array([one.slide_hash == slide.content_hash for one in answer.slides])
        dx, dy = x - np.array(answer.x_l0), y - np.array(answer.y_l0)
        is_in = (dx >= 0) & (dx < cells[:, 0]) & (dy >= 0) & (dy < cells[:, 1])
        (found,) = np.nonzero(is_in & here[list(answer.slide)])
        return int(found[0]) if len(found) else None
