"""Write a run as GeoJSON for QuPath and others."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from pathoview import __version__
from pathoview.annotations.geojson_writer import ExportOptions, write_geojson
from pathoview.core.progress import Progress
from pathoview.core.statement import RESEARCH_USE
from pathoview.study.records import RunRecord, now
from pathoview.study.results import RunFile


class ExportRequest(BaseModel):
    """What to write where; a name that ends in ``.gz`` is compressed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    run_file: str
    output: str
    collection: bool = True
    """A FeatureCollection that says where it comes from, rather than a bare array."""
    measurements: bool = True
    crop_to_bounds: bool = True
    """Put the origin where QuPath has it: at the corner of the vendor's bounds."""


def run(request: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Write the file; see `ExportRequest`. An older file of that name stays whole on failure.

    Raises `StorageError` when the run cannot be read or the file not be written, `UsageError` for
    a name that QuPath would not take, `Cancelled` when asked to stop.
    """
    order = ExportRequest.model_validate(request)
    output = Path(order.output)
    with RunFile.open(Path(order.run_file)) as run_file:
        record = run_file.record
        offset_l0 = record.bounds_offset_l0 if order.crop_to_bounds else (0, 0)
        written = write_geojson(
            output,
            run_file.tiles(),
            run_file.features(),
            options=ExportOptions(order.collection, order.measurements),
            offset_l0=offset_l0,
            total=record.n_objects,
            progress=progress,
            provenance=_provenance(record, offset_l0),
        )
    return {
        "output": str(output),
        "n_objects": written.n_objects,
        "n_left_out": written.n_left_out,
        "bytes": output.stat().st_size,
        "seconds": written.seconds,
        "mb_per_s": written.mb_per_s,
    }


def _provenance(record: RunRecord, offset_l0: tuple[int, int]) -> dict[str, Any]:
    """Return where the objects come from; the slide by its pseudonym only."""
    return {
        "software": f"PathoView {__version__}",
        "notice": RESEARCH_USE,
        "slide": record.pseudonym,
        "run": record.id,
        "method": record.method,
        "method_version": record.method_version,
        "params": record.params,
        "mpp": record.mpp,
        "slide_mpp": record.slide_mpp,
        "slide_mpp_source": record.slide_mpp_source,
        "origin_l0": offset_l0,
        "analyzed": record.finished or record.started,
        "written": now(),
    }
