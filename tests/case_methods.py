"""A method that searches for cases, its model, and pictures that are described for it at once."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from bag_runs import write_features

from pathoview.core.params import BaseParams
from pathoview.core.progress import Progress
from pathoview.core.registry import Registry
from pathoview.datasets.bags import EncoderUsed
from pathoview.methods import registry
from pathoview.methods.fitting import Fitted
from pathoview.methods.model import DataUsed, Model, ModelCard, ModelClass, write_model
from pathoview.methods.spec import Kind, MethodSpec
from pathoview.session import similar_cases
from pathoview.slides.opening import open_slide
from pathoview.slides.rgb import rgb_rule, thumbnail
from pathoview.slides.slide import Slide
from pathoview.tasks import features, method_building
from pathoview.tasks.features import FeatureOrder

N_TREES, N_LEAVES = 10, 16
CLASSES = (
    ModelClass(name="Normal", color=(150, 200, 150)),
    ModelClass(name="Malignant", color=(200, 0, 0)),
)
ENCODER = EncoderUsed("colour", "w0", 3, (), 64, source="random", of_whole=True)
PRECISION = {"precision_at_1": 0.75, "precision_at_5": 0.7, "precision_chance": 0.4}


class NoParams(BaseParams):
    """There is nothing to choose."""


class ColourCases:
    """Pictures are alike in their mean colour: each tree parts it a little further on."""

    def __init__(self, params: NoParams, fitted: Fitted) -> None:
        self._params = params

    def case_vector(self, features: npt.NDArray[np.float32]) -> npt.NDArray[np.int32]:
        shift = np.arange(N_TREES) / N_TREES
        red = float(features[:, 0].mean()) / 256 * N_LEAVES
        return np.floor(red + shift).astype(np.int32)

    def s_vector(self, features: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        return np.asarray(features.sum(axis=0) - 128 * len(features), np.float32)


SPEC = MethodSpec(
    name="colour_cases",
    title="Cases by colour",
    summary="Finds pictures of the same colour.",
    kind=Kind.BAG,
    learns_from="slides",
    mpp=1.0,
    patch_px=64,
    halo_um=0.0,
    stains=("H&E",),
    params=NoParams,
    reference="none",
    entry=f"{__name__}:ColourCases",
    fit_params=NoParams,
    looks_at_whole=True,
)


def known_cases(
    monkeypatch: pytest.MonkeyPatch,
    folder: Path,
    *,
    data: tuple[DataUsed, ...] = (),
    **metrics: float,
) -> Path:
    """Have the method known, and slides described by their colour; return a model of it.

    ``data``: what it learned from.
    """
    monkeypatch.setattr(features, "extract", described)
    methods = Registry("method", (*registry.METHODS, SPEC))
    for module in (registry, method_building, similar_cases):
        monkeypatch.setattr(module, "METHODS", methods)
    card = ModelCard(
        id="ca" * 16,
        title="Colour or not",
        method=SPEC.name,
        kind="bag",
        mpp=1.0,
        classes=CLASSES,
        data=data,
        settings={"encoder": asdict(ENCODER), "values": [1, 2]},
        metrics=metrics or PRECISION,
        intervals={"precision_at_1": (0.6, 0.9)},
    )
    path = folder / "colour.safetensors"
    write_model(path, Model(card, {"nothing": np.zeros(1, np.float32)}))
    return path


def described(slide: Slide, order: FeatureOrder, progress: Progress, *, weights: str = "") -> Path:
    """Stand in for `tasks.features.extract`: see `write_colour`."""
    assert (order.encoder, order.of_whole, weights) == (ENCODER.name, True, ENCODER.weights)
    progress.check()
    return write_colour(slide)


def write_colour(slide: Slide) -> Path:
    """Write the features of a slide: its mean colour, for each of its patches."""
    color = thumbnail(slide, 1.0, rgb_rule(slide)).mean(axis=(0, 1))
    rows = np.tile(color.astype(np.float32), (21, 1))
    return write_features(slide.content_hash, slide.pseudonym, rows, 7, ENCODER, of_whole=True)


def describe(path: Path) -> str:
    """Have a picture described; return its hash."""
    with open_slide(path) as slide:
        write_colour(slide)
        return slide.content_hash


def flat(red: int, number: int = 0) -> npt.NDArray[np.uint8]:
    """Return a picture of one colour; those of different numbers are no copies of each other."""
    picture = np.full((48, 64, 3), (red, 100, 160), np.uint8)
    picture[0, 0] = number
    return picture


def request(slide: Path, model: Path, **changes: Any) -> dict[str, Any]:
    return {"slide": str(slide), "model": str(model)} | changes
