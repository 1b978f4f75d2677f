"""How well nuclei are told apart by examples, and how long it takes: CRCHistoPhenotypes.

``OMP_NUM_THREADS=1 python tests/benchmarks/bench_objects_classifier.py [DATA] [--network]``: three
classes of nuclei, images disjoint, by each choice of features and classifier; and “a minute of
clicking”, 30 examples a class, three draws.
"""

from __future__ import annotations

import argparse
import csv
import json
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from pathoview.core.progress import SilentProgress
from pathoview.datasets.image_labels import point_labels
from pathoview.datasets.label_files import PointTable
from pathoview.datasets.labels import LabelledImage, Split, TargetClass, TrainingData
from pathoview.methods.fitting import FitContext
from pathoview.methods.supervised.object_classifier import ObjectClassifier
from pathoview.methods.supervised.object_classifier_params import (
    ObjectClassifierFitParams,
    ObjectClassifierParams,
)
from pathoview.slides.opening import open_slide, with_scale
from pathoview.study.model import LabelClass
from pathoview.tasks.object_examples import with_objects

DATA = Path(__file__).parents[3] / "shared" / "data" / "crchisto"
NAMES = ("epithelial", "inflammatory", "fibroblast")
RECORDS = [LabelClass(number=n, name=name, color=(0, 0, 0)) for n, name in enumerate(NAMES, 1)]
MPP = 0.5
CLICKS, DRAWS = 30, 3

Nuclei = dict[str, list[tuple[float, float, str]]]


def read(data: Path) -> Nuclei:
    """Return the nuclei of each image that have one of the classes."""
    found: Nuclei = {}
    with (data / "nuclei.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            if row["class"] in NAMES:
                place = float(row["x"]), float(row["y"]), row["class"]
                found.setdefault(row["image"], []).append(place)
    return found


def drawn(nuclei: Nuclei, images: Sequence[str], n: int | None, seed: int) -> Nuclei:
    """Return n nuclei of some images drawn at random; None: `CLICKS` of each class."""
    rng = np.random.default_rng(seed)
    everything = [(image, one) for image in images for one in nuclei.get(image, ())]
    chosen: Nuclei = {}
    taken: Counter[str] = Counter()
    for number in rng.permutation(len(everything))[:n].tolist():
        image, one = everything[number]
        if n is None and taken[one[2]] >= CLICKS:
            continue
        taken[one[2]] += 1
        chosen.setdefault(image, []).append(one)
    return chosen


class Pictures:
    """The open pictures of a folder, with the objects of the default method around nuclei."""

    def __init__(self, stack: ExitStack, data: Path, split: Split, nuclei: Nuclei) -> None:
        folder = data / ("train" if split == "train" else "validation")
        self.paths = {path.stem: path for path in sorted(folder.iterdir()) if path.stem in nuclei}
        images = []
        for name, path in self.paths.items():
            slide = stack.enter_context(with_scale(open_slide(path), MPP))
            labels = _labels(nuclei[name])
            images.append(LabelledImage(slide, labels, name, split))
        self._images = with_objects(TrainingData(images, ()), SilentProgress()).images

    def of(self, nuclei: Nuclei) -> Iterator[LabelledImage]:
        for image in self._images:
            if image.name in nuclei:
                yield replace(image, labels=_labels(nuclei[image.name]))


def _labels(nuclei: Sequence[tuple[float, float, str]]) -> Any:
    table = PointTable(np.array([one[:2] for one in nuclei]), tuple(one[2] for one in nuclei))
    return point_labels(table, RECORDS, MPP, (500, 500))


def scored(train: list[LabelledImage], val: list[LabelledImage], **params: Any) -> dict[str, Any]:
    """Return accuracy, macro-F1 and seconds of a fit that is measured on held-back images."""
    data = TrainingData([*train, *val], tuple(TargetClass(name) for name in NAMES))
    started = time.perf_counter()
    fitted = ObjectClassifier(ObjectClassifierParams()).fit(
        data, ObjectClassifierFitParams(**params), FitContext(SilentProgress())
    )
    seconds = time.perf_counter() - started
    return {**{name: round(value, 3) for name, value in fitted.metrics.items()}, "s": seconds}


def choices(has_network: bool) -> Iterator[dict[str, str]]:
    for features in ("measurements", "measurements and picture", "picture embedding"):
        for classifier in ("logistic regression", "gradient boosting"):
            is_slow = features == "picture embedding"
            if not is_slow or (has_network and classifier == "logistic regression"):
                yield {"features": features, "classifier": classifier}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", nargs="?", type=Path, default=DATA)
    parser.add_argument("--n", nargs=2, type=int, default=(3000, 1500))
    parser.add_argument("--network", action="store_true", help="also with EfficientNet-Lite0")
    said = parser.parse_args()
    if said.network:
        import torch

        torch.set_num_threads(1)
    nuclei = read(said.data)
    with ExitStack() as stack:
        started = time.perf_counter()
        train = Pictures(stack, said.data, "train", nuclei)
        val = Pictures(stack, said.data, "val", nuclei)
        detection_s = time.perf_counter() - started
        print(json.dumps({"images": len(train.paths) + len(val.paths), "detection_s": detection_s}))
        held_back = list(val.of(drawn(nuclei, sorted(val.paths), said.n[1], 0)))
        sets = {str(said.n[0]): drawn(nuclei, sorted(train.paths), said.n[0], 0)}
        for draw in range(DRAWS):
            sets[f"{CLICKS} a class, draw {draw}"] = drawn(nuclei, sorted(train.paths), None, draw)
        for name, chosen in sets.items():
            for choice in choices(said.network):
                result = scored(list(train.of(chosen)), held_back, **choice)
                print(json.dumps({"examples": name, **choice, **result}), flush=True)


if __name__ == "__main__":
    main()
