"""The gradient penalty and the critic's loss against what they are on paper."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from pathoview.methods.engine.wasserstein import PENALTY, critic_loss, gradient_penalty


def pictures(seed: int) -> Tensor:
    return torch.rand(4, 3, 6, 6, generator=torch.Generator().manual_seed(seed))


def linear(weights: Tensor, pictures: Tensor) -> Tensor:
    return (pictures * weights).sum(dim=(1, 2, 3))


@pytest.mark.parametrize("norm", [0.3, 1.0, 2.5])
def test_the_penalty_of_a_linear_critic_is_how_far_its_weights_are_from_norm_1(norm: float) -> None:
    weights = torch.randn(3, 6, 6, generator=torch.Generator().manual_seed(1))
    weights *= norm / weights.norm()
    told = gradient_penalty(lambda seen: linear(weights, seen), pictures(2), pictures(3))
    assert float(told) == pytest.approx((norm - 1) ** 2, abs=1e-5)


def test_the_slope_is_taken_between_real_and_made() -> None:
    seen: list[Tensor] = []

    def judge(between: Tensor) -> Tensor:
        seen.append(between.detach())
        return between.square().sum(dim=(1, 2, 3))

    real, made = torch.zeros(4, 1, 2, 2), torch.ones(4, 1, 2, 2)
    gradient_penalty(judge, real, made)
    shares = seen[0].flatten(1)
    assert bool((shares == shares[:, :1]).all())  # one place a picture
    assert len(set(shares[:, 0].tolist())) == 4
    assert float(shares.min()) > 0
    assert float(shares.max()) < 1


def test_the_loss_is_the_distance_with_the_penalty_and_teaches_the_critic() -> None:
    weights = torch.full((3, 6, 6), 0.05, requires_grad=True)
    real, made = pictures(2), pictures(3)
    loss, distance = critic_loss(lambda seen: linear(weights, seen), real, made)
    norm = float(weights.detach().norm())
    apart = float((linear(weights, real).mean() - linear(weights, made).mean()).detach())
    assert float(distance) == pytest.approx(apart, abs=1e-6)
    assert float(loss.detach()) == pytest.approx(PENALTY * (norm - 1) ** 2 - apart, abs=1e-5)
    loss.backward()  # type: ignore[no-untyped-call]
    assert weights.grad is not None
    expected = 2 * PENALTY * (norm - 1) * weights.detach() / norm
    expected = expected - (real.mean(dim=0) - made.mean(dim=0))
    assert torch.allclose(weights.grad, expected, atol=1e-4)
