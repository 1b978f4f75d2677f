"""Places on a slide that a person wants to find again, one file a slide, by its content."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pathoview.core.errors import StorageError
from pathoview.core.files import replacing, storage_error
from pathoview.core.paths import data_folder
from pathoview.core.translation import _

log = logging.getLogger(__name__)


class Bookmark(BaseModel):
    """A place, how large and how turned it was seen, and its name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    x_l0: float
    y_l0: float
    scale: float = Field(gt=0)
    """Px of the screen a level-0 px."""
    rotation: float = 0.0
    """Degrees, clockwise."""
    is_flipped: bool = False


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    version: Literal[1] = 1
    bookmarks: tuple[Bookmark, ...] = ()


def keep_bookmarks(slide_hash: str, bookmarks: tuple[Bookmark, ...]) -> None:
    """Write all bookmarks of a slide, in their order; raise `StorageError` when that fails."""
    path = _path(slide_hash)
    try:
        path.parent.mkdir(exist_ok=True)
    except OSError as error:
        raise storage_error(path, error) from error
    with replacing(path) as file:
        file.write(_File(bookmarks=bookmarks).model_dump_json(indent=2).encode())


def kept_bookmarks(slide_hash: str) -> tuple[Bookmark, ...]:
    """Return the bookmarks of a slide, in their order.

    A file that cannot be understood is put aside, never overwritten. Raises `StorageError` when
    there is one that cannot be read now: nothing must be written over it.
    """
    path = _path(slide_hash)
    try:
        return _File.model_validate_json(path.read_bytes()).bookmarks
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise StorageError(
            _("The bookmarks of this slide could not be read: {why}.").format(
                why=error.strerror or type(error).__name__
            ),
            _("Open the slide again to see them."),
        ) from error
    except ValidationError:
        log.warning("the bookmarks of a slide cannot be understood and are put aside")
    try:
        path.replace(path.with_name(path.name + ".broken"))
    except OSError as error:
        raise storage_error(path, error) from error
    return ()


def _path(slide_hash: str) -> Path:
    return data_folder() / "bookmarks" / f"{slide_hash}.json"
