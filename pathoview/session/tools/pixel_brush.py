"""Brushes that look at the picture: pixels are read and regions found in another thread."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import partial
from typing import TypeAlias

import shapely

from pathoview.session.tools.backlog import Backlog
from pathoview.session.tools.kit import ToolKit
from pathoview.session.tools.painting import PaintingTool
from pathoview.session.tools.tool import Pointer

Grown: TypeAlias = shapely.Geometry | None
"""What a stroke covers so far."""


class PixelBrush(PaintingTool, ABC):
    """A stroke whose pixels are not there yet is remembered, and caught up."""

    def __init__(self, kit: ToolKit) -> None:
        super().__init__(kit)
        self.backlog = Backlog(kit, self.cancel)
        self._from: Pointer | None = None
        """The place of the stroke that was painted last."""
        self._is_down = False

    @property
    def is_busy(self) -> bool:
        return self._is_begun or self.backlog.is_waiting

    def press(self, at: Pointer) -> bool:
        self._is_down = True
        self.backlog.tell(partial(self._press, at))
        self.look(at)
        return True

    def drag(self, at: Pointer) -> None:
        if self._is_down:
            self.backlog.tell(partial(self._drag, at))
            self.look(at)

    def release(self, at: Pointer) -> None:
        if self._is_down:
            self._is_down = False
            self.backlog.tell(partial(self._release, at))
            self.look(at)

    def cancel(self) -> None:
        self.backlog.clear()
        self._is_down = False
        self._from = None
        super().cancel()

    def _press(self, at: Pointer) -> None:
        self._from = None
        if self.begin(at):
            self.grow(at, at)

    def _drag(self, at: Pointer) -> None:
        if self._from is not None and self._is_begun and self.is_far(self._from, at):
            self.grow(self._from, at)

    def _release(self, at: Pointer) -> None:
        self._from = None
        if self._is_begun:
            self.end(self.tolerance_l0)
        self.look_again()

    def painted(self, at: Pointer, shape: Grown) -> None:
        """Take what a stroke covers now."""
        self._from, self._shape = at, shape
        self.look_again()

    def look_again(self) -> None:
        if self._last is not None:
            self.look(self._last)

    # -- what each of them does ------------------------------------------------------------------

    @property
    def tolerance_l0(self) -> float:
        """By how much the outline may be simplified in the end."""
        return 0.0

    def is_far(self, before: Pointer, at: Pointer) -> bool:
        """Say whether a place is so far from the one before that there is more to paint."""
        return True

    @abstractmethod
    def grow(self, before: Pointer, at: Pointer) -> None:
        """Have `backlog` work out what a piece of a stroke covers, then call `painted`."""
