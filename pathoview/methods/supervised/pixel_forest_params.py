"""What can be set on `pixel_forest`; no heavy import, so that listing methods stays quick."""

from __future__ import annotations

from typing import Literal

from pathoview.core.params import BaseParams, param
from pathoview.core.translation import _

MPP = 1.0
"""µm per px it works at: a nucleus is still several px wide, and what a screen shows of a slide at
20× is half a million px, few enough for an answer while one paints."""

HALO_UM = 64.0
"""At least what the widest features (σ of 4 and 8 µm, to 3 σ) and smoothing look around."""


class PixelForestParams(BaseParams):
    """What can be set when a trained forest predicts."""

    smoothing_um: float = param(
        1.0,
        _("Smoothing"),
        _("Width (σ) over which probabilities are averaged: more gives calmer areas."),
        unit="µm",
        ge=0.0,
        le=6.0,
    )


class PixelForestFitParams(BaseParams):
    """What can be set about training; a training takes seconds."""

    classifier: Literal["random forest", "gradient boosting"] = param(
        "random forest",
        _("Classifier"),
        _(
            "A random forest is trained in a fraction of a second and does well with few strokes; "
            "gradient boosting takes seconds."
        ),
    )
    surroundings: Literal["4 µm", "8 µm"] = param(
        "8 µm",
        _("Surroundings"),
        _(
            "The widest Gaussian (σ) that a pixel is described by: “4 µm” follows edges closely, "
            "“8 µm” looks at more than a cell."
        ),
    )
    n_trees: int = param(
        30,
        _("Trees"),
        _("How many trees vote, or how many rounds are boosted; more are steadier and slower."),
        ge=5,
        le=500,
    )
    max_depth: int = param(
        12,
        _("Depth of a tree"),
        _("How many questions a tree asks at most; deeper learns details, and mistakes."),
        ge=2,
        le=30,
    )
    pixels_per_class: int = param(
        2000,
        _("Pixels a class"),
        _("How many labelled pixels of each class are learned from at most."),
        ge=100,
        le=100_000,
    )

    @property
    def sigmas_um(self) -> tuple[float, ...]:
        """Widths of the features, µm, each twice the one before."""
        widest = float(self.surroundings.removesuffix(" µm"))
        return tuple(sigma for sigma in (1.0, 2.0, 4.0, 8.0) if sigma <= widest)
