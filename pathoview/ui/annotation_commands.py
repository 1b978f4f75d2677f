"""Answers to the commands about annotations that need a window."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from pathoview.core.translation import _
from pathoview.session.session import Session
from pathoview.ui.dialogs.dialog import Dialog

if TYPE_CHECKING:
    from pathoview.ui.main_window import MainWindow

_DISTANCES = {
    "simplify": (_("Simplify shapes"), _("How far may an outline move?"), 1.0),
    "smooth": (_("Smooth shapes"), _("How large are the details that go?"), 5.0),
    "expand": (_("Expand annotations"), _("How far outwards?"), 50.0),
    "shrink": (_("Shrink annotations"), _("How far inwards?"), 50.0),
}
"""By operation: title, question, µm (or px) at first."""


def annotation_answers(
    session: Session, window: MainWindow, show: Callable[[Dialog], None]
) -> Mapping[str, Callable[[], object]]:
    """Return what is done for each command, by its id; ``show`` shows a dialog."""
    # Dialogs are imported when they are opened: the window's start does not wait for them.

    def ask_distance(what: str) -> None:
        from pathoview.ui.dialogs.distance import DistanceDialog

        title, question, first = _DISTANCES[what]
        take = partial(session.operations.do, what)
        show(DistanceDialog(session, what, (title, question), first, take, window))

    def properties() -> None:
        from pathoview.ui.dialogs.annotation_properties import AnnotationPropertiesDialog

        show(AnnotationPropertiesDialog(session, window))

    asked = {f"annotate.{what}": partial(ask_distance, what) for what in _DISTANCES}
    return {**asked, "annotate.properties": properties}
