"""How the network of `nuclei_unet` learns: its batches, its loss, and what it is worth."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import numpy.typing as npt

from pathoview.datasets.patches import PatchReader, Place
from pathoview.evaluation import instances
from pathoview.methods.engine.augment import Augmentation, augment
from pathoview.methods.engine.infer import Inference, InferencePlan
from pathoview.methods.engine.learner import Learner
from pathoview.methods.engine.weights import arrays_of
from pathoview.methods.fitting import Fitted
from pathoview.methods.model import Parent
from pathoview.methods.networks.map_losses import masked_cross_entropy, soft_dice_loss
from pathoview.methods.networks.unet import UNet
from pathoview.methods.nuclei_maps import (
    DEPTH,
    FOREGROUND,
    Parting,
    is_near,
    nuclei_of,
    targets_of,
)
from pathoview.methods.spec import Compute

if TYPE_CHECKING:
    from torch import Tensor, nn

SCORE = "aji"
"""Of `validate`: the mean over the samples that were held back."""

_SHRINK_SIGMA = 0.4
_DICE_WEIGHT = 0.5
_INSIDE_WEIGHT = 2.0
"""How much more the depth counts inside of nuclei."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A picture with its nuclei."""

    rgb: npt.NDArray[np.uint8]
    """(height, width, 3)."""
    labels: npt.NDArray[np.int32]
    """(height, width) 0: none."""
    is_known: npt.NDArray[np.bool_]
    """(height, width) whether what is said of the pixel counts."""


def sample_at(reader: PatchReader, place: Place, mpp: float) -> Sample:
    """Return a patch as a square of the reader's side at ``mpp``.

    Where the picture's own resolution is another, its middle is enlarged, or it is shrunk and
    nothing is known of the rim.
    """
    rgb, found = reader.pixels(place), reader.instances(place)
    side, scale = reader.patch_px, reader.grids[place.image].mpp / mpp
    if is_near(scale):
        return Sample(rgb, found.labels, found.is_known)
    center = (side - 1) / 2
    matrix = np.array([[scale, 0, center * (1 - scale)], [0, scale, center * (1 - scale)]])
    size = side, side
    smooth = cv2.GaussianBlur(rgb, (0, 0), _SHRINK_SIGMA / scale) if scale < 1 else rgb
    labels, is_known = (
        cv2.warpAffine(one.astype(np.float32), matrix, size, flags=cv2.INTER_NEAREST)
        for one in (found.labels, found.is_known)
    )
    moved = cv2.warpAffine(smooth, matrix, size, borderValue=(255, 255, 255))
    return Sample(np.asarray(moved, np.uint8), labels.astype(np.int32), is_known > 0)


class NucleiLearner(Learner):
    """Learns where nuclei are, and how deep in them each pixel lies."""

    score = SCORE

    def __init__(
        self,
        network: UNet,
        settings: Mapping[str, Any],
        sample: Callable[[int, int], Sample],
        n_in_batch: int,
        held_back: Sequence[Sample],
        fingerprint: str,
        changes: Augmentation | None = None,
        parents: tuple[Parent, ...] = (),
    ) -> None:
        """``sample(step, slot)`` returns what is learned from, the same for the same numbers.

        ``settings``: what the network is built from again; ``changes``: how samples are changed at
        random, None: not.
        """
        self.network = network
        self.fingerprint = fingerprint
        self._settings = settings
        self._stride = network.stride
        self._sample = sample
        self._n_in_batch = n_in_batch
        self._held_back = held_back
        self._changes = changes
        self._parents = parents

    def batch(self, step: int) -> Mapping[str, npt.NDArray[Any]]:
        samples = [self._sample(step, slot) for slot in range(self._n_in_batch)]
        return {
            "rgb": np.stack([one.rgb.transpose(2, 0, 1) for one in samples]),
            "targets": np.stack([targets_of(one.labels) for one in samples]),
            "is_known": np.stack([one.is_known for one in samples]).astype(np.float32),
        }

    def loss(
        self, network: nn.Module, batch: Mapping[str, Tensor]
    ) -> tuple[Tensor, dict[str, float]]:
        import torch

        images, targets, known = batch["rgb"].float() / 255, batch["targets"], batch["is_known"]
        if self._changes is not None:
            images, _labels, (targets, known) = augment(images, (), (targets, known), self._changes)
        logits = network(images.contiguous(memory_format=torch.channels_last)).float()
        is_nucleus = targets[:, FOREGROUND]
        where = masked_cross_entropy(logits[:, FOREGROUND], is_nucleus, known)
        overlap = soft_dice_loss(logits[:, FOREGROUND], is_nucleus, known)
        weights = known * (1 + _INSIDE_WEIGHT * is_nucleus)
        depth = masked_cross_entropy(logits[:, DEPTH], targets[:, DEPTH], weights)
        said = {"loss_foreground": float(where.detach()), "loss_depth": float(depth.detach())}
        return where + _DICE_WEIGHT * overlap + depth, said

    def validate(self, network: nn.Module) -> dict[str, float]:
        if not self._held_back:
            return {}
        device = next(network.parameters()).device
        infer = Inference(network, InferencePlan(self._stride), Compute(str(device)))
        scores = [self._scores(infer, one) for one in self._held_back]
        return {name: float(np.mean([one[name] for one in scores])) for name in scores[0]}

    def _scores(self, infer: Inference, sample: Sample) -> dict[str, float]:
        found = nuclei_of(infer.maps(sample.rgb), Parting()).labels
        table = instances.overlaps(
            np.where(sample.is_known, sample.labels, 0), np.where(sample.is_known, found, 0)
        )
        return {
            "aji": instances.aji(table),
            "pq": instances.panoptic_quality(table),
            "dice_object": instances.dice_object(table),
        }

    def fitted(self, network: nn.Module) -> Fitted:
        return Fitted(arrays_of(network), self._settings, parents=self._parents)
