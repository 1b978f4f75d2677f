"""Score a method that tells classes of pixels: where they are known, tile by tile."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from pathoview.core.errors import InputError, UsageError
from pathoview.core.geometry import Rect
from pathoview.core.translation import _
from pathoview.datasets.labels import BACKGROUND, UNKNOWN, Mask
from pathoview.evaluation.confusion import accuracy, balanced_accuracy, macro_f1, quadratic_kappa
from pathoview.evaluation.pixels import Tally
from pathoview.slides.reading import AnalysisGrid, analysis_grid, read_patch
from pathoview.tasks.evaluate_cases import Case
from pathoview.tasks.evaluate_instances import METRICS
from pathoview.tasks.evaluate_pictures import (
    PREDICTION,
    TRUTH,
    draw_corners,
    draw_ids,
    shown_around,
    tissue_at,
)
from pathoview.tasks.evaluate_scores import Cell, ImageScores, Place, Scores
from pathoview.tasks.method_building import BuiltMethod
from pathoview.tasks.report_page import base64_png

BACKGROUND_NAMES = ("background", _("Background").casefold())
"""How models call what is none of the classes."""
_BLOCK_PX = 256
_MOST_PLACES = 400
"""Areas of an image that are kept to look at, the largest."""
_LEAST_UM2 = 25.0

Probabilities = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Legend:
    """What the truth can say, and what the model's classes are in it."""

    names: tuple[str, ...]
    """The truth's classes; the first is the background."""
    places: tuple[int, ...]
    """For each class of the model, its place among `names`; ``len(names)``: none of them."""


def legend_of(case: Case, built: BuiltMethod, positive: str) -> Legend:
    """Return which class of the model is which of the truth; raise `UsageError` when none is."""
    card = built.card
    said = [one.name for one in card.classes] if card else []
    if not said:
        raise UsageError(_("“{title}” does not say its classes.").format(title=built.spec.title))
    if case.is_one_positive:
        wanted = _positive(said, positive)
        places = tuple(int(name == wanted) for name in said)
        return Legend((_("Background"), wanted), places)
    names = (_("Background"), *(one.name for one in case.classes))
    known = {name.casefold(): place for place, name in enumerate(names)}
    known |= dict.fromkeys(BACKGROUND_NAMES, BACKGROUND)
    places = tuple(known.get(name.casefold(), len(names)) for name in said)
    if not any(0 < place < len(names) for place in places):
        raise UsageError(
            _("The model knows none of the classes that are labelled."),
            _("It knows {model}; labelled are {labels}.").format(
                model=", ".join(said), labels=", ".join(names[1:])
            ),
        )
    return Legend(names, places)


def _positive(said: Sequence[str], positive: str) -> str:
    others = [name for name in said if name.casefold() not in BACKGROUND_NAMES]
    wanted = [name for name in said if name.casefold() == positive.casefold()]
    if wanted or (len(others) == 1 and not positive):
        return (wanted or others)[0]
    raise UsageError(
        _("It is not said which class of the model the label images show."),
        _("Give --positive with one of: {names}.").format(names=", ".join(others)),
    )


def score_map(
    case: Case, built: BuiltMethod, legend: Legend, check: Callable[[], None]
) -> tuple[ImageScores, MapPainter]:
    """Return the scores of one image, and what paints its places.

    Every pixel of which something is known counts, on tissue or not.
    """
    scoring = _Scoring(case, built, legend)
    for tile in scoring.tiles():
        check()
        scoring.add(tile)
    return scoring.scored(), MapPainter(scoring)


class _Scoring:
    """One image while it is scored."""

    def __init__(self, case: Case, built: BuiltMethod, legend: Legend) -> None:
        self.case, self._built, self.legend = case, built, legend
        self._grid = analysis_grid(case.slide, built.mpp)
        self._context = built.method.prepare(case.slide, self._grid.mpp)
        self._halo_px = int(np.ceil(built.halo_um / self._grid.mpp))
        self._tally = Tally(len(legend.names))
        self._places: list[Place] = []

    def tiles(self) -> Iterator[Rect]:
        """Yield the tiles that touch what is known, px of the grid."""
        assert self.case.labels is not None
        boxes = np.concatenate([self.case.labels.full_l0(), self.case.labels.extents_l0()])
        left, top, right, bottom = boxes.T / self._grid.scale_l0
        whole, side = Rect(0, 0, self._grid.width, self._grid.height), self._built.spec.patch_px
        for y in range(0, self._grid.height, side):
            for x in range(0, self._grid.width, side):
                core = Rect(x, y, side, side).intersection(whole)
                touched = (left < core.right) & (right > x) & (top < core.bottom) & (bottom > y)
                if touched.any():
                    yield core

    def add(self, core: Rect) -> None:
        """Count one tile; those of which nothing is known are not computed."""
        truth = self.truth(core)
        if (truth == UNKNOWN).all():
            return
        probabilities = self.predicted(core)
        for rows, columns in _blocks(core):
            known = truth[rows, columns] != UNKNOWN
            if known.any():
                self._tally.add(probabilities[rows, columns][known], truth[rows, columns][known])
        said = probabilities.argmax(axis=2)
        self._places += _wrong_areas(self.case.name, core, self._grid, truth, said)
        self._places = sorted(self._places, key=lambda one: -one.amount)[:_MOST_PLACES]

    def truth(self, place: Rect) -> Mask:
        """Return what is known of a rectangle of the grid."""
        assert self.case.labels is not None
        _x, _y, width, height = place.as_ints()
        return self.case.labels.mask(place.scaled(self._grid.scale_l0), width, height)

    def predicted(self, core: Rect) -> Probabilities:
        """Return probabilities of the truth's classes, and last that of “other”, of a tile."""
        seen = core.expanded(self._halo_px).intersection(
            Rect(0, 0, self._grid.width, self._grid.height)
        )
        patch = read_patch(self.case.slide, self._grid, *seen.as_ints())
        found = self._built.method.predict(patch, self._grid.mpp, self._context)
        x, y, width, height = core.moved(-seen.x, -seen.y).as_ints()
        out = np.zeros((height, width, len(self.legend.names) + 1), np.float32)
        for own, place in enumerate(self.legend.places):
            out[..., place] += found[y : y + height, x : x + width, own]
        return out

    def scored(self) -> ImageScores:
        matrix, n = self._tally.matrix, len(self.legend.names)
        if not self._tally.n:
            raise InputError(
                _("Nothing is known of any pixel of “{name}”.").format(name=self.case.name)
            )
        scores: Scores = dict.fromkeys(METRICS)
        if matrix[BACKGROUND].any():
            scores |= _foreground(matrix)
        scores |= {
            "accuracy": accuracy(matrix, n),
            "balanced_accuracy": balanced_accuracy(matrix, n),
            "macro_f1": macro_f1(matrix, n),
            "kappa_quadratic": quadratic_kappa(matrix, n),
        }
        return ImageScores(
            {key: None if value != value else value for key, value in scores.items()},
            Counter(pixels=self._tally.n),
            matrices=self._tally.units,
            tally=self._tally,
            places=self._places,
        )

    def grid_box(self, rect_l0: Rect) -> Rect:
        """Return a rectangle on the grid, within the slide."""
        whole = Rect(0, 0, self._grid.width, self._grid.height)
        return rect_l0.scaled(1 / self._grid.scale_l0).outward().intersection(whole)

    @property
    def scale_l0(self) -> float:
        return self._grid.scale_l0


