"""A U-Net on an encoder gives one value a pixel, whatever the encoder."""

from __future__ import annotations

import torch
from torch import nn

from pathoview.methods.networks.encoder_unet import EncoderUNet

CHANNELS = 4, 6, 8, 10, 12


class Pyramid(nn.Module):
    """Five maps of an image, each half as fine."""

    def __init__(self) -> None:
        super().__init__()
        inward = (3, *CHANNELS[:-1])
        self.steps = nn.ModuleList(
            nn.Conv2d(a, b, 2, stride=2) for a, b in zip(inward, CHANNELS, strict=True)
        )
        self.seen: torch.Tensor | None = None

    def forward(self, images: torch.Tensor) -> list[torch.Tensor]:
        self.seen = images
        maps = []
        for step in self.steps:
            images = step(images)
            maps.append(images)
        return maps


def test_it_gives_as_many_values_a_pixel_as_asked() -> None:
    network = EncoderUNet(Pyramid(), CHANNELS, 3)
    assert network(torch.zeros(2, 3, 64, 96)).shape == (2, 3, 64, 96)


def test_the_encoder_sees_pixels_of_0_to_1() -> None:
    encoder = Pyramid()
    EncoderUNet(encoder, CHANNELS, 1)(torch.zeros(2, 3, 32, 32))
    assert encoder.seen is not None
    assert (encoder.seen == 0).all()


def test_every_weight_learns() -> None:
    network = EncoderUNet(Pyramid(), CHANNELS, 1)
    network(torch.rand(2, 3, 32, 32)).square().sum().backward()
    assert all(w.grad is not None and bool(w.grad.any()) for w in network.head.parameters())
    assert all(w.grad is not None for w in network.parameters())
