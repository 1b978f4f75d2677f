"""Pseudo-healthy pictures, measured: ``pytest tests/benchmarks/bench_pseudo_healthy.py -s``.

Two kinds of tissue: generated one, whose healthy twin is known (`synthesis_scenes`), and lymph
nodes with tumour of the shared folder, of which some tiles are held out as a block of
neighbouring numbers, as neighbours may come from one slide. Pathology is found by the method
itself in both. For each row: *healthiness* as a network of another method says it that was
trained apart, with another seed; *identity* outside the true mask; the Dice of the method's mask;
on generated tissue how far what was made is from the healthy twin within the true mask, as a
share of how far the tile was; and how well a small classifier tells what was made from real
healthy tissue (AUROC by tiles it has not seen; 0.5: not at all). Intervals are of 95 %, over
tiles. Torch computes in one thread,
and seconds are those of the processor, whatever else it does.

The rows "xia" and "cyclegan" have a budget of steps that a processor does in minutes, far less than
such networks want; while "xia" learns it is told every 20 steps of its generators how far it is.

``PATHOVIEW_BENCH_ROWS``: names of the rows, with commas between; ``PATHOVIEW_BENCH_FIT``:
training parameters of rows, as JSON, by their names; ``PATHOVIEW_BENCH_SEED`` (0);
``PATHOVIEW_BENCH_OUT``: a folder for pictures.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import orjson
import pytest
from plain_cycle_gan import PlainCycleLearner
from synthesis_scenes import MPP, SIDE, synthesis_data, twins

from pathoview.core.progress import SilentProgress
from pathoview.datasets.image_labels import ClassImage
from pathoview.datasets.labels import LabelledImage, TargetClass, TrainingData
from pathoview.evaluation.slides import auroc
from pathoview.evaluation.synthesis import (
    TileMeasures,
    measured,
    scores,
    scores_with_intervals,
)
from pathoview.methods.fitting import FitContext, Fitted
from pathoview.methods.spec import Synthesised
from pathoview.methods.weak import pseudo_healthy_xia
from pathoview.methods.weak.pseudo_healthy import PseudoHealthy
from pathoview.methods.weak.pseudo_healthy_params import (
    PseudoHealthyFitParams,
    PseudoHealthyParams,
)
from pathoview.methods.weak.scribble_segmentation import ScribbleSegmentation
from pathoview.methods.weak.scribble_segmentation_params import (
    ScribbleSegmentationFitParams,
    ScribbleSegmentationParams,
)
from pathoview.slides.opening import open_slide, with_scale
from pathoview.slides.reading import analysis_grid, read_patch

LYMPH = Path(__file__).parents[3] / "shared/data/regions/camelyon"
LYMPH_MPP = 0.5
"""Of the pictures, which state none: told by the size of lymphocytes."""
FIRST_HELD_OUT = "10690"
"""Tiles from this number on are measured on; no network has seen them."""
OUT = os.environ.get("PATHOVIEW_BENCH_OUT", "")
SEED = int(os.environ.get("PATHOVIEW_BENCH_SEED", "0"))
FIT: dict[str, dict[str, Any]] = json.loads(os.environ.get("PATHOVIEW_BENCH_FIT", "{}"))

Rgb = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]
TURNS = pseudo_healthy_xia.N_CRITIC_STEPS + 1
_learned: dict[bytes, Fitted] = {}
Make = Callable[[Rgb], Synthesised]
"""A tile → what it would be without pathology."""


@dataclass(frozen=True)
class Case:
    """A tile to measure on."""

    tile: Rgb
    truth: Flags
    twin: Rgb | None = None


@dataclass(frozen=True)
class Tissue:
    """What is learned from, and what is measured on."""

    name: str
    data: TrainingData
    cases: Sequence[Case]
    window_px: int
    """Side of the pieces in which a classifier looks for what was made."""
    patch_px: int
    fit: dict[str, Any] = field(default_factory=dict)
    """Training parameters of all engines."""
    cycles: dict[str, Any] = field(default_factory=dict)
    """The same of those that learn by cycles."""
    segmentor_steps: int = 300


def engine(name: str, **params: float) -> Callable[[Tissue], Make]:
    """Return what trains an engine of the method; ``params``: with which it predicts."""

    def trained(tissue: Tissue) -> Make:
        told = {"patch_px": tissue.patch_px, **tissue.fit, **FIT.get(name, {}), "engine": name}
        return made_by(fitted_engine(tissue, told, FitContext(SilentProgress(), seed=SEED)), params)

    return trained


def fitted_engine(tissue: Tissue, told: dict[str, Any], context: FitContext) -> Fitted:
    """Return what was learned; rows that learn the same share it."""
    key = orjson.dumps([tissue.name, told], option=orjson.OPT_SORT_KEYS)
    if key not in _learned:
        method = PseudoHealthy(PseudoHealthyParams())
        _learned[key] = method.fit(tissue.data, PseudoHealthyFitParams.parse(told), context)
    return _learned[key]


def made_by(fitted: Fitted, params: Mapping[str, float] = MappingProxyType({})) -> Make:
    ready = PseudoHealthy(PseudoHealthyParams.parse(params), fitted)
    return lambda tile: ready.predict(tile, MPP, {})


def xia(tissue: Tissue) -> Make:
    told = cycles_told(tissue, "xia")
    context = FitContext(SilentProgress(), seed=SEED, preview=course(tissue), preview_every_s=0.0)
    return made_by(fitted_engine(tissue, told, context))


def cyclegan(tissue: Tissue) -> Make:
    """Return what a CycleGAN makes; where it changed more than a tenth counts as its mask."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pseudo_healthy_xia, "CycleLearner", PlainCycleLearner)
        told = cycles_told(tissue, "cyclegan")
        # Named, as it must not share what the engine learns by the same parameters.
        named = replace(tissue, name=f"{tissue.name}, CycleGAN")
        make = made_by(fitted_engine(named, told, FitContext(SilentProgress(), seed=SEED)))

    def made(tile: Rgb) -> Synthesised:
        picture = make(tile).picture
        changed = np.abs(picture.astype(np.float32) - tile).mean(axis=2) / 255
        return Synthesised(picture, (changed > 0.1).astype(np.float32))

    return made


