"""Write the annotations of a study, the objects or the map of a run, for QuPath and others.

Where both are written, a detection that an annotation stands for is left out: it was corrected.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict

from pathoview import __version__
from pathoview.annotations.detections import Detections
from pathoview.annotations.dialects import formats, geojson
from pathoview.annotations.dialects.formats import Dialect, SlideFrame
from pathoview.annotations.dialects.import_params import ImportParams
from pathoview.annotations.feature import Feature, feature_at
from pathoview.annotations.geojson_reader import warning_sentences
from pathoview.annotations.geojson_writer import ExportOptions, write_geojson
from pathoview.annotations.origin import all_stood_for
from pathoview.core.errors import InputError, UsageError
from pathoview.core.params import BaseParams
from pathoview.core.progress import Progress
from pathoview.core.statement import RESEARCH_USE
from pathoview.core.translation import _, ngettext
from pathoview.layers.attention_source import ATTENTION_MEANING
from pathoview.study.map_params import PATHOLOGY_TABLE, RUN_FORMATS, AttentionParams, MapFormat
from pathoview.study.records import RunRecord, now
from pathoview.study.results import RunFile
from pathoview.study.slide_prediction import SlidePrediction
from pathoview.study.study_file import StudyFile
from pathoview.tasks.export_map import check_format, write_map
from pathoview.tasks.opening import open_scaled, slide_frame
from pathoview.tasks.pathology_table import write_pathology_table
from pathoview.tasks.regions import region_params, regions
from pathoview.tasks.tile_outlines import tile_squares

_OBJECTS_A_REPORT = 2000


class ExportRequest(BaseModel):
    """What to write where; a name that ends in ``.gz`` is compressed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    output: str
    run_file: str = ""
    """Whose objects to write; empty: none."""
    study: str = ""
    """Whose annotations of the slide to write; empty: none."""
    slide: str = ""
    """Its file; needed for a study, and for formats that must know its size."""
    mpp: float | None = None
    format: str = ""
    """Name of a dialect, or of a picture (`map_format`); empty: as the output's name says."""
    options: dict[str, Any] = {}
    """See `ImportParams`: what is said of a file that is read is said of one that is written."""
    classes: list[str] | None = None
    """Names of the classes to write, an empty one for what has none; None: all."""
    ids: list[str] | None = None
    """Hexadecimal ids of the annotations to write; None: all."""
    collection: bool = True
    """GeoJSON: a FeatureCollection that says where it comes from, rather than a bare array."""
    measurements: bool = True
    """GeoJSON: write them too."""
    crop_to_bounds: bool = True
    """GeoJSON: put the origin where QuPath has it, at the corner of the vendor's bounds."""
    map: dict[str, Any] = {}
    """How the map or the tiles of a run are written; see `regions.region_params`."""
    judge: str = ""
    """Of a table of regions: the model that tells healthiness; empty: nobody does."""


