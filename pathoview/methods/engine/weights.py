"""Weights as NumPy arrays: what goes into a model file, and back into a network."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from pathoview.core.errors import InputError
from pathoview.core.translation import _
from pathoview.methods.model import Tensors

_NAMED = 3


def array_of(tensor: torch.Tensor) -> npt.NDArray[np.generic]:
    """Return a copy in C order; floating numbers become float32."""
    values = tensor.detach()
    if values.is_floating_point():
        values = values.float()
    return np.array(values.cpu().numpy(), order="C")


def arrays_of(network: nn.Module) -> dict[str, npt.NDArray[np.generic]]:
    """Return copies of all weights and buffers of a network."""
    return {name: array_of(tensor) for name, tensor in network.state_dict().items()}


def load_arrays(network: nn.Module, tensors: Tensors) -> None:
    """Put weights into a network of the same build; raise `InputError` when it is another."""
    wanted = network.state_dict()
    # A buffer that is a single number comes back from a file as an array of one.
    wrong = [
        name
        for name in wanted.keys() | tensors.keys()
        if name not in wanted or name not in tensors or wanted[name].numel() != tensors[name].size
    ]
    if wrong:
        names = ", ".join(sorted(wrong)[:_NAMED])
        raise InputError(
            _("These weights belong to another network: {n} differ ({names}).").format(
                n=len(wrong), names=names
            ),
            _("Choose a model of the same method, trained with the same settings."),
        )
    with torch.no_grad():
        for name, tensor in wanted.items():
            tensor.copy_(torch.from_numpy(np.array(tensors[name])).reshape(tensor.shape))
