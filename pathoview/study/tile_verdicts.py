"""What people said of single tiles of a slide, when they looked at what a model made of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Literal, get_args

from pydantic import BaseModel, ConfigDict

from pathoview.core.geometry import Rect
from pathoview.study.model import Record

Answer = Literal["agree", "disagree", "unsure"]
"""Whether the tile shows the class that was asked about."""
ANSWERS: tuple[Answer, ...] = get_args(Answer)


class TileVerdict(BaseModel):
    """One answer about one tile, by one person."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    x_l0: float
    y_l0: float
    """Its top-left corner, level-0 px."""
    side_l0: float
    """Its width."""
    height_l0: float = 0.0
    """0: it is a square."""
    class_name: str
    answer: Answer
    author: str = ""
    created: str = ""
    """ISO time in UTC."""
    model: str = ""
    """Id of the model whose map was looked at."""

    @property
    def rect_l0(self) -> Rect:
        return Rect(self.x_l0, self.y_l0, self.side_l0, self.height_l0 or self.side_l0)

    @property
    def center_l0(self) -> tuple[float, float]:
        return self.rect_l0.center

    def is_about(self, rect_l0: Rect, class_name: str) -> bool:
        """Whether it answers the question about this tile and class."""
        return rect_l0.contains(*self.center_l0) and class_name == self.class_name


class SlideVerdicts(Record):
    """All that was said of the tiles of a slide."""

    kind: ClassVar[str] = "tile_verdicts"

    slide_hash: str
    verdicts: tuple[TileVerdict, ...] = ()

    @property
    def key(self) -> str:
        return self.slide_hash

    def with_verdict(self, verdict: TileVerdict) -> SlideVerdicts:
        """Return them with one more; the same person's older answer to the question goes."""
        kept = tuple(
            old
            for old in self.verdicts
            if old.author != verdict.author or not old.is_about(verdict.rect_l0, verdict.class_name)
        )
        return self.model_copy(update={"verdicts": (*kept, verdict)})

    def with_those_of(self, verdicts: Iterable[TileVerdict]) -> SlideVerdicts:
        """Return them with those of a copy: everybody's; of one person the newest to a question."""
        merged = self
        for one in verdicts:
            asked = one.rect_l0, one.class_name
            own = [old for old in merged.verdicts if old.author == one.author]
            if not any(old.is_about(*asked) and old.created >= one.created for old in own):
                merged = merged.with_verdict(one)
        return merged
