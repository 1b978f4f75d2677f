"""The networks of Xia, Chartsias and Tsaftaris 2020, those that predict and those that teach them.

Normalisation differs from the paper, see `channel_norm` and `pseudo_healthy`: a pixel must not
depend on where its window ends. The segmentor is the one of the other engines.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from pathoview.methods.networks.critic import Critic
from pathoview.methods.networks.healthy_generator import HealthyGenerator
from pathoview.methods.networks.pseudo_healthy import HealthyNetwork, segmentor


class DisentanglingNetwork(HealthyNetwork):
    """Takes a picture apart into healthy tissue and where it is not healthy."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.segmentor = segmentor(width)
        self.generator = HealthyGenerator(width=width)

    @property
    def reach_px(self) -> int:
        return max(self.segmentor.reach_px, self.generator.reach_px)

    def forward(self, pixels: Tensor) -> Tensor:
        pathology = self.segmentor(pixels).sigmoid()
        healthy = self.generator(pixels)
        return torch.cat((healthy, torch.ones_like(pathology), pathology), 1)


class Disentanglement(nn.Module):
    """All that learns: what predicts, what puts pictures together again, and two critics."""

    critic_m: Critic | None

    def __init__(self, healthy: DisentanglingNetwork, width: int, *, judges_masks: bool) -> None:
        """``judges_masks``: whether there is a critic of masks."""
        super().__init__()
        self.healthy = healthy
        self.rebuilder = HealthyGenerator(n_hints=1, width=width)
        self.critic_x = Critic(width=width)
        self.critic_m = Critic(1, width=width) if judges_masks else None

    def rebuilt(self, healthy: Tensor, mask: Tensor) -> Tensor:
        """Return (n, 3, h, w) pictures with pathology where a mask, (n, 1, h, w), says so."""
        picture: Tensor = self.rebuilder(torch.cat((healthy, mask), dim=1))
        return picture

    def masks(self, *pictures: Tensor) -> tuple[Tensor, ...]:
        """Return probabilities of pathology, (n, 1, h, w), of several batches as one."""
        found = self.healthy.segmentor(torch.cat(pictures)).float().sigmoid()
        return torch.split(found, [len(one) for one in pictures])

    def critics(self, *, learn: bool) -> None:
        """Have the critics' weights get gradients, or only pass them on."""
        for critic in (self.critic_x, self.critic_m):
            if critic is not None:
                critic.requires_grad_(learn)
