"""From a patch to nuclei with the two networks of `point_nuclei`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import cv2
import numpy as np
import numpy.typing as npt

from pathoview.methods.engine.infer import Inference, InferencePlan
from pathoview.methods.engine.weights import load_arrays
from pathoview.methods.fitting import Fitted
from pathoview.methods.nuclei_maps import is_near
from pathoview.methods.spec import Compute, Found
from pathoview.methods.weak import point_nuclei_networks as networks
from pathoview.methods.weak.point_nuclei_centers import parted_at_centers
from pathoview.methods.weak.point_nuclei_instances import PartingRule, parted, pieces_of
from pathoview.methods.weak.point_nuclei_labels import Cells, Floats
from pathoview.methods.weak.point_nuclei_windows import parted_in_windows

if TYPE_CHECKING:
    from torch import Tensor, nn

Rgb = npt.NDArray[np.uint8]

_OVERLAP_PX = 160
_FULL = 255
"""Probabilities are whole parts of it: tiny differences decide nothing."""


PartingName = Literal["centers", "fast", "paper", "none"]


@dataclass(frozen=True, slots=True)
class Rule:
    """How maps become nuclei."""

    threshold: float = 0.5
    parting: PartingName = "centers"
    min_area_um2: float = 5.0
    max_area_um2: float = 600.0


class Finder:
    """Both networks, ready to predict. Safe to call from several threads."""

    def __init__(
        self,
        settings: Mapping[str, Any],
        where: nn.Module,
        parting: nn.Module | None,
        compute: Compute,
    ) -> None:
        """``parting`` None: touching nuclei stay together."""
        self._mpp = float(settings["mpp"])
        self._window_px = int(settings["window_px"])
        self._usual_um2 = float(settings["usual_area_um2"])
        plan = InferencePlan(networks.stride_of(settings), _OVERLAP_PX)
        self._where = Inference(where, plan, compute)
        self._parting = Inference(parting, plan, compute, _as_it_is) if parting else None

    def probability(self, rgb: Rgb) -> Floats:
        """Return the probability of nucleus, (height, width), at the networks' µm per px."""
        probability: Floats = self._where.maps(rgb)[0]
        return probability

    def find(self, rgb: Rgb, mpp: float, rule: Rule) -> Found:
        """Return the nuclei of a patch, each with its mean probability."""
        scale = mpp / self._mpp
        if is_near(scale):
            return self._found(rgb, mpp, rule)
        height, width = rgb.shape[:2]
        size = max(1, round(width * scale)), max(1, round(height * scale))
        way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        resized = np.asarray(cv2.resize(rgb, size, interpolation=way), np.uint8)
        found = self._found(resized, self._mpp, rule)
        labels = cv2.resize(found.labels, (width, height), interpolation=cv2.INTER_NEAREST)
        return Found(np.asarray(labels, np.int32), found.confidence)

    def _found(self, rgb: Rgb, mpp: float, rule: Rule) -> Found:
        maps = np.rint(self._where.maps(rgb) * _FULL).astype(np.uint8)
        probability = maps[0]
        mask = (probability >= rule.threshold * _FULL).astype(np.uint8)
        sizes = PartingRule(rule.min_area_um2 / mpp**2, self._usual_um2 / mpp**2, self._window_px)
        if rule.parting == "centers" and len(maps) > 1:
            labels = parted_at_centers(mask, maps[1], mpp, sizes.least_px)
        elif self._parting is None or rule.parting == "none":
            labels = pieces_of(mask, sizes.least_px)
        elif rule.parting == "paper":
            labels = parted_in_windows(mask, _Windows(self._parting, rgb, sizes.window_px), sizes)
        else:
            labels = parted(mask, _Windows(self._parting, rgb, sizes.window_px), sizes)
        return _with_confidence(labels, probability, sizes.least_px, rule.max_area_um2 / mpp**2)


def finder_of(fitted: Fitted, compute: Compute) -> Finder:
    """Return what a model predicts with."""
    settings = fitted.settings
    where = networks.where_network(settings)
    load_arrays(where, networks.part_of(fitted.tensors, networks.WHERE))
    known = networks.part_of(fitted.tensors, networks.PARTING)
    parting = networks.parting_network(settings) if known else None
    if parting is not None:
        load_arrays(parting, known)
    return Finder(settings, where, parting, compute)


class _Windows:
    """Embeddings of windows of a patch; beyond its edge it is mirrored."""

    def __init__(self, inference: Inference, rgb: Rgb, side: int) -> None:
        self._inference = inference
        self._side = side
        border = (side,) * 4
        self._rgb = np.asarray(cv2.copyMakeBorder(rgb, *border, cv2.BORDER_REFLECT), np.uint8)

    def __call__(self, corners: Sequence[tuple[int, int]]) -> list[Floats]:
        side = self._side
        pieces = (self._rgb[y + side : y + 2 * side, x + side : x + 2 * side] for x, y in corners)
        return [self._inference.maps(piece) for piece in pieces]


def _as_it_is(logits: Tensor) -> Tensor:
    return logits


def _with_confidence(
    labels: Cells, probability: npt.NDArray[np.uint8], least_px: float, most_px: float
) -> Found:
    areas = np.bincount(labels.ravel(), minlength=1)
    is_nucleus = (areas >= max(1.0, least_px)) & (areas <= most_px)
    is_nucleus[0] = False
    sums = np.bincount(labels.ravel(), weights=probability.ravel(), minlength=1)
    confidence = sums[is_nucleus] / areas[is_nucleus] / _FULL
    numbers = (np.cumsum(is_nucleus) * is_nucleus).astype(np.int32)
    return Found(numbers[labels], np.concatenate([[0.0], confidence]).astype(np.float32))
