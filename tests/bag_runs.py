"""Runs of methods for whole slides, as result files, and features of tiles, without any model."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from run_files import new_run

from pathoview.annotations.detections import DetectionClass
from pathoview.datasets.bags import EncoderUsed
from pathoview.slides.slide import Slide
from pathoview.study.bag_rows import BagTiles
from pathoview.study.feature_file import FeatureFile, FeatureRecord, TileFeatures, feature_path

SIDE_L0 = 64.0
CLASSES = (DetectionClass("Benign", (150, 200, 150)), DetectionClass("Tumor", (200, 0, 0)))
ENCODER = EncoderUsed("random", "w0", 8, (0.5,), 64, source="random")


def places(n_columns: int, n_rows: int) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """Return the columns and rows of all tiles of a grid, row by row."""
    rows, columns = np.divmod(np.arange(n_columns * n_rows, dtype=np.int32), np.int32(n_columns))
    return columns, rows


def bag_run(
    slide: Slide, weights: npt.ArrayLike, tumor: npt.ArrayLike | None = None, **changes: Any
) -> Path:
    """Write a finished run; ``weights``: (row, column) how much each tile counted.

    ``tumor``: (row, column) evidence of the second class; else it follows the weights.
    """
    raw = np.asarray(weights, np.float32)
    n_rows, n_columns = raw.shape
    evidence = raw / raw.max() if tumor is None else np.asarray(tumor, np.float32)
    facts = {
        "gives": "bag",
        "method": "attention_mil",
        "title": "Tumor or not",
        "model": "m1",
        "classes": CLASSES,
        "probabilities": (0.2, 0.8),
        "scale_l0": SIDE_L0,
        "grid_px": (n_columns, n_rows),
        "state": "done",
        "context": {"encoder": asdict(ENCODER)},
    }
    with new_run(slide, **(facts | changes)) as run:
        second = evidence.ravel()
        tiles = BagTiles(
            *places(n_columns, n_rows),
            raw.ravel() / raw.sum(),
            np.stack([1 - second, second], axis=1).astype(np.float32),
        )
        run.bag_rows().store(tiles)
        return run.path


def write_features(
    slide_hash: str,
    pseudonym: str,
    features: npt.NDArray[np.floating],
    n_columns: int,
    used: EncoderUsed = ENCODER,
    **changes: Any,
) -> Path:
    """Write the finished features of a slide, (tile, feature), row by row of a full grid."""
    n_rows = len(features) // n_columns
    record = FeatureRecord(
        slide_hash=slide_hash,
        pseudonym=pseudonym,
        encoder=used.name,
        weights=used.weights,
        n_features=features.shape[1],
        mpp=used.mpp,
        tile_px=used.tile_px,
        side_l0=SIDE_L0,
        n_columns=n_columns,
        n_rows=n_rows,
        **({"finished": "2026-01-01T00:00:00+00:00"} | changes),
    )
    path = feature_path(record)
    with FeatureFile.create(path, record) as file:
        tissue = np.ones(len(features), np.float32)
        file.add_block(
            0, 0, TileFeatures(*places(n_columns, n_rows), tissue, features.astype(np.float32))
        )
    return path
