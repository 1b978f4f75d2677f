"""What can be set on `patch_sum`; no heavy import, so that listing methods stays quick."""

from __future__ import annotations

from pathoview.core.params import BaseParams, param
from pathoview.core.translation import _
from pathoview.methods.bag_params import BagParams


class PatchSumParams(BagParams):
    """Nothing can be set when it predicts."""


class PatchSumFitParams(BaseParams):
    """How patches are learned from, and then pictures."""

    n_steps: int = param(
        600,
        _("Steps"),
        _("Batches of patches learned from; it ends sooner when held-back pictures do no better."),
        ge=1,
        le=100_000,
    )
    batch: int = param(
        32,
        _("Batch"),
        _("Patches learned from at once."),
        ge=1,
        le=4096,
    )
    lr: float = param(
        1e-3,
        _("Learning rate"),
        _("At the beginning; it falls to nothing along half a cosine."),
        ge=1e-6,
        le=0.1,
    )
    weight_decay: float = param(
        1e-3,
        _("Weight decay"),
        _("How strongly weights are drawn to zero; more for few pictures."),
        ge=0.0,
        le=1.0,
    )
    width: int = param(
        100,
        _("Width"),
        _("Numbers that a patch is brought down to, and that are summed over a picture."),
        ge=4,
        le=2048,
    )
    n_folds: int = param(
        5,
        _("Inner folds"),
        _("The forest sees sums by networks that have not seen the picture: so many are taught."),
        ge=2,
        le=20,
    )
    n_trees: int = param(
        500,
        _("Trees"),
        _("Of the forest; with more, likeness comes in finer steps, and it is slower."),
        ge=10,
        le=2000,
    )
    least_leaf: int = param(
        1,
        _("Least leaf"),
        _("Pictures that end together in a tree at least; more make cases alike sooner."),
        ge=1,
        le=100,
    )
    patience: int = param(
        8,
        _("Patience"),
        _("Ends after so many of 20 measurements on held-back pictures without gain; 0: never."),
        ge=0,
        le=100,
    )
