"""What is ordered of a training on labels of whole slides, beside its method and its labels."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from pathoview.datasets.slide_folds import HoldOut
from pathoview.evaluation.slides import ThresholdRule
from pathoview.tasks.bag_labels import BagItems
from pathoview.tasks.features import FeatureOrder


class BagOrder(BaseModel):
    """How slides are described and shared out, and where it is cut."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    features: FeatureOrder = FeatureOrder()
    items: BagItems = "slides"
    """What lies in the folder of images; ``clips`` are described without a scale."""
    grade: str = ""
    """What is graded, to learn grades in their order; empty: classes."""
    n_folds: int = Field(default=5, ge=2, le=100)
    hold_out: HoldOut = "patients"
    threshold: ThresholdRule = "youden"
    n_permutations: int = Field(default=0, ge=0, le=10_000)
    """How often the folds are predicted once more, with shuffled labels."""
