"""How well pictures with an epithelial nucleus are told by their labels alone: CRCHistoPhenotypes.

``PYTHONPATH=tests OMP_NUM_THREADS=1 python tests/benchmarks/bench_crchisto.py [--method NAME]``: 80
pictures of 500 px, tiles of 64 px at 0.5 µm by the bundled encoder, ten folds of pictures, five
seeds; AUROC beside the pooling of tiles, and whether attention and evidence point at the tiles with
such nuclei. The method's own settings; nothing is chosen by what comes out.

Each seed's result is kept in a file of ``--kept`` as soon as it is there, so that what was killed
goes on with the next seed. Intervals draw pictures anew; what is drawn are the means of all seeds.
"""

from __future__ import annotations

import argparse
import csv
import json
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from bag_learning import learned, settings_of

from pathoview.core.progress import Progress, SilentProgress
from pathoview.datasets.bags import Bag, BagData, Features
from pathoview.datasets.slide_folds import FoldOrder
from pathoview.evaluation.bootstrap import Interval, grouped_intervals
from pathoview.evaluation.slides import auroc
from pathoview.methods.engine import bag_baselines
from pathoview.methods.spec import BagFound
from pathoview.tasks.bag_data import open_bag_data
from pathoview.tasks.bag_labels import BagSource
from pathoview.tasks.cross_validation import CrossValidation, Ready, planned_folds
from pathoview.tasks.features import FeatureOrder

DATA = Path(__file__).parents[3] / "shared" / "data" / "crchisto"
LOOKED_FOR, UNKNOWN = "epithelial", "unlabelled"
OF_TILES = "attention", "evidence"
TILE_PX, MPP = 64, 0.5

Nuclei = Mapping[str, Sequence[tuple[float, float, str]]]
Result = Mapping[str, Mapping[str, Mapping[str, float]]]
"""Of a seed, by predictor: ``slides``, ``attention`` and ``evidence``, by name of the picture; the
probability, and the AUROC of its tiles."""


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
        kinds[bag.grid.cell_l0.at(x, y)][name] += 1
    said = []
    for place in zip(bag.grid.columns.tolist(), bag.grid.rows.tolist(), strict=True):
        held = kinds[place]
        said.append(1 if held[LOOKED_FOR] else -1 if held[UNKNOWN] else 0)
    return np.array(said)


class Watched:
    """Learns, and remembers what is said of pictures held out."""

    def __init__(self, name: str, seed: int) -> None:
        self.found: list[BagFound] = []
        self._name, self._seed = name, seed

    def __call__(self, data: BagData, progress: Progress, state: Path | None) -> Ready:
        ready = learned(self._name, data, self._seed, progress)

        def predict(features: Features) -> BagFound:
            found = ready.predict(features)
            self.found.append(found)
            return found

        return Ready(ready.fitted, predict)


def told(
    bags: Sequence[Bag], every: Sequence[BagFound], nuclei: Nuclei
) -> dict[str, dict[str, float]]:
    """Return what is kept of a predictor; of tiles where a positive picture has both kinds."""
    kept: dict[str, dict[str, float]] = {"slides": {}, "attention": {}, "evidence": {}}
    for bag, found in zip(bags, every, strict=True):
        kept["slides"][bag.name] = float(found.probabilities[1])
        truth = truth_of_tiles(bag, nuclei[bag.name])
        is_known = truth >= 0
        if bag.label != 1 or len(set(truth[is_known].tolist())) < 2:
            continue
        of_tile = {"attention": found.attention, "evidence": found.evidence[:, 1]}
        for name, values in of_tile.items():
            known = values[is_known].astype(np.float64)
            kept[name][bag.name] = auroc(known, truth[is_known] == 1)
    return kept


def run(data: BagData, nuclei: Nuclei, names: Sequence[str], n_folds: int, seed: int) -> Result:
    """Predict each picture by what has not seen it."""
    pictures = [bag.name for bag in data.bags]
    order = FoldOrder(n_folds=n_folds, hold_out="patients")
    folds = planned_folds(data, pictures, [""] * len(pictures), order, seed)
    watched = {name: Watched(name, seed) for name in names}
    with tempfile.TemporaryDirectory() as folder:
        course = CrossValidation(data, folds, watched, Path(folder) / "bench.state")
        unseen = course.run(SilentProgress())
    bags = [data.bags[row] for row in unseen.rows]
    return {name: told(bags, one.found, nuclei) for name, one in watched.items()}


def finished(path: Path, key: Mapping[str, Any]) -> dict[str, Result]:
    """Return the seeds that an earlier run with the same settings has finished."""
    if not path.exists():
        return {}
    kept: dict[str, Any] = json.loads(path.read_text())
    return kept["seeds"] if kept["key"] == key else {}


def summary(data: BagData, seeds: Sequence[Result]) -> dict[str, Interval]:
    """Return means over seeds, with intervals over pictures, and the first minus the others."""
    truth = np.array([bag.label == 1 for bag in data.bags])

    def values(name: str, part: str) -> np.ndarray:
        kept = [one[name][part] for one in seeds]
        return np.array([[one.get(bag.name, np.nan) for bag in data.bags] for one in kept])

    names = list(seeds[0])
    slides = {name: values(name, "slides") for name in names}
    tiles = {(name, part): values(name, part) for name in names for part in OF_TILES}

    def statistics(rows: np.ndarray) -> dict[str, float]:
        each = {
            name: float(np.mean([auroc(one[rows], truth[rows]) for one in own]))
            for name, own in slides.items()
        }
        told = {f"{name}: slides": value for name, value in each.items()}
        for (name, part), own in tiles.items():
            told[f"{name}: tiles by {part}"] = float(np.nanmean(own[:, rows]))
        for name in names[1:]:
            told[f"{names[0]} over {name}"] = each[names[0]] - each[name]
        return told

    return grouped_intervals(np.arange(len(data.bags)), statistics)


def asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", nargs="?", type=Path, default=DATA)
    parser.add_argument("--method", default="attention_mil")
    parser.add_argument("--beside", nargs="*", default=["mean"], choices=bag_baselines.KINDS)
    parser.add_argument("--folds", type=int, default=10)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--kept", type=Path, default=Path(tempfile.gettempdir()))
    return parser.parse_args()


def main() -> None:
    said = asked()
    torch.set_num_threads(1)
    nuclei = read(said.data)
    data = described(said.data, nuclei)
    names = [said.method, *said.beside]
    key = {
        "settings": {name: settings_of(name) for name in names},
        "encoder": json.loads(json.dumps(asdict(data.encoder))),
        "pictures": [bag.name for bag in data.bags],
        "folds": said.folds,
    }
    path = said.kept / f"bench-crchisto-{said.method}.json"
    seeds = finished(path, key)
    for seed in map(str, range(said.seeds)):
        if seed in seeds:
            continue
        began = time.perf_counter()
        seeds[seed] = run(data, nuclei, names, said.folds, int(seed))
        path.write_text(json.dumps({"key": key, "seeds": seeds}))
        print(f"seed {seed}, {time.perf_counter() - began:.0f} s", flush=True)
        show(data, [seeds[seed]])
    chosen = [seeds[str(seed)] for seed in range(said.seeds)]
    print(f"\nmean of {said.seeds} seeds, {said.folds} folds, {path}")
    show(data, chosen)


def show(data: BagData, seeds: Sequence[Result]) -> None:
    for name, found in summary(data, seeds).items():
        print(f"  {name:36} {found.value:6.3f}  {found.low:.3f} to {found.high:.3f}", flush=True)


if __name__ == "__main__":
    main()
