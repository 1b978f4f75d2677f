"""Folders of small pictures with a table of labels, and tiles that are described at once."""

from __future__ import annotations

import csv
import zlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np

from pathoview.core.geometry import Cell
from pathoview.core.progress import Progress
from pathoview.datasets.bags import EncoderUsed, TileGrid
from pathoview.slides.opening import open_slide
from pathoview.slides.slide import Slide
from pathoview.study.model import SlideLabel, SlideRecord
from pathoview.tasks.bag_data import Described
from pathoview.tasks.features import FeatureOrder

N_FEATURES = 6
N_TILES = 8
SIDE_L0 = 16.0
ENCODER = EncoderUsed("fake", "0" * 8, N_FEATURES, (0.5,), 16, licence="CC0", source="random")


def pictures(folder: Path, names: Iterable[str]) -> Path:
    """Write a small picture of each name; no two are alike."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        rng = np.random.default_rng(zlib.crc32(name.encode()))
        pixels = rng.integers(0, 256, (32, 64, 3), dtype=np.uint8)
        cv2.imwrite(str(folder / f"{name}.png"), pixels)
    return folder


def table(path: Path, rows: Iterable[Mapping[str, object]]) -> Path:
    """Write a table whose columns are those of its first row."""
    lines = list(rows)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(lines[0]))
        writer.writeheader()
        writer.writerows(lines)
    return path


def cohort(folder: Path, n: int = 12, classes: Sequence[str] = ("Normal", "Tumor")) -> list[Path]:
    """Write ``n`` pictures, each of a patient of its own, and ``labels.csv``; return both."""
    names = {f"{classes[number % len(classes)]}-{number}": number for number in range(n)}
    rows = [
        {"slide": f"{name}.png", "label": name.partition("-")[0], "patient": f"P{number}"}
        for name, number in names.items()
    ]
    return [pictures(folder / "slides", names), table(folder / "labels.csv", rows)]


def described(
    slide: Slide, progress: Progress, order: FeatureOrder, weights: str = ""
) -> Described:
    """Return tiles of a picture: some of a ``Tumor`` differ, ``Empty`` has none."""
    progress.check()
    name = slide.path.stem
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    n = 0 if name.startswith("Empty") else N_TILES
    features = rng.normal(size=(n, N_FEATURES)).astype(np.float32)
    features[: N_TILES // 4] += 4.0 * name.startswith("Tumor")
    places = np.arange(n, dtype=np.int32)
    return features, TileGrid(places % 4, places // 4, Cell.square(SIDE_L0)), ENCODER


def recorded(path: Path, *labels: SlideLabel, **members: object) -> SlideRecord:
    """Return the record of a picture for a study."""
    with open_slide(path) as slide:
        said = {"slide_hash": slide.content_hash, "pseudonym": slide.pseudonym, "path": str(path)}
        return SlideRecord.model_validate({**said, "labels": labels, "mpp": (0.5, 0.5), **members})
