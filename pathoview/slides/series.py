"""Pictures in a row as the planes of one slide: the frames of a clip, or a folder of pictures.

One picture after the other is decoded when it is looked at; those used last are kept.
"""

from __future__ import annotations

import math
import threading
from abc import abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

from pathoview.core.byte_cache import ByteCache
from pathoview.core.errors import SlideError
from pathoview.core.natural import natural
from pathoview.core.pyramid import ALL_CHANNELS, Level, Plane, halved_levels
from pathoview.core.translation import _
from pathoview.slides.colors import RGB_CHANNELS
from pathoview.slides.identity import content_hash, series_hash
from pathoview.slides.image_slide import IN_MEMORY_PX, ImageSlide, halvings, open_image
from pathoview.slides.refusal import Refused
from pathoview.slides.rgb import rgb_rule
from pathoview.slides.scale import Scale, checked_scale
from pathoview.slides.slide import Pixels, Slide, SlideInfo, cut_out
from pathoview.slides.tile_cache import DecodedTiles

Rgb = npt.NDArray[np.uint8]

FRAME_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff")
"""How names of pictures in a row end."""
_KEPT_BYTES = 256 << 20
_N_LOCKS = 16
_TURNED = (5, 6, 7, 8)
"""EXIF orientations that lie on their side."""


class SeriesSlide(Slide):
    """Pictures of 8-bit RGB, one a plane of time. A reader adds how one is decoded."""

    is_series = True

    def __init__(self, path: Path, info: SlideInfo) -> None:
        self.path = path
        self.info = info
        self._decoded = DecodedTiles(_KEPT_BYTES)
        self._locks = tuple(threading.Lock() for _number in range(_N_LOCKS))
        self._is_closed = False

    @abstractmethod
    def _frame(self, t: int) -> Rgb:
        """Decode a picture, (height, width, 3); raise `SlideError` when it cannot be read."""

    def read(
        self, level: int, x: int, y: int, width: int, height: int, plane: Plane = Plane()
    ) -> Pixels:
        pixels = cut_out(self._level(plane, level), x, y, width, height, self.info)
        return pixels if plane.c == ALL_CHANNELS else pixels[..., plane.c : plane.c + 1]

    def use_memory(self, memory: ByteCache) -> None:
        self._decoded.move_to(memory)

    def close(self) -> None:
        self._is_closed = True
        self._decoded.clear()

    def _level(self, plane: Plane, level: int) -> Pixels:
        if self._is_closed:
            raise SlideError(_("The slide is closed."))
        if plane.z or not 0 <= plane.t < self.info.size_t:
            raise SlideError(_("The slide has no such plane."))
        kept = self._decoded.get((plane.t, level))
        if kept is not None:
            return kept
        with self._locks[plane.t % _N_LOCKS]:  # several tiles of one frame are wished for at once
            kept = self._decoded.get((plane.t, level))
            if kept is None:
                return self._keep(plane.t, self._frame(plane.t))[level]
            return kept

    def _keep(self, t: int, frame: Rgb) -> Sequence[Pixels]:
        """Keep a picture, and return it at all levels."""
        info = self.info
        whole = frame
        if frame.shape[:2] != (info.height, info.width):  # others are larger
            whole = cut_out(frame, 0, 0, info.width, info.height, info)
        made = halvings(whole, info.levels)
        return [self._decoded.put((t, level), pixels) for level, pixels in enumerate(made)]


