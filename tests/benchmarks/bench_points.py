"""Nuclei from clicks on real tissue: ``pytest tests/benchmarks/bench_points.py -s``.

*Sixty clicks*: in the left half of each validation image of MoNuSeg (0.25 µm per px) 60 nuclei,
drawn at random, get a point. A model is taught with them, from scratch and (where there is one)
from the bundled model of nuclei; F1 of detection within 3 µm counts on the right half, beside that
of the watershed that needs no clicks. *All points*: the 12 training images with a point on every
nucleus teach one model, whose areas are compared on the validation images, with and without
parting. Data that must not be passed on: the shared folder has them, or nothing is measured.

``PATHOVIEW_BENCH_SEEDS`` (3): draws of clicks; ``PATHOVIEW_BENCH_IMAGES``: how many images;
``PATHOVIEW_BENCH_STEPS`` (0: as the schedule says) of both networks; ``PATHOVIEW_BENCH_ENCODER``:
another network of *all points*; ``PATHOVIEW_BENCH_START``: a model file instead of the bundled one.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from pathoview.core.geometry import Rect
from pathoview.core.params import BaseParams
from pathoview.core.progress import SilentProgress
from pathoview.datasets.image_labels import InstanceImage, point_labels
from pathoview.datasets.label_files import PointTable
from pathoview.datasets.labels import LabelledImage, TrainingData
from pathoview.evaluation import instances
from pathoview.evaluation.filling import filled
from pathoview.methods.fitting import FitContext, Fitted
from pathoview.methods.library import bundled_path
from pathoview.methods.model import Model, ModelCard, read_model
from pathoview.methods.registry import METHODS
from pathoview.methods.spec import Compute
from pathoview.methods.weak.point_nuclei import PointNuclei
from pathoview.methods.weak.point_nuclei_params import PointNucleiFitParams, PointNucleiParams
from pathoview.slides.opening import open_slide, with_scale
from pathoview.slides.slide import Slide
from pathoview.tasks.detect import detect
from pathoview.tasks.method_building import BuiltMethod, build_method, built

DATA = Path(__file__).parents[3] / "shared/data/nuclei/MoNuSeg30"
MPP, SIDE, N_CLICKS, REACH_PX = 0.25, 1000, 60, 12
SEEDS = int(os.environ.get("PATHOVIEW_BENCH_SEEDS", "3"))
N_IMAGES = int(os.environ.get("PATHOVIEW_BENCH_IMAGES", "0")) or None
N_STEPS = int(os.environ.get("PATHOVIEW_BENCH_STEPS", "0"))
ENCODER = os.environ.get("PATHOVIEW_BENCH_ENCODER", "by schedule")
SPEC = METHODS.get("point_nuclei")

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="needs the shared data")


def pictures(split: str) -> list[Path]:
    return sorted((DATA / split / "images").iterdir())


def known(path: Path) -> np.ndarray[Any, Any]:
    labels = cv2.imread(str(path.parents[1] / "labels" / f"{path.stem}.png"), cv2.IMREAD_UNCHANGED)
    return np.asarray(labels, np.int32)


def start_model() -> Model | None:
    said = os.environ.get("PATHOVIEW_BENCH_START")
    path = Path(said) if said else bundled_path("nuclei_unet")
    return read_model(path) if path.is_file() else None


def taught(
    images: Sequence[LabelledImage], start: Model | None, seed: int, encoder: str = "by schedule"
) -> tuple[Model, float]:
    params = PointNucleiFitParams.parse(
        {"n_steps": N_STEPS, "n_parting_steps": N_STEPS, "encoder": encoder}
    )
    context = FitContext(SilentProgress(), seed=seed, start=start)
    began = time.perf_counter()
    fitted = PointNuclei(PointNucleiParams()).fit(TrainingData(images, ()), params, context)
    return model_of(fitted), time.perf_counter() - began


def model_of(fitted: Fitted) -> Model:
    card = ModelCard(
        title="bench",
        method=SPEC.name,
        kind=SPEC.kind.value,
        mpp=float(fitted.settings["mpp"]),
        settings=dict(fitted.settings),
    )
    return Model(card, fitted.tensors)


def ready(model: Model, **params: Any) -> BuiltMethod:
    checked: BaseParams = PointNucleiParams.parse(params)
    return built(SPEC, checked, model, Compute())


def right_half_f1(slide: Slide, method: BuiltMethod, truth: np.ndarray[Any, Any]) -> float:
    found = detect(slide, method, lambda: None).centroids_l0()
    true_ones, told = (
        places[places[:, 0] >= SIDE / 2] for places in (instances.centroids(truth), found)
    )
    return instances.detection_f1(true_ones, told, REACH_PX)


def clicked(slide: Slide, truth: np.ndarray[Any, Any], name: str, seed: int) -> LabelledImage:
    places = instances.centroids(truth)
    places = places[places[:, 0] < SIDE / 2]
    chosen = np.random.default_rng(seed).choice(len(places), N_CLICKS, replace=False)
    table = PointTable(places[chosen], ("",) * N_CLICKS)
    return LabelledImage(slide, point_labels(table, (), MPP, (SIDE, SIDE)), name)


def test_sixty_clicks_find_more_than_the_watershed() -> None:
    start = start_model()
    starts = {"scratch": None} | ({"start": start} if start else {})
    watershed = build_method("nuclei_watershed", {})
    table: dict[str, list[float]] = {name: [] for name in ("watershed", *starts)}
    for path in pictures("val")[:N_IMAGES]:
        truth = known(path)
        with with_scale(open_slide(path), MPP) as slide:
            table["watershed"].append(right_half_f1(slide, watershed, truth))
            print(f"\n{path.stem[:24]:24s} watershed {table['watershed'][-1]:.3f}", flush=True)
            for seed in range(SEEDS):
                for name, begin in starts.items():
                    image = clicked(slide, truth, path.stem, seed)
                    model, seconds = taught([image], begin, seed)
                    table[name].append(right_half_f1(slide, ready(model), truth))
                    print(
                        f"  seed {seed} {name} {table[name][-1]:.3f} in {seconds:.0f} s", flush=True
                    )
    print({name: round(float(np.mean(values)), 3) for name, values in table.items()})


def test_all_points_of_twelve_images_give_areas() -> None:
    with ExitStack() as stack:
        images = [
            LabelledImage(
                stack.enter_context(with_scale(open_slide(path), MPP)),
                InstanceImage(known(path)),
                path.stem,
                split,
            )
            for split in ("train", "val")
            for path in pictures(split)[:N_IMAGES]
        ]
        model, seconds = taught(images, None, 0, ENCODER)
        print(f"\n{ENCODER}: taught in {seconds:.0f} s")
        scores = {
            parting: [areas(image, ready(model, parting=parting)) for image in images[-4:]]
            for parting in ("none", "fast", "centers")
        }
    for parting, rows in scores.items():
        means = np.mean(rows, axis=0).round(4).tolist()
        print(
            f"{parting:7s} AJI, pixel F1, object Dice, PQ {means}", [round(r[0], 3) for r in rows]
        )


def areas(image: LabelledImage, method: BuiltMethod) -> tuple[float, float, float, float]:
    truth = image.labels.instances(_whole(image.slide), SIDE, SIDE).labels
    labels = filled(detect(image.slide, method, lambda: None), SIDE, SIDE)
    table = instances.overlaps(truth, labels)
    return (
        instances.aji(table),
        instances.pixel_scores(truth, labels).f1,
        instances.dice_object(table),
        instances.panoptic_quality(table),
    )


def _whole(slide: Slide) -> Rect:
    return Rect(0, 0, slide.info.width, slide.info.height)
