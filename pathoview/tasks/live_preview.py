"""What a training would find now, where the person looks: a run's file every few seconds."""

from __future__ import annotations

import contextlib
import math
import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pydantic import BaseModel, ConfigDict

from pathoview.core.geometry import Rect
from pathoview.core.paths import cache_folder
from pathoview.core.progress import Progress
from pathoview.methods.model import Model
from pathoview.methods.registry import METHODS
from pathoview.methods.spec import Compute
from pathoview.slides.reading import analysis_grid
from pathoview.slides.slide import Slide
from pathoview.slides.tissue import TissueMask, tissue_mask
from pathoview.study.results import SUFFIX, RunFile
from pathoview.tasks.analysis import Setting
from pathoview.tasks.analyze import ANALYSES
from pathoview.tasks.method_building import BuiltMethod, built
from pathoview.tasks.opening import open_scaled
from pathoview.tasks.provenance import device_name
from pathoview.tasks.run_records import new_record

_MOST_MP = 4.0
"""No more than that many megapixels of the method's are drawn: the training waits meanwhile."""
_TILE_PX = 512
_FORGOTTEN_S = 3600.0


class PreviewRequest(BaseModel):
    """On which slide a training shows what it has learned so far."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    slide: str
    mpp: float | None = None
    """µm per level-0 px, where the person knows better than the file."""
    params: dict[str, Any] = {}
    """Of the prediction."""


class LivePreview:
    """Predicts with unfinished models; without a request, or a place to look at, it does nothing.

    Each file is told as an event ``preview`` with its ``run_file``; who hears of it removes it.
    """

    def __init__(self, request: PreviewRequest | None, progress: Progress) -> None:
        self._request = request
        self._progress = progress
        self._slide: Slide | None = None
        self._tissue: TissueMask | None = None
        self._end: Callable[[], object] = lambda: None

    def __enter__(self) -> Self:
        if self._request is not None:
            remove_forgotten()
            opening = open_scaled(Path(self._request.slide), self._request.mpp)
            self._slide = opening.__enter__()
            self._end = lambda: opening.__exit__(None, None, None)
            self._tissue = tissue_mask(self._slide)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    def show(self, model: Model) -> None:
        """Predict what is seen, and tell of it."""
        focus_l0 = self._progress.focus_l0
        if self._request is None or self._slide is None or self._tissue is None or not focus_l0:
            return
        spec = METHODS.get(model.card.method)
        params = spec.params.parse(self._request.params)
        ready = built(spec, params, model, Compute(device_name(spec)))
        grid = analysis_grid(self._slide, ready.mpp)
        region_l0 = seen(focus_l0, self._slide, grid.scale_l0)
        if region_l0.is_empty:
            return
        record = new_record(
            *(ready, self._slide, grid, region_l0.as_ints()),
            tile_px=_tile_px(ready, grid.mpp),
            kind="preview",
        )
        path = previews_folder() / f"{uuid.uuid4().hex}{SUFFIX}"
        with RunFile.create(path, record) as run_file:
            setting = Setting(ready, self._slide, grid, self._tissue, region_l0, run_file)
            ANALYSES[spec.kind](setting, _Quietly(self._progress)).run(1)
        self._progress.event("preview", {"run_file": str(path)})


def _tile_px(ready: BuiltMethod, mpp: float) -> int:
    """Return the side of tiles: small, but not if each would be little beside its halo."""
    return _TILE_PX if ready.halo_um / mpp < _TILE_PX / 2 else ready.spec.patch_px


def remove_forgotten() -> None:
    """Delete what a window that ended early has left behind."""
    for path in previews_folder().glob("*"):
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > _FORGOTTEN_S:
                path.unlink(missing_ok=True)


def previews_folder() -> Path:
    """Return where files of previews lie; it is made when missing."""
    folder = cache_folder() / "previews"
    folder.mkdir(exist_ok=True)
    return folder


def seen(focus_l0: Rect, slide: Slide, scale_l0: float, most_mp: float = _MOST_MP) -> Rect:
    """Return what is seen of a slide, or as much of its middle as is drawn at once, level-0 px.

    ``scale_l0``: level-0 px a px of the method; ``most_mp``: megapixels of the method.
    """
    area_mp = focus_l0.width * focus_l0.height / scale_l0**2 / 1e6
    shrink = min(1.0, math.sqrt(most_mp / max(area_mp, 1e-9)))
    width, height = focus_l0.width * shrink, focus_l0.height * shrink
    middle = Rect(
        focus_l0.x + (focus_l0.width - width) / 2,
        focus_l0.y + (focus_l0.height - height) / 2,
        width,
        height,
    )
    return middle.outward().intersection(Rect(0, 0, slide.info.width, slide.info.height))


class _Quietly:
    """Passes on that the task is to stop or to wait, and says nothing."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self.check = progress.check

    def report(self, fraction: float, text: str = "", **metrics: float) -> None:
        """Say nothing: the bar is the training's."""

    def event(self, kind: str, data: Mapping[str, object]) -> None:
        """Say nothing: the preview is told of when it is whole."""

    @property
    def focus_l0(self) -> Rect | None:
        return self._progress.focus_l0

    @property
    def is_finishing(self) -> bool:
        return self._progress.is_finishing
