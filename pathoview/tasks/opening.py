"""Open a slide with the scale that a person gave, now or earlier."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pathoview.annotations.dialects.frame import SlideFrame
from pathoview.core.errors import InputError, MissingScaleError, SlideError
from pathoview.core.translation import _
from pathoview.slides.opening import open_slide, with_scale
from pathoview.slides.slide import Slide
from pathoview.study.model import SlideRecord
from pathoview.study.results import find_runs
from pathoview.study.scales import remember_scale, remembered_scale


def open_scaled(path: Path | str, mpp: float | None) -> Slide:
    """Open a slide; ``mpp`` (µm per level-0 px) replaces the file's own scale.

    A given scale is remembered by the slide's content where the file states none; without one, the
    remembered scale is taken. Raises `SlideError` when the slide cannot be opened.
    """
    slide = open_slide(path)
    if mpp is not None:
        if slide.info.mpp is None:
            remember_scale(slide.content_hash, (mpp, mpp))
        return with_scale(slide, (mpp, mpp))
    remembered = remembered_scale(slide.content_hash)
    return with_scale(slide, remembered) if remembered else slide


def open_series(path: Path, mpp: float | None, *, is_clip: bool) -> Slide:
    """Open a clip, or a folder of pictures that are one bag, with its scale.

    Raises `SlideError` when it is none, and `MissingScaleError` for pictures without a scale.
    """
    slide = open_slide(path) if is_clip else open_scaled(path, mpp)
    if not slide.is_series:
        slide.close()
        raise SlideError(_("It is neither a video nor a folder of pictures."))
    return slide if is_clip else of_known_scale(slide)


def open_recorded(record: SlideRecord, path: Path, mpp: float | None) -> Slide:
    """Open a slide of a study where its file lies, with its scale where there is one.

    ``mpp`` (µm per level-0 px) goes before the study's where the file states none. Raises
    `SlideError` when there is no file, or another slide.
    """
    if not record.path and not path.is_file():
        raise SlideError(_("Nobody knows where its file lies."))
    slide = open_scaled(path, None)
    if slide.content_hash != record.slide_hash:
        slide.close()
        raise SlideError(_("Another slide lies where its file was."))
    known = record.mpp if mpp is None else (mpp, mpp)
    return with_scale(slide, known) if slide.info.mpp is None and known is not None else slide


def open_known(record: SlideRecord | None, path: Path, mpp: float | None) -> Slide:
    """Open a slide of a study (`open_recorded`), or a file that no study knows (`open_scaled`)."""
    return open_scaled(path, mpp) if record is None else open_recorded(record, path, mpp)


def of_known_scale(slide: Slide) -> Slide:
    """Return the slide; close it and raise `MissingScaleError` when its scale is not known."""
    try:
        slide.mpp  # noqa: B018  raises when it is not known
    except MissingScaleError:
        slide.close()
        raise
    return slide


_OFFSETS = tuple(f"hamamatsu.{axis}OffsetFromSlideCentre" for axis in "XY")


def slide_frame(slide: Slide) -> SlideFrame:
    """Return what annotation files need to know of a slide to be placed on it."""
    info = slide.info
    offsets = [info.properties.get(name, "") for name in _OFFSETS]
    try:
        x_nm, y_nm = map(float, offsets)
    except ValueError:
        slide_offset_nm = None
    else:
        slide_offset_nm = x_nm, y_nm
    return SlideFrame(
        width_l0=info.width,
        height_l0=info.height,
        mpp=info.mpp,
        bounds_offset_l0=info.bounds_offset_l0,
        slide_offset_nm=slide_offset_nm,
        name=slide.path.name,
    )


def newest_run(slide: Slide, gives: str = "") -> Path:
    """Return the file of the newest finished run; raise `InputError` when there is none.

    ``gives``: of those of a kind (`RunRecord.gives`), if there are any.
    """
    found = [
        (path, record)
        for path, record in find_runs(slide.content_hash)
        if record.state == "done" and not record.is_only_annotations
    ]
    for path, _record in [one for one in found if one[1].gives == gives] or found:
        return path
    raise InputError(
        _("There is no finished result for “{name}”.").format(name=slide.path.name),
        _("Analyze it first: pathoview analyze {name}").format(name=slide.path.name),
    )


def slide_facts(slide: Slide) -> dict[str, Any]:
    """Return what ``pathoview info`` says of a slide, JSON-able."""
    info = slide.info
    return {
        "name": slide.path.name,
        "pseudonym": slide.pseudonym,
        "reader": info.reader,
        "vendor": info.vendor,
        "width": info.width,
        "height": info.height,
        "mpp": list(info.mpp) if info.mpp else None,
        "scale": slide.scale_source if info.mpp else info.mpp_problem,
        "objective_power": info.objective_power,
        "channels": [channel.name for channel in info.channels],
        "dtype": info.dtype,
        "size_z": info.size_z,
        "size_t": info.size_t,
        "bounds_offset": list(info.bounds_offset_l0),
        "associated": list(slide.associated_names()),
        "content_hash": slide.content_hash,
        "levels": [
            {"width": level.width, "height": level.height, "downsample": level.downsample}
            for level in info.levels
        ],
        "properties": dict(info.properties),
    }
