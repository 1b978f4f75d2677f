"""The discriminative loss against values worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch

from pathoview.methods.engine.discriminative_loss import discriminative_loss


def image(*clusters: list[tuple[float, float]]) -> tuple[torch.Tensor, torch.Tensor]:
    """Return an embedding (1, 2, 1, n) and numbers (1, 1, n): one cluster after another."""
    pixels = torch.tensor([point for cluster in clusters for point in cluster]).float()
    numbers = torch.tensor([n for n, cluster in enumerate(clusters, 1) for _p in cluster])
    return pixels.T[None, :, None], numbers[None, None]


def test_two_nuclei_without_background_have_the_loss_worked_out_by_hand() -> None:
    # Means (0, 0) and (2, 0); pixels of the first 1 from it: (1 - 0.5)² = 0.25, of the other 0.
    embedding, numbers = image([(-1, 0), (1, 0)], [(2, 0), (2, 0)])
    loss = discriminative_loss(embedding, numbers, torch.zeros_like(numbers, dtype=torch.bool))
    pull, push, short = 0.25 / 2, (3 - 2) ** 2, 0.001 * (0 + 2) / 2
    assert float(loss) == pytest.approx(pull + push + short, abs=1e-5)


def test_background_is_one_cluster_more_whose_mean_may_be_long() -> None:
    embedding, numbers = image([(0, 0), (0, 0)], [(0, 2), (0, 2)], [(-1, 0), (-1, 2)])
    is_background = numbers == 3
    numbers = torch.where(is_background, 0, numbers)
    loss = discriminative_loss(embedding, numbers, is_background)
    between = math.sqrt(2)  # the background's mean is (-1, 1), its pixels 1 from it
    push = ((3 - 2) ** 2 + 2 * (3 - between) ** 2) / 3
    assert float(loss) == pytest.approx(0.25 / 3 + push + 0.001, abs=1e-5)


def test_what_is_neither_nucleus_nor_background_does_not_count() -> None:
    embedding, numbers = image([(0, 0)], [(9, 9)], [(5, 5)])
    nothing = torch.zeros_like(numbers, dtype=torch.bool)
    without = torch.where(numbers == 3, 0, numbers)
    loss = discriminative_loss(embedding, without, nothing)
    assert float(loss) == pytest.approx(0.001 * math.hypot(9, 9) / 2, abs=1e-5)


def test_images_without_nuclei_do_not_count_and_give_no_bad_gradient() -> None:
    embedding, numbers = image([(-1, 0), (1, 0)], [(2, 0), (2, 0)])
    background = torch.zeros_like(numbers, dtype=torch.bool)
    alone = discriminative_loss(embedding, numbers, background)
    both = discriminative_loss(
        torch.cat([embedding, embedding]),
        torch.cat([numbers, numbers * 0]),
        torch.cat([background, background]),
    )
    assert float(both) == pytest.approx(float(alone))
    zeros = torch.zeros(1, 2, 1, 4, requires_grad=True)
    for labels in (numbers, numbers * 0):
        discriminative_loss(zeros, labels, background).backward()
        assert zeros.grad is not None
        assert torch.isfinite(zeros.grad).all()


def test_the_push_reaches_as_far_as_asked() -> None:
    embedding, numbers = image([(0, 0)], [(4, 0)])
    background = torch.zeros_like(numbers, dtype=torch.bool)
    near = discriminative_loss(embedding, numbers, background)
    far = discriminative_loss(embedding, numbers, background, push_to=2.5)
    assert float(far - near) == pytest.approx((5 - 4) ** 2, abs=1e-4)
