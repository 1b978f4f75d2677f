"""One slide's H&E in the colours of another: measured once a slide, applied to any of its pixels.

Macenko and Vahadane take optical densities apart into amounts of two stains, ``OD = C·M``, and put
them together again with the target's colours; Reinhard moves mean and spread of L*a*b*. What cannot
be trusted is not used: a region's stains give way to the slide's, these to Reinhard, and what was
used is kept with the reason. Glass is left as it is.

References: Reinhard et al. 2001; Macenko et al. 2009; Vahadane et al. 2016.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self, get_args

import cv2
import numpy as np
import numpy.typing as npt

from pathoview.core.errors import StainError
from pathoview.core.geometry import Rect
from pathoview.core.translation import _
from pathoview.slides.slide import Slide
from pathoview.slides.stain_look import (
    StainLook,
    from_lab,
    has_stained,
    look_of,
    target_look,
    to_lab,
)
from pathoview.slides.stain_target import CMU_1
from pathoview.slides.stains import (
    H_E,
    OPTICAL_DENSITY,
    TISSUE_OD,
    StainEstimate,
    amount_table,
    estimate_h_e,
    whole_amounts,
)
from pathoview.slides.tissue import tissue_mask
from pathoview.slides.tissue_sample import tissue_pixels
from pathoview.slides.vahadane import estimate_vahadane

Rgb = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

NormalisingMethod = Literal["macenko", "reinhard", "vahadane"]
NORMALISING_METHODS: tuple[NormalisingMethod, ...] = get_args(NormalisingMethod)
METHOD_NAMES: Mapping[NormalisingMethod, str] = {
    "macenko": _("Macenko"),
    "reinhard": _("Reinhard"),
    "vahadane": _("Vahadane (experimental)"),
}

_ESTIMATES: Mapping[str, Callable[[Rgb], StainEstimate]] = {
    "macenko": estimate_h_e,
    "vahadane": estimate_vahadane,
}
_GLASS_OD = 0.10
"""Mean OD up to which a pixel is glass and stays as it is; it fades in up to `TISSUE_OD`."""
_LEAST_AMOUNT = 0.1
"""Of the target's amount of a stain: a slide with less of it would explode."""
_STEPS_AN_OD = 2000
_BROWN, _BROWN_OD, _BROWN_SHARE = 1.1, 0.3, 0.3
"""DAB takes so many times as much blue as green; of dark pixels, how many make a slide brown."""
_MOST_PIXELS = 1_000_000


