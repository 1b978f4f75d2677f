"""The U-Net keeps its promises: sizes, reach, and the same result when it is folded."""

from __future__ import annotations

import copy

import pytest
import torch

from pathoview.methods.networks.unet import UNet, folded


def small(fold: int = 2, widths: tuple[int, ...] = (4, 6, 8)) -> UNet:
    torch.manual_seed(3)
    network = UNet(2, widths=widths, fold=fold)
    for module in network.modules():  # as after training: statistics that are not 0 and 1
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.running_mean, -0.2, 0.2)
            torch.nn.init.uniform_(module.running_var, 0.5, 2.0)
    return network.eval()


@pytest.mark.parametrize(("fold", "widths", "stride"), [(1, (4, 6), 2), (2, (4, 6, 8), 8)])
def test_every_pixel_gets_its_outputs(fold: int, widths: tuple[int, ...], stride: int) -> None:
    network = small(fold, widths)
    assert network.stride == stride
    pixels = torch.rand(2, 3, 3 * stride, 5 * stride)
    assert network(pixels).shape == (2, 2, 3 * stride, 5 * stride)


def test_nothing_beyond_its_reach_changes_a_pixel() -> None:
    network = small()
    side, at = 256, 128
    torch.manual_seed(1)
    pixels = torch.rand(1, 3, side, side)
    before = network(pixels)[0, :, at, at]
    low, high = at - network.reach_px, at + network.reach_px + 1
    changed = 1 - pixels
    changed[..., low:high, low:high] = pixels[..., low:high, low:high]
    assert torch.equal(network(changed)[0, :, at, at], before)
    near = pixels.clone()
    near[..., at, at + 8] = 1 - near[..., at, at + 8]
    assert not torch.equal(network(near)[0, :, at, at], before)


def test_folding_changes_nothing_but_the_steps() -> None:
    network = small()
    pixels = torch.rand(1, 3, 32, 40)
    expected = network(pixels)
    found = folded(copy.deepcopy(network))
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in found.modules())
    assert torch.allclose(found(pixels), expected, atol=1e-5)
