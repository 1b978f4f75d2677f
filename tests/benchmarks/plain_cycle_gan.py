"""A CycleGAN without a mask (Zhu et al. 2017), to measure the engine `xia` against.

What rebuilds sick tissue is not told where it was sick: the one-to-many problem that the engine is
there to solve. Generators, critics, their turns and their gradient penalty are those of the engine;
the weights of the losses are Zhu's.
"""

from __future__ import annotations

import torch
from torch import Tensor

from pathoview.methods.engine.wasserstein import critic_loss
from pathoview.methods.networks.critic import Critic
from pathoview.methods.networks.disentanglement import Disentanglement
from pathoview.methods.weak.pseudo_healthy_xia import CycleLearner, Pictures

CYCLE, SAME = 10.0, 5.0


class PlainCycleLearner(CycleLearner):
    """Healthy and sick pictures become each other; ``critic_m`` judges sick ones."""

    def _begun(self) -> Disentanglement:
        network = super()._begun()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.lesson.seed + 2)
            network.critic_m = Critic(3, width=self.lesson.settings["width"])
        return network

    def critics_loss(
        self, network: Disentanglement, seen: Pictures
    ) -> tuple[Tensor, dict[str, float]]:
        assert network.critic_m is not None
        with torch.no_grad():
            healed, sickened = network.healthy.generator(seen.sick), sick(network, seen.healthy)
        of_healthy, distance = critic_loss(network.critic_x, seen.healthy, healed)
        of_sick, distance_sick = critic_loss(network.critic_m, seen.sick, sickened)
        said = {"distance": float(distance), "distance_sick": float(distance_sick)}
        return of_healthy + of_sick, said

    def cycles_loss(
        self, network: Disentanglement, seen: Pictures
    ) -> tuple[Tensor, dict[str, float]]:
        assert network.critic_m is not None
        healthy = network.healthy.generator
        healed, sickened = healthy(seen.sick), sick(network, seen.healthy)
        fooled = -network.critic_x(healed).mean() - network.critic_m(sickened).mean()
        cycle = apart(sick(network, healed), seen.sick) + apart(healthy(sickened), seen.healthy)
        same = apart(healthy(seen.healthy), seen.healthy) + apart(
            sick(network, seen.sick), seen.sick
        )
        said = {"loss_cycle": float(cycle.detach()), "loss_same": float(same.detach())}
        return fooled + CYCLE * cycle + SAME * same, said


def sick(network: Disentanglement, healthy: Tensor) -> Tensor:
    """Return sick pictures of healthy ones, without a word where."""
    return network.rebuilt(healthy, torch.zeros_like(healthy[:, :1]))


def apart(one: Tensor, other: Tensor) -> Tensor:
    return (one - other).abs().mean()
