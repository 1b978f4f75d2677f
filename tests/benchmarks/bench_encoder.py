"""What encoders see in tissue: the one that came with the program, ImageNet's, and random weights.

``OMP_NUM_THREADS=1 python tests/benchmarks/bench_encoder.py [DATA] [--own FILE] [--part PART]``.
All have the same architecture and are asked alike: their features, each brought to mean 0 and
deviation 1, and a logistic regression on them.

- ``tumour``: is a tile of 96 px tumour? 32 pictures of lymph nodes, in four folds of pictures. Our
  encoder has seen these pictures, but no label. Recipes may be chosen by this part.
- ``nuclei``: which of three classes is a nucleus, in 4,500 patches of 48 px of CRCHistoPhenotypes?
  Learned from two thirds of the pictures, asked of the others; five seeds part them. No encoder
  has seen these pictures, and nothing is chosen by this part.

Intervals of 95 % draw pictures anew, the same ones for all that is compared.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import save_file

from pathoview.evaluation.bootstrap import Interval, grouped_intervals
from pathoview.evaluation.confusion import accuracy, confusion_matrix, macro_f1
from pathoview.evaluation.slides import auroc
from pathoview.methods.engine.encoders import build_encoder
from pathoview.methods.engine.tile_encoder import TileEncoder

DATA = Path(__file__).parents[3] / "shared" / "data"
ARCHITECTURE, OURS = "tf_efficientnet_lite0", "lite0_he"
OWN, IMAGENET, RANDOM = "own", "ImageNet", "random"
NAMES = ("epithelial", "inflammatory", "fibroblast")
N_RANDOM, N_SEEDS, N_NUCLEI = 2, 5, 1500
"""Draws of random weights; partings of the pictures; nuclei of each class."""
PICTURE_PX, PATCH_PX, TILE_PX, N_FOLDS = 500, 48, 96, 4
LEAST_TUMOUR, MOST_TUMOUR = 0.5, 0.05
"""Share of a tile: what lies between is left out."""
STRENGTH = 0.1
"""Of the regression: scikit-learn's C. Said beforehand."""

Rgb = npt.NDArray[np.uint8]
Rows = npt.NDArray[np.float32]


class Items(NamedTuple):
    """Tiles or patches with what they are, and the pictures they are from."""

    pixels: Rgb
    truth: npt.NDArray[np.int64]
    groups: npt.NDArray[np.int64]


def encoders(own: Path | None, folder: Path) -> dict[str, list[TileEncoder]]:
    """Return the encoders to compare."""
    ours = TileEncoder(ARCHITECTURE, str(own)) if own else TileEncoder(OURS)
    found = {OWN: [ours], IMAGENET: [TileEncoder(ARCHITECTURE, "bundled")], RANDOM: []}
    for seed in range(N_RANDOM):
        torch.manual_seed(seed)
        path = folder / f"random-{seed}.safetensors"
        save_file(build_encoder(ARCHITECTURE, "random").body.state_dict(), path)
        found[RANDOM].append(TileEncoder(ARCHITECTURE, str(path)))
    return found


def probed(rows: Rows, truth: npt.NDArray[np.int64], taught: npt.NDArray[np.bool_]) -> Rows:
    """Return the probabilities of the classes of what was not taught, (n, classes)."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    probe = make_pipeline(StandardScaler(), LogisticRegression(C=STRENGTH, max_iter=3000))
    found: Rows = probe.fit(rows[taught], truth[taught]).predict_proba(rows[~taught])
    return found


def tumour_tiles(data: Path) -> Items:
    """Return tiles of lymph nodes, each of a group that is its picture."""
    found = []
    for place, path in enumerate(sorted((data / "regions/camelyon/images").glob("*.jpg"))):
        mask = _read(data / "regions/camelyon/masks" / f"{path.stem}.png")
        found.append(_tiles(_read(path), mask[..., 0] > 0, place))
    return Items(*(np.concatenate(arrays) for arrays in zip(*found, strict=True)))


def _read(path: Path) -> Rgb:
    return np.asarray(cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB), np.uint8)


def _tiles(rgb: Rgb, is_tumour: npt.NDArray[np.bool_], group: int) -> Items:
    pixels, truth = [], []
    for y in range(0, rgb.shape[0] - TILE_PX + 1, TILE_PX):
        for x in range(0, rgb.shape[1] - TILE_PX + 1, TILE_PX):
            share = is_tumour[y : y + TILE_PX, x : x + TILE_PX].mean()
            if MOST_TUMOUR < share < LEAST_TUMOUR:
                continue
            pixels.append(rgb[y : y + TILE_PX, x : x + TILE_PX])
            truth.append(int(share >= LEAST_TUMOUR))
    shape = (len(pixels), TILE_PX, TILE_PX, 3)
    return Items(
        np.array(pixels, np.uint8).reshape(shape),
        np.array(truth, np.int64),
        np.full(len(pixels), group),
    )


def compare_tumour(data: Path, known: Mapping[str, Sequence[TileEncoder]]) -> None:
    items = tumour_tiles(data)
    is_tumour = items.truth == 1
    scores = {
        name: [_in_folds(one.rows(items.pixels), items) for one in own]
        for name, own in known.items()
    }

    def statistics(rows: npt.NDArray[np.int64]) -> dict[str, float]:
        found = {
            name: float(np.mean([auroc(one[rows], is_tumour[rows]) for one in own]))
            for name, own in scores.items()
        }
        return {**found, **_differences(found)}

    print(f"AUROC of tumour, {len(is_tumour)} tiles of lymph nodes, {is_tumour.sum()} with tumour")
    show(grouped_intervals(items.groups, statistics))


def _in_folds(rows: Rows, items: Items) -> npt.NDArray[np.float64]:
    """Return the probability of tumour of each, by a probe that has not seen its group's fold."""
    found = np.zeros(len(rows))
    for fold in range(N_FOLDS):
        taught = items.groups % N_FOLDS != fold
        found[~taught] = probed(rows, items.truth, taught)[:, 1]
    return found