def run(request: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Write the file; see `ExportRequest`. An older file of that name stays whole on failure.

    Raises `InputError` when there is nothing to write, `StorageError` when the run or the study
    cannot be read or the file not be written, `UsageError` for a format that cannot be, `Cancelled`
    when asked to stop.
    """
    order = ExportRequest.model_validate(request)
    output = Path(order.output)
    form = map_format(order.format)
    if form is not None:
        return _write_map(output, form, order, progress)
    dialect = dialect_of(output, order.format)
    with ExitStack() as stack:
        content = _content(order, stack, progress.check)
        if content.record is None and not content.n:
            raise InputError(
                _("There is nothing to write."),
                _("Draw something, analyze the slide, or choose other classes."),
            )
        if dialect.name == geojson.NAME:
            return _write_geojson(output, order, content, progress)
        return _write_other(output, dialect, order, content, progress)


def map_format(name: str) -> MapFormat | None:
    """Return the picture or table of a run that goes by a name; None: it is one of objects."""
    return next((one for one in RUN_FORMATS if one.name == name), None)


def map_params(run_file: str) -> type[BaseParams]:
    """Return what `ExportRequest.map` can say of a run; empty: there is none."""
    if not run_file:
        return region_params(None)
    with RunFile.open(Path(run_file)) as run:
        return region_params(run.record)


def _write_map(
    output: Path, form: MapFormat, order: ExportRequest, progress: Progress
) -> dict[str, Any]:
    if not order.run_file:
        raise InputError(_("There is no map to write."), _("Analyze the slide first."))
    with RunFile.open(Path(order.run_file)) as run_file:
        if form is not PATHOLOGY_TABLE:
            return write_map(output, form, run_file, order.map, progress)
        record = run_file.record
        check_format(output, form, record)
        if not order.slide:
            raise UsageError(_("Say which slide is meant."))
        drawn = _chosen(_known(order, record.slide_hash), order)
        with open_scaled(Path(order.slide), order.mpp) as slide:
            said = run_file, slide, drawn, order.judge, progress
            return write_pathology_table(output, *said)


def dialect_of(output: Path, name: str = "") -> Dialect:
    """Return the format of a file to be written: the one that is named, or that of its ending.

    Raises `UsageError` for one that is not written, and for an ending that several formats have.
    """
    if name:
        dialect = formats.dialect_named(name)
        if not dialect.can_write:
            raise UsageError(_("PathoView does not write {title}.").format(title=dialect.title))
        return dialect
    ending = output.suffix.lower()
    found = [one for one in formats.DIALECTS if one.can_write and ending in one.suffixes]
    plain = [one for one in found if one.name == geojson.NAME] or found
    if len(plain) == 1:
        return plain[0]
    names = ", ".join(one.name for one in found or formats.DIALECTS if one.can_write)
    raise UsageError(
        _("The ending of “{name}” does not tell its format.").format(name=output.name),
        _("Say which with --format: {names}.").format(names=names),
    )


@dataclass(frozen=True, slots=True)
class _Content:
    """What is to be written, not read yet."""

    tables: Callable[[], Iterator[Detections]]
    features: Callable[[], Iterator[Feature]]
    n: int
    """About how many objects."""
    frame: SlideFrame
    pseudonym: str
    record: RunRecord | None

    def objects(self) -> Iterator[Feature]:
        """Yield everything, detections one by one."""
        for table in self.tables():
            yield from (feature_at(table, row) for row in range(len(table)))
        yield from self.features()


def _content(order: ExportRequest, stack: ExitStack, check: Callable[[], None]) -> _Content:
    run_file = stack.enter_context(RunFile.open(Path(order.run_file))) if order.run_file else None
    record = None if run_file is None else run_file.record
    frame, pseudonym, slide_hash = _slide(order, record)
    known = _known(order, slide_hash)
    drawn = _chosen(known, order)
    covered = all_stood_for(one.origin for one in known)
    n_of_run = 0 if record is None else record.n_objects - record.n_annotations

    def tables() -> Iterator[Detections]:
        found = _tables(run_file, order)
        return (_of_classes(table.without(covered), order.classes) for table in found)

    def features() -> Iterator[Feature]:
        found: Iterable[Feature] = drawn
        if run_file is not None:
            areas = regions(run_file, order.map, order.classes, check)
            found = chain(areas, _wanted(run_file.features(), order.classes), drawn)
        return iter(found)

    n = n_of_run + len(drawn)
    return _Content(tables, features, n, frame, pseudonym, record)


def _tables(run_file: RunFile | None, order: ExportRequest) -> Iterable[Detections]:
    """Return the detections of a run; of a whole slide, the tiles if they are wanted."""
    if run_file is None:
        return ()
    if run_file.record.gives != "bag":
        return run_file.tiles()
    tiles = run_file.bag_rows().read()
    if tiles is None or not AttentionParams.parse(order.map).squares:
        return ()
    return (tile_squares(run_file.record, tiles),)


def _slide(order: ExportRequest, record: RunRecord | None) -> tuple[SlideFrame, str, str]:
    """Return the frame of the slide, its pseudonym, and its hash."""
    if order.slide:
        with open_scaled(Path(order.slide), order.mpp) as slide:
            frame = replace(slide_frame(slide), name=slide.pseudonym)
            return frame, slide.pseudonym, slide.content_hash
    if record is None:
        raise UsageError(_("Say which slide is meant."))
    # GeoJSON needs no more than the offset; other formats ask for the slide.
    bounds = record.bounds_offset_l0
    frame = SlideFrame(0, 0, record.slide_mpp, bounds, name=record.pseudonym)
    return frame, record.pseudonym, record.slide_hash


def _known(order: ExportRequest, slide_hash: str) -> Sequence[Feature]:
    """Return all annotations of the slide, wanted or not."""
    if not order.study or not Path(order.study).exists():
        return ()
    with StudyFile.open(Path(order.study)) as study:
        return study.features(slide_hash)


def _chosen(features: Iterable[Feature], order: ExportRequest) -> Sequence[Feature]:
    wanted, ids = _wanted(features, order.classes), set(order.ids or ())
    return [one for one in wanted if order.ids is None or one.id.hex in ids]


def _wanted(features: Iterable[Feature], classes: Sequence[str] | None) -> Iterator[Feature]:
    return (one for one in features if classes is None or _class_name(one) in classes)


def _class_name(feature: Feature) -> str:
    return "" if feature.classification is None else feature.classification.name


def _of_classes(table: Detections, classes: Sequence[str] | None) -> Detections:
    if classes is None:
        return table
    # -1, no class, picks the last entry
    is_wanted = np.array([one.name in classes for one in table.classes] + ["" in classes])
    return table.take(is_wanted[table.class_index])


def _write_geojson(
    output: Path, order: ExportRequest, content: _Content, progress: Progress
) -> dict[str, Any]:
    offset_l0 = content.frame.bounds_offset_l0 if order.crop_to_bounds else (0, 0)
    written = write_geojson(
        output,
        content.tables(),
        content.features(),
        options=ExportOptions(order.collection, order.measurements),
        offset_l0=offset_l0,
        total=content.n,
        progress=progress,
        provenance=_provenance(content, offset_l0),
    )
    return {
        "output": str(output),
        "n_objects": written.n_objects,
        "n_left_out": written.n_left_out,
        "warnings": [],
        "bytes": output.stat().st_size,
        "seconds": written.seconds,
        "mb_per_s": written.mb_per_s,
    }


def _provenance(content: _Content, offset_l0: tuple[int, int]) -> dict[str, Any]:
    """Return where the objects come from; the slide by its pseudonym only."""
    said: dict[str, Any] = {
        "software": f"PathoView {__version__}",
        "notice": RESEARCH_USE,
        "slide": content.pseudonym,
        "slide_mpp": content.frame.mpp,
        "origin_l0": offset_l0,
        "written": now(),
    }
    record = content.record
    if record is not None:
        said |= {
            "run": record.id,
            "method": record.method,
            "method_version": record.method_version,
            "params": record.params,
            "mpp": record.mpp,
            "slide_mpp": record.slide_mpp,
            "slide_mpp_source": record.slide_mpp_source,
            "analyzed": record.finished or record.started,
        }
        if record.gives == "pixel":
            areas = zip(record.classes, record.class_areas_mm2, strict=False)
            said["class_areas_mm2"] = {one.name: area for one, area in areas}
        if record.gives == "bag":
            said |= _predicted(record)
        if record.gives == "synthesis":
            said |= {"area_mm2": record.area_mm2, "pathology_mm2": record.pathology_mm2}
    return said


def _predicted(record: RunRecord) -> dict[str, Any]:
    """Return what is said of the slide as a whole, and what the numbers of its tiles mean."""
    prediction = SlidePrediction.of(record)
    return {
        "model": record.model_title,
        "probabilities": prediction.by_name() or None,
        "threshold": prediction.threshold,
        **({"thresholds": list(prediction.thresholds)} if prediction.thresholds else {}),
        "predicted": prediction.answer or None,
        "tile_l0": list(record.cell_l0),
        "attention": ATTENTION_MEANING,
    }


def _write_other(
    output: Path, dialect: Dialect, order: ExportRequest, content: _Content, progress: Progress
) -> dict[str, Any]:
    warnings: Counter[str] = Counter()

    def note(text: str) -> None:
        warnings[text] += 1

    n_written = formats.write(
        output,
        dialect,
        _reported(content.objects(), content.n, progress),
        content.frame,
        options=ImportParams.parse(order.options).dialect_options(),
        note=note,
    )
    return {
        "output": str(output),
        "n_objects": n_written,
        "warnings": warning_sentences(warnings),
        "bytes": output.stat().st_size,
    }


def _reported(features: Iterable[Feature], total: int, progress: Progress) -> Iterator[Feature]:
    for number, feature in enumerate(features):
        if number % _OBJECTS_A_REPORT == 0:
            progress.check()
            text = ngettext("{n} object written", "{n} objects written", number)
            progress.report(min(number / total, 1.0), text.format(n=number), objects=number)
        yield feature
