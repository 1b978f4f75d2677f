"""Another model that looks whether a pseudo-healthy picture is healthy."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pathoview.core.errors import UsageError
from pathoview.core.geometry import Rect
from pathoview.core.translation import _
from pathoview.methods.spec import Kind, PixelMethod, SynthesisMethod
from pathoview.slides.reading import AnalysisGrid, read_patch
from pathoview.slides.slide import Slide
from pathoview.study.records import RunRecord
from pathoview.study.synthesis_rows import BLUE, BRIGHTNESS, LIKELY, RED, SynthesisRows
from pathoview.tasks.method_building import build_method

_MOST_OTHER = 1.1
"""By how much the resolution that a judge was taught at may be another one."""

Rgb = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]


class Judge:
    """Finds pathology in the slide and in the picture made of it, with eyes of its own."""

    def __init__(self, model: str, record: RunRecord, slide: Slide, grid: AnalysisGrid) -> None:
        """Raises `UsageError` when a model cannot judge this run."""
        self._built = build_method(None, {}, model)
        self._slide, self._grid = slide, grid
        self._class = self._checked(record)
        self._context = self._built.method.prepare(slide, grid.mpp)
        self._halo_px = int(np.ceil(self._built.halo_um / grid.mpp))

    def _checked(self, record: RunRecord) -> int:
        """Return which of its classes is the run's pathology."""
        built, wanted = self._built, record.classes[0].name
        if built.model_id == record.model:
            raise UsageError(
                _("The model that made the picture cannot judge it."),
                _("Name another one that was taught to find “{name}”.").format(name=wanted),
            )
        ratio = built.mpp / self._grid.mpp
        names = [one.name for one in built.card.classes] if built.card else []
        is_fitting = built.spec.kind in (Kind.PIXEL, Kind.SYNTHESIS) and wanted in names
        if not is_fitting or not 1 / _MOST_OTHER <= ratio <= _MOST_OTHER:
            raise UsageError(
                _("“{title}” does not find “{name}” at {mpp:.3g} µm per px.").format(
                    title=built.card.title if built.card else built.spec.title,
                    name=wanted,
                    mpp=self._grid.mpp,
                ),
                _("Name a model that tells this class of pixels at that resolution."),
            )
        return names.index(wanted)

    def found(self, part: Rect, rows: SynthesisRows) -> tuple[Flags, Flags]:
        """Return where pathology is seen in a part of the grid: in the slide, and in the picture.

        Where nothing was made, the picture is the slide. Raises `SlideError`, `StorageError`.
        """
        whole = Rect(0, 0, self._grid.width, self._grid.height)
        around = part.expanded(self._halo_px).intersection(whole)
        patch = read_patch(self._slide, self._grid, *around.as_ints())
        planes = rows.area(0, *around.as_ints())
        colors = np.moveaxis(planes[RED : BLUE + 1], 0, 2)
        made = np.where(planes[BRIGHTNESS][..., None] > 0, colors, patch)
        x, y, width, height = part.moved(-around.x, -around.y).as_ints()
        core = slice(y, y + height), slice(x, x + width)
        return self._seen(patch)[core], self._seen(made)[core]

    def _seen(self, picture: Rgb) -> Flags:
        said = np.ascontiguousarray(picture), self._grid.mpp, self._context
        if self._built.spec.kind is Kind.SYNTHESIS:
            synthesis: SynthesisMethod = self._built.method
            return np.asarray(synthesis.predict(*said).pathology >= LIKELY)
        pixel: PixelMethod = self._built.method
        return np.asarray(pixel.predict(*said).argmax(axis=2) == self._class)
