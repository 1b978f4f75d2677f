"""A key that shows the other picture as long as it is held."""

from __future__ import annotations

from pathoview.core.translation import _
from pathoview.ui.canvas import Canvas
from pathoview.ui.held_key import HeldKey


class FlickerKey(HeldKey):
    """Goes back to the view's own picture."""

    command_id = "compare.flicker"

    def begin(self, canvas: Canvas) -> bool:
        can_flick = canvas.view.curtain.flick(self._session.active_layer)
        if not can_flick:
            canvas.say(_("Nothing lies on the slide that could be compared"))
        return can_flick

    def end(self, canvas: Canvas) -> None:
        canvas.view.curtain.unflick()
