"""A critic: one number a picture, higher for real ones (Xia, Chartsias, Tsaftaris 2020)."""

from __future__ import annotations

from torch import Tensor, nn

_SLOPE = 0.2
_N_POOLED = 4


class Critic(nn.Module):
    """(batch, n_in, height, width) → (batch,); sides are at least `least_side_px`.

    There is no normalisation: the gradient penalty is of one picture, which others would change.
    ``width``: channels at full size.
    """

    least_side_px = 1 << _N_POOLED

    def __init__(self, n_in: int = 3, *, width: int = 32) -> None:
        super().__init__()
        inward = [n_in, width, 2 * width, 4 * width, 8 * width]
        layers: list[nn.Module] = []
        for level, n_out in enumerate(inward[1:]):
            layers += _convolved(inward[level], n_out)
            if level > 1:
                layers += _convolved(n_out, n_out)
            layers.append(nn.MaxPool2d(2))
        self.down = nn.Sequential(*layers)
        deepest = 16 * width
        self.head = nn.Sequential(
            *_convolved(8 * width, deepest),  # the paper's two, side by side
            *_convolved(deepest, deepest),
            *_convolved(deepest, deepest),
            *_convolved(deepest, deepest),
            nn.Conv2d(deepest, 1, 3, padding=1),
        )
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, _SLOPE)
                assert module.bias is not None
                nn.init.zeros_(module.bias)

    def forward(self, pictures: Tensor) -> Tensor:
        judged: Tensor = self.head(self.down(pictures - 0.5))
        return judged.mean(dim=(1, 2, 3))


def _convolved(n_in: int, n_out: int) -> list[nn.Module]:
    return [nn.Conv2d(n_in, n_out, 3, padding=1), nn.LeakyReLU(_SLOPE)]
