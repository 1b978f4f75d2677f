"""Open a slide: the first reader that accepts the file takes it."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from pathoview.core.errors import SlideError, UsageError
from pathoview.core.translation import _
from pathoview.slides.image_slide import open_image
from pathoview.slides.openslide_slide import OpenSlideSlide, openslide_vendor
from pathoview.slides.refusal import Refused
from pathoview.slides.scale import is_plausible
from pathoview.slides.series import FRAME_SUFFIXES, FolderSlide
from pathoview.slides.slide import PLAUSIBLE_MPP, Slide
from pathoview.slides.tiff_opening import open_tiff
from pathoview.slides.video_slide import VideoSlide

READERS: tuple[tuple[str, Callable[[Path], Slide]], ...] = (
    ("TIFF", open_tiff),
    ("OpenSlide", OpenSlideSlide),
    ("image", open_image),
    ("video", VideoSlide),
)
"""Asked in this order."""


def open_slide(path: Path | str) -> Slide:
    """Open a slide, a video, or a folder; raise `SlideError` with reasons.

    A folder is a DICOM series, or a clip: its pictures are the frames.
    """
    file = _readable_file(Path(path))
    if file.is_dir():
        return _open_folder(file)
    reasons = []
    for name, reader in READERS:
        try:
            return reader(file)
        except Refused as refusal:
            reasons.append(f"{name}: {refusal}")
    raise SlideError(
        _("“{name}” is not a slide or picture that can be opened.").format(name=file.name),
        _("What the readers say: {reasons}.").format(reasons="; ".join(reasons)),
    )


def with_scale(slide: Slide, mpp: float | tuple[float, float]) -> Slide:
    """Give a slide the µm per level-0 px that a person states; return the slide itself."""
    x, y = mpp if isinstance(mpp, tuple) else (mpp, mpp)
    if not (is_plausible(x) and is_plausible(y)):
        low, high = PLAUSIBLE_MPP
        raise UsageError(
            _("{x:g} × {y:g} µm per pixel cannot be true.").format(x=x, y=y),
            _("Give a number from {low} to {high}.").format(low=low, high=high),
        )
    slide.info = replace(slide.info, mpp=(float(x), float(y)), mpp_problem="")
    slide.scale_source = "user"
    return slide


def _readable_file(path: Path) -> Path:
    try:
        if path.is_dir():
            return _dicom_file(path) or path
        size = path.stat().st_size
    except FileNotFoundError as error:
        raise SlideError(_("There is no file “{name}”.").format(name=path.name)) from error
    except OSError as error:
        raise _unreadable(path, error) from error
    if not size:
        raise SlideError(
            _("“{name}” is empty (0 bytes).").format(name=path.name), _("Copy it again.")
        )
    try:
        os.close(os.open(path, os.O_RDONLY))
    except OSError as error:
        raise _unreadable(path, error) from error
    return path


def _unreadable(path: Path, error: OSError) -> SlideError:
    if isinstance(error, PermissionError):
        return SlideError(
            _("You have no permission to read “{name}”.").format(name=path.name),
            _("Ask its owner, or copy it to a folder of yours."),
        )
    sentence = _("“{name}” cannot be read from its disk.").format(name=path.name)
    return SlideError(sentence, error.strerror or "")


def _dicom_file(folder: Path) -> Path | None:
    try:
        files = sorted(
            file
            for file in folder.iterdir()
            if file.is_file() and not file.name.lower().endswith(FRAME_SUFFIXES)
        )
    except OSError as error:
        raise _unreadable(folder, error) from error
    return next((file for file in files if openslide_vendor(file) == "dicom"), None)


def _open_folder(folder: Path) -> Slide:
    try:
        return FolderSlide(folder)
    except Refused as refusal:
        raise SlideError(
            _("“{name}” is a folder without a DICOM slide and without pictures in it.").format(
                name=folder.name
            ),
            _("Open a slide file inside it."),
        ) from refusal
