"""The tiles that look most like the chosen one, on the slides of the study."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pathoview.core.geometry import Rect
from pathoview.core.translation import _
from pathoview.session import orders
from pathoview.session.asking import Answered, Asking
from pathoview.session.run_desk import RunDesk
from pathoview.session.tile_place import TilePlace
from pathoview.session.tile_review import TileReview

if TYPE_CHECKING:
    from pathoview.session.session import Session

N_SIMILAR = 20


class SimilarTile(Answered):
    """One of them; see `tasks.similar_tiles`."""

    slide_hash: str
    pseudonym: str
    x_l0: float
    y_l0: float
    width_l0: float
    height_l0: float
    n_columns: int
    similarity: float

    @property
    def place(self) -> TilePlace:
        rect_l0 = Rect(self.x_l0, self.y_l0, self.width_l0, self.height_l0)
        return TilePlace(self.slide_hash, rect_l0, self.n_columns)


class Similar(Answered):
    """All of them, the most similar first."""

    n_slides: int
    n_without: int
    """How many slides of the study are not described, or otherwise."""
    n_tiles: int
    similar: tuple[SimilarTile, ...]


class SimilarTiles(Asking[Similar]):
    """Looks for them in a worker, and goes to one, on whatever slide it lies."""

    def __init__(self, session: Session, review: TileReview, runs: RunDesk) -> None:
        super().__init__(session, review, runs, Similar)
        self._wanted: TilePlace | None = None
        """Where to look when its slide is open."""
        session.slide_changed.connect(self._on_slide_changed)

    @property
    def can_find(self) -> bool:
        return self._review.chosen_l0 is not None

    def find(self) -> None:
        """Look for tiles like the chosen one; `changed` follows."""
        rect_l0 = self._review.chosen_l0
        if rect_l0 is not None:
            x_l0, y_l0 = rect_l0.center
            place = {"x_l0": x_l0, "y_l0": y_l0, "n": N_SIMILAR}
            self._ask(orders.SIMILAR, _("Similar tiles"), others=True, **place)

    def go_to(self, place: TilePlace) -> None:
        """Look at a tile; its slide is opened for that if it is another one."""
        slide = self._session.slide
        if slide is not None and slide.content_hash == place.slide_hash:
            self._review.go_to(place)
        else:
            self._wanted = place
            self._session.slides.open(place.slide_hash)

    def _on_slide_changed(self) -> None:
        slide, place = self._session.slide, self._wanted
        if slide is not None and place is not None:
            self._wanted = None
            if slide.content_hash == place.slide_hash:
                self._review.go_to(place)
