"""One click a nucleus, and its outline is there."""

from __future__ import annotations

from functools import partial

import shapely

from pathoview.annotations.shapes import tidy
from pathoview.core.geometry import Rect
from pathoview.core.translation import _
from pathoview.session.drawing.nucleus import MPP, PATCH_UM, nucleus_at
from pathoview.session.drawing.patch_reader import PatchReader
from pathoview.session.drawing.stain import Stained
from pathoview.session.tools.backlog import Backlog
from pathoview.session.tools.kit import ToolKit
from pathoview.session.tools.tool import NOTHING, DrawingTool, Pointer, Preview
from pathoview.slides.stains import StainMatrix


class NucleusTool(DrawingTool):
    """A click on a nucleus outlines it; a click in an annotation chooses that."""

    def __init__(self, kit: ToolKit) -> None:
        super().__init__(kit)
        self._backlog = Backlog(kit, self.cancel)

    @property
    def prompt(self) -> str:
        return _("Click nuclei to outline them; a click in an annotation chooses it.")

    @property
    def is_busy(self) -> bool:
        return self._backlog.is_working

    def cursor(self, at: Pointer) -> str:
        return "cross"

    def press(self, at: Pointer) -> bool:
        self._backlog.tell(partial(self._outline, at))
        return True

    def double_click(self, at: Pointer) -> None:
        """Two quick clicks are one."""

    def cancel(self) -> None:
        self._backlog.clear()
        super().cancel()

    def _outline(self, at: Pointer) -> None:
        pixels, mpp = self.kit.pixels, self.kit.mean_mpp
        if self.annotations.find(*at.place_l0):
            self.annotations.click(*at.place_l0, at.reach_l0)
        elif mpp is None:
            sentence = _("The size of nuclei is known only when the slide has a scale.")
            self.kit.say(sentence, (_("State the scale…"), "view.scale"))
        elif pixels is not None:
            self.show(Preview(knobs_l0=(at.place_l0,)))
            work = partial(_found, pixels, at, mpp, self.kit.stains, self.kit.stained)
            self._backlog.work(work, self._on_found)

    def _on_found(self, shape: shapely.Geometry | None) -> None:
        self.show(NOTHING)
        if shape is None:
            self.kit.say(_("No nucleus was found here: click in the middle of one."))
        else:
            self.commit(shape, _("Outline nucleus"))


def _found(
    pixels: PatchReader, at: Pointer, mpp: float, stains: StainMatrix, stained: Stained
) -> shapely.Geometry | None:
    """Return the outline of the nucleus at a place, if there is one."""
    side_l0 = PATCH_UM / mpp
    rect_l0 = Rect(at.x_l0 - side_l0 / 2, at.y_l0 - side_l0 / 2, side_l0, side_l0)
    patch = pixels.read(rect_l0, MPP / mpp)
    if patch is None:
        return None
    of_patch = mpp * patch.downsample
    shape = nucleus_at(patch, *at.place_l0, mpp=of_patch, stains=stains, stained=stained)
    return None if shape is None else tidy(shape)
