"""Engine `inpaint`: finds pathology, hides it, and fills it in as healthy tissue goes on.

Two networks that do not meet in training. One learns from masks where pathology is. The other sees
patches of healthy tissue in which random holes hide what is there, and learns to paint that. It
never sees pathology, so it can paint none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from pathoview.datasets.labels import UNKNOWN
from pathoview.methods.engine.augment import LabelMap, augment
from pathoview.methods.engine.train import train
from pathoview.methods.fitting import FitContext, Fitted
from pathoview.methods.networks.pseudo_healthy import InpaintingNetwork, Seam
from pathoview.methods.weak.pseudo_healthy_holes import random_hole
from pathoview.methods.weak.pseudo_healthy_lesson import (
    HEALTHY,
    PATHOLOGY,
    Lesson,
    Sample,
    stacked,
)
from pathoview.methods.weak.pseudo_healthy_parts import (
    MASKS_LR,
    MaskLearner,
    PartLearner,
    begun,
    distance,
    edge_distance,
    later,
)

if TYPE_CHECKING:
    from torch import Tensor, nn

_LR = 2e-3
_EDGES_WEIGHT = 1.0
"""Of differences between neighbours, beside those of the pixels themselves."""
_MASKS_SHARE = 0.4
"""Of the progress bar, as the masks take less time."""


def network_of(settings: Mapping[str, Any], seam: Seam) -> InpaintingNetwork:
    """See `pseudo_healthy_engines.Engine`."""
    return InpaintingNetwork(settings["width"], seam)


def fit(lesson: Lesson, context: FitContext) -> Fitted:
    """Learn where pathology is, then to paint what is healthy."""
    network = begun(network_of, lesson)
    masks = train(
        MaskLearner(network, lesson),
        lesson.plan(MASKS_LR),
        context,
        stage="masks",
        span=(0.0, _MASKS_SHARE),
    )
    painter = PaintLearner(network, lesson)
    paint = train(painter, lesson.plan(_LR), context, stage="paint", span=(_MASKS_SHARE, 1.0))
    return replace(
        painter.fitted(painter.network),
        metrics={**masks.metrics, **paint.metrics},
        curves=(*masks.curves, *later(paint.curves, masks.n_steps)),
    )


class PaintLearner(PartLearner):
    """Learns to paint what random holes hide of healthy tissue; all else has no loss."""

    score = "painted"

    def __init__(self, whole: nn.Module, lesson: Lesson) -> None:
        super().__init__(whole, "inpainter", lesson)

    def batch(self, step: int) -> Mapping[str, npt.NDArray[Any]]:
        lesson, slots = self.lesson, range(self.lesson.params.batch)
        holes = [
            random_hole(np.random.default_rng([lesson.seed, step, slot]), lesson.side_px)
            for slot in slots
        ]
        return {
            **stacked([lesson.healthy(step, slot) for slot in slots]),
            "hole": np.stack(holes),
        }

    def loss(
        self, network: nn.Module, batch: Mapping[str, Tensor]
    ) -> tuple[Tensor, dict[str, float]]:
        label_map = LabelMap(batch["state"], UNKNOWN)
        changed = augment(batch["rgb"].float() / 255, [label_map], how=self.lesson.changes)
        hole, state = batch["hole"][:, None], changed.labels[0][:, None]
        hidden = (hole | (state == PATHOLOGY)).float()
        painted = network(changed.images, hidden).float()
        scored = (hole & (state == HEALTHY)).float()
        pixels = distance(painted, changed.images, scored)
        edges = edge_distance(painted, changed.images, scored)
        said = {"loss_pixels": float(pixels.detach()), "loss_edges": float(edges.detach())}
        return pixels + _EDGES_WEIGHT * edges, said

    def validate(self, network: nn.Module) -> dict[str, float]:
        """Return 1 minus the mean distance, 0 … 1, of what is painted from what was hidden."""
        errors = [
            error
            for number, one in enumerate(self.lesson.held_back)
            if (error := self._error(network, one, number)) is not None
        ]
        return {self.score: 1 - float(np.mean(errors))} if errors else {}

    def _error(self, network: nn.Module, sample: Sample, number: int) -> float | None:
        """Return the distance in one hole, always the same; None: nothing healthy is hidden."""
        import torch

        hole = random_hole(np.random.default_rng([self.lesson.seed, number]), len(sample.rgb))
        is_sick, scored = sample.state == PATHOLOGY, hole & (sample.state == HEALTHY)
        if not scored.any():
            return None
        device = next(network.parameters()).device
        image = torch.from_numpy(stacked([sample])["rgb"]).to(device).float() / 255
        hidden, weights = (
            torch.from_numpy(flags[None, None]).to(device).float()
            for flags in (hole | is_sick, scored)
        )
        return float(distance(network(image, hidden), image, weights))
