"""From stored samples to the channels a `Slide` gives: alpha, CMYK, palettes, white-is-zero."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from pathoview.slides.slide import Channel, Pixels

RGB_CHANNELS = (
    Channel("Red", (255, 0, 0)),
    Channel("Green", (0, 255, 0)),
    Channel("Blue", (0, 0, 255)),
)
GREY_CHANNELS = (Channel("Grey"),)


def on_white(samples: Pixels, *, is_premultiplied: bool = False) -> Pixels:
    """Compose (…, colours + alpha) on white; the alpha sample goes."""
    colors, alpha = samples[..., :-1], samples[..., -1:]
    full = dtype_maximum(samples.dtype)
    if (alpha == full).all():
        return np.ascontiguousarray(colors)
    share = alpha.astype(np.float32) / np.float32(full)
    shown = colors.astype(np.float32)
    if not is_premultiplied:
        shown *= share
    shown += full * (1 - share)
    if samples.dtype.kind in "ui":
        shown = np.rint(shown, out=shown)
    return np.clip(shown, 0, full).astype(samples.dtype)


def cmyk_to_rgb(samples: Pixels) -> Pixels:
    """Turn (…, cyan magenta yellow black), 0 meaning no ink, into red green blue."""
    full = dtype_maximum(samples.dtype)
    paper = full - samples.astype(np.float32)
    rgb = paper[..., :3] * (paper[..., 3:4] / np.float32(full))
    if samples.dtype.kind in "ui":
        rgb = np.rint(rgb)
    return np.asarray(rgb, samples.dtype)


def through_palette(indices: Pixels, palette_16: npt.NDArray[np.uint16]) -> Pixels:
    """Look up (…, 1) indices in a (3, n) palette of 16-bit colours; gives 8-bit RGB."""
    table = (palette_16 >> 8).astype(np.uint8).T
    return table[np.minimum(indices[..., 0], len(table) - 1)]


def inverted(samples: Pixels) -> Pixels:
    """Turn white-is-zero into black-is-zero."""
    return np.asarray(dtype_maximum(samples.dtype) - samples, samples.dtype)


def dtype_maximum(dtype: np.dtype[Any]) -> Any:
    """Return the sample that means full: the largest integer, or 1.0 for floats."""
    return np.iinfo(dtype).max if dtype.kind in "ui" else 1.0
