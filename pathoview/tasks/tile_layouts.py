"""How a slide is laid out in tiles: a grid over its tissue, frames, or patches of the whole."""

from __future__ import annotations

from typing import Protocol

from pathoview.core.errors import UsageError
from pathoview.core.translation import _
from pathoview.slides.series import FolderSlide
from pathoview.slides.slide import Slide
from pathoview.tasks.feature_tiles import FeatureTiles, TileSupply
from pathoview.tasks.series_tiles import FrameTiles, PictureTiles
from pathoview.tasks.whole_patches import WholePatches


class TilesWanted(Protocol):
    """What says which tiles are meant: `features.FeatureOrder`, `datasets.bags.EncoderUsed`."""

    @property
    def mpp(self) -> tuple[float, ...]: ...
    @property
    def tile_px(self) -> int: ...
    @property
    def least_tissue(self) -> float: ...
    @property
    def every(self) -> int: ...
    @property
    def overlap(self) -> float: ...
    @property
    def of_whole(self) -> bool: ...


def tiles_of(slide: Slide, wanted: TilesWanted) -> TileSupply:
    """Return the tiles of a slide, a clip, a folder of pictures, or of a whole picture.

    Raises `UsageError` for a slide that is taken for what it is not, and `MissingScaleError`.
    """
    if wanted.of_whole:
        return WholePatches(_no_series(slide), wanted.tile_px)
    if not wanted.mpp:
        return FrameTiles(_clip(slide), wanted.tile_px, wanted.every)
    if isinstance(slide, FolderSlide):
        return PictureTiles(slide, wanted.mpp, wanted.tile_px, wanted.least_tissue)
    tissue = _no_series(slide)
    return FeatureTiles(tissue, wanted.mpp, wanted.tile_px, wanted.least_tissue, wanted.overlap)


def _clip(slide: Slide) -> Slide:
    if not slide.is_series:
        raise UsageError(
            _("“{name}” is no clip.").format(name=slide.path.name),
            _("Name a video or a folder of frames."),
        )
    return slide


def _no_series(slide: Slide) -> Slide:
    if slide.is_series:
        raise UsageError(
            _("“{name}” has frames or pictures in a row, and is no single picture.").format(
                name=slide.path.name
            ),
            _("Describe it as a clip: --clips."),
        )
    return slide
