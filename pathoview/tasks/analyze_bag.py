"""Apply a method for whole slides: tissue → tiles → features → what is said of slide and tiles.

The features are kept on disk by themselves (`tasks.features`): a run that was stopped goes on from
the tiles that were described, and another model with the same encoder finds them finished.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import TypeAdapter, ValidationError

from pathoview.core.errors import InputError, RunError, UsageError
from pathoview.core.geometry import Rect
from pathoview.core.progress import PartOf, Progress
from pathoview.core.translation import _
from pathoview.datasets.bags import EncoderUsed, TileGrid
from pathoview.datasets.patches import inside
from pathoview.methods.bag_params import TissueParams
from pathoview.methods.spec import BagFound, BagMethod, Kind
from pathoview.slides.slide import Slide
from pathoview.slides.tissue import tissue_mask
from pathoview.study.bag_rows import BagTiles
from pathoview.study.records import PICTURES_KEY, RunRecord, moment
from pathoview.study.results import RunFile, find_unfinished, new_run_path
from pathoview.study.slide_prediction import SlidePrediction, no_tissue_text
from pathoview.tasks import analyze, features
from pathoview.tasks.familiarity import noted
from pathoview.tasks.method_building import BuiltMethod, build_method
from pathoview.tasks.opening import open_scaled
from pathoview.tasks.run_course import under_way
from pathoview.tasks.run_records import new_record
from pathoview.tasks.stopwatch import Stopwatch
from pathoview.tasks.tile_layouts import tiles_of

N_TOP_TILES = 5
"""How many of the tiles that counted most are told of."""
_FEATURES_SHARE = 0.95
"""Share of the bar that describing the tiles takes."""

Picked = npt.NDArray[np.bool_]


def run(request: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Predict a whole slide; ``request``: see `analyze.AnalyzeRequest`.

    Its ``tile_px`` and ``n_computers`` change nothing. With a region, the tiles whose middles lie
    in it are the whole slide. Raises as `analyze.run` does, and `InputError` when the encoder's
    weights are not those that the model learned with.
    """
    order = analyze.AnalyzeRequest.model_validate(request)
    built = build_method(order.method, order.params, order.model, order.numerics)
    encoder = encoder_of(built)
    progress.report(0.0, _("Opening the slide"))
    with open_scaled(Path(order.slide), order.mpp) as slide:
        region = analyze.region_of(order.region_l0, slide)
        with _open_run(order, built, encoder, slide, progress) as run_file:
            return _Application(built, encoder, slide, region, run_file, progress).run()


def encoder_of(built: BuiltMethod) -> EncoderUsed:
    """Return what a model wants its tiles to be described by; raise `UsageError`, `InputError`."""
    if built.spec.kind is not Kind.BAG or not (built.card and built.card.classes):
        raise UsageError(
            _("“{title}” does not tell whole slides apart.").format(title=built.spec.title),
            _("Name a model that was trained on labels of whole slides."),
        )
    try:
        used = TypeAdapter(EncoderUsed).validate_python(built.card.settings.get("encoder"))
    except ValidationError as error:
        raise InputError(
            _("The model “{title}” does not say what described its tiles.").format(
                title=built.card.title
            ),
            _("The model may be damaged: train it again, or choose another one."),
        ) from error
    if built.spec.sees_pixels and built.path is not None:
        used = replace(used, source=str(built.path.absolute()))  # its own network, wherever it lies
    if isinstance(built.params, TissueParams) and built.params.overlap:
        used = replace(used, overlap=built.params.overlap)
    return used


@contextlib.contextmanager
def _open_run(
    order: analyze.AnalyzeRequest,
    built: BuiltMethod,
    encoder: EncoderUsed,
    slide: Slide,
    progress: Progress,
) -> Iterator[RunFile]:
    """Open the unfinished run to go on with, or make a new one."""
    if order.region_l0 is not None and (slide.is_series or encoder.of_whole):
        raise UsageError(
            _("“{name}” is looked at as a whole: it has no regions.").format(name=slide.path.name),
            _("Leave the region out."),
        )
    tiles = tiles_of(slide, encoder)
    grid = tiles.grids[0]
    key = built.run_key(slide.content_hash, order.region_l0, grid.mpp)
    unfinished = find_unfinished(key) if order.resume else None
    if unfinished is not None:
        with RunFile.open(unfinished, writable=True) as run_file:
            yield run_file
        return
    record = new_record(built, slide, grid, order.region_l0, tile_px=encoder.tile_px)
    said = {
        "scale_l0": tiles.cell_l0.width,
        "height_l0": tiles.cell_l0.height,
        "grid_px": (tiles.n_columns, tiles.n_rows),
        "context": _said(built, encoder, slide),
        "mpp": grid.mpp or None,
    }
    record = noted(record.model_copy(update=said), slide, built.card, progress)
    with RunFile.create(new_run_path(record), record) as run_file:
        yield run_file


def _said(built: BuiltMethod, encoder: EncoderUsed, slide: Slide) -> dict[str, Any]:
    """Return what is kept of the model, so that a result is understood without it."""
    card = built.card
    assert card is not None
    return {
        "encoder": asdict(encoder),
        "threshold": card.settings.get("threshold"),
        "thresholds": card.settings.get("thresholds"),
        "auroc": card.metrics.get("auroc"),
        "auroc_interval": card.intervals.get("auroc"),
        **({PICTURES_KEY: slide.info.size_t} if slide.is_series else {}),
    }


