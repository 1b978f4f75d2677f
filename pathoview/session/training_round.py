"""A round of a training on slides that chooses its tiles: which were kept, how many are others."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from pathoview.core.geometry import Rect
from pathoview.session.tile_place import TilePlace


class KeptTile(BaseModel):
    """One of the best tiles that were kept; see `datasets.tile_choice`."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    slide_hash: str
    name: str
    """The pseudonym of the slide."""
    label: str
    """Of the slide."""
    is_looked_for: bool
    """Whether the slide has what is looked for; the first class is what has it not."""
    rect_l0: tuple[float, float, float, float]
    score: float
    """By which tiles are kept, 0–1."""

    @property
    def place(self) -> TilePlace:
        return TilePlace(self.slide_hash, Rect(*self.rect_l0))


class TrainingRound(BaseModel):
    """What is told when a round begins."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    round: int
    """From 1 on."""
    n_rounds: int
    replaced: float | None = None
    """Share of the tiles kept that were not kept before; None: none were."""
    tiles: tuple[KeptTile, ...]

    def side(self, is_looked_for: bool) -> Sequence[KeptTile]:
        """Return the tiles of slides with what is looked for, or of those without."""
        return [one for one in self.tiles if one.is_looked_for == is_looked_for]