def _differences(found: Mapping[str, float]) -> dict[str, float]:
    return {f"own - {name}": found[OWN] - found[name] for name in (IMAGENET, RANDOM)}


def nuclei(data: Path) -> Items:
    """Return patches of `N_NUCLEI` of each class, each of a group that is its picture."""
    found: dict[str, list[tuple[str, int, int]]] = {name: [] for name in NAMES}
    with (data / "crchisto/nuclei.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            x, y = (int(float(row[of])) - PATCH_PX // 2 for of in "xy")
            if row["class"] in found and min(x, y) >= 0 and max(x, y) <= PICTURE_PX - PATCH_PX:
                found[row["class"]].append((row["image"], x, y))
    rng = np.random.default_rng(0)
    chosen = [own[n] for own in found.values() for n in rng.permutation(len(own))[:N_NUCLEI]]
    names = sorted({name for name, _x, _y in chosen})
    seen = {name: _read(_picture(data, name)) for name in names}
    return Items(
        np.stack([seen[name][y : y + PATCH_PX, x : x + PATCH_PX] for name, x, y in chosen]),
        np.repeat(np.arange(len(NAMES)), N_NUCLEI),
        np.array([names.index(name) for name, _x, _y in chosen]),
    )


def _picture(data: Path, name: str) -> Path:
    (path,) = (data / "crchisto").rglob(f"{name}.[bjp][mpn]*")
    return path


def compare_nuclei(data: Path, known: Mapping[str, Sequence[TileEncoder]]) -> None:
    """Print scores over all seeds; each parts the pictures anew."""
    items = nuclei(data)
    rows = {name: [one.rows(items.pixels) for one in own] for name, own in known.items()}
    said: dict[str, list[npt.NDArray[np.int64]]] = {name: [] for name in known}
    truths, groups = [], []
    for seed in range(N_SEEDS):
        order = np.random.default_rng(seed).permutation(items.groups.max() + 1)
        taught = np.isin(items.groups, order[: 2 * len(order) // 3])
        truths.append(items.truth[~taught])
        groups.append(items.groups[~taught])
        right = {}
        for name, own in rows.items():
            said[name].append(probed(own[seed % len(own)], items.truth, taught).argmax(1))
            right[name] = round(float(np.mean(said[name][-1] == truths[-1])), 4)
        print(f"seed {seed}: {taught.sum()} taught, {len(truths[-1])} asked, right: {right}")
    truth = np.concatenate(truths)
    answers = {name: np.concatenate(own) for name, own in said.items()}
    for title, measure in (("Accuracy", accuracy), ("Macro-F1", macro_f1)):
        print(f"{title} of three classes of nuclei, {N_SEEDS} seeds")
        statistics = partial(_scores, measure, truth, answers)
        show(grouped_intervals(np.concatenate(groups), statistics))


def _scores(
    measure: Callable[[npt.NDArray[np.int64], int], float],
    truth: npt.NDArray[np.int64],
    answers: Mapping[str, npt.NDArray[np.int64]],
    rows: npt.NDArray[np.int64],
) -> dict[str, float]:
    n = len(NAMES)
    found = {
        name: measure(confusion_matrix(truth[rows], own[rows], (n, n)), n)
        for name, own in answers.items()
    }
    return {**found, **_differences(found)}


def show(found: Mapping[str, Interval]) -> None:
    for name, one in found.items():
        print(f"  {name:16} {one.value:7.4f}  {one.low:.4f} to {one.high:.4f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", nargs="?", type=Path, default=DATA)
    parser.add_argument("--own", type=Path, help="weights to compare instead of the bundled ones")
    parser.add_argument("--part", choices=["tumour", "nuclei", "both"], default="both")
    said = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        known = encoders(said.own, Path(folder))
    if said.part != "nuclei":
        compare_tumour(said.data, known)
    if said.part != "tumour":
        compare_nuclei(said.data, known)


if __name__ == "__main__":
    main()
