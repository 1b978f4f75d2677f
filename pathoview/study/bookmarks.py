"""Places on a slide that a person wants to find again."""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field

from pathoview.study.model import Record


class Bookmark(BaseModel):
    """A place, how large and how turned it was seen, and its name."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    x_l0: float
    y_l0: float
    scale: float = Field(gt=0)
    """Px of the screen a level-0 px."""
    rotation: float = 0.0
    """Degrees, clockwise."""
    is_flipped: bool = False


class SlideBookmarks(Record):
    """All bookmarks of a slide, in their order."""

    kind: ClassVar[str] = "bookmarks"

    slide_hash: str
    bookmarks: tuple[Bookmark, ...] = ()

    @property
    def key(self) -> str:
        return self.slide_hash
