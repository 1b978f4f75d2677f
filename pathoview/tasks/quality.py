"""Measure the quality of a slide, and write it as pictures and numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import orjson

from pathoview.core.files import replacing
from pathoview.core.progress import Progress
from pathoview.core.translation import _
from pathoview.slides.pen import INK_COLORS
from pathoview.slides.quality import Quality, quality_steps
from pathoview.slides.slide import Slide
from pathoview.tasks.overview import write_png

_NO_DETAIL = 2.0
"""Log10 of how many times less detail is drawn black."""


def measure_quality(slide: Slide, stain: str, progress: Progress) -> Quality:
    """Return what is measured on a slide; see `slides.quality`."""
    for step in quality_steps(slide, stain):
        progress.check()
        if isinstance(step, Quality):
            return step
        progress.report(step, _("sharpness"))
    raise AssertionError("the last step is the result")


def quality_facts(slide: Slide, quality: Quality) -> dict[str, Any]:
    """Return name, scale and what was measured, JSON-able."""
    return {
        "name": slide.path.name,
        "pseudonym": slide.pseudonym,
        "mpp": list(slide.info.mpp) if slide.info.mpp else None,
        **quality.facts(),
    }


def write_quality(slide: Slide, quality: Quality, folder: Path) -> list[Path]:
    """Write ``SLIDE-tissue.png``, ``-ink.png``, ``-blur.png`` and ``-quality.json`` to a folder.

    Pictures begin at the slide's corner; tissue and ink have a pixel about every 8 µm, blur has one
    a tile. Raises `StorageError`.
    """
    stem = slide.path.stem
    pictures = {
        "tissue": _on_or_off(quality.tissue.mask),
        "ink": _ink_picture(quality),
        "blur": _blur_picture(quality),
    }
    written = []
    for name, rgba in pictures.items():
        written.append(folder / f"{stem}-{name}.png")
        write_png(written[-1], rgba)
    written.append(folder / f"{stem}-quality.json")
    with replacing(written[-1]) as file:
        file.write(orjson.dumps(quality_facts(slide, quality), option=orjson.OPT_INDENT_2))
    return written


def _on_or_off(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint8]:
    grey = mask.astype(np.uint8) * 255
    return np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2RGBA), np.uint8)


def _ink_picture(quality: Quality) -> npt.NDArray[np.uint8]:
    """Return the colours of inks; transparent where there is none."""
    ink = quality.tissue.ink
    if ink is None:
        ink = np.zeros(quality.tissue.mask.shape, np.uint8)
    colors = np.array([(*color, 255) for color in INK_COLORS], np.uint8)
    colors[0] = 0
    return np.asarray(colors[ink])


def _blur_picture(quality: Quality) -> npt.NDArray[np.uint8]:
    """Return white for sharp, black for a hundredth of the detail; transparent beside tissue."""
    lost = quality.blur.lost_detail
    grey = np.nan_to_num(255 * (1 - np.clip(lost / _NO_DETAIL, 0, 1)))
    alpha = np.where(np.isfinite(lost), 255, 0)
    return np.dstack([grey, grey, grey, alpha]).astype(np.uint8)
