"""Attention that also parts its most and least attended tiles (CLAM; Lu et al. 2021)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from pathoview.methods.networks.bag_attention import Attention
from pathoview.methods.networks.bag_network import (
    BagNetwork,
    BagOutput,
    embedding,
    weights_of_tiles,
)

_MARGIN = 1.0
_LARGEST_PART = 50
"""No more than one in so many tiles is taken for certain on either side: in a small bag, the eight
that the paper takes of thousands would hold more than what makes the slide what it is."""


class ClamNetwork(BagNetwork):
    """One attention for all classes (CLAM-SB), or one a class (CLAM-MB).

    The loss of tiles: for the slide's class, the ``n_instances`` most attended tiles have to be
    told from the least attended ones, as soon as attention has had time to learn. From the first
    step on, the tiles that random attention prefers would be told from others, and never be lost.
    """

    def __init__(
        self,
        n_features: int,
        n_classes: int,
        *,
        width: int,
        dropout: float = 0.0,
        is_multi_branch: bool = False,
        n_instances: int = 8,
        instance_weight: float = 0.3,
        instance_rest: int = 0,
    ) -> None:
        super().__init__(n_features)
        self.instance_weight = instance_weight
        self.instance_rest = instance_rest
        self._n_instances = n_instances
        self.embed = embedding(n_features, width, dropout)
        self.attend = Attention(width, n_classes if is_multi_branch else 1)
        self.heads = nn.Linear(width, n_classes)
        """Of the class of each branch, one row."""
        self.tellers = nn.ModuleList(nn.Linear(width, 2) for _class in range(n_classes))

    def aggregated(self, tiles: Tensor, is_tile: Tensor) -> BagOutput:
        hidden = self.embed(tiles)
        attention = weights_of_tiles(self.attend(hidden), is_tile)
        pooled = attention @ hidden  # (bag, 1 or class, width)
        logits = (pooled * self.heads.weight).sum(-1) + self.heads.bias
        return BagOutput((logits,), attention, hidden)

    def instance_losses(self, output: BagOutput, labels: Tensor, is_tile: Tensor) -> Tensor:
        assert output.hidden is not None
        return torch.stack(
            [
                self._instance_loss(hidden[known], attention[:, known], int(label))
                for hidden, attention, known, label in zip(
                    output.hidden, output.attention, is_tile, labels, strict=True
                )
            ]
        )

    def _instance_loss(self, hidden: Tensor, attention: Tensor, label: int) -> Tensor:
        """Return the loss of one bag, 0 where it has a single tile."""
        if len(hidden) < 2:
            return hidden.new_zeros(())
        n = min(self._n_instances, max(1, len(hidden) // _LARGEST_PART))
        ranked = attention[min(label, len(attention) - 1)].argsort(descending=True, stable=True)
        told = self.tellers[label](hidden[torch.cat((ranked[:n], ranked[-n:]))])
        return smooth_svm(told, (torch.arange(2 * n, device=told.device) < n).long())


def smooth_svm(scores: Tensor, truth: Tensor) -> Tensor:
    """Return the mean smooth top-1 SVM loss (Berrada et al. 2018), temperature and margin 1.

    ``scores``: (n, class); ``truth``: (n,).
    """
    is_wrong = torch.ones_like(scores).scatter(1, truth[:, None], 0.0)
    right = scores.gather(1, truth[:, None])[:, 0]
    return ((scores + _MARGIN * is_wrong).logsumexp(1) - right).mean()
