"""The discriminative loss: pixels of one nucleus lie near one another, nuclei far apart.

De Brabandere, Neven and Van Gool 2017, with the background as one cluster more.
"""

from __future__ import annotations

import torch
from torch import Tensor

PULL_FROM = 0.5
"""Distance from their mean up to which pixels of a nucleus are left alone."""
PUSH_TO = 1.5
"""Half the distance from which on means of two nuclei are left alone."""
MEAN_WEIGHT = 0.001
_TINY = 1e-12


def discriminative_loss(
    embedding: Tensor, instances: Tensor, is_background: Tensor, push_to: float = PUSH_TO
) -> Tensor:
    """Return the loss, a mean over the images that have an instance; 0 when none has.

    ``embedding`` is (batch, channel, height, width), ``instances`` (batch, height, width) whole
    numbers with 0 where there is none, ``is_background`` (batch, height, width). What is neither
    does not count.
    """
    losses = [
        _image_loss(pixels.flatten(1).T, numbers.flatten(), background.flatten(), push_to)
        for pixels, numbers, background in zip(embedding, instances, is_background, strict=True)
        if bool((numbers > 0).any())
    ]
    # Times 0 it still has a gradient, so that an optimiser's step is possible.
    return torch.stack(losses).mean() if losses else embedding.sum() * 0


def _image_loss(pixels: Tensor, numbers: Tensor, is_background: Tensor, push_to: float) -> Tensor:
    counts = (numbers > 0) | is_background
    found, cluster = torch.unique(
        torch.where(numbers > 0, numbers, -1)[counts], return_inverse=True
    )
    pixels = pixels[counts]
    n_clusters = len(found)
    sizes = torch.bincount(cluster, minlength=n_clusters).to(pixels.dtype)
    sums = pixels.new_zeros(n_clusters, pixels.shape[1]).index_add(0, cluster, pixels)
    means = sums / sizes[:, None]
    excess = (_length(pixels - means[cluster]) - PULL_FROM).clamp(min=0).square()
    pull = (pixels.new_zeros(n_clusters).index_add(0, cluster, excess) / sizes).mean()
    return pull + _push(means, push_to) + MEAN_WEIGHT * _length(means[found > 0]).mean()


def _push(means: Tensor, push_to: float) -> Tensor:
    n = len(means)
    if n < 2:
        return means.sum() * 0
    first, second = torch.triu_indices(n, n, 1, device=means.device)
    gap = 2 * push_to - _length(means[first] - means[second])
    return gap.clamp(min=0).square().mean()


def _length(vectors: Tensor) -> Tensor:
    # At 0 the square root has no gradient.
    return (vectors.square().sum(dim=-1) + _TINY).sqrt()
