"""What can be set on `nuclei_watershed`; no heavy import, so that listing methods stays quick."""

from __future__ import annotations

from typing import Literal

from pathoview.core.params import BaseParams, param
from pathoview.core.translation import _
from pathoview.methods import shared_params as shared


class NucleiWatershedParams(BaseParams):
    """Lengths in µm and areas in µm²: the same values fit every scanner."""

    stain: Literal["H&E estimated", "H&E", "H-DAB"] = param(
        "H&E estimated",
        _("Stain"),
        _(
            "“H&E estimated” measures the colours of hematoxylin and eosin on the slide (Macenko) "
            "and falls back to the fixed ones; “H&E” and “H-DAB” take Ruifrok and Johnston's."
        ),
    )
    nuclei_are: Literal["hematoxylin", "any stain"] = param(
        "hematoxylin",
        _("Nuclei are stained by"),
        _("Choose “any stain” where DAB stains nuclei (Ki-67, ER, PR): both stains are added."),
    )
    threshold: float = param(
        1.0,
        _("Threshold"),
        _("Times the threshold measured on the slide. Lower finds paler nuclei, and more debris."),
        unit="×",
        ge=0.2,
        le=3.0,
    )
    local_share: float = param(
        0.55,
        _("Local threshold"),
        _("How much of the threshold follows the surroundings: 0 nothing, 1 everything."),
        ge=0.0,
        le=1.0,
    )
    background_radius_um: float = param(
        5.0,
        _("Surroundings"),
        _("How far the surroundings of a pixel reach: about a nucleus."),
        unit="µm",
        ge=2.0,
        le=12.0,
    )
    smoothing_um: float = param(
        0.2,
        _("Smoothing"),
        _("Width (σ) of the smoothing of the stain; more for noisy scans."),
        unit="µm",
        ge=0.0,
        le=2.0,
    )
    opening_um: float = param(
        1.0,
        _("Opening"),
        _("Radius below which threads and bridges are cut off."),
        unit="µm",
        ge=0.0,
        le=3.0,
    )
    largest_hole_um2: float = param(
        20.0,
        _("Largest hole"),
        _("Holes up to this area are filled: pale chromatin."),
        unit="µm²",
        ge=0.0,
        le=100.0,
    )
    split_um: float = param(
        2.0,
        _("Split"),
        _("Centres of touching nuclei are at least this far apart; more splits less."),
        unit="µm",
        ge=0.5,
        le=6.0,
    )
    min_area_um2: float = shared.min_area_um2(6.0)
    max_area_um2: float = shared.max_area_um2(400.0, 600.0)
