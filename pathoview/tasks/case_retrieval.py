"""What slides that were held out find among those that were learned from, by how alike they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from pathoview.core.progress import Progress
from pathoview.datasets.bags import Bag, Features
from pathoview.datasets.splits import Numbers
from pathoview.evaluation.bootstrap import Interval
from pathoview.evaluation.retrieval import KS, Cases, Retrieved, retrieved
from pathoview.methods.case_likeness import proximity

CaseVector = Callable[[Features], npt.NDArray[np.int32]]
"""Of the (tile, feature) of a slide: the leaf of each tree that it ends in."""
PerSlide = Mapping[str, tuple[float, ...]]
"""By `precision_name` and `CHANCE`: of each slide that was held out."""

CHANCE = "precision_chance"


def precision_name(k: int) -> str:
    return f"precision_at_{k}"


def found_cases(
    vector: CaseVector,
    held_out: tuple[Sequence[Bag], Numbers],
    known: tuple[Sequence[Bag], Numbers],
    progress: Progress,
) -> PerSlide:
    """Return what each slide that was held out finds among the known ones.

    Slides come with the group of each, which finds nothing of its own. Raises `Cancelled`.
    """
    n, bags = len(held_out[0]), [*held_out[0], *known[0]]
    vectors = []
    for bag in bags:
        progress.check()
        vectors.append(vector(bag.numbers()))
    likeness = np.stack([proximity(one, np.stack(vectors[n:])) for one in vectors[:n]])
    labels = np.array([bag.label for bag in bags])
    slides = np.unique([bag.slide_hash for bag in bags], return_inverse=True)[1]
    queries = Cases(labels[:n], held_out[1], slides[:n])
    found = retrieved(likeness, queries, Cases(labels[n:], known[1], slides[n:]))
    said = {precision_name(k): tuple(found.precision[k].tolist()) for k in KS}
    return {**said, CHANCE: tuple(found.chance.tolist())}


def together(results: Sequence[PerSlide], groups: Numbers) -> Retrieved | None:
    """Return what the slides of all folds find; ``groups``: of each; None: nothing is known."""
    if not all(results):
        return None
    joined = {name: np.array([x for one in results for x in one[name]]) for name in results[0]}
    return Retrieved({k: joined[precision_name(k)] for k in KS}, joined[CHANCE], groups)


def scores(found: Retrieved, seed: int) -> tuple[dict[str, float], dict[str, Interval]]:
    """Return the precisions with their 95 % intervals over groups, and that of chance."""
    names = {"chance": CHANCE, **{precision_name(k): precision_name(k) for k in KS}}
    metrics, intervals = found.scores(), found.intervals(seed=seed)
    return (
        {names[name]: value for name, value in metrics.items() if name in names},
        {names[name]: value for name, value in intervals.items() if name in names},
    )
