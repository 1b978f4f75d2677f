"""What can be set on `object_classifier`; no heavy import, so that listing methods stays quick."""

from __future__ import annotations

from typing import Literal

from pathoview.core.params import BaseParams, param
from pathoview.core.translation import _


class ObjectClassifierParams(BaseParams):
    """Nothing can be set when a trained classifier predicts."""


class ObjectClassifierFitParams(BaseParams):
    """What can be set about training; a training takes seconds."""

    features: Literal["measurements", "measurements and picture", "picture embedding"] = param(
        "measurements and picture",
        _("Told by"),
        _(
            "Size, shape, stain and neighbours of a nucleus; its colours and texture as well; or, "
            "for some hundred examples and more, also what a network trained on photographs sees "
            "in it."
        ),
    )
    classifier: Literal["logistic regression", "gradient boosting"] = param(
        "logistic regression",
        _("Classifier"),
        _(
            "Logistic regression does well with few examples; gradient boosting wants hundreds of "
            "each class."
        ),
    )
    examples_per_class: int = param(
        5000,
        _("Examples a class"),
        _("How many examples of each class are learned from at most."),
        ge=10,
        le=100_000,
    )

    @property
    def uses_picture(self) -> bool:
        return self.features != "measurements"

    @property
    def uses_network(self) -> bool:
        return self.features == "picture embedding"
