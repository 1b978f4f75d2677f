"""What was predicted of slides held out, as a model's card keeps it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pathoview.datasets.bags import Bag
from pathoview.datasets.splits import Numbers
from pathoview.evaluation.slides import Predictions
from pathoview.methods.model import HeldOut
from pathoview.tasks.cross_validation import OutOfFold


def held_out_of(
    bags: Sequence[Bag], groups: Numbers, unseen: OutOfFold, said: Mapping[str, Predictions]
) -> tuple[HeldOut, ...]:
    """Return each slide of ``unseen`` with what predictors said of it.

    ``groups``: (bag,) number of its patient; ``said``: by predictor, in the order of ``unseen``.
    """
    found = []
    for place, (row, fold) in enumerate(zip(unseen.rows, unseen.folds, strict=True)):
        bag = bags[row]
        found.append(
            HeldOut(
                name=bag.name,
                slide_hash=bag.slide_hash,
                group=str(groups[row] + 1) if bag.group else "",
                fold=int(fold),
                label=bag.label,
                probabilities={
                    name: tuple(one.probabilities[place].tolist()) for name, one in said.items()
                },
                **_decided(bag, place, said),
            )
        )
    return tuple(found)


def _decided(bag: Bag, place: int, said: Mapping[str, Predictions]) -> dict[str, Any]:
    """Return what each predictor decided of a bag, as `HeldOut` has it."""
    each = {name: one.said[place] for name, one in said.items()}
    if not bag.labels:
        return {"said": {name: int(one) for name, one in each.items()}}
    said_labels = {name: tuple(np.asarray(one, int).tolist()) for name, one in each.items()}
    return {"labels": bag.labels, "said_labels": said_labels}
