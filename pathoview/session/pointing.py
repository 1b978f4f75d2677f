"""What a click on the slide means, and what Escape leaves first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pathoview.session.selection import add_detection_at

if TYPE_CHECKING:
    from pathoview.session.session import Session


def click(
    session: Session, x_l0: float, y_l0: float, reach_l0: float = 0.0, *, add: bool = False
) -> None:
    """Take a click on the slide as the tool in hand means it.

    ``reach_l0``: how far away points and lines may be; ``add``: choose another annotation too.
    """
    if session.tool == "align":
        session.toolbox.alignment.pick(x_l0, y_l0)
    elif add and session.selection is not None and add_detection_at(session, x_l0, y_l0):
        pass  # one more of those that are chosen
    elif add or session.select_at(x_l0, y_l0) is None:
        session.annotations.click(x_l0, y_l0, reach_l0, add=add)
    else:
        session.annotations.select(())
    if session.tool == "move" and session.selection is None and not session.annotations.n_selected:
        session.review.tiles.choose_at(x_l0, y_l0)


def leave(session: Session) -> None:
    """Leave the tool; else end a comparison; else forget the region; else what is chosen."""
    if session.tool != "move":
        session.set_tool("move")
    elif session.views.active.curtain.is_on:
        session.views.active.curtain.end()
    elif session.region_l0 is not None:
        session.set_region(None)
    elif session.annotations.selected:
        session.annotations.select(())
    elif session.selection is not None:
        session.clear_selection()
    else:
        session.review.tiles.leave()
