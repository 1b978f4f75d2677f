"""A trained network of bags, ready to predict one slide after the other."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from pathoview.methods.engine.weights import load_arrays
from pathoview.methods.model import Tensors
from pathoview.methods.networks.bag_network import BagNetwork
from pathoview.methods.spec import BagFound

Network = TypeVar("Network", bound=BagNetwork)

_AT_ONCE = 4096
"""Tiles whose evidence is computed together."""


def loaded(network: Network, tensors: Tensors, device: str) -> Network:
    """Return a network with its weights, on a device, ready to predict."""
    load_arrays(network, tensors)
    return network.to(device).eval()


@torch.inference_mode()
def found(
    network: BagNetwork, features: npt.NDArray[np.floating], temperature: float = 1.0
) -> BagFound:
    """Return what an evaluating network says of (tile, feature), logits by ``temperature``."""
    tiles = torch.from_numpy(np.array(features, np.float32)).to(network.mean.device)
    output = network(tiles[None], torch.ones(1, len(tiles), dtype=torch.bool, device=tiles.device))
    evidence = torch.cat([network.evidence(some) for some in torch.split(tiles, _AT_ONCE)])
    return BagFound(
        _array((output.logits[0] / temperature).softmax(0)),
        _array(output.tile_attention[0]),
        _array((evidence / temperature).softmax(1)),
    )


def _array(tensor: Tensor) -> npt.NDArray[np.float32]:
    return np.asarray(tensor.cpu().numpy(), np.float32)
