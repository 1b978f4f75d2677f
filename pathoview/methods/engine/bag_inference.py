"""A trained network of bags, ready to predict one slide after the other."""

from __future__ import annotations

from functools import partial
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


def loaded(network: Network, tensors: Tensors, device: str) -> Network:
    """Return a network with its weights, on a device, ready to predict."""
    load_arrays(network, tensors)
    return network.to(device).eval()


@torch.inference_mode()
def found(
    network: BagNetwork,
    features: npt.NDArray[np.floating],
    temperature: float = 1.0,
    *,
    has_several_labels: bool = False,
) -> BagFound:
    """Return what an evaluating network says of (tile, feature), logits by ``temperature``.

    ``has_several_labels``: each class has a probability of its own.
    """
    tiles = torch.from_numpy(np.array(features, np.float32)).to(network.mean.device)
    output = network(tiles[None], torch.ones(1, len(tiles), dtype=torch.bool, device=tiles.device))
    evidence = network.evidence_of(tiles, output)
    activate = torch.sigmoid if has_several_labels else partial(torch.softmax, dim=-1)
    of_classes = output.attention[0].T if output.has_several_labels else None
    return BagFound(
        _array(activate(output.logits[0] / temperature)),
        _array(output.tile_attention[0]),
        _array(activate(evidence / temperature)),
        None if of_classes is None else _array(of_classes.expand(len(tiles), evidence.shape[1])),
    )


def _array(tensor: Tensor) -> npt.NDArray[np.float32]:
    return np.asarray(tensor.cpu().numpy(), np.float32)