@dataclass(frozen=True, slots=True)
class StainNormaliser:
    """What was measured on a slide and what its pixels are to look like; JSON-able."""

    method: NormalisingMethod
    """As asked for."""
    used: NormalisingMethod | Literal["none"]
    """What `apply` does."""
    fitted_on: str
    """``region``, ``slide`` or ``pixels``: what was measured."""
    why: tuple[str, ...]
    """Why something else than asked for is used, in the order in which it was tried."""
    n_pixels: int
    """Pixels that were measured."""
    target: StainLook
    source: StainLook | None
    """None where nothing is done."""

    @classmethod
    def fit(
        cls,
        slide: Slide,
        method: NormalisingMethod = "macenko",
        target: StainLook = CMU_1,
        *,
        region_l0: Rect | None = None,
        stain: str = "",
    ) -> Self:
        """Measure a slide on 50 random tiles of its tissue, or those of a region if it can be.

        ``stain`` is what the study calls the slide's stain; empty: the colours tell. Raises
        `StainError` for immunohistochemistry, fluorescence and pictures without colours, and
        `SlideError`.
        """
        if not slide.info.is_rgb or slide.info.dtype != "uint8":
            raise StainError(
                _("Only slides in colours of 8 bits can be normalised."),
                _("Set the window of each channel instead."),
            )
        tissue = tissue_mask(slide)
        parts = [("slide", tissue_pixels(slide, tissue))]
        if region_l0 is not None:
            parts.insert(0, ("region", tissue_pixels(slide, tissue, region_l0=region_l0)))
        return cls._of(parts, method, target, stain)

    @classmethod
    def fit_pixels(
        cls,
        pixels: Rgb,
        method: NormalisingMethod = "macenko",
        target: StainLook = CMU_1,
        *,
        stain: str = "",
    ) -> Self:
        """Measure (n, 3) or (height, width, 3) RGB; raise `StainError` as `fit` does."""
        return cls._of([("pixels", pixels.reshape(-1, 3))], method, target, stain)

    @classmethod
    def _of(
        cls,
        parts: Sequence[tuple[str, Rgb]],
        method: NormalisingMethod,
        target: StainLook,
        stain: str,
    ) -> Self:
        parts = [(name, px[:: max(1, len(px) // _MOST_PIXELS)]) for name, px in parts]
        _refuse_other_stains(stain, parts[-1][1])
        why: list[str] = []
        for name, pixels in parts:
            estimate = _ESTIMATES.get(method, _no_estimate)(pixels)
            if not estimate.problem and has_stained(pixels):
                look = look_of(pixels, estimate.matrix, name)
                return cls(method, method, name, tuple(why), len(pixels), target, look)
            why.append(_said(name, estimate.problem or _("too few stained pixels")))
        name, pixels = parts[-1]
        if not has_stained(pixels):
            return cls(method, "none", name, tuple(why), len(pixels), target, None)
        look = look_of(pixels, H_E, name)
        return cls(method, "reinhard", name, tuple(why), len(pixels), target, look)

    # -- applying --------------------------------------------------------------------------------

    def apply(self, patch: Rgb) -> Rgb:
        """Return (height, width, 3) RGB in the target's colours.

        A pixel's value depends on its colour only, never on its place in the patch.
        """
        if self.source is None or not patch.size:
            return patch.copy()
        patch = np.ascontiguousarray(patch)
        weight = _stained_weight(patch)
        moved = self._moved(patch) if self.used == "reinhard" else self._recomposed(patch)
        mixed = []
        for plane, goal in zip(cv2.split(patch), moved, strict=True):
            goal -= plane
            goal *= weight
            goal += plane
            mixed.append(np.clip(np.rint(goal), 0, 255).astype(np.uint8))
        return np.asarray(cv2.merge(mixed), np.uint8)

    def _recomposed(self, patch: Rgb) -> list[Floats]:
        """Return the planes of a patch put together again from amounts of stain."""
        assert self.source is not None
        unmixing = self.source.stains.unmixing
        steps: list[Floats] = []
        for index in range(2):
            floor = _LEAST_AMOUNT * self.target.amounts[index]
            ratio = self.target.amounts[index] / max(self.source.amounts[index], floor, 1e-6)
            table = amount_table(unmixing[:, index], _STEPS_AN_OD)
            amount = np.maximum(whole_amounts(patch, table), 0).astype(np.float32)
            steps.append(amount * np.float32(ratio))
        darkest = np.float32(len(_INTENSITY) - 1)
        return [
            _INTENSITY[np.minimum(steps[0] * a + steps[1] * b, darkest).astype(np.intp)]
            for a, b in np.array(self.target.stains.rows[:2], np.float32).T
        ]

    def _moved(self, patch: Rgb) -> list[Floats]:
        """Return the planes of a patch with mean and spread of its L*a*b* moved."""
        assert self.source is not None
        source, target = self.source, self.target
        gain = np.array(target.lab_sd, np.float32) / np.array(source.lab_sd, np.float32)
        lab = to_lab(patch.reshape(-1, 3)) - np.array(source.lab_mean, np.float32)
        moved = np.asarray(lab * gain + np.array(target.lab_mean, np.float32), np.float32)
        return [
            np.asarray(plane, np.float32)
            for plane in cv2.split(from_lab(moved).reshape(patch.shape))
        ]

    # -- the record ------------------------------------------------------------------------------

    @property
    def summary(self) -> str:
        """What was used and why, in a sentence or two."""
        if self.used == "none":
            text = _("Nothing was normalised.")
        elif self.used == self.method:
            text = _("{method}, measured on the {part}, to the colours of {target}.")
        else:
            text = _("Reinhard instead of {method}, to the colours of {target}.")
        said = text.format(
            method=METHOD_NAMES[self.method],
            part=_PARTS[self.fitted_on],
            target=self.target.name,
        )
        return " ".join([said, *(f"{reason}." for reason in self.why)])

    def to_json(self) -> dict[str, Any]:
        return {
            "method": self.method,
            "used": self.used,
            "fitted_on": self.fitted_on,
            "why": list(self.why),
            "n_pixels": self.n_pixels,
            "target": self.target.to_json(),
            "source": self.source.to_json() if self.source else None,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        source = data["source"]
        return cls(
            data["method"],
            data["used"],
            str(data["fitted_on"]),
            tuple(map(str, data["why"])),
            int(data["n_pixels"]),
            StainLook.from_json(data["target"]),
            StainLook.from_json(source) if source else None,
        )


_PARTS = {"region": _("region"), "slide": _("slide"), "pixels": _("pixels")}
_INTENSITY = (256 * np.exp(-(np.arange(8 * _STEPS_AN_OD) + 0.5) / _STEPS_AN_OD) - 1).astype(
    np.float32
)
"""8-bit intensity, unrounded, of each whole step of optical density."""


def target_of(slide: Slide) -> StainLook:
    """Return the look of a slide, for others to get it; raise `InputError` or `SlideError`."""
    return target_look(tissue_pixels(slide, tissue_mask(slide)), slide.pseudonym)


def can_normalise(stain: str) -> bool:
    """Say whether slides that are said to have this stain can be normalised; empty: who knows."""
    return stain in ("", "H&E")


def _no_estimate(pixels: Rgb) -> StainEstimate:
    return StainEstimate(H_E)


def _said(part: str, problem: str) -> str:
    return _("{part}: {problem}").format(part=_PARTS[part].capitalize(), problem=problem)


def _stained_weight(patch: Rgb) -> Floats:
    """Return how much (0–1) of each pixel is taken from the normalised picture."""
    steps = whole_amounts(patch, amount_table((1 / 3, 1 / 3, 1 / 3), _STEPS_AN_OD))
    share = steps.astype(np.float32) / np.float32(_STEPS_AN_OD) - np.float32(_GLASS_OD)
    weight: Floats = np.clip(share / np.float32(TISSUE_OD - _GLASS_OD), 0, 1)
    return weight


def _refuse_other_stains(stain: str, pixels: Rgb) -> None:
    """Raise `StainError` where haematoxylin and eosin are not what colours the slide."""
    if can_normalise(stain) and (stain or not _is_brown(pixels)):
        return
    raise StainError(
        _("Normalisation is made for H&E; this slide is stained otherwise ({stain}).").format(
            stain=stain or _("it looks like DAB")
        ),
        _("Look at one stain alone instead: the slide's layer has a choice of stains."),
    )


def _is_brown(pixels: Rgb) -> bool:
    density = OPTICAL_DENSITY[pixels]
    dark = density[density.mean(axis=1) > _BROWN_OD]
    return len(dark) > 0 and float((dark[:, 2] > _BROWN * dark[:, 1]).mean()) > _BROWN_SHARE