class MapPainter:
    """Paints places of an image while its slide is open."""

    def __init__(self, scoring: _Scoring) -> None:
        self._scoring = scoring

    def paint(self, place: Place) -> str:
        """Return a picture of a place as base64 PNG: truth and prediction of its classes."""
        scoring = self._scoring
        box = shown_around(place.rect_l0, scoring.case.slide)
        rgb = tissue_at(scoring.case, box)
        core = scoring.grid_box(box)
        if core.is_empty:
            return base64_png(rgb)
        ((truth_class, said_class),) = place.cells
        truth = scoring.truth(core) == truth_class
        said = scoring.predicted(core).argmax(axis=2) == said_class
        for mask, color in ((truth, TRUTH), (said, PREDICTION)):
            draw_ids(rgb, _on_picture(mask, core.scaled(scoring.scale_l0), box, rgb), color)
        draw_corners(rgb, place.rect_l0, box)
        return base64_png(rgb)


def _on_picture(
    mask: npt.NDArray[np.bool_], at_l0: Rect, box_l0: Rect, rgb: npt.NDArray[np.uint8]
) -> npt.NDArray[np.uint8]:
    """Return a mask as it lies on the picture of a square."""
    side = rgb.shape[0]
    factor = side / box_l0.width
    scale = at_l0.width / mask.shape[1] * factor, at_l0.height / mask.shape[0] * factor
    x, y = (at_l0.x - box_l0.x) * factor, (at_l0.y - box_l0.y) * factor
    matrix = np.array([[scale[0], 0, x], [0, scale[1], y]], np.float64)
    flags = cv2.INTER_NEAREST
    return np.asarray(cv2.warpAffine(mask.astype(np.uint8), matrix, (side, side), flags=flags))


def _blocks(core: Rect) -> Iterator[tuple[slice, slice]]:
    _x, _y, width, height = core.as_ints()
    for row in range(0, height, _BLOCK_PX):
        for column in range(0, width, _BLOCK_PX):
            yield slice(row, row + _BLOCK_PX), slice(column, column + _BLOCK_PX)


def _foreground(matrix: npt.NDArray[np.int64]) -> Scores:
    """Return how well all that is not background agrees."""
    common = int(matrix[1:, 1:].sum())
    wrong = int(matrix[0, 1:].sum() + matrix[1:, 0].sum())
    if not common + wrong:
        return {"f1_pixel": 1.0, "iou_pixel": 1.0}
    return {"f1_pixel": 2 * common / (2 * common + wrong), "iou_pixel": common / (common + wrong)}


def _wrong_areas(
    name: str, core: Rect, grid: AnalysisGrid, truth: Mask, said: npt.NDArray[np.int64]
) -> list[Place]:
    """Return connected areas of a tile that were taken for something else."""
    found = []
    is_wrong = (truth != UNKNOWN) & (truth != said)
    pairs: set[Cell] = set(zip(truth[is_wrong].tolist(), said[is_wrong].tolist(), strict=True))
    for pair in sorted(pairs):
        mask = (is_wrong & (truth == pair[0]) & (said == pair[1])).astype(np.uint8)
        _n, _ids, boxes, _middles = cv2.connectedComponentsWithStats(mask, connectivity=8)
        for x, y, width, height, area in boxes[1:].tolist():
            um2 = area * grid.mpp**2
            if um2 >= _LEAST_UM2:
                rect = Rect(core.x + x, core.y + y, width, height).scaled(grid.scale_l0)
                found.append(Place(name, rect, "class", um2, "µm²", (pair,)))
    return found
