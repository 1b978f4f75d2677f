"""Two looks at a slide, from far and from near, put together by one line (after Zhou et al. 2021).

From far: a linear head on the mean over the slide of what the coarsest magnification shows, whose
class activation map is exactly what the head says of each place (Zhou et al. 2016). From near: the
tiles that show most of what is looked for. A slide is told by both; a tile counts when both look at
it.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from pathoview.methods.networks.bag_network import BagNetwork, BagOutput, embedding

_TOP = 5
_LEAST_SPREAD = 1e-6


class OverviewNetwork(BagNetwork):
    """Of features of several magnifications, the first tells tiles, the last the overview.

    The loss of tiles: those of a slide that are most like its label, and others at random, have to
    be of its class. ``line`` (near, far, offset) puts both looks' log odds of the second of two
    classes together; at first it is their mean.
    """

    def __init__(
        self,
        n_features: int,
        n_classes: int,
        *,
        n_scales: int,
        width: int,
        dropout: float = 0.0,
        n_kept: int = 5,
        n_fresh: int = 15,
        instance_weight: float = 0.5,
    ) -> None:
        super().__init__(n_features)
        self.instance_weight = instance_weight
        self._n_kept, self._n_fresh = n_kept, n_fresh
        self._n_each = n_features // n_scales
        self.near = nn.Sequential(
            embedding(self._n_each, width, dropout), nn.Linear(width, n_classes)
        )
        self.far = nn.Linear(self._n_each, n_classes)
        self.line: Tensor
        self.register_buffer("line", torch.tensor([0.5, 0.5, 0.0]))

    def aggregated(self, tiles: Tensor, is_tile: Tensor) -> BagOutput:
        near, far = self._of_places(tiles)
        weights = _spread(_looked_for(near), is_tile) * _spread(_looked_for(far), is_tile)
        weights = torch.where(weights.sum(1, keepdim=True) > 0, weights, is_tile.to(weights.dtype))
        attention = weights / weights.sum(1, keepdim=True)
        streams = self._streams(_mean_of_first(near, is_tile), _mean(far, is_tile))
        return BagOutput(streams, attention[:, None], near)

    def looks(self, features: Tensor) -> Tensor:
        """Return log odds of the second of two classes, from near and from far, of a slide.

        ``features``: (tile, feature).
        """
        near, far = self._of_places((features[None] - self.mean) * self.scale)
        is_tile = torch.ones_like(near[..., 0], dtype=torch.bool)
        both = torch.cat([_mean_of_first(near, is_tile), _mean(far, is_tile)])
        return both[:, 1] - both[:, 0]

    def instance_losses(self, output: BagOutput, labels: Tensor, is_tile: Tensor) -> Tensor:
        assert output.hidden is not None
        losses = []
        for near, known, label in zip(output.hidden, is_tile, labels, strict=True):
            said = near[known].log_softmax(1)[:, label]
            ranked = said.argsort(descending=True, stable=True)
            kept, others = ranked[: self._n_kept], ranked[self._n_kept :]
            fresh = others[torch.randperm(len(others))[: self._n_fresh].to(others.device)]
            losses.append(-said[torch.cat([kept, fresh])].mean())
        return torch.stack(losses)

    def _of_places(self, tiles: Tensor) -> tuple[Tensor, Tensor]:
        """Return what is said of each place, from near and from far, (bag, tile, class)."""
        near, far = tiles[..., : self._n_each], tiles[..., -self._n_each :]
        return self.near(near), self.far(far)

    def _streams(self, near: Tensor, far: Tensor) -> tuple[Tensor, Tensor]:
        """Return what both looks say, so that their mean is as the line has it."""
        a, b, c = self.line
        offset = torch.zeros_like(near)
        offset[:, 1:] = c
        return 2 * a * near + offset, 2 * b * far + offset


def _looked_for(logits: Tensor) -> Tensor:
    """Return how likely each place is none of the first class, (bag, tile)."""
    return 1 - logits.softmax(-1)[..., 0]


def _mean(logits: Tensor, is_tile: Tensor) -> Tensor:
    """Return the mean logits over all places, (bag, class): a linear head on mean features."""
    counts = is_tile[..., None]
    return (logits * counts).sum(1) / counts.sum(1)


def _mean_of_first(logits: Tensor, is_tile: Tensor) -> Tensor:
    """Return the mean logits of the tiles that show most of what is looked for, (bag, class)."""
    found = _looked_for(logits).masked_fill(~is_tile, -1.0)
    places = found.topk(min(_TOP, found.shape[1]), dim=1).indices
    some = logits.gather(1, places[..., None].expand(-1, -1, logits.shape[-1]))
    return _mean(some, is_tile.gather(1, places))


def _spread(values: Tensor, is_tile: Tensor) -> Tensor:
    """Return values from 0 (the least of a bag) to 1 (the most), 0 where no tile is."""
    low = values.masked_fill(~is_tile, torch.inf).amin(1, keepdim=True)
    high = values.masked_fill(~is_tile, -torch.inf).amax(1, keepdim=True)
    return ((values - low) / (high - low).clamp(min=_LEAST_SPREAD)).masked_fill(~is_tile, 0.0)
