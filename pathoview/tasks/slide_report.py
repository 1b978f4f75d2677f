"""The report of a slide: what it is, what was found on it, by which models, and how sure that is.

The slide goes by its pseudonym; label and macro images are never shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
from pydantic import BaseModel, ConfigDict, Field

from pathoview.core.errors import PathoViewError, UsageError
from pathoview.core.files import replacing
from pathoview.core.geometry import Rect
from pathoview.core.progress import PartOf, Progress
from pathoview.core.pyramid import Plane
from pathoview.core.translation import _
from pathoview.evaluation.alike import Alike, alike
from pathoview.layers.compose import compose, shown_layers
from pathoview.layers.frame import Frame, Look
from pathoview.layers.layer import Layer
from pathoview.layers.pictures.drawing import drawn
from pathoview.layers.pictures.order import PictureOrder
from pathoview.layers.slide_source import SlideSource
from pathoview.methods.library import bundled_path, find_model
from pathoview.methods.model import ModelCard, read_card
from pathoview.methods.registry import METHODS
from pathoview.slides.slide import Slide
from pathoview.slides.tissue import tissue_mask
from pathoview.study.bag_rows import BagTiles
from pathoview.study.model import SlideRecord
from pathoview.study.records import RunRecord
from pathoview.study.results import RunFile, find_runs
from pathoview.study.slide_prediction import SlidePrediction
from pathoview.study.study_file import StudyFile
from pathoview.study.tile_verdicts import ANSWERS, SlideVerdicts, TileVerdict
from pathoview.tasks import slide_report_page
from pathoview.tasks.opening import open_scaled
from pathoview.tasks.overview import run_layer
from pathoview.tasks.report_page import base64_png

_PICTURE_PX = (640, 600)
"""Width and height at most; the width of a printed page."""
_SMALL_PX = (320, 400)
_TILE_PX = 140


class SlideReportRequest(BaseModel):
    """Whose report, of which runs, and where it goes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    slide: str
    mpp: float | None = None
    study: str = ""
    """Whose labels and verdicts are told; empty: none."""
    runs: tuple[str, ...] = ()
    """Ids; empty: the newest finished one of each method and model."""
    n_tiles: int = Field(8, ge=0, le=100)
    """How many of the tiles that counted most are shown."""
    report: str = ""
    """An HTML file; empty: none."""
    page: str = ""
    """A JSON file for the window; empty: none."""


