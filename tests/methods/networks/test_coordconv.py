"""Places in a window reach the network."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from pathoview.methods.networks.coordconv import CoordConv, PlacedNetwork


def test_places_go_from_minus_one_to_one_over_the_window() -> None:
    layer = CoordConv(8)
    with torch.no_grad():
        layer.mix.weight.zero_()
        layer.mix.weight[0, 3] = 1  # x
        layer.mix.weight[1, 4] = 1  # y
    x, y, nothing = layer(torch.zeros(1, 3, 8, 8))[0]
    assert x[0].tolist() == pytest.approx(
        [-0.875, -0.625, -0.375, -0.125, 0.125, 0.375, 0.625, 0.875]
    )
    assert torch.equal(x.T, y)
    assert not nothing.any()
    beyond = layer(torch.zeros(1, 3, 8, 16))[0, 0, 0, -1].detach()
    assert float(beyond) == pytest.approx(1.875), "it goes on"


def test_at_first_the_picture_goes_through_almost_unchanged() -> None:
    layer = CoordConv(8)
    pixels = torch.rand(2, 3, 8, 8)
    with torch.no_grad():
        layer.mix.weight[:, 3:] = 0
    assert torch.allclose(layer(pixels), pixels)


def test_equal_pixels_at_different_places_become_different() -> None:
    torch.manual_seed(0)
    out = PlacedNetwork(nn.Conv2d(3, 2, 1), 8)(torch.zeros(1, 3, 8, 8))
    assert len(torch.unique(out[0, 0])) > 8
