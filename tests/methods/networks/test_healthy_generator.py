"""The generator begins by changing nothing, can come to everything, and sees as far as it says."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from pathoview.methods.networks.channel_norm import ChannelNorm
from pathoview.methods.networks.healthy_generator import HealthyGenerator

SHAPES = [(1, 208, 160), (3, 256, 256)]


def taught(n_channels: int = 3, n_hints: int = 0) -> HealthyGenerator:
    """Return a small network as after training: one that changes what it sees."""
    torch.manual_seed(2)
    network = HealthyGenerator(n_channels, n_hints=n_hints, width=4)
    torch.nn.init.normal_(network.change.weight, std=0.5)
    return network


def rounded(picture: Tensor) -> Tensor:
    return (picture * 255).round()


@pytest.mark.parametrize(("n_channels", "height", "width"), SHAPES)
def test_it_begins_by_changing_nothing(n_channels: int, height: int, width: int) -> None:
    torch.manual_seed(0)
    network = HealthyGenerator(n_channels, width=4)
    values = torch.randint(0, 256, (1, n_channels, height, width)) / 255
    values[..., :2, :] = torch.tensor([0.0, 1.0])[:, None].expand(2, width)
    made = network(values)
    assert made.shape == values.shape
    assert torch.equal(rounded(made), rounded(values))


@pytest.mark.parametrize(("n_channels", "height", "width"), SHAPES)
def test_hints_are_seen_and_not_passed_on(n_channels: int, height: int, width: int) -> None:
    network = taught(n_channels, n_hints=1)
    values = torch.rand(1, n_channels, height, width)
    mask = torch.zeros(1, 1, height, width)
    without = network(torch.cat((values, mask), dim=1))
    mask[..., :8, :8] = 1
    told = network(torch.cat((values, mask), dim=1))
    assert told.shape == values.shape
    assert not torch.equal(told, without)


@pytest.mark.parametrize(("change", "expected"), [(-20.0, 0.0), (20.0, 255.0)])
def test_it_can_come_to_black_and_white(change: float, expected: float) -> None:
    network = HealthyGenerator(width=4)
    assert network.change.bias is not None
    torch.nn.init.constant_(network.change.bias, change)
    assert torch.equal(
        rounded(network(torch.rand(1, 3, 16, 16))), torch.full((1, 3, 16, 16), expected)
    )


def test_all_of_it_learns() -> None:
    network = taught()
    network(torch.rand(2, 3, 16, 16)).square().sum().backward()
    slopes = [weight.grad for weight in network.parameters()]
    assert all(slope is not None and bool(slope.abs().sum() > 0) for slope in slopes)


@pytest.mark.parametrize("offset", [0, 1, 3])
def test_nothing_beyond_its_reach_changes_a_pixel(offset: int) -> None:
    network, side, at = taught().double(), 192, 96 + offset
    torch.manual_seed(1)
    pixels = torch.rand(1, 3, side, side, dtype=torch.float64)
    before = network(pixels)[0, :, at, at]
    low, high = at - network.reach_px, at + network.reach_px + 1
    changed = 1 - pixels
    changed[..., low:high, low:high] = pixels[..., low:high, low:high]
    assert torch.equal(network(changed)[0, :, at, at], before)


def test_its_reach_is_not_told_too_far() -> None:
    network = taught().double()
    torch.manual_seed(1)
    pixels = torch.rand(1, 3, 192, 192, dtype=torch.float64, requires_grad=True)
    network(pixels)[0, :, 99, 99].sum().backward()
    assert pixels.grad is not None
    rows = pixels.grad.abs().sum(dim=(0, 1, 3)).nonzero().flatten()
    assert 0 <= network.reach_px - (99 - int(rows[0])) < network.stride


def test_a_pixel_is_normalised_by_itself() -> None:
    torch.manual_seed(4)
    norm, x = ChannelNorm(8), torch.rand(2, 8, 5, 6) * 3
    told = norm(x)
    assert told.shape == x.shape
    assert torch.allclose(told.mean(dim=1), torch.zeros(2, 5, 6), atol=1e-5)
    assert torch.allclose(told.square().mean(dim=1), torch.ones(2, 5, 6), atol=1e-3)
    assert torch.equal(norm(x[:1, :, 2:4, 1:3]), told[:1, :, 2:4, 1:3])