class _Application:
    """One model on one slide."""

    def __init__(
        self,
        built: BuiltMethod,
        encoder: EncoderUsed,
        slide: Slide,
        region_l0: Rect | None,
        run_file: RunFile,
        progress: Progress,
    ) -> None:
        self._method: BagMethod = built.method
        self._encoder = encoder
        self._slide = slide
        self._region_l0 = region_l0
        self._file = run_file
        self._progress = progress
        self._before = run_file.record
        """As an earlier attempt left it."""
        self._watch = Stopwatch(progress.check)

    def run(self) -> dict[str, Any]:
        """Describe the tiles that are left, predict, and return what came out."""
        with under_way(self._file, self._progress, n_tiles=0, n_done=0, reached=self._reached):
            described, grid = self._described()
            tiles, probabilities = self._predicted(described, grid)
            self._file.bag_rows().store(tiles)
            self._progress.event("tile", {"n": len(tiles)})
            record = self._file.update_record(
                state="done",
                finished=moment(),
                probabilities=probabilities,
                area_mm2=self._area_mm2(),
                **self._reached(),
            )
        return result_of(self._file.path, record, tiles, self._slide)

    def _area_mm2(self) -> float:
        """Return how much tissue there is; not measured of pictures in a row or as a whole."""
        if self._slide.is_series or self._encoder.of_whole:
            return 0.0
        return tissue_mask(self._slide).area_mm2(self._slide.mpp, self._region_l0)

    def _reached(self) -> Mapping[str, Any]:
        return {"seconds": self._before.seconds + self._watch.seconds}

    def _described(self) -> tuple[npt.NDArray[np.float32], TileGrid]:
        """Return the features of the tiles that count, and where these lie."""
        order = features.FeatureOrder.of(self._encoder, self._before.numerics)
        share = PartOf(self._progress, 0.0, _FEATURES_SHARE)
        weights = self._encoder.weights
        path = features.extract(self._slide, order, share, weights=weights)
        described, grid, _used = features.bag_of(path)
        self._watch.check()
        if self._region_l0 is None:
            return described, grid
        is_in = inside(self._region_l0, grid.centers_l0())
        return described[is_in], grid.of(is_in)

    def _predicted(
        self, described: npt.NDArray[np.float32], grid: TileGrid
    ) -> tuple[BagTiles, tuple[float, ...]]:
        """Return what is said of the tiles and of the slide; without tiles, nothing is."""
        n_classes = len(self._before.classes)
        if not len(grid):
            nothing = np.zeros((0, n_classes), np.float32)
            return BagTiles(grid.columns, grid.rows, nothing.sum(axis=1), nothing), ()
        self._progress.report(_FEATURES_SHARE, _("Predicting the slide"))
        found = self._method.predict(described)
        _check(found, len(grid), n_classes)
        tiles = BagTiles(
            grid.columns, grid.rows, found.attention, found.evidence, found.class_attention
        )
        return tiles, tuple(found.probabilities.tolist())


def _check(found: BagFound, n_tiles: int, n_classes: int) -> None:
    """Raise `RunError` unless a method has said what a method has to say."""
    wanted = (
        (found.probabilities, (n_classes,)),
        (found.attention, (n_tiles,)),
        (found.evidence, (n_tiles, n_classes)),
    )
    if all(one.shape == shape and np.isfinite(one).all() for one, shape in wanted):
        return
    raise RunError(
        _("The method did not give a probability for each class and tile."),
        _("The model may be damaged: train it again, or choose another one."),
    )


def result_of(path: Path, record: RunRecord, tiles: BagTiles, slide: Slide) -> dict[str, Any]:
    """Return what a task tells of a finished run, JSON-able."""
    top = tiles.most_attended(N_TOP_TILES).tolist()
    said = SlidePrediction.of(record)
    return {
        "run_file": str(path),
        "gives": record.gives,
        "n_objects": 0,
        "n_tiles": len(tiles),
        "area_mm2": record.area_mm2,
        "seconds": record.seconds,
        "state": record.state,
        "is_clip": record.picture_columns == 1,
        "probabilities": said.by_name() or None,
        "predicted": said.answer or None,
        "threshold": said.threshold,
        "thresholds": list(said.thresholds) or None,
        "top_tiles": [_tile(record, tiles, number, slide) for number in top],
        "why_not": "" if said.probabilities else no_tissue_text(),
    }


def _tile(record: RunRecord, tiles: BagTiles, number: int, slide: Slide) -> dict[str, Any]:
    names = (one.name for one in record.classes)
    t, column = record.picture_of(int(tiles.columns[number]))
    rect = record.cell_l0.rect(column, int(tiles.rows[number]))
    return {
        **({"frame": t + 1, "time_s": slide.time_s(t)} if slide.is_series else {}),
        "x_l0": rect.x,
        "y_l0": rect.y,
        "width_l0": rect.width,
        "height_l0": rect.height,
        "attention": float(tiles.relative_attention[number]),
        "evidence": dict(zip(names, tiles.evidence[number].tolist(), strict=True)),
    }