def run(request: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Write the report of a slide; see `SlideReportRequest`.

    Raises `UsageError` when a run is not there, `SlideError`, `StorageError` and `Cancelled`.
    """
    order = SlideReportRequest.model_validate(request)
    with open_scaled(Path(order.slide), order.mpp) as slide:
        told = _Telling(slide, order, progress).told()
    html = slide_report_page.html_of(told)
    if order.page:
        with replacing(Path(order.page)) as file:
            file.write(orjson.dumps({"title": told["pseudonym"], "html": html}))
    if order.report:
        with replacing(Path(order.report)) as file:
            file.write(html.encode())
    progress.report(1.0)
    return {"pseudonym": told["pseudonym"], "n_runs": len(told["runs"])}


class _Telling:
    """Gathers what is told of one slide, JSON-able."""

    def __init__(self, slide: Slide, order: SlideReportRequest, progress: Progress) -> None:
        self._slide = slide
        self._order = order
        self._progress = progress
        self._done = 0.0
        self._record, self._verdicts = _of_study(order.study, slide.content_hash)

    def told(self) -> dict[str, Any]:
        """Return all that the page tells."""
        self._progress.report(0.0, _("Drawing the slide"))
        chosen = _chosen(self._slide.content_hash, self._order.runs)
        runs: list[dict[str, Any]] = []
        said = {
            "pseudonym": self._slide.pseudonym,
            "slide": self._facts(),
            "labels": [_label(one) for one in self._record.labels] if self._record else [],
            "picture": self._picture(None),
            "runs": runs,
        }
        for number, path in enumerate(chosen):
            self._progress.check()
            self._done = (number + 1) / (len(chosen) + 1)
            self._progress.report(self._done, _("Drawing the results"))
            with RunFile.open(path) as run_file:
                runs.append(self._run(run_file))
        return said

    def _facts(self) -> dict[str, Any]:
        info = self._slide.info
        return {
            "size_px": [info.width, info.height],
            "mpp": info.mpp,
            "scale_source": self._slide.scale_source,
            "objective_power": info.objective_power,
            "vendor": info.vendor,
            "tissue_mm2": None
            if self._slide.is_series
            else tissue_mask(self._slide).area_mm2(self._slide.mpp, None),
            "hash": self._slide.content_hash,
        }

    def _run(self, run_file: RunFile) -> dict[str, Any]:
        record = run_file.record
        card = _card_of(record)
        said: dict[str, Any] = {
            "record": record.model_dump(mode="json"),
            "reference": METHODS.get(record.method).reference if record.method in METHODS else "",
            "card": None if card is None else card.model_dump(mode="json", exclude=_LONG),
            "picture": self._picture(run_file),
        }
        if record.has_objects:
            said["counts"] = _counts(run_file)
        if record.gives == "bag":
            said |= self._bag(run_file, card)
        return said

    def _bag(self, run_file: RunFile, card: ModelCard | None) -> dict[str, Any]:
        """Return what is said of the slide as a whole, and the tiles that it rests on."""
        record, tiles = run_file.record, run_file.bag_rows().read()
        said = SlidePrediction.of(record)
        place = said.place
        near = None
        if place is not None and card is not None and not said.thresholds:
            near = _alike(card, said, place)
        return {
            "probabilities": said.by_name(),
            "predicted": said.answer or None,
            "thresholds": list(said.thresholds),
            "threshold": said.threshold,
            "auroc": said.auroc,
            "auroc_interval": said.auroc_interval,
            "alike": None if near is None else _told_alike(near),
            "tiles": [] if tiles is None else list(self._tiles(record, tiles)),
        }

    def _tiles(self, record: RunRecord, tiles: BagTiles) -> Iterator[dict[str, Any]]:
        layers = [Layer(_("Slide"), SlideSource(self._slide))]
        for number in tiles.most_attended(self._order.n_tiles):
            self._progress.check()
            column, row = int(tiles.columns[number]), int(tiles.rows[number])
            rect_l0 = record.cell_l0.rect(column, row)
            t, column = record.picture_of(column)
            seen_l0 = record.cell_l0.rect(column, row)
            pixels = compose(layers, seen_l0, _TILE_PX, _TILE_PX, Plane(t=t))
            names = (one.name for one in record.classes)
            yield {
                "png": _png(pixels),
                "x_l0": rect_l0.x,
                "y_l0": rect_l0.y,
                "frame": None if record.picture_columns is None else t + 1,
                "attention": float(tiles.relative_attention[number]),
                "evidence": dict(zip(names, tiles.evidence[number].tolist(), strict=True)),
                "answers": _answers(self._verdicts, rect_l0),
            }

    def _picture(self, run_file: RunFile | None) -> str:
        """Return the slide, or the part that a run covers with what it found, as base64 PNG."""
        info = self._slide.info
        part = whole = Rect(0, 0, info.width, info.height)
        layers, legend = [Layer(_("Slide"), SlideSource(self._slide))], []
        if run_file is not None:
            found = run_layer(self._slide, run_file)
            region = run_file.record.region_l0
            part = whole if region is None else Rect(*region).intersection(whole)
            layers, legend = [*layers, found], [(found.name, found.source)]
        most = _SMALL_PX if run_file is None else _PICTURE_PX
        scale = min(1.0, most[0] / part.width, most[1] / part.height)
        size = max(1, round(part.width * scale)), max(1, round(part.height * scale))
        order = PictureOrder(
            frame=Frame.around(part.center, Look(scale, 0.0, False), *size),
            shown=shown_layers(layers),
            slide_l0=whole,
            mpp=info.mpp,
            legend=tuple(legend),
            note=_("Research use only") if legend else "",
        )
        return _png(drawn(order, PartOf(self._progress, self._done, self._done)))


_LONG = {"held_out", "curves", "familiarity", "areas", "settings", "data"}
"""Members of a card that no reader of a report wants to see whole."""


def _of_study(path: str, slide_hash: str) -> tuple[SlideRecord | None, Sequence[TileVerdict]]:
    """Return what a study says of a slide as a whole, and of its tiles."""
    if not path:
        return None, ()
    with StudyFile.open(Path(path)) as study:
        said = study.record(SlideVerdicts, slide_hash)
        return study.record(SlideRecord, slide_hash), () if said is None else said.verdicts


def _chosen(slide_hash: str, wanted: Sequence[str]) -> list[Path]:
    """Return the files of the runs that are told of; raise `UsageError` for one not there."""
    there = [(path, record) for path, record in find_runs(slide_hash) if record.state == "done"]
    if wanted:
        by_id = {record.id: path for path, record in there}
        missing = [one for one in wanted if one not in by_id]
        if missing:
            raise UsageError(
                _("The slide has no finished result “{name}”.").format(name=missing[0]),
                _("Leave --run out to report the newest result of each method."),
            )
        return [by_id[one] for one in wanted]
    newest: dict[tuple[str, str], Path] = {}
    for path, record in there:
        if record.kind == "analysis":
            newest.setdefault((record.method, record.model), path)
    return list(newest.values())


def _card_of(record: RunRecord) -> ModelCard | None:
    """Return the card of a run's model; None: it has none, or the model is not there any more."""
    if not record.model:
        return None
    bundled = METHODS.get(record.method).bundled if record.method in METHODS else ""
    path = Path(record.model_path) if record.model_path else bundled_path(bundled)
    try:
        card = read_card(path if path.is_file() else find_model(record.model))
    except PathoViewError:
        return None
    return card if card.id == record.model else None


def _counts(run_file: RunFile) -> dict[str, int]:
    """Return how many objects of each class were found; the empty name: of none."""
    counts: dict[str, int] = {}
    for table in run_file.tiles():
        numbers, amounts = np.unique(table.class_index, return_counts=True)
        for number, n in zip(numbers.tolist(), amounts.tolist(), strict=True):
            name = table.classes[number].name if number >= 0 else ""
            counts[name] = counts.get(name, 0) + n
    return counts


def _alike(card: ModelCard, said: SlidePrediction, place: int) -> Alike | None:
    """Return how often held-out slides with such a probability were of the class."""
    held = [one for one in card.held_out if card.method in one.probabilities]
    probabilities = np.array([one.probabilities[card.method][place] for one in held])
    is_right = np.array([one.label == place for one in held], bool)
    return alike(probabilities, is_right, said.probabilities[place])


def _told_alike(near: Alike) -> dict[str, Any]:
    return {
        "n": near.n,
        "n_right": near.n_right,
        "lowest": near.lowest,
        "highest": near.highest,
        "share": near.share,
        "interval": list(near.interval),
    }


def _label(one: Any) -> dict[str, Any]:
    return {"name": one.name, "value": one.value, "author": one.author, "created": one.created}


def _answers(verdicts: Sequence[TileVerdict], rect_l0: Rect) -> dict[str, int]:
    """Return how many people gave which answer about a tile."""
    about = [one for one in verdicts if one.is_about(rect_l0, one.class_name)]
    counts = {answer: sum(one.answer == answer for one in about) for answer in ANSWERS}
    return {answer: n for answer, n in counts.items() if n}


def _png(rgba: npt.NDArray[np.uint8]) -> str:
    return base64_png(np.ascontiguousarray(rgba[..., :3]))
