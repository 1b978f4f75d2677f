"""The slide beside its pseudo-healthy picture: one switch for layers and curtain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pathoview.session.run_synthesis import RunSynthesis

if TYPE_CHECKING:
    from pathoview.session.session import Session


def newest_synthesis(session: Session) -> RunSynthesis | None:
    """Return the newest shown run that has a pseudo-healthy picture; None: there is none."""
    found = (run.synthesis for run in reversed(session.runs))
    return next((one for one in found if one is not None), None)


def can_compare_healthy(session: Session) -> bool:
    return newest_synthesis(session) is not None


def is_compared_healthy(session: Session) -> bool:
    """Whether the curtain of the view parts the slide from its picture."""
    made, curtain = newest_synthesis(session), session.views.active.curtain
    return made is not None and curtain.is_drawn and curtain.left is made.picture_layer


def toggle_healthy(session: Session) -> None:
    """Draw the curtain before the picture, which is seen left of it, or take both away.

    What else the run shows is hidden meanwhile: it would lie over what is to be compared.
    """
    made, view = newest_synthesis(session), session.views.active
    if made is None:
        return
    will_compare = not is_compared_healthy(session)
    view.curtain.end()
    for layer in made.layers:
        layer.visible = layer is (made.picture_layer if will_compare else made.pathology_layer)
    if will_compare:
        view.set_shown(made.picture_layer, True)
        session.layer_desk.active = made.picture_layer
        view.curtain.draw(made.picture_layer)
