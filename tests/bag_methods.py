"""A method for whole slides that looks for bright tiles, its model, what describes its tiles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from pathoview.core.errors import InputError
from pathoview.core.geometry import Cell
from pathoview.core.progress import Progress
from pathoview.core.registry import Registry
from pathoview.datasets.bags import EncoderUsed, TileGrid
from pathoview.methods import registry
from pathoview.methods.bag_params import TissueParams
from pathoview.methods.fitting import Fitted
from pathoview.methods.model import Model, ModelCard, ModelClass, write_model
from pathoview.methods.spec import BagFound, Kind, MethodSpec
from pathoview.session import analysis_desk, model_desk
from pathoview.session.run_attention import RunAttention
from pathoview.session.session import Session
from pathoview.slides.reading import analysis_grid, read_patch
from pathoview.slides.slide import Slide
from pathoview.tasks import features, method_building
from pathoview.tasks.features import FeatureOrder

CLASSES = (
    ModelClass(name="Benign", color=(150, 200, 150)),
    ModelClass(name="Tumor", color=(200, 0, 0)),
)
MPP, TILE_PX = 1.0, 64
ENCODER = EncoderUsed("mean", "w0", 1, (MPP,), TILE_PX, source="random")
_GLASS = 235
"""Brightness of tiles that are not tissue."""
_MIDDLE, _WIDTH = 190.0, 8.0


class NoParams(TissueParams):
    """There is nothing to choose."""


class BrightTiles:
    """A bright tile is tumor, and what is bright counts."""

    def __init__(self, params: NoParams, fitted: Fitted) -> None:
        self._params = params

    def predict(self, features: npt.NDArray[np.float32]) -> BagFound:
        score = (features[:, 0] - _MIDDLE) / _WIDTH
        tumor = 1 / (1 + np.exp(-score))
        attention = np.exp(score - score.max())
        attention /= attention.sum()
        evidence = np.stack([1 - tumor, tumor], axis=1).astype(np.float32)
        return BagFound(attention @ evidence, attention.astype(np.float32), evidence)


SPEC = MethodSpec(
    name="bright_tiles",
    title="Bright tiles",
    summary="Tells slides with a bright tile from others.",
    kind=Kind.BAG,
    learns_from="slides",
    mpp=MPP,
    patch_px=TILE_PX,
    halo_um=0.0,
    stains=("H&E",),
    params=NoParams,
    reference="none",
    entry=f"{__name__}:BrightTiles",
    fit_params=NoParams,
)


class FakeFeatures:
    """Stands in for `tasks.features`: the mean brightness of each tile that is no glass."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.weights = ENCODER.weights
        self.n_described = 0
        """How many slides had to be looked at."""

    def extract(
        self, slide: Slide, order: FeatureOrder, progress: Progress, *, weights: str = ""
    ) -> Path:
        if weights != self.weights:
            raise InputError("These tiles were described by other weights.")
        path = self._folder / f"{slide.content_hash}.npz"
        if path.exists():
            return path
        self.n_described += 1
        grid, side = analysis_grid(slide, order.mpp[0]), order.tile_px
        found = []
        for row in range(grid.height // side):
            progress.report(row * side / grid.height)
            progress.check()
            for column in range(grid.width // side):
                tile = read_patch(slide, grid, column * side, row * side, side, side)
                found.append((column, row, float(tile.mean())))
        tiles = np.array([one for one in found if one[2] < _GLASS]).reshape(-1, 3)
        np.savez(path, tiles=tiles, side=side * grid.scale_l0)
        return path

    def bag_of(self, path: Path) -> tuple[npt.NDArray[np.float32], TileGrid, EncoderUsed]:
        with np.load(path) as data:
            tiles, side = data["tiles"], float(data["side"])
        columns, rows = tiles[:, :2].T.astype(np.int32)
        grid = TileGrid(columns, rows, Cell.square(side))
        return tiles[:, 2:].astype(np.float32), grid, ENCODER


def known_bags(
    monkeypatch: pytest.MonkeyPatch, folder: Path, **settings: Any
) -> tuple[Path, FakeFeatures]:
    """Have the method known; return a model of it, and what describes its tiles."""
    others = (one for one in registry.METHODS if one is not SPEC)
    methods = Registry("method", (*others, SPEC))
    for module in (registry, method_building, analysis_desk, model_desk):
        monkeypatch.setattr(module, "METHODS", methods)
    described = FakeFeatures(folder)
    monkeypatch.setattr(features, "extract", described.extract)
    for name in ("bag_of", "kept_bag"):
        monkeypatch.setattr(features, name, described.bag_of)
    card = ModelCard(
        id="b0" * 16,
        title="Bright or not",
        method=SPEC.name,
        kind="bag",
        mpp=MPP,
        classes=CLASSES,
        settings={"encoder": asdict(ENCODER), "threshold": 0.3, "values": [1, 2], **settings},
        metrics={"auroc": 0.91},
        intervals={"auroc": (0.85, 0.96)},
    )
    path = folder / "bright.safetensors"
    write_model(path, Model(card, {"nothing": np.zeros(1, np.float32)}))
    return path, described


def planted(
    width: int, height: int, column: int, row: int, side: int, *, glass_px: int = 0
) -> npt.NDArray[np.uint8]:
    """Return dark tissue with one bright square: the tile at (column, row) of a grid of a side."""
    rng = np.random.default_rng(0)
    rgb = np.clip(rng.normal((170, 90, 150), 6, (height, width, 3)), 0, 255).astype(np.uint8)
    rgb[row * side : (row + 1) * side, column * side : (column + 1) * side] = (250, 200, 240)
    if glass_px:
        rim = np.ones((height, width), bool)
        rim[glass_px:-glass_px, glass_px:-glass_px] = False
        rgb[rim] = 245
    return rgb


def attention_of(session: Session) -> RunAttention:
    """Return the tiles of the run that is shown."""
    assert session.results is not None
    assert session.results.attention is not None
    return session.results.attention


def has_attention(session: Session) -> bool:
    return session.results is not None and attention_of(session).n_tiles > 0


def request(slide: Path, model: Path, **changes: Any) -> Mapping[str, Any]:
    return {"slide": str(slide), "model": str(model)} | changes
