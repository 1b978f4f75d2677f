"""How the bottleneck of `patch_sum` learns: patches in batches, measured on whole pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from pathoview.datasets.bags import Bag
from pathoview.datasets.weights import class_weights
from pathoview.methods.engine.bag_learner import SCORE, measured
from pathoview.methods.engine.learner import Learner
from pathoview.methods.engine.weights import arrays_of
from pathoview.methods.fitting import Fitted
from pathoview.methods.networks.patch_bottleneck import PatchBottleneck
from pathoview.methods.supervised.patch_sum_vectors import Floats

if TYPE_CHECKING:
    from torch import Tensor, nn


class PatchLearner(Learner):
    """Learns the label of its picture from each patch."""

    score = SCORE

    def __init__(
        self,
        network: PatchBottleneck,
        batches: PatchBatches,
        held_back: Sequence[Bag],
        settings: Mapping[str, Any],
        fingerprint: str,
    ) -> None:
        self.network = network
        self.fingerprint = fingerprint
        self._batches, self._held_back, self._settings = batches, held_back, settings

    def batch(self, step: int) -> Mapping[str, npt.NDArray[Any]]:
        return self._batches.batch(step)

    def loss(
        self, network: nn.Module, batch: Mapping[str, Tensor]
    ) -> tuple[Tensor, dict[str, float]]:
        from torch.nn import functional

        losses = functional.cross_entropy(
            network(batch["features"]), batch["label"], reduction="none"
        )
        return (losses * batch["weight"]).mean(), {}

    def validate(self, network: nn.Module) -> dict[str, float]:
        """Return metrics of pictures, each as the mean of what is said of its patches."""
        if not self._held_back:
            return {}
        assert isinstance(network, PatchBottleneck)
        told = np.stack([head_told(network, bag) for bag in self._held_back])
        return measured(told, np.array([bag.label for bag in self._held_back]))

    def fitted(self, network: nn.Module) -> Fitted:
        """Return the weights of the network: the forest is still to come."""
        return Fitted(arrays_of(network), self._settings)


def head_told(network: PatchBottleneck, bag: Bag) -> Floats:
    """Return what the network's own head says of a picture, (class,): the mean of its patches."""
    import torch

    patches = torch.from_numpy(bag.numbers()[:, : len(network.mean)]).to(network.mean.device)
    with torch.no_grad():
        told = network(patches).double().softmax(1).mean(0)
    return np.asarray(told.cpu().numpy(), np.float64)


class PatchBatches:
    """Patches as pure functions of the step; each comes once before one comes twice."""

    def __init__(
        self, bags: Sequence[Bag], n_features: int, n_classes: int, n_in_batch: int, seed: int
    ) -> None:
        """``n_features``: the first of a patch, which are learned from."""
        self._bags, self._n_features = bags, n_features
        self._n_in_batch, self._seed = n_in_batch, seed
        self._of = np.concatenate(
            [
                np.stack([np.full(bag.n_tiles, place), np.arange(bag.n_tiles)], axis=1)
                for place, bag in enumerate(bags)
            ]
        )
        """(patch, 2) the place of its picture, and its place in it."""
        self._labels = np.array([bag.label for bag in bags], np.int64)
        counts = np.bincount(self._labels[self._of[:, 0]], minlength=n_classes)
        self._weights = class_weights(counts).astype(np.float32)

    def batch(self, step: int) -> dict[str, npt.NDArray[Any]]:
        """Return ``features`` (patch, feature), ``label`` and ``weight`` of its class."""
        first = step * self._n_in_batch
        chosen = np.array([self._patch(first + slot) for slot in range(self._n_in_batch)])
        features = [self._bags[bag].features[patch] for bag, patch in self._of[chosen]]
        labels = self._labels[self._of[chosen, 0]]
        return {
            "features": np.stack(features)[:, : self._n_features].astype(np.float32),
            "label": labels,
            "weight": self._weights[labels],
        }

    def _patch(self, slot: int) -> int:
        """Return which patch comes at a place of the endless line of shuffled patches."""
        turn, place = divmod(slot, len(self._of))
        return int(_shuffled(len(self._of), abs(self._seed), turn)[place])


@lru_cache(maxsize=4)
def _shuffled(n: int, seed: int, turn: int) -> npt.NDArray[np.int64]:
    return np.random.default_rng([seed, turn]).permutation(n)
