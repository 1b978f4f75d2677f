from __future__ import annotations

import torch
from torch import nn

from pathoview.methods.engine.ema import blend, copy_of


def test_statistics_of_normalisation_are_averaged_with_the_weights() -> None:
    network = nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2))
    average = copy_of(network)
    before = average.get_buffer("1.running_mean").clone()
    network.train()
    network(torch.randn(4, 1, 8, 8) + 3)
    blend(average, network, 0.75)
    expected = 0.75 * before + 0.25 * network.get_buffer("1.running_mean")
    assert torch.allclose(average.get_buffer("1.running_mean"), expected)
    assert average.get_buffer("1.num_batches_tracked") == 1