def cycles_told(tissue: Tissue, name: str) -> dict[str, Any]:
    given = {"patch_px": tissue.patch_px, **tissue.fit, **tissue.cycles, **FIT.get(name, {})}
    return {**given, "engine": "xia"}


def course(tissue: Tissue) -> Callable[[Fitted], None]:
    """Return what prints how far what is made is, every 20 steps of the generators."""
    due = 0

    def told(fitted: Fitted) -> None:
        nonlocal due
        point = fitted.curves[-1] if fitted.curves else {"step": 0.0}
        step = int(point["step"]) // TURNS
        if step < due:
            return
        due = 20 * (step // 20 + 1)
        make = made_by(fitted)
        score = scores([count(case, make(case.tile), nowhere) for case in tissue.cases])
        cells = [f"{key} {score[key]:.4f}" for key in ("twin_l1", "twin_share", "identity", "dice")]
        losses = [f"{key} {value:.3f}" for key, value in point.items()]
        print(f"  step {step:>4}  {'  '.join(cells)}  ({', '.join(losses)})", flush=True)

    return told


def nowhere(tile: Rgb) -> Flags:
    return np.zeros(tile.shape[:2], np.bool_)


def no_change(tissue: Tissue) -> Make:
    return lambda tile: Synthesised(tile, np.zeros(tile.shape[:2], np.float32))


ROWS: dict[str, Callable[[Tissue], Make]] = {
    "no change": no_change,
    "inpaint": engine("inpaint"),
    "painted": engine("inpaint", beside=0.0),
    "gvs": engine("gvs"),
    "xia": xia,
    "cyclegan": cyclegan,
}
CHOSEN = os.environ.get("PATHOVIEW_BENCH_ROWS", ",".join(ROWS)).split(",")


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pathoview.methods.engine.conditions.usable_cores", lambda: 1)


def test_generated_tissue() -> None:
    rows = measure_rows(generated())
    for name in {"inpaint", "painted"} & rows.keys():
        assert rows[name]["healthiness"] >= 0.90
        assert rows[name]["identity"] >= 0.98
    if "painted" in rows:
        # Tissue from beside is another tissue than the twin's.
        assert rows["painted"]["twin_share"] <= 0.45


@pytest.mark.skipif(not LYMPH.is_dir(), reason="needs the shared data")
def test_lymph_nodes() -> None:
    with ExitStack() as stack:
        measure_rows(lymph_nodes(stack))


def generated() -> Tissue:
    some = [twins(900_000 + number) for number in range(60)]
    cases = [Case(one.sick, one.lesion, one.healthy) for one in some]
    budget = {"n_steps": 200, "batch": 4, "width": 8, "lr_times": 5.0}
    return Tissue("generated", synthesis_data(300, 300, 20), cases, 8, SIDE, cycles=budget)


def lymph_nodes(stack: ExitStack) -> Tissue:
    """Return tiles with tumour of lymph nodes at about 1 µm per px."""
    images, cases = [], []
    for path in sorted((LYMPH / "images").glob("*.jpg")):
        slide = stack.enter_context(open_slide(path))
        with_scale(slide, LYMPH_MPP)
        mask = cv2.imread(str(LYMPH / "masks" / f"{path.stem}.png"), cv2.IMREAD_GRAYSCALE)
        assert mask is not None
        image = LabelledImage(
            slide, ClassImage((mask > 0).astype(np.uint8)), path.stem, group=path.stem
        )
        if path.stem < FIRST_HELD_OUT:
            images.append(image)
            continue
        grid = analysis_grid(slide, MPP)
        tile = read_patch(slide, grid, 0, 0, grid.width, grid.height)
        step = round(grid.scale_l0)
        cases.append(Case(tile, mask[::step, ::step] > 0))
    data = TrainingData(images, (TargetClass("Tumour"),))
    budget = {"n_steps": 300, "batch": 4, "width": 8, "lr_times": 5.0, "patch_px": 64}
    fit = {"n_steps": 150, "batch": 4}
    return Tissue("lymph nodes", data, cases, 24, 96, fit, budget, segmentor_steps=150)


def measure_rows(tissue: Tissue) -> dict[str, dict[str, float]]:
    """Train and measure the chosen rows, print them, and return their scores."""
    found = separate_segmentor(tissue)
    print(f"\n{tissue.name}: {len(tissue.cases)} tiles, seed {SEED}")
    rows = {}
    for name in CHOSEN:
        start = time.process_time()
        make = ROWS[name](tissue)
        seconds = time.process_time() - start
        made = [make(case.tile) for case in tissue.cases]
        counted = [count(case, one, found) for case, one in zip(tissue.cases, made, strict=True)]
        told = scores_with_intervals(counted)
        rows[name] = {key: one.value for key, one in told.items()}
        cells = [
            f"{key} {one.value:.3f} ({one.low:.3f}-{one.high:.3f})" for key, one in told.items()
        ]
        seen = told_from_real(tissue, [one.picture for one in made])
        print(
            f"{name:<10}{seconds:>6.0f} s  {'  '.join(cells)}  told from real {seen:.3f}",
            flush=True,
        )
        save(tissue, name, made)
    return rows


def count(case: Case, made: Synthesised, found: Callable[[Rgb], Flags]) -> TileMeasures:
    """Return what is measured of a tile."""
    both = found(case.tile), found(made.picture)
    return measured(case.tile, made.picture, case.truth, made.pathology > 0.5, both, case.twin)


def separate_segmentor(tissue: Tissue) -> Callable[[Rgb], Flags]:
    """Return what finds pathology and had no part in any row."""
    params = ScribbleSegmentationParams()
    how = ScribbleSegmentationFitParams(n_steps=tissue.segmentor_steps, n_self_steps=0, patch_px=64)
    context = FitContext(SilentProgress(), seed=SEED + 1000)
    fitted = ScribbleSegmentation(params).fit(tissue.data, how, context)
    ready = ScribbleSegmentation(params, fitted)
    column = list(fitted.settings["values"]).index(1)

    def found(tile: Rgb) -> Flags:
        return np.asarray(ready.predict(tile, MPP, {})[..., column] > 0.5)

    dice = [found(case.tile) for case in tissue.cases]
    n_right = sum(
        np.count_nonzero(one & case.truth) for one, case in zip(dice, tissue.cases, strict=True)
    )
    n_both = sum(one.sum() + case.truth.sum() for one, case in zip(dice, tissue.cases, strict=True))
    print(f"\nthe separate segmentor: Dice {2 * n_right / n_both:.3f}", end="")
    return found


def told_from_real(tissue: Tissue, pictures: Sequence[Rgb]) -> float:
    """Return how well a classifier tells pieces that were made from real healthy ones (AUROC).

    Pieces lie wholly within the true mask in what was made, or wholly outside of it in tiles as
    they are. It is asked about tiles that it did not learn from.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GroupKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    rows, is_made, groups = [], [], []
    for number, (case, picture) in enumerate(zip(tissue.cases, pictures, strict=True)):
        for made in (False, True):
            for piece in pieces(
                picture if made else case.tile, case.truth == made, tissue.window_px
            ):
                rows.append(texture(piece))
                is_made.append(made)
                groups.append(number)
    ways = GroupKFold(5)
    classifier = make_pipeline(
        StandardScaler(), LogisticRegression(max_iter=1000, class_weight="balanced")
    )
    told = cross_val_predict(
        classifier,
        np.array(rows),
        np.array(is_made),
        groups=groups,
        cv=ways,
        method="decision_function",
    )
    return auroc(told, np.array(is_made))


def pieces(picture: Rgb, where: Flags, side: int) -> Iterator[Rgb]:
    for top in range(0, len(picture) - side + 1, side):
        for left in range(0, picture.shape[1] - side + 1, side):
            there = slice(top, top + side), slice(left, left + side)
            if where[there].all():
                yield picture[there]


def texture(piece: Rgb) -> list[float]:
    """Return what a piece looks like: colours, how they vary, and how sharply, at two scales."""
    values: list[float] = []
    for scale in (1, 2):
        size = len(piece) // scale, len(piece) // scale
        seen = cv2.resize(piece, size, interpolation=cv2.INTER_AREA).astype(np.float64)
        edges = cv2.Laplacian(seen, cv2.CV_64F)
        values += [
            *seen.mean((0, 1)),
            *seen.std((0, 1)),
            *np.abs(edges).mean((0, 1)),
            *edges.std((0, 1)),
        ]
    return values


def save(tissue: Tissue, name: str, made: Sequence[Synthesised]) -> None:
    """Write tiles, masks and what was made, one above the other."""
    if not OUT:
        return
    columns = []
    for case, one in list(zip(tissue.cases, made, strict=True))[:10]:
        outlined = case.tile.copy()
        rings, _order = cv2.findContours(
            case.truth.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
        )
        cv2.drawContours(outlined, rings, -1, (0, 200, 0), 1)
        said = np.repeat(np.rint(one.pathology * 255).astype(np.uint8)[..., None], 3, axis=2)
        columns.append(np.vstack([outlined, one.picture, said]))
    path = Path(OUT) / f"{tissue.name}-{name}.png".replace(" ", "-")
    cv2.imwrite(str(path), np.hstack(columns)[..., ::-1])
