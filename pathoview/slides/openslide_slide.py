"""Every vendor's format that OpenSlide knows, DICOM series among them."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import numpy as np
import openslide
from openslide import OpenSlideError, OpenSlideUnsupportedFormatError

from pathoview.core.byte_cache import PINNED, ByteCache, Share
from pathoview.core.errors import SlideError
from pathoview.core.pyramid import ALL_CHANNELS, Level, Plane
from pathoview.core.translation import _
from pathoview.slides.colors import RGB_CHANNELS, on_white
from pathoview.slides.identity import content_hash
from pathoview.slides.refusal import Refused
from pathoview.slides.scale import checked_scale
from pathoview.slides.slide import Pixels, Slide, SlideInfo, white

_MAX_TILE_PX = 1 << 28
_PART_OF_MEMORY = 32
"""One in so many bytes of a shared memory is left to OpenSlide, which has a cache of its own."""


_CACHE = "OpenSlide's tiles"


def openslide_vendor(path: Path) -> str:
    """Return the name OpenSlide has for the file's format, empty when it has none."""
    try:
        return openslide.OpenSlide.detect_format(path) or ""
    except OpenSlideError:
        return ""


class OpenSlideSlide(Slide):
    """A slide read by OpenSlide: always 8-bit RGB, on white."""

    def __init__(self, path: Path) -> None:
        self.path = path
        handle = _opened(path)
        try:
            self.info = _info(handle)
        except (OpenSlideError, LookupError, ValueError) as error:
            raise Refused(_("what it says of itself is damaged")) from error
        _check_tile_sizes(self.info)
        self._handle: openslide.OpenSlide | None = handle
        self.content_hash = content_hash(path)
        self._cache: Share[str, openslide.OpenSlideCache] | None = None

    def use_memory(self, memory: ByteCache) -> None:
        n_bytes = memory.max_bytes // _PART_OF_MEMORY
        self._cache = Share(memory, at_least=PINNED)
        self._cache.put(_CACHE, openslide.OpenSlideCache(n_bytes), n_bytes)
        self._share_cache()

    def _share_cache(self) -> None:
        cache = self._cache.get(_CACHE) if self._cache else None
        if self._handle is not None and cache is not None:
            self._handle.set_cache(cache)

    def read(
        self, level: int, x: int, y: int, width: int, height: int, plane: Plane = Plane()
    ) -> Pixels:
        handle = self._handle
        if handle is None:
            raise SlideError(_("The slide is closed."))
        if plane.z or plane.t:
            raise SlideError(_("The slide has one plane only."))
        downsample = self.info.levels[level].downsample
        origin_l0 = round(x * downsample), round(y * downsample)
        try:
            rgba = np.asarray(handle.read_region(origin_l0, level, (width, height)))
        except OpenSlideError as error:
            self._recover(handle)
            raise SlideError(
                _("A part of the slide cannot be read; the file may be damaged."),
                _("OpenSlide says: {why}.").format(why=error),
            ) from error
        pixels = self._cut(on_white(rgba), level, x, y)
        return pixels if plane.c == ALL_CHANNELS else pixels[..., plane.c : plane.c + 1]

    def _cut(self, pixels: Pixels, level: int, x: int, y: int) -> Pixels:
        """Whiten what lies beyond the edge: some formats pad their last tiles with black."""
        lv = self.info.levels[level]
        height, width = pixels.shape[:2]
        left, top, right, bottom = max(-x, 0), max(-y, 0), lv.width - x, lv.height - y
        if left == top == 0 and right >= width and bottom >= height:
            return pixels
        cut = white(height, width, 3, "uint8", is_rgb=True)
        inside = slice(top, max(bottom, 0)), slice(left, max(right, 0))
        cut[inside] = pixels[inside]
        return cut

    def _recover(self, handle: openslide.OpenSlide) -> None:
        # After one failure OpenSlide refuses every further read through the same handle.
        if self._handle is handle:
            with suppress(Refused):  # the file is gone: the next read says so
                self._handle = _opened(self.path)
                self._share_cache()

    def close(self) -> None:
        # Dropped, not closed: a read in another thread keeps the handle alive until it ends.
        self._handle = self._cache = None

    def associated_names(self) -> tuple[str, ...]:
        return tuple(self._handle.associated_images) if self._handle else ()

    def read_associated(self, name: str) -> Pixels:
        if self._handle is None:
            raise SlideError(_("The slide is closed."))
        try:
            return on_white(np.asarray(self._handle.associated_images[name]))
        except OpenSlideError as error:
            raise SlideError(_("The {name} picture cannot be read.").format(name=name)) from error


def _opened(path: Path) -> openslide.OpenSlide:
    try:
        return openslide.OpenSlide(path)
    except OpenSlideUnsupportedFormatError as error:
        raise Refused(_("not a format that OpenSlide knows")) from error
    except OpenSlideError as error:
        raise Refused(str(error)) from error


def _check_tile_sizes(info: SlideInfo) -> None:
    """Refuse damaged slides: OpenSlide ends the process when it cannot allocate a tile."""
    for level in range(len(info.levels)):
        width, height = (
            int(info.properties.get(f"openslide.level[{level}].tile-{side}", 0))
            for side in ("width", "height")
        )
        if width * height > _MAX_TILE_PX:
            raise Refused(_("it states tiles of impossible size"))


def _info(handle: openslide.OpenSlide) -> SlideInfo:
    facts = dict(handle.properties)
    scale = checked_scale(
        _number(facts, openslide.PROPERTY_NAME_MPP_X),
        _number(facts, openslide.PROPERTY_NAME_MPP_Y),
        from_resolution=facts.get(openslide.PROPERTY_NAME_VENDOR) == "generic-tiff",
    )
    sizes = zip(handle.level_dimensions, handle.level_downsamples, strict=True)
    profile = handle.color_profile
    return SlideInfo(
        reader="openslide",
        vendor=facts.get(openslide.PROPERTY_NAME_VENDOR, ""),
        levels=tuple(Level(width, height, downsample) for (width, height), downsample in sizes),
        native_tile_px=int(_number(facts, "openslide.level[0].tile-width") or 0),
        dtype="uint8",
        channels=RGB_CHANNELS,
        is_rgb=True,
        mpp=scale.mpp,
        mpp_problem=scale.problem,
        objective_power=_number(facts, openslide.PROPERTY_NAME_OBJECTIVE_POWER),
        bounds_offset_l0=(
            int(_number(facts, openslide.PROPERTY_NAME_BOUNDS_X) or 0),
            int(_number(facts, openslide.PROPERTY_NAME_BOUNDS_Y) or 0),
        ),
        icc_profile=profile.tobytes() if profile else None,
        properties=facts,
    )


def _number(facts: dict[str, str], name: str) -> float | None:
    try:
        return float(facts[name])
    except (KeyError, ValueError):
        return None