class FolderSlide(SeriesSlide):
    """The pictures of a folder, in the order in which people count."""

    def __init__(self, folder: Path) -> None:
        """Raise `Refused` when there is no picture in it, `SlideError` when one is none."""
        self.files = frame_files(folder)
        if not self.files:
            raise Refused(_("no folder of pictures"))
        heads = [_head(file) for file in self.files]
        width, height = (max(head.size[axis] for head in heads) for axis in (0, 1))
        if width * height > IN_MEMORY_PX:
            raise SlideError(
                _("The pictures of “{name}” are too large to be shown one by one.").format(
                    name=folder.name
                ),
                _("Open each as a slide of its own."),
            )
        scale = _scale({head.dpi for head in heads})
        super().__init__(
            folder, series_info("folder", width, height, len(heads), scale.mpp, scale.problem)
        )
        try:
            self.content_hash = series_hash(self.files)
        except OSError as error:
            raise _unreadable(folder, error) from error

    def picture(self, t: int) -> Slide:
        """Open one of the pictures as a slide of its own, with the scale and levels of the series.

        Raises `SlideError` when it cannot be read.
        """
        frame = self._frame(t)
        height, width = frame.shape[:2]
        levels = tuple(
            Level(math.ceil(width / factor), math.ceil(height / factor), factor)
            for factor in (one.downsample for one in self.info.levels)
        )
        return ImageSlide(self.files[t], frame, replace(self.info, levels=levels, size_t=1))

    def _frame(self, t: int) -> Rgb:
        file = self.files[t]
        try:
            slide = open_image(file)
        except (Refused, OSError) as error:
            raise _unreadable(file, error) from error
        with slide:
            info = slide.info
            return rgb_rule(slide).apply(slide.read(0, 0, 0, info.width, info.height))


def frame_files(folder: Path) -> tuple[Path, ...]:
    """Return the pictures that lie in a folder: 2 before 10. Raises `SlideError`."""
    try:
        files = [file for file in folder.iterdir() if _is_frame(file)]
    except OSError as error:
        raise _unreadable(folder, error) from error
    return tuple(sorted(files, key=lambda file: natural(file.name)))


def identity(path: Path) -> str:
    """Return the hash of a slide's content, whether it is a file or a folder of pictures.

    Raises `OSError` and `SlideError` when it cannot be read.
    """
    return series_hash(frame_files(path)) if path.is_dir() else content_hash(path)


def series_info(
    reader: str,
    width: int,
    height: int,
    n: int,
    mpp: tuple[float, float] | None = None,
    mpp_problem: str = "",
) -> SlideInfo:
    """Return the facts about ``n`` pictures of 8-bit RGB in a row."""
    return SlideInfo(
        reader=reader,
        vendor=reader,
        levels=halved_levels(width, height),
        native_tile_px=0,
        dtype="uint8",
        channels=RGB_CHANNELS,
        is_rgb=True,
        mpp=mpp,
        mpp_problem=mpp_problem,
        size_t=n,
    )


class _Head(NamedTuple):
    """What a picture says before it is decoded."""

    size: tuple[int, int]
    dpi: tuple[float, float]


def _is_frame(file: Path) -> bool:
    name = file.name.lower()
    return name.endswith(FRAME_SUFFIXES) and not name.startswith(".") and file.is_file()


def _head(file: Path) -> _Head:
    try:
        with Image.open(file) as image:
            width, height = image.size
            # Of a PNG without it in its head, all would be decoded in search of it.
            may_be_turned = image.format != "PNG" or "exif" in image.info
            if may_be_turned and image.getexif().get(0x0112) in _TURNED:
                width, height = height, width
            x, y = image.info.get("dpi") or (0, 0)
            return _Head((width, height), (float(x), float(y)))
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise _unreadable(file, error) from error


def _scale(said: Iterable[tuple[float, float]]) -> Scale:
    """Return the µm per px that all pictures state."""
    every = list(said)
    if len(every) > 1:
        return Scale(None, _("The pictures do not state the same µm per pixel."))
    (dpi,) = every
    x, y = (25400 / number if number else None for number in dpi)
    return checked_scale(x, y, from_resolution=True)


def _unreadable(path: Path, error: Exception) -> SlideError:
    return SlideError(
        _("“{name}” cannot be read.").format(name=path.name),
        _("Take it out of the folder, or copy it again. ({why})").format(why=error),
    )
