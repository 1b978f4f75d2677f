"""What the engines of `pseudo_healthy` share: networks trained part by part, one for masks."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from pathoview.datasets.labels import UNKNOWN
from pathoview.methods.engine.augment import LabelMap, augment
from pathoview.methods.engine.infer import Inference, InferencePlan
from pathoview.methods.engine.learner import Learner
from pathoview.methods.engine.weights import arrays_of, load_arrays
from pathoview.methods.fitting import Fitted
from pathoview.methods.networks.map_losses import masked_cross_entropy, soft_dice_loss
from pathoview.methods.networks.pseudo_healthy import STRIDE, HealthyNetwork, Seam
from pathoview.methods.spec import Compute
from pathoview.methods.weak.pseudo_healthy_lesson import PATHOLOGY, Lesson, stacked

if TYPE_CHECKING:
    from torch import Tensor, nn

    from pathoview.methods.model import Tensors

MASKS_LR = 2e-3


def begun(
    network_of: Callable[[Mapping[str, Any], Seam], HealthyNetwork], lesson: Lesson
) -> HealthyNetwork:
    """Return an engine's network as its training begins."""
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(lesson.seed)
        network = network_of(lesson.settings, Seam())
    if lesson.start is not None:
        load_arrays(network, lesson.start)
    return network


class PartLearner(Learner):
    """Trains one part of a network; the rest of it stays as it is."""

    def __init__(self, whole: nn.Module, part: str, lesson: Lesson) -> None:
        """``part``: the name of a member of ``whole``."""
        self.network = getattr(whole, part)
        self.fingerprint = lesson.fingerprint
        self.lesson = lesson
        self._whole, self._part = whole, part

    def fitted(self, network: nn.Module) -> Fitted:
        lesson = self.lesson
        changed = {f"{self._part}.{name}": one for name, one in arrays_of(network).items()}
        tensors: Tensors = {**arrays_of(self._whole), **changed}
        return Fitted(tensors, lesson.settings, parents=lesson.parents)


class MaskLearner(PartLearner):
    """Learns where pathology is; what is unknown has no loss."""

    score = "dice"

    def __init__(self, whole: nn.Module, lesson: Lesson) -> None:
        super().__init__(whole, "segmentor", lesson)

    def batch(self, step: int) -> Mapping[str, npt.NDArray[Any]]:
        lesson = self.lesson
        sources = lesson.sick, lesson.healthy
        return stacked([sources[slot % 2](step, slot) for slot in range(lesson.params.batch)])

    def loss(
        self, network: nn.Module, batch: Mapping[str, Tensor]
    ) -> tuple[Tensor, dict[str, float]]:
        label_map = LabelMap(batch["state"], UNKNOWN)
        changed = augment(batch["rgb"].float() / 255, [label_map], how=self.lesson.changes)
        return mask_loss(network(changed.images)[:, 0].float(), changed.labels[0]), {}

    def validate(self, network: nn.Module) -> dict[str, float]:
        return {"dice": measured_dice(network, self.lesson)} if self.lesson.held_back else {}


def mask_loss(logits: Tensor, state: Tensor) -> Tensor:
    """Return cross entropy and Dice of where pathology is, both (n, height, width)."""
    known = (state != UNKNOWN).float()
    target = (state == PATHOLOGY).float()
    return masked_cross_entropy(logits, target, known) + soft_dice_loss(logits, target, known)


def measured_dice(network: nn.Module, lesson: Lesson) -> float:
    """Return the Dice of the pathology of all that is held back, taken together."""
    device = str(next(network.parameters()).device)
    infer = Inference(network, InferencePlan(STRIDE), Compute(device))
    n_shared, n_both = 0, 0
    for one in lesson.held_back:
        found = (infer.maps(one.rgb)[0] > 0.5) & (one.state != UNKNOWN)
        truth = one.state == PATHOLOGY
        n_shared += int(np.count_nonzero(found & truth))
        n_both += int(np.count_nonzero(found) + np.count_nonzero(truth))
    return (2 * n_shared + 1) / (n_both + 1)


def distance(one: Tensor, other: Tensor, weights: Tensor) -> Tensor:
    """Return the weighted mean absolute difference of (n, 3, h, w); weights are (n, 1, h, w)."""
    return ((one - other).abs().mean(1, keepdim=True) * weights).sum() / weights.sum().clamp(min=1)


def edge_distance(one: Tensor, other: Tensor, weights: Tensor) -> Tensor:
    """Return the same of the differences between neighbours: what makes tissue look sharp."""
    off = one - other
    across = distance(off[..., 1:], off[..., :-1], weights[..., 1:] * weights[..., :-1])
    down = distance(off[..., 1:, :], off[..., :-1, :], weights[..., 1:, :] * weights[..., :-1, :])
    return across + down


def later(curves: tuple[Mapping[str, float], ...], n_steps: int) -> tuple[Mapping[str, float], ...]:
    """Return the curves of a training that came after so many steps."""
    return tuple({**point, "step": point["step"] + n_steps} for point in curves)


@contextlib.contextmanager
def still(network: nn.Module) -> Iterator[None]:
    """Have a network judge without learning from it: neither weights nor statistics change."""
    network.requires_grad_(False).eval()
    try:
        yield
    finally:
        network.requires_grad_(True).train()
