"""What one wants to know of a slide before it is analyzed: tissue, ink, what is out of focus."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from pathoview.core.translation import _, ngettext
from pathoview.slides.blur import BlurMap, BlurTile, blur_grid, blur_map, measured_blur
from pathoview.slides.pen import INKS
from pathoview.slides.slide import Slide
from pathoview.slides.tissue import TissueMask, rule_for, tissue_mask

_LEAST_SAID = 0.0005
"""A smaller share of ink is not worth a word."""


@dataclass(frozen=True, slots=True)
class Quality:
    """What was measured on a slide."""

    tissue: TissueMask
    blur: BlurMap
    tissue_mm2: float | None
    """None where the scale is unknown."""

    @property
    def tissue_share(self) -> float:
        """Which share (0–1) of the slide is tissue."""
        return float(self.tissue.mask.mean())

    @property
    def ink_shares(self) -> dict[str, float]:
        """Which share (0–1) of the slide each ink that there is covers."""
        if self.tissue.ink is None:
            return {}
        counts = np.bincount(self.tissue.ink.ravel(), minlength=len(INKS))
        shares = counts / max(1, self.tissue.ink.size)
        return {INKS[kind]: float(shares[kind]) for kind in range(1, len(INKS)) if counts[kind]}

    @property
    def blurred_share(self) -> float | None:
        """Which share (0–1) of the tissue's tiles is out of focus; None: too few to compare."""
        if not np.isfinite(self.blur.sharp):
            return None
        return self.blur.n_blurred / self.blur.n_tiles

    @property
    def warnings(self) -> tuple[str, ...]:
        """What makes the numbers doubtful, as sentences."""
        found = list(self.tissue.warnings)
        if self.tissue.ink is None:
            found.append(_("Ink is told from the stain in H&E only, and was not looked for."))
        if self.blurred_share is None:
            found.append(_("There is too little tissue to compare its sharpness."))
        if self.blur.mpp is None:
            found.append(_("The scale is unknown: sharpness was measured at full resolution."))
        return tuple(found)

    @property
    def summary(self) -> str:
        """All of it in one line."""
        area = _("{n:.1%} of the slide is tissue").format(n=self.tissue_share)
        if self.tissue_mm2 is not None:
            area = _("{n:.3g} mm² of tissue").format(n=self.tissue_mm2)
        inks = [
            _("{ink}: {n:.1%} of the slide").format(ink=ink, n=share)
            for ink, share in self.ink_shares.items()
            if share >= _LEAST_SAID
        ]
        parts = [area, *inks]
        if self.blurred_share is not None:
            text = ngettext(
                "{k} of {n} tile blurred", "{k} of {n} tiles blurred", self.blur.n_tiles
            )
            parts.append(text.format(k=self.blur.n_blurred, n=self.blur.n_tiles))
        return "; ".join(parts)

    def facts(self) -> dict[str, Any]:
        """Return what was measured, JSON-able."""
        return {
            "tissue_mm2": self.tissue_mm2,
            "tissue_share": self.tissue_share,
            "ink_share": sum(self.ink_shares.values()),
            "inks": self.ink_shares,
            "blur_tiles": self.blur.n_tiles,
            "blurred_tiles": self.blur.n_blurred,
            "blurred_share": self.blurred_share,
            "blur_mpp": self.blur.mpp,
            "blur_tile_l0": self.blur.side_l0,
            "warnings": list(self.warnings),
        }


def quality_steps(slide: Slide, stain: str = "") -> Iterator[float | Quality]:
    """Yield how much (0–1) is done, and at the end what was measured.

    ``stain`` as a study names it; empty: H&E. Raises `SlideError` when the slide cannot be read.
    """
    tissue = tissue_mask(slide, rule_for(stain))
    grid = blur_grid(slide, tissue)
    tiles: list[BlurTile] = []
    for tile in measured_blur(slide, grid):
        tiles.append(tile)
        yield len(tiles) / len(grid.places)
    area = None if slide.info.mpp is None else tissue.area_mm2(slide.mpp)
    yield Quality(tissue, blur_map(grid, tiles), area)
