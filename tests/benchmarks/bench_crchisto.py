"""How well pictures with an epithelial nucleus are told by their labels alone: CRCHistoPhenotypes.

``OMP_NUM_THREADS=1 python tests/benchmarks/bench_crchisto.py [DATA] [--method NAME]``: 80 pictures
of 500 px, tiles of 64 px at 0.5 µm by the bundled encoder, ten folds of pictures, five seeds; AUROC
beside the pooling of tiles, and whether attention and evidence point at the tiles with such nuclei.
The method's own settings; nothing is chosen by what comes out.
"""

from __future__ import annotations

import argparse
import csv
import json
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pathoview.core.progress import Progress, SilentProgress
from pathoview.core.registry import load_entry
from pathoview.datasets.bags import Bag, BagData, Features
from pathoview.evaluation.slides import auroc, scores_with_intervals
from pathoview.methods.engine import bag_baselines
from pathoview.methods.fitting import FitContext
from pathoview.methods.registry import METHODS
from pathoview.methods.spec import BagFound, Compute
from pathoview.tasks.bag_data import open_bag_data
from pathoview.tasks.bag_labels import BagSource
from pathoview.tasks.cross_validation import (
    CrossValidation,
    Fit,
    FoldOrder,
    Ready,
    judged,
    planned_folds,
)
from pathoview.tasks.features import FeatureOrder

DATA = Path(__file__).parents[3] / "shared" / "data" / "crchisto"
LOOKED_FOR, UNKNOWN = "epithelial", "unlabelled"
TILE_PX, MPP, N_FOLDS, N_SEEDS = 64, 0.5, 10, 5

Nuclei = Mapping[str, Sequence[tuple[float, float, str]]]


def read(data: Path) -> Nuclei:
    """Return the nuclei of each picture."""
    found: dict[str, list[tuple[float, float, str]]] = defaultdict(list)
    with (data / "nuclei.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            found[row["image"]].append((float(row["x"]), float(row["y"]), row["class"]))
    return found


def described(data: Path, nuclei: Nuclei) -> BagData:
    """Return a bag a picture; those without tissue are left out, and told of."""
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "labels.csv"
        lines = [
            f"{name},{LOOKED_FOR if any(one[2] == LOOKED_FOR for one in own) else 'none'}"
            for name, own in nuclei.items()
        ]
        table.write_text("\n".join(["slide,label", *lines]))
        source = BagSource(
            images=str(data), labels=str(table), classes=("none", LOOKED_FOR), mpp=MPP
        )
        order = FeatureOrder(tile_px=TILE_PX, mpp=(MPP,))
        bags = open_bag_data(source, order, SilentProgress())
    left_out = {one.slide: one.reason for one in bags.left_out}
    print(json.dumps({"counts": bags.data.counts(), "left_out": left_out}), flush=True)
    return bags.data


def truth_of_tiles(bag: Bag, nuclei: Sequence[tuple[float, float, str]]) -> np.ndarray:
    """Return of each tile whether it holds such a nucleus, (tile,); -1: nobody can say."""
    kinds: dict[tuple[int, int], Counter[str]] = defaultdict(Counter)
    for x, y, name in nuclei:
        kinds[int(x // bag.grid.side_l0), int(y // bag.grid.side_l0)][name] += 1
    said = []
    for place in zip(bag.grid.columns.tolist(), bag.grid.rows.tolist(), strict=True):
        held = kinds[place]
        said.append(1 if held[LOOKED_FOR] else -1 if held[UNKNOWN] else 0)
    return np.array(said)


class Watched:
    """Fits a method, and remembers what it says of the tiles of pictures held out."""

    def __init__(self, method: str, seed: int) -> None:
        self.spec = METHODS.get(method)
        self.found: list[tuple[Features, BagFound]] = []
        self._seed = seed

    def __call__(self, data: BagData, progress: Progress, state: Path | None) -> Ready:
        entry, params = load_entry(self.spec.entry), self.spec.params()
        assert self.spec.fit_params is not None
        context = FitContext(progress, seed=self._seed)
        fitted = entry(params).fit(data, self.spec.fit_params(), context)
        method = entry(params, fitted, Compute())

        def predict(features: Features) -> BagFound:
            found: BagFound = method.predict(features)
            self.found.append((features, found))
            return found

        return Ready(fitted, predict)


def baseline(kind: Any, seed: int, data: BagData, progress: Progress, state: Path | None) -> Ready:
    fitted = bag_baselines.fit(kind, data, FitContext(progress, seed=seed))
    return Ready(fitted, lambda features: bag_baselines.predict(fitted, features))


def of_tiles(watched: Watched, data: BagData, nuclei: Nuclei) -> dict[str, float]:
    """Return mean AUROC over the positive pictures that have tiles of both kinds."""
    by_features = {id(bag.features): bag for bag in data.bags}
    scores: dict[str, list[float]] = {"attention": [], "evidence": []}
    for features, found in watched.found:
        bag = by_features[id(features)]
        truth = truth_of_tiles(bag, nuclei[bag.name])
        is_known = truth >= 0
        if bag.label != 1 or len(set(truth[is_known].tolist())) < 2:
            continue
        of_tile = {"attention": found.attention, "evidence": found.evidence[:, 1]}
        for name, values in of_tile.items():
            known = values[is_known].astype(np.float64)
            scores[name].append(auroc(known, truth[is_known] == 1))
    told = {f"{name}_auroc_of_tiles": float(np.mean(own)) for name, own in scores.items()}
    return {**told, "n_pictures": len(scores["attention"])}


def run(
    data: BagData, nuclei: Nuclei, method: str, beside: Sequence[str], seed: int
) -> dict[str, Any]:
    started = time.perf_counter()
    names = [bag.name for bag in data.bags]
    order = FoldOrder(n_folds=N_FOLDS, hold_out="patients")
    folds = planned_folds(data, names, [""] * len(names), order, seed)
    watched = Watched(method, seed)
    fits: dict[str, Fit] = {method: watched}
    fits |= {kind: partial(baseline, kind, seed) for kind in beside}
    with tempfile.TemporaryDirectory() as folder:
        course = CrossValidation(data, folds, fits, Path(folder) / "bench.state")
        unseen = course.run(SilentProgress())
    truth = np.array([data.bags[row].label for row in unseen.rows])
    said = {
        name: judged(one, truth, unseen.folds, "youden")
        for name, one in unseen.probabilities.items()
    }
    scores, intervals = scores_with_intervals(said, unseen.rows, ("auroc",), seed=seed)
    told: dict[str, Any] = {"method": method, "seed": seed}
    compared = [f"{part}{kind}.auroc" for kind in beside for part in ("", "over_")]
    for name in ("auroc", "balanced_accuracy", "brier", *compared):
        own = intervals[name]
        told[name] = [round(scores[name], 3), round(own.low, 3), round(own.high, 3)]
    return {**told, **of_tiles(watched, data, nuclei), "s": time.perf_counter() - started}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", nargs="?", type=Path, default=DATA)
    parser.add_argument("--method", default="attention_mil")
    parser.add_argument("--beside", nargs="*", default=["mean"], choices=bag_baselines.KINDS)
    parser.add_argument("--seeds", type=int, default=N_SEEDS)
    said = parser.parse_args()
    torch.set_num_threads(1)
    nuclei = read(said.data)
    data = described(said.data, nuclei)
    for seed in range(said.seeds):
        print(json.dumps(run(data, nuclei, said.method, said.beside, seed)), flush=True)


if __name__ == "__main__":
    main()
