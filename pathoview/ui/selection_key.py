"""A key that makes the tool in hand choose, not draw, as long as it is held."""

from __future__ import annotations

from pathoview.ui.canvas import Canvas
from pathoview.ui.held_key import HeldKey


class SelectionKey(HeldKey):
    """Where selection mode was on already, it stays."""

    command_id = "tool.selection"

    def begin(self, canvas: Canvas) -> bool:
        kit = self._session.toolbox.kit
        if kit.is_selecting:
            return False
        kit.set_selecting(on=True)
        canvas.gestures.update_cursor()
        return True

    def end(self, canvas: Canvas) -> None:
        self._session.toolbox.kit.set_selecting(on=False)
        canvas.gestures.update_cursor()
