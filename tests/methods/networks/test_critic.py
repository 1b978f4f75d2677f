"""A critic judges each picture by itself."""

from __future__ import annotations

import pytest
import torch

from pathoview.methods.networks.critic import Critic


@pytest.mark.parametrize(
    ("n_in", "height", "width"), [(1, 208, 160), (3, 256, 256), (3, 48, 48), (1, 16, 16)]
)
def test_one_number_a_picture(n_in: int, height: int, width: int) -> None:
    critic = Critic(n_in, width=2)
    pictures = torch.rand(2, n_in, height, width)
    judged = critic(pictures)
    assert judged.shape == (2,)
    assert torch.allclose(critic(pictures[1:]), judged[1:], atol=1e-6)
