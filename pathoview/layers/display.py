"""Raw pixels of any kind as colours on a screen: contrast limits, channel colours, gamma."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms

from pathoview.core.pyramid import ALL_CHANNELS, Plane
from pathoview.layers.paint import Color
from pathoview.slides.slide import Pixels, Slide, SlideInfo

Rgb = npt.NDArray[np.uint8]

_PALETTE: tuple[Color, ...] = (
    (60, 120, 255),
    (60, 220, 80),
    (255, 70, 60),
    (255, 210, 40),
    (230, 70, 230),
    (40, 220, 230),
    (255, 140, 30),
    (230, 230, 230),
)
_SAMPLE_PX = 1024
"""Side of the pixels that limits are estimated from."""
_LOW_PERCENTILE, _HIGH_PERCENTILE = 0.5, 99.8


@dataclass(frozen=True, slots=True)
class ChannelDisplay:
    """How a channel looks. Values up to ``low`` are black, from ``high`` on fully bright."""

    name: str
    color: Color
    low: float
    high: float
    gamma: float = 1.0
    visible: bool = True


PLAIN = ChannelDisplay("", (255, 255, 255), 0, 255)
"""8 bits as they are."""


def default_display(slide: Slide) -> tuple[ChannelDisplay, ...]:
    """Return how a slide looks at first; an RGB picture is treated as one channel.

    Values of 8 bits in RGB and grey pictures are shown as they are; all others by limits that
    are estimated from a few pixels of the coarsest level. Raises `SlideError`.
    """
    info = slide.info
    channels = 1 if info.is_rgb else len(info.channels)
    names = ["RGB"] if info.is_rgb else [channel.name for channel in info.channels]
    if info.dtype == "uint8" and channels == 1:
        return (ChannelDisplay(names[0], (255, 255, 255), 0, 255),)
    samples = sample_pixels(slide).astype(np.float64)
    if info.is_rgb:
        samples = samples.reshape(-1, 1, 1)
    displays = []
    for index, name in enumerate(names):
        low, high = _limits(samples[..., index], from_zero=info.is_rgb)
        displays.append(ChannelDisplay(name, channel_color(info, index), low, high))
    return tuple(displays)


def channel_color(info: SlideInfo, index: int) -> Color:
    """Return the colour that the file states, else one of the default palette."""
    if info.is_rgb or len(info.channels) == 1:
        return info.channels[index].color or (255, 255, 255)
    return info.channels[index].color or _PALETTE[index % len(_PALETTE)]


def sample_pixels(slide: Slide) -> Pixels:
    """Return the coarsest level, or nine patches of it when it is large, (n, m, channel)."""
    level = len(slide.info.levels) - 1
    size = slide.info.levels[level]
    if size.width * size.height <= _SAMPLE_PX**2:
        return slide.read(level, 0, 0, size.width, size.height)
    side = _SAMPLE_PX // 3
    width, height = min(side, size.width), min(side, size.height)
    patches = [
        slide.read(
            level, (size.width - width) * i // 2, (size.height - height) * j // 2, width, height
        )
        for i in range(3)
        for j in range(3)
    ]
    return np.concatenate(patches)


def _limits(values: npt.NDArray[np.float64], *, from_zero: bool) -> tuple[float, float]:
    values = values[np.isfinite(values)]
    if not values.size:
        return 0.0, 1.0
    low, high = np.percentile(values, (_LOW_PERCENTILE, _HIGH_PERCENTILE))
    if from_zero:
        low = min(0.0, float(low))
    if high <= low:
        high = max(float(values.max()), low + 1)
    return float(low), float(high)


def to_rgb(raw: Pixels, info: SlideInfo, plane: Plane, displays: Sequence[ChannelDisplay]) -> Rgb:
    """Return raw pixels, (height, width, channel), as colours."""
    if info.is_rgb and plane.c == ALL_CHANNELS:
        return with_window(raw, displays[0])
    if plane.c != ALL_CHANNELS:
        chosen = displays[0 if info.is_rgb else plane.c]
        return np.asarray(cv2.merge([with_window(raw[..., 0], chosen)] * 3), np.uint8)
    rgb = np.zeros((*raw.shape[:2], 3), np.uint8)
    for index, display in enumerate(displays):
        if display.visible:
            rgb = _added(rgb, with_window(raw[..., index], display), display.color)
    return rgb


def with_window(pixels: Pixels, display: ChannelDisplay) -> Rgb:
    """Return pixels, (height, width, channel), as bright as a channel says; 8 bits go quickly."""
    if pixels.dtype != np.uint8:
        return _brightness(pixels, display)
    if (display.low, display.high, display.gamma) == (0, 255, 1):
        return np.asarray(pixels, np.uint8)
    table = _brightness(np.arange(256), display)
    return np.asarray(cv2.LUT(np.ascontiguousarray(pixels), table), np.uint8)


def _added(rgb: Rgb, brightness: Rgb, color: Color) -> Rgb:
    table = np.rint(np.arange(256)[:, None] * (np.array(color) / 255)).astype(np.uint8)
    glow = cv2.LUT(cv2.merge([brightness] * 3), table[:, None])
    return np.asarray(cv2.add(rgb, glow), np.uint8)


def _brightness(values: Pixels, display: ChannelDisplay) -> Rgb:
    """Return values scaled by the limits to 0–255; unknown values are black."""
    span = max(display.high - display.low, 1e-12)
    share = (values.astype(np.float32) - np.float32(display.low)) / np.float32(span)
    share = np.clip(np.nan_to_num(share, copy=False), 0, 1)
    if display.gamma != 1:
        share **= display.gamma
    return np.asarray(np.rint(share * 255), np.uint8)


def color_corrector(profile: bytes | None) -> Callable[[Rgb], Rgb] | None:
    """Return what turns a scanner's colours into those of a screen (sRGB).

    None when there is no profile, or one that cannot be used for RGB pictures.
    """
    if not profile:
        return None
    try:
        transform = ImageCms.buildTransform(
            ImageCms.ImageCmsProfile(io.BytesIO(profile)),
            ImageCms.createProfile("sRGB"),
            "RGB",
            "RGB",
        )
    except (ImageCms.PyCMSError, OSError):
        return None

    def correct(rgb: Rgb) -> Rgb:
        return np.asarray(transform.apply(Image.fromarray(rgb)))

    return correct
