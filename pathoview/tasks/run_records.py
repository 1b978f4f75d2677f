"""The record of a run that begins."""

from __future__ import annotations

from typing import Literal

from pathoview.annotations.classes import is_background
from pathoview.annotations.detections import DetectionClass
from pathoview.core.translation import _
from pathoview.methods.model import ModelCard
from pathoview.methods.spec import Kind
from pathoview.slides.reading import AnalysisGrid
from pathoview.slides.slide import Slide
from pathoview.study.records import RunRecord
from pathoview.tasks.method_building import BuiltMethod
from pathoview.tasks.provenance import device_name, versions

_PATHOLOGY_COLOR = (213, 62, 79)


def new_record(
    built: BuiltMethod,
    slide: Slide,
    grid: AnalysisGrid,
    region_l0: tuple[int, int, int, int] | None,
    *,
    tile_px: int | None = None,
    kind: Literal["analysis", "preview"] = "analysis",
) -> RunRecord:
    """Return the record of a method's run on a slide, which is measured for it.

    ``region_l0``: x, y, width, height; None: the whole slide. ``tile_px``: side of a tile's core,
    px of the grid; None: as the method likes it.
    """
    spec, card = built.spec, built.card
    return RunRecord(
        key=built.run_key(slide.content_hash, region_l0, grid.mpp),
        kind=kind,
        gives=spec.kind.value,
        classes=_classes(built),
        grid_px=(grid.width, grid.height),
        scale_l0=grid.scale_l0,
        method=spec.name,
        method_version=spec.version,
        title=card.title if card else spec.title,
        params=built.params.model_dump(mode="json"),
        model=built.model_id,
        model_title=card.title if card else "",
        model_path="" if built.path is None else str(built.path),
        numerics=built.numerics,
        # Of a bag, nothing but its tiles is measured.
        context={} if spec.kind is Kind.BAG else dict(built.method.prepare(slide, grid.mpp)),
        slide_hash=slide.content_hash,
        pseudonym=slide.pseudonym,
        region_l0=region_l0,
        mpp=grid.mpp,
        slide_mpp=slide.info.mpp,
        slide_mpp_source=slide.scale_source,
        bounds_offset_l0=slide.info.bounds_offset_l0,
        tile_px=tile_px or spec.patch_px,
        device=device_name(spec),
        versions=versions(with_torch=spec.uses_torch),
    )


def _classes(built: BuiltMethod) -> tuple[DetectionClass, ...]:
    """Return what the planes of a map stand for, or what a whole slide is told to be.

    Of a synthesis, what pathology is called.
    """
    if built.spec.kind is Kind.SYNTHESIS:
        return (pathology_class(built.card),)
    if built.spec.kind not in (Kind.PIXEL, Kind.BAG) or built.card is None:
        return ()
    return tuple(DetectionClass(one.name, one.color) for one in built.card.classes)


def pathology_class(card: ModelCard | None) -> DetectionClass:
    """Return what a model's pathology is called: as the one class it was taught, else just so."""
    known = card.classes if card else ()
    named = [one for one in known if not is_background(one.name)]
    if len(named) != 1:
        return DetectionClass(_("Pathology"), _PATHOLOGY_COLOR)
    return DetectionClass(named[0].name, named[0].color)
