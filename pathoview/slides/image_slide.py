"""Plain pictures (PNG, JPEG, BMP, WebP, TIFF) in memory, the smaller sizes built from them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import imagecodecs
import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from pathoview.core.errors import SlideError
from pathoview.core.pyramid import ALL_CHANNELS, Level, Plane, halved_levels
from pathoview.core.translation import _
from pathoview.slides.colors import GREY_CHANNELS, RGB_CHANNELS, on_white
from pathoview.slides.identity import content_hash
from pathoview.slides.large_image import open_large
from pathoview.slides.refusal import Refused
from pathoview.slides.scale import checked_scale
from pathoview.slides.slide import Pixels, Slide, SlideInfo, cut_out
from pathoview.slides.tiff_opening import is_tiff, open_tiff_alone

IN_MEMORY_PX = 64_000_000
"""Larger pictures are read from a pyramid on disk."""

_FORMATS = ("PNG", "JPEG", "BMP", "WEBP")
_PNG_BIT_DEPTH_AT = 24
# Pillow's guard against huge pictures would refuse real scans.
Image.MAX_IMAGE_PIXELS = None


class ImageSlide(Slide):
    """A picture in memory with its halvings."""

    def __init__(self, path: Path, pixels: Pixels, info: SlideInfo) -> None:
        self.path = path
        self.info = info
        self.content_hash = content_hash(path)
        self._levels: tuple[Pixels, ...] = halvings(pixels, info.levels)

    def read(
        self, level: int, x: int, y: int, width: int, height: int, plane: Plane = Plane()
    ) -> Pixels:
        if not self._levels:
            raise SlideError(_("The slide is closed."))
        if plane.z or plane.t:
            raise SlideError(_("The slide has one plane only."))
        pixels = cut_out(self._levels[level], x, y, width, height, self.info)
        return pixels if plane.c == ALL_CHANNELS else pixels[..., plane.c : plane.c + 1]

    def close(self) -> None:
        self._levels = ()


def open_image(path: Path) -> Slide:
    """Open a plain picture; raise `Refused` when it is none."""
    if is_tiff(path):
        return _from_tiff(path)
    try:
        with Image.open(path, formats=_FORMATS) as image:
            if image.width * image.height > IN_MEMORY_PX:
                return open_large(path, _info(image, (image.height, image.width, 3), "uint8"))
            pixels = _decoded(path, image)
            info = _info(image, pixels.shape, pixels.dtype.name)
    except UnidentifiedImageError as error:
        raise Refused(_("not a PNG, JPEG, BMP, WebP or TIFF picture")) from error
    except (OSError, ValueError, SyntaxError, RuntimeError) as error:
        raise SlideError(
            _("The picture “{name}” is damaged or cut short.").format(name=path.name),
            _("Copy or export it again. ({why})").format(why=error),
        ) from error
    return ImageSlide(path, pixels, info)


def _from_tiff(path: Path) -> Slide:
    with open_tiff_alone(path) as stored:
        info = stored.info
        if info.width * info.height > IN_MEMORY_PX:
            return open_large(path, info)
        pixels = stored.read(0, 0, 0, info.width, info.height)
    levels = halved_levels(info.width, info.height)
    return ImageSlide(path, pixels, replace(info, reader="image", levels=levels))


def _info(image: Image.Image, shape: tuple[int, ...], dtype: str) -> SlideInfo:
    height, width, n_channels = shape
    dpi = image.info.get("dpi") or (0, 0)
    x, y = (25400 / float(number) if number else None for number in dpi)
    scale = checked_scale(x, y, from_resolution=True)
    is_rgb = n_channels == 3
    return SlideInfo(
        reader="image",
        vendor=(image.format or "").lower(),
        levels=halved_levels(width, height),
        native_tile_px=0,
        dtype=dtype,
        channels=RGB_CHANNELS if is_rgb else GREY_CHANNELS,
        is_rgb=is_rgb,
        mpp=scale.mpp,
        mpp_problem=scale.problem,
        icc_profile=image.info.get("icc_profile"),
    )


def _decoded(path: Path, image: Image.Image) -> Pixels:
    """Return (height, width, 1 or 3), upright, without alpha, 16 bits kept."""
    if image.format == "PNG" and _is_16_bit_png(path):
        # Pillow cuts 16-bit colours to 8 bits.
        pixels = imagecodecs.png_decode(path.read_bytes())
    else:
        upright = ImageOps.exif_transpose(image)
        pixels = np.asarray(upright.convert(_mode(upright)))
    if pixels.ndim == 2:
        pixels = pixels[..., None]
    return on_white(pixels) if pixels.shape[2] in (2, 4) else pixels


def _is_16_bit_png(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(_PNG_BIT_DEPTH_AT + 1)[-1:] == b"\x10"


def _mode(image: Image.Image) -> str:
    if image.mode in ("1", "L", "LA"):
        has_alpha = image.mode == "LA" or image.has_transparency_data
        return "LA" if has_alpha else "L"
    if image.mode in ("I", "F") or image.mode.startswith("I;"):
        return image.mode
    return "RGBA" if image.has_transparency_data else "RGB"


def halvings(pixels: Pixels, levels: tuple[Level, ...]) -> tuple[Pixels, ...]:
    """Return a picture, (height, width, channel), at the sizes of `core.pyramid.halved_levels`."""
    made = [pixels]
    for level in levels[1:]:
        # The last row and column count twice where a size is odd, so that 2 px make 1 exactly.
        odd = [(0, 2 * level.height - len(made[-1])), (0, 2 * level.width - made[-1].shape[1])]
        even = np.pad(made[-1], [*odd, (0, 0)], mode="edge")
        small = _mean_of_four(even)
        made.append(small.reshape(level.height, level.width, -1))
    return tuple(made)


def _mean_of_four(pixels: Pixels) -> Pixels:
    if pixels.dtype.name in ("uint8", "uint16", "float32") and pixels.shape[2] <= 4:
        size = (pixels.shape[1] // 2, pixels.shape[0] // 2)
        return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))
    height, width, n_channels = pixels.shape
    blocks = pixels.reshape(height // 2, 2, width // 2, 2, n_channels)
    return np.asarray(blocks.mean(axis=(1, 3)), pixels.dtype)
