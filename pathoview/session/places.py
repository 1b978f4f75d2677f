"""What helps one to find one's way: bookmarks, the measuring grid, the walk over the tissue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pathoview.session.bookmark_desk import BookmarkDesk
from pathoview.session.grid import Grid
from pathoview.session.keeper import Keeper
from pathoview.session.notices import from_error
from pathoview.session.screening import Screening

if TYPE_CHECKING:
    from pathoview.session.session import Session


class Places:
    """All of it for one session; what changes is kept on disk at once."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.keeper = Keeper(session.scheduler)
        self.keeper.failed.connect(self._on_failed)
        self.grid = Grid(session.settings)
        self.bookmarks = BookmarkDesk(session)
        self.screening = Screening(session, self.keeper)

    def close(self) -> None:
        """Write what is not on disk yet."""
        self.screening.rest()
        self.keeper.flush()

    def _on_failed(self, error: BaseException) -> None:
        self._session.notice.emit(from_error(error))
