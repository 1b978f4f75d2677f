"""What the samples of a TIFF page mean: grey, colours, palette, alpha, inks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import tifffile
from tifffile import PHOTOMETRIC

from pathoview.core.translation import _
from pathoview.slides.colors import cmyk_to_rgb, inverted, on_white, through_palette
from pathoview.slides.refusal import Refused
from pathoview.slides.slide import Pixels

_PREMULTIPLIED, _STRAIGHT = 1, 2  # what an extra sample is when it is alpha


def _as_stored(pixels: Pixels) -> Pixels:
    return pixels


@dataclass(frozen=True, slots=True)
class Ink:
    """``convert`` turns decoded samples into ``n_channels`` that need no explanation."""

    n_channels: int
    is_rgb: bool
    dtype: str
    convert: Callable[[Pixels], Pixels] = _as_stored

    @property
    def is_plain_rgb(self) -> bool:
        return self.is_rgb and self.dtype == "uint8"

    def same_samples(self, other: Ink) -> bool:
        return (self.n_channels, self.is_rgb, self.dtype) == (
            other.n_channels,
            other.is_rgb,
            other.dtype,
        )


def ink_of(page: Any) -> Ink:
    """Return the meaning of a tifffile page's samples; raise `Refused` when it is not known."""
    n_colors = page.samplesperpixel - len(page.extrasamples)
    dtype = page.dtype.name
    match page.photometric:
        case PHOTOMETRIC.MINISBLACK | PHOTOMETRIC.MINISWHITE:
            return _grey(page, n_colors)
        case PHOTOMETRIC.PALETTE if page.colormap is not None:
            palette = page.colormap
            return Ink(3, True, "uint8", lambda pixels: through_palette(pixels, palette))
        case PHOTOMETRIC.SEPARATED if n_colors == 4:
            return Ink(3, True, dtype, lambda pixels: cmyk_to_rgb(pixels[..., :4]))
        case PHOTOMETRIC.RGB if n_colors == 3:
            return Ink(3, True, dtype, _without_alpha(page, 3))
        # An image codec hands out red, green, blue whatever it stores.
        case PHOTOMETRIC.YCBCR if page.compression in tifffile.TIFF.IMAGE_COMPRESSIONS:
            return Ink(3, True, dtype, _without_alpha(page, 3))
        case _:
            raise Refused(_("its colours are of an unusual kind"))


def stored_numbers(page: Any) -> Ink | None:
    """Return samples just as they are stored, palette and grey alike; None: they are colours."""
    kinds = PHOTOMETRIC.MINISBLACK, PHOTOMETRIC.MINISWHITE, PHOTOMETRIC.PALETTE
    if page.photometric not in kinds:
        return None
    if page.dtype.kind == "b":
        return Ink(page.samplesperpixel, False, "uint8", lambda bits: bits.astype(np.uint8))
    return Ink(page.samplesperpixel, False, page.dtype.name)


def _grey(page: Any, n_colors: int) -> Ink:
    if page.dtype.kind == "b":
        zero_is_white = page.photometric == PHOTOMETRIC.MINISWHITE
        return Ink(1, False, "uint8", lambda bits: np.uint8(255) * (bits != zero_is_white))
    if page.photometric == PHOTOMETRIC.MINISWHITE:
        return Ink(
            n_colors, False, page.dtype.name, lambda pixels: inverted(pixels[..., :n_colors])
        )
    # Two 8-bit samples without a word on the second are grey and alpha of unknown use.
    n_colors = 1 if n_colors == 2 and page.dtype.name == "uint8" else n_colors
    return Ink(n_colors, False, page.dtype.name, _without_alpha(page, n_colors))


def _without_alpha(page: Any, n_colors: int) -> Callable[[Pixels], Pixels]:
    if page.samplesperpixel == n_colors:
        return _as_stored
    kind = int(page.extrasamples[0]) if page.extrasamples else 0
    if kind in (_PREMULTIPLIED, _STRAIGHT):
        return lambda pixels: on_white(
            pixels[..., : n_colors + 1], is_premultiplied=kind == _PREMULTIPLIED
        )
    return lambda pixels: pixels[..., :n_colors]
